// Arrays of 16-bit floats, by their bits, from and to float32: exactly, and rounded to nearest even.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/dtype.h"
#include "simd/vector.h"

namespace layernorm::simd {

// Convert `count` elements, a multiple of kConverted.
using Widen = void (*)(const std::uint16_t* from, std::size_t count, float* to);
using Narrow = void (*)(const float* from, std::size_t count, std::uint16_t* to);

template <class Convert, class From, class To>
void convert_blocks(const From* from, std::size_t count, To* to) {
  const Convert convert_block;
  for (std::size_t i = 0; i < count; i += kConverted) convert_block(from + i, to + i);
}

// `dtype` is one of 16 bits, here and below.
template <Simd S>
Widen widen(DType dtype) {
  return dtype == DType::float16 ? convert_blocks<typename S::WidenFloat16, std::uint16_t, float>
                                 : convert_blocks<typename S::WidenBfloat16, std::uint16_t, float>;
}
template <Simd S>
Narrow narrow(DType dtype) {
  return dtype == DType::float16 ? convert_blocks<typename S::NarrowFloat16, float, std::uint16_t>
                                 : convert_blocks<typename S::NarrowBfloat16, float, std::uint16_t>;
}

// The same for any count. The bits of an element do not depend on its place: a last block that lacks elements is filled up,
// not done otherwise.
template <class From, class To>
void convert(void (*blocks)(const From*, std::size_t, To*), const From* from, std::size_t count, To* to) {
  const std::size_t rest = count % kConverted, whole = count - rest;
  blocks(from, whole, to);
  if (rest == 0) return;
  From last_from[kConverted] = {};
  To last_to[kConverted];
  for (std::size_t i = 0; i < rest; ++i) last_from[i] = from[whole + i];
  blocks(last_from, kConverted, last_to);
  for (std::size_t i = 0; i < rest; ++i) to[whole + i] = last_to[i];
}

}  // namespace layernorm::simd
