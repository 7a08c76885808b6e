// Pieces of memory that a call reads or writes, and whether they meet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/status.h"

namespace layernorm {

// `bytes` bytes from `data` on, in elements of `size`; a null address is absent and meets nothing.
struct Region {
  const void* data;
  std::size_t bytes;
  std::size_t size = 1;

  std::uintptr_t begin() const { return reinterpret_cast<std::uintptr_t>(data); }
  bool is_aligned() const { return begin() % size == 0; }
};

inline bool overlap(const Region& a, const Region& b) {
  if (a.data == nullptr || b.data == nullptr || a.bytes == 0 || b.bytes == 0) return false;
  // By subtraction: the end of a region may be the end of all addresses.
  return a.begin() < b.begin() ? b.begin() - a.begin() < a.bytes : a.begin() - b.begin() < b.bytes;
}

// An output, and the inputs (as bits of their numbers) that it may be identical with.
struct Output {
  Region region;
  std::uint32_t in_place = 0;
};

// Whether elements can be read from `inputs` and written to `outputs`: all aligned to their size, and no
// output meets an input or another output, unless it is the very input that it may replace. Errors:
// misaligned_data, overlapping_data.
[[nodiscard]] Status check_regions(std::span<const Region> inputs, std::span<const Output> outputs);

}  // namespace layernorm
