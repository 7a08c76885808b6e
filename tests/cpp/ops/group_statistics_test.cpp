#include "ops/group_statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "support/channel_call.h"
#include "support/datasets.h"

namespace layernorm::test {
namespace {

template <class S>
class GroupStatisticsTest : public ::testing::Test {};
TYPED_TEST_SUITE(GroupStatisticsTest, SimdTypes);

Runs runs_of(std::size_t pieces, std::size_t length, std::size_t stride) {
  Runs runs;
  runs.push_outer({length, 1});
  if (pieces > 1) runs.push_outer({pieces, stride});
  return runs;
}

template <class T>
void expect_equal(const GroupStatistics<T>& a, const GroupStatistics<T>& b) {
  EXPECT_EQ(a.mean_hi, b.mean_hi);
  EXPECT_EQ(a.mean_lo, b.mean_lo);
  EXPECT_EQ(a.scale, b.scale);
  EXPECT_EQ(a.variance, b.variance);
  EXPECT_EQ(a.rstd, b.rstd);
}

// Bitwise: the cut into pieces, and whether neighbours are summed together, change nothing.
template <class S, class T>
void expect_layout_changes_nothing() {
  for (const std::size_t pieces : {1u, 2u, 5u, 64u}) {
    for (const std::size_t length : {1u, 3u, 16u, 63u, 64u, 200u}) {
      const std::size_t cols = pieces * length;
      for (const double offset : {0.0, 50.0, 1e6}) {
        const std::vector<T> row = normal_numbers<T>(cols, cols, offset);
        const auto whole = piece_statistics<S>(Storage<T>(), row.data(), runs_of(1, cols, 0), cols, 1e-5);
        // Every third piece of a larger array, and every third column of one.
        std::vector<T> scattered(3 * cols), columns(3 * cols);
        for (std::size_t i = 0; i < cols; ++i) {
          scattered[i / length * 3 * length + i % length] = row[i];
          columns[3 * i + 1] = row[i];
        }
        const Runs runs = runs_of(pieces, length, 3 * length);
        expect_equal(piece_statistics<S>(Storage<T>(), scattered.data(), runs, cols, 1e-5), whole);
        Runs column;
        column.push_outer({cols, 3});
        GroupStatistics<T> statistics[3];
        column_statistics<S>(Storage<T>(), columns.data(), column, cols, 3, 1e-5, statistics);
        expect_equal(statistics[1], whole);
      }
    }
  }
}
TYPED_TEST(GroupStatisticsTest, LayoutChangesNoBit) {
  expect_layout_changes_nothing<TypeParam, float>();
  expect_layout_changes_nothing<TypeParam, double>();
}

// Bounded: the careful way is right for what the quick one gives up, and for everything else.
template <class S, class T>
void expect_careful(double size, double offset) {
  const std::size_t cols = 100;
  std::vector<T> row = normal_numbers<T>(cols, 9, offset);
  for (T& value : row) value = static_cast<T>(value * size);
  const auto expected =
      layer_norm_reference<long double>(std::vector<double>(row.begin(), row.end()), {1, 100}, 2, 0);
  const Runs runs = runs_of(1, cols, 0);
  const auto quick = piece_statistics<S>(Storage<T>(), row.data(), runs, cols, 0);
  for (const auto& s : {careful_statistics(Storage<T>(), row.data(), runs, cols, 0), quick}) {
    EXPECT_NEAR(static_cast<double>(s.mean() / expected.mean[0]), 1, 1e-7) << size;
    EXPECT_NEAR(static_cast<double>(s.saved_rstd(0) / expected.rstd[0]), 1, 1e-6) << size;
  }
}
TYPED_TEST(GroupStatisticsTest, GroupsBeyondTheRangeOfTheirTypeAreKnown) {
  for (const double offset : {3.0, 1e3}) {
    for (const double size : {1.0, 1e30, 1e-30}) expect_careful<TypeParam, float>(size, offset);
    for (const double size : {1.0, 1e200, 1e-200}) expect_careful<TypeParam, double>(size, offset);
  }
}

TYPED_TEST(GroupStatisticsTest, ConstantGroupsHaveNoVariance) {
  for (const float value : {0.0f, 0.1f, 1e7f / 3, 1e30f, 1e-30f}) {
    const std::vector<float> row(77, value);
    const auto s = piece_statistics<TypeParam>(Storage<float>(), row.data(), runs_of(1, 77, 0), 77, 1e-3);
    EXPECT_EQ(s.variance, 0) << value;
    EXPECT_EQ(((value * s.scale - s.mean_hi) - s.mean_lo) * static_cast<float>(s.rstd), 0) << value;
    EXPECT_NEAR(s.saved_rstd(1e-3), 1 / std::sqrt(1e-3), 1e-12);
  }
}

TYPED_TEST(GroupStatisticsTest, NaNAndInfinityMakeTheirGroupNaN) {
  for (const float value : {NAN, INFINITY, -INFINITY}) {
    std::vector<float> row = normal_numbers<float>(77, 1);
    row[50] = value;
    const auto s = piece_statistics<TypeParam>(Storage<float>(), row.data(), runs_of(1, 77, 0), 77, 1e-3);
    EXPECT_TRUE(std::isnan(s.rstd));
  }
}

TYPED_TEST(GroupStatisticsTest, SixteenBitsGiveWhatTheirFloatsGive) {
  for (const DType dtype : {DType::float16, DType::bfloat16}) {
    const Storage<float> storage(simd::widen<TypeParam>(dtype), simd::narrow<TypeParam>(dtype));
    const Bits bits = narrowed<TypeParam>(dtype, normal_numbers<float>(3 * 600, 5, 2));
    const std::vector<float> numbers = widened<TypeParam>(dtype, bits);
    const Runs runs = runs_of(3, 500, 600);
    expect_equal(piece_statistics<TypeParam>(storage, bits.data(), runs, 1500, 1e-3),
                 piece_statistics<TypeParam>(Storage<float>(), numbers.data(), runs, 1500, 1e-3));
    Runs rows;
    rows.push_outer({20, 90});
    std::vector<GroupStatistics<float>> of_bits(90), of_numbers(90);
    column_statistics<TypeParam>(storage, bits.data(), rows, 20, 90, 1e-3, of_bits.data());
    column_statistics<TypeParam>(Storage<float>(), numbers.data(), rows, 20, 90, 1e-3, of_numbers.data());
    for (std::size_t c = 0; c < 90; ++c) expect_equal(of_bits[c], of_numbers[c]);
  }
}

}  // namespace
}  // namespace layernorm::test
