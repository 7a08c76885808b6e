#include "parallel/partition.h"

#include <gtest/gtest.h>

namespace layernorm {
namespace {

TEST(Partition, CoversAllItemsOnce) {
  for (const std::size_t items : {0u, 1u, 2u, 3u, 63u, 64u, 1000u, 4096u, 4097u, 100000u}) {
    for (const std::size_t elements : {0u, 1u, 7u, 1023u, 1024u, 1025u, 5000000u}) {
      const Partition p = Partition::of(items, elements);
      EXPECT_EQ(p.first_item(0), 0u);
      EXPECT_EQ(p.first_item(p.blocks()), items);
      for (std::size_t n = 0; n < p.blocks(); ++n) EXPECT_LT(p.first_item(n), p.first_item(n + 1));
    }
  }
}

TEST(Partition, BlocksAreWorthClaimingAndFewEnough) {
  for (const std::size_t items : {2u, 5000u, 1000000u}) {
    for (const std::size_t elements : {1u, 100u, 768u, 4096u}) {
      const Partition p = Partition::of(items, elements);
      EXPECT_LE(p.blocks(), kMaxBlocks);
      EXPECT_GE(p.block_elements(), kLeastBlockElements);
    }
  }
}

TEST(Partition, CutsRowsAsDocumented) {
  EXPECT_EQ(Partition::of(8, 256).blocks(), 1u);
  EXPECT_EQ(Partition::of(32, 256).blocks(), 2u);
  EXPECT_EQ(Partition::of(512, 1024).blocks(), 128u);
  EXPECT_EQ(Partition::of(8192, 1024).block_elements(), kLargeBlockElements);
  EXPECT_EQ(Partition::of(3, 100000).blocks(), 3u);
  EXPECT_EQ(Partition::of(1u << 20, 1024).blocks(), kMaxBlocks);
}

}  // namespace
}  // namespace layernorm
