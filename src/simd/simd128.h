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
};

static_assert(Simd<Simd128>);

}  // namespace layernorm::simd
