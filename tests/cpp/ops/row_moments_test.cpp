#include "ops/row_moments.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "support/call.h"
#include "support/datasets.h"

namespace layernorm {
namespace {

template <class S>
class RowMomentsTest : public ::testing::Test {};
TYPED_TEST_SUITE(RowMomentsTest, test::SimdTypes);

// Tier: bounded. Pairs c + d, c - d with few bits have an exact mean and variance in any order of addition.
TYPED_TEST(RowMomentsTest, ExactStatisticsAreExact) {
  for (const std::size_t cols : {2, 16, 62, 64, 130, 1024}) {
    std::vector<float> x(cols);
    for (std::size_t i = 0; i < cols; i += 2) {
      x[i] = 3 + 0.5f;
      x[i + 1] = 3 - 0.5f;
    }
    const Moments m = row_sums<TypeParam, float, false>(x.data(), cols, 0).moments(cols, 1e-3);
    EXPECT_EQ(m.mean, 3);
    EXPECT_EQ(m.variance, 0.25);
  }
}

TEST(RowMoments, CancellationOverflowAndNaNAreNotTrusted) {
  const auto trusted = [](double mean, double square_mean, double epsilon) {
    return Moments::from_sums<float>(mean * 1000, square_mean * 1000, 1000, epsilon).trusted;
  };
  EXPECT_TRUE(trusted(0, 1, 1e-5));
  EXPECT_TRUE(trusted(1, 2, 1e-5));
  EXPECT_FALSE(trusted(2, 5, 1e-5)) << "mean^2 is four times the variance";
  EXPECT_FALSE(trusted(0, 1e38, 1e-5)) << "squares overflow soon";
  EXPECT_FALSE(trusted(0, 1e-38, 0)) << "squares lost bits to underflow";
  EXPECT_TRUE(trusted(0, 1e-38, 1e-5)) << "epsilon hides them";
  EXPECT_FALSE(trusted(std::numeric_limits<double>::quiet_NaN(), 1, 1e-5));
  EXPECT_FALSE(trusted(0, std::numeric_limits<double>::infinity(), 1e-5));
}

// The second word of a compensated sum catches what the first rounds away.
TYPED_TEST(RowMomentsTest, DoubleSumsAreCompensated) {
  std::vector<double> x(64 * 1000, 0x1p-30);
  x[0] = 0x1p40;  // every later 2^-30 is below half an ulp of this
  RowSums<TypeParam, double> sums;
  for (std::size_t i = 0; i < x.size(); i += kBlock) {
    sums.template add_block<false>(x.data() + i, TypeParam::F64::splat(0));
  }
  const double exact = 0x1p40 + static_cast<double>(x.size() - 1) * 0x1p-30;
  EXPECT_EQ(sums.moments(x.size(), 0).mean, exact / static_cast<double>(x.size()));
}

// The peek decides from the first elements alone, and only for long float rows whether to shift at all.
TYPED_TEST(RowMomentsTest, OffsetRowsAreShifted) {
  std::vector<float> x(kShort, 10.0f);
  for (std::size_t i = 0; i < x.size(); i += 2) x[i] = 11;
  const auto shift = [&](std::size_t cols) { return row_shift<TypeParam>(x.data(), cols); };
  EXPECT_EQ(shift(kShort), 10.5f);
  x[3] = -10;
  EXPECT_EQ(shift(kShort), 0) << "one of another sign";
  for (float& element : x) element = -0.0f;
  EXPECT_EQ(shift(kShort), 0) << "zeros";
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = i % 2 == 0 ? 0.0f : 1.0f;
  EXPECT_EQ(shift(kShort), 0) << "mean^2 is no more than the variance";
  EXPECT_EQ(shift(kShort - 1), 0.5f) << "short rows always are";
  EXPECT_EQ(short_row_shift<TypeParam>(x.data(), kShort - 1), 0.5f);
  EXPECT_EQ(shift(4), 0.5f) << "of as many elements as there are";
  EXPECT_EQ(short_row_shift<TypeParam>(x.data(), 4), 0.5f);
  const std::vector<double> centred = {-1, 1, -1, 2};
  EXPECT_EQ(row_shift<TypeParam>(centred.data(), 4), 0.25) << "doubles always are";
}

// A mean that is small beside the deviation takes one term, any other two.
TEST(RowMoments, TheMeanHasTwoTermsWhereItIsLarge) {
  const Moments m{0.25, 1, true};
  const auto small = Statistics<float>::about(1, m, 0);
  EXPECT_EQ(small.mean_hi, 1.25f);
  EXPECT_EQ(small.mean_lo, 0);
  const auto large = Statistics<float>::about(1000, m, 0);
  EXPECT_EQ(large.mean_hi, 1000);
  EXPECT_EQ(large.mean_lo, 0.25f);
  const auto wide = Statistics<double>::about(1, m, 0);
  EXPECT_EQ(wide.mean_hi, 1);
  EXPECT_EQ(wide.mean_lo, 0.25);
}

}  // namespace
}  // namespace layernorm
