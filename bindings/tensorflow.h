// Two kernels of TensorFlow.js' backend `wasm`, with the very bits of its own (version 4.22; FusedBatchNorm.cc and Mean.cc there): in
// place of those for its layers and graph models, see js/src/tfjs/builtins.ts. They round where it rounds and add in its order, so that
// they have nothing of the core's precision, and are no operations of it.
#pragma once

#include <cstddef>

namespace layernorm::tensorflow {

// Vectors of the compiler's, which splits what is wider than 128 bits.
using Floats = float __attribute__((vector_size(16)));
using Doubles = double __attribute__((vector_size(32)));
inline constexpr std::size_t kLanes = 4;

// At any address.
inline Floats load(const float* from) {
  Floats values;
  __builtin_memcpy(&values, from, sizeof(values));
  return values;
}
inline void store(float* to, Floats values) { __builtin_memcpy(to, &values, sizeof(values)); }

// y = offset + (x - mean) * scale / sqrt(variance + epsilon), the quotient and the sum in double, for each row of x [rows, cols]; all
// others are [cols]. y overlaps nothing.
inline void batch_norm(const float* x, const float* mean, const float* variance, const float* offset,
                       const float* scale, float epsilon, float* y, std::size_t rows, std::size_t cols) {
  const std::size_t whole = cols - cols % kLanes;
  // The roots lie where the last row of y will be: each is read before it is written over.
  float* root = y + (rows - 1) * cols;
  for (std::size_t c = 0; c < cols; ++c) root[c] = __builtin_sqrtf(variance[c] + epsilon);
  for (std::size_t r = 0; r < rows; ++r, x += cols, y += cols) {
    for (std::size_t c = 0; c < whole; c += kLanes) {
      const Floats scaled = (load(x + c) - load(mean + c)) * load(scale + c);
      const Doubles quotient =
          __builtin_convertvector(scaled, Doubles) / __builtin_convertvector(load(root + c), Doubles);
      const Doubles result = quotient + __builtin_convertvector(load(offset + c), Doubles);
      store(y + c, __builtin_convertvector(result, Floats));
    }
    for (std::size_t c = whole; c < cols; ++c) {
      const float scaled = (x[c] - mean[c]) * scale[c];
      y[c] = static_cast<float>(static_cast<double>(scaled) / root[c] + offset[c]);
    }
  }
}

// The means of `kRows` rows at once: each of them is one chain of additions, but they do not wait for each other.
template <std::size_t kRows>
void mean_of_rows(const float* x, float* mean, std::size_t cols) {
  float sum[kRows] = {};
  for (std::size_t c = 0; c < cols; ++c) {
    for (std::size_t r = 0; r < kRows; ++r) sum[r] += x[r * cols + c];
  }
  for (std::size_t r = 0; r < kRows; ++r) mean[r] = sum[r] / static_cast<float>(cols);
}

// Of x [rows, cols] the mean of each row.
inline void row_means(const float* x, float* mean, std::size_t rows, std::size_t cols) {
  constexpr std::size_t kRows = 4;
  std::size_t r = 0;
  for (; r + kRows <= rows; r += kRows) mean_of_rows<kRows>(x + r * cols, mean + r, cols);
  for (; r < rows; ++r) mean_of_rows<1>(x + r * cols, mean + r, cols);
}

// Of x [rows, cols] the mean of each column: TensorFlow.js transposes x first, which changes no order.
inline void column_means(const float* x, float* mean, std::size_t rows, std::size_t cols) {
  const std::size_t whole = cols - cols % kLanes;
  for (std::size_t c = 0; c < cols; ++c) mean[c] = 0;
  for (std::size_t r = 0; r < rows; ++r, x += cols) {
    for (std::size_t c = 0; c < whole; c += kLanes) store(mean + c, load(mean + c) + load(x + c));
    for (std::size_t c = whole; c < cols; ++c) mean[c] += x[c];
  }
  for (std::size_t c = 0; c < cols; ++c) mean[c] /= static_cast<float>(rows);
}

}  // namespace layernorm::tensorflow
