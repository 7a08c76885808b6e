// Batch normalization (Ioffe, Szegedy 2015, arXiv:1502.03167; Keras 3 BatchNormalization; ONNX BatchNormalization-15).
//
// Computes  for every channel, over all elements of x that belong to it:
//             mean = sum(x) / n         variance = sum((x - mean)^2) / n         rstd = 1 / sqrt(variance + epsilon)
//             y = (x - mean) * rstd * gamma + beta
//           With a mask, the sums go over the elements that it keeps, and n = their number + 1e-7, as in Keras; all elements
//           are normalized all the same. batch_norm_inference takes mean and variance as given, the moving ones.
// Shapes    x, y: [outer, channels, inner], C order: any tensor with one channel axis, its other dimensions merged. All else: one
//           a channel. mask: element i of x counts when mask[i / mask_run] is not 0; mask_run is `channels` where inner is 1,
//           else a divisor of inner.
// Types     x and y have `dtype`; all else its parameter_dtype. float32 is computed over statistics summed in float64, float64 over
//           compensated sums, 16-bit types as float32, rounded once. Masked sums are in float64, compensated; their mean is
//           rounded to float64 once, which costs masked float64 data that are far from 0 some digits.
//           Error of y with gamma = 1, beta = 0: that of ops/layer_norm.h.
// Saves     mean, variance (biased, which Keras 3 also moves its average towards; PyTorch takes n - 1) and rstd, each where its
//           address is not null. Without elements they are NaN; of a mask that keeps nothing mean and variance are 0.
// Aliasing  y may be x; otherwise no output may overlap an input or another output. y may be null: statistics only.
// Errors    unknown_dtype, size_overflow, invalid_epsilon, invalid_mask, null_data, small_workspace, misaligned_data,
//           overlapping_data; nothing is written then.
// Limits    as ops/layer_norm.h. With gamma = 1 the bits are those of layer normalization of the same elements where inner > 1; lines
//           of channels are summed by the tree of ops/line_moments.h. Of float64, masked squares may overflow.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/dtype.h"
#include "core/status.h"

namespace layernorm {

struct BatchNormForward {
  DType dtype = DType::float32;
  std::size_t outer = 0;
  std::size_t channels = 0;
  std::size_t inner = 0;
  double epsilon = 1e-3;

  const void* x = nullptr;
  const void* gamma = nullptr;
  const void* beta = nullptr;
  const std::uint8_t* mask = nullptr;
  std::size_t mask_run = 0;
  void* y = nullptr;
  void* mean = nullptr;
  void* variance = nullptr;
  void* rstd = nullptr;
  void* workspace = nullptr;  // aligned to 8 bytes
  std::size_t workspace_bytes = 0;
};

struct BatchNormInference {
  DType dtype = DType::float32;
  std::size_t outer = 0;
  std::size_t channels = 0;
  std::size_t inner = 0;
  double epsilon = 1e-3;

  const void* x = nullptr;
  const void* gamma = nullptr;
  const void* beta = nullptr;
  const void* mean = nullptr;
  const void* variance = nullptr;
  void* y = nullptr;
  void* rstd = nullptr;
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;
};

// The gradient.
//
// Computes  with h = (x - mean) * rstd and g = dy * gamma, for every channel, sums over all of its elements:
//             dx = rstd * (g - w * (sum(g) + h * sum(g * h)) / n)        w: 1, with a mask 1 where it keeps x, else 0
//             dgamma = sum(dy * h)         dbeta = sum(dy)
//           without `training` mean and rstd are constants: dx = rstd * g.
// Sums      of dgamma and dbeta: in T over some elements, these in double.
// Aliasing  dx may be dy or x itself; each of dx, dgamma, dbeta may be null.
// Limits    as the gradient of ops/layer_norm.h: h is formed from mean and rstd as they were saved.
struct BatchNormBackward {
  DType dtype = DType::float32;
  std::size_t outer = 0;
  std::size_t channels = 0;
  std::size_t inner = 0;
  bool training = true;

  const void* dy = nullptr;
  const void* x = nullptr;
  const void* mean = nullptr;
  const void* rstd = nullptr;
  const void* gamma = nullptr;
  const std::uint8_t* mask = nullptr;
  std::size_t mask_run = 0;
  void* dx = nullptr;
  void* dgamma = nullptr;
  void* dbeta = nullptr;
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;
};

// Bytes of workspace that each of the calls needs; SIZE_MAX when it is more than can be addressed, or the shape is.
[[nodiscard]] std::size_t batch_norm_workspace(DType dtype, std::size_t outer, std::size_t channels,
                                               std::size_t inner);

[[nodiscard]] Status batch_norm_forward(const BatchNormForward& args);
[[nodiscard]] Status batch_norm_inference(const BatchNormInference& args);
[[nodiscard]] Status batch_norm_backward(const BatchNormBackward& args);

// The same on a vector type of the caller's choice: for tests that compare them.
template <class S>
[[nodiscard]] Status batch_norm_forward_on(const BatchNormForward& args);
template <class S>
[[nodiscard]] Status batch_norm_inference_on(const BatchNormInference& args);
template <class S>
[[nodiscard]] Status batch_norm_backward_on(const BatchNormBackward& args);

}  // namespace layernorm
