// Tier: bitwise. The loops against the formulas, one element at a time; that these are TensorFlow.js' own is what
// tests/js/tfjs/builtins.test.ts compares. Each array is a block of its own, so that sanitizers see its ends.
#include "../../../bindings/tensorflow.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "support/random.h"

namespace layernorm::tensorflow {
namespace {

std::vector<float> numbers(std::size_t count, std::uint64_t seed) {
  test::Random random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

class TensorFlowKernels : public ::testing::TestWithParam<std::size_t> {
 protected:
  static constexpr std::size_t kMaxCols = 19;
};
INSTANTIATE_TEST_SUITE_P(Rows, TensorFlowKernels, ::testing::Values(1, 2, 3, 4, 5, 9));

TEST_P(TensorFlowKernels, BatchNormDividesInDouble) {
  const std::size_t rows = GetParam();
  for (std::size_t cols = 1; cols <= kMaxCols; ++cols) {
    const std::vector<float> x = numbers(rows * cols, 1), mean = numbers(cols, 2), offset = numbers(cols, 3),
                             scale = numbers(cols, 4);
    std::vector<float> variance = numbers(cols, 5), y(rows * cols);
    for (float& value : variance) value *= value;
    batch_norm(x.data(), mean.data(), variance.data(), offset.data(), scale.data(), 1e-3f, y.data(), rows,
               cols);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const std::size_t c = i % cols;
      const float root = std::sqrt(variance[c] + 1e-3f), scaled = (x[i] - mean[c]) * scale[c];
      EXPECT_EQ(y[i], static_cast<float>(offset[c] + static_cast<double>(scaled) / root))
          << i << " of " << cols;
    }
  }
}

TEST_P(TensorFlowKernels, MeansAddOneAfterTheOther) {
  const std::size_t rows = GetParam();
  for (std::size_t cols = 1; cols <= kMaxCols; ++cols) {
    const std::vector<float> x = numbers(rows * cols, 1);
    std::vector<float> of_rows(rows), of_columns(cols), row_sums(rows), column_sums(cols);
    row_means(x.data(), of_rows.data(), rows, cols);
    column_means(x.data(), of_columns.data(), rows, cols);
    for (std::size_t i = 0; i < x.size(); ++i) {
      row_sums[i / cols] += x[i];
      column_sums[i % cols] += x[i];
    }
    for (std::size_t r = 0; r < rows; ++r) EXPECT_EQ(of_rows[r], row_sums[r] / static_cast<float>(cols));
    for (std::size_t c = 0; c < cols; ++c)
      EXPECT_EQ(of_columns[c], column_sums[c] / static_cast<float>(rows));
  }
}

}  // namespace
}  // namespace layernorm::tensorflow
