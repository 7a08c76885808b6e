// y = (x - mean) * rstd * gamma + beta over segments of one channel and over lines of neighbouring channels.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "ops/group_statistics.h"
#include "ops/storage.h"
#include "simd/row_ops.h"
#include "simd/unroll.h"

namespace layernorm {

// The power of two next to a positive number, 1 for infinities and NaN; as far as T and its inverse have it.
template <class T>
double power_of_two(double value) {
  constexpr int kMost = sizeof(T) == sizeof(float) ? 126 : 1000;
  const int exponent = static_cast<int>(std::bit_cast<std::uint64_t>(value) >> 52 & 0x7ff) - 1023;
  if (exponent == 1024) return 1;
  const int bounded = exponent > kMost ? kMost : (exponent < -kMost ? -kMost : exponent);
  return std::bit_cast<double>(static_cast<std::uint64_t>(bounded + 1023) << 52);
}

// What is done to the elements of one channel: y = ((x * scale - mean_hi) - mean_lo) * factor + offset. An absent beta is -0, which
// leaves every value as it is.
template <class T>
struct Affine {
  Affine() = default;
  Affine(const GroupStatistics<T>& s, T gamma, T beta)
      : scale(s.scale), mean_hi(s.mean_hi), mean_lo(s.mean_lo), offset(beta) {
    const double by = s.rstd * static_cast<double>(gamma);
    factor = static_cast<T>(by);
    if (is_ordinary(s.rstd) && (by == 0 || is_ordinary(by))) return;
    // The factor, or deviations, may leave the range of T: what is to be multiplied is brought to about 1 first.
    const double up = power_of_two<T>(s.rstd);
    scale = static_cast<T>(static_cast<double>(scale) * up);
    mean_hi = static_cast<T>(static_cast<double>(mean_hi) * up);
    mean_lo = static_cast<T>(static_cast<double>(mean_lo) * up);
    factor = static_cast<T>(s.rstd / up * static_cast<double>(gamma));
  }
  // y = x * rstd * gamma
  Affine(T rstd, T gamma) : factor(rstd * gamma), offset(-T{0}) {}

  // Whether products with numbers of about its inverse stay far from the ends of float's range.
  static bool is_ordinary(double factor) {
    const double size = __builtin_fabs(factor);
    return size >= 0x1p-60 && size <= 0x1p60;
  }

  // Whether the plain formula, (x - mean_hi) * factor + offset, is not enough. Where it is, both give the same bits.
  bool careful() const { return scale != 1 || mean_lo != 0; }

  T scale = 1;
  T mean_hi = 0;
  T mean_lo = 0;
  T factor = 1;
  T offset = 0;
};

template <simd::Simd S, bool Careful, class T>
[[gnu::noinline]] void apply_affine(const T* x, T* y, std::size_t count, const Affine<T>& affine) {
  const Affine<T> a = affine;
  simd::for_each_vector<simd::VectorOf<S, T>, T>(count, [=]<class W>(std::size_t i) {
    W v = W::load(x + i);
    if constexpr (Careful) v = v * W::splat(a.scale);
    v = v - W::splat(a.mean_hi);
    if constexpr (Careful) v = v - W::splat(a.mean_lo);
    (v * W::splat(a.factor) + W::splat(a.offset)).store(y + i);
  });
}

// `count` elements of one channel.
template <simd::Simd S, class T>
[[gnu::noinline]] void apply_segment(const Storage<T>& storage, const void* x, void* y, std::size_t count,
                                     const Affine<T>& affine) {
  const auto apply = affine.careful() ? apply_affine<S, true, T> : apply_affine<S, false, T>;
  storage.map(x, y, count,
              [&](const T* from, T* to, std::size_t n, std::size_t) { apply(from, to, n, affine); });
}

// Lines that share the loads of what they have in common: a third faster in cache.
inline constexpr std::size_t kLinesTogether = 4;

// Not where memory is what is waited for: processors fetch ahead of one line, but of four they fetch half as fast.
template <class T>
bool takes_lines_together(const Storage<T>& storage, std::size_t elements) {
  constexpr std::size_t kCachedBytes = 6 * 1024 * 1024;
  return !storage.converts() && elements <= kCachedBytes / sizeof(T);
}

// The same for each channel of a line, in arrays of `capacity` elements.
template <class T>
class AffineArrays {
 public:
  static constexpr std::size_t kArrays = 5;
  static constexpr std::size_t kBytesEach = kArrays * sizeof(T);

  AffineArrays(T* data, std::size_t capacity)
      : scale_(data),
        mean_hi_(data + capacity),
        mean_lo_(data + 2 * capacity),
        factor_(data + 3 * capacity),
        offset_(data + 4 * capacity) {}

  void set(std::size_t channel, const Affine<T>& affine) {
    set_apart(channel, affine);
    careful_ |= affine.careful();
  }
  Affine<T> get(std::size_t channel) const {
    Affine<T> affine;
    affine.scale = scale_[channel];
    affine.mean_hi = mean_hi_[channel];
    affine.mean_lo = mean_lo_[channel];
    affine.factor = factor_[channel];
    affine.offset = offset_[channel];
    return affine;
  }

  // Instead of set() for channels that several threads set: look() is to follow when they have all been.
  void set_apart(std::size_t channel, const Affine<T>& affine) {
    scale_[channel] = affine.scale;
    mean_hi_[channel] = affine.mean_hi;
    mean_lo_[channel] = affine.mean_lo;
    factor_[channel] = affine.factor;
    offset_[channel] = affine.offset;
  }
  void look(std::size_t channels) {
    for (std::size_t c = 0; c < channels; ++c) careful_ |= get(c).careful();
  }
  // Those of `count` channels, from 0 on, that are in one group.
  void set_group(std::size_t count, const GroupStatistics<T>& s, const T* gamma, const T* beta) {
    const Affine<T> one(s, 1, -T{0});
    careful_ = one.careful();
    bool ordinary = true;
    for (std::size_t c = 0; c < count; ++c) {
      const double by = gamma == nullptr ? s.rstd : s.rstd * static_cast<double>(gamma[c]);
      const double size = __builtin_fabs(by);
      ordinary &= (size >= 0x1p-60 && size <= 0x1p60) || by == 0;
      scale_[c] = one.scale;
      mean_hi_[c] = one.mean_hi;
      mean_lo_[c] = one.mean_lo;
      factor_[c] = static_cast<T>(by);
      offset_[c] = beta == nullptr ? one.offset : beta[c];
    }
    if (ordinary && Affine<T>::is_ordinary(s.rstd)) return;
    for (std::size_t c = 0; c < count; ++c) {
      set(c, Affine<T>(s, gamma == nullptr ? T{1} : gamma[c], beta == nullptr ? -T{0} : beta[c]));
    }
  }

  // `lines` lines of `count` elements, `stride` elements apart, of a tensor of `elements`.
  template <simd::Simd S>
  [[gnu::noinline]] void apply(const Storage<T>& storage, const void* x, void* y, std::size_t count,
                               std::size_t lines, std::size_t stride, std::size_t elements) const {
    std::size_t line = 0;
    const bool together = takes_lines_together(storage, elements);
    for (; together && line + kLines <= lines; line += kLines) {
      const T* from = static_cast<const T*>(x) + line * stride;
      T* to = static_cast<T*>(y) + line * stride;
      careful_ ? apply_as<S, true, kLines>(from, to, stride, count, 0)
               : apply_as<S, false, kLines>(from, to, stride, count, 0);
    }
    for (; line < lines; ++line) {
      storage.map(storage.at(x, line * stride), storage.at(y, line * stride), count,
                  [&](const T* from, T* to, std::size_t n, std::size_t first) {
                    careful_ ? apply_as<S, true, 1>(from, to, n, n, first)
                             : apply_as<S, false, 1>(from, to, n, n, first);
                  });
    }
  }

 private:
  static constexpr std::size_t kLines = kLinesTogether;

  template <simd::Simd S, bool Careful, std::size_t Lines>
  [[gnu::noinline]] void apply_as(const T* x, T* y, std::size_t stride, std::size_t count,
                                  std::size_t channel) const {
    const T *scale = scale_ + channel, *hi = mean_hi_ + channel, *lo = mean_lo_ + channel;
    const T *factor = factor_ + channel, *offset = offset_ + channel;
    simd::for_each_vector<simd::VectorOf<S, T>, T, 1>(count, [=]<class W>(std::size_t i) {
      const W mean = W::load(hi + i), by = W::load(factor + i), plus = W::load(offset + i);
      LAYERNORM_UNROLL
      for (std::size_t line = 0, at = i; line < Lines; ++line, at += stride) {
        W v = W::load(x + at);
        if constexpr (Careful) v = v * W::load(scale + i);
        v = v - mean;
        if constexpr (Careful) v = v - W::load(lo + i);
        (v * by + plus).store(y + at);
      }
    });
  }

  T* scale_;
  T* mean_hi_;
  T* mean_lo_;
  T* factor_;
  T* offset_;
  bool careful_ = false;
};

// The arrays of a chunk of channels, on the stack.
template <class T>
class AffineLines : public AffineArrays<T> {
 public:
  AffineLines() : AffineArrays<T>(data_, kChunkWidth<T>) {}
  AffineLines(const AffineLines&) = delete;

 private:
  T data_[AffineArrays<T>::kArrays * kChunkWidth<T>];
};

// Copies bytes that a thread is about to overwrite to `saved`, which moves on, or back.
inline void copy_saved(void* elements, std::size_t bytes, std::byte*& saved, bool restore) {
  __builtin_memcpy(restore ? elements : saved, restore ? saved : elements, bytes);
  saved += bytes;
}

}  // namespace layernorm
