// The gradient of batch, group and instance normalization on every vector type.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "support/channel_call.h"

namespace layernorm::test {
namespace {

template <class S>
class ChannelNormBackwardTest : public ::testing::Test {};
TYPED_TEST_SUITE(ChannelNormBackwardTest, SimdTypes);

template <class T>
ChannelCall<T> call_of(const ChannelShape& shape, double offset) {
  ChannelCall<T> call{shape, normal_numbers<T>(shape.elements(), shape.elements() + 1, offset)};
  call.gamma = normal_numbers<T>(shape.channels, 2, 1);
  return call;
}

// Relative to the largest term of a sum: dgamma and dbeta of many elements grow with their number.
template <class T>
void expect_near(const std::vector<T>& actual, const std::vector<Wider<T>>& expected, double tolerance) {
  Wider<T> size = 1;
  for (const Wider<T> value : expected) size = std::fmax(size, std::fabs(value));
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(actual[i] / size), static_cast<double>(expected[i] / size), tolerance)
        << i;
  }
}

template <class S, class T>
void expect_reference(double tolerance) {
  for (const ChannelShape& shape : channel_shapes()) {
    for (const double offset : {0.0, 3.0}) {
      const ChannelCall<T> call = call_of<T>(shape, offset);
      const std::vector<T> dy = normal_numbers<T>(shape.elements(), 15);
      const auto saved = group_forward<S>(call);
      const auto result = group_backward<S>(call, dy, saved.mean, saved.rstd);
      const auto expected =
          channel_norm_backward_reference<Wider<T>>(dy, call.x, shape, saved.mean, saved.rstd, call.gamma);
      expect_near(result.dx, expected.dx, tolerance);
      expect_near(result.dgamma, expected.dgamma, tolerance);
      expect_near(result.dbeta, expected.dbeta, tolerance);
    }
  }
}
TYPED_TEST(ChannelNormBackwardTest, EveryLayoutMatchesTheReference) {
  expect_reference<TypeParam, float>(1e-6);
  expect_reference<TypeParam, double>(2e-15);
}

// The derivative of sum(y * dy) itself, by central differences in long steps of double.
TYPED_TEST(ChannelNormBackwardTest, FiniteDifferencesAgree) {
  for (const ChannelShape& shape :
       {ChannelShape{2, 2, 4, 3, 2}, {1, 6, 3, 1, 3}, {2, 18, 4, 1, 2}, {3, 1, 6, 1, 2}}) {
    ChannelCall<double> call = call_of<double>(shape, 0.5);
    call.beta = normal_numbers<double>(shape.channels, 16);
    const std::vector<double> dy = normal_numbers<double>(shape.elements(), 17);
    const auto loss = [&] {
      const auto y = group_forward<TypeParam>(call).y;
      double sum = 0;
      for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * dy[i];
      return sum;
    };
    const auto saved = group_forward<TypeParam>(call);
    const auto result = group_backward<TypeParam>(call, dy, saved.mean, saved.rstd);
    const auto expect_slope = [&](std::vector<double>& values, const std::vector<double>& slopes) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        const double kept = values[i], step = 1e-5;
        values[i] = kept + step;
        const double above = loss();
        values[i] = kept - step;
        const double below = loss();
        values[i] = kept;
        ASSERT_NEAR((above - below) / (2 * step), slopes[i], 2e-8) << i;
      }
    };
    expect_slope(call.x, result.dx);
    expect_slope(call.gamma, result.dgamma);
    expect_slope(call.beta, result.dbeta);
  }
}

TYPED_TEST(ChannelNormBackwardTest, SixteenBitsAreFloat32RoundedOnce) {
  for (const DType dtype : {DType::float16, DType::bfloat16}) {
    for (const ChannelShape& shape : channel_shapes()) {
      if (shape.after > 512) continue;  // sums of longer segments are cut where their buffer ends
      ChannelCall<std::uint16_t, float> call{
          shape, narrowed<TypeParam>(dtype, normal_numbers<float>(shape.elements(), 18))};
      call.gamma = normal_numbers<float>(shape.channels, 19, 1);
      call.dtype = dtype;
      const Bits dy = narrowed<TypeParam>(dtype, normal_numbers<float>(shape.elements(), 20));
      const ChannelCall<float> wide{shape, widened<TypeParam>(dtype, call.x), call.gamma};
      const auto saved = group_forward<TypeParam>(wide);
      const auto result = group_backward<TypeParam>(call, dy, saved.mean, saved.rstd);
      const auto expected =
          group_backward<TypeParam>(wide, widened<TypeParam>(dtype, dy), saved.mean, saved.rstd);
      EXPECT_EQ(result.dx, narrowed<TypeParam>(dtype, expected.dx));
      EXPECT_TRUE(same_bits(result.dgamma, expected.dgamma));
      EXPECT_TRUE(same_bits(result.dbeta, expected.dbeta));
    }
  }
}

template <class T>
void expect_emulated_is_the_same() {
  for (const ChannelShape& shape : channel_shapes()) {
    const ChannelCall<T> call = call_of<T>(shape, 1);
    const std::vector<T> dy = normal_numbers<T>(shape.elements(), 21);
    const auto saved = group_forward<simd::Simd128>(call);
    const auto a = group_backward<simd::Simd128>(call, dy, saved.mean, saved.rstd);
    const auto b = group_backward<simd::Emulated>(call, dy, saved.mean, saved.rstd);
    EXPECT_TRUE(same_bits(a.dx, b.dx));
    EXPECT_TRUE(same_bits(a.dgamma, b.dgamma));
    EXPECT_TRUE(same_bits(a.dbeta, b.dbeta));
  }
}
TEST(ChannelNormBackwardBits, EmulatedVectorsGiveTheSame) {
  expect_emulated_is_the_same<float>();
  expect_emulated_is_the_same<double>();
}

}  // namespace
}  // namespace layernorm::test
