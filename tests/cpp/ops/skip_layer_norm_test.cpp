// Tier: bitwise. The sum is one or two additions, and y is what layer_norm and rms_norm make of it: they are the oracle, and have
// their own.
#include "ops/skip_layer_norm.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "ops/layer_norm.h"
#include "ops/rms_norm.h"
#include "support/channel_call.h"

namespace layernorm::test {
namespace {

template <class S>
class SkipLayerNormTest : public ::testing::Test {};
TYPED_TEST_SUITE(SkipLayerNormTest, SimdTypes);

// Numbers of type T, which for types of 16 bits is that of the bits; parameters and statistics are of type P.
template <class T, class P = T>
struct SkipCall {
  std::size_t rows, cols, skip_rows;
  bool rms = false;
  std::vector<T> x = {}, skip = {};
  std::vector<P> bias = {}, gamma = {}, beta = {};
  DType dtype = dtype_of<T>;
  double epsilon = 1e-3;
};

template <class T, class P = T>
struct SkipResult {
  std::vector<T> y, sum;
  std::vector<P> mean, rstd;
};

// All arguments; `out` and `workspace` get their sizes.
template <class T, class P>
SkipLayerNorm arguments_of(const SkipCall<T, P>& call, SkipResult<T, P>& out,
                           std::vector<double>& workspace) {
  out.y.assign(call.x.size(), T{7});
  out.sum.assign(call.x.size(), T{7});
  out.mean.assign(call.rows, P{7});
  out.rstd.assign(call.rows, P{7});
  workspace.assign((skip_layer_norm_workspace(call.dtype, call.rows, call.cols) + 7) / 8, -1);
  return {.dtype = call.dtype,
          .rows = call.rows,
          .cols = call.cols,
          .skip_rows = call.skip_rows,
          .epsilon = call.epsilon,
          .rms = call.rms,
          .x = call.x.data(),
          .skip = call.skip.data(),
          .bias = data_or_null(call.bias),
          .gamma = data_or_null(call.gamma),
          .beta = data_or_null(call.beta),
          .y = out.y.data(),
          .sum = out.sum.data(),
          .mean = call.rms ? nullptr : out.mean.data(),
          .rstd = out.rstd.data(),
          .workspace = workspace.data(),
          .workspace_bytes = workspace.size() * sizeof(double)};
}

template <class S, class T, class P>
SkipResult<T, P> compute(const SkipCall<T, P>& call) {
  SkipResult<T, P> out;
  std::vector<double> workspace;
  EXPECT_EQ(skip_layer_norm_on<S>(arguments_of(call, out, workspace)), Status::ok);
  return out;
}

// (x + skip) + bias, element by element.
template <class T>
std::vector<T> sum_of(const SkipCall<T>& call) {
  std::vector<T> sum = call.x;
  for (std::size_t i = 0; i < sum.size(); ++i) {
    sum[i] += call.skip[i % call.skip.size()];
    if (!call.bias.empty()) sum[i] += call.bias[i % call.cols];
  }
  return sum;
}

// The same in two passes.
template <class S, class T>
SkipResult<T> expected_of(const SkipCall<T>& call) {
  SkipResult<T> out{call.x, sum_of(call), std::vector<T>(call.rows, T{7}), std::vector<T>(call.rows, T{7})};
  const std::array dims = {static_cast<std::uint32_t>(call.rows), static_cast<std::uint32_t>(call.cols)};
  if (call.rms) {
    EXPECT_EQ(rms_norm_forward_on<S>({.dtype = call.dtype,
                                      .dims = dims,
                                      .axes = 0b10,
                                      .epsilon = call.epsilon,
                                      .x = out.sum.data(),
                                      .gamma = data_or_null(call.gamma),
                                      .y = out.y.data(),
                                      .rstd = out.rstd.data()}),
              Status::ok);
  } else {
    EXPECT_EQ(layer_norm_forward_on<S>({.dtype = call.dtype,
                                        .dims = dims,
                                        .axes = 0b10,
                                        .epsilon = call.epsilon,
                                        .x = out.sum.data(),
                                        .gamma = data_or_null(call.gamma),
                                        .beta = data_or_null(call.beta),
                                        .y = out.y.data(),
                                        .mean = out.mean.data(),
                                        .rstd = out.rstd.data()}),
              Status::ok);
  }
  return out;
}

template <class T, class P>
::testing::AssertionResult same_results(const SkipResult<T, P>& a, const SkipResult<T, P>& b) {
  if (auto same = same_bits(a.sum, b.sum); !same) return same << " of sum";
  if (auto same = same_bits(a.y, b.y); !same) return same << " of y";
  if (auto same = same_bits(a.mean, b.mean); !same) return same << " of mean";
  if (auto same = same_bits(a.rstd, b.rstd); !same) return same << " of rstd";
  return ::testing::AssertionSuccess();
}

// Which of bias, gamma and beta there are, as bits.
template <class T>
SkipCall<T> call_of(std::size_t rows, std::size_t cols, std::size_t skip_rows, bool rms, int parameters = 7) {
  SkipCall<T> call{rows, cols, skip_rows, rms};
  call.x = normal_numbers<T>(rows * cols, rows + cols, 0.3);
  call.skip = normal_numbers<T>(skip_rows * cols, rows + cols + 1, 2);
  if (parameters & 1) call.bias = normal_numbers<T>(cols, cols + 2);
  if (parameters & 2) call.gamma = normal_numbers<T>(cols, cols + 3);
  if ((parameters & 4) && !rms) call.beta = normal_numbers<T>(cols, cols + 4);
  return call;
}

// Of 16 bits, from the same numbers.
template <class S>
SkipCall<std::uint16_t, float> narrowed_call(DType dtype, const SkipCall<float>& call) {
  return {call.rows,
          call.cols,
          call.skip_rows,
          call.rms,
          narrowed<S>(dtype, call.x),
          narrowed<S>(dtype, call.skip),
          call.bias,
          call.gamma,
          call.beta,
          dtype,
          call.epsilon};
}

// Rows of one vector and less, of a block, of more than a block; blocks that end within rows of skip.
struct Size {
  std::size_t rows, cols, skip_rows;
};
const std::vector<Size> kSizes = {{1, 1, 1},     {5, 3, 5},     {300, 7, 300},   {300, 7, 20}, {40, 64, 1},
                                  {130, 130, 7}, {37, 773, 37}, {37, 773, 12},   {9, 1024, 3}, {3, 9001, 2},
                                  {2, 9001, 2},  {6, 50, 4},    {2000, 16, 2000}};

template <class S, class T>
void expect_bits_of_two_passes() {
  for (const auto& [rows, cols, skip_rows] : kSizes) {
    for (const bool rms : {false, true}) {
      for (int parameters = 0; parameters < 8; ++parameters) {
        const SkipCall<T> call = call_of<T>(rows, cols, skip_rows, rms, parameters);
        ASSERT_TRUE(same_results(compute<S>(call), expected_of<S>(call)))
            << rows << " x " << cols << ", rms " << rms << ", parameters " << parameters;
      }
    }
  }
}
TYPED_TEST(SkipLayerNormTest, Float32HasTheBitsOfTwoPasses) { expect_bits_of_two_passes<TypeParam, float>(); }
TYPED_TEST(SkipLayerNormTest, Float64HasTheBitsOfTwoPasses) {
  expect_bits_of_two_passes<TypeParam, double>();
}

// What y is made of has not been rounded to 16 bits: y is that of float32, and sum is rounded on its own.
TYPED_TEST(SkipLayerNormTest, SixteenBitsAreThoseOfFloat32RoundedOnce) {
  for (const DType dtype : {DType::float16, DType::bfloat16}) {
    for (const auto& [rows, cols, skip_rows] : kSizes) {
      for (const bool rms : {false, true}) {
        const auto call = narrowed_call<TypeParam>(dtype, call_of<float>(rows, cols, skip_rows, rms));
        const SkipCall<float> wide{rows,
                                   cols,
                                   skip_rows,
                                   rms,
                                   widened<TypeParam>(dtype, call.x),
                                   widened<TypeParam>(dtype, call.skip),
                                   call.bias,
                                   call.gamma,
                                   call.beta};
        const SkipResult<float> expected = expected_of<TypeParam>(wide);
        const SkipResult<std::uint16_t, float> rounded{narrowed<TypeParam>(dtype, expected.y),
                                                       narrowed<TypeParam>(dtype, expected.sum),
                                                       expected.mean, expected.rstd};
        ASSERT_TRUE(same_results(compute<TypeParam>(call), rounded)) << rows << " x " << cols;
      }
    }
  }
}

// 1 + 2^-12 is not a float16. Were it rounded, the row would be constant.
TYPED_TEST(SkipLayerNormTest, YIsMadeOfTheSumAsItIs) {
  SkipCall<std::uint16_t, float> call{1, 2, 1};
  call.dtype = DType::float16;
  call.epsilon = 0;
  call.x = {0x3c00, 0x3c00};     // 1
  call.skip = {0x0c00, 0x8c00};  // 2^-12, -2^-12
  const auto out = compute<TypeParam>(call);
  EXPECT_EQ(out.y, (std::vector<std::uint16_t>{0x3c00, 0xbc00}));
  EXPECT_EQ(out.sum[0], 0x3c00);
}

// Rows of a batch of 4 sequences of 9, in three calls.
TYPED_TEST(SkipLayerNormTest, PartsGiveTheBitsOfOneCall) {
  for (const bool rms : {false, true}) {
    const SkipCall<float> call = call_of<float>(36, 33, 9, rms);
    const SkipResult<float> all = compute<TypeParam>(call);
    SkipResult<float> out;
    std::vector<double> workspace;
    const SkipLayerNorm args = arguments_of(call, out, workspace);
    for (const auto& [first, last] : {std::array{0, 4}, {4, 31}, {31, 36}}) {
      SkipLayerNorm part = args;
      const auto at = static_cast<std::size_t>(first);
      part.rows = static_cast<std::size_t>(last) - at;
      part.first_row = at;
      part.x = call.x.data() + at * 33;
      part.y = out.y.data() + at * 33;
      part.sum = out.sum.data() + at * 33;
      if (!rms) part.mean = out.mean.data() + at;
      part.rstd = out.rstd.data() + at;
      ASSERT_EQ(skip_layer_norm_on<TypeParam>(part), Status::ok);
    }
    EXPECT_TRUE(same_results(out, all));
  }
}

TEST(SkipLayerNorm, RowsAreCountedFromAnyNumber) {
  SkipCall<float> call = call_of<float>(4, 5, 3, false);
  SkipResult<float> out, other;
  std::vector<double> workspace;
  SkipLayerNorm args = arguments_of(call, out, workspace);
  args.first_row = std::numeric_limits<std::size_t>::max();
  ASSERT_EQ(skip_layer_norm(args), Status::ok);
  args = arguments_of(call, other, workspace);
  args.first_row = std::numeric_limits<std::size_t>::max() % 3;
  ASSERT_EQ(skip_layer_norm(args), Status::ok);
  EXPECT_TRUE(same_results(out, other));
}

template <class T, class P>
void expect_same_in_place(const SkipCall<T, P>& call) {
  const SkipResult<T, P> apart = compute<simd::Default>(call);
  for (const char* which : {"sum", "y", "y without sum", "neither, without sum"}) {
    SkipResult<T, P> out;
    std::vector<double> workspace;
    SkipLayerNorm args = arguments_of(call, out, workspace);
    const bool in_sum = which == std::string("sum");
    const bool in_y = which[0] == 'y';
    if (in_sum) out.sum = call.x;
    if (in_y) out.y = call.x;
    if (in_sum) args.x = args.sum = out.sum.data();
    if (in_y) args.x = args.y = out.y.data();
    if (std::string(which).find("without") != std::string::npos) {
      args.sum = nullptr;
      out.sum = apart.sum;
    }
    ASSERT_EQ(skip_layer_norm(args), Status::ok) << which;
    EXPECT_TRUE(same_results(out, apart)) << which;
  }
}
TEST(SkipLayerNorm, InPlaceGivesTheSame) {
  for (const bool rms : {false, true}) {
    for (const std::size_t cols : {7u, 130u, 5000u}) {
      expect_same_in_place(call_of<float>(23, cols, 23, rms));
      expect_same_in_place(call_of<double>(23, cols, 2, rms));
      expect_same_in_place(narrowed_call<simd::Default>(DType::float16, call_of<float>(23, cols, 4, rms)));
    }
  }
}

TEST(SkipLayerNorm, XMayBeSkipAsWell) {
  SkipCall<float> call = call_of<float>(6, 40, 6, false);
  call.skip = call.x;
  const SkipResult<float> expected = compute<simd::Default>(call);
  SkipResult<float> out;
  std::vector<double> workspace;
  SkipLayerNorm args = arguments_of(call, out, workspace);
  args.skip = args.x;
  ASSERT_EQ(skip_layer_norm(args), Status::ok);
  EXPECT_TRUE(same_results(out, expected));
}

// A row whose sums leave the range of float32 is computed once more from the sum, which then has to be there.
TYPED_TEST(SkipLayerNormTest, SumsNearTheLargestFloat) {
  SkipCall<float> call = call_of<float>(6, 300, 6, false, 0);
  for (float& x : call.x) x *= 1e37f;
  for (float& x : call.skip) x *= 1e37f;
  EXPECT_TRUE(same_results(compute<TypeParam>(call), expected_of<TypeParam>(call)));
  expect_same_in_place(call);
  call.x[301] = std::numeric_limits<float>::infinity();
  const SkipResult<float> out = compute<TypeParam>(call);
  EXPECT_TRUE(std::isinf(out.sum[301]));
  EXPECT_TRUE(std::isnan(out.y[301]));
  EXPECT_FALSE(std::isnan(out.y[0]));
}

TYPED_TEST(SkipLayerNormTest, EmptyRowsHaveStatistics) {
  for (const DType dtype : {DType::float32, DType::float16, DType::bfloat16}) {
    for (const bool rms : {false, true}) {
      std::vector<float> mean(3, 7), rstd(3, 7);
      const SkipLayerNorm args{
          .dtype = dtype, .rows = 3, .skip_rows = 3, .rms = rms, .mean = mean.data(), .rstd = rstd.data()};
      ASSERT_EQ(skip_layer_norm_on<TypeParam>(args), Status::ok);
      for (const float one : rstd) EXPECT_TRUE(std::isnan(one));
      for (const float one : mean) EXPECT_TRUE(rms ? one == 7 : std::isnan(one));
    }
  }
  EXPECT_EQ(skip_layer_norm_on<TypeParam>({.cols = 4}), Status::ok);
}

TEST(SkipLayerNorm, WorkspaceOfSixteenBitsOnly) {
  EXPECT_EQ(skip_layer_norm_workspace(DType::float32, 10, 10), 0u);
  EXPECT_EQ(skip_layer_norm_workspace(DType::float64, 10, 10), 0u);
  EXPECT_EQ(skip_layer_norm_workspace(DType{9}, 10, 10), 0u);
  EXPECT_EQ(skip_layer_norm_workspace(DType::float16, 0, 10), 0u);
  EXPECT_EQ(skip_layer_norm_workspace(DType::float16, 10, 0), 0u);
  EXPECT_EQ(skip_layer_norm_workspace(DType::float16, 10, 10), 400u);
  EXPECT_EQ(skip_layer_norm_workspace(DType::bfloat16, 1000, 50000), 200000u);
  EXPECT_EQ(skip_layer_norm_workspace(DType::bfloat16, 2, SIZE_MAX / 2), SIZE_MAX);
}

// ---- Errors: nothing is written ----

class SkipLayerNormErrors : public ::testing::Test {
 protected:
  SkipCall<float> call = call_of<float>(4, 6, 2, false);
  SkipResult<float> out;
  std::vector<double> workspace;
  SkipLayerNorm args = arguments_of(call, out, workspace);

  void expect(Status status) {
    EXPECT_EQ(skip_layer_norm(args), status);
    for (const auto* values : {&out.y, &out.sum, &out.mean, &out.rstd}) {
      for (const float value : *values) EXPECT_EQ(value, 7);
    }
  }
};

TEST_F(SkipLayerNormErrors, UnknownDType) {
  args.dtype = DType{4};
  expect(Status::unknown_dtype);
}
TEST_F(SkipLayerNormErrors, TooManyElements) {
  args.rows = SIZE_MAX / 8;
  expect(Status::size_overflow);
  args.rows = 4;
  args.skip_rows = SIZE_MAX / 8;
  expect(Status::size_overflow);
  args.skip_rows = 2;
  args.cols = SIZE_MAX;
  expect(Status::size_overflow);
}
TEST_F(SkipLayerNormErrors, Epsilon) {
  for (const double epsilon : {-1e-3, std::nan(""), std::numeric_limits<double>::infinity()}) {
    args.epsilon = epsilon;
    expect(Status::invalid_epsilon);
  }
}
TEST_F(SkipLayerNormErrors, NoX) {
  args.x = nullptr;
  expect(Status::null_data);
}
TEST_F(SkipLayerNormErrors, NoY) {
  args.y = nullptr;
  expect(Status::null_data);
}
TEST_F(SkipLayerNormErrors, NoSkip) {
  args.skip = nullptr;
  expect(Status::invalid_skip);
}
TEST_F(SkipLayerNormErrors, SkipWithoutRows) {
  args.skip_rows = 0;
  expect(Status::invalid_skip);
}
TEST_F(SkipLayerNormErrors, Misaligned) {
  args.skip = reinterpret_cast<const char*>(args.skip) + 1;
  expect(Status::misaligned_data);
}
TEST_F(SkipLayerNormErrors, BothOutputsInPlace) {
  args.y = args.sum = const_cast<void*>(args.x);
  expect(Status::overlapping_data);
}
TEST_F(SkipLayerNormErrors, OutputsThatOverlapInputs) {
  const SkipLayerNorm good = args;
  for (const void* output : {good.skip, good.bias, good.gamma, good.beta,
                             static_cast<const void*>(static_cast<const float*>(good.x) + 1)}) {
    args.y = const_cast<void*>(output);
    expect(Status::overlapping_data);
    args = good;
    args.sum = const_cast<void*>(output);
    expect(Status::overlapping_data);
    args = good;
  }
}
TEST_F(SkipLayerNormErrors, OutputsThatOverlapEachOther) {
  args.sum = static_cast<float*>(args.y) + 1;
  expect(Status::overlapping_data);
}
// A sum in place of x would change the skip that other rows are added to.
TEST_F(SkipLayerNormErrors, SumInPlaceOfXThatIsSkip) {
  args.skip = args.x;
  args.skip_rows = 4;
  args.sum = const_cast<void*>(args.x);
  expect(Status::overlapping_data);
}
TEST_F(SkipLayerNormErrors, SmallWorkspace) {
  args.dtype = DType::float16;
  args.workspace_bytes = 4 * 6 * sizeof(float) - 1;
  expect(Status::small_workspace);
  workspace.assign(100, -1);
  args.workspace_bytes = 800;
  args.workspace = nullptr;
  expect(Status::small_workspace);
}

TEST(SkipLayerNorm, WithRmsBetaAndMeanAreNotLookedAt) {
  const SkipCall<float> call = call_of<float>(4, 6, 2, true);
  SkipResult<float> out, other;
  std::vector<double> workspace;
  SkipLayerNorm args = arguments_of(call, out, workspace);
  args.beta = args.mean = out.y.data();
  ASSERT_EQ(skip_layer_norm(args), Status::ok);
  EXPECT_TRUE(same_results(out, compute<simd::Default>(call)));
}

}  // namespace
}  // namespace layernorm::test
