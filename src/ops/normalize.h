// What the operations that normalize groups of elements over any axes have in common: statistics of each group, then
// y = (x - mean) * rstd * gamma + beta, and the gradient of that. The operations (ops/layer_norm.h, rms_norm.h, unit_norm.h)
// say what each array is, and choose the spread; where it is about zero there is neither mean nor beta, and where it is a
// norm there is no gamma either.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/dtype.h"
#include "core/status.h"
#include "ops/spread.h"

namespace layernorm {

struct Normalize {
  DType dtype = DType::float32;
  std::span<const std::uint32_t> dims;
  std::uint32_t axes = 0;
  Spread spread;
  bool rms_scaling = false;  // the mean leaves the variance but not x

  const void* x = nullptr;
  const void* gamma = nullptr;
  const void* beta = nullptr;
  void* y = nullptr;
  void* mean = nullptr;
  void* rstd = nullptr;
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;
};

[[nodiscard]] std::size_t normalize_workspace(DType dtype, std::span<const std::uint32_t> dims,
                                              std::uint32_t axes);

template <class S>
[[nodiscard]] Status normalize_on(const Normalize& args);

// mean is needed only where the spread is about it; dgamma and dbeta are summed only where there can be a gamma, or a beta.
struct NormalizeBackward {
  DType dtype = DType::float32;
  std::span<const std::uint32_t> dims;
  std::uint32_t axes = 0;
  Spread spread;  // its epsilon counts for a norm only
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
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;
};

[[nodiscard]] std::size_t normalize_backward_workspace(DType dtype, std::span<const std::uint32_t> dims,
                                                       std::uint32_t axes);

template <class S>
[[nodiscard]] Status normalize_backward_on(const NormalizeBackward& args);

}  // namespace layernorm
