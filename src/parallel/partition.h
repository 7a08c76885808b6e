// How an operation is cut into blocks that can be worked on in any order, by any thread.
//
// The cut depends on the shape only, never on the number of threads: with kernels whose results do not depend on
// where a range of blocks begins and ends, every number of threads gives the same bits.
#pragma once

#include <cstddef>

namespace layernorm {

// What one block has at least, as far as there is that much: 1.2 us of work, which pays for claiming it.
inline constexpr std::size_t kLeastBlockElements = 4096;

// Blocks that are enough for threads to end together; more cost 10 ns each. Of very large operations there are more,
// since a block that is overwritten has to be copied (thread_pool.h) and is then no larger than this.
inline constexpr std::size_t kEnoughBlocks = 128;
inline constexpr std::size_t kLargeBlockElements = 16 * 1024;

// The pool keeps one byte for each.
inline constexpr std::size_t kMaxBlocks = 4096;

// `items` items (rows; chunks of columns) of `item_elements` elements each, `block_items` of them a block, in
// the last block those that are left.
struct Partition {
  std::size_t items = 0;
  std::size_t item_elements = 0;
  std::size_t block_items = 1;

  static constexpr Partition of(std::size_t items, std::size_t item_elements) {
    const auto quotient_up = [](std::size_t a, std::size_t b) { return a / b + (a % b != 0); };
    const auto least = [](std::size_t a, std::size_t b) { return a < b ? a : b; };
    const auto most = [](std::size_t a, std::size_t b) { return a < b ? b : a; };
    const std::size_t elements = most(item_elements, 1);
    const std::size_t small = quotient_up(kLeastBlockElements, elements);
    const std::size_t large = most(kLargeBlockElements / elements, 1);
    const std::size_t enough = least(quotient_up(items, kEnoughBlocks), large);
    return {items, item_elements, most(most(small, enough), quotient_up(items, kMaxBlocks))};
  }

  constexpr std::size_t blocks() const { return items / block_items + (items % block_items != 0); }
  constexpr std::size_t block_elements() const { return block_items * item_elements; }
  // The first item of a block; of the block after the last, the number of items.
  constexpr std::size_t first_item(std::size_t block) const {
    return block < blocks() ? block * block_items : items;
  }
};

}  // namespace layernorm
