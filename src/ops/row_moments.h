// Mean and variance of a group of D elements, within a bound that does not grow with D.
//
//   mean = sum(x) / D        var = sum((x - mean)^2) / D        rstd = 1 / sqrt(var + epsilon)
//
// The plain formula E[x^2] - E[x]^2 in float32 is the best known bug of this field (pytorch#51102,
// onnxruntime#28463, mlx#2238); two careful passes over every row are slow. So there are three steps, and a
// row takes the next one only when the sums of the last say, in double, that it must:
//   1. a look at the first 16 elements: where their mean is large beside their deviation, it is the shift of step 2, else 0.
//      Short rows and those of double are shifted always.
//   2. one pass over x - shift: its sum and its sum of squares. Trusted while their mean^2 is at most 0.5 to 1.5 of var: the
//      cancellation in E[x^2] - mean^2 then costs little on an error that the blocks below keep near one ulp.
//   3. the same pass with shift = T(mean). The mean is then shift + T(rest), two terms, and large offsets, constant rows and
//      outliers are as exact as centred ones.
// Rows whose squares leave the range of T are scaled by a power of two first (ops/layer_norm.cpp).
// Every choice is made from the row itself; the order of all additions is fixed by D alone. So the bits of a
// row do not depend on its neighbours, on how the rows are split, or on where in memory its elements lie: rows here and
// columns in ops/column_moments.h are summed by the same tree of additions.
//
// The tree: blocks of 64 elements. Inside a block, vectors v0 v1 v2 v3 | v4 ... of L lanes are added as
// (v0 + v1) + (v2 + v3), those quads one after the other; L lane sums result. Lane sums of a block go into
// double (T = float: pairs of lanes widened, then added), or into a compensated pair (T = double; Neumaier's
// variant of Kahan's sum). Elements that a last block lacks count as +0.
//
// Operations whose spread (ops/spread.h) is about zero need the sum of squares alone: one pass, without a shift.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/layout.h"
#include "ops/spread.h"
#include "ops/storage.h"
#include "simd/row_ops.h"
#include "simd/unroll.h"
#include "simd/vector.h"

namespace layernorm {

// 64 floats in one float32 sum keep the error of ordinary rows under 3 ulp for every D, and reach 5 ulp where all blocks round
// alike (rows of two values in a period); 128 gain 5 % speed and reach 3.5 ulp on ordinary ones.
inline constexpr std::size_t kBlock = 64;

// Elements that step 1 looks at.
inline constexpr std::size_t kPeek = 16;

// Shorter rows have fewer elements over which rounding errors average out, and cost little to shift always.
inline constexpr std::size_t kShort = 128;

// Largest mean^2 / var at which sums of squares of `cols` elements are trusted. At 1.5 rows of 16 to 96 elements reach 4.1 ulp.
constexpr double max_mean_to_deviation(std::size_t cols) { return cols < kShort ? 0.5 : 1.5; }

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

// Mean and variance of one group about `shift`: the mean of x is shift + mean. Where the spread is about zero, the mean is 0 and
// in the place of the variance is what Spread::power says.
struct Moments {
  double mean;
  double variance;
  bool trusted;  // false for NaN as well

  template <class T>
  [[gnu::always_inline]] static Moments from_sums(double sum, double squares, std::size_t count,
                                                  Spread spread) {
    // One division for all groups of float, whose results are rounded to so much less.
    const double n = static_cast<double>(count), inverse = 1 / n;
    const auto divide = [=](double value) {
      return sizeof(T) == sizeof(float) ? value * inverse : value / n;
    };
    const auto in_range = [](double square) {
      return square >= TrustedRange<T>::min && square <= TrustedRange<T>::max;
    };
    if (!spread.is_about_mean()) {
      const double power = spread.power(squares, divide(squares));
      return {0, power, in_range(spread.square(power))};
    }
    const double mean = divide(sum), variance = divide(squares) - mean * mean;
    const double power = variance + spread.epsilon;
    const bool trusted = mean * mean <= max_mean_to_deviation(count) * power && in_range(power);
    return {mean, variance < 0 ? 0 : variance, trusted};  // NaN stays NaN
  }
  double rstd(Spread spread) const { return spread.rstd(variance); }
};

// Whether step 1 shifts groups of `cols` elements whatever it sees: double ones, since nothing wider waits behind their sums, and
// short ones.
template <class T>
constexpr bool always_shifted(std::size_t cols) {
  return sizeof(T) == sizeof(double) || cols < kShort;
}

// Step 1: what to subtract from the elements of a group, given the moments of the first of them and whether they all have one
// sign. Of long float groups those are shifted whose mean^2 is more than the variance: step 2 trusts a little more, but 16
// elements say it roughly only, and a shift in vain costs less than a sum in vain.
template <class T>
[[gnu::always_inline]] inline T choose_shift(const Moments& peek, bool one_sign, std::size_t cols) {
  const bool is_offset = one_sign && peek.mean * peek.mean > peek.variance;
  return always_shifted<T>(cols) || is_offset ? static_cast<T>(peek.mean) : T{0};
}

// What normalizing a group takes: y = ((x - mean_hi) - mean_lo) * rstd.
template <class T>
struct Statistics {
  T mean_hi = 0;
  T mean_lo = 0;  // 0 where one term of T is enough
  T rstd = 0;
  bool known = false;  // false: the sums left the range of T

  // Of a group whose x - shift has the moments m. For float, a mean that is small beside the deviation needs one term: at
  // mean^2 = 2 * var it costs 0.35 ulp.
  [[gnu::always_inline]] static Statistics about(T shift, const Moments& m, Spread spread) {
    return about(shift, m, static_cast<T>(m.rstd(spread)));
  }
  [[gnu::always_inline]] static Statistics about(T shift, const Moments& m, T rstd) {
    const double mean = static_cast<double>(shift) + m.mean;
    if (sizeof(T) == sizeof(float) && mean * mean <= 2 * m.variance) {
      return {static_cast<T>(mean), 0, rstd, m.trusted};
    }
    return {shift, static_cast<T>(m.mean), rstd, m.trusted};
  }
};

// ---- Sums in more precision than T ----

// Lane-wise running sums that widen T's precision: double for float, a compensated pair for double.
template <simd::Simd S, class T>
struct WideSum;

template <simd::Simd S>
struct WideSum<S, float> {
  using F64 = typename S::F64;
  F64 total = F64::splat(0);

  void add(F64 value) { total = total + value; }
  [[gnu::always_inline]] double join() const { return S::low(total) + S::high(total); }
};

// Two-sum (Knuth): the rounding error of total + value is itself a number.
template <class W>
[[gnu::always_inline]] inline void add_two_sum(W& total, W& error, W value) {
  const W sum = total + value;
  const W part = sum - total;
  error = error + ((total - (sum - part)) + (value - part));
  total = sum;
}

[[gnu::always_inline]] inline double join_two_sums(double left, double left_error, double right,
                                                   double right_error) {
  double error = 0;
  add_two_sum(left, error, right);
  return left + (error + (left_error + right_error));
}

template <simd::Simd S>
struct WideSum<S, double> {
  using F64 = typename S::F64;
  F64 total = F64::splat(0);
  F64 error = F64::splat(0);

  void add(F64 value) { add_two_sum(total, error, value); }
  [[gnu::always_inline]] double join() const {
    return join_two_sums(S::low(total), S::low(error), S::high(total), S::high(error));
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
  [[gnu::always_inline]] double value() const { return wide_.join(); }

 private:
  WideSum<S, T> wide_;
};

// sum(x - shift) and sum((x - shift)^2) of one row; the lanes of a vector are neighbours in the row. Of all else but AboutMean the
// second alone.
template <simd::Simd S, class T, bool AboutMean = true>
class RowSums {
  using V = simd::VectorOf<S, T>;
  static constexpr std::size_t kLanes = V::lanes;
  static constexpr std::size_t kQuad = 4 * kLanes;

 public:
  // Adds a full block, x[0 .. kBlock). Calls between() after each quad of it: work on another row that fills
  // the gaps between dependent additions.
  template <bool Shifted, class Between>
  [[gnu::always_inline]] void add_block(const T* x, V shift, Between between) {
    V sum = V::splat(0), squares = V::splat(0);
    // Pointers that are moved first and then used with constant offsets stay in registers of V8, one for each
    // stream: 5 to 10 % faster than an index. Not unrolled: V8 moves all additions of a long loop body behind
    // its loads and then spills.
    x -= kQuad;
    LAYERNORM_NO_UNROLL
    for (std::size_t quad = 0; quad < kBlock / kQuad; ++quad) {
      x += kQuad;
      add_quad<Shifted>(x, shift, sum, squares);
      between();
    }
    add_lanes(sum, squares);
  }
  template <bool Shifted>
  [[gnu::always_inline]] void add_block(const T* x, V shift) {
    add_block<Shifted>(x, shift, [] {});
  }

  // Adds x[0 .. kPeek).
  [[gnu::always_inline]] void add_peek(const T* x) {
    V sum = V::splat(0), squares = V::splat(0);
    LAYERNORM_UNROLL
    for (std::size_t i = 0; i < kPeek; i += kQuad) add_quad<false>(x + i, sum, sum, squares);
    add_lanes(sum, squares);
  }

  // Adds n <= kBlock elements. Those that the last quad lacks become shift - shift = 0.
  template <bool Shifted>
  void add_tail(const T* x, std::size_t n, T shift) {
    const V splat = V::splat(shift);
    V sum = V::splat(0), squares = V::splat(0);
    std::size_t i = 0;
    for (; i + kQuad <= n; i += kQuad) add_quad<Shifted>(x + i, splat, sum, squares);
    if (i < n) {
      const simd::PartialQuad<V, T> rest(x + i, n - i, Shifted ? splat : V::splat(0));
      add_quad<Shifted>(rest.v[0], rest.v[1], rest.v[2], rest.v[3], splat, sum, squares);
    }
    add_lanes(sum, squares);
  }

  [[gnu::always_inline]] Moments moments(std::size_t cols, Spread spread) const {
    return Moments::from_sums<T>(AboutMean ? sum_.value() : 0, squares_.value(), cols, spread);
  }

 private:
  template <bool Shifted>
  [[gnu::always_inline]] static void add_quad(const T* x, V shift, V& sum, V& squares) {
    add_quad<Shifted>(V::load(x), V::load(x + kLanes), V::load(x + 2 * kLanes), V::load(x + 3 * kLanes),
                      shift, sum, squares);
  }
  template <bool Shifted>
  [[gnu::always_inline]] static void add_quad(V v0, V v1, V v2, V v3, V shift, V& sum, V& squares) {
    if constexpr (Shifted) v0 = v0 - shift, v1 = v1 - shift, v2 = v2 - shift, v3 = v3 - shift;
    if constexpr (AboutMean) sum = sum + ((v0 + v1) + (v2 + v3));
    squares = squares + ((v0 * v0 + v1 * v1) + (v2 * v2 + v3 * v3));
  }
  [[gnu::always_inline]] void add_lanes(V sum, V squares) {
    if constexpr (AboutMean) sum_.add(sum);
    squares_.add(squares);
  }

  RowTotal<S, T> sum_;
  RowTotal<S, T> squares_;
};

template <simd::Simd S, class T, bool Shifted, bool AboutMean = true>
[[gnu::always_inline]] inline RowSums<S, T, AboutMean> row_sums_inline(const T* x, std::size_t cols,
                                                                       T shift) {
  RowSums<S, T, AboutMean> sums;
  const auto splat = simd::VectorOf<S, T>::splat(shift);
  std::size_t i = 0;
  for (; i + kBlock <= cols; i += kBlock) sums.template add_block<Shifted>(x + i, splat);
  if (i < cols) sums.template add_tail<Shifted>(x + i, cols - i, shift);
  return sums;
}

template <simd::Simd S, class T, bool Shifted, bool AboutMean = true>
[[gnu::noinline]] RowSums<S, T, AboutMean> row_sums(const T* x, std::size_t cols, T shift) {
  return row_sums_inline<S, T, Shifted, AboutMean>(x, cols, shift);
}

template <simd::Simd S, class T>
[[gnu::noinline]] T peek_shift(const T* x, std::size_t cols) {
  RowSums<S, T> sums;
  const std::size_t n = cols < kPeek ? cols : kPeek;
  sums.template add_tail<false>(x, n, 0);
  return choose_shift<T>(sums.moments(n, 0), true, cols);
}

// Step 1 for the row x[0 .. cols).
template <simd::Simd S, class T>
[[gnu::always_inline]] inline T row_shift(const T* x, std::size_t cols) {
  if constexpr (sizeof(T) == sizeof(float)) {
    // The signs alone tell that most rows need no shift, in a fraction of the time that sums take.
    if (!always_shifted<T>(cols) && !S::one_sign(x)) return 0;
  }
  return peek_shift<S>(x, cols);
}

// The same for a row of less than kShort elements, which always is shifted: inline, since these rows are many.
template <simd::Simd S, class T>
[[gnu::always_inline]] inline T short_row_shift(const T* x, std::size_t cols) {
  if (cols < kPeek) return peek_shift<S>(x, cols);
  RowSums<S, T> sums;
  sums.add_peek(x);
  return static_cast<T>(sums.moments(kPeek, 0).mean);
}

// Steps 2 and 3 for a row whose sums about `shift` are known. About zero there is no step 3.
template <simd::Simd S, class T, bool AboutMean>
[[gnu::always_inline]] inline Statistics<T> row_statistics(const T* x, std::size_t cols, T shift,
                                                           const RowSums<S, T, AboutMean>& sums,
                                                           Spread spread) {
  const Moments m = sums.moments(cols, spread);
  if (m.trusted || !AboutMean) return Statistics<T>::about(shift, m, spread);
  const T mean = static_cast<T>(static_cast<double>(shift) + m.mean);
  return Statistics<T>::about(mean, row_sums<S, T, true>(x, cols, mean).moments(cols, spread), spread);
}

// Whether the first `count` elements of a group are all negative (-0 is) or all not.
template <class T>
bool have_one_sign(const Storage<T>& storage, const void* x, const Runs& reduced, std::size_t count) {
  Walk walk(reduced);
  const bool first = storage.is_negative(x);
  for (std::size_t i = 0; i < count; ++i, walk.advance()) {
    if (storage.is_negative(storage.at(x, walk.offset())) != first) return false;
  }
  return true;
}

}  // namespace layernorm
