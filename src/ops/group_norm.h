// Group normalization (Wu, He 2018, arXiv:1803.08494; Keras 3 GroupNormalization; ONNX GroupNormalization-21), and with as many
// groups as channels instance normalization (Ulyanov et al. 2016, arXiv:1607.08022; ONNX InstanceNormalization).
//
// Computes  for every sample, and every group of channels / groups neighbouring channels of it, over all of their elements:
//             mean = sum(x) / n         var = sum((x - mean)^2) / n        rstd = 1 / sqrt(var + epsilon)
//             y = (x - mean) * rstd * gamma + beta
// Shapes    x, y: [batch, before, channels, after], C order: any tensor whose first dimension is the batch, with one channel axis,
//           its other dimensions merged. gamma, beta: one a channel, or null. mean, rstd: [batch, groups], or null.
// Types     as ops/layer_norm.h.
// Aliasing  y may be x itself; otherwise no output may overlap an input or another output.
// Errors    unknown_dtype, invalid_groups, size_overflow, invalid_epsilon, null_data, small_workspace, misaligned_data,
//           overlapping_data; nothing is written then.
// Limits    as ops/layer_norm.h. With gamma = 1 the bits of y are those of layer normalization of the same elements, but for groups
//           of several channels that are innermost: there each channel is summed first. rstd * gamma is rounded once.
#pragma once

#include <cstddef>

#include "core/dtype.h"
#include "core/status.h"
#include "ops/channel_shape.h"

namespace layernorm {

struct GroupNormForward {
  DType dtype = DType::float32;
  ChannelShape shape;
  double epsilon = 1e-3;

  const void* x = nullptr;
  const void* gamma = nullptr;
  const void* beta = nullptr;
  void* y = nullptr;
  void* mean = nullptr;
  void* rstd = nullptr;
};

[[nodiscard]] Status group_norm_forward(const GroupNormForward& args);

// The gradient.
//
// Computes  with h = (x - mean) * rstd and g = dy * gamma, and averages over each group:
//             dx = rstd * (g - average(g) - h * average(g * h))
//             dgamma = sum of dy * h, dbeta = sum of dy, of each channel over all samples and places
// Parts     The samples may come in several calls, in order, that share a workspace: `first` and `last` say which they are.
//           dgamma and dbeta are written by the last, and are bit for bit those of one call.
// Aliasing  dx may be dy or x itself; each of dx, dgamma, dbeta may be null.
// Limits    as the gradient of ops/layer_norm.h: h is formed from mean and rstd as they were saved.
struct GroupNormBackward {
  DType dtype = DType::float32;
  ChannelShape shape;
  bool first = true;
  bool last = true;

  const void* dy = nullptr;
  const void* x = nullptr;
  const void* mean = nullptr;
  const void* rstd = nullptr;
  const void* gamma = nullptr;
  void* dx = nullptr;
  void* dgamma = nullptr;
  void* dbeta = nullptr;
  void* workspace = nullptr;  // aligned to 8 bytes
  std::size_t workspace_bytes = 0;
};

// Bytes of workspace that the gradient needs; SIZE_MAX when it is more than can be addressed, or the shape is. The forward pass
// needs none.
[[nodiscard]] std::size_t group_norm_backward_workspace(DType dtype, const ChannelShape& shape);

[[nodiscard]] Status group_norm_backward(const GroupNormBackward& args);

// The same on a vector type of the caller's choice: for tests that compare them.
template <class S>
[[nodiscard]] Status group_norm_forward_on(const GroupNormForward& args);
template <class S>
[[nodiscard]] Status group_norm_backward_on(const GroupNormBackward& args);

}  // namespace layernorm
