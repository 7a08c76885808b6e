// Vectors of plain scalars. With one lane: the tail of a loop over vectors. With as many as a machine's
// vector: the reading of what each operation means (emulated.h).
#pragma once

#include <cstddef>

namespace layernorm::simd {

template <class T, std::size_t Count>
struct Lanes {
  static constexpr std::size_t lanes = Count;
  T lane[Count];

  static Lanes load(const T* in) {
    Lanes v;
    for (std::size_t l = 0; l < Count; ++l) v.lane[l] = in[l];
    return v;
  }
  static Lanes splat(T scalar) {
    Lanes v;
    for (T& l : v.lane) l = scalar;
    return v;
  }
  void store(T* out) const {
    for (std::size_t l = 0; l < Count; ++l) out[l] = lane[l];
  }
  friend Lanes operator+(Lanes a, Lanes b) {
    for (std::size_t l = 0; l < Count; ++l) a.lane[l] += b.lane[l];
    return a;
  }
  friend Lanes operator-(Lanes a, Lanes b) {
    for (std::size_t l = 0; l < Count; ++l) a.lane[l] -= b.lane[l];
    return a;
  }
  friend Lanes operator*(Lanes a, Lanes b) {
    for (std::size_t l = 0; l < Count; ++l) a.lane[l] *= b.lane[l];
    return a;
  }
};

template <class T>
using OneLane = Lanes<T, 1>;

}  // namespace layernorm::simd
