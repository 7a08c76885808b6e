// Mean and variance over any axes (Keras 3 ops.moments; torch.var_mean with correction = 0).
//
// Computes  for every group of elements that share their indices on the kept axes:
//             mean = sum(x) / D         variance = sum((x - mean)^2) / D
// Shapes    x: dims, C order. mean, variance: one element a group, row-major over the kept axes, or null.
// Types     x has `dtype`; mean and variance its parameter_dtype. float32 is summed in float64, float64 with compensation, 16-bit
//           types as float32. Error: 1 ulp of the mean, 3 ulp of the variance on the kinds of rows in
//           tests/cpp/support/datasets.h, never the cancellation of E[x^2] - E[x]^2.
// Aliasing  no output may overlap an input or another output.
// Errors    unknown_dtype, invalid_rank, invalid_axes, size_overflow, null_data, misaligned_data, overlapping_data; nothing is
//           written then.
// Limits    NaN and infinities make both NaN. Empty groups (D = 0) have NaN for both. A variance beyond the range of the type is
//           infinite, or 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/dtype.h"
#include "core/status.h"

namespace layernorm {

struct MomentsArguments {
  DType dtype = DType::float32;
  std::span<const std::uint32_t> dims;  // sizes of x, outermost first
  std::uint32_t axes = 0;               // bit n: dimension n is reduced

  const void* x = nullptr;
  void* mean = nullptr;
  void* variance = nullptr;
};

[[nodiscard]] Status moments(const MomentsArguments& args);

// The same on a vector type of the caller's choice: for tests that compare them.
template <class S>
[[nodiscard]] Status moments_on(const MomentsArguments& args);

}  // namespace layernorm
