// The vocabulary that every kernel is written in: two vector types of 128 bits that travel together.
//
// A type S models Simd when it names S::F32 (four float lanes) and S::F64 (two double lanes) with the
// operations below. Each operation rounds once, lane by lane, to nearest even; nothing is contracted or
// reordered (the build sets -ffp-contract=off), so all implementations give the same bits, NaN payloads
// aside.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace layernorm::simd {

// clang-format off
template <class V, class T>
concept Vector = requires(V v, const T* in, T* out, T scalar) {
  requires std::same_as<decltype(V::lanes), const std::size_t>;
  { V::load(in) } -> std::same_as<V>;       // lanes from any address
  { V::splat(scalar) } -> std::same_as<V>;  // all lanes equal
  { v.store(out) };
  { v + v } -> std::same_as<V>;
  { v - v } -> std::same_as<V>;
  { v * v } -> std::same_as<V>;
};

// Elements that a conversion takes at a time.
inline constexpr std::size_t kConverted = 32;

template <class C, class From, class To>
concept Conversion = requires(const C& convert, const From* from, To* to) {
  requires std::default_initializable<C>;
  convert(from, to);
};

template <class S>
concept Simd = Vector<typename S::F32, float> && Vector<typename S::F64, double> &&
  requires(typename S::F32 v, const float* in) {
    { S::one_sign(in) } -> std::same_as<bool>;  // whether in[0 .. 16) are all negative (-0 is) or all not
    { S::widen_low(v) } -> std::same_as<typename S::F64>;   // lanes 0 and 1, exactly
    { S::widen_high(v) } -> std::same_as<typename S::F64>;  // lanes 2 and 3, exactly
    { S::low(typename S::F64{}) } -> std::same_as<double>;   // lane 0
    { S::high(typename S::F64{}) } -> std::same_as<double>;  // lane 1
  } &&
  // 16-bit floats, by their bits: widened exactly, narrowed to nearest even. NaNs stay NaNs: widened from float16 with
  // any payload, narrowed to 0xffff.
  Conversion<typename S::WidenFloat16, std::uint16_t, float> &&
  Conversion<typename S::NarrowFloat16, float, std::uint16_t> &&
  Conversion<typename S::WidenBfloat16, std::uint16_t, float> &&
  Conversion<typename S::NarrowBfloat16, float, std::uint16_t>;
// clang-format on

template <Simd S, class T>
struct VectorFor;
template <Simd S>
struct VectorFor<S, float> {
  using type = typename S::F32;
};
template <Simd S>
struct VectorFor<S, double> {
  using type = typename S::F64;
};
// The vector of S whose lanes are T.
template <Simd S, class T>
using VectorOf = typename VectorFor<S, T>::type;

}  // namespace layernorm::simd
