// Mean and variance of neighbouring columns of a matrix: the sums of ops/row_moments.h, many groups side by side.
//
// What are lanes of one vector in a row are separate rows of the matrix here: lane l of vector j of a quad is row 4 * j + l
// of it, and every step works on one lane of all columns before the next. So memory is read in four streams of whole
// cache lines, whatever the distance between rows; with that of many more rows at a time, a power of two would make them
// all compete for the same few lines of the cache.
#pragma once

#include <cstddef>

#include "core/layout.h"
#include "ops/row_moments.h"
#include "ops/storage.h"
#include "simd/row_ops.h"

namespace layernorm {

// Most columns that are summed together: their sums and statistics take 37 KB of float64 on the stack.
inline constexpr std::size_t kMaxWidth = 256;

// Statistics of up to kMaxWidth columns.
template <simd::Simd S, class T>
class ColumnMoments {
  using V = simd::VectorOf<S, T>;
  static constexpr std::size_t kLanes = V::lanes;
  static constexpr std::size_t kQuad = 4 * kLanes;
  static constexpr bool kCompensated = sizeof(T) == sizeof(double);

 public:
  // x: the first column's first element. `reduced`: where the elements of a column lie, `cols` of them.
  ColumnMoments(const void* x, const Runs& reduced, std::size_t cols, std::size_t width,
                const Storage<T>& storage = {})
      : storage_(storage), x_(x), reduced_(reduced), cols_(cols), width_(width) {}

  // To be called once. Returns whether all columns are known.
  bool find(Spread spread) {
    return find(spread, [&](std::size_t c, T shift, const Moments& m) {
      keep(c, Statistics<T>::about(shift, m, spread));
    });
  }

  // The same, handing the moments of x - shift of each column to take(column, shift, moments), the last time those that count.
  template <class Take>
  bool find(Spread spread, Take take) {
    const std::size_t peek = cols_ < kPeek ? cols_ : kPeek;
    if (spread.is_about_mean()) {
      sum(peek);
      for (std::size_t c = 0; c < width_; ++c) {
        // The signs are looked at last: element by element that is slow, and they rarely matter.
        const Moments m = moments(c, peek, 0);
        const bool one_sign = !always_shifted<T>(cols_) && m.mean * m.mean > m.variance &&
                              have_one_sign(storage_, storage_.at(x_, c), reduced_, peek);
        shift_[c] = choose_shift<T>(m, one_sign, cols_);
      }
    }
    sum(cols_);
    bool again = false;
    for (std::size_t c = 0; c < width_; ++c) {
      const Moments m = moments(c, cols_, spread);
      if (m.trusted) {
        take(c, shift_[c], m);
      } else {
        shift_[c] = static_cast<T>(static_cast<double>(shift_[c]) + m.mean);
        again = true;
      }
      known[c] = m.trusted;
    }
    if (!again || !spread.is_about_mean()) return !again;
    sum(cols_);
    bool all = true;
    for (std::size_t c = 0; c < width_; ++c) {
      if (known[c]) continue;
      const Moments m = moments(c, cols_, spread);
      take(c, shift_[c], m);
      known[c] = m.trusted;
      all &= m.trusted;
    }
    return all;
  }

  // As in Statistics.
  T mean_hi[kMaxWidth];
  T mean_lo[kMaxWidth];
  T rstd[kMaxWidth];
  bool known[kMaxWidth];

 private:
  // A lane of a block, or of a group: its sum and its sum of squares, one of each for each column.
  struct Lane {
    T sum[kMaxWidth];
    T squares[kMaxWidth];
  };
  // What a lane of WideSum holds.
  struct Wide {
    double total[kMaxWidth];
    double error[kCompensated ? kMaxWidth : 1];
  };

  void keep(std::size_t c, const Statistics<T>& s) {
    mean_hi[c] = s.mean_hi;
    mean_lo[c] = s.mean_lo;
    rstd[c] = s.rstd;
  }

  // Sums the first `count` rows about shift_.
  [[gnu::noinline]] void sum(std::size_t count) {
    for (Wide& wide : sums_) clear(wide);
    for (Wide& wide : squares_) clear(wide);
    Walk walk(reduced_);
    for (std::size_t i = 0; i < count; i += kBlock) {
      const std::size_t n = count - i < kBlock ? count - i : kBlock;
      for (std::size_t quad = 0; quad < n; quad += kQuad) {
        const void* rows[kQuad];
        for (std::size_t j = 0; j < kQuad; ++j) {
          rows[j] = nullptr;
          if (quad + j >= n) continue;
          rows[j] = storage_.at(x_, walk.offset());
          walk.advance();
        }
        for (std::size_t l = 0; l < kLanes; ++l) add(rows + l, quad == 0 ? zero_ : lanes_[l], lanes_[l]);
      }
      // Lanes 0 and 2 of a float vector end up in lane 0 of WideSum, 1 and 3 in lane 1.
      for (std::size_t l = 0; l < 2; ++l) {
        widen(lanes_[l].sum, lanes_[l + kLanes - 2].sum, sums_[l]);
        widen(lanes_[l].squares, lanes_[l + kLanes - 2].squares, squares_[l]);
      }
    }
  }

  void clear(Wide& wide) {
    for (std::size_t c = 0; c < width_; ++c) wide.total[c] = 0;
    if constexpr (kCompensated) {
      for (std::size_t c = 0; c < width_; ++c) wide.error[c] = 0;
    }
  }

  // Row n of those that are added together. Rows that the last quad lacks become shift - shift = 0.
  const T* row(const void* x, std::size_t n) {
    return x == nullptr ? shift_ : storage_.load(x, width_, widened_[n]);
  }

  // Adds a quad's rows of one lane, rows[0], rows[kLanes], ... to `before`.
  [[gnu::noinline]] void add(const void* const* rows, const Lane& before, Lane& lane) {
    const T *r0 = row(rows[0], 0), *r1 = row(rows[kLanes], 1), *r2 = row(rows[2 * kLanes], 2),
            *r3 = row(rows[3 * kLanes], 3);
    const T *shift = shift_, *old_sum = before.sum, *old_squares = before.squares;
    T *sum = lane.sum, *squares = lane.squares;
    simd::for_each_vector<V, T, 1>(width_, [=]<class W>(std::size_t c) {
      const W m = W::load(shift + c);
      const W v0 = W::load(r0 + c) - m, v1 = W::load(r1 + c) - m;
      const W v2 = W::load(r2 + c) - m, v3 = W::load(r3 + c) - m;
      (W::load(old_sum + c) + ((v0 + v1) + (v2 + v3))).store(sum + c);
      (W::load(old_squares + c) + ((v0 * v0 + v1 * v1) + (v2 * v2 + v3 * v3))).store(squares + c);
    });
  }

  // Adds lane sums of a block, a and b, in more precision than T has.
  [[gnu::noinline]] void widen(const T* a, const T* b, Wide& wide) const {
    double *total = wide.total, *error = wide.error;
    if constexpr (kCompensated) {
      simd::for_each_vector<V, T, 1>(width_, [=]<class W>(std::size_t c) {
        W t = W::load(total + c), e = W::load(error + c);
        add_two_sum(t, e, W::load(a + c));
        t.store(total + c);
        e.store(error + c);
      });
    } else {
      using F64 = typename S::F64;
      const auto add = [=](std::size_t c, F64 value) { (F64::load(total + c) + value).store(total + c); };
      std::size_t c = 0;
      for (; c + kLanes <= width_; c += kLanes) {
        const V va = V::load(a + c), vb = V::load(b + c);
        add(c, S::widen_low(va) + S::widen_low(vb));
        add(c + F64::lanes, S::widen_high(va) + S::widen_high(vb));
      }
      for (; c < width_; ++c) total[c] += static_cast<double>(a[c]) + static_cast<double>(b[c]);
    }
  }

  Moments moments(std::size_t c, std::size_t count, Spread spread) const {
    return Moments::from_sums<T>(value(sums_, c), value(squares_, c), count, spread);
  }
  static double value(const Wide (&wide)[2], std::size_t c) {
    if constexpr (kCompensated) {
      return join_two_sums(wide[0].total[c], wide[0].error[c], wide[1].total[c], wide[1].error[c]);
    } else {
      return wide[0].total[c] + wide[1].total[c];
    }
  }

  static constexpr std::size_t kWidened =
      sizeof(T) == sizeof(float) ? kMaxWidth : 1;  // nothing becomes double

  const Storage<T> storage_;
  const void* x_;
  const Runs& reduced_;
  std::size_t cols_;
  std::size_t width_;
  T shift_[kMaxWidth] = {};
  Lane zero_ = {};
  Lane lanes_[kLanes];
  Wide sums_[2];
  Wide squares_[2];
  T widened_[4][kWidened];
};

}  // namespace layernorm
