#include <cstddef>
#include <cstdint>

#include "core/layout.h"
#include "core/overlap.h"
#include "ops/layer_norm.h"
#include "ops/layer_norm_sixteen_bit.h"
#include "ops/moments.h"
#include "ops/parameter.h"
#include "simd/build.h"
#include "simd/row_ops.h"

namespace layernorm {
namespace {

// Groups whose dgamma and dbeta are summed in T before they go into double: the rounding error of 64
// additions.
inline constexpr std::size_t kGroupsPerSum = 64;

// Groups that are not rows are gathered to so many rows at a time: the elements of a cache line of float.
inline constexpr std::size_t kGathered = 16;

// The arguments with their element type, over merged dimensions.
template <class T>
struct Gradient {
  const Layout& layout;
  bool rms_scaling;
  const T* dy;
  const T* x;
  const T* mean;
  const T* rstd;
  const T* gamma;
  T* dx;
};

// What lies in the workspace, all of D elements: running sums of dgamma and dbeta, and rows that groups are
// gathered to.
template <class T>
class Workspace {
 public:
  // SIZE_MAX when it is more than can be addressed.
  static std::size_t bytes(const Layout& layout) {
    const std::size_t rows = layout.is_rows() ? 0 : 2 * gathered(layout);
    std::size_t bytes = 0;
    const std::size_t each = 2 * sizeof(double) + (2 + rows) * sizeof(T);
    return __builtin_mul_overflow(layout.cols, each, &bytes) ? SIZE_MAX : bytes;
  }
  // Groups that are gathered at a time.
  static std::size_t gathered(const Layout& layout) {
    return layout.rows < kGathered ? layout.rows : kGathered;
  }

  Workspace(void* data, const Layout& layout)
      : dgamma_total(static_cast<double*>(data)),
        dbeta_total(dgamma_total + layout.cols),
        dgamma(reinterpret_cast<T*>(dbeta_total + layout.cols)),
        dbeta(dgamma + layout.cols),
        dy_rows(dbeta + layout.cols),
        x_rows(dy_rows + gathered(layout) * layout.cols),
        cols_(layout.cols) {}

  void begin() {
    for (std::size_t i = 0; i < 2 * cols_; ++i) dgamma_total[i] = 0;
    for (std::size_t i = 0; i < 2 * cols_; ++i) dgamma[i] = 0;
  }
  // Moves the sums in T on to those in double.
  template <simd::Simd S>
  [[gnu::noinline]] void promote() {
    using V = simd::VectorOf<S, T>;
    using F64 = typename S::F64;
    const auto add = [](double* total, F64 value) { (F64::load(total) + value).store(total); };
    std::size_t i = 0;
    for (; i + V::lanes <= 2 * cols_; i += V::lanes) {
      const V sum = V::load(dgamma + i);
      if constexpr (V::lanes == 4) {
        add(dgamma_total + i, S::widen_low(sum));
        add(dgamma_total + i + 2, S::widen_high(sum));
      } else {
        add(dgamma_total + i, sum);
      }
      V::splat(0).store(dgamma + i);
    }
    for (; i < 2 * cols_; ++i) {
      dgamma_total[i] += static_cast<double>(dgamma[i]);
      dgamma[i] = 0;
    }
  }

  double* dgamma_total;
  double* dbeta_total;
  T* dgamma;
  T* dbeta;
  T* dy_rows;
  T* x_rows;

 private:
  std::size_t cols_;
};

// sum(g) and sum(g * h) of one row, by the tree of ops/moments.h.
template <simd::Simd S, class T>
struct RowGradientSums {
  RowTotal<S, T> g;
  RowTotal<S, T> gh;
};

// One row, or the quads of it that are whole: h = (x - mean) * rstd and g = dy * gamma are summed, and dy * h
// and dy added to dgamma and dbeta. `cols` is a multiple of a quad.
template <simd::Simd S, class T>
[[gnu::noinline]] void sum_quads(const T* dy, const T* x, const T* gamma, std::ptrdiff_t gamma_step,
                                 std::size_t cols, T mean, T rstd, T* dgamma, T* dbeta,
                                 RowGradientSums<S, T>& sums) {
  using V = simd::VectorOf<S, T>;
  constexpr std::size_t kQuad = 4 * V::lanes;
  const V mean_at = V::splat(mean), rstd_at = V::splat(rstd);
  RowGradientSums<S, T> row = sums;
  // Pointers that are moved first, as in RowSums::add_block: a fifth faster than an index.
  const std::ptrdiff_t gamma_quad = static_cast<std::ptrdiff_t>(kQuad) * gamma_step;
  dy -= kQuad, x -= kQuad, gamma -= gamma_quad, dgamma -= kQuad, dbeta -= kQuad;
  for (std::size_t quads = cols / kQuad; quads > 0;) {
    const std::size_t block = quads < kBlock / kQuad ? quads : kBlock / kQuad;
    V sum_g = V::splat(0), sum_gh = V::splat(0);
    LAYERNORM_NO_UNROLL
    for (std::size_t quad = 0; quad < block; ++quad) {
      dy += kQuad, x += kQuad, gamma += gamma_quad, dgamma += kQuad, dbeta += kQuad;
      V g[4], gh[4];
      LAYERNORM_UNROLL
      for (std::size_t j = 0; j < 4; ++j) {
        const std::size_t at = j * V::lanes;
        const V dy_at = V::load(dy + at), h = (V::load(x + at) - mean_at) * rstd_at;
        (V::load(dbeta + at) + dy_at).store(dbeta + at);
        (V::load(dgamma + at) + dy_at * h).store(dgamma + at);
        g[j] = dy_at * V::load(gamma + at);
        gh[j] = g[j] * h;
      }
      sum_g = sum_g + ((g[0] + g[1]) + (g[2] + g[3]));
      sum_gh = sum_gh + ((gh[0] + gh[1]) + (gh[2] + gh[3]));
    }
    quads -= block;
    row.g.add(sum_g);
    row.gh.add(sum_gh);
  }
  sums = row;
}

template <simd::Simd S, class T>
RowGradientSums<S, T> sum_row(const T* dy, const T* x, const Parameter<T>& gamma, std::size_t cols, T mean,
                              T rstd, T* dgamma, T* dbeta) {
  constexpr std::size_t kQuad = 4 * simd::VectorOf<S, T>::lanes;
  RowGradientSums<S, T> sums;
  const std::size_t whole = cols - cols % kQuad;
  sum_quads<S>(dy, x, gamma.data, gamma.step, whole, mean, rstd, dgamma, dbeta, sums);
  if (whole < cols) {
    // The last quad lacks elements: with dy = 0 there they add nothing to any sum.
    using V = simd::VectorOf<S, T>;
    const std::size_t rest = cols - whole;
    T last_dy[kQuad], last_x[kQuad], last_gamma[kQuad], last_dgamma[kQuad] = {}, last_dbeta[kQuad] = {};
    simd::copy_padded<V>(dy + whole, rest, V::splat(0), last_dy);
    simd::copy_padded<V>(x + whole, rest, V::splat(mean), last_x);  // h = 0: an infinite one would not vanish
    simd::copy_padded<V>(gamma.step == 0 ? gamma.data : gamma.data + whole, rest, V::splat(0), last_gamma);
    sum_quads<S>(last_dy, last_x, last_gamma, 1, kQuad, mean, rstd, last_dgamma, last_dbeta, sums);
    for (std::size_t j = 0; j < rest; ++j) {
      dgamma[whole + j] += last_dgamma[j];
      dbeta[whole + j] += last_dbeta[j];
    }
  }
  return sums;
}

// dx[i] = rstd * (g[i] + (x[i] - mean) * rstd * from_h + from_g): in this order all numbers are of ordinary size, whatever
// the size of x.
template <simd::Simd S, class T>
[[gnu::noinline]] void write_dx(const T* dy, const T* x, const Parameter<T>& parameter, T* dx,
                                std::size_t cols, T mean, T rstd, T from_h, T from_g) {
  using V = simd::VectorOf<S, T>;
  constexpr std::size_t kQuad = 4 * V::lanes;
  const auto write = [=]<class W>(const T* dy_at, const T* x_at, const T* gamma_at, T* dx_at) {
    const W g = W::load(dy_at) * W::load(gamma_at);
    const W h = (W::load(x_at) - W::splat(mean)) * W::splat(rstd);
    ((g + (h * W::splat(from_h) + W::splat(from_g))) * W::splat(rstd)).store(dx_at);
  };
  const T* gamma = parameter.data;
  const std::ptrdiff_t step = parameter.step;
  const std::ptrdiff_t gamma_quad = static_cast<std::ptrdiff_t>(kQuad) * step;
  dy -= kQuad, x -= kQuad, gamma -= gamma_quad, dx -= kQuad;
  LAYERNORM_NO_UNROLL
  for (std::size_t quads = cols / kQuad; quads > 0; --quads) {
    dy += kQuad, x += kQuad, gamma += gamma_quad, dx += kQuad;
    LAYERNORM_UNROLL
    for (std::size_t j = 0; j < kQuad; j += V::lanes)
      write.template operator()<V>(dy + j, x + j, gamma + j, dx + j);
  }
  dy += kQuad, x += kQuad, gamma += gamma_quad, dx += kQuad;
  for (std::size_t j = 0; j < cols % kQuad; ++j) {
    write.template operator()<simd::OneLane<T>>(dy + j, x + j, gamma + j, dx + j);
  }
}

// One group that lies in a row.
template <simd::Simd S, class T>
void backward_row(const Gradient<T>& a, const Parameter<T>& gamma, std::size_t row, const T* dy, const T* x,
                  T* dx, const Workspace<T>& workspace) {
  const std::size_t cols = a.layout.cols;
  const T mean = a.mean[row], rstd = a.rstd[row];
  // With rms_scaling h = x * rstd, but what the variance depends on still is x - mean.
  const auto sums =
      sum_row<S>(dy, x, gamma, cols, a.rms_scaling ? T{0} : mean, rstd, workspace.dgamma, workspace.dbeta);
  if (dx == nullptr) return;
  const double count = static_cast<double>(cols);
  const T from_h = static_cast<T>(-sums.gh.value() / count);
  const T from_g = a.rms_scaling ? T{0} : static_cast<T>(-sums.g.value() / count);
  write_dx<S>(dy, x, gamma, dx, cols, mean, rstd, from_h, from_g);
}

template <class T>
void gather(const T* from, const Layout& layout, T* row) {
  Pieces pieces(layout.reduced);
  pieces.next(layout.cols, [&](std::size_t offset, std::size_t stride, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) *row++ = from[offset + i * stride];
  });
}

template <class T>
void scatter(const T* row, const Layout& layout, T* to) {
  Pieces pieces(layout.reduced);
  pieces.next(layout.cols, [&](std::size_t offset, std::size_t stride, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) to[offset + i * stride] = *row++;
  });
}

template <simd::Simd S, class T>
void backward_groups(const Gradient<T>& a, std::size_t first_group, Workspace<T>& workspace) {
  const Layout& layout = a.layout;
  const Parameter<T> gamma(a.gamma, 1);
  const auto count_group = [&](std::size_t group) {
    if ((first_group + group + 1) % kGroupsPerSum == 0) workspace.template promote<S>();
  };
  if (layout.is_rows()) {
    for (std::size_t row = 0; row < layout.rows; ++row) {
      const std::size_t at = row * layout.cols;
      backward_row<S>(a, gamma, row, a.dy + at, a.x + at, a.dx == nullptr ? nullptr : a.dx + at, workspace);
      count_group(row);
    }
    return;
  }
  Walk walk(layout.kept);
  for (std::size_t group = 0; group < layout.rows; group += kGathered) {
    const std::size_t count = layout.rows - group < kGathered ? layout.rows - group : kGathered;
    std::size_t offsets[kGathered];
    for (std::size_t n = 0; n < count; ++n, walk.advance()) {
      offsets[n] = walk.offset();
      gather(a.dy + offsets[n], layout, workspace.dy_rows + n * layout.cols);
      gather(a.x + offsets[n], layout, workspace.x_rows + n * layout.cols);
    }
    for (std::size_t n = 0; n < count; ++n) {
      T* dy = workspace.dy_rows + n * layout.cols;
      const T* x = workspace.x_rows + n * layout.cols;
      backward_row<S>(a, gamma, group + n, dy, x, a.dx == nullptr ? nullptr : dy, workspace);
      if (a.dx != nullptr) scatter(dy, layout, a.dx + offsets[n]);
      count_group(group + n);
    }
  }
}

template <simd::Simd S, class T>
Status backward(const LayerNormBackward& args, const Layout& layout) {
  const Gradient<T> a{layout,
                      args.rms_scaling,
                      static_cast<const T*>(args.dy),
                      static_cast<const T*>(args.x),
                      static_cast<const T*>(args.mean),
                      static_cast<const T*>(args.rstd),
                      static_cast<const T*>(args.gamma),
                      static_cast<T*>(args.dx)};
  Workspace<T> workspace(args.workspace, layout);
  if (args.first_group == 0) workspace.begin();
  backward_groups<S>(a, args.first_group, workspace);
  if (args.last) {
    workspace.template promote<S>();
    T* dgamma = static_cast<T*>(args.dgamma);
    T* dbeta = static_cast<T*>(args.dbeta);
    for (std::size_t i = 0; i < layout.cols; ++i) {
      if (dgamma != nullptr) dgamma[i] = static_cast<T>(workspace.dgamma_total[i]);
      if (dbeta != nullptr) dbeta[i] = static_cast<T>(workspace.dbeta_total[i]);
    }
  }
  return Status::ok;
}

std::size_t workspace_bytes(DType dtype, const Layout& layout) {
  if (is_sixteen_bit(dtype)) return backward_sixteen_bit_workspace(layout);
  return dtype == DType::float32 ? Workspace<float>::bytes(layout) : Workspace<double>::bytes(layout);
}

Status check(const LayerNormBackward& args, Layout& layout) {
  const std::size_t size = dtype_size(args.dtype);
  if (size == 0) return Status::unknown_dtype;
  if (const Status status = collapse_axes(args.dims, args.axes, size, layout); status != Status::ok)
    return status;

  const std::size_t bytes = layout.rows * layout.cols * size,
                    of_parameter = dtype_size(parameter_dtype(args.dtype));
  std::size_t rows = 0, cols = 0;
  if (__builtin_mul_overflow(layout.rows, of_parameter, &rows) ||
      __builtin_mul_overflow(layout.cols, of_parameter, &cols)) {
    return Status::size_overflow;
  }
  const void* const needed[] = {args.dy, args.x, args.mean, args.rstd};
  for (const void* input : needed) {
    if (bytes > 0 && input == nullptr) return Status::null_data;
  }
  const Region workspace{args.workspace, args.workspace_bytes, sizeof(double)};
  if (!workspace.is_aligned()) return Status::misaligned_data;
  if (layout.cols > 0 &&
      (args.workspace == nullptr || args.workspace_bytes < workspace_bytes(args.dtype, layout))) {
    return Status::small_workspace;
  }
  const Region inputs[] = {{args.dy, bytes, size},
                           {args.x, bytes, size},
                           {args.mean, rows, of_parameter},
                           {args.rstd, rows, of_parameter},
                           {args.gamma, cols, of_parameter}};
  const Output outputs[] = {{{args.dx, bytes, size}, 0b00011},
                            {{args.dgamma, cols, of_parameter}},
                            {{args.dbeta, cols, of_parameter}},
                            {workspace}};
  return check_regions(inputs, outputs);
}

}  // namespace

std::size_t layer_norm_backward_workspace(DType dtype, std::span<const std::uint32_t> dims,
                                          std::uint32_t axes) {
  Layout layout;
  const std::size_t size = dtype_size(dtype);
  if (size == 0 || collapse_axes(dims, axes, size, layout) != Status::ok) return 0;
  return workspace_bytes(dtype, layout);
}

template <class S>
Status layer_norm_backward_on(const LayerNormBackward& args) {
  Layout layout;
  if (const Status status = check(args, layout); status != Status::ok) return status;
  if (is_sixteen_bit(args.dtype)) return backward_sixteen_bit<S>(args, layout);
  return args.dtype == DType::float32 ? backward<S, float>(args, layout) : backward<S, double>(args, layout);
}

Status layer_norm_backward(const LayerNormBackward& args) {
  return layer_norm_backward_on<simd::Default>(args);
}

#define LAYERNORM_INSTANTIATE(S) template Status layer_norm_backward_on<S>(const LayerNormBackward&);
LAYERNORM_FOR_EACH_SIMD(LAYERNORM_INSTANTIATE)
#undef LAYERNORM_INSTANTIATE

}  // namespace layernorm
