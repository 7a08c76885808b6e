#include "ops/spectral_norm.h"

#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/overlap.h"
#include "ops/row_moments.h"
#include "ops/storage.h"
#include "parallel/thread_pool.h"
#include "simd/build.h"
#include "simd/row_ops.h"

namespace layernorm {
namespace {

// Columns whose sums run side by side: their sums stay in the L1 cache, and 16-bit rows are widened in whole blocks.
constexpr std::size_t kWidth = 64;

// Rows that are added at a time: their products are added to each other before they are added to the sums.
constexpr std::size_t kRows = 4;

// ---- Four elements as float64, exactly ----

template <simd::Simd S>
struct Quad {
  typename S::F64 low, high;
};

template <simd::Simd S>
[[gnu::always_inline]] inline Quad<S> load_quad(const float* x) {
  const auto v = S::F32::load(x);
  return {S::widen_low(v), S::widen_high(v)};
}
template <simd::Simd S>
[[gnu::always_inline]] inline Quad<S> load_quad(const double* x) {
  return {S::F64::load(x), S::F64::load(x + 2)};
}

// ---- sum(a * b) over one row, in parts ----

// The tree: products of elements i and i + 8 are added to each other, so 8 lane sums result, which are added to one another, and last
// the 0 to 7 elements that are left. T = float: in float64. T = double: in compensated sums.
template <simd::Simd S, class T>
class Dot {
 public:
  // All parts but the last have a multiple of 8 elements.
  template <class A, class B>
  void add(const A* a, const B* b, std::size_t n) {
    std::size_t i = 0;
    for (; i + 8 <= n; i += 8) {
      const Quad<S> a0 = load_quad<S>(a + i), a1 = load_quad<S>(a + i + 4);
      const Quad<S> b0 = load_quad<S>(b + i), b1 = load_quad<S>(b + i + 4);
      sums_[0].add(a0.low * b0.low);
      sums_[1].add(a0.high * b0.high);
      sums_[2].add(a1.low * b1.low);
      sums_[3].add(a1.high * b1.high);
    }
    for (; i < n; ++i) add_two_sum(rest_, error_, static_cast<double>(a[i]) * static_cast<double>(b[i]));
  }
  double value() const {
    double total = rest_, error = error_;
    for (const WideSum<S, T>& sum : sums_) add_two_sum(total, error, sum.join());
    return total + error;
  }

 private:
  WideSum<S, T> sums_[4];
  double rest_ = 0, error_ = 0;
};

// ---- Vectors of float64, short beside the kernel ----

// A power of two that brings `largest` > 0 near 1, or the nearest to it that is a normal number and has a normal inverse.
double scale_for(double largest) {
  const int biased = static_cast<int>(std::bit_cast<std::uint64_t>(largest) >> 52);
  const int power = 1023 - biased, bounded = power > 1000 ? 1000 : (power < -1000 ? -1000 : power);
  return std::bit_cast<double>(static_cast<std::uint64_t>(bounded + 1023) << 52);
}

// The root of the sum of squares; NaN and infinities stay what they are.
double norm(const double* x, std::size_t n) {
  const auto sum_of_squares = [=](double scale) {
    double sum = 0, error = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double scaled = x[i] * scale;
      add_two_sum(sum, error, scaled * scaled);
    }
    return error == error ? sum + error : sum;  // beyond the range the error of an addition is NaN
  };
  const double squares = sum_of_squares(1);
  using Range = TrustedRange<double>;
  if (squares >= Range::min && squares <= Range::max) return __builtin_sqrt(squares);
  double largest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double size = __builtin_fabs(x[i]);
    if (!(size <= __DBL_MAX__)) return size;
    if (size > largest) largest = size;
  }
  if (largest == 0) return 0;
  const double scale = scale_for(largest);
  return __builtin_sqrt(sum_of_squares(scale)) / scale;
}

// x = x / max(|x|, epsilon). Returns |x| as it was before, times |x| as it is now: the sum of products of both.
double normalize(double* x, std::size_t n, double epsilon) {
  const double length = norm(x, n), divisor = length < epsilon ? epsilon : length;
  for (std::size_t i = 0; i < n; ++i) x[i] /= divisor;
  return length == divisor ? length : length * (length / divisor);
}

// ---- Both products with the kernel ----

template <class T>
bool is_zero_kernel(const Storage<T>& storage, const void* kernel, std::size_t count) {
  const auto all = [=](const auto* elements, auto is_zero) {
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_zero(elements[i])) return false;
    }
    return true;
  };
  if (storage.converts()) {
    return all(static_cast<const std::uint16_t*>(kernel),
               [](std::uint16_t bits) { return (bits & 0x7fff) == 0; });
  }
  return all(static_cast<const T*>(kernel), [](T w) { return w == 0; });
}

constexpr auto kNothingToSave = [](std::size_t, std::size_t, std::byte*, bool) {};

// v[row] = sum over the columns of W[row, col] * u[col]
template <simd::Simd S, class T>
void multiply_rows(const Storage<T>& storage, const void* kernel, std::size_t rows, std::size_t cols,
                   const double* u, double* v) {
  const auto work = [=, &storage](std::size_t first, std::size_t last) {
    for (std::size_t row = first; row < last; ++row) {
      Dot<S, T> dot;
      storage.read(storage.at(kernel, row * cols), cols,
                   [&](const T* w, std::size_t n, std::size_t at) { dot.add(w, u + at, n); });
      v[row] = dot.value();
    }
  };
  for_each_range(Partition::of(rows, cols), work, 0, kNothingToSave);
}

// The sums of up to kWidth columns, by rows in their order: T = float in float64, T = double compensated.
template <simd::Simd S, class T>
class ColumnSums {
  static constexpr bool kCompensated = sizeof(T) == sizeof(double);

 public:
  // Adds product(c), which takes vectors and single elements alike, to column c for every c < width.
  template <class Product>
  [[gnu::always_inline]] void add(std::size_t width, Product product) {
    using F64 = typename S::F64;
    std::size_t c = 0;
    for (; c + 4 <= width; c += 4) {
      const Quad<S> terms = product.quad(c);
      add_to<F64>(c, terms.low);
      add_to<F64>(c + 2, terms.high);
    }
    for (; c < width; ++c) {
      const double term = product.one(c);
      if constexpr (kCompensated) {
        add_two_sum(sum_[c], error_[c], term);
      } else {
        sum_[c] += term;
      }
    }
  }
  double value(std::size_t c) const { return kCompensated ? sum_[c] + error_[c] : sum_[c]; }

 private:
  template <class F64>
  [[gnu::always_inline]] void add_to(std::size_t c, F64 term) {
    F64 sum = F64::load(sum_ + c);
    if constexpr (kCompensated) {
      F64 error = F64::load(error_ + c);
      add_two_sum(sum, error, term);
      error.store(error_ + c);
    } else {
      sum = sum + term;
    }
    sum.store(sum_ + c);
  }

  double sum_[kWidth] = {};
  double error_[kCompensated ? kWidth : 1] = {};
};

// w0[c] * v[0], and (w0[c] * v[0] + w1[c] * v[1]) + (w2[c] * v[2] + w3[c] * v[3])
template <simd::Simd S, class T>
struct OneRow {
  const T* w;
  const double* v;

  [[gnu::always_inline]] Quad<S> quad(std::size_t c) const {
    const Quad<S> x = load_quad<S>(w + c);
    const auto factor = S::F64::splat(v[0]);
    return {x.low * factor, x.high * factor};
  }
  [[gnu::always_inline]] double one(std::size_t c) const { return static_cast<double>(w[c]) * v[0]; }
};
template <simd::Simd S, class T>
struct FourRows {
  OneRow<S, T> row[kRows];

  [[gnu::always_inline]] Quad<S> quad(std::size_t c) const {
    const Quad<S> a = row[0].quad(c), b = row[1].quad(c), d = row[2].quad(c), e = row[3].quad(c);
    return {(a.low + b.low) + (d.low + e.low), (a.high + b.high) + (d.high + e.high)};
  }
  [[gnu::always_inline]] double one(std::size_t c) const {
    return (row[0].one(c) + row[1].one(c)) + (row[2].one(c) + row[3].one(c));
  }
};

// u[col] = sum over the rows of v[row] * W[row, col]
template <simd::Simd S, class T>
void multiply_columns(const Storage<T>& storage, const void* kernel, std::size_t rows, std::size_t cols,
                      const double* v, double* u) {
  const auto work = [=, &storage](std::size_t first, std::size_t last) {
    T buffers[kRows][kWidth];
    for (std::size_t chunk = first; chunk < last; ++chunk) {
      const std::size_t start = chunk * kWidth, width = cols - start < kWidth ? cols - start : kWidth;
      const auto line = [&](std::size_t row, std::size_t n) -> OneRow<S, T> {
        return {storage.load(storage.at(kernel, row * cols + start), width, buffers[n]), v + row};
      };
      ColumnSums<S, T> sums;
      std::size_t row = 0;
      for (; row + kRows <= rows; row += kRows) {
        sums.add(width, FourRows<S, T>{{line(row, 0), line(row + 1, 1), line(row + 2, 2), line(row + 3, 3)}});
      }
      for (; row < rows; ++row) sums.add(width, line(row, 0));
      for (std::size_t c = 0; c < width; ++c) u[start + c] = sums.value(c);
    }
  };
  for_each_range(Partition::of((cols + kWidth - 1) / kWidth, rows * kWidth), work, 0, kNothingToSave);
}

// ---- Division by sigma ----

// 1 / sigma as two factors of T: a power of two, 1 unless the inverse would leave the range of T.
template <class T>
struct Inverse {
  T power;
  T rest;

  explicit Inverse(double sigma) {
    constexpr double kPower = sizeof(T) == sizeof(float) ? 0x1p100 : 0x1p900;
    const double size = __builtin_fabs(sigma);
    const double up = size < 1 / kPower ? kPower : (size > kPower ? 1 / kPower : 1);
    power = static_cast<T>(up);
    rest = static_cast<T>(1 / (sigma * up));
  }

  template <class W>
  [[gnu::always_inline]] W times(W x) const {
    return (x * W::splat(power)) * W::splat(rest);
  }
};

// Calls work(first, last) for ranges of rows that are written to y and read from x: copied before they are overwritten.
template <class Work>
void for_each_row_range(const void* x, void* y, std::size_t rows, std::size_t cols, std::size_t element_size,
                        Work work) {
  const std::size_t bytes = cols * element_size;
  for_each_range(Partition::of(rows, cols), work, x == y ? bytes : 0,
                 [=](std::size_t first, std::size_t last, std::byte* saved, bool restore) {
                   std::byte* at = static_cast<std::byte*>(y) + first * bytes;
                   __builtin_memcpy(restore ? at : saved, restore ? saved : at, (last - first) * bytes);
                 });
}

// y = W / sigma
template <simd::Simd S, class T>
void divide(const Storage<T>& storage, const void* kernel, void* y, std::size_t rows, std::size_t cols,
            double sigma) {
  const Inverse<T> inverse(sigma);
  const auto work = [=, &storage](std::size_t first, std::size_t last) {
    storage.map(storage.at(kernel, first * cols), storage.at(y, first * cols), (last - first) * cols,
                [&](const T* from, T* to, std::size_t n, std::size_t) {
                  simd::for_each_vector<simd::VectorOf<S, T>, T>(
                      n, [=]<class W>(std::size_t i) { inverse.times(W::load(from + i)).store(to + i); });
                });
  };
  for_each_row_range(kernel, y, rows, cols, storage.element_size(), work);
}

template <simd::Simd S, class T>  // T: the type of the parameters, too
void forward(const Storage<T>& storage, const SpectralNormForward& args) {
  const auto* given = static_cast<const T*>(args.u);
  const std::size_t rows = args.rows, cols = args.cols;
  double* const u = static_cast<double*>(args.workspace);
  double* const v = u + cols;
  double sigma = 1;
  for (std::size_t c = 0; c < cols; ++c) u[c] = static_cast<double>(given[c]);
  if (is_zero_kernel(storage, args.kernel, rows * cols)) {
    for (std::size_t row = 0; row < rows; ++row) v[row] = 0;
    const std::size_t bytes = rows * cols * storage.element_size();
    if (args.y != args.kernel && bytes > 0) __builtin_memcpy(args.y, args.kernel, bytes);
  } else {
    for (std::uint32_t n = 0; n < args.power_iterations; ++n) {
      multiply_rows<S>(storage, args.kernel, rows, cols, u, v);
      normalize(v, rows, args.epsilon);
      multiply_columns<S>(storage, args.kernel, rows, cols, v, u);
      sigma = normalize(u, cols, args.epsilon);
    }
    divide<S>(storage, args.kernel, args.y, rows, cols, sigma);
  }
  const auto save = [](const double* from, void* to, std::size_t n) {
    if (to == nullptr) return;
    for (std::size_t i = 0; i < n; ++i) static_cast<T*>(to)[i] = static_cast<T>(from[i]);
  };
  save(u, args.u_out, cols);
  save(v, args.v, rows);
  save(&sigma, args.sigma, 1);
}

// ---- The gradient ----

// sum(a * b): of each row by Dot, these sums in the order of the rows.
template <simd::Simd S, class T>
double product(const Storage<T>& storage, const void* a, const void* b, std::size_t rows, std::size_t cols,
               double* of_rows) {
  const auto work = [=, &storage](std::size_t first, std::size_t last) {
    for (std::size_t row = first; row < last; ++row) {
      Dot<S, T> dot;
      storage.read(storage.at(a, row * cols), storage.at(b, row * cols), cols,
                   [&](const T* x, const T* w, std::size_t n, std::size_t) { dot.add(x, w, n); });
      of_rows[row] = dot.value();
    }
  };
  for_each_range(Partition::of(rows, cols), work, 0, kNothingToSave);
  double sum = 0, error = 0;
  for (std::size_t row = 0; row < rows; ++row) add_two_sum(sum, error, of_rows[row]);
  return sum + error;
}

// dkernel = (dy - k * v u) / sigma, k = sum(dy * W) / sigma
template <simd::Simd S, class T>
void backward(const Storage<T>& storage, const SpectralNormBackward& args) {
  const auto* u = static_cast<const T*>(args.u);
  const auto* v = static_cast<const T*>(args.v);
  const std::size_t rows = args.rows, cols = args.cols;
  const double k =
      product<S>(storage, args.dy, args.kernel, rows, cols, static_cast<double*>(args.workspace)) /
      args.sigma;
  const Inverse<T> inverse(args.sigma);
  const auto work = [=, &storage, &args](std::size_t first, std::size_t last) {
    for (std::size_t row = first; row < last; ++row) {
      const T factor = static_cast<T>(static_cast<double>(v[row]) * k);
      storage.map(storage.at(args.dy, row * cols), storage.at(args.dkernel, row * cols), cols,
                  [&](const T* from, T* to, std::size_t n, std::size_t at) {
                    const T* along = u + at;
                    simd::for_each_vector<simd::VectorOf<S, T>, T>(n, [=]<class W>(std::size_t i) {
                      const W part = W::splat(factor) * W::load(along + i);
                      inverse.times(W::load(from + i) - part).store(to + i);
                    });
                  });
    }
  };
  for_each_row_range(args.dy, args.dkernel, rows, cols, storage.element_size(), work);
}

// ---- Checks ----

// What both calls have in common. Errors: unknown_dtype, size_overflow, small_workspace.
Status check_sizes(DType dtype, std::size_t rows, std::size_t cols, const void* workspace,
                   std::size_t workspace_bytes) {
  if (dtype_size(dtype) == 0) return Status::unknown_dtype;
  const std::size_t needed = spectral_norm_workspace(rows, cols);
  std::size_t bytes = 0;
  if (needed == SIZE_MAX || __builtin_mul_overflow(rows, cols, &bytes) ||
      __builtin_mul_overflow(bytes, dtype_size(dtype), &bytes)) {
    return Status::size_overflow;
  }
  if (needed > 0 && (workspace == nullptr || workspace_bytes < needed)) return Status::small_workspace;
  return Status::ok;
}

Status check(const SpectralNormForward& args) {
  if (const Status status =
          check_sizes(args.dtype, args.rows, args.cols, args.workspace, args.workspace_bytes);
      status != Status::ok) {
    return status;
  }
  if (!(args.epsilon >= 0 && args.epsilon <= __DBL_MAX__)) return Status::invalid_epsilon;
  if (args.power_iterations == 0) return Status::invalid_iterations;
  const std::size_t size = dtype_size(args.dtype), of_parameter = dtype_size(parameter_dtype(args.dtype)),
                    bytes = args.rows * args.cols * size, u_bytes = args.cols * of_parameter;
  if ((bytes > 0 && (args.kernel == nullptr || args.y == nullptr)) || (u_bytes > 0 && args.u == nullptr)) {
    return Status::null_data;
  }
  const Region inputs[] = {{args.kernel, bytes, size}, {args.u, u_bytes, of_parameter}};
  const Output outputs[] = {{{args.y, bytes, size}, 0b01},
                            {{args.u_out, u_bytes, of_parameter}, 0b10},
                            {{args.v, args.rows * of_parameter, of_parameter}},
                            {{args.sigma, of_parameter, of_parameter}},
                            {{args.workspace, args.workspace_bytes, sizeof(double)}}};
  return check_regions(inputs, outputs);
}

Status check(const SpectralNormBackward& args) {
  if (const Status status =
          check_sizes(args.dtype, args.rows, args.cols, args.workspace, args.workspace_bytes);
      status != Status::ok) {
    return status;
  }
  const std::size_t size = dtype_size(args.dtype), of_parameter = dtype_size(parameter_dtype(args.dtype)),
                    bytes = args.rows * args.cols * size;
  if (bytes > 0 && (args.dy == nullptr || args.kernel == nullptr || args.dkernel == nullptr ||
                    args.u == nullptr || args.v == nullptr)) {
    return Status::null_data;
  }
  const Region inputs[] = {{args.dy, bytes, size},
                           {args.kernel, bytes, size},
                           {args.u, args.cols * of_parameter, of_parameter},
                           {args.v, args.rows * of_parameter, of_parameter}};
  const Output outputs[] = {{{args.dkernel, bytes, size}, 0b0011},
                            {{args.workspace, args.workspace_bytes, sizeof(double)}}};
  return check_regions(inputs, outputs);
}

}  // namespace

std::size_t spectral_norm_workspace(std::size_t rows, std::size_t cols) {
  std::size_t bytes = 0;
  const bool overflows =
      __builtin_add_overflow(rows, cols, &bytes) || __builtin_mul_overflow(bytes, sizeof(double), &bytes);
  return overflows ? SIZE_MAX : bytes;
}

template <class S>
Status spectral_norm_forward_on(const SpectralNormForward& args) {
  if (const Status status = check(args); status != Status::ok) return status;
  with_storage<S>(args.dtype, [&]<class T>(const Storage<T>& storage) { forward<S>(storage, args); });
  return Status::ok;
}

template <class S>
Status spectral_norm_backward_on(const SpectralNormBackward& args) {
  if (const Status status = check(args); status != Status::ok) return status;
  if (args.rows == 0 || args.cols == 0) return Status::ok;
  with_storage<S>(args.dtype, [&]<class T>(const Storage<T>& storage) { backward<S>(storage, args); });
  return Status::ok;
}

Status spectral_norm_forward(const SpectralNormForward& args) {
  return spectral_norm_forward_on<simd::Default>(args);
}
Status spectral_norm_backward(const SpectralNormBackward& args) {
  return spectral_norm_backward_on<simd::Default>(args);
}

#define LAYERNORM_INSTANTIATE(S)                                           \
  template Status spectral_norm_forward_on<S>(const SpectralNormForward&); \
  template Status spectral_norm_backward_on<S>(const SpectralNormBackward&);
LAYERNORM_FOR_EACH_SIMD(LAYERNORM_INSTANTIATE)
#undef LAYERNORM_INSTANTIATE

}  // namespace layernorm
