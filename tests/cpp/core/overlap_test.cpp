#include "core/overlap.h"

#include <gtest/gtest.h>

namespace layernorm {
namespace {

TEST(Overlap, TouchingRegionsDoNotMeet) {
  char memory[16];
  EXPECT_FALSE(overlap({memory, 8}, {memory + 8, 8}));
  EXPECT_TRUE(overlap({memory, 9}, {memory + 8, 8}));
  EXPECT_TRUE(overlap({memory + 8, 8}, {memory, 9}));
  EXPECT_TRUE(overlap({memory, 16}, {memory + 4, 2}));
}

TEST(Overlap, AbsentAndEmptyRegionsMeetNothing) {
  char memory[16];
  EXPECT_FALSE(overlap({nullptr, 16}, {memory, 16}));
  EXPECT_FALSE(overlap({memory + 4, 0}, {memory, 16}));
}

TEST(Overlap, AlignmentIsThatOfTheAddress) {
  alignas(8) char memory[16];
  EXPECT_TRUE((Region{memory, 8}.is_aligned(8)));
  EXPECT_FALSE((Region{memory + 4, 8}.is_aligned(8)));
  EXPECT_TRUE((Region{nullptr, 8}.is_aligned(8)));
}

TEST(Overlap, OutputsMayReplaceOnlyTheInputsTheyName) {
  alignas(8) char memory[32] = {};
  const Region first{memory, 8}, second{memory + 8, 8};
  const Region inputs[] = {first, second};
  const auto check = [&](Output output) { return check_regions(inputs, {&output, 1}, 4); };
  EXPECT_EQ(check({{memory + 16, 16}}), Status::ok);
  EXPECT_EQ(check({first}), Status::overlapping_data);
  EXPECT_EQ(check({first, 0b01}), Status::ok);
  EXPECT_EQ(check({first, 0b10}), Status::overlapping_data);
  EXPECT_EQ(check({{memory + 4, 8}, 0b11}), Status::overlapping_data);
  EXPECT_EQ(check({{memory + 18, 4}}), Status::misaligned_data);
  const Output twice[] = {{{memory + 16, 8}}, {{memory + 20, 8}}};
  EXPECT_EQ(check_regions(inputs, twice, 4), Status::overlapping_data);
}

}  // namespace
}  // namespace layernorm
