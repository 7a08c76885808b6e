// gamma or beta, or what stands for an absent one.
#pragma once

#include <cstddef>

#include "ops/row_moments.h"

namespace layernorm {

// One element for each column, or, when there are none, a block of kBlock times `neutral` that is walked
// without moving on: one loop then serves both cases.
template <class T>
class Parameter {
 public:
  Parameter(const T* given, T neutral) : data(given), step(given != nullptr) {
    if (given != nullptr) return;
    for (T& element : block_) element = neutral;
    data = block_;
  }
  Parameter(const Parameter&) = delete;

  const T* data;
  std::ptrdiff_t step;  // 1, or 0 for an absent one

 private:
  T block_[kBlock];
};

}  // namespace layernorm
