// The forward pass of the operations about zero, RMS and unit normalization, on every vector type: what layer_norm_test.cpp
// asks of the one about the mean. tests/README.md explains the tiers.
#include "ops/normalize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

#include "reference/layer_norm_reference.h"
#include "support/about_zero.h"
#include "support/datasets.h"

namespace layernorm::test {
namespace {

template <class O>
class NormalizeTest : public ::testing::Test {};
TYPED_TEST_SUITE(NormalizeTest, OperationsAboutZero);

template <class T, class Wide>
double worst_ulp(const std::vector<T>& actual, const std::vector<Wide>& expected) {
  double worst = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) worst = std::max(worst, ulp_error(actual[i], expected[i]));
  return worst;
}

// ---- Bounded: error against the reference, in ulp of max(|y|, 1) ----

template <class Operation, class T>
void expect_bound_on_all_datasets(const std::vector<std::size_t>& sizes, double bound) {
  std::printf("worst error in ulp of max(|y|, 1)\n%6s", "D");
  for (const Dataset& dataset : datasets()) std::printf(" %12s", dataset.name);
  std::printf("\n");
  for (const std::size_t cols : sizes) {
    const std::size_t rows = std::max<std::size_t>(3, std::min<std::size_t>(1000, 60000 / cols));
    std::printf("%6zu", cols);
    for (const Dataset& dataset : datasets()) {
      ZeroCall<T> call{dtype_of<T>,
                       {static_cast<std::uint32_t>(rows), static_cast<std::uint32_t>(cols)},
                       2,
                       Operation::kEpsilon,
                       std::vector<T>(rows * cols),
                       std::vector<T>(rows * cols)};
      for (std::size_t row = 0; row < rows; ++row) {
        Random random(row * 7919 + cols);
        for (std::size_t i = 0; i < cols; ++i) {
          call.x[row * cols + i] = static_cast<T>(dataset.element(random, i, cols));
        }
      }
      const double worst = worst_ulp(compute<Operation, simd::Default>(call).y, Operation::reference(call).y);
      std::printf(" %12.2f", worst);
      EXPECT_LE(worst, bound) << dataset.name << ", D = " << cols;
    }
    std::printf("\n");
  }
}

const std::vector<std::size_t> kSizes = {1,   2,   3,   4,   5,   7,    8,    12,   16,   17,  31,
                                         32,  33,  48,  63,  64,  65,   96,   100,  127,  128, 192,
                                         256, 300, 512, 768, 773, 1000, 1024, 4096, 65536};

TEST(NormalizeBound, RmsNormInFloat32IsWithinThreeUlp) {
  expect_bound_on_all_datasets<RmsNormOperation, float>(kSizes, 3);
}
TEST(NormalizeBound, RmsNormInFloat64IsWithinFourUlp) {
  expect_bound_on_all_datasets<RmsNormOperation, double>({1, 2, 3, 5, 8, 17, 64, 100, 768, 1024, 65536}, 4);
}
TEST(NormalizeBound, UnitNormInFloat32IsWithinThreeUlp) {
  expect_bound_on_all_datasets<UnitNormOperation, float>(kSizes, 3);
}
TEST(NormalizeBound, UnitNormInFloat64IsWithinFourUlp) {
  expect_bound_on_all_datasets<UnitNormOperation, double>({1, 2, 3, 5, 8, 17, 64, 100, 768, 1024, 65536}, 4);
}

template <class Operation, class S, class T>
void expect_reference(const ZeroCall<T>& call, double bound) {
  const ZeroResult<T> actual = compute<Operation, S>(call);
  const auto expected = Operation::reference(call);
  EXPECT_LE(worst_ulp(actual.y, expected.y), bound) << "axes " << call.axes;
  for (std::size_t g = 0; g < call.groups(); ++g) {
    EXPECT_NEAR(static_cast<double>(actual.rstd[g] / expected.rstd[g]), 1,
                3 * static_cast<double>(std::numeric_limits<T>::epsilon()));
  }
}

TYPED_TEST(NormalizeTest, EveryAxisSetMatchesTheReference) {
  using Operation = typename TypeParam::Operation;
  for (std::uint32_t axes = 1; axes < 16; ++axes) {
    for (const bool with_gamma : {false, true}) {
      expect_reference<Operation, typename TypeParam::Simd>(
          zero_call<Operation, float>({3, 5, 2, 70}, axes, with_gamma), 4);
      expect_reference<Operation, typename TypeParam::Simd>(
          zero_call<Operation, double>({3, 5, 2, 7}, axes, with_gamma), 4);
    }
  }
}

// Squares beyond the range of the type, with all that such a group has.
template <class Operation, class S, class T>
void expect_out_of_range(double size, double epsilon) {
  for (const std::uint32_t axes : {0b100u, 0b010u, 0b101u}) {
    ZeroCall<T> call = zero_call<Operation, T>({4, 48, 3}, axes);
    for (T& value : call.x) value = static_cast<T>(value * size);
    call.epsilon = epsilon;
    expect_reference<Operation, S>(call, 4);
  }
}
TYPED_TEST(NormalizeTest, pytorch_178123_squares_overflow_or_vanish) {
  using Operation = typename TypeParam::Operation;
  using S = typename TypeParam::Simd;
  for (const double size : {1e19, 1e20, 1e30, 5e37}) {
    expect_out_of_range<Operation, S, float>(size, Operation::kEpsilon);
  }
  for (const double size : {1e-18, 1e-22, 1e-30, 1e-37}) expect_out_of_range<Operation, S, float>(size, 0);
  for (const double size : {1e160, 1e200, 1e300}) {
    expect_out_of_range<Operation, S, double>(size, Operation::kEpsilon);
  }
  for (const double size : {1e-150, 1e-200, 1e-300}) {
    expect_out_of_range<Operation, S, double>(size, 0);
    // As large as the squares, or as the norms, are.
    expect_out_of_range<Operation, S, double>(size, Operation::kHasGamma ? size * size : size);
  }
}

TYPED_TEST(NormalizeTest, ZerosGiveZerosUnlessEpsilonIsZero) {
  using Operation = typename TypeParam::Operation;
  using S = typename TypeParam::Simd;
  for (const std::uint32_t axes : {0b100u, 0b010u, 0b101u}) {
    for (const double epsilon : {1.0, 1e-12, 1e-24, 1e-60, 1e-300}) {
      ZeroCall<float> call = zero_call<Operation, float>({3, 40, 5}, axes);
      call.epsilon = epsilon;
      call.x.assign(call.x.size(), 0);
      for (const float y : compute<Operation, S>(call).y) ASSERT_EQ(y, 0) << epsilon;
      ZeroCall<double> wide = zero_call<Operation, double>({3, 40, 5}, axes);
      wide.epsilon = epsilon;
      wide.x.assign(wide.x.size(), 0);
      for (const double y : compute<Operation, S>(wide).y) ASSERT_EQ(y, 0) << epsilon;
    }
    ZeroCall<float> call = zero_call<Operation, float>({3, 40, 5}, axes);
    call.epsilon = 0;
    call.x.assign(call.x.size(), 0);
    for (const float y : compute<Operation, S>(call).y) ASSERT_TRUE(std::isnan(y)) << "0 / 0";
  }
}

// ---- Bitwise ----

// More rows than are worked on at a time, with some of each kind that takes a path of its own.
template <class Operation, class T>
ZeroCall<T> mixed_rows(std::uint32_t cols) {
  ZeroCall<T> call = zero_call<Operation, T>({20, cols}, 2);
  for (std::size_t i = 0; i < cols; ++i) {
    call.x[1 * cols + i] += 1000;
    call.x[2 * cols + i] *= static_cast<T>(sizeof(T) == sizeof(float) ? 1e30 : 1e200);
    call.x[3 * cols + i] *= static_cast<T>(sizeof(T) == sizeof(float) ? 1e-30 : 1e-200);
    call.x[6 * cols + i] = 0;
  }
  call.x[4 * cols + cols / 2] = std::numeric_limits<T>::quiet_NaN();
  call.x[5 * cols] = -std::numeric_limits<T>::infinity();
  return call;
}

template <class Operation, class S, class T>
void expect_rows_independent() {
  for (const std::uint32_t cols : {1u, 5u, 16u, 64u, 130u, 774u}) {
    const ZeroCall<T> batch = mixed_rows<Operation, T>(cols);
    const std::uint32_t rows = batch.dims[0];
    const ZeroResult<T> together = compute<Operation, S>(batch);
    ZeroResult<T> alone;
    for (std::uint32_t row = 0; row < rows; ++row) {
      ZeroCall<T> single = batch;
      single.x.assign(batch.x.begin() + row * cols, batch.x.begin() + (row + 1) * cols);
      single.dy.assign(batch.dy.begin() + row * cols, batch.dy.begin() + (row + 1) * cols);
      single.dims = {1, cols};
      const ZeroResult<T> result = compute<Operation, S>(single);
      alone.y.insert(alone.y.end(), result.y.begin(), result.y.end());
      alone.dx.insert(alone.dx.end(), result.dx.begin(), result.dx.end());
      alone.rstd.push_back(result.rstd[0]);
    }
    EXPECT_TRUE(same_bits(together.y, alone.y)) << "D = " << cols;
    EXPECT_TRUE(same_bits(together.rstd, alone.rstd)) << "D = " << cols;
    EXPECT_TRUE(same_bits(together.dx, alone.dx)) << "D = " << cols;

    // The same rows as columns, and as columns in pairs: [cols, rows] axis 0, and [cols / 2, rows, 2] axes 0 and 2.
    for (const std::uint32_t pieces : {1u, 2u}) {
      if (cols % pieces != 0) continue;
      const auto at = [&](std::size_t row, std::size_t i) {
        return (i / pieces * rows + row) * pieces + i % pieces;
      };
      ZeroCall<T> moved = batch;
      moved.dims = {cols / pieces, rows, pieces};
      moved.axes = pieces == 1 ? 0b001 : 0b101;
      for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t i = 0; i < cols; ++i) {
          moved.x[at(row, i)] = batch.x[row * cols + i];
          moved.dy[at(row, i)] = batch.dy[row * cols + i];
        }
      }
      const ZeroResult<T> result = compute<Operation, S>(moved);
      ZeroResult<T> back = together;
      for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t i = 0; i < cols; ++i) {
          back.y[row * cols + i] = result.y[at(row, i)];
          back.dx[row * cols + i] = result.dx[at(row, i)];
        }
      }
      EXPECT_TRUE(same_bits(together.y, back.y)) << pieces << " neighbours, D = " << cols;
      EXPECT_TRUE(same_bits(together.rstd, result.rstd)) << pieces << " neighbours, D = " << cols;
      EXPECT_TRUE(same_bits(together.dx, back.dx)) << pieces << " neighbours, D = " << cols;
      EXPECT_TRUE(!Operation::kHasGamma || same_bits(together.dgamma, result.dgamma));
    }
  }
}

TYPED_TEST(NormalizeTest, RowsDoNotDependOnTheirNeighboursOrTheirLayout) {
  expect_rows_independent<typename TypeParam::Operation, typename TypeParam::Simd, float>();
  expect_rows_independent<typename TypeParam::Operation, typename TypeParam::Simd, double>();
}

TYPED_TEST(NormalizeTest, AGammaOfOnesGivesTheBitsOfNone) {
  using Operation = typename TypeParam::Operation;
  for (const std::uint32_t cols : {5u, 64u, 300u}) {
    ZeroCall<float> call = zero_call<Operation, float>({20, cols}, 2, false);
    const ZeroResult<float> without = compute<Operation, typename TypeParam::Simd>(call);
    if (Operation::kHasGamma) call.gamma.assign(cols, 1);
    EXPECT_TRUE(same_bits(compute<Operation, typename TypeParam::Simd>(call).y, without.y));
  }
}

TYPED_TEST(NormalizeTest, InPlaceGivesTheBitsOfOutOfPlace) {
  using Operation = typename TypeParam::Operation;
  using S = typename TypeParam::Simd;
  for (const std::uint32_t axes : {0b01u, 0b10u}) {
    ZeroCall<float> call = mixed_rows<Operation, float>(66);
    call.axes = axes;
    if (Operation::kHasGamma) call.gamma.resize(call.cols());
    const ZeroResult<float> apart = compute<Operation, S>(call);
    ZeroResult<float> out = apart;
    std::vector<double> workspace;
    auto args = forward_arguments<Operation>(call, out, workspace);
    args.y = call.x.data();
    ASSERT_EQ(Operation::template forward<S>(args), Status::ok);
    EXPECT_TRUE(same_bits(call.x, apart.y));
  }
}

TYPED_TEST(NormalizeTest, NaNMakesItsRowNaNAndAnInfinityTheRestOfItsRowZero) {
  using Operation = typename TypeParam::Operation;
  for (const std::uint32_t cols : {20u, 300u}) {
    const ZeroCall<float> call = mixed_rows<Operation, float>(cols);
    const ZeroResult<float> result = compute<Operation, typename TypeParam::Simd>(call);
    for (std::size_t row = 0; row < 20; ++row) {
      for (std::size_t i = 0; i < cols; ++i) {
        const float y = result.y[row * cols + i];
        EXPECT_EQ(std::isnan(y), row == 4 || (row == 5 && i == 0)) << row << ", " << i;
        EXPECT_TRUE(row != 5 || i == 0 || y == 0);
      }
    }
  }
}

// The float32 operation on the widened numbers, rounded once.
template <class Operation, class S>
void expect_float32_rounded_once(DType dtype) {
  for (const auto& [dims, axes] : std::vector<std::pair<std::vector<std::uint32_t>, std::uint32_t>>{
           {{1, 1}, 2}, {{37, 773}, 2}, {{300, 64}, 2}, {{2, 9000}, 2}, {{130, 300}, 1}, {{9, 17, 80}, 5}}) {
    ZeroCall<float> wide = zero_call<Operation, float>(dims, axes);
    for (std::size_t i = 0; i < wide.x.size(); i += 97) wide.x[i] = 60000;
    ZeroCall<std::uint16_t> call{dtype, dims, axes, wide.epsilon};
    call.x = narrowed<S>(dtype, wide.x);
    call.dy = narrowed<S>(dtype, wide.dy);
    call.gamma = wide.gamma;
    wide.x = widened<S>(dtype, call.x);
    wide.dy = widened<S>(dtype, call.dy);
    const ZeroResult<std::uint16_t> actual = compute<Operation, S>(call);
    const ZeroResult<float> expected = compute<Operation, S>(wide);
    EXPECT_EQ(actual.y, narrowed<S>(dtype, expected.y));
    EXPECT_EQ(actual.dx, narrowed<S>(dtype, expected.dx));
    EXPECT_TRUE(same_bits(actual.rstd, expected.rstd));
    EXPECT_TRUE(!Operation::kHasGamma || same_bits(actual.dgamma, expected.dgamma));
  }
}
TYPED_TEST(NormalizeTest, SixteenBitsAreFloat32RoundedOnce) {
  expect_float32_rounded_once<typename TypeParam::Operation, typename TypeParam::Simd>(DType::float16);
  expect_float32_rounded_once<typename TypeParam::Operation, typename TypeParam::Simd>(DType::bfloat16);
}

template <class Operation, class T>
void expect_vector_types_agree() {
  for (const auto& [dims, axes] : std::vector<std::pair<std::vector<std::uint32_t>, std::uint32_t>>{
           {{7, 130}, 0b10}, {{130, 7}, 0b01}, {{2, 65, 71}, 0b010}, {{6, 5, 4, 3}, 0b1010}}) {
    for (const Dataset& dataset : datasets()) {
      ZeroCall<T> call = zero_call<Operation, T>(dims, axes);
      Random random(11);
      for (T& x : call.x) x = static_cast<T>(dataset.element(random, 1, call.size()));
      const ZeroResult<T> intrinsics = compute<Operation, simd::Simd128>(call),
                          emulated = compute<Operation, simd::Emulated>(call);
      EXPECT_TRUE(same_bits(intrinsics.y, emulated.y)) << dataset.name;
      EXPECT_TRUE(same_bits(intrinsics.rstd, emulated.rstd)) << dataset.name;
      EXPECT_TRUE(same_bits(intrinsics.dx, emulated.dx)) << dataset.name;
    }
  }
}
TEST(NormalizeBits, IntrinsicsAndEmulationAgree) {
  expect_vector_types_agree<RmsNormOperation, float>();
  expect_vector_types_agree<RmsNormOperation, double>();
  expect_vector_types_agree<UnitNormOperation, float>();
  expect_vector_types_agree<UnitNormOperation, double>();
}

// ---- Edges and errors ----

TYPED_TEST(NormalizeTest, WritesItsOutputsAndNothingBesides) {
  using Operation = typename TypeParam::Operation;
  constexpr float guard = 12345;
  for (const std::uint32_t cols : {1u, 3u, 16u, 17u, 67u, 150u}) {
    const ZeroCall<float> call = zero_call<Operation, float>({3, cols}, 2);
    ZeroResult<float> out;
    std::vector<double> workspace;
    auto args = forward_arguments<Operation>(call, out, workspace);
    std::vector<float> y(3 * cols + 2, guard), rstd(5, guard);
    args.y = &y[1];
    args.rstd = &rstd[1];
    ASSERT_EQ(Operation::template forward<typename TypeParam::Simd>(args), Status::ok);
    for (const auto* output : {&y, &rstd}) {
      EXPECT_EQ(output->front(), guard);
      EXPECT_EQ(output->back(), guard);
      for (std::size_t i = 1; i + 1 < output->size(); ++i) EXPECT_NE((*output)[i], guard);
    }
  }
}

TYPED_TEST(NormalizeTest, EmptyTensorsAreNoError) {
  using Operation = typename TypeParam::Operation;
  typename Operation::Forward args;
  const std::uint32_t no_rows[] = {1, 0, 10};
  args.dims = no_rows;
  args.axes = 0b100;
  EXPECT_EQ(Operation::template forward<typename TypeParam::Simd>(args), Status::ok);
  const std::uint32_t no_cols[] = {3, 0};
  float rstd[3] = {};
  args.dims = no_cols;
  args.axes = 0b10;
  args.rstd = rstd;
  EXPECT_EQ(Operation::template forward<typename TypeParam::Simd>(args), Status::ok);
  for (const float value : rstd) EXPECT_TRUE(std::isnan(value)) << "the spread of nothing";
}

// What goes wrong is told, and nothing is written.
template <class Operation>
void expect_error(Status expected, void (*mistake)(typename Operation::Forward& args, float* y)) {
  const ZeroCall<float> call = zero_call<Operation, float>({3, 4}, 2);
  ZeroResult<float> out;
  std::vector<double> workspace;
  auto args = forward_arguments<Operation>(call, out, workspace);
  out.y.assign(12, 77);
  out.rstd.assign(3, 77);
  mistake(args, out.y.data());
  EXPECT_EQ(Operation::template forward<simd::Default>(args), expected);
  for (const float value : out.y) EXPECT_EQ(value, 77);
  for (const float value : out.rstd) EXPECT_EQ(value, 77);
}

TYPED_TEST(NormalizeTest, ErrorsAreToldBeforeAnythingIsWritten) {
  using Operation = typename TypeParam::Operation;
  using Args = typename Operation::Forward;
  static const std::uint32_t huge[] = {0xffffffffu, 0xffffffffu, 0xffffffffu};
  expect_error<Operation>(Status::unknown_dtype, [](Args& args, float*) { args.dtype = DType{9}; });
  expect_error<Operation>(Status::invalid_rank, [](Args& args, float*) { args.dims = {}; });
  expect_error<Operation>(Status::invalid_axes, [](Args& args, float*) { args.axes = 0; });
  expect_error<Operation>(Status::invalid_axes, [](Args& args, float*) { args.axes = 4; });
  expect_error<Operation>(Status::size_overflow, [](Args& args, float*) { args.dims = huge; });
  expect_error<Operation>(Status::invalid_epsilon, [](Args& args, float*) { args.epsilon = -1e-3; });
  expect_error<Operation>(Status::invalid_epsilon, [](Args& args, float*) { args.epsilon = INFINITY; });
  expect_error<Operation>(Status::invalid_epsilon, [](Args& args, float*) { args.epsilon = NAN; });
  expect_error<Operation>(Status::null_data, [](Args& args, float*) { args.x = nullptr; });
  expect_error<Operation>(Status::null_data, [](Args& args, float*) { args.y = nullptr; });
  expect_error<Operation>(Status::small_workspace, [](Args& args, float*) {
    args.dtype = DType::float16;
    args.workspace = nullptr;
  });
  expect_error<Operation>(Status::misaligned_data,
                          [](Args& args, float*) { args.x = static_cast<const char*>(args.x) + 1; });
  expect_error<Operation>(Status::overlapping_data, [](Args& args, float* y) { args.x = y + 1; });
  expect_error<Operation>(Status::overlapping_data, [](Args& args, float* y) { args.rstd = y + 2; });
}

}  // namespace
}  // namespace layernorm::test
