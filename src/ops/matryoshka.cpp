#include "ops/matryoshka.h"

#include <limits>

#include "core/overlap.h"
#include "ops/group_statistics.h"
#include "parallel/thread_pool.h"
#include "simd/build.h"
#include "simd/row_ops.h"

namespace layernorm {
namespace {

// The least norm of z that is divided by: the default of PyTorch's normalize.
constexpr double kLeastNorm = 1e-12;

// The arguments with the type that is computed in.
template <class T>
struct Problem {
  const Storage<T>& storage;
  std::size_t cols;
  std::size_t dimensions;
  double epsilon;
  Runs reduced;  // a row
  const void* x;
  void* y;
};

// Adds the elements first .. last of a row to sums, of which first is a multiple of kBlock: by the tree of ops/row_moments.h.
template <simd::Simd S, class T>
[[gnu::noinline]] void add_elements(const Problem<T>& p, const void* x, std::size_t first, std::size_t last,
                                    T shift, RowSums<S, T>& sums) {
  static_assert(Storage<T>::kBuffer % kBlock == 0);  // blocks do not depend on the type
  const auto splat = simd::VectorOf<S, T>::splat(shift);
  p.storage.read(p.storage.at(x, first), last - first,
                 [&](const T* elements, std::size_t count, std::size_t) {
                   std::size_t i = 0;
                   for (; i + kBlock <= count; i += kBlock)
                     sums.template add_block<true>(elements + i, splat);
                   if (i < count) sums.template add_tail<true>(elements + i, count - i, shift);
                 });
}

// The moments of all elements less `shift`, and of those that are kept.
template <simd::Simd S, class T>
struct RowMoments {
  RowMoments(const Problem<T>& p, const void* x, T its_shift) : shift(its_shift) {
    const std::size_t whole = p.dimensions / kBlock * kBlock;
    RowSums<S, T> sums;
    add_elements(p, x, 0, whole, shift, sums);
    RowSums<S, T> of_kept = sums;
    add_elements(p, x, whole, p.dimensions, shift, of_kept);
    add_elements(p, x, whole, p.cols, shift, sums);
    kept = of_kept.moments(p.dimensions, 0);
    all = sums.moments(p.cols, p.epsilon);
  }

  T shift;
  Moments kept;
  Moments all;
};

// The mean of (x - mean)^2 over the elements that are kept, of which `kept` are the moments about the shift that `mean` is told from;
// NaN where the squares about the shift say too little of it.
template <class T>
double kept_power(const Moments& kept, double mean, std::size_t dimensions) {
  const double apart = kept.mean - mean, power = kept.variance + apart * apart;
  const bool trusted = kept.mean * kept.mean <= max_mean_to_deviation(dimensions) * power &&
                       power >= TrustedRange<T>::min && power <= TrustedRange<T>::max;
  return trusted ? power : __builtin_nan("");
}

// The norm of z over the elements that are kept, where the squares of x - mean leave the range of T. Slow, and rare.
template <class T>
[[gnu::noinline]] double careful_norm(const Problem<T>& p, const void* x, const GroupStatistics<T>& s) {
  ExactSum squares;
  for_each_element(p.storage, x, p.reduced, p.dimensions, [&](double value) {
    const double deviation = (value * static_cast<double>(s.scale) - static_cast<double>(s.mean_hi)) -
                             static_cast<double>(s.mean_lo);
    const double z = deviation * s.rstd;
    squares.add(z * z);
  });
  return __builtin_sqrt(squares.value());
}

// What a row takes: y = ((x * scale - mean_hi) - mean_lo) * factor.
template <class T>
struct Kept {
  GroupStatistics<T> s;
  T factor;  // rstd / max(norm of z, 1e-12)
};

// The first pass over a row, and a second one over all of it or over what is kept only where the sums say in double that it takes
// that: as ops/row_moments.h does it.
template <simd::Simd S, class T>
[[gnu::noinline]] Kept<T> read_row(const Problem<T>& p, const void* x) {
  T first[kPeek];
  const std::size_t peek = p.cols < kPeek ? p.cols : kPeek;
  RowMoments<S, T> m(p, x, row_shift<S>(p.storage.load(x, peek, first), p.cols));
  const auto mean = [&] { return static_cast<T>(static_cast<double>(m.shift) + m.all.mean); };
  if (!m.all.trusted) m = RowMoments<S, T>(p, x, mean());
  double power = kept_power<T>(m.kept, m.all.mean, p.dimensions);
  if (m.all.trusted && !(power > 0)) {
    const T shift = mean();
    RowSums<S, T> sums;
    add_elements(p, x, 0, p.dimensions, shift, sums);
    const double rest = m.all.mean - (static_cast<double>(shift) - static_cast<double>(m.shift));
    power = kept_power<T>(sums.moments(p.dimensions, 0), rest, p.dimensions);
  }
  const GroupStatistics<T> s = m.all.trusted ? GroupStatistics<T>::about(m.shift, m.all, p.epsilon)
                                             : careful_statistics(p.storage, x, p.reduced, p.cols, p.epsilon);
  const double norm = m.all.trusted && power > 0
                          ? __builtin_sqrt(power * static_cast<double>(p.dimensions)) * s.rstd
                          : careful_norm(p, x, s);
  const double factor = s.rstd / (norm < kLeastNorm ? kLeastNorm : norm);  // NaN stays NaN
  // Of a constant row alone, which has nothing but zeros to multiply.
  constexpr T kMost = std::numeric_limits<T>::max();
  return {s, factor > static_cast<double>(kMost) ? kMost : static_cast<T>(factor)};
}

// The second pass, over what is kept. Terms that change nothing are left out.
template <simd::Simd S, class T, bool Plain>
[[gnu::noinline]] void write_row(const Problem<T>& p, const void* x, void* y, const Kept<T>& kept) {
  const auto [s, factor] = kept;
  p.storage.map(x, y, p.dimensions, [=](const T* from, T* to, std::size_t count, std::size_t) {
    simd::for_each_vector<simd::VectorOf<S, T>, T>(count, [=]<class W>(std::size_t i) {
      W v = W::load(from + i);
      if constexpr (!Plain) v = v * W::splat(s.scale);
      v = v - W::splat(s.mean_hi);
      if constexpr (!Plain) v = v - W::splat(s.mean_lo);
      (v * W::splat(factor)).store(to + i);
    });
  });
}

template <simd::Simd S, class T>
void forward_rows(const Problem<T>& p, std::size_t first, std::size_t last) {
  for (std::size_t row = first; row < last; ++row) {
    const void* const x = p.storage.at(p.x, row * p.cols);
    void* const y = p.storage.at(p.y, row * p.dimensions);
    const Kept<T> kept = read_row<S>(p, x);
    const bool plain = kept.s.scale == 1 && kept.s.mean_lo == 0;
    plain ? write_row<S, T, true>(p, x, y, kept) : write_row<S, T, false>(p, x, y, kept);
  }
}

Status check(const Matryoshka& args) {
  const std::size_t size = dtype_size(args.dtype);
  if (size == 0) return Status::unknown_dtype;
  std::size_t elements = 0, bytes = 0;
  if (__builtin_mul_overflow(args.rows, args.cols, &elements) ||
      __builtin_mul_overflow(elements, size, &bytes)) {
    return Status::size_overflow;
  }
  if (!(args.epsilon >= 0 && args.epsilon <= __DBL_MAX__)) return Status::invalid_epsilon;
  if (args.dimensions == 0 || args.dimensions > args.cols) return Status::invalid_dimensions;
  if (bytes > 0 && (args.x == nullptr || args.y == nullptr)) return Status::null_data;
  const Region inputs[] = {{args.x, bytes, size}};
  const Output outputs[] = {{{args.y, args.rows * args.dimensions * size, size}}};
  return check_regions(inputs, outputs);
}

}  // namespace

template <class S>
Status matryoshka_on(const Matryoshka& args) {
  if (const Status status = check(args); status != Status::ok) return status;
  with_storage<S>(args.dtype, [&]<class T>(const Storage<T>& storage) {
    Problem<T> p{storage, args.cols, args.dimensions, args.epsilon, {}, args.x, args.y};
    p.reduced.push_outer({args.cols, 1});
    for_each_range(
        Partition::of(args.rows, args.cols),
        [&](std::size_t first, std::size_t last) { forward_rows<S>(p, first, last); }, 0,
        [](std::size_t, std::size_t, std::byte*, bool) {});
  });
  return Status::ok;
}

Status matryoshka(const Matryoshka& args) { return matryoshka_on<simd::Default>(args); }

#define LAYERNORM_INSTANTIATE(S) template Status matryoshka_on<S>(const Matryoshka&);
LAYERNORM_FOR_EACH_SIMD(LAYERNORM_INSTANTIATE)
#undef LAYERNORM_INSTANTIATE

}  // namespace layernorm
