// Tier: bitwise. Every operation of the vocabulary, on every vector type, against scalar arithmetic.
#include "simd/vector.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "simd/lanes.h"
#include "support/call.h"
#include "support/random.h"

namespace layernorm::simd {
namespace {

template <class T>
std::vector<T> interesting() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> values = {0,
                           -T{0},
                           1,
                           -1,
                           T(1.5),
                           T(1) / 3,
                           Limits::max(),
                           Limits::lowest(),
                           Limits::min(),
                           -Limits::min(),
                           Limits::denorm_min(),
                           Limits::infinity(),
                           -Limits::infinity(),
                           Limits::quiet_NaN(),
                           1 + Limits::epsilon(),
                           1 - Limits::epsilon() / 2};
  test::Random random(7);
  for (int n = 0; n < 64; ++n) {
    values.push_back(static_cast<T>(std::ldexp(random.normal(), static_cast<int>(random.below(60)) - 30)));
  }
  return values;
}

// Each lane of `result` is f of the same lanes of the operands.
template <class V, class T, class Operation>
void expect_lanewise(Operation operation) {
  const std::vector<T> values = interesting<T>();
  for (std::size_t i = 0; i + V::lanes <= values.size(); ++i) {
    for (std::size_t j = 0; j + V::lanes <= values.size(); ++j) {
      std::vector<T> actual(V::lanes), expected(V::lanes);
      operation(V::load(&values[i]), V::load(&values[j])).store(actual.data());
      for (std::size_t l = 0; l < V::lanes; ++l) expected[l] = operation(values[i + l], values[j + l]);
      ASSERT_TRUE(test::same_bits(actual, expected)) << "operands " << i << " and " << j;
    }
  }
}

template <class V, class T>
void expect_vocabulary() {
  expect_lanewise<V, T>([](auto a, auto b) { return a + b; });
  expect_lanewise<V, T>([](auto a, auto b) { return a - b; });
  expect_lanewise<V, T>([](auto a, auto b) { return a * b; });

  std::vector<T> stored(V::lanes + 2, T{9});
  V::splat(T(1.25)).store(&stored[1]);  // at an address that is not aligned
  std::vector<T> expected(V::lanes + 2, T(1.25));
  expected.front() = expected.back() = 9;
  EXPECT_TRUE(test::same_bits(stored, expected));
}

template <class S>
class VectorTest : public ::testing::Test {};
TYPED_TEST_SUITE(VectorTest, test::SimdTypes);

TYPED_TEST(VectorTest, Float32OperationsAreScalarOnesLaneByLane) {
  expect_vocabulary<typename TypeParam::F32, float>();
}
TYPED_TEST(VectorTest, Float64OperationsAreScalarOnesLaneByLane) {
  expect_vocabulary<typename TypeParam::F64, double>();
}

TYPED_TEST(VectorTest, WideningIsExactAndKeepsTheOrderOfLanes) {
  using F32 = typename TypeParam::F32;
  const std::vector<float> values = interesting<float>();
  for (std::size_t i = 0; i + 4 <= values.size(); ++i) {
    std::vector<double> actual(4), expected(values.begin() + i, values.begin() + i + 4);
    TypeParam::widen_low(F32::load(&values[i])).store(&actual[0]);
    TypeParam::widen_high(F32::load(&values[i])).store(&actual[2]);
    ASSERT_TRUE(test::same_bits(actual, expected));
  }
}

TYPED_TEST(VectorTest, OneSignIsThatOfAllSixteen) {
  for (const float sign : {1.0f, -1.0f}) {
    std::vector<float> x(16, sign);
    x[5] = sign * 0;
    EXPECT_TRUE(TypeParam::one_sign(x.data())) << "zeros have signs";
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = -x[i];
      EXPECT_FALSE(TypeParam::one_sign(x.data())) << i;
      x[i] = -x[i];
    }
  }
}

TEST(OneLane, IsTheScalar) { expect_vocabulary<OneLane<float>, float>(); }

}  // namespace
}  // namespace layernorm::simd
