// Element types that cross the border of the core. The numbers are part of the bindings' contract.
#pragma once

#include <cstddef>
#include <cstdint>

namespace layernorm {

enum class DType : std::uint32_t {
  float32 = 0,  // computed in float32, statistics summed in float64
  float64 = 1,  // computed in float64, statistics summed with compensation
  // 16-bit data with float32 parameters and statistics: computed as float32, the result rounded once.
  float16 = 2,   // IEEE 754 binary16
  bfloat16 = 3,  // the upper half of a float32
};

constexpr bool is_sixteen_bit(DType dtype) { return dtype == DType::float16 || dtype == DType::bfloat16; }

// The type of what goes with data of type `dtype`: gamma, beta, mean, rstd and their gradients.
constexpr DType parameter_dtype(DType dtype) { return is_sixteen_bit(dtype) ? DType::float32 : dtype; }

// Bytes of one element; 0 for a value that is no DType.
constexpr std::size_t dtype_size(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return 4;
    case DType::float64:
      return 8;
    case DType::float16:
    case DType::bfloat16:
      return 2;
  }
  return 0;
}

}  // namespace layernorm
