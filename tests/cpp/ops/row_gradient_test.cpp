#include "ops/row_gradient.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/channel_call.h"

namespace layernorm::test {
namespace {

template <class S>
class RowGradientTest : public ::testing::Test {};
TYPED_TEST_SUITE(RowGradientTest, SimdTypes);

// Sums and dx of one row against plain loops in more precision.
template <class S, class T>
void expect_loops(double tolerance) {
  for (const std::size_t cols : {1u, 5u, 16u, 33u, 64u, 200u}) {
    for (const bool with_gamma : {false, true}) {
      const std::vector<T> dy = normal_numbers<T>(cols, 1), x = normal_numbers<T>(cols, 2);
      const std::vector<T> scale = normal_numbers<T>(cols, 3, 1);
      const Parameter<T> gamma(with_gamma ? scale.data() : nullptr, 1);
      std::vector<T> dgamma(cols, 2), dbeta(cols, 3), dx(cols);
      const T mean = T(0.25), rstd = T(1.5), from_h = T(-0.5), from_g = T(0.125);
      const auto sums = sum_row<Kind::deviation, S>(dy.data(), x.data(), gamma, cols, mean, rstd,
                                                    dgamma.data(), dbeta.data());
      write_dx<S>(dy.data(), x.data(), gamma, dx.data(), cols, mean, rstd, from_h, from_g);
      Wider<T> sum_g = 0, sum_gh = 0;
      for (std::size_t i = 0; i < cols; ++i) {
        const Wider<T> h = (static_cast<Wider<T>>(x[i]) - mean) * rstd;
        const Wider<T> g = static_cast<Wider<T>>(dy[i]) * (with_gamma ? scale[i] : 1);
        sum_g += g;
        sum_gh += g * h;
        EXPECT_NEAR(static_cast<double>(dgamma[i] - (2 + dy[i] * h)), 0, 8 * tolerance);
        EXPECT_NEAR(static_cast<double>(dbeta[i] - (3 + dy[i])), 0, 8 * tolerance);
        EXPECT_NEAR(static_cast<double>(dx[i] - rstd * (g + h * from_h + from_g)), 0, 16 * tolerance);
      }
      const double size = static_cast<double>(cols);
      EXPECT_NEAR(sums.g.value(), static_cast<double>(sum_g), size * tolerance);
      EXPECT_NEAR(sums.gh.value(), static_cast<double>(sum_gh), size * tolerance);
    }
  }
}
TYPED_TEST(RowGradientTest, MatchesPlainLoops) {
  expect_loops<TypeParam, float>(2e-7);
  expect_loops<TypeParam, double>(5e-16);
}

TYPED_TEST(RowGradientTest, SumsArePromotedOneByOne) {
  for (const std::size_t count : {1u, 4u, 7u, 33u}) {
    const std::vector<float> sums = normal_numbers<float>(count, 4);
    std::vector<double> total(count, 1);
    promote<TypeParam>(sums.data(), count, total.data());
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(total[i], 1 + static_cast<double>(sums[i]));
  }
}

}  // namespace
}  // namespace layernorm::test
