// Unit normalization, or L2 normalization (Keras 3.16 UnitNormalization and ops.normalize of order 2; ONNX LpNormalization-22 of
// p = 2, which knows one axis and no epsilon; PyTorch functional.normalize).
//
// Computes  for every group of elements that share their indices on the kept axes:
//             rstd = 1 / sqrt(max(sum(x^2), epsilon^2))       y = x * rstd
// Shapes    x, y: dims, C order. rstd: one element a group, row-major over the kept axes, or null.
// Types     as ops/rms_norm.h: of float16 and bfloat16 x and y, rstd is float32 then. The error of y is at most 3 ulp of 1 for
//           float32 on the kinds of rows in tests/cpp/support/datasets.h.
// Saves     rstd, which the gradient needs.
// Aliasing  y may be x itself; otherwise no output may overlap an input or another output. The workspace may overlap nothing.
// Errors    unknown_dtype, invalid_rank, invalid_axes, size_overflow, invalid_epsilon, null_data, small_workspace,
//           misaligned_data, overlapping_data; nothing is written then.
// Limits    NaN makes its own group NaN; an infinity makes itself NaN and all else of its group 0, as the formula does.
//           A zero vector gives 0, with epsilon = 0 NaN, as 0 / 0. Empty groups (D = 0) have no y; their rstd is NaN.
//           A float32 rstd beyond 3.4e38 (a norm and an epsilon below 3e-39) is saved as infinity, though y is right.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/dtype.h"
#include "core/status.h"

namespace layernorm {

struct UnitNormForward {
  DType dtype = DType::float32;
  std::span<const std::uint32_t> dims;  // sizes of x, outermost first
  std::uint32_t axes = 0;               // bit n: dimension n is reduced
  double epsilon = 1e-12;

  const void* x = nullptr;
  void* y = nullptr;
  void* rstd = nullptr;
  void* workspace = nullptr;  // aligned to 8 bytes; of float16 and bfloat16 only
  std::size_t workspace_bytes = 0;
};

// Bytes of workspace that a call with these dims, axes and dtype needs: 0 for none, or when they are not valid, SIZE_MAX
// when it is more than can be addressed.
[[nodiscard]] std::size_t unit_norm_forward_workspace(DType dtype, std::span<const std::uint32_t> dims,
                                                      std::uint32_t axes);

[[nodiscard]] Status unit_norm_forward(const UnitNormForward& args);

// The same on a vector type of the caller's choice (simd/build.h lists them): for tests that compare them.
template <class S>
[[nodiscard]] Status unit_norm_forward_on(const UnitNormForward& args);

// The gradient of unit normalization.
//
// Computes  for every group, with y = x * rstd:
//             dx = rstd * (dy - y * sum(dy * y))              where the norm of x is more than epsilon
//             dx = rstd * dy                                  elsewhere: rstd is the constant 1 / epsilon there
//           What rounds to 1 / epsilon counts as that.
// Shapes    as unit_norm_forward: dy, x, dx: dims; rstd: one a group. dx may be null (then nothing is written).
// Types, parts, aliasing, errors: as LayerNormBackward (ops/layer_norm.h), and invalid_epsilon.
struct UnitNormBackward {
  DType dtype = DType::float32;
  std::span<const std::uint32_t> dims;
  std::uint32_t axes = 0;
  double epsilon = 1e-12;  // that of the forward call
  std::size_t first_group = 0;
  bool last = true;

  const void* dy = nullptr;
  const void* x = nullptr;
  const void* rstd = nullptr;
  void* dx = nullptr;
  void* workspace = nullptr;  // aligned to 8 bytes
  std::size_t workspace_bytes = 0;
};

// Bytes of workspace that a call with these dims, axes and dtype needs: 0 when they are not valid, SIZE_MAX when it is more
// than can be addressed.
[[nodiscard]] std::size_t unit_norm_backward_workspace(DType dtype, std::span<const std::uint32_t> dims,
                                                       std::uint32_t axes);

[[nodiscard]] Status unit_norm_backward(const UnitNormBackward& args);

template <class S>
[[nodiscard]] Status unit_norm_backward_on(const UnitNormBackward& args);

}  // namespace layernorm
