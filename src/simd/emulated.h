// The vector vocabulary in plain scalars: the oracle that the intrinsics are compared with bit by bit.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

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

  // A format with `kMantissa` explicit bits, widened and narrowed one at a time on integers.
  template <int kMantissa>
  struct Widen {
    void operator()(const std::uint16_t* from, float* to) const {
      for (std::size_t i = 0; i < kConverted; ++i) to[i] = widened(from[i]);
    }
    static float widened(std::uint32_t bits) {
      constexpr int kExponent = 15 - kMantissa, kBias = (1 << (kExponent - 1)) - 1;
      const std::uint32_t sign = bits >> 15 << 31;
      std::uint32_t mantissa = bits & ((1u << kMantissa) - 1);
      int exponent = static_cast<int>(bits >> kMantissa & ((1u << kExponent) - 1));
      if (exponent == (1 << kExponent) - 1) {
        exponent = 255;
      } else if (exponent == 0 && mantissa == 0) {
      } else if (exponent == 0 && kBias < 127) {  // subnormal, but not as a float
        exponent = 127 - kBias + 1;
        for (; mantissa >> kMantissa == 0; mantissa <<= 1) --exponent;
        mantissa &= (1u << kMantissa) - 1;
      } else {
        exponent += 127 - kBias;
      }
      return std::bit_cast<float>(sign | static_cast<std::uint32_t>(exponent) << 23 |
                                  mantissa << (23 - kMantissa));
    }
  };

  template <int kMantissa>
  struct Narrow {
    void operator()(const float* from, std::uint16_t* to) const {
      for (std::size_t i = 0; i < kConverted; ++i) to[i] = narrowed(from[i]);
    }
    static std::uint16_t narrowed(float x) {
      constexpr int kBias = (1 << (14 - kMantissa)) - 1;
      constexpr std::uint32_t kInfinity = 0x7fffu >> kMantissa << kMantissa;
      const std::uint32_t bits = std::bit_cast<std::uint32_t>(x), magnitude = bits & 0x7fffffff;
      if (magnitude > 0x7f800000) return 0xffff;
      // The significand as an integer, and how many of its lowest bits are dropped: more for what becomes subnormal.
      const int stored = static_cast<int>(magnitude >> 23), exponent = stored == 0 ? 1 : stored;
      std::uint64_t significand = (magnitude & 0x7fffff) | (stored == 0 ? 0u : 0x800000u);
      int field = exponent - 127 + kBias, dropped = 23 - kMantissa;
      if (field < 1) {
        dropped += 1 - field;
        field = 1;
      }
      if (dropped > 40) dropped = 40;
      const std::uint64_t half = std::uint64_t{1} << (dropped - 1), rest = significand & (2 * half - 1);
      significand >>= dropped;
      significand += rest > half || (rest == half && (significand & 1) != 0);
      // The hidden bit counts up the exponent, and a carry out of the significand as well.
      std::uint64_t result = (static_cast<std::uint64_t>(field - 1) << kMantissa) + significand;
      if (result > kInfinity) result = kInfinity;
      return static_cast<std::uint16_t>((bits >> 16 & 0x8000) | result);
    }
  };

  using WidenFloat16 = Widen<10>;
  using NarrowFloat16 = Narrow<10>;
  using WidenBfloat16 = Widen<7>;
  using NarrowBfloat16 = Narrow<7>;
};

static_assert(Simd<Emulated>);

}  // namespace layernorm::simd
