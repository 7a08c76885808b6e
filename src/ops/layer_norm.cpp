#include "ops/layer_norm.h"

#include <cstddef>

#include "core/layout.h"
#include "core/overlap.h"
#include "ops/layer_norm_sixteen_bit.h"
#include "ops/moments.h"
#include "ops/parameter.h"
#include "simd/build.h"
#include "simd/row_ops.h"

namespace layernorm {
namespace {

// The arguments with their element type, over merged dimensions.
template <class T>
struct Problem {
  const Layout& layout;
  double epsilon;
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

// ---- One group whose numbers leave the range of T: in double, element by element ----

template <simd::Simd S, class T>
void exact_row(const Problem<T>& p, std::size_t row, const T* x, T* y) {
  ExactStatistics s = exact_statistics<S>(x, p.layout, p.epsilon);
  if (p.mean != nullptr) p.mean[row] = static_cast<T>(s.mean());
  if (p.rstd != nullptr) p.rstd[row] = static_cast<T>(s.unscaled_rstd());
  if (p.rms_scaling) s.mean_hi = s.mean_lo = 0;

  // y[i] = (x[i] - mean) * rstd * gamma[i] + beta[i]
  Walk walk(p.layout.reduced);
  for (std::size_t i = 0; i < p.layout.cols; ++i, walk.advance()) {
    const std::size_t at = walk.offset();
    double value = ((static_cast<double>(x[at]) * s.scale - s.mean_hi) - s.mean_lo) * s.rstd;
    if (p.gamma != nullptr) value *= p.gamma[i];
    if (p.beta != nullptr) value += p.beta[i];
    y[at] = static_cast<T>(value);
  }
}

// ---- Rows: the reduced dimensions are last ----

// Which parameters a loop applies. `any` serves every combination, 8 % slower: it keeps two more numbers in
// registers.
enum class Affine { none, both, any };

// What gamma and beta are in the loops. An absent gamma is 1, an absent beta -0: they leave every value as it
// is.
template <class T>
struct Parameters {
  explicit Parameters(const Problem<T>& p) : gamma(p.gamma, 1), beta(p.beta, -T{0}) {}

  Parameter<T> gamma;
  Parameter<T> beta;
};

// Walks a row: y[i] = (x[i] - mean) * rstd * gamma[i] + beta[i]. TwoTerm: mean is two numbers.
template <class T, bool TwoTerm, Affine Parts>
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
    gamma_ += Parts == Affine::any ? elements * gamma_step_ : elements;
    beta_ += Parts == Affine::any ? elements * beta_step_ : elements;
  }

  // The W::lanes elements from i on.
  template <class W>
  [[gnu::always_inline]] void operator()(std::size_t i) const {
    W v = W::load(x_ + i) - W::splat(s_.mean_hi);
    if constexpr (TwoTerm) v = v - W::splat(s_.mean_lo);
    v = v * W::splat(s_.rstd);
    if constexpr (Parts != Affine::none) v = v * W::load(gamma_ + i) + W::load(beta_ + i);
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

// Any row. A second term of 0 gives the bits of one term.
template <simd::Simd S, class T>
[[gnu::noinline]] void normalize_row(const Problem<T>& p, const Parameters<T>& parameters, const T* x, T* y,
                                     const Statistics<T>& s) {
  Normalizer<T, true, Affine::any> normalizer(x, y, parameters, s);
  std::size_t rest = p.layout.cols;
  for (; rest > 0; normalizer.advance(kBlock)) {
    const std::size_t n = rest < kBlock ? rest : kBlock;
    simd::for_each_vector<simd::VectorOf<S, T>, T>(
        n, [&]<class W>(std::size_t i) { normalizer.template operator()<W>(i); });
    rest -= n;
  }
}

// Normalizes a row and sums the next one in the same loop: the loads and additions of one fill the gaps that
// the other leaves, 10 to 30 % faster than two loops. One term of the mean is enough for float rows that get
// here.
template <simd::Simd S, class T, Affine Parts>
[[gnu::always_inline]] inline RowSums<S, T> normalize_row_and_sum(const Problem<T>& p,
                                                                  const Parameters<T>& parameters, const T* x,
                                                                  T* y, const Statistics<T>& s,
                                                                  const T* next) {
  using V = simd::VectorOf<S, T>;
  constexpr std::ptrdiff_t kQuad = 4 * V::lanes;
  Normalizer<T, sizeof(T) != sizeof(float), Parts> normalizer(x, y, parameters, s);
  const std::size_t cols = p.layout.cols;
  RowSums<S, T> sums;
  std::size_t i = 0;
  normalizer.advance(-kQuad);
  for (; i + kBlock <= cols; i += kBlock) {
    sums.template add_block<false>(next + i, V::splat(0), [&] {
      normalizer.advance(kQuad);
      LAYERNORM_UNROLL
      for (std::size_t j = 0; j < 4 * V::lanes; j += V::lanes) normalizer.template operator()<V>(j);
    });
  }
  normalizer.advance(kQuad);
  if (i < cols) {
    sums.template add_tail<false>(next + i, cols - i, 0);
    simd::for_each_vector<V, T>(cols - i,
                                [&]<class W>(std::size_t at) { normalizer.template operator()<W>(at); });
  }
  return sums;
}

template <simd::Simd S, class T, Affine Parts>
[[gnu::noinline]] void forward_rows(const Problem<T>& p, const Parameters<T>& parameters, std::size_t first,
                                    std::size_t last) {
  const std::size_t cols = p.layout.cols;
  RowSums<S, T> sums;
  for (std::size_t row = first; row < last; ++row) {
    const T* x = p.x + row * cols;
    const T* next = row + 1 < last ? x + cols : nullptr;
    T* y = p.y + row * cols;
    if (row == first) sums = row_sums<S, T, false>(x, cols, 0);
    Statistics<T> s = row_statistics<S>(x, cols, sums, p.epsilon);
    if (!s.exact) {
      exact_row<S>(p, row, x, y);
    } else {
      save_statistics(p, row, s);
      if (next != nullptr && (sizeof(T) != sizeof(float) || s.mean_lo == 0)) {
        sums = normalize_row_and_sum<S, T, Parts>(p, parameters, x, y, s, next);
        continue;
      }
      normalize_row<S>(p, parameters, x, y, s);
    }
    if (next != nullptr) sums = row_sums<S, T, false>(next, cols, 0);
  }
}

// Rows first .. last. Loops of their own for the frequent kinds of parameters, in float only.
template <simd::Simd S, class T>
void forward_rows(const Problem<T>& p, std::size_t first, std::size_t last) {
  const Parameters<T> parameters(p);
  if constexpr (sizeof(T) == sizeof(float)) {
    const int given = (p.gamma != nullptr) + (p.beta != nullptr);
    if (given == 0) return forward_rows<S, T, Affine::none>(p, parameters, first, last);
    if (given == 2) return forward_rows<S, T, Affine::both>(p, parameters, first, last);
  }
  forward_rows<S, T, Affine::any>(p, parameters, first, last);
}

// ---- Everything else: lanes are neighbours on the innermost kept dimension ----

// Columns that are summed together: a block of 64 elements of each is 16 KiB and stays in the L1 cache
// between the vectors of columns, so that memory is read line by line.
inline constexpr std::size_t kChunk = 64;

// `width` <= kChunk groups, `stride` elements apart; row is the number of the first.
template <simd::Simd S, class T>
class ColumnChunk {
  using V = simd::VectorOf<S, T>;
  static constexpr std::size_t kLanes = V::lanes;

 public:
  ColumnChunk(const Problem<T>& p, std::size_t row, std::size_t offset, std::size_t stride, std::size_t width)
      : p_(p), row_(row), x_(p.x + offset), y_(p.y + offset), stride_(stride), width_(width) {}

  void forward() {
    if constexpr (sizeof(T) == sizeof(float)) {
      if (sum<false>()) return finish();
    }
    // mean_hi_ is the shift: the mean of the first pass, or where that already was enough, unused.
    if constexpr (sizeof(T) == sizeof(double)) sum<false>();
    sum<true>();
    finish();
  }

 private:
  // Visits the reduced elements, at most kBlock at a time, as offsets from a group's first element.
  template <class Visit>
  void for_each_block(Visit visit) const {
    std::size_t offsets[kBlock];
    Walk walk(p_.layout.reduced);
    for (std::size_t i = 0; i < p_.layout.cols; i += kBlock) {
      const std::size_t n = p_.layout.cols - i < kBlock ? p_.layout.cols - i : kBlock;
      for (std::size_t j = 0; j < n; ++j, walk.advance()) offsets[j] = walk.offset();
      visit(i, offsets, n);
    }
  }

  // One pass over x; true when every group's statistics are known.
  template <bool Centred>
  [[gnu::noinline]] bool sum() {
    ColumnSums<S, T> sums[kChunk / kLanes];
    for_each_block([&](std::size_t, const std::size_t* offsets, std::size_t n) {
      for (std::size_t at = 0; at < width_; at += kLanes) {
        ColumnSums<S, T>& vector = sums[at / kLanes];
        const V shift = V::load(mean_hi_ + at);
        if (stride_ == 1 && at + kLanes <= width_) {
          vector.template add_block<Centred>(x_ + at, offsets, n, shift);
        } else {
          T gathered[kBlock * kLanes];
          std::size_t gathered_offsets[kBlock];
          gather(at, offsets, n, gathered, gathered_offsets);
          vector.template add_block<Centred>(gathered, gathered_offsets, n, shift);
        }
      }
    });
    bool known = true;
    for (std::size_t c = 0; c < width_; ++c) {
      if (Centred && known_[c]) continue;
      const Moments m = sums[c / kLanes].moments(c % kLanes, p_.layout.cols, p_.epsilon, Centred);
      Statistics<T> s = Statistics<T>::plain(m, p_.epsilon);
      if constexpr (Centred) s = Statistics<T>::about(mean_hi_[c], m, p_.epsilon);
      known_[c] = m.trusted && (Centred || sizeof(T) == sizeof(float));
      mean_hi_[c] = s.mean_hi;
      mean_lo_[c] = s.mean_lo;
      rstd_[c] = s.rstd;
      known &= known_[c];
    }
    return known;
  }

  // Lays the n elements at `offsets` of the groups from `at` on side by side; lanes beyond the last group are
  // 0.
  void gather(std::size_t at, const std::size_t* offsets, std::size_t n, T* gathered,
              std::size_t* gathered_offsets) const {
    for (std::size_t j = 0; j < n; ++j) {
      gathered_offsets[j] = j * kLanes;
      for (std::size_t l = 0; l < kLanes; ++l) {
        gathered[j * kLanes + l] = at + l < width_ ? x_[offsets[j] + (at + l) * stride_] : T{0};
      }
    }
  }

  void finish() {
    bool exact = true;
    for (std::size_t c = 0; c < width_; ++c) {
      Statistics<T> s{mean_hi_[c], mean_lo_[c], rstd_[c]};
      if (known_[c]) save_statistics(p_, row_ + c, s);
      mean_hi_[c] = s.mean_hi;
      mean_lo_[c] = s.mean_lo;
      exact &= known_[c];
    }
    if (exact) return normalize(0, width_);
    // In place, a group that needs its x once more must have it unchanged: so group by group.
    for (std::size_t c = 0; c < width_; ++c) {
      if (known_[c]) {
        normalize(c, 1);
      } else {
        exact_row<S>(p_, row_ + c, x_ + c * stride_, y_ + c * stride_);
      }
    }
  }

  // y[i] = (x[i] - mean) * rstd * gamma[i] + beta[i] for `count` columns from `first` on. An absent gamma is
  // 1, an absent beta -0: they leave every value as it is, so that no loop of its own is needed without them.
  void normalize(std::size_t first, std::size_t count) const {
    for_each_block([&](std::size_t i, const std::size_t* offsets, std::size_t n) {
      for (std::size_t j = 0; j < n; ++j) {
        const T gamma = p_.gamma != nullptr ? p_.gamma[i + j] : T{1};
        const T beta = p_.beta != nullptr ? p_.beta[i + j] : -T{0};
        const auto normalize_at = [&]<class W>(std::size_t column) {
          const std::size_t c = first + column, at = offsets[j] + c * stride_;
          const W centred = (W::load(x_ + at) - W::load(mean_hi_ + c)) - W::load(mean_lo_ + c);
          (centred * W::load(rstd_ + c) * W::splat(gamma) + W::splat(beta)).store(y_ + at);
        };
        std::size_t column = 0;
        if (stride_ == 1) {
          for (; column + kLanes <= count; column += kLanes) normalize_at.template operator()<V>(column);
        }
        for (; column < count; ++column) normalize_at.template operator()<simd::OneLane<T>>(column);
      }
    });
  }

  const Problem<T>& p_;
  std::size_t row_;
  const T* x_;
  T* y_;
  std::size_t stride_;
  std::size_t width_;
  T mean_hi_[kChunk] = {};
  T mean_lo_[kChunk] = {};
  T rstd_[kChunk] = {};
  bool known_[kChunk] = {};
};

template <simd::Simd S, class T>
void forward_columns(const Problem<T>& p) {
  const Run inner = p.layout.kept.inner();
  const Runs outer = p.layout.kept.without_inner();
  Walk walk(outer);
  for (std::size_t row = 0; row < p.layout.rows; row += inner.size, walk.advance()) {
    for (std::size_t c = 0; c < inner.size; c += kChunk) {
      const std::size_t width = inner.size - c < kChunk ? inner.size - c : kChunk;
      ColumnChunk<S, T>(p, row + c, walk.offset() + c * inner.stride, inner.stride, width).forward();
    }
  }
}

// ---- Driver ----

template <simd::Simd S, class T>
Status forward(const LayerNormForward& args, const Layout& layout) {
  const Problem<T> p{layout,
                     args.epsilon,
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
  } else if (layout.is_rows()) {
    forward_rows<S>(p, 0, layout.rows);
  } else {
    forward_columns<S>(p);
  }
  return Status::ok;
}

std::size_t forward_workspace_bytes(DType dtype, const Layout& layout) {
  return is_sixteen_bit(dtype) ? forward_sixteen_bit_workspace(layout) : 0;
}

Status check(const LayerNormForward& args, Layout& layout) {
  const std::size_t size = dtype_size(args.dtype);
  if (size == 0) return Status::unknown_dtype;
  if (const Status status = collapse_axes(args.dims, args.axes, size, layout); status != Status::ok) {
    return status;
  }
  if (!(args.epsilon >= 0 && args.epsilon <= __DBL_MAX__)) return Status::invalid_epsilon;

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

std::size_t layer_norm_forward_workspace(DType dtype, std::span<const std::uint32_t> dims,
                                         std::uint32_t axes) {
  Layout layout;
  const std::size_t size = dtype_size(dtype);
  if (size == 0 || collapse_axes(dims, axes, size, layout) != Status::ok) return 0;
  return forward_workspace_bytes(dtype, layout);
}

template <class S>
Status layer_norm_forward_on(const LayerNormForward& args) {
  Layout layout;
  if (const Status status = check(args, layout); status != Status::ok) return status;
  if (is_sixteen_bit(args.dtype)) return forward_sixteen_bit<S>(args, layout);
  return args.dtype == DType::float32 ? forward<S, float>(args, layout) : forward<S, double>(args, layout);
}

Status layer_norm_forward(const LayerNormForward& args) { return layer_norm_forward_on<simd::Default>(args); }

#define LAYERNORM_INSTANTIATE(S) template Status layer_norm_forward_on<S>(const LayerNormForward&);
LAYERNORM_FOR_EACH_SIMD(LAYERNORM_INSTANTIATE)
#undef LAYERNORM_INSTANTIATE

}  // namespace layernorm
