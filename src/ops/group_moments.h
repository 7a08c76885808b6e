// Mean and variance of one group, wherever its elements lie: the sums of ops/row_moments.h, block by block through a copy. For
// groups in several pieces, and for those whose numbers leave the range of T, which are scaled on the way.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "core/layout.h"
#include "ops/row_moments.h"

namespace layernorm {

// The elements of a group times `scale`, block by block.
template <simd::Simd S, class T>
class GroupReader {
  using V = simd::VectorOf<S, T>;

 public:
  GroupReader(const T* x, const Runs& reduced, T scale) : x_(x), scale_(scale), pieces_(reduced) {}

  // Lays the next n <= kBlock of them side by side.
  [[gnu::noinline]] void next(std::size_t n, T* block) {
    const T scale = scale_;
    pieces_.next(n, [&](std::size_t offset, std::size_t stride, std::size_t count) {
      const T* from = x_ + offset;
      std::size_t i = 0;
      if (stride == 1) {
        for (; i + V::lanes <= count; i += V::lanes) (V::load(from + i) * V::splat(scale)).store(block + i);
      }
      for (; i < count; ++i) block[i] = from[i * stride] * scale;
      block += count;
    });
  }

 private:
  const T* x_;
  T scale_;
  Pieces pieces_;
};

// Power of two that brings the larger of max|x| and the least spread to about 1, so that neither squares nor sums leave the range
// of T. Infinite and NaN elements are passed over: their group becomes NaN anyhow.
template <class T>
T range_scale(const T* x, const Layout& layout, Spread spread) {
  double largest = spread.least();
  Pieces pieces(layout.reduced);
  pieces.next(layout.cols, [&](std::size_t offset, std::size_t stride, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const double size = __builtin_fabs(static_cast<double>(x[offset + i * stride]));
      if (size > largest && size <= __DBL_MAX__) largest = size;
    }
  });
  const int biased = static_cast<int>(std::bit_cast<std::uint64_t>(largest) >> 52);  // largest >= 0
  const int exponent = 1023 - biased;                                                // about -log2(largest)
  constexpr bool kFloat =
      sizeof(T) == sizeof(float);  // the power is to be a normal number of T, its inverse finite
  constexpr int kUp = kFloat ? 126 : 1000, kDown = kFloat ? 126 : 1022;
  const int bounded = exponent > kUp ? kUp : (exponent < -kDown ? -kDown : exponent);
  return static_cast<T>(std::bit_cast<double>(static_cast<std::uint64_t>(bounded + 1023) << 52));
}

// The moments of the first `count` elements of a group times `scale`, less `shift`.
template <simd::Simd S, class T>
[[gnu::noinline]] Moments group_moments(const T* x, const Runs& reduced, std::size_t count, T scale, T shift,
                                        Spread spread) {
  GroupReader<S, T> reader(x, reduced, scale);
  RowSums<S, T> sums;
  T block[kBlock];
  for (std::size_t i = 0; i < count; i += kBlock) {
    const std::size_t n = count - i < kBlock ? count - i : kBlock;
    reader.next(n, block);
    sums.template add_tail<true>(block, n, shift);
  }
  return sums.moments(count, spread);
}

// The moments of a group times `scale` about a shift that is near its mean, or zero, by the steps of ops/row_moments.h.
template <class T>
struct ShiftedMoments {
  T shift;
  Moments moments;
};

template <simd::Simd S, class T>
[[gnu::noinline]] ShiftedMoments<T> shifted_moments(const T* x, const Layout& layout, Spread spread,
                                                    T scale) {
  const std::size_t cols = layout.cols, peek = cols < kPeek ? cols : kPeek;
  const auto moments = [&](std::size_t count, T shift) {
    return group_moments<S, T>(x, layout.reduced, count, scale, shift, spread);
  };
  if (!spread.is_about_mean()) return {0, moments(cols, 0)};
  T shift = choose_shift<T>(moments(peek, 0), have_one_sign(Storage<T>(), x, layout.reduced, peek), cols);
  Moments m = moments(cols, shift);
  if (!m.trusted) {
    shift = static_cast<T>(static_cast<double>(shift) + m.mean);
    m = moments(cols, shift);
  }
  return {shift, m};
}

template <simd::Simd S, class T>
Statistics<T> group_statistics(const T* x, const Layout& layout, Spread spread) {
  const ShiftedMoments<T> about = shifted_moments<S, T>(x, layout, spread, 1);
  return Statistics<T>::about(about.shift, about.moments, spread);
}

// What normalizing a group whose sums leave the range of T takes.
template <class T>
struct ScaledStatistics {
  T scale;
  Statistics<T> scaled;  // of x * scale
  Statistics<T> saved;   // of x, as far as T can say it
};

template <simd::Simd S, class T>
ScaledStatistics<T> scaled_statistics(const T* x, const Layout& layout, Spread spread) {
  const T scale = range_scale(x, layout, spread);
  const double up = static_cast<double>(scale);
  const Spread scaled_spread = spread.scaled(up);
  const ShiftedMoments<T> about = shifted_moments<S, T>(x, layout, scaled_spread, scale);
  Statistics<T> s = Statistics<T>::about(about.shift, about.moments, scaled_spread);
  double rstd = about.moments.rstd(scaled_spread) * up;
  if (about.moments.variance == 0) {
    // A constant group, or one of zeros, divides by the least spread, which the scale may have taken out of the range of double
    // or of T. Less its mean it has nothing to multiply but zeros, so any finite factor will do.
    rstd = 1 / spread.least();
    constexpr T kMost = std::numeric_limits<T>::max();
    const double scaled = rstd / up;
    s.rstd = spread.epsilon > 0 && scaled > static_cast<double>(kMost) ? kMost : static_cast<T>(scaled);
  }
  return {scale, s, {s.mean_hi / scale, s.mean_lo / scale, static_cast<T>(rstd), true}};
}

}  // namespace layernorm
