#include "ops/normalize.h"

#include <cstddef>

#include "core/layout.h"
#include "core/overlap.h"
#include "ops/column_moments.h"
#include "ops/group_moments.h"
#include "ops/normalize_sixteen_bit.h"
#include "ops/parameter.h"
#include "ops/row_moments.h"
#include "parallel/thread_pool.h"
#include "simd/build.h"
#include "simd/row_ops.h"

namespace layernorm {
namespace {

// The arguments with their element type, over merged dimensions.
template <class T>
struct Problem {
  const Layout& layout;
  Spread spread;
  bool rms_scaling;
  const T* x;
  const T* gamma;
  const T* beta;
  T* y;
  T* mean;
  T* rstd;
};

// Writes what a backward pass needs; from here on rms_scaling is a mean of zero.
template <class T>
void save_statistics(const Problem<T>& p, std::size_t row, Statistics<T>& s) {
  if (p.mean != nullptr) p.mean[row] = s.mean_hi + s.mean_lo;
  if (p.rstd != nullptr) p.rstd[row] = s.rstd;
  if (p.rms_scaling) s.mean_hi = s.mean_lo = 0;
}

// ---- y = (x - mean) * rstd * gamma + beta ----

// Which parameters a loop applies. `any` serves every combination, 8 % slower: it keeps two more numbers in
// registers.
enum class Affine { none, gamma, both, any };

// What gamma and beta are in the loops. An absent gamma is 1, an absent beta -0: they leave every value as it
// is.
template <class T>
struct Parameters {
  explicit Parameters(const Problem<T>& p) : gamma(p.gamma, 1), beta(p.beta, -T{0}) {}

  Parameter<T> gamma;
  Parameter<T> beta;
};

// Walks a row: y[i] = (x[i] - mean) * rstd * gamma[i] + beta[i]. Terms: of how many numbers the mean is the sum.
template <class T, int Terms, Affine Parts>
class Normalizer {
 public:
  [[gnu::always_inline]] Normalizer(const T* x, T* y, const Parameters<T>& parameters, const Statistics<T>& s)
      : x_(x),
        y_(y),
        gamma_(parameters.gamma.data),
        beta_(parameters.beta.data),
        gamma_step_(parameters.gamma.step),
        beta_step_(parameters.beta.step),
        s_(s) {}

  [[gnu::always_inline]] void advance(std::ptrdiff_t elements) {
    x_ += elements;
    y_ += elements;
    advance_parameters(elements);
  }
  // Where the next elements take the place of those before them.
  [[gnu::always_inline]] void advance_parameters(std::ptrdiff_t elements) {
    gamma_ += Parts == Affine::any ? elements * gamma_step_ : elements;
    beta_ += Parts == Affine::any ? elements * beta_step_ : elements;
  }

  // The W::lanes elements from i on.
  template <class W>
  [[gnu::always_inline]] void operator()(std::size_t i) const {
    W v = W::load(x_ + i);
    if constexpr (Terms >= 1) v = v - W::splat(s_.mean_hi);
    if constexpr (Terms == 2) v = v - W::splat(s_.mean_lo);
    v = v * W::splat(s_.rstd);
    if constexpr (Parts != Affine::none) v = v * W::load(gamma_ + i);
    if constexpr (Parts == Affine::both || Parts == Affine::any) v = v + W::load(beta_ + i);
    v.store(y_ + i);
  }

 private:
  const T* x_;
  T* y_;
  const T* gamma_;
  const T* beta_;
  std::ptrdiff_t gamma_step_;
  std::ptrdiff_t beta_step_;
  Statistics<T> s_;
};

// ---- One group, wherever its elements lie ----

template <simd::Simd S, class T>
[[gnu::noinline]] void normalize_group(const Problem<T>& p, const Parameters<T>& parameters, const T* x, T* y,
                                       const Statistics<T>& s, T scale) {
  using V = simd::VectorOf<S, T>;
  const std::size_t cols = p.layout.cols;
  GroupReader<S, T> reader(x, p.layout.reduced, scale);
  Pieces pieces(p.layout.reduced);
  T block[kBlock];
  Normalizer<T, 2, Affine::any> normalizer(block, block, parameters, s);
  for (std::size_t i = 0; i < cols; i += kBlock, normalizer.advance_parameters(kBlock)) {
    const std::size_t n = cols - i < kBlock ? cols - i : kBlock;
    reader.next(n, block);
    simd::for_each_vector<V, T, 1>(n, [&]<class W>(std::size_t j) { normalizer.template operator()<W>(j); });
    const T* from = block;
    pieces.next(n, [&](std::size_t offset, std::size_t stride, std::size_t count) {
      T* to = y + offset;
      std::size_t j = 0;
      if (stride == 1) {
        for (; j + V::lanes <= count; j += V::lanes) V::load(from + j).store(to + j);
      }
      for (; j < count; ++j) to[j * stride] = from[j];
      from += count;
    });
  }
}

// A group whose sums leave the range of T: the same with x * scale.
template <simd::Simd S, class T>
[[gnu::noinline]] void forward_scaled_group(const Problem<T>& p, const Parameters<T>& parameters,
                                            std::size_t row, const T* x, T* y) {
  ScaledStatistics<T> s = scaled_statistics<S>(x, p.layout, p.spread);
  save_statistics(p, row, s.saved);
  if (p.rms_scaling) s.scaled.mean_hi = s.scaled.mean_lo = 0;
  normalize_group<S, T>(p, parameters, x, y, s.scaled, s.scale);
}

// Groups first .. last that are rows in several pieces: the innermost dimension is reduced, but not it alone.
template <simd::Simd S, class T>
void forward_groups(const Problem<T>& p, const Parameters<T>& parameters, std::size_t first,
                    std::size_t last) {
  Walk walk(p.layout.kept, first);
  for (std::size_t row = first; row < last; ++row, walk.advance()) {
    const T* x = p.x + walk.offset();
    T* y = p.y + walk.offset();
    Statistics<T> s = group_statistics<S>(x, p.layout, p.spread);
    if (s.known) {
      save_statistics(p, row, s);
      normalize_group<S, T>(p, parameters, x, y, s, 1);
    } else {
      forward_scaled_group<S>(p, parameters, row, x, y);
    }
  }
}

// ---- Rows: the reduced dimensions are last ----

// Any row. Terms of 0 give the bits of fewer.
template <simd::Simd S, class T>
[[gnu::noinline]] void normalize_row(const Problem<T>& p, const Parameters<T>& parameters, const T* x, T* y,
                                     const Statistics<T>& s) {
  Normalizer<T, 2, Affine::any> normalizer(x, y, parameters, s);
  std::size_t rest = p.layout.cols;
  for (; rest > 0; normalizer.advance(kBlock)) {
    const std::size_t n = rest < kBlock ? rest : kBlock;
    simd::for_each_vector<simd::VectorOf<S, T>, T>(
        n, [&]<class W>(std::size_t i) { normalizer.template operator()<W>(i); });
    rest -= n;
  }
}

// The spread of a problem, whose kind the compiler knows where it is about the mean: nothing is asked in these loops.
template <bool AboutMean, class T>
[[gnu::always_inline]] inline Spread spread_of(const Problem<T>& p) {
  return AboutMean ? Spread(p.spread.epsilon) : p.spread;
}

// Whether every row is summed about a shift, be it 0.
template <class T, bool AboutMean>
inline constexpr bool kAlwaysShifted = AboutMean && sizeof(T) == sizeof(double);

// Normalizes a row and sums the next one in the same loop: the loads and additions of one fill the gaps that
// the other leaves, 10 to 30 % faster than two loops. One term of the mean is enough for float rows that get
// here.
template <simd::Simd S, class T, bool AboutMean, Affine Parts>
[[gnu::always_inline]] inline RowSums<S, T, AboutMean> normalize_row_and_sum(const Problem<T>& p,
                                                                             const Parameters<T>& parameters,
                                                                             const T* x, T* y,
                                                                             const Statistics<T>& s,
                                                                             const T* next, T shift) {
  using V = simd::VectorOf<S, T>;
  constexpr std::ptrdiff_t kQuad = 4 * V::lanes;
  constexpr bool kShifted = kAlwaysShifted<T, AboutMean>;
  Normalizer<T, AboutMean ? 1 + kShifted : 0, Parts> normalizer(x, y, parameters, s);
  const std::size_t cols = p.layout.cols;
  RowSums<S, T, AboutMean> sums;
  std::size_t i = 0;
  normalizer.advance(-kQuad);
  for (; i + kBlock <= cols; i += kBlock) {
    sums.template add_block<kShifted>(next + i, V::splat(shift), [&] {
      normalizer.advance(kQuad);
      LAYERNORM_UNROLL
      for (std::size_t j = 0; j < 4 * V::lanes; j += V::lanes) normalizer.template operator()<V>(j);
    });
  }
  normalizer.advance(kQuad);
  if (i < cols) {
    sums.template add_tail<kShifted>(next + i, cols - i, shift);
    simd::for_each_vector<V, T>(cols - i,
                                [&]<class W>(std::size_t at) { normalizer.template operator()<W>(at); });
  }
  return sums;
}

// Not inline as for short rows: a call is little beside 128 elements, and these loops come in several kinds.
template <simd::Simd S, class T, bool AboutMean>
[[gnu::noinline]] Statistics<T> long_row_statistics(const T* x, std::size_t cols, T shift,
                                                    const RowSums<S, T, AboutMean>& sums, Spread spread) {
  return row_statistics<S>(x, cols, shift, sums, spread);
}

template <simd::Simd S, class T, bool AboutMean, Affine Parts>
[[gnu::noinline]] void forward_long_rows(const Problem<T>& p, const Parameters<T>& parameters,
                                         std::size_t first, std::size_t last) {
  constexpr bool kShifted = kAlwaysShifted<T, AboutMean>;
  const std::size_t cols = p.layout.cols;
  const Spread spread = spread_of<AboutMean>(p);
  const auto shift_of = [&](const T* x) {
    if constexpr (AboutMean) return row_shift<S>(x, cols);
    return T{0};
  };
  const auto sum = [&](const T* x, T shift) {
    if constexpr (AboutMean) {
      if (kShifted || shift != 0) return row_sums<S, T, true>(x, cols, shift);
    }
    return row_sums<S, T, false, AboutMean>(x, cols, 0);
  };
  RowSums<S, T, AboutMean> sums;
  T shift = 0;
  for (std::size_t row = first; row < last; ++row) {
    const T* x = p.x + row * cols;
    T* y = p.y + row * cols;
    if (row == first) {
      shift = shift_of(x);
      sums = sum(x, shift);
    }
    Statistics<T> s = long_row_statistics<S>(x, cols, shift, sums, spread);
    const T* next = row + 1 < last ? x + cols : nullptr;
    if (next != nullptr) shift = shift_of(next);
    if (!s.known) {
      forward_scaled_group<S>(p, parameters, row, x, y);
    } else {
      save_statistics(p, row, s);
      const bool fused = kShifted || !AboutMean || (s.mean_lo == 0 && shift == 0);
      if (next != nullptr && fused) {
        sums = normalize_row_and_sum<S, T, AboutMean, Parts>(p, parameters, x, y, s, next, shift);
        continue;
      }
      normalize_row<S>(p, parameters, x, y, s);
    }
    if (next != nullptr) sums = sum(next, shift);
  }
}

// Rows of less than kShort floats, some at a time and step by step: what one row waits for, divisions and roots above all, the
// others fill.
template <simd::Simd S, bool AboutMean>
[[gnu::noinline]] void forward_short_rows(const Problem<float>& p, const Parameters<float>& parameters,
                                          std::size_t first, std::size_t last) {
  constexpr std::size_t kBatch = 16;
  constexpr Affine kFrequent = AboutMean ? Affine::both : Affine::gamma;
  const std::size_t cols = p.layout.cols;
  const Spread spread = spread_of<AboutMean>(p);
  const bool saves = p.mean != nullptr || p.rstd != nullptr || p.rms_scaling;
  const bool frequent = p.gamma != nullptr && (p.beta != nullptr) == AboutMean;
  float shift[kBatch] = {};
  RowSums<S, float, AboutMean> sums[kBatch];
  Statistics<float> statistics[kBatch];
  const float* x = p.x + first * cols;
  float* y = p.y + first * cols;
  for (; first < last; first += kBatch) {
    const std::size_t rows = last - first < kBatch ? last - first : kBatch;
    if constexpr (AboutMean) {
      for (std::size_t r = 0; r < rows; ++r) shift[r] = short_row_shift<S>(x + r * cols, cols);
    }
    for (std::size_t r = 0; r < rows; ++r) {
      sums[r] = row_sums_inline<S, float, AboutMean, AboutMean>(x + r * cols, cols, shift[r]);
    }
    for (std::size_t r = 0; r < rows; ++r) {
      statistics[r] = row_statistics<S>(x + r * cols, cols, shift[r], sums[r], spread);
    }
    for (std::size_t r = 0; r < rows; ++r, x += cols, y += cols) {
      Statistics<float> s = statistics[r];
      if (!s.known) {
        forward_scaled_group<S>(p, parameters, first + r, x, y);
        continue;
      }
      if (saves) save_statistics(p, first + r, s);
      if (frequent && s.mean_lo == 0) {
        const Normalizer<float, AboutMean, kFrequent> normalizer(x, y, parameters, s);
        simd::for_each_vector<typename S::F32, float>(
            cols, [=]<class W>(std::size_t i) { normalizer.template operator()<W>(i); });
      } else {
        normalize_row<S>(p, parameters, x, y, s);
      }
    }
  }
}

// Rows first .. last. Loops of their own for the frequent kinds of parameters, in float only.
template <simd::Simd S, class T>
void forward_rows(const Problem<T>& p, const Parameters<T>& parameters, std::size_t first, std::size_t last) {
  const bool about_mean = p.spread.is_about_mean();
  if constexpr (sizeof(T) == sizeof(float)) {
    if (p.layout.cols < kShort) {
      return about_mean ? forward_short_rows<S, true>(p, parameters, first, last)
                        : forward_short_rows<S, false>(p, parameters, first, last);
    }
    const int given = (p.gamma != nullptr) + (p.beta != nullptr);
    if (!about_mean) {
      return given == 0 ? forward_long_rows<S, T, false, Affine::none>(p, parameters, first, last)
                        : forward_long_rows<S, T, false, Affine::gamma>(p, parameters, first, last);
    }
    if (given == 0) return forward_long_rows<S, T, true, Affine::none>(p, parameters, first, last);
    if (given == 2) return forward_long_rows<S, T, true, Affine::both>(p, parameters, first, last);
  } else if (!about_mean) {
    return forward_long_rows<S, T, false, Affine::any>(p, parameters, first, last);
  }
  forward_long_rows<S, T, true, Affine::any>(p, parameters, first, last);
}

// ---- Columns: the innermost dimension is kept ----

// Columns that are normalized together: as many as stay in the caches between the passes, and 16 at least, which are a cache line
// of float. 256 at a time are up to twice as fast as 64; 512 would gain 8 % more for twice the stack.
template <class T>
std::size_t column_width(std::size_t cols) {
  constexpr std::size_t kBytes = 768 * 1024, kLeast = 16;
  const std::size_t width = kBytes / (cols * sizeof(T)) / kLeast * kLeast;
  return width < kLeast ? kLeast : (width > kMaxWidth ? kMaxWidth : width);
}

// y[i] = (x[i] - mean) * rstd * gamma[i] + beta[i] for all columns at a time. An absent gamma is 1, an absent beta -0: they leave
// every value as it is, so that no loop of its own is needed without them.
template <simd::Simd S, class T>
[[gnu::noinline]] void normalize_line(const T* x, T* y, const ColumnMoments<S, T>& columns, std::size_t width,
                                      T gamma, T beta) {
  const T *mean_hi = columns.mean_hi, *mean_lo = columns.mean_lo, *rstd = columns.rstd;
  simd::for_each_vector<simd::VectorOf<S, T>, T>(width, [=]<class W>(std::size_t c) {
    const W centred = (W::load(x + c) - W::load(mean_hi + c)) - W::load(mean_lo + c);
    (centred * W::load(rstd + c) * W::splat(gamma) + W::splat(beta)).store(y + c);
  });
}

// `width` <= kMaxWidth neighbouring groups; row is the number of the first.
template <simd::Simd S, class T>
void forward_chunk(const Problem<T>& p, const Parameters<T>& parameters, std::size_t row, const T* x, T* y,
                   std::size_t width) {
  ColumnMoments<S, T> columns(x, p.layout.reduced, p.layout.cols, width);
  const bool known = columns.find(p.spread);
  for (std::size_t c = 0; c < width; ++c) {
    if (!columns.known[c]) continue;
    Statistics<T> s{columns.mean_hi[c], columns.mean_lo[c], columns.rstd[c], true};
    save_statistics(p, row + c, s);
    columns.mean_hi[c] = s.mean_hi;
    columns.mean_lo[c] = s.mean_lo;
  }
  if (!known) {
    // In place, a group that needs its x once more must have it unchanged: so group by group.
    for (std::size_t c = 0; c < width; ++c) {
      if (columns.known[c]) {
        const Statistics<T> s{columns.mean_hi[c], columns.mean_lo[c], columns.rstd[c], true};
        normalize_group<S, T>(p, parameters, x + c, y + c, s, 1);
      } else {
        forward_scaled_group<S>(p, parameters, row + c, x + c, y + c);
      }
    }
    return;
  }
  Walk walk(p.layout.reduced);
  for (std::size_t i = 0; i < p.layout.cols; ++i, walk.advance()) {
    const std::size_t at = walk.offset();
    normalize_line<S>(x + at, y + at, columns, width, p.gamma != nullptr ? p.gamma[i] : T{1},
                      p.beta != nullptr ? p.beta[i] : -T{0});
  }
}

// The chunks of a tensor, numbered in the order of their groups.
template <class T>
class Chunks {
 public:
  explicit Chunks(const Layout& layout)
      : inner_(layout.kept.inner().size),
        outer_(layout.kept.without_inner()),
        width_(column_width<T>(layout.cols)),
        per_outer_((inner_ + width_ - 1) / width_) {}

  std::size_t count(const Layout& layout) const { return layout.rows / inner_ * per_outer_; }
  // Columns of all but the last ones.
  std::size_t width() const { return inner_ < width_ ? inner_ : width_; }

  // Calls visit(number of the first group, its offset, width) for chunks first .. last.
  template <class Visit>
  void for_each(std::size_t first, std::size_t last, Visit visit) const {
    Walk walk(outer_, first / per_outer_);
    std::size_t row = first / per_outer_ * inner_, c = first % per_outer_ * width_;
    for (std::size_t n = first; n < last; ++n) {
      visit(row + c, walk.offset() + c, inner_ - c < width_ ? inner_ - c : width_);
      c += width_;
      if (c < inner_) continue;
      c = 0;
      row += inner_;
      walk.advance();
    }
  }

 private:
  std::size_t inner_;
  Runs outer_;
  std::size_t width_;
  std::size_t per_outer_;
};

// ---- Driver: ranges of each, shared between threads ----

// In place, what a worker might leave half overwritten is copied to `saved` before, and back when it did: `width`
// neighbouring groups whose first one is at x.
template <class T>
void save_groups(const Problem<T>& p, T* x, std::size_t width, T* saved, bool restore) {
  Walk walk(p.layout.reduced);
  for (std::size_t i = 0; i < p.layout.cols; ++i, walk.advance(), saved += width) {
    T* line = x + walk.offset();
    __builtin_memcpy(restore ? line : saved, restore ? saved : line, width * sizeof(T));
  }
}

template <simd::Simd S, class T>
void run_rows(const Problem<T>& p, const Parameters<T>& parameters) {
  const std::size_t cols = p.layout.cols, bytes = cols * sizeof(T);
  for_each_range(
      Partition::of(p.layout.rows, cols),
      [&](std::size_t first, std::size_t last) { forward_rows<S>(p, parameters, first, last); },
      p.x == p.y ? bytes : 0,
      [&](std::size_t first, std::size_t last, std::byte* saved, bool restore) {
        std::byte* rows = reinterpret_cast<std::byte*>(p.y + first * cols);
        __builtin_memcpy(restore ? rows : saved, restore ? saved : rows, (last - first) * bytes);
      });
}

template <simd::Simd S, class T>
void run_columns(const Problem<T>& p, const Parameters<T>& parameters) {
  const Chunks<T> chunks(p.layout);
  const std::size_t elements = p.layout.cols * chunks.width();
  for_each_range(
      Partition::of(chunks.count(p.layout), elements),
      [&](std::size_t first, std::size_t last) {
        chunks.for_each(first, last, [&](std::size_t row, std::size_t at, std::size_t width) {
          forward_chunk<S>(p, parameters, row, p.x + at, p.y + at, width);
        });
      },
      p.x == p.y ? elements * sizeof(T) : 0,
      [&](std::size_t first, std::size_t last, std::byte* saved, bool restore) {
        T* to = reinterpret_cast<T*>(saved);
        chunks.for_each(first, last, [&](std::size_t, std::size_t at, std::size_t width) {
          save_groups(p, p.y + at, width, to, restore);
          to += elements;
        });
      });
}

template <simd::Simd S, class T>
void run_groups(const Problem<T>& p, const Parameters<T>& parameters) {
  const std::size_t cols = p.layout.cols;
  for_each_range(
      Partition::of(p.layout.rows, cols),
      [&](std::size_t first, std::size_t last) { forward_groups<S>(p, parameters, first, last); },
      p.x == p.y ? cols * sizeof(T) : 0,
      [&](std::size_t first, std::size_t last, std::byte* saved, bool restore) {
        T* to = reinterpret_cast<T*>(saved);
        Walk walk(p.layout.kept, first);
        for (std::size_t n = first; n < last; ++n, walk.advance(), to += cols) {
          save_groups(p, p.y + walk.offset(), 1, to, restore);
        }
      });
}

// Which kernel takes what, and what was measured (float32, the rows of bench/, Node 20 on an EPYC):
//   the innermost dimension alone is reduced:
//     float, D < 128    forward_short_rows    twice as fast as one row after the other at D = 64, even at 128, 0.9 at 192
//     otherwise         forward_long_rows     loops of their own for gamma with beta and for neither: 8 % each
//                                             and about zero, where half of the sums and the subtraction fall away
//   it is kept          run_columns           widths: see column_width
//   it is one of many   forward_groups        twice as fast as columns whose lanes are gathered
//   out of T's range    forward_scaled_group  whichever of these met the group hands it over
// Not inlined: its frame is large, and the call that tiles of 16-bit data come from would have one more of it.
template <simd::Simd S, class T>
[[gnu::noinline]] Status forward(const Normalize& args, const Layout& layout) {
  const Problem<T> p{layout,
                     args.spread,
                     args.rms_scaling,
                     static_cast<const T*>(args.x),
                     static_cast<const T*>(args.gamma),
                     static_cast<const T*>(args.beta),
                     static_cast<T*>(args.y),
                     static_cast<T*>(args.mean),
                     static_cast<T*>(args.rstd)};
  if (layout.cols == 0) {
    for (std::size_t row = 0; row < layout.rows; ++row) {
      if (p.mean != nullptr) p.mean[row] = static_cast<T>(__builtin_nan(""));
      if (p.rstd != nullptr) p.rstd[row] = static_cast<T>(__builtin_nan(""));
    }
    return Status::ok;
  }
  const Parameters<T> parameters(p);
  if (layout.is_rows()) {
    run_rows<S>(p, parameters);
  } else if (layout.kept.inner().stride == 1) {
    run_columns<S>(p, parameters);
  } else {
    run_groups<S>(p, parameters);
  }
  return Status::ok;
}

std::size_t forward_workspace_bytes(DType dtype, const Layout& layout) {
  return is_sixteen_bit(dtype) ? forward_sixteen_bit_workspace(layout) : 0;
}

Status check(const Normalize& args, Layout& layout) {
  const std::size_t size = dtype_size(args.dtype);
  if (size == 0) return Status::unknown_dtype;
  if (const Status status = collapse_axes(args.dims, args.axes, size, layout); status != Status::ok) {
    return status;
  }
  if (!(args.spread.epsilon >= 0 && args.spread.epsilon <= __DBL_MAX__)) return Status::invalid_epsilon;

  const std::size_t bytes = layout.rows * layout.cols * size,
                    of_parameter = dtype_size(parameter_dtype(args.dtype));
  std::size_t rows = 0, cols = 0;
  if (__builtin_mul_overflow(layout.rows, of_parameter, &rows) ||
      __builtin_mul_overflow(layout.cols, of_parameter, &cols)) {
    return Status::size_overflow;
  }
  if (bytes > 0 && (args.x == nullptr || args.y == nullptr)) return Status::null_data;
  const std::size_t workspace_bytes = forward_workspace_bytes(args.dtype, layout);
  if (workspace_bytes > 0 && (args.workspace == nullptr || args.workspace_bytes < workspace_bytes)) {
    return Status::small_workspace;
  }
  const Region workspace{workspace_bytes > 0 ? args.workspace : nullptr, args.workspace_bytes,
                         sizeof(double)};
  const Region inputs[] = {
      {args.x, bytes, size}, {args.gamma, cols, of_parameter}, {args.beta, cols, of_parameter}};
  const Output outputs[] = {{{args.y, bytes, size}, 0b001},
                            {{args.mean, rows, of_parameter}},
                            {{args.rstd, rows, of_parameter}},
                            {workspace}};
  return check_regions(inputs, outputs);
}

}  // namespace

std::size_t normalize_workspace(DType dtype, std::span<const std::uint32_t> dims, std::uint32_t axes) {
  Layout layout;
  const std::size_t size = dtype_size(dtype);
  if (size == 0 || collapse_axes(dims, axes, size, layout) != Status::ok) return 0;
  return forward_workspace_bytes(dtype, layout);
}

template <class S>
Status normalize_on(const Normalize& args) {
  Layout layout;
  if (const Status status = check(args, layout); status != Status::ok) return status;
  if (is_sixteen_bit(args.dtype)) return forward_sixteen_bit<S>(args, layout);
  return args.dtype == DType::float32 ? forward<S, float>(args, layout) : forward<S, double>(args, layout);
}

#define LAYERNORM_INSTANTIATE(S) template Status normalize_on<S>(const Normalize&);
LAYERNORM_FOR_EACH_SIMD(LAYERNORM_INSTANTIATE)
#undef LAYERNORM_INSTANTIATE

}  // namespace layernorm
