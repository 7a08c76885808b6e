// The post-processing of Matryoshka embeddings (Kusupati et al. 2022, arXiv:2205.13147), as the models of Nomic ask for it: layer
// normalization of each embedding, its first few elements, and these divided by their Euclidean norm, in one pass over memory.
//
// Computes  for every row of x, with the first `dimensions` elements of z:
//             z = (x - mean) / sqrt(var + epsilon)              mean and var of all elements, as in ops/layer_norm.h
//             y = z / max(sqrt(sum(z^2)), 1e-12)                as in ops/unit_norm.h
//           z is never rounded or stored: y = (x - mean) * factor, with one factor for the row.
// Shapes    x: [rows, cols]. y: [rows, dimensions], 1 <= dimensions <= cols.
// Types     y has the type of x. float32 is computed in float32 over sums in float64, float64 in float64 over compensated sums. Error
//           of y: that of z over the norm of what is kept, and that of z is at most 3 ulp of max(|z|, 1) on the kinds of rows in
//           tests/cpp/support/datasets.h, for float32 and for float64 (measured: 1.6 and 2.2). So a prefix that lies closer to the
//           mean than the rest of its row is as much less exact.
//           float16 and bfloat16: y is what float32 computes of the same numbers, rounded once to nearest even.
// Aliasing  y may overlap nothing of x.
// Errors    unknown_dtype, size_overflow, invalid_epsilon, invalid_dimensions, null_data, misaligned_data, overlapping_data; nothing is
//           written then.
// Limits    NaN and infinities make their own row NaN, wherever in it they are. A constant row gives 0, with epsilon = 0 NaN, as 0 / 0.
//           A prefix of which the norm of z is less than 1e-12 is divided by that, so its norm is less than 1.
// Source    https://huggingface.co/nomic-ai/nomic-embed-text-v1.5 ("Adjusting Dimensionality"): torch.nn.functional.layer_norm with
//           its epsilon of 1e-5, a slice, and torch.nn.functional.normalize with its epsilon of 1e-12.
#pragma once

#include <cstddef>

#include "core/dtype.h"
#include "core/status.h"

namespace layernorm {

struct Matryoshka {
  DType dtype = DType::float32;
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::size_t dimensions = 0;
  double epsilon = 1e-5;

  const void* x = nullptr;
  void* y = nullptr;
};

[[nodiscard]] Status matryoshka(const Matryoshka& args);

// The same on a vector type of the caller's choice (simd/build.h lists them): for tests that compare them.
template <class S>
[[nodiscard]] Status matryoshka_on(const Matryoshka& args);

}  // namespace layernorm
