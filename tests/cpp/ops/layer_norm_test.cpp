// Layer normalization on every vector type. tests/README.md explains the tiers.
#include "ops/layer_norm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

#include "ops/row_moments.h"
#include "reference/layer_norm_reference.h"
#include "support/call.h"
#include "support/datasets.h"

namespace layernorm::test {
namespace {

template <class S>
class LayerNormTest : public ::testing::Test {};
TYPED_TEST_SUITE(LayerNormTest, SimdTypes);

template <class T>
std::vector<T> normal(std::size_t count, std::uint64_t seed, double offset = 0) {
  Random random(seed);
  std::vector<T> values(count);
  for (T& value : values) value = static_cast<T>(offset + random.normal());
  return values;
}

template <class T>
using WideOf = std::conditional_t<sizeof(T) == sizeof(float), double, long double>;

template <class T>
double worst_ulp(const std::vector<T>& actual, const std::vector<WideOf<T>>& expected) {
  double worst = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) worst = std::max(worst, ulp_error(actual[i], expected[i]));
  return worst;
}

template <class T>
Reference<WideOf<T>> reference(const Call<T>& call) {
  return layer_norm_reference<WideOf<T>>(call.x, call.dims, call.axes, call.epsilon, call.gamma, call.beta,
                                         call.rms_scaling);
}

// ---- Bounded: error against the reference, in ulp of max(|y|, 1)
// -----------------------------------------------

// The promise of the README: at most 3 ulp (float32) for every number of elements from 1 to 65536.
template <class S, class T>
void expect_bound_on_all_datasets(const std::vector<std::size_t>& sizes, double bound, std::size_t elements) {
  std::printf("worst error in ulp of max(|y|, 1), epsilon 1e-5\n%6s", "D");
  for (const Dataset& dataset : datasets()) std::printf(" %12s", dataset.name);
  std::printf("\n");
  for (const std::size_t cols : sizes) {
    const std::size_t rows = std::max<std::size_t>(3, std::min<std::size_t>(1000, elements / cols));
    std::printf("%6zu", cols);
    for (const Dataset& dataset : datasets()) {
      Call<T> call{std::vector<T>(rows * cols),
                   {static_cast<std::uint32_t>(rows), static_cast<std::uint32_t>(cols)},
                   2};
      call.epsilon = 1e-5;
      for (std::size_t row = 0; row < rows; ++row) {
        Random random(row * 7919 + cols);
        for (std::size_t i = 0; i < cols; ++i) {
          call.x[row * cols + i] = static_cast<T>(dataset.element(random, i, cols));
        }
      }
      const double worst = worst_ulp(forward<S>(call).y, reference(call).y);
      std::printf(" %12.2f", worst);
      EXPECT_LE(worst, bound) << dataset.name << ", D = " << cols;
    }
    std::printf("\n");
  }
}

TEST(LayerNormBound, Float32IsWithinThreeUlp) {
  expect_bound_on_all_datasets<simd::Default, float>(
      {1,  2,  3,   4,   5,   7,   8,   12,  16,  17,  31,  32,   33,   48,   63,   64,
       65, 96, 100, 127, 128, 192, 256, 300, 512, 768, 773, 1000, 1024, 4096, 65536},
      3, 60000);
}

// Of 2.8 million other rows of these kinds, 1 to 4096 elements long, 18 went beyond 4 ulp, and none of float32 beyond 2.97. They are
// ordinary rows, in which roundings happen to add up.
TEST(LayerNormBound, Float64IsWithinFiveUlp) {
  expect_bound_on_all_datasets<simd::Default, double>({1, 2, 3, 5, 8, 17, 64, 100, 768, 1024, 65536}, 5,
                                                      20000);
}

// The worst of those: 4.39 ulp.
TEST(LayerNormBound, TheWorstFloat64RowIsWithinFiveUlp) {
  constexpr std::uint32_t kCols = 100;
  Random random(2846 * 7919 + kCols + 123457);
  Call<double> call{std::vector<double>(kCols), {1, kCols}, 2};
  for (double& value : call.x) value = random.normal();
  EXPECT_LE(worst_ulp(forward<simd::Default>(call).y, reference(call).y), 5);
}

TYPED_TEST(LayerNormTest, EveryAxisSetMatchesTheReference) {
  const std::vector<std::uint32_t> dims = {3, 5, 2, 7};
  for (std::uint32_t axes = 1; axes < 16; ++axes) {
    Call<float> call{normal<float>(3 * 5 * 2 * 7, axes), dims, axes};
    EXPECT_LE(worst_ulp(forward<TypeParam>(call).y, reference(call).y), 3) << "axes " << axes;
    Call<double> wide{normal<double>(3 * 5 * 2 * 7, axes), dims, axes};
    EXPECT_LE(worst_ulp(forward<TypeParam>(wide).y, reference(wide).y), 4) << "axes " << axes;
  }
}

TYPED_TEST(LayerNormTest, GammaAndBetaFollowTheReducedAxes) {
  for (const std::uint32_t axes : {0b1000u, 0b0010u, 0b1010u, 0b0101u, 0b1111u}) {
    Call<float> call{normal<float>(2 * 3 * 4 * 70, axes), {2, 3, 4, 70}, axes};
    for (const bool with_gamma : {false, true}) {
      for (const bool with_beta : {false, true}) {
        call.gamma = with_gamma ? normal<float>(call.reduced_size(), 5, 1) : std::vector<float>{};
        call.beta = with_beta ? normal<float>(call.reduced_size(), 6) : std::vector<float>{};
        for (const bool rms_scaling : {false, true}) {
          call.rms_scaling = rms_scaling;
          // |gamma| up to 5 and an addition: a few ulp more than the bound for gamma = 1.
          EXPECT_LE(worst_ulp(forward<TypeParam>(call).y, reference(call).y), 8) << "axes " << axes;
        }
      }
    }
  }
}

TYPED_TEST(LayerNormTest, MeanAndRstdAreThoseOfTheReference) {
  for (const std::uint32_t axes : {0b100u, 0b010u, 0b101u}) {
    for (const double offset : {0.0, 1e4}) {
      Call<float> call{normal<float>(4 * 66 * 33, 2, offset), {4, 66, 33}, axes};
      const Result<float> result = forward<TypeParam>(call);
      const auto expected = reference(call);
      for (std::size_t g = 0; g < call.groups(); ++g) {
        EXPECT_NEAR(result.mean[g], expected.mean[g], 1e-7 * std::fmax(1, offset));
        EXPECT_NEAR(result.rstd[g] / expected.rstd[g], 1, 3e-7);
      }
    }
  }
}

TYPED_TEST(LayerNormTest, RmsScalingSavesTheMeanThatTheGradientNeeds) {
  Call<float> call{normal<float>(8 * 100, 3, 2), {8, 100}, 2};
  const Result<float> centred = forward<TypeParam>(call);
  call.rms_scaling = true;
  const Result<float> uncentred = forward<TypeParam>(call);
  EXPECT_TRUE(same_bits(centred.mean, uncentred.mean));
  EXPECT_TRUE(same_bits(centred.rstd, uncentred.rstd));
}

// ---- Bounded: the numbers on which others fail
// ------------------------------------------------------------------

template <class S, class T>
void expect_row(const std::vector<T>& row, double epsilon, double bound) {
  Call<T> call{row, {1, static_cast<std::uint32_t>(row.size())}, 2, epsilon};
  EXPECT_LE(worst_ulp(forward<S>(call).y, reference(call).y), bound);
}

TYPED_TEST(LayerNormTest, pytorch_51102_mean_shifted) {
  expect_row<TypeParam>(normal<float>(20, 1, 2000), 1e-5, 3);
}
TYPED_TEST(LayerNormTest, mlx_2238_rows_around_1450) {
  expect_row<TypeParam>(normal<float>(512, 1, 1450), 1e-5, 3);
}
TYPED_TEST(LayerNormTest, onnxruntime_28463_small_spread) {
  expect_row<TypeParam>(std::vector<float>{40000, 40001, 40002, 40003}, 1e-5, 3);
}
TYPED_TEST(LayerNormTest, tvm_19592_small_spread) {
  expect_row<TypeParam>(std::vector<float>{80000, 80001, 80002, 80003}, 1e-5, 3);
}
TYPED_TEST(LayerNormTest, onnxruntime_31973_base_1e7) {
  expect_row<TypeParam>(normal<float>(4096, 1, 1e7), 1e-5, 3);
}
TYPED_TEST(LayerNormTest, trt_hackathon_88_one_outlier) {
  std::vector<float> row(256, 0.0f);
  row[100] = 255;
  expect_row<TypeParam>(row, 1e-6, 3);
}
TYPED_TEST(LayerNormTest, pytorch_178123_squares_overflow) {
  for (const float size : {1e19f, 1e20f, 1e30f, 3e38f}) {
    std::vector<float> row = normal<float>(100, 4);
    for (float& value : row) value = std::clamp(value, -1.0f, 1.0f) * size;
    expect_row<TypeParam>(row, 1e-5, 3);
  }
  for (const double size : {1e160, 1e300, 1.7e308}) {
    std::vector<double> row = normal<double>(100, 4);
    for (double& value : row) value = std::clamp(value, -1.0, 1.0) * size;
    expect_row<TypeParam>(row, 1e-5, 4);
  }
}
TYPED_TEST(LayerNormTest, TinyValuesWithoutEpsilonAreNormalized) {
  for (const float size : {1e-18f, 1e-20f, 1e-30f, 1e-37f}) {
    std::vector<float> row = normal<float>(100, 5);
    for (float& value : row) value *= size;
    expect_row<TypeParam>(row, 0, 3);
  }
  for (const double size : {1e-150, 1e-200, 1e-300}) {
    std::vector<double> row = normal<double>(100, 5);
    for (double& value : row) value *= size;
    expect_row<TypeParam>(row, 0, 4);
    expect_row<TypeParam>(row, size * size, 4);
  }
}
TYPED_TEST(LayerNormTest, onnxruntime_21935_and_pytorch_108072_constant_rows_give_beta) {
  for (const float value : {0.0f, .1f, 1234.0f, -1e7f / 3, 1e30f, 1e-30f}) {
    for (const std::uint32_t cols : {1u, 3u, 17u, 256u, 1000u}) {
      Call<float> call{std::vector<float>(cols, value), {1, cols}, 2, 1e-5};
      for (const float y : forward<TypeParam>(call).y) EXPECT_EQ(y, 0) << value << ", D = " << cols;
    }
  }
}
// Below sqrt(epsilon) as well, where a mean of one term would do for the bound but not for an exact 0.
template <class S, class T>
void expect_constant_rows_give_zero() {
  Random random(21);
  for (std::uint32_t cols = 1; cols < 70; ++cols) {
    Call<T> call{std::vector<T>(cols * 20), {20, cols}, 2, 1e-3};
    for (std::size_t row = 0; row < 20; ++row) {
      const T value = static_cast<T>(0.03 * random.uniform());
      for (std::size_t i = 0; i < cols; ++i) call.x[row * cols + i] = value;
    }
    for (const T y : forward<S>(call).y) ASSERT_EQ(y, 0) << "D = " << cols;
  }
}
TYPED_TEST(LayerNormTest, SmallConstantRowsGiveBetaToo) {
  expect_constant_rows_give_zero<TypeParam, float>();
  expect_constant_rows_give_zero<TypeParam, double>();
}

// Rows that leave the range of their type, with everything that such a row has: offset, parameters, rms_scaling.
template <class S, class T>
void expect_exact_path(double size, double offset) {
  for (const bool rms_scaling : {false, true}) {
    for (const std::uint32_t axes : {0b10u, 0b01u}) {
      Call<T> call{normal<T>(4 * 48, 17), {axes == 0b10u ? 4u : 48u, axes == 0b10u ? 48u : 4u}, axes, 0};
      for (T& value : call.x) value = static_cast<T>((value + offset) * size);
      call.rms_scaling = rms_scaling;
      call.gamma = normal<T>(48, 18, 1);
      if (!rms_scaling) call.beta = normal<T>(48, 19);
      const Result<T> result = forward<S>(call);
      const auto expected = reference(call);
      EXPECT_LE(worst_ulp(result.y, expected.y), 8) << size << ", axes " << axes;
      for (std::size_t g = 0; g < 4; ++g) {
        const double epsilon = 4 * static_cast<double>(std::numeric_limits<T>::epsilon());
        EXPECT_NEAR(static_cast<double>(result.mean[g] / expected.mean[g]), 1, epsilon) << size;
        EXPECT_NEAR(static_cast<double>(result.rstd[g] / expected.rstd[g]), 1, epsilon) << size;
      }
    }
  }
}
TYPED_TEST(LayerNormTest, RowsOutOfRangeGetTheirStatisticsAndParameters) {
  for (const double offset : {3.0, 1e3}) {
    expect_exact_path<TypeParam, float>(1e30, offset);
    expect_exact_path<TypeParam, float>(1e-25, offset);
    expect_exact_path<TypeParam, double>(1e200, offset);
    expect_exact_path<TypeParam, double>(1e-200, offset);
  }
}

TYPED_TEST(LayerNormTest, AbsentParametersKeepTheSignOfZero) {
  // x = mean gives +0 or -0: in rows and in columns the same, with a gamma alone as well.
  Call<float> rows{std::vector<float>{-1, 0, 1, 0, -0.0f, 0}, {2, 3}, 2};
  rows.gamma = {-1, -1, -1};
  Call<float> columns{std::vector<float>{-1, 0, 0, -0.0f, 1, 0}, {3, 2}, 1};
  columns.gamma = rows.gamma;
  const std::vector<float> y = forward<TypeParam>(rows).y, t = forward<TypeParam>(columns).y;
  EXPECT_TRUE(same_bits(y, {t[0], t[2], t[4], t[1], t[3], t[5]}));
  EXPECT_TRUE(std::signbit(y[1])) << "0 * -1, and nothing is added to it";
}

TYPED_TEST(LayerNormTest, tensorflow_61287_zero_rows_without_epsilon_are_nan) {
  Call<float> call{std::vector<float>(8, 0.0f), {1, 8}, 2, 0};
  for (const float y : forward<TypeParam>(call).y) EXPECT_TRUE(std::isnan(y));
}

// ---- Bitwise: a row's bits depend on the row alone
// ----------------------------------------------------------------

// One row of each kind that takes a path of its own, and more than are worked on at a time: plain, shifted, scaled, constant, NaN,
// infinite, with a start that misleads, with outliers.
template <class T>
std::vector<T> mixed_rows(std::size_t cols, std::size_t& rows) {
  rows = 20;
  std::vector<T> x = normal<T>(rows * cols, cols);
  for (std::size_t i = 0; i < cols; ++i) {
    x[1 * cols + i] += 100;
    x[2 * cols + i] *= static_cast<T>(sizeof(T) == sizeof(float) ? 1e30 : 1e200);
    x[3 * cols + i] = T(1) / 3;
    if (i < kPeek) x[7 * cols + i] += 1000;
    if (i < cols / 2) x[8 * cols + i] = static_cast<T>(1e6);
    x[17 * cols + i] += T(1.8);
  }
  x[4 * cols + cols / 2] = std::numeric_limits<T>::quiet_NaN();
  x[5 * cols] = -std::numeric_limits<T>::infinity();
  x[9 * cols] = static_cast<T>(1e6);
  return x;
}

template <class S, class T>
void expect_rows_independent() {
  for (const std::uint32_t cols : {1u, 5u, 16u, 64u, 130u, 773u}) {
    std::size_t rows = 0;
    const std::vector<T> x = mixed_rows<T>(cols, rows);
    const auto n = static_cast<std::uint32_t>(rows);
    Call<T> batch{x, {n, cols}, 2};
    batch.gamma = normal<T>(cols, 8, 1);
    batch.beta = normal<T>(cols, 9);
    const Result<T> together = forward<S>(batch);

    Result<T> alone;
    for (std::uint32_t row = 0; row < n; ++row) {
      Call<T> single = batch;
      single.x.assign(x.begin() + row * cols, x.begin() + (row + 1) * cols);
      single.dims = {1, cols};
      const Result<T> result = forward<S>(single);
      alone.y.insert(alone.y.end(), result.y.begin(), result.y.end());
      alone.mean.push_back(result.mean[0]);
      alone.rstd.push_back(result.rstd[0]);
    }
    EXPECT_TRUE(same_bits(together.y, alone.y)) << "D = " << cols;
    EXPECT_TRUE(same_bits(together.mean, alone.mean));
    EXPECT_TRUE(same_bits(together.rstd, alone.rstd));

    // The same rows as columns, and as columns in pairs: [cols, rows] axis 0, and [cols, rows, 2] axes 0
    // and 2.
    Call<T> columns = batch;
    columns.dims = {cols, n};
    columns.axes = 1;
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t i = 0; i < cols; ++i) columns.x[i * rows + row] = x[row * cols + i];
    }
    const Result<T> transposed = forward<S>(columns);
    std::vector<T> y(x.size());
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t i = 0; i < cols; ++i) y[row * cols + i] = transposed.y[i * rows + row];
    }
    EXPECT_TRUE(same_bits(together.y, y)) << "as columns, D = " << cols;
    EXPECT_TRUE(same_bits(together.mean, transposed.mean));
    EXPECT_TRUE(same_bits(together.rstd, transposed.rstd));
    if (cols % 2 != 0) continue;

    Call<T> strided = batch;
    strided.dims = {cols / 2, n, 2};
    strided.axes = 0b101;
    const auto at = [&](std::size_t row, std::size_t i) { return (i / 2 * rows + row) * 2 + i % 2; };
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t i = 0; i < cols; ++i) strided.x[at(row, i)] = x[row * cols + i];
    }
    const Result<T> walked = forward<S>(strided);
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t i = 0; i < cols; ++i) y[row * cols + i] = walked.y[at(row, i)];
    }
    EXPECT_TRUE(same_bits(together.y, y)) << "strided, D = " << cols;
    EXPECT_TRUE(same_bits(together.rstd, walked.rstd));
  }
}

TYPED_TEST(LayerNormTest, RowsDoNotDependOnTheirNeighboursOrTheirLayout) {
  expect_rows_independent<TypeParam, float>();
  expect_rows_independent<TypeParam, double>();
}

// Tier: bounded. The worst that a search has found: all blocks of the row round alike, and its mean is as large as sums
// of plain squares are trusted with.
TYPED_TEST(LayerNormTest, RowsOfTwoValuesInAPeriodStayWithinFiveUlp) {
  Call<float> call{std::vector<float>(289), {1, 289}, 2};
  call.epsilon = 1e-5;
  for (std::size_t i = 0; i < 289; ++i) call.x[i] = i % 32 < 8 ? -0x1.0b92cep-1f : 0x1.a69ae6p+0f;
  EXPECT_LE(worst_ulp(forward<TypeParam>(call).y, reference(call).y), 5);
}

TYPED_TEST(LayerNormTest, NaNAndInfinityStayInTheirRow) {
  std::size_t rows = 0;
  Call<float> call{mixed_rows<float>(96, rows), {20, 96}, 2};
  const Result<float> result = forward<TypeParam>(call);
  for (std::size_t row = 0; row < rows; ++row) {
    const bool lost = row == 4 || row == 5;
    EXPECT_EQ(std::isnan(result.rstd[row]), lost) << row;
    for (std::size_t i = 0; i < 96; ++i)
      EXPECT_EQ(std::isnan(result.y[row * 96 + i]), lost) << row << ", " << i;
  }
}

TYPED_TEST(LayerNormTest, InPlaceGivesTheBitsOfOutOfPlace) {
  for (const std::uint32_t axes : {0b10u, 0b01u}) {
    std::size_t rows = 0;
    Call<float> call{mixed_rows<float>(66, rows), {20, 66}, axes};
    const Result<float> apart = forward<TypeParam>(call);
    LayerNormForward args = call.arguments();
    args.y = call.x.data();
    ASSERT_EQ(layer_norm_forward_on<TypeParam>(args), Status::ok);
    EXPECT_TRUE(same_bits(call.x, apart.y));
  }
}

template <class T>
void expect_vector_types_agree() {
  for (const auto& [dims, axes] : std::vector<std::pair<std::vector<std::uint32_t>, std::uint32_t>>{
           {{7, 130}, 0b10}, {{130, 7}, 0b01}, {{2, 65, 71}, 0b010}, {{6, 5, 4, 3}, 0b1010}}) {
    for (const Dataset& dataset : datasets()) {
      std::size_t size = 1;
      for (std::uint32_t n : dims) size *= n;
      Call<T> call{std::vector<T>(size), dims, axes};
      Random random(11);
      for (std::size_t i = 0; i < size; ++i) call.x[i] = static_cast<T>(dataset.element(random, i, size));
      const Result<T> intrinsics = forward<simd::Simd128>(call), emulated = forward<simd::Emulated>(call);
      EXPECT_TRUE(same_bits(intrinsics.y, emulated.y)) << dataset.name;
      EXPECT_TRUE(same_bits(intrinsics.mean, emulated.mean)) << dataset.name;
      EXPECT_TRUE(same_bits(intrinsics.rstd, emulated.rstd)) << dataset.name;
    }
  }
}

TEST(LayerNormBits, IntrinsicsAndEmulationAgree) {
  expect_vector_types_agree<float>();
  expect_vector_types_agree<double>();
}

// ---- Edges and errors
// ----------------------------------------------------------------------------------------------

TYPED_TEST(LayerNormTest, WritesItsOutputsAndNothingBesides) {
  constexpr float guard = 12345;
  for (const std::uint32_t cols : {1u, 3u, 16u, 17u, 67u}) {
    Call<float> call{normal<float>(3 * cols, 1), {3, cols}, 2};
    std::vector<float> y(3 * cols + 2, guard), mean(5, guard), rstd(5, guard);
    LayerNormForward args = call.arguments();
    args.y = &y[1];
    args.mean = &mean[1];
    args.rstd = &rstd[1];
    ASSERT_EQ(layer_norm_forward_on<TypeParam>(args), Status::ok);
    for (const auto* output : {&y, &mean, &rstd}) {
      EXPECT_EQ(output->front(), guard);
      EXPECT_EQ(output->back(), guard);
      for (std::size_t i = 1; i + 1 < output->size(); ++i) EXPECT_NE((*output)[i], guard);
    }
  }
}

TYPED_TEST(LayerNormTest, EmptyTensorsAreNoError) {
  LayerNormForward args;
  const std::uint32_t no_rows[] = {1, 0, 10};
  args.dims = no_rows;
  args.axes = 0b100;
  EXPECT_EQ(layer_norm_forward_on<TypeParam>(args), Status::ok)
      << "null pointers are fine when there is nothing to read";

  const std::uint32_t no_cols[] = {3, 0};
  float mean[3] = {}, rstd[3] = {};
  args.dims = no_cols;
  args.axes = 0b10;
  args.mean = mean;
  args.rstd = rstd;
  EXPECT_EQ(layer_norm_forward_on<TypeParam>(args), Status::ok);
  for (int n = 0; n < 3; ++n)
    EXPECT_TRUE(std::isnan(mean[n]) && std::isnan(rstd[n])) << "the mean of nothing";
}

class LayerNormErrors : public ::testing::Test {
 protected:
  static constexpr float kUntouched = 77;
  LayerNormErrors() {
    args = call.arguments();
    args.y = y.data();
    args.mean = mean.data();
    args.rstd = rstd.data();
  }
  // The call fails with `expected` and leaves all outputs as they were.
  void expect_error(Status expected) {
    EXPECT_EQ(layer_norm_forward(args), expected);
    for (const auto* output : {&y, &mean, &rstd}) {
      for (const float value : *output) EXPECT_EQ(value, kUntouched);
    }
  }

  Call<float> call{normal<float>(12, 1), {3, 4}, 2};
  std::vector<float> y = std::vector<float>(12, kUntouched);
  std::vector<float> mean = std::vector<float>(3, kUntouched);
  std::vector<float> rstd = std::vector<float>(3, kUntouched);
  LayerNormForward args;
};

TEST_F(LayerNormErrors, UnknownDType) {
  args.dtype = DType{9};
  expect_error(Status::unknown_dtype);
}
TEST_F(LayerNormErrors, NoDimensions) {
  args.dims = {};
  expect_error(Status::invalid_rank);
}
TEST_F(LayerNormErrors, NoAxes) {
  args.axes = 0;
  expect_error(Status::invalid_axes);
}
TEST_F(LayerNormErrors, AxisOutOfRange) {
  args.axes = 4;
  expect_error(Status::invalid_axes);
}
TEST_F(LayerNormErrors, HugeShape) {
  const std::uint32_t huge[] = {0xffffffffu, 0xffffffffu, 0xffffffffu};
  args.dims = huge;
  expect_error(Status::size_overflow);
}
TEST_F(LayerNormErrors, Epsilon) {
  for (const double epsilon :
       {-1e-3, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    args.epsilon = epsilon;
    expect_error(Status::invalid_epsilon);
  }
}
TEST_F(LayerNormErrors, NullX) {
  args.x = nullptr;
  expect_error(Status::null_data);
}
TEST_F(LayerNormErrors, NullY) {
  args.y = nullptr;
  expect_error(Status::null_data);
}
TEST_F(LayerNormErrors, MisalignedX) {
  args.x = static_cast<const char*>(args.x) + 1;
  expect_error(Status::misaligned_data);
}
TEST_F(LayerNormErrors, PartialOverlapOfXAndY) {
  args.x = y.data() + 1;
  expect_error(Status::overlapping_data);
}
TEST_F(LayerNormErrors, GammaInsideY) {
  args.gamma = y.data() + 4;
  expect_error(Status::overlapping_data);
}
TEST_F(LayerNormErrors, BetaIsMean) {
  args.beta = mean.data();
  expect_error(Status::overlapping_data);
}
TEST_F(LayerNormErrors, MeanIsRstd) {
  args.rstd = args.mean;
  expect_error(Status::overlapping_data);
}
TEST_F(LayerNormErrors, MeanInsideX) {
  args.x = y.data();
  args.mean = y.data() + 2;
  expect_error(Status::overlapping_data);
}

}  // namespace
}  // namespace layernorm::test
