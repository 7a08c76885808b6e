// Layer normalization (Ba, Kiros, Hinton 2016, arXiv:1607.06450; Keras 3 LayerNormalization; ONNX
// LayerNormalization-17, which knows trailing axes only).
//
// Computes  for every group of elements that share their indices on the kept axes:
//             mean = sum(x) / D         var = sum((x - mean)^2) / D        rstd = 1 / sqrt(var + epsilon)
//             y = (x - mean) * rstd * gamma + beta
//           rms_scaling (deprecated in Keras 3, kept for its models): y = x * rstd * gamma + beta with the
//           same rstd, so the mean leaves the variance but not x. Keras has no beta then.
// Shapes    x, y: dims, C order. gamma, beta: D elements, row-major over the reduced axes in ascending order, or
//           null. mean, rstd: one element a group, row-major over the kept axes, or null.
// Types     all arrays have the type of x. float32 is computed in float32 over statistics summed in float64,
//           float64 in float64 over compensated sums. Error of y with gamma = 1, beta = 0: at most 3 ulp of
//           max(|y|, 1) for float32 on the kinds of rows in tests/cpp/support/datasets.h, 5 on the worst found.
//           float16 and bfloat16: x and y have the type; gamma, beta, mean and rstd are float32. y is what float32
//           computes of the same numbers, rounded once to nearest even: infinite beyond the type's largest.
// Saves     mean and rstd, which the gradients need. With rms_scaling mean still is the mean of x.
// Aliasing  y may be x itself; otherwise no output may overlap an input or another output.
//           The workspace may overlap nothing.
// Errors    unknown_dtype, invalid_rank, invalid_axes, size_overflow, invalid_epsilon, null_data, small_workspace,
//           misaligned_data, overlapping_data; nothing is written then.
// Limits    NaN and infinities make their own group NaN. epsilon = 0 and a constant group give NaN, as 0 / 0.
//           Empty groups (D = 0) have no y; their mean and rstd are NaN. A float32 rstd beyond 3.4e38 (tiny rows,
//           epsilon = 0) is saved as infinity, though y is right.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/dtype.h"
#include "core/status.h"

namespace layernorm {

struct LayerNormForward {
  DType dtype = DType::float32;
  std::span<const std::uint32_t> dims;  // sizes of x, outermost first
  std::uint32_t axes = 0;               // bit n: dimension n is reduced
  double epsilon = 1e-3;
  bool rms_scaling = false;

  const void* x = nullptr;
  const void* gamma = nullptr;
  const void* beta = nullptr;
  void* y = nullptr;
  void* mean = nullptr;
  void* rstd = nullptr;
  void* workspace = nullptr;  // aligned to 8 bytes; of float16 and bfloat16 only
  std::size_t workspace_bytes = 0;
};

// Bytes of workspace that a call with these dims, axes and dtype needs: 0 for none, or when they are not valid, SIZE_MAX
// when it is more than can be addressed.
[[nodiscard]] std::size_t layer_norm_forward_workspace(DType dtype, std::span<const std::uint32_t> dims,
                                                       std::uint32_t axes);

[[nodiscard]] Status layer_norm_forward(const LayerNormForward& args);

// The same on a vector type of the caller's choice (simd/build.h lists them): for tests that compare them.
template <class S>
[[nodiscard]] Status layer_norm_forward_on(const LayerNormForward& args);

// The gradient of layer normalization.
//
// Computes  with h = (x - mean) * rstd and g = dy * gamma, for every group:
//             dx     = rstd * (g - sum(g) / D - h * sum(g * h) / D)
//             dgamma = sum of dy * h over the groups         dbeta = sum of dy over the groups
//           rms_scaling: h = x * rstd instead, dx = rstd * g - (x - mean) * rstd^2 * sum(g * h) / D.
// Shapes    as layer_norm_forward: dy, x, dx: dims; gamma, dgamma, dbeta: D elements; mean, rstd: one a group.
//           gamma may be null (then 1), and each of dx, dgamma, dbeta (then it is not written).
// Sums      of a group as in ops/row_moments.h. dgamma and dbeta are summed over 64 groups in T, these sums in double,
//           in the order of the groups: the error hardly grows with their number.
// Types     as layer_norm_forward: of float16 and bfloat16 dy, x and dx, all else is float32.
// Parts     A tensor may come in several calls that share a workspace, in the order of its groups: `first_group`
//           says how many groups came before, `last` whether this call ends it. dgamma and dbeta are written by
//           the last call, and are bit for bit those of one call.
// Aliasing  dx may be dy or x itself; otherwise no output may overlap an input, another output or the workspace.
// Errors    as layer_norm_forward, and small_workspace; nothing is written then.
// Limits    h is formed from mean and rstd as they were saved, in T: for groups whose |mean| is large against
//           their deviation the gradient is as inexact as that mean, as in Keras and PyTorch.
struct LayerNormBackward {
  DType dtype = DType::float32;
  std::span<const std::uint32_t> dims;
  std::uint32_t axes = 0;
  bool rms_scaling = false;
  std::size_t first_group = 0;
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

// Bytes of workspace that a call with these dims, axes and dtype needs: 0 when they are not valid, SIZE_MAX when it is
// more than can be addressed.
[[nodiscard]] std::size_t layer_norm_backward_workspace(DType dtype, std::span<const std::uint32_t> dims,
                                                        std::uint32_t axes);

[[nodiscard]] Status layer_norm_backward(const LayerNormBackward& args);

template <class S>
[[nodiscard]] Status layer_norm_backward_on(const LayerNormBackward& args);

}  // namespace layernorm
