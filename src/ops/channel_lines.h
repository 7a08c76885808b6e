// y = (x - mean) * rstd * gamma + beta over segments of one channel and over lines of neighbouring channels.
#pragma once

#include <cstddef>

#include "ops/column_moments.h"
#include "ops/group_statistics.h"
#include "simd/row_ops.h"

namespace layernorm {

// What is done to the elements of one channel: y = ((x * scale - mean_hi) - mean_lo) * factor + offset. An absent beta is -0, which
// leaves every value as it is.
template <class T>
struct Affine {
  Affine() = default;
  Affine(const GroupStatistics<T>& s, T gamma, T beta)
      : scale(s.scale),
        mean_hi(s.mean_hi),
        mean_lo(s.mean_lo),
        factor(static_cast<T>(s.rstd * static_cast<double>(gamma))),
        offset(beta) {}

  // y = x * rstd * gamma
  Affine(T rstd, T gamma) : factor(rstd * gamma), offset(-T{0}) {}

  // Whether the plain formula, (x - mean_hi) * factor + offset, is not enough. Where it is, both give the same bits.
  bool careful() const { return scale != 1 || mean_lo != 0; }

  T scale = 1;
  T mean_hi = 0;
  T mean_lo = 0;
  T factor = 1;
  T offset = 0;
};

template <simd::Simd S, bool Careful, class Storage, class T>
[[gnu::noinline]] void apply_segment_as(const Storage& storage, const typename Storage::Stored* x,
                                        typename Storage::Stored* y, std::size_t count,
                                        const Affine<T>& affine) {
  using V = simd::VectorOf<S, T>;
  const Affine<T> a = affine;
  storage.map(x, y, count, [=](const T* from, T* to, std::size_t n, std::size_t) {
    simd::for_each_vector<V, T>(n, [=]<class W>(std::size_t i) {
      W v = W::load(from + i);
      if constexpr (Careful) v = v * W::splat(a.scale);
      v = v - W::splat(a.mean_hi);
      if constexpr (Careful) v = v - W::splat(a.mean_lo);
      (v * W::splat(a.factor) + W::splat(a.offset)).store(to + i);
    });
  });
}

// `count` elements of one channel.
template <simd::Simd S, class Storage, class T>
void apply_segment(const Storage& storage, const typename Storage::Stored* x, typename Storage::Stored* y,
                   std::size_t count, const Affine<T>& affine) {
  affine.careful() ? apply_segment_as<S, true>(storage, x, y, count, affine)
                   : apply_segment_as<S, false>(storage, x, y, count, affine);
}

// The same for each channel of a line, in arrays of `capacity` elements.
template <class T>
class AffineArrays {
 public:
  static constexpr std::size_t kArrays = 5;

  AffineArrays(T* data, std::size_t capacity)
      : scale_(data),
        mean_hi_(data + capacity),
        mean_lo_(data + 2 * capacity),
        factor_(data + 3 * capacity),
        offset_(data + 4 * capacity) {}

  void set(std::size_t channel, const Affine<T>& affine) {
    scale_[channel] = affine.scale;
    mean_hi_[channel] = affine.mean_hi;
    mean_lo_[channel] = affine.mean_lo;
    factor_[channel] = affine.factor;
    offset_[channel] = affine.offset;
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

  // A line of `count` channels.
  template <simd::Simd S, class Storage>
  void apply(const Storage& storage, const typename Storage::Stored* x, typename Storage::Stored* y,
             std::size_t count) const {
    careful_ ? apply_as<S, true>(storage, x, y, count) : apply_as<S, false>(storage, x, y, count);
  }

 private:
  template <simd::Simd S, bool Careful, class Storage>
  [[gnu::noinline]] void apply_as(const Storage& storage, const typename Storage::Stored* x,
                                  typename Storage::Stored* y, std::size_t count) const {
    using V = simd::VectorOf<S, T>;
    storage.map(x, y, count, [this](const T* from, T* to, std::size_t n, std::size_t first) {
      const T *scale = scale_ + first, *hi = mean_hi_ + first, *lo = mean_lo_ + first;
      const T *factor = factor_ + first, *offset = offset_ + first;
      simd::for_each_vector<V, T, 2>(n, [=]<class W>(std::size_t i) {
        W v = W::load(from + i);
        if constexpr (Careful) v = v * W::load(scale + i);
        v = v - W::load(hi + i);
        if constexpr (Careful) v = v - W::load(lo + i);
        (v * W::load(factor + i) + W::load(offset + i)).store(to + i);
      });
    });
  }

  T* scale_;
  T* mean_hi_;
  T* mean_lo_;
  T* factor_;
  T* offset_;
  bool careful_ = false;
};

// Channels that are worked on together. Beside the sums of columns, which take most of the stack, those of double have to be few.
template <class T>
inline constexpr std::size_t kChunkWidth = sizeof(T) == sizeof(float) ? kMaxWidth : kMaxWidth / 2;

// The arrays of a chunk of channels, on the stack.
template <class T>
class AffineLines : public AffineArrays<T> {
 public:
  AffineLines() : AffineArrays<T>(data_, kChunkWidth<T>) {}
  AffineLines(const AffineLines&) = delete;

 private:
  T data_[AffineArrays<T>::kArrays * kChunkWidth<T>];
};

// Copies elements that a thread is about to overwrite to `saved`, which moves on, or back.
template <class Stored>
void copy_saved(Stored* elements, std::size_t count, std::byte*& saved, bool restore) {
  const std::size_t bytes = count * sizeof(Stored);
  __builtin_memcpy(restore ? reinterpret_cast<std::byte*>(elements) : saved,
                   restore ? saved : reinterpret_cast<std::byte*>(elements), bytes);
  saved += bytes;
}

}  // namespace layernorm
