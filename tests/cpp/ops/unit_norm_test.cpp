// What is unit normalization's own; what it shares with RMS normalization is in normalize_test.cpp and normalize_backward_test.cpp.
#include "ops/unit_norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "support/about_zero.h"

namespace layernorm::test {
namespace {

template <class S>
class UnitNormTest : public ::testing::Test {};
TYPED_TEST_SUITE(UnitNormTest, SimdTypes);

using Operation = UnitNormOperation;

template <class T>
double norm_of(const T* x, std::size_t count) {
  double squares = 0;
  for (std::size_t i = 0; i < count; ++i) squares += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return std::sqrt(squares);
}

TYPED_TEST(UnitNormTest, RowsHaveNormOne) {
  const ZeroCall<float> call = zero_call<Operation, float>({50, 300}, 2);
  const std::vector<float> y = compute<Operation, TypeParam>(call).y;
  for (std::size_t row = 0; row < 50; ++row) EXPECT_NEAR(norm_of(&y[row * 300], 300), 1, 1e-7);
}

// Through the root of a clamped square the gradient is finite, through a clamped root it was NaN.
TYPED_TEST(UnitNormTest, keras_23093_the_gradient_at_a_zero_vector_is_finite) {
  for (const std::uint32_t axes : {0b10u, 0b01u}) {
    ZeroCall<float> call = zero_call<Operation, float>({40, 40}, axes);
    call.x.assign(1600, 0);
    const ZeroResult<float> result = compute<Operation, TypeParam>(call);
    for (std::size_t i = 0; i < 1600; ++i) {
      ASSERT_EQ(result.y[i], 0);
      ASSERT_EQ(result.dx[i], call.dy[i] * 1e12f);
    }
  }
}

// Keras 2 and 3 before 2024 clamped at 1e-12 the square, and left vectors below 1e-6 shorter than 1.
TYPED_TEST(UnitNormTest, keras_20196_short_vectors_have_norm_one_too) {
  for (const float size : {1e-7f, 1e-11f}) {
    ZeroCall<float> call{DType::float32, {1, 2}, 2, Operation::kEpsilon, {3 * size, -4 * size}, {1, 1}};
    const std::vector<float> y = compute<Operation, TypeParam>(call).y;
    EXPECT_NEAR(y[0], 0.6, 1e-7);
    EXPECT_NEAR(y[1], -0.8, 1e-7);
  }
}

TYPED_TEST(UnitNormTest, BelowTheClampVectorsAreScaledByAConstant) {
  ZeroCall<double> call{DType::float64, {2, 2}, 2, 0.1, {0.03, 0.04, 3, 4}, {1, 2, 1, 2}};
  const ZeroResult<double> result = compute<Operation, TypeParam>(call);
  const double y[] = {0.3, 0.4, 0.6, 0.8};
  const double dx[] = {10, 20, (1 - 0.6 * 2.2) / 5, (2 - 0.8 * 2.2) / 5};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(result.y[i], y[i], 1e-15);
    EXPECT_NEAR(result.dx[i], dx[i], 1e-14);
  }
}

// In float16 the clamp itself would be 0.
TYPED_TEST(UnitNormTest, ZeroVectorsOfSixteenBitsGiveZero) {
  for (const DType dtype : {DType::float16, DType::bfloat16}) {
    ZeroCall<std::uint16_t> call{dtype, {4, 33}, 2, Operation::kEpsilon};
    call.x.assign(132, 0);
    call.dy.assign(132, 0);
    for (const std::uint16_t y : compute<Operation, TypeParam>(call).y) EXPECT_EQ(y, 0);
  }
}

TEST(UnitNorm, TheGradientNeedsAnEpsilon) {
  const ZeroCall<float> call = zero_call<Operation, float>({3, 4}, 2);
  ZeroResult<float> out = compute<Operation, simd::Default>(call);
  std::vector<double> workspace;
  UnitNormBackward args = backward_arguments<Operation>(call, out, workspace);
  args.epsilon = -1;
  EXPECT_EQ(unit_norm_backward(args), Status::invalid_epsilon);
}

}  // namespace
}  // namespace layernorm::test
