// What is RMS normalization's own; what it shares with unit normalization is in normalize_test.cpp and normalize_backward_test.cpp.
#include "ops/rms_norm.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/about_zero.h"

namespace layernorm::test {
namespace {

template <class S>
class RmsNormTest : public ::testing::Test {};
TYPED_TEST_SUITE(RmsNormTest, SimdTypes);

using Operation = RmsNormOperation;

// The squares, and their sum, are beyond float16; other implementations kept them in it.
TYPED_TEST(RmsNormTest, onnxruntime_29045_squares_beyond_float16) {
  for (const float size : {180.0f, 500.0f, 30000.0f, 65504.0f}) {
    ZeroCall<std::uint16_t> call{DType::float16, {2, 2048}, 2, Operation::kEpsilon};
    std::vector<float> x(2 * 2048);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = i % 2 == 0 ? size : -size;
    call.x = call.dy = narrowed<TypeParam>(call.dtype, x);
    const std::vector<std::uint16_t> y = compute<Operation, TypeParam>(call).y;
    for (std::size_t i = 0; i < y.size(); ++i) ASSERT_EQ(y[i], i % 2 == 0 ? 0x3c00 : 0xbc00) << size;
  }
}

// An epsilon of the 16-bit type, 0.0078, instead of float32's made constants wrong by 1.7 where they are as small as its root.
TYPED_TEST(RmsNormTest, pytorch_189581_bfloat16_constants) {
  ZeroCall<std::uint16_t> call{DType::bfloat16, {1, 64}, 2, 0x1p-23};
  call.x = call.dy = narrowed<TypeParam>(call.dtype, std::vector<float>(64, 0.0625f));
  for (const std::uint16_t y : compute<Operation, TypeParam>(call).y) EXPECT_EQ(y, 0x3f80);
}

// With rms_scaling layer normalization divides by the deviation from the mean; this is about zero.
TEST(RmsNorm, ConstantRowsGiveTheirSign) {
  ZeroCall<float> call = zero_call<Operation, float>({1, 100}, 2, false);
  call.x.assign(100, -3);
  for (const float y : compute<Operation, simd::Default>(call).y) EXPECT_NEAR(y, -1, 2e-7);
}

TEST(RmsNorm, AnySubsetOfGradientsGivesTheSameBits) {
  const ZeroCall<float> call = zero_call<Operation, float>({130, 65}, 2);
  const ZeroResult<float> all = compute<Operation, simd::Default>(call);
  for (int wanted = 0; wanted < 4; ++wanted) {
    ZeroResult<float> out = all;
    std::vector<double> workspace;
    RmsNormBackward args = backward_arguments<Operation>(call, out, workspace);
    out.dx.assign(out.dx.size(), 0);
    out.dgamma.assign(out.dgamma.size(), 0);
    if (!(wanted & 1)) args.dx = nullptr;
    if (!(wanted & 2)) args.dgamma = nullptr;
    ASSERT_EQ(rms_norm_backward(args), Status::ok);
    EXPECT_TRUE(!(wanted & 1) || same_bits(out.dx, all.dx));
    EXPECT_TRUE(!(wanted & 2) || same_bits(out.dgamma, all.dgamma));
  }
}

TEST(RmsNorm, NoGroupsGiveAZeroGradientOfGamma) {
  const ZeroCall<float> call = zero_call<Operation, float>({0, 5}, 2);
  ZeroResult<float> out;
  std::vector<double> workspace;
  const RmsNormBackward args = backward_arguments<Operation>(call, out, workspace);
  out.dgamma.assign(5, 9);
  ASSERT_EQ(rms_norm_backward(args), Status::ok);
  for (const float value : out.dgamma) EXPECT_EQ(value, 0);
}

TEST(RmsNorm, GammaMayNotOverlapY) {
  const ZeroCall<float> call = zero_call<Operation, float>({3, 4}, 2);
  ZeroResult<float> out;
  std::vector<double> workspace;
  RmsNormForward args = forward_arguments<Operation>(call, out, workspace);
  args.gamma = &out.y[4];
  EXPECT_EQ(rms_norm_forward(args), Status::overlapping_data);
}

}  // namespace
}  // namespace layernorm::test
