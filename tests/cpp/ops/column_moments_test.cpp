#include "ops/column_moments.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "support/call.h"
#include "support/random.h"

namespace layernorm {
namespace {

template <class S>
class ColumnMomentsTest : public ::testing::Test {};
TYPED_TEST_SUITE(ColumnMomentsTest, test::SimdTypes);

// Tier: bitwise. A column has the statistics of the row that its elements would make, whatever its neighbours are.
template <class S, class T>
void expect_those_of_rows() {
  test::Random random(3);
  const double offsets[] = {0, 0.5, 2, 10, 1e4, 1e25};  // the last: its squares leave the range of float
  for (const std::uint32_t cols : {1u, 2u, 7u, 15u, 16u, 17u, 63u, 64u, 65u, 127u, 128u, 130u, 200u}) {
    for (const std::uint32_t width : {1u, 3u, 4u, 21u, static_cast<std::uint32_t>(kMaxWidth)}) {
      Layout layout;
      const std::uint32_t dims[] = {cols, width};
      ASSERT_EQ(collapse_axes(dims, 0b01, sizeof(T), layout), Status::ok);
      std::vector<T> x(std::size_t{cols} * width);
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double offset = offsets[i % width % std::size(offsets)];
        x[i] = static_cast<T>(offset + (offset > 1e20 ? offset : 1) * random.normal());
        // The first elements of some columns are far from the rest: the shift that they ask for is of no use.
        if (i % width % 4 == 3 && i / width < kPeek) x[i] += T{1000};
      }
      const auto columns = std::make_unique<ColumnMoments<S, T>>(x.data(), layout.reduced, cols, width);
      bool all = true;
      const bool found = columns->find(1e-3);
      for (std::size_t c = 0; c < width; ++c) {
        std::vector<T> row(cols);
        for (std::size_t i = 0; i < cols; ++i) row[i] = x[i * width + c];
        const T shift = row_shift<S>(row.data(), cols);
        const auto sums = row_sums<S, T, true>(row.data(), cols, shift);
        const Statistics<T> expected = row_statistics<S>(row.data(), cols, shift, sums, 1e-3);
        ASSERT_EQ(columns->known[c], expected.known) << cols << " elements, column " << c << " of " << width;
        all &= expected.known;
        if (!expected.known) continue;
        ASSERT_EQ(columns->mean_hi[c], expected.mean_hi)
            << cols << " elements, column " << c << " of " << width;
        ASSERT_EQ(columns->mean_lo[c], expected.mean_lo)
            << cols << " elements, column " << c << " of " << width;
        ASSERT_EQ(columns->rstd[c], expected.rstd) << cols << " elements, column " << c << " of " << width;
      }
      ASSERT_EQ(found, all);
    }
  }
}

TYPED_TEST(ColumnMomentsTest, Float32ColumnsHaveTheStatisticsOfRows) {
  expect_those_of_rows<TypeParam, float>();
}
TYPED_TEST(ColumnMomentsTest, Float64ColumnsHaveTheStatisticsOfRows) {
  expect_those_of_rows<TypeParam, double>();
}

}  // namespace
}  // namespace layernorm
