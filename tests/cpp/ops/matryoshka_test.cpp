// Tiers: bounded against the formula in more precision, bitwise between vector types, types and ranges of rows.
#include "ops/matryoshka.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <vector>

#include "reference/matryoshka_reference.h"
#include "support/channel_call.h"
#include "support/datasets.h"

namespace layernorm::test {
namespace {

template <class S>
class MatryoshkaTest : public ::testing::Test {};
TYPED_TEST_SUITE(MatryoshkaTest, SimdTypes);

constexpr double kEpsilon = 1e-5;

template <class S, class T>
std::vector<T> matryoshka_of(const std::vector<T>& x, std::size_t cols, std::size_t dimensions,
                             double epsilon = kEpsilon, DType dtype = dtype_of<T>) {
  const std::size_t rows = x.size() / cols;
  std::vector<T> y(rows * dimensions, T{7});
  const Status status = matryoshka_on<S>({.dtype = dtype,
                                          .rows = rows,
                                          .cols = cols,
                                          .dimensions = dimensions,
                                          .epsilon = epsilon,
                                          .x = x.data(),
                                          .y = y.data()});
  EXPECT_EQ(status, Status::ok);
  return y;
}

template <class T>
std::vector<T> rows_of(const Dataset& dataset, std::size_t rows, std::size_t cols) {
  Random random(cols);
  std::vector<T> x(rows * cols);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(dataset.element(random, i % cols, cols));
  return x;
}

// The bound of ops/matryoshka.h, for every kind of row and prefixes of none, one and several vectors and blocks. Constant rows are 0:
// the oracle, whose mean is rounded, is not exact there.
template <class S, class T>
void expect_bound(double bound) {
  constexpr std::size_t kRows = 8;
  double worst = 0;
  for (const std::size_t cols : {1u, 2u, 3u, 7u, 16u, 63u, 64u, 127u, 128u, 300u, 768u, 1024u, 4099u}) {
    for (const Dataset& dataset : datasets()) {
      const std::vector<T> x = rows_of<T>(dataset, kRows, cols);
      const bool zero = cols == 1 || std::strncmp(dataset.name, "const", 5) == 0;
      for (const std::size_t dimensions : {std::size_t{1}, cols / 12, cols / 3, cols / 2, cols - 1, cols}) {
        if (dimensions == 0) continue;
        const std::vector<T> y = matryoshka_of<S>(x, cols, dimensions);
        const auto expected = matryoshka_reference<Wider<T>>(x, cols, dimensions, kEpsilon);
        for (std::size_t i = 0; i < y.size(); ++i) {
          const Wider<T> ulp = expected.unit[i / dimensions] * std::numeric_limits<T>::epsilon();
          const Wider<T> error = std::fabs(Wider<T>{y[i]} - (zero ? 0 : expected.y[i]));
          const double ulps = static_cast<double>(zero ? error : error / ulp);
          ASSERT_LE(ulps, bound) << dataset.name << ", D = " << cols << ", dimensions = " << dimensions;
          worst = std::fmax(worst, ulps);
        }
      }
    }
  }
  std::printf("worst error: %.2f ulp\n", worst);
}
TYPED_TEST(MatryoshkaTest, Float32IsWithinTheBound) { expect_bound<TypeParam, float>(3); }
TYPED_TEST(MatryoshkaTest, Float64IsWithinTheBound) { expect_bound<TypeParam, double>(3); }

// ---- The definition ----

// nomic-embed-text-v1.5 by hand: mean 2, variance 2.5 less epsilon.
TYPED_TEST(MatryoshkaTest, TheFormula) {
  const std::vector<double> x = {0, 1, 2, 3, 4};
  const std::vector<double> y = matryoshka_of<TypeParam>(x, 5, 2);
  EXPECT_NEAR(y[0], -2 / std::sqrt(5.0), 1e-15);
  EXPECT_NEAR(y[1], -1 / std::sqrt(5.0), 1e-15);
}

TYPED_TEST(MatryoshkaTest, PrefixesHaveNormOneWhateverTheScale) {
  for (const double scale : {1e-37, 1e-19, 1e-6, 1.0, 1e19, 1e37}) {
    const std::vector<float> x = normal_numbers<float>(10 * 300, 3, 0, scale);
    const std::vector<float> y = matryoshka_of<TypeParam>(x, 300, 64, 0);
    for (std::size_t row = 0; row < 10; ++row) {
      double squares = 0;
      for (std::size_t i = 0; i < 64; ++i) squares += std::pow(static_cast<double>(y[row * 64 + i]), 2);
      EXPECT_NEAR(std::sqrt(squares), 1, 1e-6) << scale;
    }
  }
}

// epsilon counts where it makes z so short that its norm is clamped: x is 1e-20, z 1e-20 / sqrt(1e-5), y that over 1e-12.
TYPED_TEST(MatryoshkaTest, ShortPrefixesAreDividedByTheLeastNorm) {
  const std::vector<float> x = {1e-20f, -1e-20f, 3e-20f, -3e-20f};
  const std::vector<float> y = matryoshka_of<TypeParam>(x, 4, 2);
  EXPECT_NEAR(y[0] / 1e-20f * 1e-12 * std::sqrt(1e-5), 1, 1e-6);
  EXPECT_EQ(y[1], -y[0]);
}

// The squares of the prefix are below the range of float32 though those of the row are not, and the other way round.
TYPED_TEST(MatryoshkaTest, PrefixesFarFromTheDeviationOfTheirRow) {
  for (const double scale : {1e-3, 1e10, 1e30, 1e37}) {
    for (const double ratio : {1e-11, 1e-9, 1e-5}) {
      std::vector<float> x(200);
      for (std::size_t i = 0; i < 200; ++i) {  // pairs, so that the mean is 0
        x[i] = static_cast<float>((i % 2 == 0 ? 1.0 : -1.0) * scale * (i < 20 ? ratio : 1.0));
      }
      const std::vector<float> y = matryoshka_of<TypeParam>(x, 200, 20);
      for (std::size_t i = 0; i < 20; ++i) {
        ASSERT_NEAR(y[i], (i % 2 == 0 ? 1 : -1) / std::sqrt(20.0), 1e-7) << scale << ' ' << ratio;
      }
    }
  }
}
TYPED_TEST(MatryoshkaTest, APrefixThatHoldsTheOutlierOfALongRow) {
  std::vector<float> x(5000, 1);
  x[3] = 1.5e20f;  // its square overflows, the variance does not
  const std::vector<float> y = matryoshka_of<TypeParam>(x, 5000, 10);
  const auto expected = matryoshka_reference<double>(x, 5000, 10, kEpsilon);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_NEAR(y[i], expected.y[i], 1e-7);
}

TYPED_TEST(MatryoshkaTest, ConstantRowsAreZeroAndWithoutAnEpsilonNaN) {
  for (const float value : {0.0f, 0.1f, -3e38f, 1e-45f}) {
    const std::vector<float> x(100, value);
    for (const double epsilon : {1e-5, 1e-300}) {
      for (const float y : matryoshka_of<TypeParam>(x, 100, 10, epsilon)) EXPECT_EQ(y, 0) << value;
    }
    for (const float y : matryoshka_of<TypeParam>(x, 100, 10, 0)) EXPECT_TRUE(std::isnan(y)) << value;
  }
  const std::vector<double> x(100, 1e300);
  for (const double y : matryoshka_of<TypeParam>(x, 100, 10, 5e-324)) EXPECT_EQ(y, 0);
}

// Wherever in the row they are, in the prefix or behind it.
TYPED_TEST(MatryoshkaTest, NaNAndInfinityMakeTheirRowNaN) {
  for (const std::size_t cols : {5u, 300u}) {
    for (const float bad : {NAN, INFINITY, -INFINITY}) {
      for (const std::size_t at : {std::size_t{0}, cols - 1}) {
        std::vector<float> x = normal_numbers<float>(3 * cols, 4);
        x[cols + at] = bad;
        const std::vector<float> y = matryoshka_of<TypeParam>(x, cols, 2);
        for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(std::isnan(y[i]), i / 2 == 1) << bad << ' ' << i;
      }
    }
  }
}

// ---- Bits ----

TYPED_TEST(MatryoshkaTest, SixteenBitsAreThoseOfFloat32RoundedOnce) {
  for (const DType dtype : {DType::float16, DType::bfloat16}) {
    for (const std::size_t cols : {1u, 7u, 64u, 300u, 513u, 2000u}) {
      const Bits bits = narrowed<TypeParam>(dtype, normal_numbers<float>(5 * cols, cols, 0.5));
      const std::vector<float> x = widened<TypeParam>(dtype, bits);
      for (const std::size_t dimensions : {std::size_t{1}, (cols + 1) / 2, cols}) {
        EXPECT_TRUE(same_bits(matryoshka_of<TypeParam>(bits, cols, dimensions, kEpsilon, dtype),
                              narrowed<TypeParam>(dtype, matryoshka_of<TypeParam>(x, cols, dimensions))))
            << cols << ' ' << dimensions;
      }
    }
  }
}

template <class T>
void expect_bits_of_emulation() {
  for (const std::size_t cols : {1u, 3u, 16u, 65u, 127u, 128u, 773u}) {
    for (const Dataset& dataset : datasets()) {
      const std::vector<T> x = rows_of<T>(dataset, 6, cols);
      for (const std::size_t dimensions : {std::size_t{1}, (cols + 2) / 3, cols}) {
        ASSERT_TRUE(same_bits(matryoshka_of<simd::Simd128>(x, cols, dimensions),
                              matryoshka_of<simd::Emulated>(x, cols, dimensions)))
            << dataset.name << ' ' << cols << ' ' << dimensions;
      }
    }
  }
}
TEST(Matryoshka, VectorTypesGiveTheSameBits) {
  expect_bits_of_emulation<float>();
  expect_bits_of_emulation<double>();
}

TYPED_TEST(MatryoshkaTest, RowsDoNotDependOnTheirNeighbours) {
  const std::vector<float> x = normal_numbers<float>(40 * 300, 5, 3);
  const std::vector<float> all = matryoshka_of<TypeParam>(x, 300, 70);
  for (std::size_t row = 0; row < 40; ++row) {
    const std::vector<float> one(x.begin() + static_cast<std::ptrdiff_t>(row * 300),
                                 x.begin() + static_cast<std::ptrdiff_t>(row * 300 + 300));
    const std::vector<float> y(all.begin() + static_cast<std::ptrdiff_t>(row * 70),
                               all.begin() + static_cast<std::ptrdiff_t>(row * 70 + 70));
    ASSERT_TRUE(same_bits(matryoshka_of<TypeParam>(one, 300, 70), y)) << row;
  }
}

// ---- Errors: nothing is written ----

class MatryoshkaErrors : public ::testing::Test {
 protected:
  std::vector<float> x = normal_numbers<float>(24, 1);
  std::vector<float> y = std::vector<float>(8, 7);
  Matryoshka args{.rows = 4, .cols = 6, .dimensions = 2, .x = x.data(), .y = y.data()};

  void expect(Status status) {
    const std::vector<float> before = x;
    EXPECT_EQ(matryoshka(args), status);
    EXPECT_EQ(x, before);
    for (const float value : y) EXPECT_EQ(value, 7);
  }
};

TEST_F(MatryoshkaErrors, UnknownDType) {
  args.dtype = DType{4};
  expect(Status::unknown_dtype);
}
TEST_F(MatryoshkaErrors, TooManyElements) {
  args.rows = SIZE_MAX / 8;
  expect(Status::size_overflow);
  args.rows = 1;
  args.cols = SIZE_MAX / 2;
  expect(Status::size_overflow);
}
TEST_F(MatryoshkaErrors, Epsilon) {
  for (const double epsilon : {-1e-3, std::nan(""), static_cast<double>(INFINITY)}) {
    args.epsilon = epsilon;
    expect(Status::invalid_epsilon);
  }
}
TEST_F(MatryoshkaErrors, Dimensions) {
  for (const std::size_t dimensions : {std::size_t{0}, std::size_t{7}, SIZE_MAX}) {
    args.dimensions = dimensions;
    expect(Status::invalid_dimensions);
  }
  args = {.rows = 3};  // no element to keep
  expect(Status::invalid_dimensions);
}
TEST_F(MatryoshkaErrors, NoX) {
  args.x = nullptr;
  expect(Status::null_data);
}
TEST_F(MatryoshkaErrors, NoY) {
  args.y = nullptr;
  expect(Status::null_data);
}
TEST_F(MatryoshkaErrors, Misaligned) {
  args.x = reinterpret_cast<const char*>(x.data()) + 2;
  expect(Status::misaligned_data);
}
TEST_F(MatryoshkaErrors, YInX) {
  for (const std::size_t at : {0u, 2u, 23u}) {
    args.y = x.data() + at;
    expect(Status::overlapping_data);
  }
}

TEST(Matryoshka, NoRowsNeedNoData) {
  EXPECT_EQ(matryoshka({.rows = 0, .cols = 6, .dimensions = 2}), Status::ok);
}

}  // namespace
}  // namespace layernorm::test
