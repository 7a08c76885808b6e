#include "ops/moments.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "support/channel_call.h"
#include "support/datasets.h"

namespace layernorm::test {
namespace {

template <class S>
class MomentsTest : public ::testing::Test {};
TYPED_TEST_SUITE(MomentsTest, SimdTypes);

template <class P>
struct Pair {
  std::vector<P> mean, variance;
};

template <class S, class P, class T>
Pair<P> moments_of(const std::vector<T>& x, const std::vector<std::uint32_t>& dims, std::uint32_t axes,
                   DType dtype = dtype_of<T>) {
  const std::size_t groups = Grouping(dims, axes).groups;
  Pair<P> out{std::vector<P>(groups), std::vector<P>(groups)};
  EXPECT_EQ(moments_on<S>({dtype, dims, axes, x.data(), out.mean.data(), out.variance.data()}), Status::ok);
  return out;
}

// mean and variance of each group in long double, whose mean has two terms as in layer_norm_reference.h.
template <class T>
Pair<long double> reference(const std::vector<T>& x, const std::vector<std::uint32_t>& dims,
                            std::uint32_t axes) {
  const Grouping grouping(dims, axes);
  const auto n = static_cast<long double>(grouping.places);
  Pair<long double> out{std::vector<long double>(grouping.groups), std::vector<long double>(grouping.groups)};
  std::vector<long double> rest(grouping.groups);
  for (std::size_t at = 0; at < x.size(); ++at) out.mean[grouping.group[at]] += x[at] / n;
  for (std::size_t at = 0; at < x.size(); ++at) {
    rest[grouping.group[at]] += (x[at] - out.mean[grouping.group[at]]) / n;
  }
  for (std::size_t at = 0; at < x.size(); ++at) {
    const std::size_t g = grouping.group[at];
    const long double deviation = (x[at] - out.mean[g]) - rest[g];
    out.variance[g] += deviation * deviation / n;
  }
  return out;
}

// In ulp of the value itself, not of 1: what underflows counts as an ulp of the smallest normal number.
template <class T>
double own_ulp(T value, long double expected) {
  const T size =
      static_cast<T>(std::fmax(std::fabs(expected), static_cast<long double>(std::numeric_limits<T>::min())));
  if (std::isinf(size)) return value == size ? 0 : INFINITY;
  const T ulp = std::nextafter(size, static_cast<T>(INFINITY)) - size;
  return static_cast<double>(std::fabs(static_cast<long double>(value) - expected) / ulp);
}

template <class S, class T>
void expect_bound(double bound) {
  double worst = 0;
  for (const std::uint32_t cols : {1u, 2u, 7u, 16u, 64u, 100u, 768u, 4096u}) {
    for (const Dataset& dataset : datasets()) {
      for (const bool columns : {false, true}) {
        Random random(cols);
        std::vector<T> x(20 * cols);
        for (std::size_t i = 0; i < x.size(); ++i) {
          x[columns ? i % cols * 20 + i / cols : i] = static_cast<T>(dataset.element(random, i % cols, cols));
        }
        const std::vector<std::uint32_t> dims = columns ? std::vector{cols, 20u} : std::vector{20u, cols};
        const std::uint32_t axes = columns ? 1 : 2;
        const auto result = moments_of<S, T>(x, dims, axes);
        const auto expected = reference(x, dims, axes);
        for (std::size_t g = 0; g < 20; ++g) {
          // A mean that cancels is as exact as the numbers that it is the mean of.
          const long double size = std::fmax(std::fabs(expected.mean[g]), std::sqrt(expected.variance[g]));
          const long double off = std::fabs(static_cast<long double>(result.mean[g]) - expected.mean[g]);
          EXPECT_LE(off, 2 * std::numeric_limits<T>::epsilon() * size) << dataset.name << cols;
          // Of equal numbers the reference, whose mean is rounded, is not exact: 0 is.
          const bool constant = std::strncmp(dataset.name, "const", 5) == 0;
          const double error = own_ulp(result.variance[g], constant ? 0 : expected.variance[g]);
          EXPECT_LE(error, bound) << dataset.name << ", D = " << cols << (columns ? ", columns" : "");
          worst = std::fmax(worst, error);
        }
      }
    }
  }
  std::printf("worst error of the variance: %.2f ulp\n", worst);
}
TEST(MomentsBound, Float32) { expect_bound<simd::Default, float>(4); }
TEST(MomentsBound, Float64) { expect_bound<simd::Default, double>(6); }

TYPED_TEST(MomentsTest, EveryAxisSetMatchesTheReference) {
  const std::vector<std::uint32_t> dims = {3, 5, 2, 7};
  const std::vector<float> x = normal_numbers<float>(210, 1, 2);
  for (std::uint32_t axes = 1; axes < 16; ++axes) {
    const auto result = moments_of<TypeParam, float>(x, dims, axes);
    const auto expected = reference(x, dims, axes);
    for (std::size_t g = 0; g < result.mean.size(); ++g) {
      EXPECT_LE(own_ulp(result.mean[g], expected.mean[g]), 2) << axes;
      EXPECT_LE(own_ulp(result.variance[g], expected.variance[g]), 4) << axes;
    }
  }
}

TYPED_TEST(MomentsTest, SixteenBitsGiveWhatTheirFloatsGive) {
  for (const DType dtype : {DType::float16, DType::bfloat16}) {
    const Bits bits = narrowed<TypeParam>(dtype, normal_numbers<float>(4 * 6 * 40, 2));
    const std::vector<float> x = widened<TypeParam>(dtype, bits);
    for (std::uint32_t axes = 1; axes < 8; ++axes) {
      const auto result = moments_of<TypeParam, float>(bits, {4, 6, 40}, axes, dtype);
      const auto expected = moments_of<TypeParam, float>(x, {4, 6, 40}, axes);
      EXPECT_TRUE(same_bits(result.mean, expected.mean));
      EXPECT_TRUE(same_bits(result.variance, expected.variance));
    }
  }
}

TYPED_TEST(MomentsTest, keras_18795_TheVarianceIsNeverNegative) {
  const std::vector<float> x(256, 1234.0f);
  const auto result = moments_of<TypeParam, float>(x, {1, 256}, 2);
  EXPECT_EQ(result.mean[0], 1234);
  EXPECT_EQ(result.variance[0], 0);
}

TEST(Moments, ATensorWithoutGroupsIsLeftAlone) {
  const auto result = moments_of<simd::Default, float>(std::vector<float>{}, {0, 3}, 2);
  EXPECT_TRUE(result.mean.empty());
}

TEST(Moments, EmptyGroupsAreNaN) {
  const auto result = moments_of<simd::Default, float>(std::vector<float>{}, {3, 0}, 2);
  for (const float mean : result.mean) EXPECT_TRUE(std::isnan(mean));
}

TEST(Moments, RefusesWhatIsWrongBeforeItWrites) {
  std::vector<float> x = normal_numbers<float>(12, 1), mean(3, 7), variance(3, 7);
  const std::vector<std::uint32_t> dims = {3, 4}, huge = {UINT32_MAX, UINT32_MAX, UINT32_MAX}, none = {};
  const auto call = [&](auto change) {
    MomentsArguments args{DType::float32, dims, 2, x.data(), mean.data(), variance.data()};
    change(args);
    return moments(args);
  };
  EXPECT_EQ(call([](auto& args) { args.dtype = DType{9}; }), Status::unknown_dtype);
  EXPECT_EQ(call([&](auto& args) { args.dims = none; }), Status::invalid_rank);
  EXPECT_EQ(call([](auto& args) { args.axes = 4; }), Status::invalid_axes);
  EXPECT_EQ(call([&](auto& args) { args.dims = huge; }), Status::size_overflow);
  EXPECT_EQ(call([](auto& args) { args.x = nullptr; }), Status::null_data);
  EXPECT_EQ(call([&](auto& args) { args.mean = x.data(); }), Status::overlapping_data);
  EXPECT_EQ(call([&](auto& args) { args.variance = mean.data(); }), Status::overlapping_data);
  for (const float value : mean) EXPECT_EQ(value, 7);
  EXPECT_EQ(call([](auto&) {}), Status::ok);
}

}  // namespace
}  // namespace layernorm::test
