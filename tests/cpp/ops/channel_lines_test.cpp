#include "ops/channel_lines.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/channel_call.h"

namespace layernorm::test {
namespace {

template <class S>
class ChannelLinesTest : public ::testing::Test {};
TYPED_TEST_SUITE(ChannelLinesTest, SimdTypes);

template <class T>
T formula(T x, const Affine<T>& a) {
  return ((x * a.scale - a.mean_hi) - a.mean_lo) * a.factor + a.offset;
}

template <class S, class T>
void expect_formula() {
  for (const bool careful : {false, true}) {
    for (const std::size_t count : {1u, 4u, 7u, 16u, 100u}) {
      const std::vector<T> x = normal_numbers<T>(count, count);
      AffineLines<T> lines;
      std::vector<Affine<T>> affine(count);
      Random random(3);
      for (std::size_t c = 0; c < count; ++c) {
        GroupStatistics<T> s;
        s.mean_hi = static_cast<T>(random.normal());
        s.mean_lo = careful ? static_cast<T>(random.normal()) : T{0};
        s.scale = careful ? T{2} : T{1};
        s.rstd = 1 + random.uniform();
        affine[c] = Affine<T>(s, static_cast<T>(random.normal()), static_cast<T>(random.normal()));
        lines.set(c, affine[c]);
        EXPECT_EQ(affine[c].careful(), careful);
        EXPECT_EQ(lines.get(c).factor, affine[c].factor);
      }
      std::vector<T> line(count), segment(count);
      lines.template apply<S>(Storage<T>(), x.data(), line.data(), count, 1, count, count);
      apply_segment<S>(Storage<T>(), x.data(), segment.data(), count, affine[0]);
      for (std::size_t c = 0; c < count; ++c) {
        ASSERT_EQ(line[c], formula(x[c], affine[c])) << c;
        ASSERT_EQ(segment[c], formula(x[c], affine[0])) << c;
      }
    }
  }
}
TYPED_TEST(ChannelLinesTest, LinesAndSegmentsFollowTheFormula) {
  expect_formula<TypeParam, float>();
  expect_formula<TypeParam, double>();
}

TEST(ChannelLines, SavedElementsComeBack) {
  std::vector<float> numbers = {1, 2, 3, 4}, room(4);
  std::byte* saved = reinterpret_cast<std::byte*>(room.data());
  copy_saved(numbers.data(), 2 * sizeof(float), saved, false);
  copy_saved(numbers.data() + 2, 2 * sizeof(float), saved, false);
  numbers = {9, 9, 9, 9};
  saved = reinterpret_cast<std::byte*>(room.data());
  copy_saved(numbers.data(), 4 * sizeof(float), saved, true);
  EXPECT_EQ(numbers, (std::vector<float>{1, 2, 3, 4}));
}

}  // namespace
}  // namespace layernorm::test
