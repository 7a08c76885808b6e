// Tier: bitwise. Both 16-bit formats, every pattern of them, and of the floats that are narrowed.
#include "simd/sixteen_bit.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "support/call.h"

namespace layernorm::simd {
namespace {

// A format by its definition.
struct Format {
  DType dtype;
  int mantissa;  // explicit bits
  int bias;
  std::uint16_t infinity;

  // The number that non-negative bits stand for, and what would follow the largest where they are those of infinity.
  double value(std::uint32_t bits) const {
    const int exponent = static_cast<int>(bits >> mantissa);
    const double significand = (bits & ((1u << mantissa) - 1)) + (exponent > 0 ? 1u << mantissa : 0u);
    return std::ldexp(significand, (exponent > 0 ? exponent : 1) - bias - mantissa);
  }
};
constexpr Format kFloat16{DType::float16, 10, 15, 0x7c00}, kBfloat16{DType::bfloat16, 7, 127, 0x7f80};

template <class S>
class SixteenBitTest : public ::testing::Test {};
TYPED_TEST_SUITE(SixteenBitTest, test::SimdTypes);

template <class S>
void expect_widened(const Format& format) {
  // In order, so that blocks are of one kind, and shuffled, so that they are of all.
  for (const std::uint32_t step : {1u, 40503u}) {
    std::vector<std::uint16_t> bits(65536);
    for (std::uint32_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<std::uint16_t>(i * step);
    std::vector<float> widened(bits.size());
    convert(widen<S>(format.dtype), bits.data(), bits.size(), widened.data());
    for (std::size_t i = 0; i < bits.size(); ++i) {
      const std::uint32_t magnitude = bits[i] & 0x7fffu;
      if (magnitude > format.infinity) {
        ASSERT_TRUE(std::isnan(widened[i])) << bits[i];
        continue;
      }
      const double value =
          magnitude == format.infinity ? std::numeric_limits<double>::infinity() : format.value(magnitude);
      ASSERT_EQ(std::abs(widened[i]), value) << bits[i];
      ASSERT_EQ(std::signbit(widened[i]), bits[i] >> 15) << bits[i];
    }
  }
}

TYPED_TEST(SixteenBitTest, EveryFloat16IsWidenedExactly) { expect_widened<TypeParam>(kFloat16); }
TYPED_TEST(SixteenBitTest, EveryBfloat16IsWidenedExactly) { expect_widened<TypeParam>(kBfloat16); }

// Says of floats that come in ascending order what they are rounded to: the next 16-bit number after every midpoint.
class Rounding {
 public:
  explicit Rounding(const Format& format) : format_(format) {}

  std::uint16_t operator()(float x) {
    while (result_ < format_.infinity && (x > midpoint_ || (x == midpoint_ && result_ % 2 != 0))) {
      ++result_;
      midpoint_ = midpoint();
    }
    return static_cast<std::uint16_t>(result_);
  }

 private:
  double midpoint() const { return (format_.value(result_) + format_.value(result_ + 1)) / 2; }

  const Format& format_;
  std::uint32_t result_ = 0;
  double midpoint_ = midpoint();
};

// Positive floats in ascending order, as their bits, and the same negative.
template <class S>
void expect_narrowed(const Format& format, const std::vector<std::uint32_t>& patterns, Rounding& rounding) {
  std::vector<float> x(patterns.size()), negative(patterns.size());
  std::vector<std::uint16_t> narrowed(patterns.size()), of_negative(patterns.size());
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    x[i] = std::bit_cast<float>(patterns[i]);
    negative[i] = std::bit_cast<float>(patterns[i] | 0x80000000u);
  }
  convert(narrow<S>(format.dtype), x.data(), x.size(), narrowed.data());
  convert(narrow<S>(format.dtype), negative.data(), x.size(), of_negative.data());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool is_nan = patterns[i] > 0x7f800000u;
    const std::uint16_t expected = is_nan ? 0xffff : rounding(x[i]);
    if (narrowed[i] == expected && of_negative[i] == (expected | 0x8000)) continue;
    FAIL() << std::hex << patterns[i] << " gave " << narrowed[i] << " and " << of_negative[i] << ", expected "
           << expected;
  }
}

// What is next to every number of the format, to every midpoint between two, and all that a float has besides.
template <class S>
void expect_boundaries_narrowed(const Format& format) {
  std::vector<std::uint32_t> patterns;
  for (std::uint32_t high = 0; high < 0x8000; ++high) {
    for (std::uint32_t piece = 0; piece < 0x10000;
         piece += 0x800) {  // half the distance of midpoints of float16
      for (const std::uint32_t next : {0u, 1u, 0x7ffu}) patterns.push_back(high << 16 | (piece + next));
    }
  }
  Rounding rounding(format);
  expect_narrowed<S>(format, patterns, rounding);
  // Midpoints of subnormals lie on any bit.
  patterns.clear();
  for (std::uint32_t bits = 0; bits < (2u << format.mantissa); ++bits) {
    const auto at =
        std::bit_cast<std::uint32_t>(static_cast<float>((format.value(bits) + format.value(bits + 1)) / 2));
    for (const std::uint32_t pattern : {at - 1, at, at + 1}) patterns.push_back(pattern);
  }
  Rounding again(format);
  expect_narrowed<S>(format, patterns, again);
}

TYPED_TEST(SixteenBitTest, FloatsAroundEveryFloat16AreRoundedToNearestEven) {
  expect_boundaries_narrowed<TypeParam>(kFloat16);
}
TYPED_TEST(SixteenBitTest, FloatsAroundEveryBfloat16AreRoundedToNearestEven) {
  expect_boundaries_narrowed<TypeParam>(kBfloat16);
}

#if defined(__EMSCRIPTEN__)
// All 2^32 floats, where it takes seconds and on what is shipped: not in the slow build with sanitizers.
void expect_all_narrowed(const Format& format) {
  Rounding rounding(format);
  std::vector<std::uint32_t> patterns(1 << 16);
  for (std::uint32_t high = 0; high < 0x8000 && !::testing::Test::HasFailure(); ++high) {
    for (std::uint32_t low = 0; low < 0x10000; ++low) patterns[low] = high << 16 | low;
    expect_narrowed<Default>(format, patterns, rounding);
  }
}
TEST(SixteenBit, EveryFloatIsNarrowedToFloat16) { expect_all_narrowed(kFloat16); }
TEST(SixteenBit, EveryFloatIsNarrowedToBfloat16) { expect_all_narrowed(kBfloat16); }
#endif

TYPED_TEST(SixteenBitTest, AnyCountIsConvertedAndNothingBeyond) {
  for (const DType dtype : {DType::float16, DType::bfloat16}) {
    for (std::size_t count = 0; count < 100; ++count) {
      // Of its very size: reading beyond it is an error under the sanitizer.
      std::vector<std::uint16_t> bits(count), back(count + 1, 7);
      for (std::size_t i = 0; i < count; ++i) bits[i] = static_cast<std::uint16_t>(i * 321 % 0x7c00);
      std::vector<float> floats(count + 1, 7.0f);
      convert(widen<TypeParam>(dtype), bits.data(), count, floats.data());
      EXPECT_EQ(floats[count], 7);
      floats.resize(count);
      convert(narrow<TypeParam>(dtype), floats.data(), count, back.data());
      EXPECT_EQ(back[count], 7);
      back.resize(count);
      EXPECT_EQ(back, bits);
    }
  }
}

}  // namespace
}  // namespace layernorm::simd
