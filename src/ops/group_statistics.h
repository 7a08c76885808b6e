// Mean, variance and rstd of groups in every layout and type, for operations that need more of them than what normalizing
// takes. The steps and the tree of additions are those of ops/row_moments.h; groups whose sums leave the range of T are
// summed once more in double, scaled by a power of two.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/layout.h"
#include "ops/column_moments.h"
#include "ops/row_moments.h"
#include "ops/storage.h"

namespace layernorm {

// What normalizing takes: y = ((x * scale - mean_hi) - mean_lo) * rstd, and what is saved of it.
template <class T>
struct GroupStatistics {
  T mean_hi = 0;
  T mean_lo = 0;
  T scale = 1;          // 1 but where numbers of T would overflow or vanish
  double variance = 0;  // of x * scale
  double rstd = 0;      // for x * scale

  double mean() const { return unscaled(static_cast<double>(mean_hi) + static_cast<double>(mean_lo)); }
  double saved_variance() const { return unscaled(unscaled(variance)); }
  // A constant group divides by the root of epsilon alone, whatever its scale.
  double saved_rstd(double epsilon) const {
    return variance == 0 ? 1 / __builtin_sqrt(epsilon) : rstd * static_cast<double>(scale);
  }

  static GroupStatistics nan() {
    GroupStatistics s;
    s.mean_hi = static_cast<T>(__builtin_nan(""));
    s.variance = s.rstd = __builtin_nan("");
    return s;
  }
  // Of a group whose x - shift has moments that can be trusted.
  static GroupStatistics about(T shift, const Moments& m, double epsilon) {
    const double rstd = m.rstd(epsilon);
    const Statistics<T> s = Statistics<T>::about(shift, m, static_cast<T>(rstd));
    return {s.mean_hi, s.mean_lo, 1, m.variance, rstd};
  }

 private:
  double unscaled(double value) const { return scale == 1 ? value : value / static_cast<double>(scale); }
};

// A sum in double that keeps what rounding loses (Neumaier).
struct ExactSum {
  double total = 0;
  double error = 0;

  void add(double value) { add_two_sum(total, error, value); }
  double value() const { return total + error; }
};

// The elements of a group in order, wherever they lie, block by block.
template <class T>
class BlockReader {
 public:
  BlockReader(const Storage<T>& storage, const void* x, const Runs& reduced, std::size_t cols)
      : storage_(storage), x_(x), pieces_(reduced), left_(cols) {}

  // Lays at most kBlock of them side by side, and returns how many; 0 after the last.
  [[gnu::noinline]] std::size_t next(T* block) {
    const std::size_t n = left_ < kBlock ? left_ : kBlock;
    left_ -= n;
    pieces_.next(n, [&](std::size_t offset, std::size_t stride, std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) {
        T one[1];
        *block++ = *storage_.load(storage_.at(x_, offset + i * stride), 1, one);
      }
    });
    return n;
  }

 private:
  const Storage<T>& storage_;
  const void* x_;
  Pieces pieces_;
  std::size_t left_;
};

// Calls visit(element as double) for all elements of a group.
template <class T, class Visit>
void for_each_element(const Storage<T>& storage, const void* x, const Runs& reduced, std::size_t cols,
                      Visit visit) {
  BlockReader<T> reader(storage, x, reduced, cols);
  T block[kBlock];
  while (const std::size_t n = reader.next(block)) {
    for (std::size_t i = 0; i < n; ++i) visit(static_cast<double>(block[i]));
  }
}

// The power of two that brings the larger of max|x| and sqrt(epsilon) to about 1, as far as T and its inverse have it. NaN and
// infinities are passed over: their group becomes NaN anyhow.
template <class T>
double unit_scale(const Storage<T>& storage, const void* x, const Runs& reduced, std::size_t cols,
                  double epsilon) {
  double largest = __builtin_sqrt(epsilon);
  for_each_element(storage, x, reduced, cols, [&](double value) {
    const double size = __builtin_fabs(value);
    if (size > largest && size <= __DBL_MAX__) largest = size;
  });
  constexpr int kMost = sizeof(T) == sizeof(float) ? 126 : 1000;
  const int exponent = 1023 - static_cast<int>(std::bit_cast<std::uint64_t>(largest) >> 52);
  const int bounded = exponent > kMost ? kMost : (exponent < -kMost ? -kMost : exponent);
  return std::bit_cast<double>(static_cast<std::uint64_t>(bounded + 1023) << 52);
}

// Whether all elements of a group are equal. NaN equals nothing.
template <class T>
bool is_constant(const Storage<T>& storage, const void* x, const Runs& reduced, std::size_t cols) {
  T one[1];
  const T first = *storage.load(x, 1, one);
  bool equal = true;
  Pieces pieces(reduced);
  for (std::size_t done = 0; equal && done < cols; done += kBlock * kBlock) {
    pieces.next(cols - done < kBlock * kBlock ? cols - done : kBlock * kBlock,
                [&](std::size_t offset, std::size_t stride, std::size_t count) {
                  const std::size_t run = stride == 1 ? count : 1;
                  for (std::size_t i = 0; i < count; i += run) {
                    storage.read(storage.at(x, offset + i * stride), run,
                                 [&](const T* elements, std::size_t n, std::size_t) {
                                   for (std::size_t j = 0; j < n; ++j) equal &= elements[j] == first;
                                 });
                  }
                });
  }
  return equal;
}

// Of a group whose sums leave the range of T: two passes over x * scale in double, element by element. Slow, and rare.
template <class T>
[[gnu::noinline]] GroupStatistics<T> careful_statistics(const Storage<T>& storage, const void* x,
                                                        const Runs& reduced, std::size_t cols,
                                                        double epsilon) {
  if (is_constant(storage, x, reduced, cols)) {  // zeros and the like, which are frequent
    T one[1];
    GroupStatistics<T> constant;
    constant.mean_hi = *storage.load(x, 1, one);
    constant.rstd = 1 / __builtin_sqrt(epsilon);
    return constant.mean_hi - constant.mean_hi == 0 ? constant : GroupStatistics<T>::nan();
  }
  const double scale = unit_scale(storage, x, reduced, cols, epsilon), n = static_cast<double>(cols);
  ExactSum sum;
  for_each_element(storage, x, reduced, cols, [&](double value) { sum.add(value * scale); });
  const double mean = sum.value() / n;
  ExactSum rest, squares;
  for_each_element(storage, x, reduced, cols, [&](double value) {
    const double deviation = value * scale - mean;
    rest.add(deviation);
    squares.add(deviation * deviation);
  });
  const double mean_rest = rest.value() / n, power = squares.value() / n - mean_rest * mean_rest;
  GroupStatistics<T> s;
  s.scale = static_cast<T>(scale);
  s.variance = power < 0 ? 0 : power;  // NaN stays NaN
  s.mean_hi = static_cast<T>(mean);
  s.mean_lo = static_cast<T>((mean - static_cast<double>(s.mean_hi)) + mean_rest);
  s.rstd = 1 / __builtin_sqrt(s.variance + epsilon * scale * scale);
  return s;
}

// The sums of ops/row_moments.h over elements that come in pieces of any length.
template <simd::Simd S, class T>
class PieceSums {
  using V = simd::VectorOf<S, T>;

 public:
  explicit PieceSums(T shift) : shift_(shift) {}

  [[gnu::noinline]] void add(const T* x, std::size_t count) {
    const V shift = V::splat(shift_);
    if (held_ > 0) {
      const std::size_t lacks = kBlock - held_, taken = count < lacks ? count : lacks;
      hold(x, taken);
      x += taken;
      count -= taken;
      if (held_ < kBlock) return;
      sums_.template add_block<true>(block_, shift);
      held_ = 0;
    }
    for (; count >= kBlock; count -= kBlock, x += kBlock) sums_.template add_block<true>(x, shift);
    hold(x, count);
  }
  Moments moments(std::size_t cols, double epsilon) {
    if (held_ > 0) sums_.template add_tail<true>(block_, held_, shift_);
    return sums_.moments(cols, epsilon);
  }

 private:
  void hold(const T* x, std::size_t count) {
    T* to = block_ + held_;
    simd::for_each_vector<V, T, 1>(count, [=]<class W>(std::size_t i) { W::load(x + i).store(to + i); });
    held_ += count;
  }

  T shift_;
  RowSums<S, T> sums_;
  std::size_t held_ = 0;
  T block_[kBlock];
};

// The moments of the first `count` elements of a group in contiguous pieces, less `shift`.
template <simd::Simd S, class T>
[[gnu::noinline]] Moments piece_moments(const Storage<T>& storage, const void* x, const Runs& reduced,
                                        std::size_t count, T shift, double epsilon) {
  if (reduced.count() == 1 && !storage.converts()) {
    return row_sums<S, T, true>(static_cast<const T*>(x), count, shift).moments(count, epsilon);
  }
  PieceSums<S, T> sums(shift);
  Pieces pieces(reduced);
  pieces.next(count, [&](std::size_t offset, std::size_t, std::size_t length) {
    storage.read(storage.at(x, offset), length,
                 [&](const T* elements, std::size_t n, std::size_t) { sums.add(elements, n); });
  });
  return sums.moments(count, epsilon);
}

// Of one group whose elements lie in contiguous pieces: the innermost run of `reduced` has a stride of 1.
template <simd::Simd S, class T>
[[gnu::noinline]] GroupStatistics<T> piece_statistics(const Storage<T>& storage, const void* x,
                                                      const Runs& reduced, std::size_t cols, double epsilon) {
  const auto moments = [&](std::size_t count, T shift) {
    return piece_moments<S, T>(storage, x, reduced, count, shift, epsilon);
  };
  const std::size_t peek = cols < kPeek ? cols : kPeek;
  const Moments first = moments(peek, 0);
  const bool one_sign = !always_shifted<T>(cols) && first.mean * first.mean > first.variance &&
                        have_one_sign(storage, x, reduced, peek);
  T shift = choose_shift<T>(first, one_sign, cols);
  Moments m = moments(cols, shift);
  if (!m.trusted) {
    shift = static_cast<T>(static_cast<double>(shift) + m.mean);
    m = moments(cols, shift);
  }
  return m.trusted ? GroupStatistics<T>::about(shift, m, epsilon)
                   : careful_statistics(storage, x, reduced, cols, epsilon);
}

// Of `width` <= kMaxWidth neighbouring groups, the first of which starts at x.
template <simd::Simd S, class T>
[[gnu::noinline]] void column_statistics(const Storage<T>& storage, const void* x, const Runs& reduced,
                                         std::size_t cols, std::size_t width, double epsilon,
                                         GroupStatistics<T>* statistics) {
  ColumnMoments<S, T> columns(x, reduced, cols, width, storage);
  const bool known = columns.find(epsilon, [&](std::size_t c, T shift, const Moments& m) {
    statistics[c] = GroupStatistics<T>::about(shift, m, epsilon);
  });
  for (std::size_t c = 0; !known && c < width; ++c) {
    if (!columns.known[c]) {
      statistics[c] = careful_statistics(storage, storage.at(x, c), reduced, cols, epsilon);
    }
  }
}

// Groups of double that ColumnMoments, which takes most of the stack, leaves room for beside it, and of float.
template <class T>
inline constexpr std::size_t kChunkWidth = sizeof(T) == sizeof(float) ? kMaxWidth : kMaxWidth / 2;

}  // namespace layernorm
