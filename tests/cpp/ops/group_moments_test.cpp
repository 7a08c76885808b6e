#include "ops/group_moments.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "support/call.h"
#include "support/random.h"

namespace layernorm {
namespace {

template <class S>
class GroupMomentsTest : public ::testing::Test {};
TYPED_TEST_SUITE(GroupMomentsTest, test::SimdTypes);

// Statistics of a contiguous row, by the steps of ops/row_moments.h.
template <class S, class T>
Statistics<T> of_row(const std::vector<T>& x, double epsilon) {
  const T shift = row_shift<S>(x.data(), x.size());
  return row_statistics<S>(x.data(), x.size(), shift, row_sums<S, T, true>(x.data(), x.size(), shift),
                           epsilon);
}

// Tier: bitwise. A group has the statistics of the row that its elements would make.
template <class S, class T>
void expect_those_of_rows() {
  test::Random random(5);
  for (const std::uint32_t pieces : {1u, 2u, 5u}) {
    for (const std::uint32_t piece : {1u, 3u, 16u, 63u, 64u, 65u, 130u}) {
      for (const double offset : {0.0, 1.0, 1.8, 10.0, 1e4}) {
        // [pieces, 2, piece], reduced over the first and the last.
        Layout layout;
        const std::uint32_t dims[] = {pieces, 2, piece};
        ASSERT_EQ(collapse_axes(dims, 0b101, sizeof(T), layout), Status::ok);
        std::vector<T> x(std::size_t{2} * pieces * piece), row;
        for (T& element : x) element = static_cast<T>(offset + random.normal());
        for (std::size_t i = 0; i < pieces; ++i) {
          row.insert(row.end(), x.begin() + static_cast<std::ptrdiff_t>(2 * i * piece),
                     x.begin() + static_cast<std::ptrdiff_t>((2 * i + 1) * piece));
        }
        const Statistics<T> expected = of_row<S>(row, 1e-3);
        const auto actual = group_statistics<S>(x.data(), layout, 1e-3);
        ASSERT_EQ(actual.mean_hi, expected.mean_hi)
            << pieces << " pieces of " << piece << " about " << offset;
        ASSERT_EQ(actual.mean_lo, expected.mean_lo)
            << pieces << " pieces of " << piece << " about " << offset;
        ASSERT_EQ(actual.rstd, expected.rstd) << pieces << " pieces of " << piece << " about " << offset;
        ASSERT_TRUE(actual.known && expected.known);
      }
    }
  }
}

TYPED_TEST(GroupMomentsTest, Float32GroupsHaveTheStatisticsOfRows) {
  expect_those_of_rows<TypeParam, float>();
}
TYPED_TEST(GroupMomentsTest, Float64GroupsHaveTheStatisticsOfRows) {
  expect_those_of_rows<TypeParam, double>();
}

template <class T>
void expect_scale(std::initializer_list<double> sizes) {
  Layout layout;
  const std::uint32_t dims[] = {1, 3};
  ASSERT_EQ(collapse_axes(dims, 0b10, sizeof(T), layout), Status::ok);
  for (const double size : sizes) {
    const T x[] = {static_cast<T>(size / 4), static_cast<T>(-size), std::numeric_limits<T>::quiet_NaN()};
    const T scale = range_scale(x, layout, 0);
    int exponent = 0;
    EXPECT_EQ(std::frexp(scale, &exponent), T{0.5}) << "a power of two";
    EXPECT_GE(1 / scale, std::numeric_limits<T>::min());
    EXPECT_LE(std::fabs(x[1] * scale), 4);
    EXPECT_GE(std::fabs(x[1] * scale), T{0x1p-74f});
  }
}

TEST(GroupMoments, ScaleBringsTheLargestElementToOne) {
  expect_scale<double>({1e308, 1e200, 3.0, 1e-200, 5e-324});
  expect_scale<float>({3e38, 1e30, 3.0, 1e-30, 1e-45});
}

TYPED_TEST(GroupMomentsTest, ConstantGroupsBeyondTheRangeKeepAFiniteFactor) {
  Layout layout;
  const std::uint32_t dims[] = {1, 4};
  ASSERT_EQ(collapse_axes(dims, 0b10, sizeof(float), layout), Status::ok);
  const std::vector<float> x(4, 1e10f);
  const auto s = scaled_statistics<TypeParam>(x.data(), layout, 1e-60);
  EXPECT_EQ((x[0] * s.scale - s.scaled.mean_hi - s.scaled.mean_lo) * s.scaled.rstd, 0);
  EXPECT_EQ(s.saved.mean_hi, 1e10f);
  EXPECT_FLOAT_EQ(s.saved.rstd, 1e30f);

  // epsilon * scale^2 is 0 even as a double.
  const std::vector<float> large(4, 1e30f);
  const auto vanished = scaled_statistics<TypeParam>(large.data(), layout, 1e-300);
  EXPECT_EQ((large[0] * vanished.scale - vanished.scaled.mean_hi) * vanished.scaled.rstd, 0);
  EXPECT_TRUE(std::isinf(vanished.saved.rstd)) << "1e150";

  const auto undefined = scaled_statistics<TypeParam>(large.data(), layout, 0);
  EXPECT_TRUE(std::isnan((large[0] * undefined.scale - undefined.scaled.mean_hi) * undefined.scaled.rstd))
      << "0 / 0";
}

}  // namespace
}  // namespace layernorm
