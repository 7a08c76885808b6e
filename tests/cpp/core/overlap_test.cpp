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

}  // namespace
}  // namespace layernorm
