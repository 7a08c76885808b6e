// The vector vocabulary in plain scalars: the oracle that the intrinsics are compared with bit by bit.
#pragma once

#include "simd/lanes.h"
#include "simd/vector.h"

namespace layernorm::simd {

struct Emulated {
  using F32 = Lanes<float, 4>;
  using F64 = Lanes<double, 2>;

  static bool one_sign(const float* x) {
    for (std::size_t i = 1; i < 16; ++i) {
      if (__builtin_signbit(x[i]) != __builtin_signbit(x[0])) return false;
    }
    return true;
  }
  static F64 widen_low(F32 v) { return {{v.lane[0], v.lane[1]}}; }
  static F64 widen_high(F32 v) { return {{v.lane[2], v.lane[3]}}; }
  static double low(F64 v) { return v.lane[0]; }
  static double high(F64 v) { return v.lane[1]; }
};

static_assert(Simd<Emulated>);

}  // namespace layernorm::simd
