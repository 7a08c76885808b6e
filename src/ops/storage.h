// How the elements of a tensor are stored, for kernels that take every type and compute in T: those of T are used where they lie,
// those of 16 bits pass through a buffer as float32, which is narrowed once on the way out. Which it is, is known at run time
// only: so there is one copy of every kernel for each T.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/dtype.h"
#include "simd/sixteen_bit.h"

namespace layernorm {

template <class T>
class Storage {
 public:
  // Elements that lie together and are handed on at a time, at most, where they are converted: 2 KiB of float32.
  static constexpr std::size_t kBuffer = 512;

  Storage() = default;
  Storage(simd::Widen widen, simd::Narrow narrow) : widen_(widen), narrow_(narrow) {}

  bool converts() const { return sizeof(T) == sizeof(float) && widen_ != nullptr; }
  std::size_t element_size() const { return converts() ? sizeof(std::uint16_t) : sizeof(T); }
  const void* at(const void* x, std::size_t element) const {
    return static_cast<const std::byte*>(x) + element * element_size();
  }
  void* at(void* x, std::size_t element) const {
    return static_cast<std::byte*>(x) + element * element_size();
  }
  bool is_negative(const void* x) const {  // the sign bit, which zeros and NaNs have as well
    if (converts()) return (*static_cast<const std::uint16_t*>(x) & 0x8000) != 0;
    return __builtin_signbit(*static_cast<const T*>(x));
  }

  // n <= kBuffer elements as T: where they lie, or in the buffer, which has room for them.
  const T* load(const void* x, std::size_t n, T* buffer) const {
    if constexpr (sizeof(T) == sizeof(float)) {
      if (converts()) {
        simd::convert(widen_, static_cast<const std::uint16_t*>(x), n, buffer);
        return buffer;
      }
    }
    return static_cast<const T*>(x);
  }

  // Calls f(elements, count, first) for all of n elements: in parts where they are converted.
  template <class F>
  [[gnu::always_inline]] void read(const void* x, std::size_t n, F f) const {
    T buffer[kBuffer];
    for_each_part(
        n, [&](std::size_t first, std::size_t count) { f(load(at(x, first), count, buffer), count, first); });
  }
  // f(a, b, count, first)
  template <class F>
  [[gnu::always_inline]] void read(const void* a, const void* b, std::size_t n, F f) const {
    T as[kBuffer], bs[kBuffer];
    for_each_part(n, [&](std::size_t first, std::size_t count) {
      f(load(at(a, first), count, as), load(at(b, first), count, bs), count, first);
    });
  }
  // f(x, y, count, first) writes y, which may be x.
  template <class F>
  [[gnu::always_inline]] void map(const void* x, void* y, std::size_t n, F f) const {
    T buffer[kBuffer];
    for_each_part(n, [&](std::size_t first, std::size_t count) {
      f(load(at(x, first), count, buffer), place(at(y, first), buffer), count, first);
      finish(buffer, count, at(y, first));
    });
  }
  // f(a, b, y, count, first)
  template <class F>
  [[gnu::always_inline]] void map(const void* a, const void* b, void* y, std::size_t n, F f) const {
    T as[kBuffer], bs[kBuffer];
    for_each_part(n, [&](std::size_t first, std::size_t count) {
      f(load(at(a, first), count, as), load(at(b, first), count, bs), place(at(y, first), as), count, first);
      finish(as, count, at(y, first));
    });
  }

 private:
  template <class F>
  [[gnu::always_inline]] void for_each_part(std::size_t n, F f) const {
    const std::size_t most = converts() ? kBuffer : n;
    for (std::size_t first = 0; first < n; first += most) f(first, n - first < most ? n - first : most);
  }
  T* place(void* y, T* buffer) const { return converts() ? buffer : static_cast<T*>(y); }
  void finish([[maybe_unused]] const T* buffer, [[maybe_unused]] std::size_t n,
              [[maybe_unused]] void* y) const {
    if constexpr (sizeof(T) == sizeof(float)) {
      if (converts()) simd::convert(narrow_, buffer, n, static_cast<std::uint16_t*>(y));
    }
  }

  simd::Widen widen_ = nullptr;
  simd::Narrow narrow_ = nullptr;
};

// Calls visit(storage) with the storage of `dtype`, which is one of DType.
template <simd::Simd S, class Visit>
void with_storage(DType dtype, Visit visit) {
  if (dtype == DType::float64) {
    visit(Storage<double>());
  } else {
    visit(is_sixteen_bit(dtype) ? Storage<float>(simd::widen<S>(dtype), simd::narrow<S>(dtype))
                                : Storage<float>());
  }
}

}  // namespace layernorm
