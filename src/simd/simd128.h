// The vector vocabulary in WebAssembly SIMD: the only file with intrinsics. In a native build the same
// intrinsics come from SIMDe, so that sanitizers see this very code.
#pragma once

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#else
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/wasm/simd128.h>
#endif

#include <cstddef>
#include <cstdint>

#include "simd/unroll.h"
#include "simd/vector.h"

namespace layernorm::simd {

struct Simd128 {
  struct F32 {
    static constexpr std::size_t lanes = 4;
    v128_t v;

    static F32 load(const float* in) { return {wasm_v128_load(in)}; }
    static F32 splat(float scalar) { return {wasm_f32x4_splat(scalar)}; }
    void store(float* out) const { wasm_v128_store(out, v); }
    friend F32 operator+(F32 a, F32 b) { return {wasm_f32x4_add(a.v, b.v)}; }
    friend F32 operator-(F32 a, F32 b) { return {wasm_f32x4_sub(a.v, b.v)}; }
    friend F32 operator*(F32 a, F32 b) { return {wasm_f32x4_mul(a.v, b.v)}; }
  };

  struct F64 {
    static constexpr std::size_t lanes = 2;
    v128_t v;

    static F64 load(const double* in) { return {wasm_v128_load(in)}; }
    static F64 splat(double scalar) { return {wasm_f64x2_splat(scalar)}; }
    void store(double* out) const { wasm_v128_store(out, v); }
    friend F64 operator+(F64 a, F64 b) { return {wasm_f64x2_add(a.v, b.v)}; }
    friend F64 operator-(F64 a, F64 b) { return {wasm_f64x2_sub(a.v, b.v)}; }
    friend F64 operator*(F64 a, F64 b) { return {wasm_f64x2_mul(a.v, b.v)}; }
  };

  static F64 widen_low(F32 v) { return {wasm_f64x2_promote_low_f32x4(v.v)}; }
  static F64 widen_high(F32 v) {
    return {wasm_f64x2_promote_low_f32x4(wasm_i32x4_shuffle(v.v, v.v, 2, 3, 2, 3))};
  }
  static double low(F64 v) { return wasm_f64x2_extract_lane(v.v, 0); }
  static double high(F64 v) { return wasm_f64x2_extract_lane(v.v, 1); }

  // The sixteen-bit lanes of two vectors side by side: as 32-bit lanes, `low` below `high`.
  static v128_t zip_first(v128_t low, v128_t high) {
    return wasm_i16x8_shuffle(low, high, 0, 8, 1, 9, 2, 10, 3, 11);
  }
  static v128_t zip_last(v128_t low, v128_t high) {
    return wasm_i16x8_shuffle(low, high, 4, 12, 5, 13, 6, 14, 7, 15);
  }
  static v128_t zero() { return wasm_i16x8_splat(0); }

  // Every 16-bit lane `bits`, of an origin that compilers do not see: V8 makes a literal anew at each use inside a loop
  // (seen in Node 24 and 26: 12 % of a whole conversion), and keeps what it takes for a variable.
  static v128_t lanes16(int bits) {
    asm("" : "+r"(bits));
    return wasm_i16x8_splat(static_cast<std::int16_t>(bits));
  }

  // Bits of a float16, moved to where a float32 has them, are the number times 2^-112. Multiplying makes it right but for
  // infinity and NaN, and slow for subnormals where the processor needs help with them; these have a path of their own.
  struct WidenFloat16 {
    static constexpr std::size_t count = 32;
    v128_t one = lanes16(1), smallest = lanes16(0x7ff), largest = lanes16(0xf800);
    v128_t signed_magnitude = lanes16(0x8fff), scale = zip_first(zero(), lanes16((112 + 127) << 7));
    v128_t magnitude = lanes16(0x7fff), implicit = lanes16(0x400), offset = lanes16(224 << 7);
    v128_t hidden = lanes16(225 << 7), unscale = lanes16((127 - 112) << 7);

    void operator()(const std::uint16_t* from, float* to) const {
      v128_t h[4], least = largest, most = one;
      LAYERNORM_UNROLL
      for (std::size_t i = 0; i < 4; ++i) {
        h[i] = wasm_v128_load(from + 8 * i);
        const v128_t doubled = wasm_i16x8_shl(h[i], 1);               // without the sign
        least = wasm_u16x8_min(least, wasm_i16x8_sub(doubled, one));  // zero becomes the largest of all
        most = wasm_u16x8_max(most, doubled);
      }
      const v128_t subnormal = wasm_u16x8_sub_sat(smallest, least), infinite = wasm_u16x8_ge(most, largest);
      if (__builtin_expect(wasm_v128_any_true(wasm_v128_or(subnormal, infinite)), false)) {
        LAYERNORM_NO_UNROLL
        for (std::size_t i = 0; i < 32; i += 8) widen_any(wasm_v128_load(from + i), to + i);
        return;
      }
      LAYERNORM_UNROLL
      for (std::size_t i = 0; i < 4; ++i) {
        const v128_t low = wasm_i16x8_shl(h[i], 13);
        const v128_t high = wasm_v128_and(wasm_i16x8_shr(h[i], 3), signed_magnitude);
        wasm_v128_store(to + 8 * i, wasm_f32x4_mul(zip_first(low, high), scale));
        wasm_v128_store(to + 8 * i + 4, wasm_f32x4_mul(zip_last(low, high), scale));
      }
    }

    // 2^224 more in the exponent makes infinities and NaNs of what were some, and 2^-112 leaves them. Of a subnormal the
    // implicit bit, which it has not, is subtracted. The sign comes with the scale, since 0 - 0 would lose it.
    void widen_any(v128_t h, float* to) const {
      const v128_t absolute = wasm_v128_and(h, magnitude), is_subnormal = wasm_i16x8_lt(absolute, implicit);
      const v128_t low = wasm_i16x8_shl(h, 13);
      const v128_t high = wasm_i16x8_sub(wasm_i16x8_add(wasm_u16x8_shr(absolute, 3), offset),
                                         wasm_i16x8_shl(is_subnormal, 7));  // one exponent more
      const v128_t excess = wasm_v128_and(is_subnormal, hidden);
      const v128_t signed_scale = wasm_v128_or(wasm_v128_xor(h, absolute), unscale);
      wasm_v128_store(to, wasm_f32x4_mul(wasm_f32x4_sub(zip_first(low, high), zip_first(zero(), excess)),
                                         zip_first(zero(), signed_scale)));
      wasm_v128_store(to + 4, wasm_f32x4_mul(wasm_f32x4_sub(zip_last(low, high), zip_last(zero(), excess)),
                                             zip_last(zero(), signed_scale)));
    }
  };

  // x + 2^(13 + exponent of x) leaves the ten bits of the result, rounded, at the end of the sum. Exponents are bounded
  // from below, where subnormals begin, and from above, where the sum is then so large that it saturates.
  struct NarrowFloat16 {
    static constexpr std::size_t count = 8;
    v128_t exponent_bits = lanes16(0x7f80), least = lanes16((127 - 14) << 7), range = lanes16(30 << 7);
    v128_t rounding = lanes16((127 - 14 + 13) << 7), infinity = lanes16(0x7c00), sign_bit = lanes16(0x8000);

    void operator()(const float* from, std::uint16_t* to) const {
      const v128_t a = wasm_v128_load(from), b = wasm_v128_load(from + 4);
      const v128_t high = wasm_i16x8_narrow_i32x4(wasm_i32x4_shr(a, 16), wasm_i32x4_shr(b, 16));
      const v128_t sign = wasm_v128_and(high, sign_bit);
      const v128_t exponent =
          wasm_i16x8_min(wasm_u16x8_sub_sat(wasm_v128_and(high, exponent_bits), least), range);
      const v128_t summand = wasm_v128_or(wasm_i16x8_add(exponent, rounding), sign);
      const v128_t bits = wasm_i16x8_narrow_i32x4(rounded(a, zip_first(zero(), summand)),
                                                  rounded(b, zip_last(zero(), summand)));
      const v128_t result = wasm_i16x8_min(wasm_i16x8_add_sat(bits, wasm_i16x8_shl(exponent, 3)), infinity);
      const v128_t is_nan = wasm_i16x8_narrow_i32x4(wasm_f32x4_ne(a, a), wasm_f32x4_ne(b, b));
      wasm_v128_store(to, wasm_v128_or(wasm_v128_or(result, sign), is_nan));
    }
    static v128_t rounded(v128_t x, v128_t summand) {
      return wasm_i32x4_sub(wasm_f32x4_add(x, summand), summand);
    }
  };

  struct WidenBfloat16 {
    static constexpr std::size_t count = 8;

    void operator()(const std::uint16_t* from, float* to) const {
      const v128_t h = wasm_v128_load(from);
      wasm_v128_store(to, zip_first(zero(), h));
      wasm_v128_store(to + 4, zip_last(zero(), h));
    }
  };

  struct NarrowBfloat16 {
    static constexpr std::size_t count = 8;
    v128_t below_half = zip_first(lanes16(0x7fff), zero()), one = zip_first(lanes16(1), zero());

    void operator()(const float* from, std::uint16_t* to) const {
      wasm_v128_store(
          to, wasm_i16x8_narrow_i32x4(high_half(wasm_v128_load(from)), high_half(wasm_v128_load(from + 4))));
    }
    // Half a unit is added, or where the last bit that stays is even, a little less.
    v128_t high_half(v128_t x) const {
      const v128_t odd = wasm_v128_and(wasm_u32x4_shr(x, 16), one);
      const v128_t sum = wasm_i32x4_add(wasm_i32x4_add(x, below_half), odd);
      return wasm_i32x4_shr(wasm_v128_or(sum, wasm_f32x4_ne(x, x)), 16);
    }
  };
};

static_assert(Simd<Simd128>);

}  // namespace layernorm::simd
