// The gradients of the operations about zero, RMS and unit normalization, on every vector type: what layer_norm_backward_test.cpp
// asks of the one about the mean; what holds of both passes is in normalize_test.cpp. tests/README.md explains the tiers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "ops/normalize.h"
#include "support/about_zero.h"

namespace layernorm::test {
namespace {

template <class O>
class NormalizeBackwardTest : public ::testing::Test {};
TYPED_TEST_SUITE(NormalizeBackwardTest, OperationsAboutZero);

template <class T, class Wide>
void expect_close(const std::vector<T>& actual, const std::vector<Wide>& expected, const char* what,
                  Wide scale = 1) {
  for (const Wide value : expected) scale = std::max(scale, std::fabs(value));
  const Wide bound = 16 * scale * static_cast<Wide>(std::numeric_limits<T>::epsilon());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_LE(std::fabs(static_cast<Wide>(actual[i]) - expected[i]), bound) << what << "[" << i << "]";
  }
}

template <class Operation, class S, class T>
void expect_reference(const ZeroCall<T>& call) {
  const ZeroResult<T> actual = compute<Operation, S>(call);
  const auto expected = Operation::reference(call);
  // Its summands are of the size of dy * rstd, and may cancel: of a group of one element nearly all does.
  expect_close(actual.dx, expected.dx, "dx",
               4 * *std::max_element(expected.rstd.begin(), expected.rstd.end()));
  if constexpr (Operation::kHasGamma) expect_close(actual.dgamma, expected.dgamma, "dgamma");
}

// ---- Bounded ----

TYPED_TEST(NormalizeBackwardTest, EveryAxisSetMatchesTheFormulas) {
  using Operation = typename TypeParam::Operation;
  using S = typename TypeParam::Simd;
  for (std::uint32_t axes = 1; axes < 16; ++axes) {
    for (const bool with_gamma : {false, true}) {
      expect_reference<Operation, S>(zero_call<Operation, float>({3, 5, 2, 7}, axes, with_gamma));
      expect_reference<Operation, S>(zero_call<Operation, double>({3, 5, 2, 7}, axes, with_gamma));
    }
  }
}

TYPED_TEST(NormalizeBackwardTest, EveryRowLengthMatchesTheFormulas) {
  using Operation = typename TypeParam::Operation;
  for (const std::uint32_t cols : {1u, 2u, 7u, 8u, 15u, 16u, 17u, 63u, 64u, 65u, 130u, 773u}) {
    expect_reference<Operation, typename TypeParam::Simd>(zero_call<Operation, float>({130, cols}, 2));
    expect_reference<Operation, typename TypeParam::Simd>(zero_call<Operation, double>({130, cols}, 2));
  }
}

// Central differences of sum(y * dy), in double: they know nothing of the formulas.
template <class Operation>
void expect_slope(std::uint32_t axes) {
  ZeroCall<double> call = zero_call<Operation, double>({4, 6}, axes);
  const ZeroResult<double> gradients = compute<Operation, simd::Default>(call);
  const auto slope = [&](double& parameter) {
    const auto loss = [&](double value) {
      const double before = parameter;
      parameter = value;
      const std::vector<double> y = compute<Operation, simd::Default>(call).y;
      parameter = before;
      double sum = 0;
      for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * call.dy[i];
      return sum;
    };
    constexpr double step = 1e-5;
    return (loss(parameter + step) - loss(parameter - step)) / (2 * step);
  };
  for (std::size_t i = 0; i < call.x.size(); ++i) EXPECT_NEAR(gradients.dx[i], slope(call.x[i]), 1e-8);
  for (std::size_t i = 0; i < call.gamma.size(); ++i) {
    EXPECT_NEAR(gradients.dgamma[i], slope(call.gamma[i]), 1e-8);
  }
}
TEST(NormalizeGradient, IsTheSlopeOfTheForward) {
  for (const std::uint32_t axes : {0b10u, 0b01u, 0b11u}) {
    expect_slope<RmsNormOperation>(axes);
    expect_slope<UnitNormOperation>(axes);
  }
}

// dx is of the size of rstd: its error is measured at that size.
template <class Operation, class T>
void expect_scaled(double size, double epsilon) {
  ZeroCall<T> call = zero_call<Operation, T>({6, 40}, 2);
  for (T& value : call.x) value = static_cast<T>(value * size);
  call.epsilon = epsilon;
  const ZeroResult<T> actual = compute<Operation, simd::Default>(call);
  const auto expected = Operation::reference(call);
  for (std::size_t i = 0; i < actual.dx.size(); ++i) {
    const auto rstd = expected.rstd[i / 40];
    ASSERT_LE(std::fabs((actual.dx[i] - expected.dx[i]) / rstd), 64 * std::numeric_limits<T>::epsilon())
        << size;
  }
}
template <class Operation>
void expect_any_size() {
  for (const double size : {1e20, 1e25, 1e30}) expect_scaled<Operation, float>(size, Operation::kEpsilon);
  for (const double size : {1e-10, 1e-21, 1e-30}) expect_scaled<Operation, float>(size, 0);
  for (const double size : {1e160, 1e200}) expect_scaled<Operation, double>(size, Operation::kEpsilon);
  for (const double size : {1e-160, 1e-200}) expect_scaled<Operation, double>(size, 0);
}
TEST(NormalizeGradient, IsRightForValuesOfAnySize) {
  expect_any_size<RmsNormOperation>();
  expect_any_size<UnitNormOperation>();
}

// ---- Bitwise ----

TYPED_TEST(NormalizeBackwardTest, PartsGiveTheBitsOfTheWhole) {
  using Operation = typename TypeParam::Operation;
  using S = typename TypeParam::Simd;
  const std::uint32_t rows = 200, cols = 37;
  const ZeroCall<float> call = zero_call<Operation, float>({rows, cols}, 2);
  const ZeroResult<float> whole = compute<Operation, S>(call);
  ZeroResult<float> parts;
  parts.rstd = whole.rstd;
  std::vector<double> workspace;
  auto args = backward_arguments<Operation>(call, parts, workspace);
  for (std::uint32_t first = 0; first < rows; first += 30) {
    const std::uint32_t dims[] = {std::min(30u, rows - first), cols};
    args.dims = dims;
    args.first_group = first;
    args.last = first + 30 >= rows;
    args.dy = &call.dy[first * cols];
    args.x = &call.x[first * cols];
    args.rstd = &whole.rstd[first];
    args.dx = &parts.dx[first * cols];
    ASSERT_EQ(Operation::template backward<S>(args), Status::ok);
  }
  EXPECT_TRUE(same_bits(whole.dx, parts.dx));
  EXPECT_TRUE(same_bits(whole.dgamma, parts.dgamma));
}

TYPED_TEST(NormalizeBackwardTest, InPlaceGivesTheBitsOfOutOfPlace) {
  using Operation = typename TypeParam::Operation;
  using S = typename TypeParam::Simd;
  for (const std::uint32_t axes : {0b10u, 0b01u}) {
    const ZeroCall<float> call = zero_call<Operation, float>({70, 66}, axes);
    const ZeroResult<float> apart = compute<Operation, S>(call);
    for (const bool over_dy : {true, false}) {
      ZeroCall<float> copy = call;
      ZeroResult<float> out = apart;
      std::vector<double> workspace;
      auto args = backward_arguments<Operation>(copy, out, workspace);
      std::vector<float>& target = over_dy ? copy.dy : copy.x;
      args.dx = target.data();
      ASSERT_EQ(Operation::template backward<S>(args), Status::ok);
      EXPECT_TRUE(same_bits(apart.dx, target));
    }
  }
}

// ---- Edges and errors ----

TYPED_TEST(NormalizeBackwardTest, ErrorsAreToldBeforeAnythingIsWritten) {
  using Operation = typename TypeParam::Operation;
  using Args = typename Operation::Backward;
  const ZeroCall<float> call = zero_call<Operation, float>({3, 8}, 2);
  const auto expect_error = [&](Status expected, const auto& mistake) {
    ZeroResult<float> out = compute<Operation, simd::Default>(call);
    std::vector<double> workspace;
    Args args = backward_arguments<Operation>(call, out, workspace);
    out.dx.assign(24, 77);
    mistake(args, out.dx.data());
    EXPECT_EQ(Operation::template backward<simd::Default>(args), expected);
    for (const float value : out.dx) EXPECT_EQ(value, 77);
  };
  expect_error(Status::unknown_dtype, [](Args& args, float*) { args.dtype = DType{7}; });
  expect_error(Status::invalid_axes, [](Args& args, float*) { args.axes = 8; });
  expect_error(Status::null_data, [](Args& args, float*) { args.dy = nullptr; });
  expect_error(Status::null_data, [](Args& args, float*) { args.x = nullptr; });
  expect_error(Status::null_data, [](Args& args, float*) { args.rstd = nullptr; });
  expect_error(Status::small_workspace, [](Args& args, float*) { args.workspace_bytes = 8; });
  expect_error(Status::small_workspace, [](Args& args, float*) { args.workspace = nullptr; });
  expect_error(Status::overlapping_data, [](Args& args, float* dx) { args.dy = dx + 1; });
  expect_error(Status::overlapping_data, [](Args& args, float*) { args.x = args.workspace; });
}

}  // namespace
}  // namespace layernorm::test
