#include "simd/row_ops.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/call.h"

namespace layernorm::simd {
namespace {

template <class S>
class RowOpsTest : public ::testing::Test {};
TYPED_TEST_SUITE(RowOpsTest, test::SimdTypes);

// Whatever the length, each element is visited once and nothing beyond the last is touched.
template <class V, class T>
void expect_each_element_once() {
  for (std::size_t count = 0; count <= 9 * V::lanes + 3; ++count) {
    std::vector<T> guarded(count + V::lanes, T{-1});
    for (std::size_t i = 0; i < count; ++i) guarded[i] = static_cast<T>(i);
    for_each_vector<V, T>(
        count, [&]<class W>(std::size_t i) { (W::load(&guarded[i]) + W::splat(T{100})).store(&guarded[i]); });
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(guarded[i], static_cast<T>(i + 100)) << "of " << count;
    for (std::size_t i = count; i < guarded.size(); ++i) ASSERT_EQ(guarded[i], -1) << "beyond " << count;
  }
}

TYPED_TEST(RowOpsTest, EachFloat32IsVisitedOnce) {
  expect_each_element_once<typename TypeParam::F32, float>();
}
TYPED_TEST(RowOpsTest, EachFloat64IsVisitedOnce) {
  expect_each_element_once<typename TypeParam::F64, double>();
}

template <class V, class T>
void expect_padding() {
  for (std::size_t count = 0; count < 4 * V::lanes; ++count) {
    const std::vector<T> x(count,
                           T{7});  // of its very size: reading beyond it is an error under the sanitizer
    std::vector<T> padded(4 * V::lanes, T{-1});
    copy_padded<V>(x.data(), count, V::splat(T{3}), padded.data());
    for (std::size_t i = 0; i < padded.size(); ++i)
      ASSERT_EQ(padded[i], i < count ? 7 : 3) << i << " of " << count;
  }
}

template <class V, class T>
void expect_partial_quad() {
  for (std::size_t count = 0; count < 4 * V::lanes; ++count) {
    const std::vector<T> x(count, T{7});  // of its very size, as above
    const PartialQuad<V, T> quad(x.data(), count, V::splat(T{3}));
    for (std::size_t i = 0; i < 4 * V::lanes; ++i) {
      T lanes[V::lanes];
      quad.v[i / V::lanes].store(lanes);
      ASSERT_EQ(lanes[i % V::lanes], i < count ? 7 : 3) << i << " of " << count;
    }
  }
}

TYPED_TEST(RowOpsTest, PartialQuadsAreFilledUp) {
  expect_partial_quad<typename TypeParam::F32, float>();
  expect_partial_quad<typename TypeParam::F64, double>();
}

TYPED_TEST(RowOpsTest, PaddingFillsWhatIsLeft) {
  expect_padding<typename TypeParam::F32, float>();
  expect_padding<typename TypeParam::F64, double>();
}

}  // namespace
}  // namespace layernorm::simd
