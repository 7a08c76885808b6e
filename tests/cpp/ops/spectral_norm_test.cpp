// Spectral normalization and its gradient on every vector type. tests/README.md explains the tiers.
#include "ops/spectral_norm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "reference/spectral_norm_reference.h"
#include "simd/sixteen_bit.h"
#include "support/call.h"
#include "support/random.h"

namespace layernorm::test {
namespace {

template <class S>
class SpectralNormTest : public ::testing::Test {};
TYPED_TEST_SUITE(SpectralNormTest, SimdTypes);

// T: of the kernel, bits for 16-bit types. P: of everything else.
template <class T, class P = T>
struct Problem {
  DType dtype;
  std::size_t rows;
  std::size_t cols;
  std::vector<T> kernel;
  std::vector<P> u;
  std::uint32_t iterations = 1;
  double epsilon = 1e-7;
};

template <class T, class P = T>
struct Result {
  std::vector<T> y;
  std::vector<P> u, v;
  P sigma = -1;
  Status status = Status::ok;
};

template <class T>
Problem<T> random_problem(std::size_t rows, std::size_t cols, std::uint32_t iterations = 1,
                          double scale = 1) {
  Problem<T> p{dtype_of<T>, rows, cols, std::vector<T>(rows * cols), std::vector<T>(cols), iterations};
  Random random(rows * 1000 + cols);
  for (T& w : p.kernel) w = static_cast<T>(scale * random.normal());
  for (T& u : p.u) u = static_cast<T>(0.02 * random.normal());
  return p;
}

template <class S, class T, class P>
Result<T, P> forward(const Problem<T, P>& p, bool in_place = false) {
  Result<T, P> r{p.kernel, p.u, std::vector<P>(p.rows)};
  std::vector<double> workspace(spectral_norm_workspace(p.rows, p.cols) / sizeof(double), -1);
  if (!in_place) r.y.assign(p.kernel.size(), T{99}), r.u.assign(p.cols, P{99});
  SpectralNormForward args;
  args.dtype = p.dtype;
  args.rows = p.rows;
  args.cols = p.cols;
  args.power_iterations = p.iterations;
  args.epsilon = p.epsilon;
  args.kernel = in_place ? r.y.data() : p.kernel.data();
  args.u = in_place ? r.u.data() : p.u.data();
  args.y = r.y.data();
  args.u_out = r.u.data();
  args.v = r.v.data();
  args.sigma = &r.sigma;
  args.workspace = workspace.data();
  args.workspace_bytes = workspace.size() * sizeof(double);
  r.status = spectral_norm_forward_on<S>(args);
  EXPECT_EQ(r.status, Status::ok);
  return r;
}

template <class T, class P>
SpectralNormBackward backward_arguments(const Problem<T, P>& p, const Result<T, P>& saved,
                                        const std::vector<T>& dy, std::vector<T>& dkernel,
                                        std::vector<double>& workspace) {
  workspace.assign(spectral_norm_workspace(p.rows, p.cols) / sizeof(double), -1);
  SpectralNormBackward args;
  args.dtype = p.dtype;
  args.rows = p.rows;
  args.cols = p.cols;
  args.dy = dy.data();
  args.kernel = p.kernel.data();
  args.u = saved.u.data();
  args.v = saved.v.data();
  args.sigma = static_cast<double>(saved.sigma);
  args.dkernel = dkernel.data();
  args.workspace = workspace.data();
  args.workspace_bytes = workspace.size() * sizeof(double);
  return args;
}

template <class S, class T, class P>
std::vector<T> backward(const Problem<T, P>& p, const Result<T, P>& saved, const std::vector<T>& dy) {
  std::vector<T> dkernel(dy.size(), T{99});
  std::vector<double> workspace;
  EXPECT_EQ(spectral_norm_backward_on<S>(backward_arguments(p, saved, dy, dkernel, workspace)), Status::ok);
  return dkernel;
}

template <class T>
std::vector<T> random_gradient(std::size_t size) {
  Random random(size + 7);
  std::vector<T> dy(size);
  for (T& d : dy) d = static_cast<T>(random.normal());
  return dy;
}

// Within `ulps` of each number, and of the largest where numbers cancel.
template <class T>
void expect_close(const std::vector<T>& actual, const std::vector<long double>& expected, double ulps,
                  const char* what, bool relative = false) {
  long double largest = std::numeric_limits<T>::min();
  for (const long double value : expected) largest = std::max(largest, std::fabs(value));
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const long double scale = relative ? std::fabs(expected[i]) : largest;
    ASSERT_LE(std::fabs(actual[i] - expected[i]),
              ulps * scale * static_cast<long double>(std::numeric_limits<T>::epsilon()))
        << what << "[" << i << "]";
  }
}

template <class S, class T>
void expect_reference(const Problem<T>& p) {
  const Result<T> r = forward<S>(p);
  const SpectralNormReference expected = spectral_norm_reference(p.kernel, p.u, p.iterations, p.epsilon);
  // float is left with the roundings of 1 / sigma and of the product alone; double with those of v, u and their products, too.
  const bool is_float = sizeof(T) == sizeof(float);
  expect_close(r.y, expected.y, is_float ? 1.6 : 12, "y", true);
  expect_close(r.u, expected.u, is_float ? 0.51 : 12, "u");
  expect_close(r.v, expected.v, is_float ? 0.51 : 12, "v");
  EXPECT_NEAR(static_cast<double>(r.sigma / expected.sigma), 1,
              (is_float ? 0.51 : 12) * std::numeric_limits<T>::epsilon());

  const std::vector<T> dy = random_gradient<T>(p.kernel.size());
  expect_close(backward<S>(p, r, dy), spectral_norm_backward_reference(dy, p.kernel, r.u, r.v, r.sigma), 8,
               "dkernel");
}

// ---- Bounded ----

TYPED_TEST(SpectralNormTest, EveryShapeMatchesTheFormulas) {
  for (const std::size_t cols : {1u, 2u, 3u, 4u, 5u, 7u, 8u, 9u, 15u, 63u, 64u, 65u, 130u}) {
    for (const std::size_t rows : {1u, 2u, 3u, 4u, 5u, 9u, 33u, 130u}) {
      for (const std::uint32_t iterations : {1u, 3u}) {
        expect_reference<TypeParam>(random_problem<float>(rows, cols, iterations));
        expect_reference<TypeParam>(random_problem<double>(rows, cols, iterations));
      }
    }
  }
}

TYPED_TEST(SpectralNormTest, KernelsOfManyRangesMatchTheFormulas) {
  expect_reference<TypeParam>(random_problem<float>(300, 520));
  expect_reference<TypeParam>(random_problem<double>(1000, 70));
}

TYPED_TEST(SpectralNormTest, FindsTheLargestSingularValue) {
  // diag(3, 2) after a rotation by some angle, seen from both sides.
  const double c = 0.8, s = 0.6;
  const Problem<double> p{DType::float64, 2, 2, {3 * c, 3 * s, -2 * s, 2 * c}, {1, 1}, 60};
  const Result<double> r = forward<TypeParam>(p);
  EXPECT_NEAR(r.sigma, 3, 1e-12);
  EXPECT_NEAR(r.y[0], c, 1e-12);
}

TYPED_TEST(SpectralNormTest, KerasKernelOfTwosIsHalvedTwice) {
  const Problem<float> p{DType::float32, 2, 2, {2, 2, 2, 2}, {0.3f, 0.1f}};
  const Result<float> r = forward<TypeParam>(p);
  EXPECT_EQ(r.sigma, 4.0f);
  EXPECT_EQ(r.y, (std::vector<float>{0.5, 0.5, 0.5, 0.5}));
}

TYPED_TEST(SpectralNormTest, NumbersFarFromOneKeepTheirDigits) {
  for (const double scale : {1e-35, 1e30, 1e36}) {
    Problem<float> p = random_problem<float>(9, 13, 2, scale);
    p.epsilon = 0;
    expect_reference<TypeParam>(p);
  }
  for (const double scale : {1e-300, 1e-200, 1e200, 1e300}) {
    Problem<double> p = random_problem<double>(9, 13, 2, scale);
    p.epsilon = 0;
    const Result<double> r = forward<TypeParam>(p);
    const SpectralNormReference expected = spectral_norm_reference(p.kernel, p.u, p.iterations, p.epsilon);
    expect_close(r.y, expected.y, 12, "y", true);
  }
}

TYPED_TEST(SpectralNormTest, ShortVectorsAreDividedByEpsilon) {
  // |W u| = 1e-9: v is 1e-2 long, |v W| 1e-11, u 1e-4 long; sigma = v W u.
  const Problem<double> p{DType::float64, 1, 1, {1e-9}, {1}};
  const Result<double> r = forward<TypeParam>(p);
  EXPECT_NEAR(r.v[0] / 1e-2, 1, 1e-15);
  EXPECT_NEAR(r.u[0] / 1e-4, 1, 1e-15);
  EXPECT_NEAR(r.sigma / 1e-15, 1, 1e-15);
}

// ---- Special kernels ----

TYPED_TEST(SpectralNormTest, AKernelOfZerosStaysAsItIs) {
  const Problem<float> p{DType::float32, 2, 3, {0, -0.0f, 0, 0, 0, 0}, {1, 2, 3}};
  for (const bool in_place : {false, true}) {
    const Result<float> r = forward<TypeParam>(p, in_place);
    EXPECT_TRUE(same_bits(r.y, p.kernel));
    EXPECT_EQ(r.u, p.u);
    EXPECT_EQ(r.v, (std::vector<float>{0, 0}));
    EXPECT_EQ(r.sigma, 1);
    const std::vector<float> dy = random_gradient<float>(6);
    EXPECT_EQ(backward<TypeParam>(p, r, dy), dy);
  }
}

TYPED_TEST(SpectralNormTest, EmptyKernelsGiveNothing) {
  const Problem<float> no_rows{DType::float32, 0, 2, {}, {1, 2}};
  EXPECT_EQ(forward<TypeParam>(no_rows).u, no_rows.u);
  EXPECT_EQ(backward<TypeParam>(no_rows, forward<TypeParam>(no_rows), {}), std::vector<float>());
  const Problem<float> no_cols{DType::float32, 2, 0, {}, {}};
  EXPECT_EQ(forward<TypeParam>(no_cols).sigma, 1);
}

TYPED_TEST(SpectralNormTest, NanAndInfinityMakeAllNan) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Problem<float> p = random_problem<float>(3, 5);
    p.kernel[7] = bad;
    for (const float y : forward<TypeParam>(p).y) EXPECT_NE(y, y);
  }
}

// ---- Bitwise ----

template <class S, class T>
void expect_bits_of_emulation(const Problem<T>& p) {
  const Result<T> a = forward<S>(p), b = forward<simd::Emulated>(p), in_place = forward<S>(p, true);
  for (const Result<T>& other : {b, in_place}) {
    EXPECT_TRUE(same_bits(a.y, other.y));
    EXPECT_TRUE(same_bits(a.u, other.u));
    EXPECT_TRUE(same_bits(a.v, other.v));
    EXPECT_EQ(a.sigma, other.sigma);
  }
  const std::vector<T> dy = random_gradient<T>(p.kernel.size());
  const std::vector<T> dkernel = backward<S>(p, a, dy);
  EXPECT_TRUE(same_bits(dkernel, backward<simd::Emulated>(p, a, dy)));
  std::vector<T> replaced = dy;
  std::vector<double> workspace;
  EXPECT_EQ(spectral_norm_backward_on<S>(backward_arguments(p, a, replaced, replaced, workspace)),
            Status::ok);
  EXPECT_TRUE(same_bits(dkernel, replaced));
}

TYPED_TEST(SpectralNormTest, EveryVectorTypeAndPlaceGivesTheSameBits) {
  for (const std::size_t cols : {1u, 6u, 64u, 139u}) {
    for (const std::size_t rows : {1u, 7u, 66u}) {
      expect_bits_of_emulation<TypeParam>(random_problem<float>(rows, cols, 2));
      expect_bits_of_emulation<TypeParam>(random_problem<double>(rows, cols, 2));
    }
  }
}

TYPED_TEST(SpectralNormTest, SixteenBitsAreThoseOfFloatRoundedOnce) {
  for (const DType dtype : {DType::float16, DType::bfloat16}) {
    for (const auto& [rows, cols] :
         {std::pair<std::size_t, std::size_t>{5, 7}, {9, 64}, {6, 700}, {70, 130}}) {
      Problem<float> wide = random_problem<float>(rows, cols, 2);
      std::vector<float> dy = random_gradient<float>(rows * cols);
      const auto narrowed = [&](const std::vector<float>& numbers) {
        std::vector<std::uint16_t> bits(numbers.size());
        simd::convert(simd::narrow<TypeParam>(dtype), numbers.data(), numbers.size(), bits.data());
        return bits;
      };
      const Problem<std::uint16_t, float> p{dtype, rows, cols, narrowed(wide.kernel), wide.u, 2};
      const std::vector<std::uint16_t> dy_bits = narrowed(dy);
      const auto widened = [&](const std::vector<std::uint16_t>& bits, std::vector<float>& numbers) {
        simd::convert(simd::widen<TypeParam>(dtype), bits.data(), bits.size(), numbers.data());
      };
      widened(p.kernel, wide.kernel);
      widened(dy_bits, dy);
      const Result<std::uint16_t, float> r = forward<TypeParam>(p), in_place = forward<TypeParam>(p, true);
      const Result<float> expected = forward<TypeParam>(wide);
      EXPECT_EQ(r.y, narrowed(expected.y));
      EXPECT_EQ(in_place.y, r.y);
      EXPECT_TRUE(same_bits(r.u, expected.u));
      EXPECT_TRUE(same_bits(r.v, expected.v));
      EXPECT_EQ(r.sigma, expected.sigma);
      EXPECT_EQ(backward<TypeParam>(p, r, dy_bits), narrowed(backward<TypeParam>(wide, expected, dy)));
    }
  }
}

// ---- Errors ----

TYPED_TEST(SpectralNormTest, BadArgumentsAreRefusedWithNothingWritten) {
  const Problem<float> p = random_problem<float>(4, 6);
  std::vector<float> y(24, 99), u(6, 99), v(4, 99), sigma(1, 99);
  std::vector<double> workspace(10);
  SpectralNormForward args;
  args.rows = 4;
  args.cols = 6;
  args.kernel = p.kernel.data();
  args.u = p.u.data();
  args.y = y.data();
  args.u_out = u.data();
  args.v = v.data();
  args.sigma = sigma.data();
  args.workspace = workspace.data();
  args.workspace_bytes = workspace.size() * sizeof(double);
  const auto refused = [&](auto change) {
    SpectralNormForward bad = args;
    change(bad);
    const Status status = spectral_norm_forward_on<TypeParam>(bad);
    EXPECT_EQ(y, std::vector<float>(24, 99));
    return status;
  };
  EXPECT_EQ(refused([](auto& a) { a.dtype = DType{9}; }), Status::unknown_dtype);
  EXPECT_EQ(refused([](auto& a) { a.rows = SIZE_MAX / 8; }), Status::size_overflow);
  EXPECT_EQ(refused([](auto& a) { a.rows = a.cols = std::size_t{1} << (sizeof(std::size_t) * 4); }),
            Status::size_overflow);
  EXPECT_EQ(refused([](auto& a) { a.epsilon = -1; }), Status::invalid_epsilon);
  EXPECT_EQ(refused([](auto& a) { a.power_iterations = 0; }), Status::invalid_iterations);
  EXPECT_EQ(refused([](auto& a) { a.kernel = nullptr; }), Status::null_data);
  EXPECT_EQ(refused([](auto& a) { a.u = nullptr; }), Status::null_data);
  EXPECT_EQ(refused([](auto& a) { a.y = nullptr; }), Status::null_data);
  EXPECT_EQ(refused([](auto& a) { a.workspace = nullptr; }), Status::small_workspace);
  EXPECT_EQ(refused([](auto& a) { a.workspace_bytes -= 1; }), Status::small_workspace);
  EXPECT_EQ(refused([](auto& a) { a.y = static_cast<char*>(a.y) + 1; }), Status::misaligned_data);
  EXPECT_EQ(refused([](auto& a) { a.v = a.y; }), Status::overlapping_data);
  EXPECT_EQ(refused([&](auto& a) { a.y = const_cast<float*>(p.u.data()); }), Status::overlapping_data);
  EXPECT_EQ(refused([](auto& a) { a.workspace = a.y; }), Status::overlapping_data);
  args.u_out = args.v = args.sigma = nullptr;
  EXPECT_EQ(spectral_norm_forward_on<TypeParam>(args), Status::ok);
}

TYPED_TEST(SpectralNormTest, BadArgumentsOfTheGradientAreRefused) {
  const Problem<float> p = random_problem<float>(4, 6);
  const Result<float> saved = forward<TypeParam>(p);
  const std::vector<float> dy = random_gradient<float>(24);
  std::vector<float> dkernel(24, 99);
  std::vector<double> workspace;
  const SpectralNormBackward args = backward_arguments(p, saved, dy, dkernel, workspace);
  const auto refused = [&](auto change) {
    SpectralNormBackward bad = args;
    change(bad);
    const Status status = spectral_norm_backward_on<TypeParam>(bad);
    EXPECT_EQ(dkernel, std::vector<float>(24, 99));
    return status;
  };
  EXPECT_EQ(refused([](auto& a) { a.dtype = DType{9}; }), Status::unknown_dtype);
  EXPECT_EQ(refused([](auto& a) { a.cols = SIZE_MAX / 8; }), Status::size_overflow);
  EXPECT_EQ(refused([](auto& a) { a.dy = nullptr; }), Status::null_data);
  EXPECT_EQ(refused([](auto& a) { a.kernel = nullptr; }), Status::null_data);
  EXPECT_EQ(refused([](auto& a) { a.v = nullptr; }), Status::null_data);
  EXPECT_EQ(refused([](auto& a) { a.workspace_bytes = 8; }), Status::small_workspace);
  EXPECT_EQ(refused([](auto& a) { a.dy = static_cast<const char*>(a.dy) + 1; }), Status::misaligned_data);
  EXPECT_EQ(refused([](auto& a) { a.u = a.dkernel; }), Status::overlapping_data);
}

TEST(SpectralNorm, WorkspaceThatCannotBeAddressedIsSaid) {
  EXPECT_EQ(spectral_norm_workspace(3, 4), 7 * sizeof(double));
  EXPECT_EQ(spectral_norm_workspace(SIZE_MAX, 2), SIZE_MAX);
  EXPECT_EQ(spectral_norm_workspace(SIZE_MAX / 8, 8), SIZE_MAX);
}

}  // namespace
}  // namespace layernorm::test
