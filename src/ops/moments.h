// Mean and variance of a group of D elements, within a bound that does not grow with D.
//
//   mean = sum(x) / D        var = sum((x - mean)^2) / D        rstd = 1 / sqrt(var + epsilon)
//
// The plain formula E[x^2] - E[x]^2 in float32 is the best known bug of this field (pytorch#51102,
// onnxruntime#28463, mlx#2238); two careful passes over every row are slow. So there are three steps, and a
// row takes the next one only when the sums of the last say, in double, that it must:
//   1. one pass over x: sums of x and x^2. Trusted while mean^2 is at most 0.5 to 1.5 of var: the
//      cancellation in E[x^2] - mean^2 then costs little on an error that the blocks below keep near one ulp.
//   2. one pass over x - shift with shift = T(mean): mean is then shift + T(rest), two terms, and large offsets,
//      constant rows and outliers are as exact as centred ones.
//   3. rows whose squares leave the range of T: everything in double, scaled by a power of two where T is double.
// Every choice is made from the row itself; the order of all additions is fixed by D alone. So the bits of a
// row do not depend on its neighbours, on how the rows are split, or on where in memory its elements lie: the
// row kernel and the column kernel below are the same tree of additions.
//
// The tree: blocks of 64 elements. Inside a block, vectors v0 v1 v2 v3 | v4 ... of L lanes are added as
// (v0 + v1) + (v2 + v3), those quads one after the other; L lane sums result. Lane sums of a block go into
// double (T = float: pairs of lanes widened, then added), or into a compensated pair (T = double; Neumaier's
// variant of Kahan's sum). Elements that a last block lacks count as +0.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/layout.h"
#include "simd/row_ops.h"
#include "simd/unroll.h"
#include "simd/vector.h"

namespace layernorm {

// 64 floats in one float32 sum keep the error under 3 ulp for every D; 128 gain 5 % speed and reach 3.5 ulp.
inline constexpr std::size_t kBlock = 64;

// Largest mean^2 / var at which the sums of uncentred squares of `cols` elements are trusted. In short rows the
// rounding errors of the squares average out less: at 1.5 rows of 16 to 96 elements reach 4.1 ulp.
constexpr double max_mean_to_deviation(std::size_t cols) { return cols < 128 ? 0.5 : 1.5; }

// The range of var + epsilon in which squares and sums of T neither overflowed nor lost bits to underflow.
template <class T>
struct TrustedRange;
template <>
struct TrustedRange<float> {
  static constexpr double min = 1e-30, max = 1e37;
};
template <>
struct TrustedRange<double> {
  static constexpr double min = 1e-280, max = 1e300;
};

// Mean and variance of one group about `shift`: the mean of x is shift + mean.
struct Moments {
  double mean;
  double variance;
  bool trusted;  // false for NaN as well

  // `centred`: the sums are those of x - shift. Their mean may then be as large as epsilon lets it; of uncentred sums
  // only the deviation itself may hide the rounding errors, or a constant row would not come out as 0.
  template <class T>
  [[gnu::always_inline]] static Moments from_sums(double sum, double squares, std::size_t count,
                                                  double epsilon, bool centred) {
    const double mean = sum / static_cast<double>(count);
    const double variance = squares / static_cast<double>(count) - mean * mean;
    const double power = variance + epsilon;
    const bool trusted = mean * mean <= max_mean_to_deviation(count) * (centred ? power : variance) &&
                         power >= TrustedRange<T>::min && power <= TrustedRange<T>::max;
    return {mean, variance < 0 ? 0 : variance, trusted};  // NaN stays NaN
  }
  double rstd(double epsilon) const { return 1 / __builtin_sqrt(variance + epsilon); }
};

// What normalizing a group takes: y = ((x - mean_hi) - mean_lo) * rstd.
template <class T>
struct Statistics {
  T mean_hi = 0;
  T mean_lo = 0;  // 0 where one term of T is enough
  T rstd = 0;
  bool exact = true;  // false: this group needs ExactStatistics

  static Statistics plain(const Moments& m, double epsilon) {
    return {static_cast<T>(m.mean), 0, static_cast<T>(m.rstd(epsilon)), true};
  }
  static Statistics about(T shift, const Moments& m, double epsilon) {
    return {shift, static_cast<T>(m.mean), static_cast<T>(m.rstd(epsilon)), true};
  }
  static Statistics out_of_range() { return {0, 0, 0, false}; }
};

// Step 3: y = ((x * scale - mean_hi) - mean_lo) * rstd in double; scale is a power of two.
struct ExactStatistics {
  double scale;
  double mean_hi;
  double mean_lo;
  double rstd;

  double mean() const { return (mean_hi + mean_lo) / scale; }
  double unscaled_rstd() const { return rstd * scale; }
};

// ---- Sums in more precision than T ----

template <simd::Simd S>
double lane(typename S::F64 v, std::size_t n) {
  return n == 0 ? S::low(v) : S::high(v);
}

// Lane-wise running sums that widen T's precision: double for float, a compensated pair for double.
template <simd::Simd S, class T>
struct WideSum;

template <simd::Simd S>
struct WideSum<S, float> {
  using F64 = typename S::F64;
  F64 total = F64::splat(0);

  void add(F64 value) { total = total + value; }
  // Lane `a` of this + lane `b` of other.
  [[gnu::always_inline]] double join(std::size_t a, const WideSum& other, std::size_t b) const {
    return lane<S>(total, a) + lane<S>(other.total, b);
  }
};

template <simd::Simd S>
struct WideSum<S, double> {
  using F64 = typename S::F64;
  F64 total = F64::splat(0);
  F64 error = F64::splat(0);

  // Two-sum (Knuth): the rounding error of total + value is itself a double.
  void add(F64 value) {
    const F64 sum = total + value;
    const F64 part = sum - total;
    error = error + ((total - (sum - part)) + (value - part));
    total = sum;
  }
  [[gnu::always_inline]] double join(std::size_t a, const WideSum& other, std::size_t b) const {
    const double left = lane<S>(total, a), right = lane<S>(other.total, b);
    const double sum = left + right;
    const double part = sum - left;
    const double rest = (left - (sum - part)) + (right - part);
    return sum + (rest + (lane<S>(error, a) + lane<S>(other.error, b)));
  }
};

// ---- One row, contiguous ----

// A sum over one row: the lane sums of its blocks, added in more precision than T has.
template <simd::Simd S, class T>
class RowTotal {
  using V = simd::VectorOf<S, T>;

 public:
  [[gnu::always_inline]] void add(V block) {
    if constexpr (V::lanes == 4) {
      wide_.add(S::widen_low(block) + S::widen_high(block));
    } else {
      wide_.add(block);
    }
  }
  [[gnu::always_inline]] double value() const { return wide_.join(0, wide_, 1); }

 private:
  WideSum<S, T> wide_;
};

// sum(x - shift) and sum((x - shift)^2) of one row; the lanes of a vector are neighbours in the row.
template <simd::Simd S, class T>
class RowSums {
  using V = simd::VectorOf<S, T>;
  static constexpr std::size_t kLanes = V::lanes;
  static constexpr std::size_t kQuad = 4 * kLanes;

 public:
  // Adds a full block, x[0 .. kBlock). Calls between() after each quad of it: work on another row that fills
  // the gaps between dependent additions.
  template <bool Centred, class Between>
  [[gnu::always_inline]] void add_block(const T* x, V shift, Between between) {
    V sum = V::splat(0), squares = V::splat(0);
    // Pointers that are moved first and then used with constant offsets stay in registers of V8, one for each
    // stream: 5 to 10 % faster than an index. Not unrolled: V8 moves all additions of a long loop body behind
    // its loads and then spills.
    x -= kQuad;
    LAYERNORM_NO_UNROLL
    for (std::size_t quad = 0; quad < kBlock / kQuad; ++quad) {
      x += kQuad;
      add_quad<Centred>(x, shift, sum, squares);
      between();
    }
    add_lanes(sum, squares);
  }
  template <bool Centred>
  [[gnu::always_inline]] void add_block(const T* x, V shift) {
    add_block<Centred>(x, shift, [] {});
  }

  // Adds n <= kBlock elements. Those that the last quad lacks become shift - shift = 0.
  template <bool Centred>
  void add_tail(const T* x, std::size_t n, T shift) {
    const V splat = V::splat(shift);
    V sum = V::splat(0), squares = V::splat(0);
    std::size_t i = 0;
    for (; i + kQuad <= n; i += kQuad) add_quad<Centred>(x + i, splat, sum, squares);
    if (i < n) {
      T padded[kQuad];
      simd::copy_padded<V>(x + i, n - i, Centred ? splat : V::splat(0), padded);
      add_quad<Centred>(padded, splat, sum, squares);
    }
    add_lanes(sum, squares);
  }

  [[gnu::always_inline]] Moments moments(std::size_t cols, double epsilon, bool centred) const {
    return Moments::from_sums<T>(sum_.value(), squares_.value(), cols, epsilon, centred);
  }

 private:
  template <bool Centred>
  [[gnu::always_inline]] static void add_quad(const T* x, V shift, V& sum, V& squares) {
    V v0 = V::load(x), v1 = V::load(x + kLanes), v2 = V::load(x + 2 * kLanes), v3 = V::load(x + 3 * kLanes);
    if constexpr (Centred) v0 = v0 - shift, v1 = v1 - shift, v2 = v2 - shift, v3 = v3 - shift;
    sum = sum + ((v0 + v1) + (v2 + v3));
    squares = squares + ((v0 * v0 + v1 * v1) + (v2 * v2 + v3 * v3));
  }
  [[gnu::always_inline]] void add_lanes(V sum, V squares) {
    sum_.add(sum);
    squares_.add(squares);
  }

  RowTotal<S, T> sum_;
  RowTotal<S, T> squares_;
};

template <simd::Simd S, class T, bool Centred>
[[gnu::noinline]] RowSums<S, T> row_sums(const T* x, std::size_t cols, T shift) {
  RowSums<S, T> sums;
  const auto splat = simd::VectorOf<S, T>::splat(shift);
  std::size_t i = 0;
  for (; i + kBlock <= cols; i += kBlock) sums.template add_block<Centred>(x + i, splat);
  if (i < cols) sums.template add_tail<Centred>(x + i, cols - i, shift);
  return sums;
}

// Step 2: statistics of the row x[0 .. cols) whose mean is about `mean`.
template <simd::Simd S, class T>
[[gnu::noinline]] Statistics<T> centred_statistics(const T* x, std::size_t cols, double mean,
                                                   double epsilon) {
  const T shift = static_cast<T>(mean);
  const Moments m = row_sums<S, T, true>(x, cols, shift).moments(cols, epsilon, true);
  return m.trusted ? Statistics<T>::about(shift, m, epsilon) : Statistics<T>::out_of_range();
}

// Steps 1 and 2 for a row whose uncentred sums are known. Double rows are always centred: nothing wider waits
// behind their sums.
template <simd::Simd S, class T>
[[gnu::always_inline]] inline Statistics<T> row_statistics(const T* x, std::size_t cols,
                                                           const RowSums<S, T>& sums, double epsilon) {
  const Moments first = sums.moments(cols, epsilon, false);
  if (sizeof(T) == sizeof(float) && first.trusted) return Statistics<T>::plain(first, epsilon);
  return centred_statistics<S>(x, cols, first.mean, epsilon);
}

// ---- One vector of columns ----

// The sums of RowSums for as many groups as a vector has lanes: lane c of every vector belongs to group c,
// and what are lanes of one vector there are separate vectors here.
template <simd::Simd S, class T>
class ColumnSums {
  using V = simd::VectorOf<S, T>;
  static constexpr std::size_t kLanes = V::lanes;
  static constexpr std::size_t kQuad = 4 * kLanes;
  static constexpr std::size_t kHalves = kLanes / 2;  // F64 vectors that hold the wide sums of one V

 public:
  // Adds n <= kBlock elements of each group: the i-th of all groups are the vector at x + offsets[i].
  template <bool Centred>
  void add_block(const T* x, const std::size_t* offsets, std::size_t n, V shift) {
    V sum[kLanes], squares[kLanes];
    for (std::size_t l = 0; l < kLanes; ++l) sum[l] = squares[l] = V::splat(0);
    T padded[kQuad * kLanes];
    std::size_t padded_offsets[kQuad];
    for (std::size_t i = 0; i < n; i += kQuad) {
      const T* from = x;
      const std::size_t* at = offsets + i;
      if (n - i < kQuad) {
        // Elements that the last quad lacks become shift - shift = 0.
        for (std::size_t j = 0; j < kQuad; ++j) {
          padded_offsets[j] = j * kLanes;
          const V missing = Centred ? shift : V::splat(0);
          (i + j < n ? V::load(x + offsets[i + j]) : missing).store(padded + j * kLanes);
        }
        from = padded;
        at = padded_offsets;
      }
      add_quad<Centred>([&](std::size_t j) { return V::load(from + at[j]); }, shift, sum, squares);
    }
    widen(sum, sum_);
    widen(squares, squares_);
  }

  Moments moments(std::size_t column, std::size_t cols, double epsilon, bool centred) const {
    return Moments::from_sums<T>(join(sum_, column), join(squares_, column), cols, epsilon, centred);
  }

 private:
  struct Wide {
    WideSum<S, T> even[kHalves];  // what lane 0 of WideSum is in RowSums
    WideSum<S, T> odd[kHalves];   // ... and lane 1
  };
  // What is lane l of vector j in a quad of RowSums is vector j * kLanes + l here.
  template <bool Centred, class Vectors>
  [[gnu::always_inline]] static void add_quad(Vectors vectors, V shift, V (&sum)[kLanes],
                                              V (&squares)[kLanes]) {
    LAYERNORM_UNROLL
    for (std::size_t l = 0; l < kLanes; ++l) {
      V v0 = vectors(l), v1 = vectors(kLanes + l), v2 = vectors(2 * kLanes + l), v3 = vectors(3 * kLanes + l);
      if constexpr (Centred) v0 = v0 - shift, v1 = v1 - shift, v2 = v2 - shift, v3 = v3 - shift;
      sum[l] = sum[l] + ((v0 + v1) + (v2 + v3));
      squares[l] = squares[l] + ((v0 * v0 + v1 * v1) + (v2 * v2 + v3 * v3));
    }
  }
  static void widen(const V (&lane)[kLanes], Wide& wide) {
    if constexpr (kLanes == 4) {
      wide.even[0].add(S::widen_low(lane[0]) + S::widen_low(lane[2]));
      wide.even[1].add(S::widen_high(lane[0]) + S::widen_high(lane[2]));
      wide.odd[0].add(S::widen_low(lane[1]) + S::widen_low(lane[3]));
      wide.odd[1].add(S::widen_high(lane[1]) + S::widen_high(lane[3]));
    } else {
      wide.even[0].add(lane[0]);
      wide.odd[0].add(lane[1]);
    }
  }
  static double join(const Wide& wide, std::size_t column) {
    const std::size_t half = column / 2, lane = column % 2;
    return wide.even[half].join(lane, wide.odd[half], lane);
  }

  Wide sum_;
  Wide squares_;
};

// ---- Step 3: any layout, one group at a time ----

// Calls visit(block, n) for the elements of a group in order, as doubles times `scale`, at most kBlock at a
// time.
template <class T, class Visit>
void for_each_scaled_block(const T* x, const Layout& layout, double scale, Visit visit) {
  double block[kBlock];
  Walk walk(layout.reduced);
  for (std::size_t i = 0; i < layout.cols; i += kBlock) {
    const std::size_t n = layout.cols - i < kBlock ? layout.cols - i : kBlock;
    for (std::size_t j = 0; j < n; ++j, walk.advance()) {
      block[j] = static_cast<double>(x[walk.offset()]) * scale;
    }
    visit(block, n);
  }
}

// Power of two that brings the larger of max|x| and sqrt(epsilon) to about 1, so that neither squares nor
// sums leave the range of double. Infinite and NaN elements are passed over: their row becomes NaN anyhow.
template <class T>
double range_scale(const T* x, const Layout& layout, double epsilon) {
  double largest = __builtin_sqrt(epsilon);
  for_each_scaled_block(x, layout, 1, [&](const double* block, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j) {
      const double size = __builtin_fabs(block[j]);
      if (size > largest && size <= __DBL_MAX__) largest = size;
    }
  });
  const int biased = static_cast<int>(std::bit_cast<std::uint64_t>(largest) >> 52);  // largest >= 0
  const int exponent = 1023 - biased;                                                // about -log2(largest)
  constexpr int kMaxUp = 1000;  // brings the smallest subnormal to 2^-74 and still is a normal number
  const int bounded = exponent > kMaxUp ? kMaxUp : (exponent < -1022 ? -1022 : exponent);
  return std::bit_cast<double>(static_cast<std::uint64_t>(bounded + 1023) << 52);
}

template <simd::Simd S, class T>
ExactStatistics exact_statistics(const T* x, const Layout& layout, double epsilon) {
  // The squares of every float are in the range of double.
  const double scale = sizeof(T) == sizeof(float) ? 1 : range_scale(x, layout, epsilon);
  const auto sums_about = [&](double shift) {
    RowSums<S, double> sums;
    for_each_scaled_block(x, layout, scale, [&](const double* block, std::size_t n) {
      sums.template add_tail<true>(block, n, shift);
    });
    return sums;
  };
  const double shift = sums_about(0).moments(layout.cols, epsilon, true).mean;
  const Moments m = sums_about(shift).moments(layout.cols, epsilon, true);
  return {scale, shift, m.mean, 1 / __builtin_sqrt(m.variance + epsilon * scale * scale)};
}

}  // namespace layernorm
