// Group and batch normalization on vectors of numbers, in any type.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "ops/batch_norm.h"
#include "ops/group_norm.h"
#include "reference/channel_norm_reference.h"
#include "reference/layer_norm_reference.h"
#include "simd/sixteen_bit.h"
#include "support/call.h"
#include "support/random.h"

namespace layernorm::test {

// Double for float, long double for double.
template <class T>
using Wider = std::conditional_t<sizeof(T) == sizeof(double), long double, double>;

template <class T>
std::vector<T> normal_numbers(std::size_t count, std::uint64_t seed, double offset = 0, double scale = 1) {
  Random random(seed);
  std::vector<T> values(count);
  for (T& value : values) value = static_cast<T>(offset + scale * random.normal());
  return values;
}

template <class T>
double worst_error(const std::vector<T>& actual, const std::vector<Wider<T>>& expected) {
  double worst = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    worst = std::fmax(worst, ulp_error(actual[i], expected[i]));
  }
  return worst;
}

using Bits = std::vector<std::uint16_t>;

template <class S>
Bits narrowed(DType dtype, const std::vector<float>& values) {
  Bits bits(values.size());
  simd::convert(simd::narrow<S>(dtype), values.data(), values.size(), bits.data());
  return bits;
}

template <class S>
std::vector<float> widened(DType dtype, const Bits& bits) {
  std::vector<float> values(bits.size());
  simd::convert(simd::widen<S>(dtype), bits.data(), bits.size(), values.data());
  return values;
}

template <class T, class P = T>
struct ChannelCall {
  ChannelShape shape;
  std::vector<T> x;
  std::vector<P> gamma = {};
  std::vector<P> beta = {};
  double epsilon = 1e-3;
  DType dtype = dtype_of<T>;
};

template <class T, class P = T>
struct ChannelResult {
  std::vector<T> y;
  std::vector<P> mean, rstd;
};

template <class P>
const void* data_or_null(const std::vector<P>& values) {
  return values.empty() ? nullptr : values.data();
}

template <class S, class T, class P>
ChannelResult<T, P> group_forward(const ChannelCall<T, P>& call, bool in_place = false) {
  ChannelResult<T, P> result{call.x, std::vector<P>(call.shape.all_groups()),
                             std::vector<P>(call.shape.all_groups())};
  GroupNormForward args;
  args.dtype = call.dtype;
  args.shape = call.shape;
  args.epsilon = call.epsilon;
  args.x = in_place ? result.y.data() : call.x.data();
  args.gamma = data_or_null(call.gamma);
  args.beta = data_or_null(call.beta);
  args.y = result.y.data();
  args.mean = result.mean.data();
  args.rstd = result.rstd.data();
  EXPECT_EQ(group_norm_forward_on<S>(args), Status::ok);
  return result;
}

template <class T, class P = T>
struct ChannelGradientsOf {
  std::vector<T> dx;
  std::vector<P> dgamma, dbeta;
};

template <class S, class T, class P>
ChannelGradientsOf<T, P> group_backward(const ChannelCall<T, P>& call, const std::vector<T>& dy,
                                        const std::vector<P>& mean, const std::vector<P>& rstd) {
  const ChannelShape& shape = call.shape;
  ChannelGradientsOf<T, P> result{std::vector<T>(call.x.size()), std::vector<P>(shape.channels),
                                  std::vector<P>(shape.channels)};
  std::vector<double> workspace(group_norm_backward_workspace(call.dtype, shape) / sizeof(double) + 1);
  GroupNormBackward args;
  args.dtype = call.dtype;
  args.shape = shape;
  args.dy = dy.data();
  args.x = call.x.data();
  args.mean = mean.data();
  args.rstd = rstd.data();
  args.gamma = data_or_null(call.gamma);
  args.dx = result.dx.data();
  args.dgamma = result.dgamma.data();
  args.dbeta = result.dbeta.data();
  args.workspace = workspace.data();
  args.workspace_bytes = workspace.size() * sizeof(double);
  EXPECT_EQ(group_norm_backward_on<S>(args), Status::ok);
  return result;
}

// Shapes that take every path: lines of channels, groups of them, segments, pieces, short and long.
inline std::vector<ChannelShape> channel_shapes() {
  return {{1, 37, 5, 1, 5},   {1, 300, 70, 1, 70}, {1, 9, 300, 1, 300}, {1, 4, 3, 50, 3},   {1, 3, 7, 130, 7},
          {2, 1, 6, 49, 3},   {3, 1, 8, 64, 8},    {2, 40, 12, 1, 3},   {2, 20, 300, 1, 5}, {2, 5, 12, 1, 3},
          {4, 1, 64, 1, 2},   {3, 1, 130, 1, 1},   {2, 3, 6, 7, 2},     {2, 17, 4, 1, 4},   {5, 1, 9, 1, 9},
          {2, 16, 130, 1, 2}, {1, 1, 4, 1000, 2}};
}

}  // namespace layernorm::test
