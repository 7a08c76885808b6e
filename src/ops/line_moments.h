// Mean and variance of the channels of [rows, channels], line after line: memory is read once, in order, whatever the number
// of channels. ColumnMoments, which gives the bits that rows have, reads strips of it and takes up to twice as long where
// lines are wide and few.
//
// The steps are those of ops/row_moments.h; the tree of additions is another: of 64 rows each channel adds quads of rows,
// (r0 + r1) + (r2 + r3), one after the other in T, and these sums in double (T = float) or as compensated pairs (T = double).
#pragma once

#include <cstddef>

#include "ops/group_statistics.h"
#include "ops/row_moments.h"
#include "ops/storage.h"
#include "simd/row_ops.h"

namespace layernorm {

template <simd::Simd S, class T>
class LineMoments {
  using V = simd::VectorOf<S, T>;
  static constexpr std::size_t kQuad = 4;
  static constexpr bool kCompensated = sizeof(T) == sizeof(double);

 public:
  // Of workspace for each channel; it is aligned to 8 bytes.
  static constexpr std::size_t kBytesEach = 4 * sizeof(double) + 3 * sizeof(T);

  LineMoments(const Storage<T>& storage, const void* x, std::size_t rows, std::size_t channels,
              void* workspace)
      : storage_(storage),
        x_(x),
        rows_(rows),
        channels_(channels),
        total_(static_cast<double*>(workspace)),
        error_(total_ + channels),
        total_squares_(error_ + channels),
        error_squares_(total_squares_ + channels),
        shift_(reinterpret_cast<T*>(error_squares_ + channels)),
        sum_(shift_ + channels),
        squares_(sum_ + channels) {}

  // Calls take(channel, statistics) for channels first .. last, the last time with those that count. Ranges may be worked on at the
  // same time.
  template <class Take>
  void find(std::size_t first, std::size_t last, double epsilon, Take take) const {
    const std::size_t peek = rows_ < kPeek ? rows_ : kPeek;
    Runs column;
    column.push_outer({rows_, channels_});
    for (std::size_t c = first; c < last; ++c) shift_[c] = 0;
    sum(first, last, peek);
    for (std::size_t c = first; c < last; ++c) {
      const Moments m = moments(c, peek, 0);
      const bool one_sign = !always_shifted<T>(rows_) && m.mean * m.mean > m.variance &&
                            have_one_sign(storage_, storage_.at(x_, c), column, peek);
      shift_[c] = choose_shift<T>(m, one_sign, rows_);
    }
    sum(first, last, rows_);
    // Sums about a shift that was wrong are taken again, of all channels between the outermost of them.
    std::size_t again = last, end = first;
    for (std::size_t c = first; c < last; ++c) {
      const Moments m = moments(c, rows_, epsilon);
      if (m.trusted) {
        take(c, GroupStatistics<T>::about(shift_[c], m, epsilon));
        continue;
      }
      shift_[c] = static_cast<T>(static_cast<double>(shift_[c]) + m.mean);
      if (again == last) again = c;
      end = c + 1;
    }
    if (again == last) return;
    sum(again, end, rows_);
    for (std::size_t c = again; c < end; ++c) {
      const Moments m = moments(c, rows_, epsilon);
      take(c, m.trusted ? GroupStatistics<T>::about(shift_[c], m, epsilon)
                        : careful_statistics(storage_, storage_.at(x_, c), column, rows_, epsilon));
    }
  }

 private:
  // Sums the first `count` rows about shift_.
  void sum(std::size_t first, std::size_t last, std::size_t count) const {
    for (std::size_t c = first; c < last; ++c)
      total_[c] = total_squares_[c] = error_[c] = error_squares_[c] = 0;
    for (std::size_t row = 0; row < count; row += kBlock) {
      const std::size_t end = count - row < kBlock ? count : row + kBlock;
      for (std::size_t c = first; c < last; ++c) sum_[c] = squares_[c] = 0;
      for (std::size_t quad = row; quad < end; quad += kQuad) add_quad(quad, end, first, last);
      widen(sum_, total_, error_, first, last);
      widen(squares_, total_squares_, error_squares_, first, last);
    }
  }

  // Rows `row` to row + 3, but for those from `end` on.
  void add_quad(std::size_t row, std::size_t end, std::size_t first, std::size_t last) const {
    T widened[kQuad][Storage<T>::kBuffer];
    const std::size_t most = storage_.converts() ? Storage<T>::kBuffer : last - first;
    for (std::size_t c = first; c < last; c += most) {
      const std::size_t width = last - c < most ? last - c : most;
      const T* rows[kQuad];
      for (std::size_t n = 0; n < kQuad; ++n) {
        // Rows that are missing become shift - shift = 0.
        rows[n] = row + n < end ? storage_.load(storage_.at(x_, (row + n) * channels_ + c), width, widened[n])
                                : shift_ + c;
      }
      add_rows(rows[0], rows[1], rows[2], rows[3], c, width);
    }
  }

  [[gnu::noinline]] void add_rows(const T* r0, const T* r1, const T* r2, const T* r3, std::size_t channel,
                                  std::size_t width) const {
    const T* shift = shift_ + channel;
    T *sum = sum_ + channel, *squares = squares_ + channel;
    simd::for_each_vector<V, T, 1>(width, [=]<class W>(std::size_t c) {
      const W m = W::load(shift + c);
      const W v0 = W::load(r0 + c) - m, v1 = W::load(r1 + c) - m;
      const W v2 = W::load(r2 + c) - m, v3 = W::load(r3 + c) - m;
      (W::load(sum + c) + ((v0 + v1) + (v2 + v3))).store(sum + c);
      (W::load(squares + c) + ((v0 * v0 + v1 * v1) + (v2 * v2 + v3 * v3))).store(squares + c);
    });
  }

  [[gnu::noinline]] static void widen(const T* sums, double* total, double* error, std::size_t first,
                                      std::size_t last) {
    for (std::size_t c = first; c < last; ++c) {
      if constexpr (kCompensated) {
        add_two_sum(total[c], error[c], sums[c]);
      } else {
        total[c] += static_cast<double>(sums[c]);
      }
    }
  }

  Moments moments(std::size_t c, std::size_t count, double epsilon) const {
    return Moments::from_sums<T>(total_[c] + error_[c], total_squares_[c] + error_squares_[c], count,
                                 epsilon);
  }

  const Storage<T>& storage_;
  const void* x_;
  std::size_t rows_;
  std::size_t channels_;
  double* total_;
  double* error_;
  double* total_squares_;
  double* error_squares_;
  T* shift_;
  T* sum_;
  T* squares_;
};

}  // namespace layernorm
