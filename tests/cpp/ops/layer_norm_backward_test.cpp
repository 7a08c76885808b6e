// The gradient of layer normalization on every vector type. tests/README.md explains the tiers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "reference/layer_norm_backward_reference.h"
#include "support/call.h"
#include "support/datasets.h"

namespace layernorm::test {
namespace {

template <class S>
class LayerNormBackwardTest : public ::testing::Test {};
TYPED_TEST_SUITE(LayerNormBackwardTest, SimdTypes);

template <class T>
struct Gradients {
  std::vector<T> dx, dgamma, dbeta;
};

// A forward call, what it saved, and an upstream gradient.
template <class T>
struct Problem {
  Call<T> call;
  std::vector<T> dy;
  Result<T> saved;

  Problem(std::vector<std::uint32_t> dims, std::uint32_t axes, bool with_gamma, bool rms_scaling = false) {
    call.dims = dims;
    call.axes = axes;
    call.rms_scaling = rms_scaling;
    std::size_t size = 1;
    for (std::uint32_t n : dims) size *= n;
    Random random(size + axes);
    call.x.resize(size);
    dy.resize(size);
    for (T& value : call.x) value = static_cast<T>(0.3 + random.normal());
    for (T& value : dy) value = static_cast<T>(random.normal());
    if (with_gamma) {
      call.gamma.resize(call.reduced_size());
      for (T& value : call.gamma) value = static_cast<T>(0.5 + random.uniform());
    }
    saved = forward<simd::Default>(call);
  }
};

template <class T>
LayerNormBackward arguments(const Problem<T>& p, Gradients<T>& out, std::vector<double>& workspace) {
  const std::size_t cols = p.call.reduced_size();
  out = {std::vector<T>(p.dy.size()), std::vector<T>(cols), std::vector<T>(cols)};
  workspace.assign(layer_norm_backward_workspace(dtype_of<T>, p.call.dims, p.call.axes) / sizeof(double) + 1,
                   -1);
  LayerNormBackward args;
  args.dtype = dtype_of<T>;
  args.dims = p.call.dims;
  args.axes = p.call.axes;
  args.rms_scaling = p.call.rms_scaling;
  args.dy = p.dy.data();
  args.x = p.call.x.data();
  args.mean = p.saved.mean.data();
  args.rstd = p.saved.rstd.data();
  args.gamma = p.call.gamma.empty() ? nullptr : p.call.gamma.data();
  args.dx = out.dx.data();
  args.dgamma = out.dgamma.data();
  args.dbeta = out.dbeta.data();
  args.workspace = workspace.data();
  args.workspace_bytes = workspace.size() * sizeof(double);
  return args;
}

template <class S, class T>
Gradients<T> backward(const Problem<T>& p) {
  Gradients<T> out;
  std::vector<double> workspace;
  EXPECT_EQ(layer_norm_backward_on<S>(arguments(p, out, workspace)), Status::ok);
  return out;
}

template <class T>
void expect_close(const std::vector<T>& actual, const std::vector<long double>& expected, const char* what) {
  long double scale = 1;
  for (const long double value : expected) scale = std::max(scale, std::fabs(value));
  const long double bound = 16 * scale * std::numeric_limits<T>::epsilon();
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_LE(std::fabs(actual[i] - expected[i]), bound) << what << "[" << i << "]";
  }
}

template <class S, class T>
void expect_reference(const Problem<T>& p) {
  const Gradients<T> actual = backward<S>(p);
  const auto expected = layer_norm_backward_reference<long double>(
      p.dy, p.call.x, p.call.dims, p.call.axes, p.saved.mean, p.saved.rstd, p.call.gamma, p.call.rms_scaling);
  expect_close(actual.dx, expected.dx, "dx");
  expect_close(actual.dgamma, expected.dgamma, "dgamma");
  expect_close(actual.dbeta, expected.dbeta, "dbeta");
}

// ---- Bounded ----

TYPED_TEST(LayerNormBackwardTest, EveryAxisSetMatchesTheFormulas) {
  for (std::uint32_t axes = 1; axes < 16; ++axes) {
    for (const bool with_gamma : {false, true}) {
      for (const bool rms_scaling : {false, true}) {
        expect_reference<TypeParam>(Problem<float>({3, 5, 2, 7}, axes, with_gamma, rms_scaling));
        expect_reference<TypeParam>(Problem<double>({3, 5, 2, 7}, axes, with_gamma, rms_scaling));
      }
    }
  }
}

TYPED_TEST(LayerNormBackwardTest, EveryRowLengthMatchesTheFormulas) {
  for (const std::uint32_t cols : {1u, 2u, 7u, 8u, 15u, 16u, 17u, 63u, 64u, 65u, 130u, 773u}) {
    expect_reference<TypeParam>(Problem<float>({130, cols}, 2, true));
    expect_reference<TypeParam>(Problem<double>({130, cols}, 2, true));
  }
}

// Central differences of sum(y * dy), in double: they know nothing of the formulas.
TEST(LayerNormGradient, IsTheSlopeOfTheForward) {
  for (const std::uint32_t axes : {0b10u, 0b01u, 0b11u}) {
    for (const bool rms_scaling : {false, true}) {
      Problem<double> p({4, 6}, axes, true, rms_scaling);
      if (!rms_scaling) p.call.beta.assign(p.call.reduced_size(), 0.25);
      const Gradients<double> gradients = backward<simd::Default>(p);
      const auto slope = [&](double& parameter) {
        const auto loss = [&](double value) {
          const double before = parameter;
          parameter = value;
          const std::vector<double> y = forward<simd::Default>(p.call).y;
          parameter = before;
          double sum = 0;
          for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * p.dy[i];
          return sum;
        };
        constexpr double step = 1e-5;
        return (loss(parameter + step) - loss(parameter - step)) / (2 * step);
      };
      for (std::size_t i = 0; i < p.call.x.size(); ++i)
        EXPECT_NEAR(gradients.dx[i], slope(p.call.x[i]), 1e-8);
      for (std::size_t i = 0; i < p.call.gamma.size(); ++i) {
        EXPECT_NEAR(gradients.dgamma[i], slope(p.call.gamma[i]), 1e-8);
      }
      for (std::size_t i = 0; i < p.call.beta.size(); ++i)
        EXPECT_NEAR(gradients.dbeta[i], slope(p.call.beta[i]), 1e-8);
    }
  }
}

// dx is of the size of rstd: its error is measured at that size.
template <class T>
void expect_scaled(double size, double epsilon) {
  Problem<T> p({6, 40}, 2, true);
  for (T& value : p.call.x) value = static_cast<T>(value * size);
  p.call.epsilon = epsilon;
  p.saved = forward<simd::Default>(p.call);
  const Gradients<T> actual = backward<simd::Default>(p);
  const auto expected = layer_norm_backward_reference<long double>(
      p.dy, p.call.x, p.call.dims, p.call.axes, p.saved.mean, p.saved.rstd, p.call.gamma, false);
  for (std::size_t i = 0; i < actual.dx.size(); ++i) {
    const long double rstd = p.saved.rstd[i / 40];
    ASSERT_LE(std::fabs((actual.dx[i] - expected.dx[i]) / rstd), 64 * std::numeric_limits<T>::epsilon())
        << size;
  }
  expect_close(actual.dgamma, expected.dgamma, "dgamma");
}
TEST(LayerNormGradient, IsRightForValuesOfAnySize) {
  for (const double size : {1e20, 1e25, 1e30}) expect_scaled<float>(size, 1e-3);
  for (const double size : {1e-10, 1e-21, 1e-30}) expect_scaled<float>(size, 0);
  for (const double size : {1e160, 1e200}) expect_scaled<double>(size, 1e-3);
  for (const double size : {1e-160, 1e-200}) expect_scaled<double>(size, 0);
}

TEST(LayerNormGradient, PaddingOfAQuadAddsNothing) {
  Problem<float> p({1, 8}, 2, false);
  p.call.x.assign(8, 1e10f);
  p.call.epsilon = 1e-60;  // rstd is 1e30, so (0 - mean) * rstd would be infinite
  p.saved = forward<simd::Default>(p.call);
  for (const float dx : backward<simd::Default>(p).dx) EXPECT_TRUE(std::isfinite(dx));
}

// A plain running sum in float32 is off by 69 of these units here.
TEST(LayerNormGradient, ManyGroupsAreSummedAccurately) {
  Problem<float> p({16384, 8}, 2, false);
  for (float& value : p.dy) value = std::fabs(value);
  const Gradients<float> actual = backward<simd::Default>(p);
  for (std::size_t i = 0; i < 8; ++i) {
    double exact = 0;
    for (std::size_t row = 0; row < 16384; ++row) exact += p.dy[row * 8 + i];
    EXPECT_LE(std::fabs(actual.dbeta[i] - exact) / exact, 4 * 0x1p-24);
  }
}

// ---- Bitwise ----

template <class T>
void expect_same(const Gradients<T>& a, const Gradients<T>& b) {
  EXPECT_TRUE(same_bits(a.dx, b.dx));
  EXPECT_TRUE(same_bits(a.dgamma, b.dgamma));
  EXPECT_TRUE(same_bits(a.dbeta, b.dbeta));
}

TYPED_TEST(LayerNormBackwardTest, PartsGiveTheBitsOfTheWhole) {
  const std::uint32_t rows = 200, cols = 37;
  const Problem<float> p({rows, cols}, 2, true);
  const Gradients<float> whole = backward<TypeParam>(p);
  Gradients<float> parts;
  std::vector<double> workspace;
  LayerNormBackward args = arguments(p, parts, workspace);
  for (std::uint32_t first = 0; first < rows; first += 30) {
    const std::uint32_t dims[] = {std::min(30u, rows - first), cols};
    args.dims = dims;
    args.first_group = first;
    args.last = first + 30 >= rows;
    args.dy = &p.dy[first * cols];
    args.x = &p.call.x[first * cols];
    args.mean = &p.saved.mean[first];
    args.rstd = &p.saved.rstd[first];
    args.dx = &parts.dx[first * cols];
    ASSERT_EQ(layer_norm_backward_on<TypeParam>(args), Status::ok);
  }
  expect_same(whole, parts);
}

TYPED_TEST(LayerNormBackwardTest, InPlaceGivesTheBitsOfOutOfPlace) {
  for (const std::uint32_t axes : {0b10u, 0b01u}) {
    const Problem<float> p({70, 66}, axes, true);
    const Gradients<float> apart = backward<TypeParam>(p);
    for (const bool over_dy : {true, false}) {
      Problem<float> copy = p;
      Gradients<float> out;
      std::vector<double> workspace;
      LayerNormBackward args = arguments(copy, out, workspace);
      std::vector<float>& target = over_dy ? copy.dy : copy.call.x;
      args.dx = target.data();
      ASSERT_EQ(layer_norm_backward_on<TypeParam>(args), Status::ok);
      out.dx = target;
      expect_same(apart, out);
    }
  }
}

TYPED_TEST(LayerNormBackwardTest, AnySubsetOfOutputsGivesTheSameBits) {
  const Problem<float> p({33, 65}, 2, true);
  const Gradients<float> all = backward<TypeParam>(p);
  for (int wanted = 0; wanted < 8; ++wanted) {
    Gradients<float> out;
    std::vector<double> workspace;
    LayerNormBackward args = arguments(p, out, workspace);
    if (!(wanted & 1)) args.dx = nullptr;
    if (!(wanted & 2)) args.dgamma = nullptr;
    if (!(wanted & 4)) args.dbeta = nullptr;
    ASSERT_EQ(layer_norm_backward_on<TypeParam>(args), Status::ok);
    EXPECT_TRUE(!(wanted & 1) || same_bits(out.dx, all.dx));
    EXPECT_TRUE(!(wanted & 2) || same_bits(out.dgamma, all.dgamma));
    EXPECT_TRUE(!(wanted & 4) || same_bits(out.dbeta, all.dbeta));
  }
}

TEST(LayerNormGradient, IntrinsicsAndEmulationAgree) {
  for (const std::uint32_t axes : {0b100u, 0b010u, 0b101u}) {
    expect_same(backward<simd::Simd128>(Problem<float>({9, 67, 5}, axes, true)),
                backward<simd::Emulated>(Problem<float>({9, 67, 5}, axes, true)));
    expect_same(backward<simd::Simd128>(Problem<double>({9, 67, 5}, axes, true)),
                backward<simd::Emulated>(Problem<double>({9, 67, 5}, axes, true)));
  }
}

// ---- Edges and errors ----

TEST(LayerNormGradient, NoGroupsGiveZeroGradientsOfTheParameters) {
  Problem<float> p({0, 5}, 2, true);
  Gradients<float> out;
  std::vector<double> workspace;
  const LayerNormBackward args = arguments(p, out, workspace);
  out.dgamma.assign(5, 9);
  out.dbeta.assign(5, 9);
  ASSERT_EQ(layer_norm_backward(args), Status::ok);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_TRUE(out.dgamma[i] == 0 && out.dbeta[i] == 0);
}

class LayerNormBackwardErrors : public ::testing::Test {
 protected:
  LayerNormBackwardErrors() {
    args = arguments(p, out, workspace);
    untouched = out;
  }
  void expect_error(Status expected) {
    EXPECT_EQ(layer_norm_backward(args), expected);
    expect_same(out, untouched);
  }
  Problem<float> p = Problem<float>({3, 8}, 2, true);
  Gradients<float> out, untouched;
  std::vector<double> workspace;
  LayerNormBackward args;
};

TEST_F(LayerNormBackwardErrors, UnknownDType) {
  args.dtype = DType{7};
  expect_error(Status::unknown_dtype);
}
TEST_F(LayerNormBackwardErrors, Axes) {
  args.axes = 8;
  expect_error(Status::invalid_axes);
}
TEST_F(LayerNormBackwardErrors, NullInputs) {
  for (const void* LayerNormBackward::* input :
       {&LayerNormBackward::dy, &LayerNormBackward::x, &LayerNormBackward::mean, &LayerNormBackward::rstd}) {
    const LayerNormBackward before = args;
    args.*input = nullptr;
    expect_error(Status::null_data);
    args = before;
  }
}
TEST_F(LayerNormBackwardErrors, SmallWorkspace) {
  args.workspace_bytes = layer_norm_backward_workspace(args.dtype, args.dims, args.axes) - 1;
  expect_error(Status::small_workspace);
}
TEST_F(LayerNormBackwardErrors, NoWorkspace) {
  args.workspace = nullptr;
  expect_error(Status::small_workspace);
}
TEST_F(LayerNormBackwardErrors, OverlappingOutputs) {
  args.dbeta = args.dgamma;
  expect_error(Status::overlapping_data);
}
TEST_F(LayerNormBackwardErrors, PartialOverlapOfDxAndDy) {
  args.dy = out.dx.data() + 1;
  expect_error(Status::overlapping_data);
}
TEST_F(LayerNormBackwardErrors, WorkspaceInsideX) {
  args.x = workspace.data();
  expect_error(Status::overlapping_data);
}

}  // namespace
}  // namespace layernorm::test
