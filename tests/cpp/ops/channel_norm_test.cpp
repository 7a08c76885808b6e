// The forward pass of batch, group and instance normalization on every vector type. tests/README.md explains the tiers.
#include "ops/channel_norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>
#include <vector>

#include "support/channel_call.h"
#include "support/datasets.h"

namespace layernorm::test {
namespace {

template <class S>
class ChannelNormTest : public ::testing::Test {};
TYPED_TEST_SUITE(ChannelNormTest, SimdTypes);

template <class T>
ChannelReference<Wider<T>> reference(const ChannelCall<T>& call) {
  return channel_norm_reference<Wider<T>>(call.x, call.shape, call.epsilon, call.gamma, call.beta);
}

// ---- Bounded

template <class S, class T>
void expect_reference(double bound) {
  for (const ChannelShape& shape : channel_shapes()) {
    for (const double offset : {0.0, 5.0, 1e4}) {
      ChannelCall<T> call{shape, normal_numbers<T>(shape.elements(), shape.elements(), offset)};
      const auto expected = reference(call);
      const auto result = group_forward<S>(call);
      EXPECT_LE(worst_error(result.y, expected.y), bound) << shape.channels << " of " << shape.groups;
      for (std::size_t g = 0; g < shape.all_groups(); ++g) {
        EXPECT_LE(ulp_error(result.mean[g], expected.mean[g]), 1);
        EXPECT_LE(ulp_error(result.rstd[g], expected.rstd[g]), 4);
      }
      call.gamma = normal_numbers<T>(shape.channels, 2, 1);
      call.beta = normal_numbers<T>(shape.channels, 3);
      EXPECT_LE(worst_error(group_forward<S>(call).y, reference(call).y), 2 * bound);
    }
  }
}
TYPED_TEST(ChannelNormTest, EveryLayoutMatchesTheReference) {
  expect_reference<TypeParam, float>(3);
  expect_reference<TypeParam, double>(4);
}

// The promise of the README, for the layouts that have kernels of their own.
template <class S, class T>
void expect_bound(double bound) {
  std::printf("worst error in ulp of max(|y|, 1), epsilon 1e-5\n");
  const ChannelShape shapes[] = {
      {1, 700, 20, 1, 20}, {1, 8, 20, 100, 20}, {20, 1, 6, 49, 2}, {20, 50, 12, 1, 3}, {50, 1, 96, 1, 3}};
  for (const ChannelShape& shape : shapes) {
    std::printf("%3zu %4zu %3zu %4zu / %2zu", shape.batch, shape.before, shape.channels, shape.after,
                shape.groups);
    for (const Dataset& dataset : datasets()) {
      ChannelCall<T> call{shape, std::vector<T>(shape.elements())};
      call.epsilon = 1e-5;
      Random random(shape.elements());
      std::vector<std::size_t> place(shape.all_groups());
      for (std::size_t at = 0; at < call.x.size(); ++at) {
        const std::size_t i = place[ChannelPlace(shape, at).group]++;
        call.x[at] = static_cast<T>(dataset.element(random, i, shape.group_elements()));
      }
      const double worst = worst_error(group_forward<S>(call).y, reference(call).y);
      std::printf(" %5.2f", worst);
      EXPECT_LE(worst, bound) << dataset.name;
    }
    std::printf("\n");
  }
}
TEST(ChannelNormBound, Float32IsWithinThreeUlp) { expect_bound<simd::Default, float>(3); }
TEST(ChannelNormBound, Float64IsWithinFourUlp) { expect_bound<simd::Default, double>(4); }

// ---- Bitwise

// A group's bits are those of layer normalization of its elements, wherever they lie: but for groups of several channels that
// are innermost.
TYPED_TEST(ChannelNormTest, GroupsHaveTheBitsOfLayerNormalization) {
  for (const ChannelShape& shape : channel_shapes()) {
    if (shape.after == 1 && shape.per_group() > 1 && shape.before > 1) continue;
    const ChannelCall<float> call{shape, normal_numbers<float>(shape.elements(), 4, 3)};
    const auto result = group_forward<TypeParam>(call);
    const auto cols = static_cast<std::uint32_t>(shape.group_elements());
    Call<float> rows{
        std::vector<float>(call.x.size()), {static_cast<std::uint32_t>(shape.all_groups()), cols}, 2};
    std::vector<std::size_t> place(shape.all_groups()), at_of(call.x.size());
    for (std::size_t at = 0; at < call.x.size(); ++at) {
      const std::size_t group = ChannelPlace(shape, at).group;
      at_of[at] = group * cols + place[group]++;
      rows.x[at_of[at]] = call.x[at];
    }
    const Result<float> expected = forward<TypeParam>(rows);
    for (std::size_t at = 0; at < call.x.size(); ++at) ASSERT_EQ(result.y[at], expected.y[at_of[at]]);
    EXPECT_TRUE(same_bits(result.rstd, expected.rstd));
  }
}

TYPED_TEST(ChannelNormTest, InPlaceGivesTheSameBits) {
  for (const ChannelShape& shape : channel_shapes()) {
    ChannelCall<float> call{shape, normal_numbers<float>(shape.elements(), 5, 1e3)};
    call.gamma = normal_numbers<float>(shape.channels, 6, 1);
    EXPECT_TRUE(same_bits(group_forward<TypeParam>(call).y, group_forward<TypeParam>(call, true).y));
  }
}

TYPED_TEST(ChannelNormTest, SixteenBitsAreFloat32RoundedOnce) {
  for (const DType dtype : {DType::float16, DType::bfloat16}) {
    for (const ChannelShape& shape : channel_shapes()) {
      ChannelCall<std::uint16_t, float> call{
          shape, narrowed<TypeParam>(dtype, normal_numbers<float>(shape.elements(), 7, 2))};
      call.gamma = normal_numbers<float>(shape.channels, 8, 1);
      call.beta = normal_numbers<float>(shape.channels, 9);
      call.dtype = dtype;
      ChannelCall<float> wide{shape, widened<TypeParam>(dtype, call.x), call.gamma, call.beta};
      const auto result = group_forward<TypeParam>(call);
      const auto expected = group_forward<TypeParam>(wide);
      EXPECT_EQ(result.y, narrowed<TypeParam>(dtype, expected.y)) << shape.channels << " of " << shape.groups;
      EXPECT_TRUE(same_bits(result.mean, expected.mean));
      EXPECT_TRUE(same_bits(result.rstd, expected.rstd));
    }
  }
}

template <class T>
void expect_emulated_is_the_same() {
  for (const ChannelShape& shape : channel_shapes()) {
    for (const double size : {1.0, 1e30, 1e-30}) {
      ChannelCall<T> call{shape, normal_numbers<T>(shape.elements(), 10, 0, size)};
      call.beta = normal_numbers<T>(shape.channels, 11);
      const auto a = group_forward<simd::Simd128>(call), b = group_forward<simd::Emulated>(call);
      EXPECT_TRUE(same_bits(a.y, b.y));
      EXPECT_TRUE(same_bits(a.mean, b.mean));
      EXPECT_TRUE(same_bits(a.rstd, b.rstd));
    }
  }
}
TEST(ChannelNormBits, EmulatedVectorsGiveTheSame) {
  expect_emulated_is_the_same<float>();
  expect_emulated_is_the_same<double>();
}

// A group that takes the careful way beside others that do not.
TYPED_TEST(ChannelNormTest, NeighboursDoNotMatter) {
  for (const ChannelShape& shape : channel_shapes()) {
    if (shape.groups < 2) continue;
    ChannelCall<float> call{shape, normal_numbers<float>(shape.elements(), 12)};
    const auto before = group_forward<TypeParam>(call);
    for (std::size_t at = 0; at < call.x.size(); ++at) {
      if (ChannelPlace(shape, at).group == 1) call.x[at] *= 1e30f;
    }
    const auto after = group_forward<TypeParam>(call);
    for (std::size_t at = 0; at < call.x.size(); ++at) {
      if (ChannelPlace(shape, at).group != 1) {
        ASSERT_EQ(before.y[at], after.y[at]);
      }
    }
  }
}

TYPED_TEST(ChannelNormTest, ConstantGroupsGiveBeta) {
  for (const ChannelShape& shape : channel_shapes()) {
    for (const float value : {0.1f, 1234.0f, -1e7f / 3, 1e30f}) {
      ChannelCall<float> call{shape, std::vector<float>(shape.elements(), value)};
      call.beta = normal_numbers<float>(shape.channels, 13);
      call.gamma = normal_numbers<float>(shape.channels, 14, 1);
      const auto result = group_forward<TypeParam>(call);
      for (std::size_t at = 0; at < call.x.size(); ++at) {
        ASSERT_EQ(result.y[at], call.beta[ChannelPlace(shape, at).channel]) << value;
      }
    }
  }
}

// rstd * gamma alone may be more, or less, than a float can be.
TYPED_TEST(ChannelNormTest, FactorsBeyondTheRangeOfFloatDoNotMatter) {
  for (const auto& [size, scale] :
       {std::pair{1e-12f, 1e30f}, {1e-30f, 1e20f}, {1e18f, 1e-25f}, {1e30f, 1e-15f}}) {
    for (const ChannelShape& shape :
         {ChannelShape{1, 2, 1, 1, 1}, {1, 1, 2, 1, 1}, {1, 1, 1, 2, 1}, {1, 20, 2, 1, 1}}) {
      ChannelCall<float> call{shape, std::vector<float>(shape.elements())};
      for (std::size_t i = 0; i < call.x.size(); ++i) call.x[i] = (i % 2 == 0 ? -size : size);
      call.gamma.assign(shape.channels, scale);
      call.epsilon = 0;
      for (std::size_t i = 0; i < call.x.size(); ++i) {
        EXPECT_NEAR(group_forward<TypeParam>(call).y[i] / (i % 2 == 0 ? -scale : scale), 1, 4e-7) << size;
      }
    }
  }
}

TYPED_TEST(ChannelNormTest, EmptyGroupsHaveStatisticsAllTheSame) {
  const ChannelCall<float> call{{2, 0, 4, 3, 2}, {}};
  const auto result = group_forward<TypeParam>(call);
  for (const float mean : result.mean) EXPECT_TRUE(std::isnan(mean));
  for (const float rstd : result.rstd) EXPECT_TRUE(std::isnan(rstd));
}

}  // namespace
}  // namespace layernorm::test
