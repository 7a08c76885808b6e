// Element types that cross the border of the core. The numbers are part of the bindings' contract.
#pragma once

#include <cstddef>
#include <cstdint>

namespace layernorm {

enum class DType : std::uint32_t {
  float32 = 0,  // computed in float32, statistics summed in float64
  float64 = 1,  // computed in float64, statistics summed with compensation
};

// Bytes of one element; 0 for a value that is no DType.
constexpr std::size_t dtype_size(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return 4;
    case DType::float64:
      return 8;
  }
  return 0;
}

}  // namespace layernorm
