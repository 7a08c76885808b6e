#include "ops/channel_shape.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace layernorm::test {
namespace {

TEST(ChannelShape, GroupsDivideTheChannels) {
  EXPECT_EQ((ChannelShape{2, 3, 6, 4, 3}).check(4), Status::ok);
  EXPECT_EQ((ChannelShape{2, 3, 6, 4, 4}).check(4), Status::invalid_groups);
  EXPECT_EQ((ChannelShape{2, 3, 6, 4, 0}).check(4), Status::invalid_groups);
  EXPECT_EQ((ChannelShape{2, 3, 0, 4, 0}).check(4), Status::ok);
}

TEST(ChannelShape, WhatOverflowsIsFoundBesideAZeroToo) {
  constexpr std::size_t large = SIZE_MAX / 4;
  EXPECT_EQ((ChannelShape{large, 1, 4, 1, 2}).check(4), Status::size_overflow);
  EXPECT_EQ((ChannelShape{0, large, 4, 2, 2}).check(4), Status::size_overflow);
  EXPECT_EQ((ChannelShape{0, 1000, 4, 2, 2}).check(4), Status::ok);
}

TEST(ChannelShape, GroupsLieWhereTheirOffsetSays) {
  const ChannelShape shape{2, 3, 6, 4, 3};
  EXPECT_EQ(shape.per_group(), 2u);
  EXPECT_EQ(shape.group_elements(), 24u);
  EXPECT_EQ(shape.group_offset(1, 2), 72u + 16u);
  const Runs runs = shape.group_runs();
  ASSERT_EQ(runs.count(), 2u);
  EXPECT_EQ(runs[0].size, 3u);
  EXPECT_EQ(runs[0].stride, 24u);
  EXPECT_EQ(runs[1].size, 8u);
  EXPECT_EQ((ChannelShape{2, 3, 6, 4, 1}).group_runs().count(), 1u) << "one group is one piece";
}

}  // namespace
}  // namespace layernorm::test
