#include "ops/line_moments.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/channel_call.h"
#include "support/datasets.h"

namespace layernorm::test {
namespace {

template <class S>
class LineMomentsTest : public ::testing::Test {};
TYPED_TEST_SUITE(LineMomentsTest, SimdTypes);

template <class S, class T>
std::vector<GroupStatistics<T>> find(const Storage<T>& storage, const void* x, std::size_t rows,
                                     std::size_t channels, std::size_t range, double epsilon = 1e-5) {
  std::vector<double> workspace(channels * LineMoments<S, T>::kBytesEach / sizeof(double) + 1);
  const LineMoments<S, T> moments(storage, x, rows, channels, workspace.data());
  std::vector<GroupStatistics<T>> found(channels);
  std::vector<int> times(channels);
  for (std::size_t first = 0; first < channels; first += range) {
    moments.find(first, std::min(channels, first + range), epsilon, [&](std::size_t c, const auto& s) {
      found[c] = s;
      ++times[c];
    });
  }
  EXPECT_EQ(std::count(times.begin(), times.end(), 0), 0);
  return found;
}

template <class T>
bool equal(const GroupStatistics<T>& a, const GroupStatistics<T>& b) {
  return a.mean_hi == b.mean_hi && a.mean_lo == b.mean_lo && a.scale == b.scale && a.variance == b.variance &&
         a.rstd == b.rstd;
}

// Bounded: every kind of data, each in a channel of its own beside the others.
template <class S, class T>
void expect_reference(double tolerance) {
  const std::size_t channels = datasets().size();
  for (const std::size_t rows : {1u, 3u, 16u, 63u, 64u, 65u, 500u}) {
    std::vector<T> x(rows * channels);
    Random random(rows);
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t c = 0; c < channels; ++c) {
        x[row * channels + c] = static_cast<T>(datasets()[c].element(random, row, rows));
      }
    }
    const auto found = find<S>(Storage<T>(), x.data(), rows, channels, channels);
    const auto expected = layer_norm_reference<long double>(
        std::vector<double>(x.begin(), x.end()),
        {static_cast<std::uint32_t>(rows), static_cast<std::uint32_t>(channels)}, 1, 1e-5);
    for (std::size_t c = 0; c < channels; ++c) {
      const double ratio = static_cast<double>(found[c].saved_rstd(1e-5) / expected.rstd[c]);
      EXPECT_NEAR(ratio, 1, tolerance) << datasets()[c].name << ", " << rows << " rows";
      const auto off = (static_cast<long double>(found[c].mean()) - expected.mean[c]) * expected.rstd[c];
      // mean() is one double, the reference's one long double: what that costs grows with the mean.
      const auto size = static_cast<double>(std::fabs(expected.mean[c]) * expected.rstd[c]);
      EXPECT_NEAR(static_cast<double>(off), 0, 2 * tolerance + 3e-16 * size)
          << datasets()[c].name << ", " << rows << " rows";
    }
  }
}
TYPED_TEST(LineMomentsTest, EveryKindOfChannelMatchesTheReference) {
  expect_reference<TypeParam, float>(2e-7);
  expect_reference<TypeParam, double>(1e-15);
}

// Bitwise: neither the range of channels nor what lies in the others matters.
TYPED_TEST(LineMomentsTest, RangesAndNeighboursChangeNoBit) {
  const std::size_t rows = 130, channels = 37;
  std::vector<float> x = normal_numbers<float>(rows * channels, 1);
  const auto calm = find<TypeParam>(Storage<float>(), x.data(), rows, channels, channels);
  for (std::size_t row = 0; row < rows; ++row) {
    x[row * channels + 5] += 1e5f;
    x[row * channels + 20] *= 1e30f;
  }
  for (const std::size_t range : {1u, 16u, 37u}) {
    const auto found = find<TypeParam>(Storage<float>(), x.data(), rows, channels, range);
    for (std::size_t c = 0; c < channels; ++c) EXPECT_EQ(equal(found[c], calm[c]), c != 5 && c != 20) << c;
  }
}

TYPED_TEST(LineMomentsTest, SixteenBitsGiveWhatTheirFloatsGive) {
  for (const DType dtype : {DType::float16, DType::bfloat16}) {
    const Storage<float> storage(simd::widen<TypeParam>(dtype), simd::narrow<TypeParam>(dtype));
    const std::size_t rows = 21, channels = 1200;  // more than a buffer
    const Bits bits = narrowed<TypeParam>(dtype, normal_numbers<float>(rows * channels, 2, 3));
    const std::vector<float> x = widened<TypeParam>(dtype, bits);
    const auto found = find<TypeParam>(storage, bits.data(), rows, channels, channels);
    const auto expected = find<TypeParam>(Storage<float>(), x.data(), rows, channels, channels);
    for (std::size_t c = 0; c < channels; ++c) ASSERT_TRUE(equal(found[c], expected[c])) << c;
  }
}

TEST(LineMomentsBits, EmulatedVectorsGiveTheSame) {
  const std::vector<float> x = normal_numbers<float>(100 * 37, 3, 2);
  const auto a = find<simd::Simd128>(Storage<float>(), x.data(), 100, 37, 37);
  const auto b = find<simd::Emulated>(Storage<float>(), x.data(), 100, 37, 37);
  for (std::size_t c = 0; c < 37; ++c) EXPECT_TRUE(equal(a[c], b[c]));
}

}  // namespace
}  // namespace layernorm::test
