#include "ops/skip_layer_norm.h"

#include <array>
#include <cstdint>

#include "core/overlap.h"
#include "ops/normalize.h"
#include "ops/tiles.h"
#include "parallel/thread_pool.h"
#include "simd/build.h"
#include "simd/row_ops.h"
#include "simd/sixteen_bit.h"

namespace layernorm {
namespace {

// Rows are added up and then normalized this much at a time, at least one: the sum is still in the cache when it is read again, and
// a call of the normalization costs little beside it.
constexpr std::size_t kBlockBytes = 32 * 1024;

std::size_t rows_of(std::size_t elements, const SkipLayerNorm& args) {
  const std::size_t wanted = elements / args.cols, most = wanted < 1 ? 1 : wanted;
  return most < args.rows ? most : args.rows;
}

template <class T>
T* at_row(T* data, std::size_t row, std::size_t cols) {
  return data == nullptr ? nullptr : data + row * cols;
}

// Normalizes `rows` rows of the sum, of which the first has the number `row`: P is the type of parameters and statistics.
template <simd::Simd S, class P>
void normalize_rows(const SkipLayerNorm& args, DType dtype, std::size_t row, std::size_t rows, const P* sum,
                    P* y) {
  const std::array dims = {static_cast<std::uint32_t>(rows), static_cast<std::uint32_t>(args.cols)};
  Normalize part{
      .dtype = dtype,
      .dims = dims,
      .axes = 0b10,
      .spread = {args.epsilon, args.rms ? Spread::Kind::mean_square : Spread::Kind::deviation},
      .x = sum,
      .gamma = args.gamma,
      .y = y,
      .rstd = at_row(static_cast<P*>(args.rstd), row, 1),
  };
  if (!args.rms) {
    part.beta = args.beta;
    part.mean = at_row(static_cast<P*>(args.mean), row, 1);
  }
  // Everything has been checked.
  [[maybe_unused]] const Status status = normalize_on<S>(part);
}

// Calls visit(row, number of its row of skip, rows) for all rows from `row` on, as many at a time as follow each other in skip.
template <class Visit>
void for_each_run(const SkipLayerNorm& args, std::size_t row, std::size_t rows, Visit visit) {
  std::size_t from = (args.first_row % args.skip_rows + row) % args.skip_rows;
  for (std::size_t done = 0; done < rows; from = 0) {
    const std::size_t left = rows - done, rest = args.skip_rows - from, n = left < rest ? left : rest;
    visit(row + done, from, n);
    done += n;
  }
}

// ---- float32 and float64 ----

// sum[i] = x[i] + skip[i], or (x[i] + skip[i]) + bias[i]; sum may be x.
template <simd::Simd S, class T>
void add(const T* x, const T* skip, const T* bias, T* sum, std::size_t rows, std::size_t cols) {
  using V = simd::VectorOf<S, T>;
  if (bias == nullptr) {
    simd::for_each_vector<V, T>(
        rows * cols, [=]<class W>(std::size_t i) { (W::load(x + i) + W::load(skip + i)).store(sum + i); });
    return;
  }
  for (std::size_t row = 0; row < rows; ++row, x += cols, skip += cols, sum += cols) {
    simd::for_each_vector<V, T>(cols, [=]<class W>(std::size_t i) {
      (W::load(x + i) + W::load(skip + i) + W::load(bias + i)).store(sum + i);
    });
  }
}

template <simd::Simd S, class T>
void forward(const SkipLayerNorm& args) {
  const std::size_t cols = args.cols, step = rows_of(kBlockBytes / sizeof(T), args);
  const T* const x = static_cast<const T*>(args.x);
  const T* const skip = static_cast<const T*>(args.skip);
  const T* const bias = static_cast<const T*>(args.bias);
  T* const y = static_cast<T*>(args.y);
  // A sum that is not kept lies in y until it is normalized.
  T* const sum = args.sum == nullptr ? y : static_cast<T*>(args.sum);
  T* const overwritten = x == y ? y : sum;
  for_each_range(
      Partition::of(args.rows, cols),
      [&](std::size_t first, std::size_t last) {
        for (std::size_t row = first; row < last; row += step) {
          const std::size_t rows = last - row < step ? last - row : step;
          for_each_run(args, row, rows, [&](std::size_t to, std::size_t from, std::size_t n) {
            add<S>(x + to * cols, skip + from * cols, bias, sum + to * cols, n, cols);
          });
          normalize_rows<S>(args, args.dtype, row, rows, sum + row * cols, y + row * cols);
        }
      },
      x == overwritten ? cols * sizeof(T) : 0,
      [&](std::size_t first, std::size_t last, std::byte* saved, bool restore) {
        std::byte* rows = reinterpret_cast<std::byte*>(overwritten + first * cols);
        __builtin_memcpy(restore ? rows : saved, restore ? saved : rows, (last - first) * cols * sizeof(T));
      });
}

// ---- float16 and bfloat16: the sum is float32, a tile of it at a time in the workspace ----

template <simd::Simd S>
void forward_sixteen_bit(const SkipLayerNorm& args) {
  constexpr std::size_t kWidened = 512;  // elements of skip at a time: 2 KiB of float32
  const std::size_t cols = args.cols, step = rows_of(kTileElements, args);
  const auto* const x = static_cast<const std::uint16_t*>(args.x);
  const auto* const skip = static_cast<const std::uint16_t*>(args.skip);
  const auto* const bias = static_cast<const float*>(args.bias);
  auto* const y = static_cast<std::uint16_t*>(args.y);
  auto* const kept = static_cast<std::uint16_t*>(args.sum);
  float* const sum = static_cast<float*>(args.workspace);
  const simd::Widen widen = simd::widen<S>(args.dtype);
  const simd::Narrow narrow = simd::narrow<S>(args.dtype);
  for (std::size_t row = 0; row < args.rows; row += step) {
    const std::size_t rows = args.rows - row < step ? args.rows - row : step, elements = rows * cols;
    simd::convert(widen, x + row * cols, elements, sum);
    for_each_run(args, row, rows, [&](std::size_t to, std::size_t from, std::size_t n) {
      float widened[kWidened];
      float* at = sum + (to - row) * cols;
      for (std::size_t i = 0; i < n * cols; i += kWidened) {
        const std::size_t count = n * cols - i < kWidened ? n * cols - i : kWidened;
        simd::convert(widen, skip + from * cols + i, count, widened);
        add<S, float>(at + i, widened, nullptr, at + i, 1, count);
      }
      for (std::size_t r = 0; bias != nullptr && r < n; ++r, at += cols) {
        add<S, float>(at, bias, nullptr, at, 1, cols);
      }
    });
    if (kept != nullptr) simd::convert(narrow, static_cast<const float*>(sum), elements, kept + row * cols);
    normalize_rows<S>(args, DType::float32, row, rows, static_cast<const float*>(sum), sum);
    simd::convert(narrow, static_cast<const float*>(sum), elements, y + row * cols);
  }
}

// ---- Driver ----

// Bytes of a product; false when it is more than can be addressed.
bool multiply(std::size_t a, std::size_t b, std::size_t c, std::size_t& product) {
  return !__builtin_mul_overflow(a, b, &product) && !__builtin_mul_overflow(product, c, &product);
}

Status check(const SkipLayerNorm& args) {
  const std::size_t size = dtype_size(args.dtype), of_parameter = dtype_size(parameter_dtype(args.dtype));
  if (size == 0) return Status::unknown_dtype;
  std::size_t bytes = 0, skip_bytes = 0, row_bytes = 0, parameter_bytes = 0;
  if (args.cols > UINT32_MAX || !multiply(args.rows, args.cols, size, bytes) ||
      !multiply(args.skip_rows, args.cols, size, skip_bytes) ||
      !multiply(args.rows, 1, of_parameter, row_bytes) ||
      !multiply(args.cols, 1, of_parameter, parameter_bytes)) {
    return Status::size_overflow;
  }
  if (!(args.epsilon >= 0 && args.epsilon <= __DBL_MAX__)) return Status::invalid_epsilon;
  if (bytes > 0 && (args.x == nullptr || args.y == nullptr)) return Status::null_data;
  if (bytes > 0 && (args.skip == nullptr || args.skip_rows == 0)) return Status::invalid_skip;
  const std::size_t workspace_bytes = skip_layer_norm_workspace(args.dtype, args.rows, args.cols);
  if (workspace_bytes > 0 && (args.workspace == nullptr || args.workspace_bytes < workspace_bytes)) {
    return Status::small_workspace;
  }
  const Region workspace{workspace_bytes > 0 ? args.workspace : nullptr, args.workspace_bytes,
                         sizeof(double)};
  const Region inputs[] = {{args.x, bytes, size},
                           {args.skip, skip_bytes, size},
                           {args.bias, parameter_bytes, of_parameter},
                           {args.gamma, parameter_bytes, of_parameter},
                           {args.rms ? nullptr : args.beta, parameter_bytes, of_parameter}};
  const Output outputs[] = {{{args.y, bytes, size}, 0b1},
                            {{args.sum, bytes, size}, 0b1},
                            {{args.rms ? nullptr : args.mean, row_bytes, of_parameter}},
                            {{args.rstd, row_bytes, of_parameter}},
                            {workspace}};
  return check_regions(inputs, outputs);
}

// Rows of no elements have statistics all the same: 0 / 0.
template <class P>
void fill_nan(void* statistics, std::size_t rows) {
  for (std::size_t row = 0; statistics != nullptr && row < rows; ++row) {
    static_cast<P*>(statistics)[row] = static_cast<P>(__builtin_nan(""));
  }
}

template <class P>
void fill_empty(const SkipLayerNorm& args) {
  fill_nan<P>(args.rms ? nullptr : args.mean, args.rows);
  fill_nan<P>(args.rstd, args.rows);
}

}  // namespace

std::size_t skip_layer_norm_workspace(DType dtype, std::size_t rows, std::size_t cols) {
  if (!is_sixteen_bit(dtype) || rows == 0 || cols == 0) return 0;
  const std::size_t wanted = kTileElements / cols, most = wanted < 1 ? 1 : wanted;
  std::size_t bytes = 0;
  return multiply(most < rows ? most : rows, cols, sizeof(float), bytes) ? bytes : SIZE_MAX;
}

template <class S>
Status skip_layer_norm_on(const SkipLayerNorm& args) {
  if (const Status status = check(args); status != Status::ok) return status;
  const bool is_double = args.dtype == DType::float64;
  if (args.rows == 0 || args.cols == 0) {
    is_double ? fill_empty<double>(args) : fill_empty<float>(args);
  } else if (is_sixteen_bit(args.dtype)) {
    forward_sixteen_bit<S>(args);
  } else {
    is_double ? forward<S, double>(args) : forward<S, float>(args);
  }
  return Status::ok;
}

Status skip_layer_norm(const SkipLayerNorm& args) { return skip_layer_norm_on<simd::Default>(args); }

#define LAYERNORM_INSTANTIATE(S) template Status skip_layer_norm_on<S>(const SkipLayerNorm&);
LAYERNORM_FOR_EACH_SIMD(LAYERNORM_INSTANTIATE)
#undef LAYERNORM_INSTANTIATE

}  // namespace layernorm
