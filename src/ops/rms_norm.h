// RMS normalization (Zhang, Sennrich 2019, arXiv:1910.07467; Keras 3 RMSNormalization; ONNX RMSNormalization-23, which knows
// trailing axes only; PyTorch RMSNorm).
//
// Computes  for every group of elements that share their indices on the kept axes:
//             rstd = 1 / sqrt(sum(x^2) / D + epsilon)         y = x * rstd * gamma
// Shapes    x, y: dims, C order. gamma: D elements, row-major over the reduced axes in ascending order, or null. rstd: one
//           element a group, row-major over the kept axes, or null.
// Types     all arrays have the type of x. float32 is computed in float32 over squares summed in float64, float64 in float64
//           over compensated sums. Error of y with gamma = 1: at most 3 ulp of max(|y|, 1) for float32 on the kinds of rows
//           in tests/cpp/support/datasets.h, also where squares overflow or underflow.
//           float16 and bfloat16: x and y have the type; gamma and rstd are float32. y is what float32 computes of the same
//           numbers, rounded once to nearest even: infinite beyond the type's largest.
// Saves     rstd, which the gradient needs.
// Aliasing  y may be x itself; otherwise no output may overlap an input or another output. The workspace may overlap nothing.
// Errors    unknown_dtype, invalid_rank, invalid_axes, size_overflow, invalid_epsilon, null_data, small_workspace,
//           misaligned_data, overlapping_data; nothing is written then.
// Limits    NaN makes its own group NaN; an infinity makes itself NaN and all else of its group 0, as the formula does.
//           A group of zeros gives 0, with epsilon = 0 NaN, as 0 / 0. Empty groups (D = 0) have no y; their rstd is NaN.
//           A float32 rstd beyond 3.4e38 (tiny rows, epsilon = 0) is saved as infinity, though y is right.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/dtype.h"
#include "core/status.h"

namespace layernorm {

struct RmsNormForward {
  DType dtype = DType::float32;
  std::span<const std::uint32_t> dims;  // sizes of x, outermost first
  std::uint32_t axes = 0;               // bit n: dimension n is reduced
  double epsilon = 1e-6;

  const void* x = nullptr;
  const void* gamma = nullptr;
  void* y = nullptr;
  void* rstd = nullptr;
  void* workspace = nullptr;  // aligned to 8 bytes; of float16 and bfloat16 only
  std::size_t workspace_bytes = 0;
};

// Bytes of workspace that a call with these dims, axes and dtype needs: 0 for none, or when they are not valid, SIZE_MAX
// when it is more than can be addressed.
[[nodiscard]] std::size_t rms_norm_forward_workspace(DType dtype, std::span<const std::uint32_t> dims,
                                                     std::uint32_t axes);

[[nodiscard]] Status rms_norm_forward(const RmsNormForward& args);

// The same on a vector type of the caller's choice (simd/build.h lists them): for tests that compare them.
template <class S>
[[nodiscard]] Status rms_norm_forward_on(const RmsNormForward& args);

// The gradient of RMS normalization.
//
// Computes  with h = x * rstd and g = dy * gamma, for every group:
//             dx = rstd * (g - h * sum(g * h) / D)            dgamma = sum of dy * h over the groups
// Shapes    as rms_norm_forward: dy, x, dx: dims; gamma, dgamma: D elements; rstd: one a group. gamma may be null (then 1),
//           and each of dx and dgamma (then it is not written).
// Sums, types, parts, aliasing, errors: as LayerNormBackward (ops/layer_norm.h).
struct RmsNormBackward {
  DType dtype = DType::float32;
  std::span<const std::uint32_t> dims;
  std::uint32_t axes = 0;
  std::size_t first_group = 0;
  bool last = true;

  const void* dy = nullptr;
  const void* x = nullptr;
  const void* rstd = nullptr;
  const void* gamma = nullptr;
  void* dx = nullptr;
  void* dgamma = nullptr;
  void* workspace = nullptr;  // aligned to 8 bytes
  std::size_t workspace_bytes = 0;
};

// Bytes of workspace that a call with these dims, axes and dtype needs: 0 when they are not valid, SIZE_MAX when it is more
// than can be addressed.
[[nodiscard]] std::size_t rms_norm_backward_workspace(DType dtype, std::span<const std::uint32_t> dims,
                                                      std::uint32_t axes);

[[nodiscard]] Status rms_norm_backward(const RmsNormBackward& args);

template <class S>
[[nodiscard]] Status rms_norm_backward_on(const RmsNormBackward& args);

}  // namespace layernorm
