// Arrays of 16-bit floats, by their bits, from and to float32: exactly, and rounded to nearest even.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/dtype.h"
#include "simd/vector.h"

namespace layernorm::simd {

// The bits of an element do not depend on its place: what a last block lacks is filled up, not done otherwise.
template <class Convert, class From, class To>
[[gnu::noinline]] void convert(const From* from, std::size_t count, To* to) {
  const Convert convert_block;
  std::size_t i = 0;
  for (; i + Convert::count <= count; i += Convert::count) convert_block(from + i, to + i);
  if (i == count) return;
  From last_from[Convert::count] = {};
  To last_to[Convert::count];
  for (std::size_t j = 0; i + j < count; ++j) last_from[j] = from[i + j];
  convert_block(last_from, last_to);
  for (std::size_t j = 0; i + j < count; ++j) to[i + j] = last_to[j];
}

// `dtype` is one of 16 bits, here and below.
template <Simd S>
void widen(DType dtype, const std::uint16_t* from, std::size_t count, float* to) {
  if (dtype == DType::float16) return convert<typename S::WidenFloat16>(from, count, to);
  convert<typename S::WidenBfloat16>(from, count, to);
}

template <Simd S>
void narrow(DType dtype, const float* from, std::size_t count, std::uint16_t* to) {
  if (dtype == DType::float16) return convert<typename S::NarrowFloat16>(from, count, to);
  convert<typename S::NarrowBfloat16>(from, count, to);
}

}  // namespace layernorm::simd
