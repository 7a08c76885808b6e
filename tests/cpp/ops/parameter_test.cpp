#include "ops/parameter.h"

#include <gtest/gtest.h>

#include <cmath>

namespace layernorm {
namespace {

TEST(Parameter, GivenElementsAreWalked) {
  const float given[] = {1, 2, 3};
  const Parameter<float> parameter(given, 7);
  EXPECT_EQ(parameter.data, given);
  EXPECT_EQ(parameter.step, 1);
}

// A whole block can be read of what stands for an absent parameter, wherever in a row the walk is.
TEST(Parameter, AnAbsentOneIsABlockOfTheNeutralElement) {
  const Parameter<double> parameter(nullptr, -0.0);
  EXPECT_EQ(parameter.step, 0);
  for (std::size_t i = 0; i < kBlock; ++i) {
    EXPECT_EQ(parameter.data[i], 0);
    EXPECT_TRUE(std::signbit(parameter.data[i])) << "x + 0 would turn -0 into 0";
  }
}

}  // namespace
}  // namespace layernorm
