// Spectral normalization (Miyato et al. 2018, arXiv:1802.05957; Keras 3 SpectralNormalization): a kernel divided by an estimate of its
// largest singular value, which power iteration improves from call to call.
//
// Computes  with W the kernel as a matrix [rows, cols] and l2(a) = a / max(|a|, epsilon), |a| the root of the sum of squares:
//             power_iterations times: v = l2(W u), u = l2(v W)
//             sigma = v W u          y = W / sigma
//           As the last u is v W over its norm, sigma is that norm, and no further pass over W is needed.
//           A kernel of zeros alone stays as it is, as in Keras: y = W, u unchanged, v = 0, sigma = 1.
// Shapes    kernel, y: [rows, cols], C order: any tensor with its dimensions but the last merged. u, u_out: cols. v: rows.
//           sigma: one element.
// Types     kernel and y have `dtype`; all else its parameter_dtype. W is widened to float64 and u and v are float64 up to the end;
//           float64 sums are compensated. Error of y: sigma exact to a few ulp of float64, then 1.5 ulp of `dtype` for
//           float32 and float64, and 1 for 16-bit types.
// Saves     u, for the next call, and u, v and sigma for the gradient, each where its address is not null.
// Aliasing  y may be the kernel, u_out may be u; otherwise no output may overlap an input, another output or the workspace.
// Errors    unknown_dtype, size_overflow, invalid_epsilon, invalid_iterations, null_data, small_workspace, misaligned_data,
//           overlapping_data; nothing is written then.
// Limits    A u that is orthogonal to all rows gives sigma = 0, so infinities and NaN, as in Keras; no u drawn at random is.
//           Products of float64 beyond 1.8e308 overflow.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/dtype.h"
#include "core/status.h"

namespace layernorm {

struct SpectralNormForward {
  DType dtype = DType::float32;
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::uint32_t power_iterations = 1;
  double epsilon = 1e-7;

  const void* kernel = nullptr;
  const void* u = nullptr;
  void* y = nullptr;
  void* u_out = nullptr;
  void* v = nullptr;
  void* sigma = nullptr;
  void* workspace = nullptr;  // aligned to 8 bytes
  std::size_t workspace_bytes = 0;
};

// The gradient of W / sigma by W, where u and v count as constants, as in Keras and PyTorch.
//
// Computes  dkernel = (dy - (sum(dy * W) / sigma) * v u) / sigma, where v u is the matrix of all v[row] * u[col].
// Shapes    as above: dy, kernel, dkernel: [rows, cols].
// Sums      of dy * W in float64, compensated for float64.
// Aliasing  dkernel may be dy or the kernel.
// Errors    as above; nothing is written then.
struct SpectralNormBackward {
  DType dtype = DType::float32;
  std::size_t rows = 0;
  std::size_t cols = 0;

  const void* dy = nullptr;
  const void* kernel = nullptr;  // before it was normalized
  const void* u = nullptr;       // as the forward call gave it
  const void* v = nullptr;
  double sigma = 1;
  void* dkernel = nullptr;
  void* workspace = nullptr;  // aligned to 8 bytes
  std::size_t workspace_bytes = 0;
};

// Bytes of workspace that either call needs; SIZE_MAX when it is more than can be addressed.
[[nodiscard]] std::size_t spectral_norm_workspace(std::size_t rows, std::size_t cols);

[[nodiscard]] Status spectral_norm_forward(const SpectralNormForward& args);
[[nodiscard]] Status spectral_norm_backward(const SpectralNormBackward& args);

// The same on a vector type of the caller's choice (simd/build.h lists them): for tests that compare them.
template <class S>
[[nodiscard]] Status spectral_norm_forward_on(const SpectralNormForward& args);
template <class S>
[[nodiscard]] Status spectral_norm_backward_on(const SpectralNormBackward& args);

}  // namespace layernorm
