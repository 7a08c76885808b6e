// The gradient of one group that lies in a row: its sums, and dx.
#pragma once

#include <cstddef>

#include "ops/parameter.h"
#include "ops/row_moments.h"
#include "ops/spread.h"
#include "simd/row_ops.h"
#include "simd/unroll.h"

namespace layernorm {

// Adds `count` sums in T to those in double.
template <simd::Simd S, class T>
[[gnu::noinline]] void promote(const T* sums, std::size_t count, double* total) {
  using V = simd::VectorOf<S, T>;
  using F64 = typename S::F64;
  const auto add = [](double* to, F64 value) { (F64::load(to) + value).store(to); };
  std::size_t i = 0;
  for (; i + V::lanes <= count; i += V::lanes) {
    const V sum = V::load(sums + i);
    if constexpr (V::lanes == 4) {
      add(total + i, S::widen_low(sum));
      add(total + i + 2, S::widen_high(sum));
    } else {
      add(total + i, sum);
    }
  }
  for (; i < count; ++i) total[i] += static_cast<double>(sums[i]);
}

// sum(g) and sum(g * h) of one row, by the tree of ops/row_moments.h.
template <simd::Simd S, class T>
struct RowGradientSums {
  RowTotal<S, T> g;
  RowTotal<S, T> gh;
};

// Which parameters there can be: a norm has none, a mean square no beta.
using Kind = Spread::Kind;
constexpr bool has_gamma(Kind kind) { return kind != Kind::norm; }
constexpr bool has_beta(Kind kind) { return kind == Kind::deviation; }

// One row, or the quads of it that are whole: h = (x - mean) * rstd and g = dy * gamma are summed, and dy * h
// and dy added to dgamma and dbeta. `cols` is a multiple of a quad.
template <Kind Of, simd::Simd S, class T>
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
        if constexpr (has_beta(Of)) (V::load(dbeta + at) + dy_at).store(dbeta + at);
        if constexpr (has_gamma(Of)) (V::load(dgamma + at) + dy_at * h).store(dgamma + at);
        g[j] = dy_at * V::load(gamma + at);
        gh[j] = g[j] * h;
      }
      if constexpr (Of == Kind::deviation) sum_g = sum_g + ((g[0] + g[1]) + (g[2] + g[3]));
      sum_gh = sum_gh + ((gh[0] + gh[1]) + (gh[2] + gh[3]));
    }
    quads -= block;
    if constexpr (Of == Kind::deviation) row.g.add(sum_g);
    row.gh.add(sum_gh);
  }
  sums = row;
}

template <Kind Of, simd::Simd S, class T>
RowGradientSums<S, T> sum_row(const T* dy, const T* x, const Parameter<T>& gamma, std::size_t cols, T mean,
                              T rstd, T* dgamma, T* dbeta) {
  constexpr std::size_t kQuad = 4 * simd::VectorOf<S, T>::lanes;
  RowGradientSums<S, T> sums;
  const std::size_t whole = cols - cols % kQuad;
  sum_quads<Of, S>(dy, x, gamma.data, gamma.step, whole, mean, rstd, dgamma, dbeta, sums);
  if (whole < cols) {
    // The last quad lacks elements: with dy = 0 there they add nothing to any sum.
    using V = simd::VectorOf<S, T>;
    const std::size_t rest = cols - whole;
    T last_dy[kQuad], last_x[kQuad], last_gamma[kQuad], last_dgamma[kQuad] = {}, last_dbeta[kQuad] = {};
    simd::copy_padded<V>(dy + whole, rest, V::splat(0), last_dy);
    simd::copy_padded<V>(x + whole, rest, V::splat(mean), last_x);  // h = 0: an infinite one would not vanish
    simd::copy_padded<V>(gamma.step == 0 ? gamma.data : gamma.data + whole, rest, V::splat(0), last_gamma);
    sum_quads<Of, S>(last_dy, last_x, last_gamma, 1, kQuad, mean, rstd, last_dgamma, last_dbeta, sums);
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

}  // namespace layernorm
