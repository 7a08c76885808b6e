// Layer normalization of 16-bit data on every vector type. tests/README.md explains the tiers.
#include "ops/normalize_sixteen_bit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "reference/layer_norm_reference.h"
#include "simd/sixteen_bit.h"
#include "support/call.h"
#include "support/datasets.h"

namespace layernorm::test {
namespace {

using Bits = std::vector<std::uint16_t>;

template <class S>
class LayerNormSixteenBitTest : public ::testing::Test {};
TYPED_TEST_SUITE(LayerNormSixteenBitTest, SimdTypes);

template <class S>
Bits narrowed(DType dtype, const std::vector<float>& values) {
  Bits bits(values.size());
  simd::convert(simd::narrow<S>(dtype), values.data(), values.size(), bits.data());
  return bits;
}

template <class S>
std::vector<float> widened(DType dtype, const Bits& bits) {
  std::vector<float> values(bits.size());
  simd::convert(simd::widen<S>(dtype), bits.data(), bits.size(), values.data());
  return values;
}

// Same bits, where any NaN equals any other.
template <class S>
::testing::AssertionResult same(DType dtype, const Bits& a, const Bits& b) {
  return same_bits(widened<S>(dtype, a), widened<S>(dtype, b));
}

struct Problem {
  DType dtype;
  std::vector<std::uint32_t> dims;
  std::uint32_t axes;
  Bits x = {}, dy = {};
  std::vector<float> gamma = {}, beta = {};
  bool rms_scaling = false;
  double epsilon = 1e-5;

  std::size_t product(bool of_reduced, bool of_kept) const {
    std::size_t product = 1;
    for (std::size_t n = 0; n < dims.size(); ++n) {
      if ((axes >> n & 1) != 0 ? of_reduced : of_kept) product *= dims[n];
    }
    return product;
  }
  std::size_t cols() const { return product(true, false); }
  std::size_t groups() const { return product(false, true); }
};

// Numbers of every kind that the formats have: whole groups of them or single ones.
template <class S>
Problem problem_of(DType dtype, const std::vector<std::uint32_t>& dims, std::uint32_t axes) {
  Problem p{dtype, dims, axes};
  const std::size_t size = p.product(true, true);
  Random random(size + axes);
  std::vector<float> x(size), dy(size);
  for (std::size_t i = 0; i < size; ++i) {
    x[i] = static_cast<float>(3 + 2 * random.normal());
    dy[i] = static_cast<float>(random.normal());
    if (random.below(1000) == 0) x[i] = 60000;
    if (random.below(1000) == 0) x[i] = 1e-6f;
    if (random.below(4000) == 0) x[i] = std::numeric_limits<float>::infinity();
    if (random.below(100) == 0) dy[i] = -3e-7f;
  }
  p.x = narrowed<S>(dtype, x);
  p.dy = narrowed<S>(dtype, dy);
  for (std::size_t i = 0; i < p.cols(); ++i) {
    p.gamma.push_back(static_cast<float>(random.uniform() + 0.5));
    p.beta.push_back(static_cast<float>(random.uniform() - 0.5));
  }
  return p;
}

template <class T>
struct Computed {
  std::vector<T> y;
  std::vector<float> mean, rstd;
  std::vector<T> dx;
  std::vector<float> dgamma, dbeta;
};

// Forward and backward, of x in any type.
template <class S, class T>
Computed<T> compute(const Problem& p, DType dtype, const std::vector<T>& x, const std::vector<T>& dy) {
  Computed<T> c{std::vector<T>(x.size()), std::vector<float>(p.groups()), std::vector<float>(p.groups()),
                std::vector<T>(x.size()), std::vector<float>(p.cols()),   std::vector<float>(p.cols())};
  const std::size_t forward_bytes = layer_norm_forward_workspace(dtype, p.dims, p.axes);
  const std::size_t backward_bytes = layer_norm_backward_workspace(dtype, p.dims, p.axes);
  // Of their very sizes, up to the alignment: beyond them is an error under the sanitizer.
  std::vector<double> workspace((forward_bytes + 7) / 8), sums((backward_bytes + 7) / 8);
  LayerNormForward args;
  args.dtype = dtype;
  args.dims = p.dims;
  args.axes = p.axes;
  args.epsilon = p.epsilon;
  args.rms_scaling = p.rms_scaling;
  args.x = x.data();
  args.gamma = p.gamma.empty() ? nullptr : p.gamma.data();
  args.beta = p.beta.empty() ? nullptr : p.beta.data();
  args.y = c.y.data();
  args.mean = c.mean.data();
  args.rstd = c.rstd.data();
  args.workspace = workspace.data();
  args.workspace_bytes = forward_bytes;
  EXPECT_EQ(layer_norm_forward_on<S>(args), Status::ok);

  LayerNormBackward gradient;
  gradient.dtype = dtype;
  gradient.dims = p.dims;
  gradient.axes = p.axes;
  gradient.rms_scaling = p.rms_scaling;
  gradient.dy = dy.data();
  gradient.x = x.data();
  gradient.mean = c.mean.data();
  gradient.rstd = c.rstd.data();
  gradient.gamma = args.gamma;
  gradient.dx = c.dx.data();
  gradient.dgamma = c.dgamma.data();
  gradient.dbeta = c.dbeta.data();
  gradient.workspace = sums.data();
  gradient.workspace_bytes = backward_bytes;
  EXPECT_EQ(layer_norm_backward_on<S>(gradient), Status::ok);
  return c;
}

const std::vector<std::pair<std::vector<std::uint32_t>, std::uint32_t>>& shapes() {
  static const std::vector<std::pair<std::vector<std::uint32_t>, std::uint32_t>> all = {
      {{1, 1}, 2},         {{9, 3}, 2},     {{37, 773}, 2},       {{300, 64}, 2},     {{2, 9000}, 2},
      {{130, 7}, 1},       {{70, 300}, 1},  {{2, 129, 266}, 2},   {{4, 3, 5}, 5},     {{2, 3, 4, 5}, 10},
      {{9, 17, 3, 80}, 5}, {{2, 5, 66}, 1}, {{6, 11, 1, 130}, 8}, {{3, 40, 50, 7}, 9}};
  return all;
}

// ---- Bitwise: the float32 operation on the widened numbers, rounded once -------------------------------------

template <class S>
void expect_float32_rounded_once(DType dtype) {
  for (const auto& [dims, axes] : shapes()) {
    Problem p = problem_of<S>(dtype, dims, axes);
    for (const bool plain : {false, true}) {
      p.rms_scaling = plain;
      if (plain) p.beta.clear();
      const Computed<std::uint16_t> actual = compute<S>(p, dtype, p.x, p.dy);
      const Computed<float> expected =
          compute<S>(p, DType::float32, widened<S>(dtype, p.x), widened<S>(dtype, p.dy));
      EXPECT_TRUE(same<S>(dtype, actual.y, narrowed<S>(dtype, expected.y))) << dims.size() << " " << axes;
      EXPECT_TRUE(same_bits(actual.mean, expected.mean));
      EXPECT_TRUE(same_bits(actual.rstd, expected.rstd));
      EXPECT_TRUE(same<S>(dtype, actual.dx, narrowed<S>(dtype, expected.dx))) << dims.size() << " " << axes;
      EXPECT_TRUE(same_bits(actual.dgamma, expected.dgamma));
      EXPECT_TRUE(same_bits(actual.dbeta, expected.dbeta));
    }
  }
}
TYPED_TEST(LayerNormSixteenBitTest, Float16IsFloat32RoundedOnce) {
  expect_float32_rounded_once<TypeParam>(DType::float16);
}
TYPED_TEST(LayerNormSixteenBitTest, Bfloat16IsFloat32RoundedOnce) {
  expect_float32_rounded_once<TypeParam>(DType::bfloat16);
}

TYPED_TEST(LayerNormSixteenBitTest, InPlaceGivesTheBitsOfOutOfPlace) {
  for (const auto& [dims, axes] : shapes()) {
    Problem p = problem_of<TypeParam>(DType::float16, dims, axes);
    const Computed<std::uint16_t> apart = compute<TypeParam>(p, p.dtype, p.x, p.dy);
    std::vector<double> workspace(layer_norm_backward_workspace(p.dtype, p.dims, p.axes) / 8 +
                                  layer_norm_forward_workspace(p.dtype, p.dims, p.axes) / 8 + 2);
    for (const bool over_x : {true, false}) {
      Bits x = p.x, dy = p.dy;
      LayerNormBackward gradient;
      gradient.dtype = p.dtype;
      gradient.dims = p.dims;
      gradient.axes = p.axes;
      gradient.dy = dy.data();
      gradient.x = x.data();
      gradient.mean = apart.mean.data();
      gradient.rstd = apart.rstd.data();
      gradient.gamma = p.gamma.data();
      gradient.dx = over_x ? x.data() : dy.data();
      gradient.workspace = workspace.data();
      gradient.workspace_bytes = workspace.size() * 8;
      ASSERT_EQ(layer_norm_backward_on<TypeParam>(gradient), Status::ok);
      EXPECT_TRUE(same<TypeParam>(p.dtype, over_x ? x : dy, apart.dx));
    }
    LayerNormForward args;
    args.dtype = p.dtype;
    args.dims = p.dims;
    args.axes = p.axes;
    args.epsilon = p.epsilon;
    args.x = args.y = p.x.data();
    args.gamma = p.gamma.data();
    args.beta = p.beta.data();
    args.workspace = workspace.data();
    args.workspace_bytes = workspace.size() * 8;
    ASSERT_EQ(layer_norm_forward_on<TypeParam>(args), Status::ok);
    EXPECT_TRUE(same<TypeParam>(p.dtype, p.x, apart.y));
  }
}

TEST(LayerNormSixteenBitBits, TheGradientInPartsIsThatOfOneCall) {
  const Problem p = problem_of<simd::Default>(DType::bfloat16, {200, 300}, 2);
  const Computed<std::uint16_t> whole = compute<simd::Default>(p, p.dtype, p.x, p.dy);
  Bits dx(p.x.size());
  std::vector<float> dgamma(300), dbeta(300);
  std::vector<double> workspace(layer_norm_backward_workspace(p.dtype, p.dims, p.axes) / 8 + 1);
  for (const std::uint32_t first : {0u, 130u, 199u}) {
    const std::uint32_t count = first == 0 ? 130 : first == 130 ? 69 : 1;
    const std::uint32_t dims[] = {count, 300};
    LayerNormBackward part;
    part.dtype = p.dtype;
    part.dims = dims;
    part.axes = 2;
    part.first_group = first;
    part.last = first == 199;
    part.dy = &p.dy[first * 300];
    part.x = &p.x[first * 300];
    part.mean = &whole.mean[first];
    part.rstd = &whole.rstd[first];
    part.gamma = p.gamma.data();
    part.dx = &dx[first * 300];
    part.dgamma = dgamma.data();
    part.dbeta = dbeta.data();
    part.workspace = workspace.data();
    part.workspace_bytes = workspace.size() * 8;
    EXPECT_LE(layer_norm_backward_workspace(p.dtype, dims, 2), part.workspace_bytes);
    ASSERT_EQ(layer_norm_backward(part), Status::ok);
  }
  EXPECT_TRUE(same<simd::Default>(p.dtype, dx, whole.dx));
  EXPECT_TRUE(same_bits(dgamma, whole.dgamma));
  EXPECT_TRUE(same_bits(dbeta, whole.dbeta));
}

// ---- Bounded: half a unit of the type, and the 3 ulp of float32 ----------------------------------------------

void expect_bound(DType dtype, int mantissa, const Dataset& dataset, std::size_t cols) {
  Problem p{dtype, {8, static_cast<std::uint32_t>(cols)}, 2};
  Random random(cols);
  std::vector<float> x(8 * cols);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double element = dataset.element(random, i % cols, cols);
    x[i] = static_cast<float>(dtype == DType::float16 ? std::fmin(element, 60000) : element);
    if (dtype == DType::float16 && x[i] < -60000) x[i] = -60000;
  }
  p.x = narrowed<simd::Default>(dtype, x);
  p.dy = p.x;
  x = widened<simd::Default>(dtype, p.x);
  const auto y = widened<simd::Default>(dtype, compute<simd::Default>(p, dtype, p.x, p.dy).y);
  const auto expected = layer_norm_reference<double>(x, p.dims, p.axes, p.epsilon, p.gamma, p.beta, false).y;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double size = std::fmax(std::abs(expected[i]), 1);
    const double half_unit = std::ldexp(0.5, std::ilogb(size) - mantissa);
    ASSERT_LE(std::abs(y[i] - expected[i]), half_unit + 3 * std::ldexp(1, std::ilogb(size) - 23))
        << dataset.name << ", D = " << cols;
  }
}
TEST(LayerNormSixteenBitBound, HalfAUnitOfTheTypeAndThreeOfFloat32) {
  for (const Dataset& dataset : datasets()) {
    for (const std::size_t cols : {1u, 5u, 64u, 300u, 768u, 4096u}) {
      expect_bound(DType::float16, 10, dataset, cols);
      expect_bound(DType::bfloat16, 7, dataset, cols);
    }
  }
}

// The squares, and their sum, are beyond float16; other implementations kept them in it.
TYPED_TEST(LayerNormSixteenBitTest, onnxruntime_29045_and_17692_squares_beyond_float16) {
  for (const float size : {180.0f, 500.0f, 30000.0f, 65504.0f}) {
    Problem p{DType::float16, {2, 2048}, 2};
    std::vector<float> x(2 * 2048);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = i % 2 == 0 ? size : -size;
    p.x = p.dy = narrowed<TypeParam>(p.dtype, x);
    const Bits y = compute<TypeParam>(p, p.dtype, p.x, p.dy).y;
    for (std::size_t i = 0; i < y.size(); ++i) ASSERT_EQ(y[i], i % 2 == 0 ? 0x3c00 : 0xbc00) << size;
  }
}

// epsilon itself is 0 in float16; added to a float32 variance it is not.
TYPED_TEST(LayerNormSixteenBitTest, deepspeed_581_and_tensorflow_24979_epsilon_below_float16) {
  Problem p{DType::float16, {1, 8}, 2};
  p.epsilon = 1e-12;
  p.x = p.dy = Bits(8, 0x2e66);  // 0.1
  const Bits y = compute<TypeParam>(p, p.dtype, p.x, p.dy).y;
  for (const std::uint16_t bits : y) EXPECT_EQ(bits & 0x7fff, 0);
}

TYPED_TEST(LayerNormSixteenBitTest, ResultsBeyondTheTypeAreInfinite) {
  Problem p{DType::float16, {1, 4}, 2, narrowed<TypeParam>(DType::float16, {1, -1, 1, -1})};
  p.dy = p.x;
  p.gamma = {65519, 65519, 65521, 65521};
  p.epsilon = 0;
  EXPECT_EQ(compute<TypeParam>(p, p.dtype, p.x, p.dy).y, (Bits{0x7bff, 0xfbff, 0x7c00, 0xfc00}));
}

// ---- Edges and errors ----------------------------------------------------------------------------------------

TEST(LayerNormSixteenBitEdges, EmptyTensorsAreNoError) {
  for (const auto& dims : {std::vector<std::uint32_t>{0, 5}, {5, 0}}) {
    const Problem p{DType::float16, dims, 2};
    const Computed<std::uint16_t> c = compute<simd::Default>(p, p.dtype, p.x, p.dy);
    for (const float mean : c.mean) EXPECT_TRUE(std::isnan(mean)) << "the mean of nothing";
    for (const float dgamma : c.dgamma) EXPECT_EQ(dgamma, 0);
  }
}

class LayerNormSixteenBitErrors : public ::testing::Test {
 protected:
  LayerNormSixteenBitErrors() {
    args.dtype = DType::float16;
    args.dims = dims;
    args.axes = 2;
    args.x = x;
    args.y = y;
    args.workspace = workspace;
    args.workspace_bytes = layer_norm_forward_workspace(DType::float16, dims, 2);
    gradient.dtype = DType::bfloat16;
    gradient.dims = dims;
    gradient.axes = 2;
    gradient.dy = gradient.x = x;
    gradient.mean = gradient.rstd = statistics;
    gradient.dx = y;
    gradient.workspace = workspace;
    gradient.workspace_bytes = layer_norm_backward_workspace(DType::bfloat16, dims, 2);
  }
  void expect_errors(Status expected) {
    EXPECT_EQ(layer_norm_forward(args), expected);
    expect_gradient_error(expected);
    for (const std::uint16_t bits : y) EXPECT_EQ(bits, 77);
  }
  void expect_gradient_error(Status expected) { EXPECT_EQ(layer_norm_backward(gradient), expected); }

  std::uint32_t dims[2] = {3, 4};
  std::uint16_t x[12] = {};
  std::uint16_t y[12] = {77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77};
  float statistics[4] = {}, parameters[4] = {};
  double workspace[100] = {};
  LayerNormForward args;
  LayerNormBackward gradient;
};

TEST_F(LayerNormSixteenBitErrors, NoneWithoutCause) {
  EXPECT_EQ(layer_norm_forward(args), Status::ok);
  EXPECT_EQ(layer_norm_backward(gradient), Status::ok);
}
TEST_F(LayerNormSixteenBitErrors, NoWorkspace) {
  args.workspace = gradient.workspace = nullptr;
  expect_errors(Status::small_workspace);
}
TEST_F(LayerNormSixteenBitErrors, SmallWorkspace) {
  --args.workspace_bytes;
  --gradient.workspace_bytes;
  expect_errors(Status::small_workspace);
}
TEST_F(LayerNormSixteenBitErrors, TheWorkspaceIsY) {
  args.workspace = gradient.workspace = args.y = gradient.dx = &workspace[1];
  expect_errors(Status::overlapping_data);
}
TEST_F(LayerNormSixteenBitErrors, MisalignedWorkspace) {
  args.workspace = gradient.workspace = reinterpret_cast<char*>(workspace) + 4;
  expect_errors(Status::misaligned_data);
}
TEST_F(LayerNormSixteenBitErrors, DataIsAlignedToTwoBytes) {
  args.dims = gradient.dims = {dims, 2};
  dims[1] = 3;
  args.x = gradient.x = x + 1;
  EXPECT_EQ(layer_norm_forward(args), Status::ok);
  EXPECT_EQ(layer_norm_backward(gradient), Status::ok);
}
TEST_F(LayerNormSixteenBitErrors, MisalignedData) {
  args.x = gradient.x = reinterpret_cast<char*>(x) + 1;
  expect_errors(Status::misaligned_data);
}
TEST_F(LayerNormSixteenBitErrors, ParametersAreAlignedToFourBytes) {
  args.gamma = gradient.gamma = reinterpret_cast<char*>(parameters) + 2;
  expect_errors(Status::misaligned_data);
}
TEST_F(LayerNormSixteenBitErrors, ParametersHaveFourBytesAnElement) {
  args.gamma = gradient.gamma =
      reinterpret_cast<float*>(workspace) - 3;  // its last element lies in the workspace
  expect_errors(Status::overlapping_data);
}
TEST_F(LayerNormSixteenBitErrors, PartialOverlap) {
  args.x = gradient.x = y + 1;
  expect_errors(Status::overlapping_data);
}
TEST_F(LayerNormSixteenBitErrors, SizesThatOverflow) {
  const std::uint32_t huge[] = {0xffffffffu, 0xffffffffu, 0xffffffffu};
  args.dims = gradient.dims = huge;
  args.axes = gradient.axes = 4;
  expect_errors(Status::size_overflow);
  EXPECT_EQ(layer_norm_forward_workspace(DType::float16, huge, 4), 0u);
}
TEST_F(LayerNormSixteenBitErrors, Float32NeedsNoWorkspace) {
  EXPECT_EQ(layer_norm_forward_workspace(DType::float32, dims, 2), 0u);
  EXPECT_EQ(layer_norm_forward_workspace(DType::float64, dims, 2), 0u);
}

}  // namespace
}  // namespace layernorm::test
