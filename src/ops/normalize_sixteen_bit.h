// Normalization and its gradient of 16-bit data: the float32 operations (ops/normalize.h) on tiles of it, the
// results rounded once. So each bit is that of the float32 operation on the widened data, rounded to nearest even. Numbers
// beyond the largest of the type become infinite.
#pragma once

#include <cstddef>

#include "core/layout.h"
#include "ops/normalize.h"
#include "simd/vector.h"

namespace layernorm {

// For arguments that have been checked.
template <simd::Simd S>
[[nodiscard]] Status forward_sixteen_bit(const Normalize& args, const Layout& layout);
template <simd::Simd S>
[[nodiscard]] Status backward_sixteen_bit(const NormalizeBackward& args, const Layout& layout);

// Bytes of workspace that they need; SIZE_MAX when it is more than can be addressed.
std::size_t forward_sixteen_bit_workspace(const Layout& layout);
std::size_t backward_sixteen_bit_workspace(const Layout& layout);

}  // namespace layernorm
