#include "ops/moments.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "support/call.h"
#include "support/datasets.h"

namespace layernorm {
namespace {

template <class S>
class MomentsTest : public ::testing::Test {};
TYPED_TEST_SUITE(MomentsTest, test::SimdTypes);

// Tier: bitwise. A row gives the same sums whether its elements are the lanes of vectors or spread over them.
template <class S, class T, bool Centred>
void expect_rows_equal_columns() {
  using V = simd::VectorOf<S, T>;
  test::Random random(3);
  for (const std::size_t cols : {1, 2, 7, 8, 15, 16, 17, 63, 64, 65, 127, 130, 200}) {
    // Element i of group c at [i * lanes + c]; group c also as a row.
    std::vector<T> columns(cols * V::lanes), shifts(V::lanes);
    std::vector<std::vector<T>> rows(V::lanes, std::vector<T>(cols));
    for (std::size_t c = 0; c < V::lanes; ++c) {
      shifts[c] = static_cast<T>(random.normal());
      for (std::size_t i = 0; i < cols; ++i) {
        rows[c][i] = columns[i * V::lanes + c] = static_cast<T>(1 + random.normal());
      }
    }
    ColumnSums<S, T> sums;
    for (std::size_t i = 0; i < cols; i += kBlock) {
      std::size_t offsets[kBlock];
      const std::size_t n = cols - i < kBlock ? cols - i : kBlock;
      for (std::size_t j = 0; j < n; ++j) offsets[j] = (i + j) * V::lanes;
      sums.template add_block<Centred>(columns.data(), offsets, n, V::load(shifts.data()));
    }
    for (std::size_t c = 0; c < V::lanes; ++c) {
      const Moments row =
          row_sums<S, T, Centred>(rows[c].data(), cols, shifts[c]).moments(cols, 1e-3, Centred);
      const Moments column = sums.moments(c, cols, 1e-3, Centred);
      ASSERT_EQ(row.mean, column.mean) << cols << " elements, column " << c;
      ASSERT_EQ(row.variance, column.variance) << cols << " elements, column " << c;
    }
  }
}

TYPED_TEST(MomentsTest, ColumnsSumByTheTreeOfRows) {
  expect_rows_equal_columns<TypeParam, float, false>();
  expect_rows_equal_columns<TypeParam, float, true>();
  expect_rows_equal_columns<TypeParam, double, false>();
  expect_rows_equal_columns<TypeParam, double, true>();
}

// Tier: bounded. Pairs c + d, c - d with few bits have an exact mean and variance in any order of addition.
TYPED_TEST(MomentsTest, ExactStatisticsAreExact) {
  for (const std::size_t cols : {2, 16, 62, 64, 130, 1024}) {
    std::vector<float> x(cols);
    for (std::size_t i = 0; i < cols; i += 2) {
      x[i] = 3 + 0.5f;
      x[i + 1] = 3 - 0.5f;
    }
    const Moments m = row_sums<TypeParam, float, false>(x.data(), cols, 0).moments(cols, 1e-3, false);
    EXPECT_EQ(m.mean, 3);
    EXPECT_EQ(m.variance, 0.25);
  }
}

TEST(Moments, CancellationOverflowAndNaNAreNotTrusted) {
  const auto trusted = [](double mean, double square_mean, double epsilon, bool centred = false) {
    return Moments::from_sums<float>(mean * 1000, square_mean * 1000, 1000, epsilon, centred).trusted;
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
TYPED_TEST(MomentsTest, DoubleSumsAreCompensated) {
  std::vector<double> x(64 * 1000, 0x1p-30);
  x[0] = 0x1p40;  // every later 2^-30 is below half an ulp of this
  RowSums<TypeParam, double> sums;
  for (std::size_t i = 0; i < x.size(); i += kBlock) {
    sums.template add_block<false>(x.data() + i, TypeParam::F64::splat(0));
  }
  const double exact = 0x1p40 + static_cast<double>(x.size() - 1) * 0x1p-30;
  EXPECT_EQ(sums.moments(x.size(), 0, false).mean, exact / static_cast<double>(x.size()));
}

TEST(Moments, ScaleBringsTheLargestElementToOne) {
  Layout layout;
  const std::uint32_t dims[] = {1, 3};
  ASSERT_EQ(collapse_axes(dims, 0b10, 8, layout), Status::ok);
  for (const double size : {1e308, 1e200, 3.0, 1e-200, 5e-324}) {
    const double x[] = {size / 4, -size, std::numeric_limits<double>::quiet_NaN()};
    const double scale = range_scale(x, layout, 0);
    int exponent = 0;
    EXPECT_EQ(std::frexp(scale, &exponent), 0.5) << "a power of two";
    EXPECT_LE(size * scale, 4);
    EXPECT_GE(size * scale, 0x1p-74);
  }
}

}  // namespace
}  // namespace layernorm
