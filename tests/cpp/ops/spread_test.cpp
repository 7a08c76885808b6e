#include "ops/spread.h"

#include <gtest/gtest.h>

#include <cmath>

namespace layernorm {
namespace {

using Kind = Spread::Kind;

TEST(Spread, ANumberAloneIsTheEpsilonOfADeviation) {
  const Spread spread = 0.5;
  EXPECT_TRUE(spread.is_about_mean());
  EXPECT_EQ(spread.epsilon, 0.5);
  EXPECT_FALSE(Spread(0.5, Kind::mean_square).is_about_mean());
  EXPECT_FALSE(Spread(0.5, Kind::norm).is_about_mean());
}

TEST(Spread, EpsilonIsAddedToASquareAndIsTheLeastNorm) {
  for (const Kind kind : {Kind::deviation, Kind::mean_square}) {
    const Spread spread(0.25, kind);
    EXPECT_EQ(spread.power(8, 2), 2);
    EXPECT_EQ(spread.square(0.75), 1);
    EXPECT_EQ(spread.rstd(3.75), 0.5);
    EXPECT_EQ(spread.least(), 0.5);
  }
  const Spread norm(0.25, Kind::norm);
  EXPECT_EQ(norm.power(8, 2), 8);
  EXPECT_EQ(norm.square(0.01), 0.0625);
  EXPECT_EQ(norm.square(1), 1);
  EXPECT_EQ(norm.rstd(0.01), 4);
  EXPECT_EQ(norm.rstd(4), 0.5);
  EXPECT_EQ(norm.least(), 0.25);
}

TEST(Spread, NaNStaysNaN) {
  for (const Kind kind : {Kind::deviation, Kind::mean_square, Kind::norm}) {
    EXPECT_TRUE(std::isnan(Spread(1, kind).square(NAN)));
    EXPECT_TRUE(std::isnan(Spread(1, kind).rstd(NAN)));
  }
}

TEST(Spread, ScalesAsTheElementsDo) {
  EXPECT_EQ(Spread(3, Kind::mean_square).scaled(4).epsilon, 48);
  EXPECT_EQ(Spread(3, Kind::norm).scaled(4).epsilon, 12);
  EXPECT_EQ(Spread(3, Kind::norm).scaled(4).kind, Kind::norm);
}

}  // namespace
}  // namespace layernorm
