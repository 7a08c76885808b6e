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

// x - mean of the W::lanes elements at x; of x * scale where x would leave the range of T.
template <class W, class T>
[[gnu::always_inline]] inline W centred(const T* x, const GroupStatistics<T>& s) {
  return (W::load(x) * W::splat(s.scale) - W::splat(s.mean_hi)) - W::splat(s.mean_lo);
}

// The sum of (x - mean)^2 over the elements that are kept, by the tree of ops/row_moments.h.
template <simd::Simd S, class T>
[[gnu::noinline]] Moments kept_squares(const Problem<T>& p, const void* x, const GroupStatistics<T>& s) {
  static_assert(Storage<T>::kBuffer % kBlock == 0);  // blocks do not depend on the type
  using V = simd::VectorOf<S, T>;
  RowSums<S, T, false> sums;
  p.storage.read(x, p.dimensions, [&](const T* elements, std::size_t count, std::size_t) {
    T block[kBlock];
    for (std::size_t i = 0; i < count; i += kBlock) {
      const std::size_t n = count - i < kBlock ? count - i : kBlock;
      simd::for_each_vector<V, T>(
          n, [&]<class W>(std::size_t j) { centred<W>(elements + i + j, s).store(block + j); });
      sums.template add_tail<false>(block, n, 0);
    }
  });
  return sums.moments(p.dimensions, {0, Spread::Kind::norm});
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

// What x - mean is multiplied with: rstd / max(norm of z, 1e-12).
template <simd::Simd S, class T>
T factor_of(const Problem<T>& p, const void* x, const GroupStatistics<T>& s) {
  const Moments m = kept_squares<S>(p, x, s);
  const double norm = m.trusted ? __builtin_sqrt(m.variance) * s.rstd : careful_norm(p, x, s);
  const double factor = s.rstd / (norm < kLeastNorm ? kLeastNorm : norm);  // NaN stays NaN
  // Of a constant row alone, which has nothing but zeros to multiply.
  constexpr T kMost = std::numeric_limits<T>::max();
  return factor > static_cast<double>(kMost) ? kMost : static_cast<T>(factor);
}

template <simd::Simd S, class T>
void forward_rows(const Problem<T>& p, std::size_t first, std::size_t last) {
  using V = simd::VectorOf<S, T>;
  for (std::size_t row = first; row < last; ++row) {
    const void* const x = p.storage.at(p.x, row * p.cols);
    const GroupStatistics<T> s = piece_statistics<S>(p.storage, x, p.reduced, p.cols, p.epsilon);
    const T factor = factor_of<S>(p, x, s);
    p.storage.map(x, p.storage.at(p.y, row * p.dimensions), p.dimensions,
                  [&](const T* from, T* to, std::size_t count, std::size_t) {
                    simd::for_each_vector<V, T>(count, [=]<class W>(std::size_t i) {
                      (centred<W>(from + i, s) * W::splat(factor)).store(to + i);
                    });
                  });
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
