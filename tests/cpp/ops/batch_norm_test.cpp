#include "ops/batch_norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "support/channel_call.h"

namespace layernorm::test {
namespace {

template <class S>
class BatchNormTest : public ::testing::Test {};
TYPED_TEST_SUITE(BatchNormTest, SimdTypes);

constexpr double kExtra = 1e-7;  // what Keras adds to a masked count

template <class T, class P = T>
struct Batch {
  std::size_t outer, channels, inner;
  std::vector<T> x;
  std::vector<P> gamma = {}, beta = {};
  std::vector<std::uint8_t> mask = {};
  DType dtype = dtype_of<T>;
  double epsilon = 1e-3;

  ChannelShape shape() const { return {1, outer, channels, inner, channels}; }
  std::size_t run() const { return inner == 1 ? channels : inner % 5 == 0 ? 5 : inner; }
  std::vector<bool> counts() const {
    std::vector<bool> all(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) all[i] = mask.empty() || mask[i / run()] != 0;
    return all;
  }
  std::vector<double> workspace() const {
    return std::vector<double>(batch_norm_workspace(dtype, outer, channels, inner) / sizeof(double) + 1);
  }
  template <class Args>
  Args arguments(std::vector<double>& room) const {
    Args args;
    args.dtype = dtype;
    args.outer = outer;
    args.channels = channels;
    args.inner = inner;
    args.x = x.data();
    args.gamma = data_or_null(gamma);
    args.workspace = room.data();
    args.workspace_bytes = room.size() * sizeof(double);
    return args;
  }
};

template <class T, class P = T>
struct Output4 {
  std::vector<T> y;
  std::vector<P> mean, variance, rstd;
};

template <class S, class T, class P>
Output4<T, P> forward(const Batch<T, P>& batch) {
  std::vector<double> room = batch.workspace();
  Output4<T, P> out{std::vector<T>(batch.x.size()), std::vector<P>(batch.channels),
                    std::vector<P>(batch.channels), std::vector<P>(batch.channels)};
  auto args = batch.template arguments<BatchNormForward>(room);
  args.epsilon = batch.epsilon;
  args.beta = data_or_null(batch.beta);
  args.mask = batch.mask.empty() ? nullptr : batch.mask.data();
  args.mask_run = batch.run();
  args.y = out.y.data();
  args.mean = out.mean.data();
  args.variance = out.variance.data();
  args.rstd = out.rstd.data();
  EXPECT_EQ(batch_norm_forward_on<S>(args), Status::ok);
  return out;
}

template <class S, class T, class P>
std::vector<T> inference(const Batch<T, P>& batch, const std::vector<P>& mean, const std::vector<P>& variance,
                         std::vector<P>& rstd) {
  std::vector<double> room = batch.workspace();
  std::vector<T> y(batch.x.size());
  rstd.resize(batch.channels);
  auto args = batch.template arguments<BatchNormInference>(room);
  args.epsilon = batch.epsilon;
  args.beta = data_or_null(batch.beta);
  args.mean = mean.data();
  args.variance = variance.data();
  args.y = y.data();
  args.rstd = rstd.data();
  EXPECT_EQ(batch_norm_inference_on<S>(args), Status::ok);
  return y;
}

template <class S, class T, class P>
ChannelGradientsOf<T, P> backward(const Batch<T, P>& batch, const std::vector<T>& dy,
                                  const std::vector<P>& mean, const std::vector<P>& rstd, bool training) {
  std::vector<double> room = batch.workspace();
  ChannelGradientsOf<T, P> out{std::vector<T>(batch.x.size()), std::vector<P>(batch.channels),
                               std::vector<P>(batch.channels)};
  auto args = batch.template arguments<BatchNormBackward>(room);
  args.training = training;
  args.dy = dy.data();
  args.mean = mean.data();
  args.rstd = rstd.data();
  args.mask = batch.mask.empty() ? nullptr : batch.mask.data();
  args.mask_run = batch.run();
  args.dx = out.dx.data();
  args.dgamma = out.dgamma.data();
  args.dbeta = out.dbeta.data();
  EXPECT_EQ(batch_norm_backward_on<S>(args), Status::ok);
  return out;
}

template <class T>
std::vector<Batch<T>> batches(bool masked) {
  std::vector<Batch<T>> all;
  for (const auto& [outer, channels, inner] : {std::tuple<std::size_t, std::size_t, std::size_t>{33, 7, 1},
                                               {100, 300, 1},
                                               {6, 5, 20},
                                               {3, 2, 64},
                                               {1, 1, 9}}) {
    Batch<T> batch{outer, channels, inner, normal_numbers<T>(outer * channels * inner, outer, 2)};
    batch.gamma = normal_numbers<T>(channels, 3, 1);
    batch.beta = normal_numbers<T>(channels, 4);
    Random random(outer);
    if (masked) batch.mask.resize(batch.x.size() / batch.run());
    for (auto& byte : batch.mask) byte = random.below(3) != 0;
    all.push_back(batch);
  }
  return all;
}

template <class T>
double relative(const std::vector<T>& actual, const std::vector<Wider<T>>& expected) {
  Wider<T> size = 1, worst = 0;
  for (const auto value : expected) size = std::fmax(size, std::fabs(value));
  for (std::size_t i = 0; i < actual.size(); ++i) {
    worst = std::fmax(worst, std::fabs(static_cast<Wider<T>>(actual[i]) - expected[i]) / size);
  }
  return static_cast<double>(worst);
}

template <class S, class T>
void expect_reference(double bound, double tolerance) {
  for (const bool masked : {false, true}) {
    for (const Batch<T>& batch : batches<T>(masked)) {
      const std::vector<bool> counts = masked ? batch.counts() : std::vector<bool>{};
      const double extra = masked ? kExtra : 0;
      const auto expected = channel_norm_reference<Wider<T>>(batch.x, batch.shape(), batch.epsilon,
                                                             batch.gamma, batch.beta, counts, extra);
      const auto result = forward<S>(batch);
      // |gamma| up to 5; the mean of masked elements has one term, which is half an ulp of that mean.
      EXPECT_LE(worst_error(result.y, expected.y), (masked ? 4 : 2) * bound) << "masked " << masked;
      EXPECT_LE(worst_error(result.mean, expected.mean), 2);
      EXPECT_LE(worst_error(result.variance, expected.variance), bound);
      EXPECT_LE(worst_error(result.rstd, expected.rstd), 2);

      const std::vector<T> dy = normal_numbers<T>(batch.x.size(), 5);
      for (const bool training : {true, false}) {
        const auto gradients = backward<S>(batch, dy, result.mean, result.rstd, training);
        const auto right = channel_norm_backward_reference<Wider<T>>(
            dy, batch.x, batch.shape(), result.mean, result.rstd, batch.gamma, training, counts, extra);
        EXPECT_LE(relative(gradients.dx, right.dx), tolerance) << "masked " << masked;
        EXPECT_LE(relative(gradients.dgamma, right.dgamma), tolerance);
        EXPECT_LE(relative(gradients.dbeta, right.dbeta), tolerance);
      }
    }
  }
}
TYPED_TEST(BatchNormTest, ForwardAndBackwardMatchTheReference) {
  expect_reference<TypeParam, float>(3, 1e-6);
  expect_reference<TypeParam, double>(4, 3e-15);
}

TYPED_TEST(BatchNormTest, InferenceTakesTheStatisticsThatItIsGiven) {
  for (Batch<float>& batch : batches<float>(false)) {
    const std::vector<float> mean = normal_numbers<float>(batch.channels, 6, 5);
    std::vector<float> variance = normal_numbers<float>(batch.channels, 7), rstd;
    for (float& value : variance) value *= value;
    const std::vector<float> y = inference<TypeParam>(batch, mean, variance, rstd);
    for (std::size_t at = 0; at < y.size(); ++at) {
      const std::size_t c = ChannelPlace(batch.shape(), at).channel;
      const double exact = 1 / std::sqrt(static_cast<double>(variance[c]) + batch.epsilon);
      const double scaled = (static_cast<double>(batch.x[at]) - mean[c]) * exact * batch.gamma[c];
      ASSERT_LE(ulp_error(y[at], scaled + batch.beta[c]), 3 + std::fabs(scaled)) << at;
      ASSERT_EQ(rstd[c], static_cast<float>(exact));
    }
    // In place, and as 16-bit.
    std::vector<double> room = batch.workspace();
    auto args = batch.template arguments<BatchNormInference>(room);
    args.beta = batch.beta.data();
    args.mean = mean.data();
    args.variance = variance.data();
    args.y = batch.x.data();
    ASSERT_EQ(batch_norm_inference_on<TypeParam>(args), Status::ok);
    EXPECT_TRUE(same_bits(batch.x, y));
  }
}

TYPED_TEST(BatchNormTest, SixteenBitsAreFloat32RoundedOnce) {
  for (const DType dtype : {DType::float16, DType::bfloat16}) {
    for (const bool masked : {false, true}) {
      for (Batch<float>& wide : batches<float>(masked)) {
        const Bits x = narrowed<TypeParam>(dtype, wide.x);
        wide.x = widened<TypeParam>(dtype, x);
        const Batch<std::uint16_t, float> batch{wide.outer, wide.channels, wide.inner, x,   wide.gamma,
                                                wide.beta,  wide.mask,     dtype,      1e-3};
        const auto result = forward<TypeParam>(batch);
        const auto expected = forward<TypeParam>(wide);
        EXPECT_EQ(result.y, narrowed<TypeParam>(dtype, expected.y)) << "masked " << masked;
        EXPECT_TRUE(same_bits(result.variance, expected.variance));
        std::vector<float> rstd, wide_rstd;
        EXPECT_EQ(
            inference<TypeParam>(batch, result.mean, result.variance, rstd),
            narrowed<TypeParam>(dtype, inference<TypeParam>(wide, result.mean, result.variance, wide_rstd)));
      }
    }
  }
}

TYPED_TEST(BatchNormTest, keras_19848_AMaskThatKeepsNothingGivesZeros) {
  Batch<float> batch{4, 5, 1, normal_numbers<float>(20, 8)};
  batch.mask.assign(4, 0);
  const auto result = forward<TypeParam>(batch);
  for (const float mean : result.mean) EXPECT_EQ(mean, 0);
  for (const float variance : result.variance) EXPECT_EQ(variance, 0);
}

// Keras' "ignore masked values": rows [1, 5] and [2, 5], and padding that does not count.
TYPED_TEST(BatchNormTest, MaskedRowsDoNotCount) {
  Batch<float> batch{4, 2, 1, {1, 5, 2, 5, 100, 100, -100, NAN}};
  batch.mask = {1, 1, 0, 0};
  const auto result = forward<TypeParam>(batch);
  EXPECT_NEAR(result.mean[0], 1.5, 1e-6);
  EXPECT_NEAR(result.mean[1], 5, 1e-6);
  EXPECT_NEAR(result.variance[0], .25, 1e-6);
  EXPECT_NEAR(result.variance[1], 0, 1e-6);
}

// The gradient of constants does not read x, where it may be infinite.
TYPED_TEST(BatchNormTest, InferenceGradientIsFreeOfX) {
  for (const auto& [outer, inner] : {std::pair<std::size_t, std::size_t>{6, 1}, {6, 8}, {1, 1}, {1, 8}}) {
    Batch<float> batch{outer, 3, inner, std::vector<float>(outer * 3 * inner, INFINITY)};
    const std::vector<float> dy = normal_numbers<float>(batch.x.size(), 9), mean(3), rstd = {1, 2, 3};
    const auto result = backward<TypeParam>(batch, dy, mean, rstd, false);
    for (std::size_t at = 0; at < dy.size(); ++at) {
      EXPECT_EQ(result.dx[at], dy[at] * rstd[ChannelPlace(batch.shape(), at).channel]);
    }
  }
}

TYPED_TEST(BatchNormTest, MaskedAndGivenStatisticsMayBeAsLargeOrSmallAsFloatsAre) {
  for (const float size : {3.4e38f, 1e30f, 1e-30f, 1e-40f}) {
    Batch<float> batch{4, 1, 1, {size, -size, -size, -size}};
    batch.epsilon = 0;
    batch.mask.assign(4, 1);
    const std::vector<float> y = forward<TypeParam>(batch).y;
    EXPECT_NEAR(y[0], std::sqrt(3.0), 2e-6) << size;
    EXPECT_NEAR(y[1], -1 / std::sqrt(3.0), 1e-6) << size;
  }
  Batch<float> constant{2, 1, 1, {2, 2}};
  constant.epsilon = 1e-80;
  std::vector<float> rstd;
  for (const float y : inference<TypeParam>(constant, {2.0f}, {0.0f}, rstd)) EXPECT_EQ(y, 0);
}

TEST(BatchNorm, StatisticsAloneNeedNoY) {
  const Batch<float> batch = batches<float>(false)[1];
  std::vector<double> room = batch.workspace();
  std::vector<float> mean(batch.channels);
  auto args = batch.arguments<BatchNormForward>(room);
  args.mean = mean.data();
  ASSERT_EQ(batch_norm_forward(args), Status::ok);
  EXPECT_TRUE(same_bits(mean, forward<simd::Default>(batch).mean));
}

TEST(BatchNorm, RefusesWhatIsWrongBeforeItWrites) {
  const Batch<float> batch{6, 5, 20, normal_numbers<float>(600, 1)};
  std::vector<float> y(600, 7), mean(5, 7), variance(5, 7);
  std::vector<std::uint8_t> mask(600, 1);
  const auto call = [&](auto change) {
    std::vector<double> room = batch.workspace();
    auto args = batch.arguments<BatchNormForward>(room);
    args.y = y.data();
    args.mean = mean.data();
    args.variance = variance.data();
    change(args);
    return batch_norm_forward(args);
  };
  EXPECT_EQ(call([](auto& args) { args.dtype = DType{9}; }), Status::unknown_dtype);
  EXPECT_EQ(call([](auto& args) { args.outer = SIZE_MAX / 8; }), Status::size_overflow);
  EXPECT_EQ(call([](auto& args) { args.epsilon = INFINITY; }), Status::invalid_epsilon);
  EXPECT_EQ(call([&](auto& args) {
              args.mask = mask.data();
              args.mask_run = 3;
            }),
            Status::invalid_mask);
  EXPECT_EQ(call([&](auto& args) { args.mask = mask.data(); }), Status::invalid_mask);
  EXPECT_EQ(call([&](auto& args) {
              args.mask = mask.data();
              args.inner = 1;
              args.outer = 120;
              args.mask_run = 20;
            }),
            Status::invalid_mask);
  EXPECT_EQ(call([](auto& args) { args.x = nullptr; }), Status::null_data);
  EXPECT_EQ(call([](auto& args) { args.workspace = nullptr; }), Status::small_workspace);
  EXPECT_EQ(call([](auto& args) { args.workspace_bytes = 100; }), Status::small_workspace);
  EXPECT_EQ(call([&](auto& args) { args.variance = mean.data(); }), Status::overlapping_data);
  EXPECT_EQ(call([&](auto& args) { args.gamma = mean.data(); }), Status::overlapping_data);
  for (const float value : y) EXPECT_EQ(value, 7);
  for (const float value : mean) EXPECT_EQ(value, 7);
  EXPECT_EQ(call([](auto&) {}), Status::ok);
  EXPECT_EQ(batch_norm_workspace(DType::float32, SIZE_MAX, 2, 2), SIZE_MAX);
}

TEST(BatchNorm, InferenceAndGradientNeedStatistics) {
  const Batch<float> batch{6, 5, 1, normal_numbers<float>(30, 1)};
  std::vector<double> room = batch.workspace();
  std::vector<float> y(30, 7), five(5, 1);
  auto inference_args = batch.arguments<BatchNormInference>(room);
  inference_args.y = y.data();
  inference_args.mean = five.data();
  EXPECT_EQ(batch_norm_inference(inference_args), Status::null_data);
  auto backward_args = batch.arguments<BatchNormBackward>(room);
  backward_args.dy = batch.x.data();
  backward_args.dx = y.data();
  backward_args.rstd = five.data();
  EXPECT_EQ(batch_norm_backward(backward_args), Status::null_data);
  for (const float value : y) EXPECT_EQ(value, 7);
}

}  // namespace
}  // namespace layernorm::test
