// Loops over the elements of a row by vectors. Tails live here and nowhere else.
#pragma once

#include <cstddef>

#include "simd/lanes.h"
#include "simd/unroll.h"

namespace layernorm::simd {

// Calls body.operator()<W>(i) for consecutive vectors of W::lanes elements that start at element i and cover
// [0, count): W is V as long as whole vectors are left, then OneLane. For elementwise work only.
// Unroll: vectors in a turn of the loop. V8 checks for interrupts once a turn, which a body of a few operations feels.
template <class V, class T, std::size_t Unroll = 4, class Body>
void for_each_vector(std::size_t count, Body body) {
  std::size_t i = 0;
  if constexpr (Unroll > 1) {
    for (; i + Unroll * V::lanes <= count; i += Unroll * V::lanes) {
      LAYERNORM_UNROLL
      for (std::size_t at = i; at < i + Unroll * V::lanes; at += V::lanes) body.template operator()<V>(at);
    }
  }
  for (; i + V::lanes <= count; i += V::lanes) body.template operator()<V>(i);
  for (; i < count; ++i) body.template operator()<OneLane<T>>(i);
}

// Four vectors with x[0 .. count), count < 4 * V::lanes, and `fill` in the elements that are left. Whole
// vectors travel as such: loads of what was just stored in smaller pieces would have to wait for it.
template <class V, class T>
void copy_padded(const T* x, std::size_t count, V fill, T* padded) {
  LAYERNORM_UNROLL
  for (std::size_t at = 0; at < 4 * V::lanes; at += V::lanes) {
    (at + V::lanes <= count ? V::load(x + at) : fill).store(padded + at);
  }
  for (std::size_t i = count - count % V::lanes; i < count; ++i) padded[i] = x[i];
}

// Four vectors of x[0 .. count), count < 4 * V::lanes, and `fill` in the elements that are left.
template <class V, class T>
struct PartialQuad {
  PartialQuad(const T* x, std::size_t count, V fill) {
    const std::size_t whole = count / V::lanes;
    T padded[V::lanes];
    fill.store(padded);
    for (std::size_t i = whole * V::lanes; i < count; ++i) padded[i % V::lanes] = x[i];
    const V last = V::load(padded);
    LAYERNORM_UNROLL
    for (std::size_t n = 0; n < 4; ++n) {
      v[n] = n < whole ? V::load(x + n * V::lanes) : (n == whole ? last : fill);
    }
  }

  V v[4];
};

}  // namespace layernorm::simd
