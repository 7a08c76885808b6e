#include "ops/group_norm.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/channel_call.h"

namespace layernorm::test {
namespace {

// Keras' own numbers (keras/src/layers/normalization/group_normalization_test.py).
TEST(GroupNorm, GivesWhatKerasGives) {
  const std::vector<float> x = {-1, -1, 1, 1, 2, 2, 0, -2};
  const auto one = group_forward<simd::Default>(ChannelCall<float>{{1, 1, 8, 1, 1}, x});
  const float of_one[] = {-.897795f, -.897795f, .538677f,  .538677f,
                          1.256913f, 1.256913f, -.179559f, -1.616031f};
  const auto two = group_forward<simd::Default>(ChannelCall<float>{{1, 1, 8, 1, 2}, x});
  const float of_two[] = {-.9995f, -.9995f, .9995f, .9995f, .90437f, .90437f, -.301457f, -1.507283f};
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_NEAR(one.y[i], of_one[i], 2e-6);
    EXPECT_NEAR(two.y[i], of_two[i], 2e-6);
  }
}

TEST(GroupNorm, RefusesWhatIsWrongBeforeItWrites) {
  std::vector<float> x = normal_numbers<float>(48, 1), y(48, 7), mean(4, 7), rstd(4, 7);
  const auto call = [&](auto change) {
    GroupNormForward args;
    args.shape = {2, 3, 4, 2, 2};
    args.x = x.data();
    args.y = y.data();
    args.mean = mean.data();
    args.rstd = rstd.data();
    change(args);
    return group_norm_forward(args);
  };
  EXPECT_EQ(call([](auto& args) { args.dtype = DType{9}; }), Status::unknown_dtype);
  EXPECT_EQ(call([](auto& args) { args.shape.groups = 3; }), Status::invalid_groups);
  EXPECT_EQ(call([](auto& args) { args.shape.batch = SIZE_MAX / 8; }), Status::size_overflow);
  EXPECT_EQ(call([](auto& args) { args.epsilon = -1; }), Status::invalid_epsilon);
  EXPECT_EQ(call([](auto& args) { args.epsilon = NAN; }), Status::invalid_epsilon);
  EXPECT_EQ(call([](auto& args) { args.x = nullptr; }), Status::null_data);
  EXPECT_EQ(call([&](auto& args) { args.y = x.data() + 1; }), Status::overlapping_data);
  EXPECT_EQ(call([&](auto& args) { args.mean = y.data(); }), Status::overlapping_data);
  EXPECT_EQ(call([&](auto& args) { args.gamma = reinterpret_cast<char*>(x.data()) + 1; }),
            Status::misaligned_data);
  for (const float value : y) EXPECT_EQ(value, 7);
  for (const float value : mean) EXPECT_EQ(value, 7);
  EXPECT_EQ(call([](auto&) {}), Status::ok);
}

TEST(GroupNorm, TheGradientRefusesWhatIsWrongBeforeItWrites) {
  const ChannelShape shape{2, 3, 4, 2, 2};
  std::vector<float> x = normal_numbers<float>(48, 1), dx(48, 7), mean(4), rstd(4, 1), dgamma(4, 7),
                     dbeta(4, 7);
  std::vector<double> workspace(group_norm_backward_workspace(DType::float32, shape) / 8 + 1);
  const auto call = [&](auto change) {
    GroupNormBackward args;
    args.shape = shape;
    args.dy = args.x = x.data();
    args.mean = mean.data();
    args.rstd = rstd.data();
    args.dx = dx.data();
    args.dgamma = dgamma.data();
    args.dbeta = dbeta.data();
    args.workspace = workspace.data();
    args.workspace_bytes = workspace.size() * sizeof(double);
    change(args);
    return group_norm_backward(args);
  };
  EXPECT_EQ(call([](auto& args) { args.dtype = DType{9}; }), Status::unknown_dtype);
  EXPECT_EQ(call([](auto& args) { args.shape.groups = 0; }), Status::invalid_groups);
  EXPECT_EQ(call([](auto& args) { args.rstd = nullptr; }), Status::null_data);
  EXPECT_EQ(call([](auto& args) { args.workspace = nullptr; }), Status::small_workspace);
  EXPECT_EQ(call([](auto& args) { args.workspace_bytes = 8; }), Status::small_workspace);
  EXPECT_EQ(call([&](auto& args) { args.dx = x.data() + 1; }), Status::overlapping_data);
  EXPECT_EQ(call([&](auto& args) { args.dbeta = dgamma.data(); }), Status::overlapping_data);
  for (const float value : dx) EXPECT_EQ(value, 7);
  for (const float value : dgamma) EXPECT_EQ(value, 7);
  EXPECT_EQ(call([](auto&) {}), Status::ok);
}

// Bitwise: samples in several calls give what one call gives.
TEST(GroupNorm, TheGradientMayComeInParts) {
  for (const ChannelShape& shape : {ChannelShape{7, 1, 6, 20, 3}, {7, 5, 6, 1, 2}, {7, 1, 6, 1, 1}}) {
    ChannelCall<float> call{shape, normal_numbers<float>(shape.elements(), 2)};
    call.gamma = normal_numbers<float>(shape.channels, 3, 1);
    const std::vector<float> dy = normal_numbers<float>(shape.elements(), 4);
    const auto saved = group_forward<simd::Default>(call);
    const auto whole = group_backward<simd::Default>(call, dy, saved.mean, saved.rstd);
    std::vector<float> dx(shape.elements()), dgamma(shape.channels), dbeta(shape.channels);
    std::vector<double> workspace(group_norm_backward_workspace(DType::float32, shape) / 8 + 1);
    for (std::size_t first = 0; first < 7; first += 3) {
      const std::size_t samples = first + 3 < 7 ? 3 : 7 - first, at = first * shape.sample_stride();
      GroupNormBackward args;
      args.shape = shape;
      args.shape.batch = samples;
      args.first = first == 0;
      args.last = first + samples == 7;
      args.dy = dy.data() + at;
      args.x = call.x.data() + at;
      args.mean = saved.mean.data() + first * shape.groups;
      args.rstd = saved.rstd.data() + first * shape.groups;
      args.gamma = call.gamma.data();
      args.dx = dx.data() + at;
      args.dgamma = dgamma.data();
      args.dbeta = dbeta.data();
      args.workspace = workspace.data();
      args.workspace_bytes = workspace.size() * sizeof(double);
      ASSERT_EQ(group_norm_backward(args), Status::ok);
    }
    EXPECT_TRUE(same_bits(dx, whole.dx));
    EXPECT_TRUE(same_bits(dgamma, whole.dgamma));
    EXPECT_TRUE(same_bits(dbeta, whole.dbeta));
  }
}

// What is not wanted is not written, and changes nothing else; dx may take the place of dy and of x.
TEST(GroupNorm, GradientsMayBeLeftOutAndInPlace) {
  for (const ChannelShape& shape : {ChannelShape{3, 1, 6, 20, 3}, {3, 20, 6, 1, 2}}) {
    const ChannelCall<float> call{shape, normal_numbers<float>(shape.elements(), 5)};
    const std::vector<float> dy = normal_numbers<float>(shape.elements(), 6);
    const auto saved = group_forward<simd::Default>(call);
    const auto whole = group_backward<simd::Default>(call, dy, saved.mean, saved.rstd);
    std::vector<double> workspace(group_norm_backward_workspace(DType::float32, shape) / 8 + 1);
    for (const int place : {0, 1}) {
      std::vector<float> dys = dy, xs = call.x, dgamma(shape.channels);
      GroupNormBackward args;
      args.shape = shape;
      args.dy = dys.data();
      args.x = xs.data();
      args.mean = saved.mean.data();
      args.rstd = saved.rstd.data();
      args.dx = place == 0 ? dys.data() : xs.data();
      args.dgamma = dgamma.data();
      args.workspace = workspace.data();
      args.workspace_bytes = workspace.size() * sizeof(double);
      ASSERT_EQ(group_norm_backward(args), Status::ok);
      EXPECT_TRUE(same_bits(place == 0 ? dys : xs, whole.dx));
      EXPECT_TRUE(same_bits(dgamma, whole.dgamma));
    }
  }
}

}  // namespace
}  // namespace layernorm::test
