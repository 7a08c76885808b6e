// Pieces of memory that a call reads or writes, and whether they meet.
#pragma once

#include <cstddef>
#include <cstdint>

namespace layernorm {

// `bytes` bytes from `data` on; a null address is absent and meets nothing.
struct Region {
  const void* data;
  std::size_t bytes;

  std::uintptr_t begin() const { return reinterpret_cast<std::uintptr_t>(data); }
  bool is_aligned(std::size_t size) const { return begin() % size == 0; }
};

inline bool overlap(const Region& a, const Region& b) {
  if (a.data == nullptr || b.data == nullptr || a.bytes == 0 || b.bytes == 0) return false;
  return a.begin() < b.begin() + b.bytes && b.begin() < a.begin() + a.bytes;
}

}  // namespace layernorm
