// Layer or RMS normalization of a sum, as it stands between the blocks of a transformer (ONNX Runtime's SkipLayerNormalization and
// SkipSimplifiedLayerNormalization): the sum is added up and normalized in one pass over memory.
//
// Computes  for every row: sum = (x + skip) + bias, and y as layer_norm_forward, or with `rms` rms_norm_forward, makes it of the sum.
// Shapes    x, y, sum: [rows, cols]. skip: [skip_rows, cols]; row n of x is added to row (first_row + n) % skip_rows, so that a skip of
//           fewer rows is repeated over a batch, of which the rows may come in several calls. bias, gamma, beta: cols elements or
//           null. mean, rstd: one element a row, or null. sum may be null: then it is not kept. With rms neither beta nor
//           mean are looked at.
// Types     all arrays have the type of x, and y has the bits that layer_norm_forward or rms_norm_forward makes of sum.
//           float16 and bfloat16: x, skip, y and sum have the type, all else is float32. The sum is float32 as well; y is computed of
//           it as it is, and `sum` is that rounded to nearest even, so y is not quite what normalization makes of `sum`.
// Saves     sum, mean and rstd, which the gradients need: layer_norm_backward or rms_norm_backward of sum, plus the gradient of sum
//           itself, is that of x and of skip.
// Aliasing  sum may be x itself, as in a residual stream, and so may y, but not both. x and skip may overlap. Otherwise no output
//           may overlap an input or another output. The workspace may overlap nothing.
// Errors    unknown_dtype, size_overflow (of 2^32 columns too), invalid_epsilon, null_data, invalid_skip, small_workspace,
//           misaligned_data, overlapping_data; nothing is written then.
// Limits    those of layer_norm_forward and rms_norm_forward. A sum beyond the type, or inf - inf, is infinite or NaN as any addition
//           is. Of 16-bit types threads share no more than the normalization of a tile.
// Source    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.SkipLayerNormalization
#pragma once

#include <cstddef>

#include "core/dtype.h"
#include "core/status.h"

namespace layernorm {

struct SkipLayerNorm {
  DType dtype = DType::float32;
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::size_t skip_rows = 0;
  std::size_t first_row = 0;
  double epsilon = 1e-3;
  bool rms = false;

  const void* x = nullptr;
  const void* skip = nullptr;
  const void* bias = nullptr;
  const void* gamma = nullptr;
  const void* beta = nullptr;
  void* y = nullptr;
  void* sum = nullptr;
  void* mean = nullptr;
  void* rstd = nullptr;
  void* workspace = nullptr;  // aligned to 8 bytes; of float16 and bfloat16 only
  std::size_t workspace_bytes = 0;
};

// Bytes of workspace that a call of this size needs: 0 for none, or when the dtype is not valid, SIZE_MAX when it is more than can
// be addressed. Fewer rows never need more.
[[nodiscard]] std::size_t skip_layer_norm_workspace(DType dtype, std::size_t rows, std::size_t cols);

[[nodiscard]] Status skip_layer_norm(const SkipLayerNorm& args);

// The same on a vector type of the caller's choice (simd/build.h lists them): for tests that compare them.
template <class S>
[[nodiscard]] Status skip_layer_norm_on(const SkipLayerNorm& args);

}  // namespace layernorm
