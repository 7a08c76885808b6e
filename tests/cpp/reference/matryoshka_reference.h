// Layer normalization, the first elements of each row, and these over their norm, as the formulas read and in more precision than the
// type under test: the oracle.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "reference/layer_norm_reference.h"

namespace layernorm::test {

template <class Wide>
struct MatryoshkaReference {
  std::vector<Wide> y;
  std::vector<Wide>
      unit;  // for each row max(1, max|z|) over the norm: what an error of z of that size is in y
};

template <class Wide, class T>
MatryoshkaReference<Wide> matryoshka_reference(const std::vector<T>& x, std::size_t cols,
                                               std::size_t dimensions, double epsilon) {
  const std::size_t rows = x.size() / cols;
  const std::vector<std::uint32_t> dims = {static_cast<std::uint32_t>(rows),
                                           static_cast<std::uint32_t>(cols)};
  const std::vector<Wide> z = layer_norm_reference<Wide>(x, dims, 0b10, epsilon).y;
  MatryoshkaReference<Wide> out;
  for (std::size_t row = 0; row < rows; ++row) {
    const Wide* const kept = z.data() + row * cols;
    Wide squares = 0, largest = 1;
    for (std::size_t i = 0; i < dimensions; ++i) {
      squares += kept[i] * kept[i];
      largest = std::fmax(largest, std::fabs(kept[i]));
    }
    const Wide norm = std::fmax(std::sqrt(squares), Wide{1e-12});
    for (std::size_t i = 0; i < dimensions; ++i) out.y.push_back(kept[i] / norm);
    out.unit.push_back(largest / norm);
  }
  return out;
}

}  // namespace layernorm::test
