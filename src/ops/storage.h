// How the elements of a tensor are stored, for kernels that take every type: those of T are used where they lie, those of 16 bits
// pass through a buffer as float32, which is narrowed once on the way out.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/dtype.h"
#include "simd/sixteen_bit.h"

namespace layernorm {

// `f` gets pointers to elements of type Element that lie together, how many there are, and how many came before.
template <class T>
struct Plain {
  using Stored = T;
  using Element = T;
  static constexpr bool kConverts = false;

  template <class F>
  [[gnu::always_inline]] void read(const T* x, std::size_t n, F f) const {
    f(x, n, std::size_t{0});
  }
  template <class F>
  [[gnu::always_inline]] void read(const T* a, const T* b, std::size_t n, F f) const {
    f(a, b, n, std::size_t{0});
  }
  template <class F>
  [[gnu::always_inline]] void map(const T* x, T* y, std::size_t n, F f) const {
    f(x, y, n, std::size_t{0});
  }
  template <class F>
  [[gnu::always_inline]] void map(const T* a, const T* b, T* y, std::size_t n, F f) const {
    f(a, b, y, n, std::size_t{0});
  }
};

template <simd::Simd S>
class SixteenBits {
 public:
  using Stored = std::uint16_t;
  using Element = float;
  static constexpr bool kConverts = true;

  explicit SixteenBits(DType dtype) : widen_(simd::widen<S>(dtype)), narrow_(simd::narrow<S>(dtype)) {}

  void widen(const Stored* from, std::size_t n, float* to) const { simd::convert(widen_, from, n, to); }

  template <class F>
  void read(const Stored* x, std::size_t n, F f) const {
    float buffer[kBuffer];
    for_each_part(n, [&](std::size_t first, std::size_t count) {
      widen(x + first, count, buffer);
      f(buffer, count, first);
    });
  }
  template <class F>
  void read(const Stored* a, const Stored* b, std::size_t n, F f) const {
    float as[kBuffer], bs[kBuffer];
    for_each_part(n, [&](std::size_t first, std::size_t count) {
      widen(a + first, count, as);
      widen(b + first, count, bs);
      f(as, bs, count, first);
    });
  }
  template <class F>
  void map(const Stored* x, Stored* y, std::size_t n, F f) const {
    float buffer[kBuffer];
    for_each_part(n, [&](std::size_t first, std::size_t count) {
      widen(x + first, count, buffer);
      f(buffer, buffer, count, first);
      simd::convert(narrow_, buffer, count, y + first);
    });
  }
  template <class F>
  void map(const Stored* a, const Stored* b, Stored* y, std::size_t n, F f) const {
    float as[kBuffer], bs[kBuffer];
    for_each_part(n, [&](std::size_t first, std::size_t count) {
      widen(a + first, count, as);
      widen(b + first, count, bs);
      f(as, bs, as, count, first);
      simd::convert(narrow_, as, count, y + first);
    });
  }

 private:
  // Elements that are converted at a time: 2 KiB as float32.
  static constexpr std::size_t kBuffer = 512;

  template <class F>
  static void for_each_part(std::size_t n, F f) {
    for (std::size_t first = 0; first < n; first += kBuffer) {
      f(first, n - first < kBuffer ? n - first : kBuffer);
    }
  }

  simd::Widen widen_;
  simd::Narrow narrow_;
};

// Calls visit(storage) with the storage of `dtype`, which is one of DType.
template <simd::Simd S, class Visit>
auto with_storage(DType dtype, Visit visit) {
  switch (dtype) {
    case DType::float32:
      return visit(Plain<float>{});
    case DType::float64:
      return visit(Plain<double>{});
    default:
      return visit(SixteenBits<S>(dtype));
  }
}

}  // namespace layernorm
