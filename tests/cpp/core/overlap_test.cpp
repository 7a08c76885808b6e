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
  EXPECT_TRUE((Region{memory, 8, 8}.is_aligned()));
  EXPECT_FALSE((Region{memory + 4, 8, 8}.is_aligned()));
  EXPECT_TRUE((Region{memory + 4, 8, 4}.is_aligned()));
  EXPECT_TRUE((Region{nullptr, 8, 8}.is_aligned()));
}

TEST(Overlap, OutputsMayReplaceOnlyTheInputsTheyName) {
  alignas(8) char memory[32] = {};
  const Region first{memory, 8, 4}, second{memory + 8, 8, 2};
  const Region inputs[] = {first, second};
  const auto check = [&](Output output) { return check_regions(inputs, {&output, 1}); };
  EXPECT_EQ(check({{memory + 16, 16}}), Status::ok);
  EXPECT_EQ(check({first}), Status::overlapping_data);
  EXPECT_EQ(check({first, 0b01}), Status::ok);
  EXPECT_EQ(check({first, 0b10}), Status::overlapping_data);
  EXPECT_EQ(check({{memory + 4, 8}, 0b11}), Status::overlapping_data);
  EXPECT_EQ(check({{memory + 18, 4, 4}}), Status::misaligned_data);
  EXPECT_EQ(check({{memory + 18, 4, 2}}), Status::ok);
  const Output twice[] = {{{memory + 16, 8}}, {{memory + 20, 8}}};
  EXPECT_EQ(check_regions(inputs, twice), Status::overlapping_data);
}

}  // namespace
}  // namespace layernorm
