#include "ops/storage.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/channel_call.h"

namespace layernorm::test {
namespace {

template <class S>
class StorageTest : public ::testing::Test {};
TYPED_TEST_SUITE(StorageTest, SimdTypes);

TEST(Storage, PlainElementsAreUsedWhereTheyLie) {
  const std::vector<double> x(7);
  Storage<double>().read(x.data(), x.size(), [&](const double* elements, std::size_t n, std::size_t first) {
    EXPECT_EQ(elements, x.data());
    EXPECT_EQ(n, 7u);
    EXPECT_EQ(first, 0u);
  });
}

TYPED_TEST(StorageTest, SixteenBitsPassThroughABufferInOrder) {
  for (const DType dtype : {DType::float16, DType::bfloat16}) {
    const Storage<float> storage(simd::widen<TypeParam>(dtype), simd::narrow<TypeParam>(dtype));
    for (const std::size_t count : {1u, 31u, 512u, 513u, 1300u}) {
      const Bits x = narrowed<TypeParam>(dtype, normal_numbers<float>(count, count));
      const std::vector<float> expected = widened<TypeParam>(dtype, x);
      std::vector<float> seen;
      storage.read(x.data(), count, [&](const float* elements, std::size_t n, std::size_t first) {
        EXPECT_EQ(first, seen.size());
        seen.insert(seen.end(), elements, elements + n);
      });
      EXPECT_EQ(seen, expected);
      Bits y(count), sum(count);
      storage.map(x.data(), y.data(), count, [](const float* from, float* to, std::size_t n, std::size_t) {
        for (std::size_t i = 0; i < n; ++i) to[i] = 2 * from[i];
      });
      storage.map(x.data(), x.data(), sum.data(), count,
                  [](const float* a, const float* b, float* to, std::size_t n, std::size_t) {
                    for (std::size_t i = 0; i < n; ++i) to[i] = a[i] + b[i];
                  });
      EXPECT_EQ(y, sum);
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(widened<TypeParam>(dtype, y)[i], 2 * expected[i]) << "element " << i;
      }
    }
  }
}

}  // namespace
}  // namespace layernorm::test
