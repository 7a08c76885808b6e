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

  static bool one_sign(const float* x) {
    const v128_t a = wasm_v128_load(x), b = wasm_v128_load(x + 4), c = wasm_v128_load(x + 8),
                 d = wasm_v128_load(x + 12);
    const v128_t any = wasm_v128_or(wasm_v128_or(a, b), wasm_v128_or(c, d));
    const v128_t all = wasm_v128_and(wasm_v128_and(a, b), wasm_v128_and(c, d));
    return wasm_i32x4_bitmask(any) == 0 || wasm_i32x4_bitmask(all) == 0b1111;
  }
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

  // Every 16-bit lane kBits, loaded from memory by an address that compilers do not see through: V8 makes a literal anew
  // at each use inside a loop (seen in Node 24 and 26), and keeps in a register what it takes for a variable.
  template <std::uint16_t kBits>
  static v128_t lanes16() {
#if defined(LAYERNORM_FREESTANDING)
    const std::uint16_t stored = kBits;  // on the stack: the module has no data
#else
    static constexpr std::uint16_t stored = kBits;
#endif
    const std::uint16_t* at = &stored;
    asm("" : "+r"(at));
    return wasm_v128_load16_splat(at);
  }
  template <std::uint16_t kBits>
  static v128_t high_halves() {
    return zip_first(zero(), lanes16<kBits>());
  }

  // Bits of a float16, moved to where a float32 has them, are the number times 2^-112. Multiplying makes it right but for
  // infinity and NaN, and slow for subnormals where the processor needs help with them; these have a path of their own.
  struct WidenFloat16 {
    v128_t one = lanes16<1>(), smallest = lanes16<0x7ff>(), largest = lanes16<0xf800>();
    v128_t signed_magnitude = lanes16<0x8fff>(), scale = high_halves<(127 + 112) << 7>();

    [[gnu::always_inline]] void operator()(const std::uint16_t* from, float* to) const {
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
        return widen_any(from, to);
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
    [[gnu::noinline]] static void widen_any(const std::uint16_t* from, float* to) {
      const v128_t sign_bit = lanes16<0x8000>(), implicit = lanes16<0x400>();
      const v128_t offset = lanes16<224 << 7>(), hidden = lanes16<225 << 7>();
      const v128_t scale = lanes16<(127 - 112) << 7>();
      LAYERNORM_NO_UNROLL
      for (std::size_t i = 0; i < kConverted; i += 8) {
        const v128_t h = wasm_v128_load(from + i), sign = wasm_v128_and(h, sign_bit);
        const v128_t magnitude = wasm_v128_xor(h, sign), is_subnormal = wasm_i16x8_lt(magnitude, implicit);
        const v128_t low = wasm_i16x8_shl(h, 13);
        const v128_t high = wasm_i16x8_sub(wasm_i16x8_add(wasm_u16x8_shr(magnitude, 3), offset),
                                           wasm_i16x8_shl(is_subnormal, 7));  // one exponent more
        const v128_t excess = wasm_v128_and(is_subnormal, hidden), factor = wasm_v128_or(sign, scale);
        wasm_v128_store(to + i,
                        wasm_f32x4_mul(wasm_f32x4_sub(zip_first(low, high), zip_first(zero(), excess)),
                                       zip_first(zero(), factor)));
        wasm_v128_store(to + i + 4,
                        wasm_f32x4_mul(wasm_f32x4_sub(zip_last(low, high), zip_last(zero(), excess)),
                                       zip_last(zero(), factor)));
      }
    }
  };

  // x + 2^(13 + exponent of x), of the same sign, leaves the bits of the result, the implicit one included, rounded at the end
  // of the sum. Blocks with numbers that become subnormal, infinite or NaN have a path of their own, a fifth slower.
  struct NarrowFloat16 {
    v128_t exponent_bits = lanes16<0x7f80>(), least = lanes16<(127 - 14) << 7>();
    v128_t rounding = lanes16<(127 - 14 + 13) << 7>(), sign_bit = lanes16<0x8000>();
    v128_t usual = lanes16<28 << 7>();  // up to 2^15

    [[gnu::always_inline]] void operator()(const float* from, std::uint16_t* to) const {
      v128_t most = zero();
      LAYERNORM_UNROLL
      for (std::size_t i = 0; i < kConverted; i += 8) {
        const v128_t a = wasm_v128_load(from + i), b = wasm_v128_load(from + i + 4);
        const v128_t high = high_halves_of(a, b), sign = wasm_v128_and(high, sign_bit);
        const v128_t exponent = wasm_i16x8_sub(wasm_v128_and(high, exponent_bits), least);
        most = wasm_u16x8_max(most, exponent);
        const v128_t summand = wasm_v128_or(wasm_i16x8_add(exponent, rounding), sign);
        const v128_t result = wasm_i16x8_add(last_bits(a, b, summand), wasm_i16x8_shl(exponent, 3));
        wasm_v128_store(to + i, wasm_v128_or(result, sign));
      }
      // Below the least exponent it wrapped around.
      const v128_t special = wasm_u16x8_gt(most, usual);
      if (__builtin_expect(wasm_v128_any_true(special), false)) narrow_any(from, to);
    }

    // Exponents are bounded from below, where subnormals begin, and from above, where the sum is then so large that it
    // saturates.
    [[gnu::noinline]] static void narrow_any(const float* from, std::uint16_t* to) {
      const NarrowFloat16 k;
      const v128_t infinity = lanes16<0x7c00>(), range = lanes16<30 << 7>();
      LAYERNORM_NO_UNROLL
      for (std::size_t i = 0; i < kConverted; i += 8) {
        const v128_t a = wasm_v128_load(from + i), b = wasm_v128_load(from + i + 4);
        const v128_t high = high_halves_of(a, b), sign = wasm_v128_and(high, k.sign_bit);
        const v128_t exponent =
            wasm_i16x8_min(wasm_u16x8_sub_sat(wasm_v128_and(high, k.exponent_bits), k.least), range);
        const v128_t summand = wasm_v128_or(wasm_i16x8_add(exponent, k.rounding), sign);
        const v128_t sum = wasm_i16x8_add_sat(last_bits(a, b, summand), wasm_i16x8_shl(exponent, 3));
        const v128_t is_nan = wasm_i16x8_narrow_i32x4(wasm_f32x4_ne(a, a), wasm_f32x4_ne(b, b));
        wasm_v128_store(to + i, wasm_v128_or(wasm_v128_or(wasm_i16x8_min(sum, infinity), sign), is_nan));
      }
    }

    static v128_t high_halves_of(v128_t a, v128_t b) {
      return wasm_i16x8_narrow_i32x4(wasm_i32x4_shr(a, 16), wasm_i32x4_shr(b, 16));
    }
    static v128_t last_bits(v128_t a, v128_t b, v128_t summand) {
      const v128_t low = zip_first(zero(), summand), high = zip_last(zero(), summand);
      return wasm_i16x8_narrow_i32x4(wasm_i32x4_sub(wasm_f32x4_add(a, low), low),
                                     wasm_i32x4_sub(wasm_f32x4_add(b, high), high));
    }
  };

  struct WidenBfloat16 {
    [[gnu::always_inline]] void operator()(const std::uint16_t* from, float* to) const {
      LAYERNORM_UNROLL
      for (std::size_t i = 0; i < kConverted; i += 8) {
        const v128_t h = wasm_v128_load(from + i);
        wasm_v128_store(to + i, zip_first(zero(), h));
        wasm_v128_store(to + i + 4, zip_last(zero(), h));
      }
    }
  };

  struct NarrowBfloat16 {
    v128_t below_half = zip_first(lanes16<0x7fff>(), zero()), one = zip_first(lanes16<1>(), zero());

    [[gnu::always_inline]] void operator()(const float* from, std::uint16_t* to) const {
      LAYERNORM_UNROLL
      for (std::size_t i = 0; i < kConverted; i += 8) {
        const v128_t a = wasm_v128_load(from + i), b = wasm_v128_load(from + i + 4);
        wasm_v128_store(to + i, wasm_i16x8_narrow_i32x4(high_half(a), high_half(b)));
      }
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
