#include "core/layout.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "reference/grouping.h"
#include "support/random.h"

namespace layernorm {
namespace {

Layout collapsed(const std::vector<std::uint32_t>& dims, std::uint32_t axes) {
  Layout layout;
  EXPECT_EQ(collapse_axes(dims, axes, 4, layout), Status::ok);
  return layout;
}

Status status_of(const std::vector<std::uint32_t>& dims, std::uint32_t axes) {
  Layout layout;
  return collapse_axes(dims, axes, 4, layout);
}

TEST(Layout, TrailingAxesAreRows) {
  for (const auto& [dims, axes] :
       std::vector<std::pair<std::vector<std::uint32_t>, std::uint32_t>>{{{32, 768}, 0b10},
                                                                         {{2, 16, 768}, 0b100},
                                                                         {{32, 4, 192}, 0b110},
                                                                         {{32, 768, 1}, 0b010},
                                                                         {{32, 768, 1}, 0b110}}) {
    const Layout layout = collapsed(dims, axes);
    EXPECT_TRUE(layout.is_rows());
    EXPECT_EQ(layout.rows, 32u);
    EXPECT_EQ(layout.cols, 768u);
  }
}

TEST(Layout, AllAxesAreOneRow) {
  const Layout layout = collapsed({2, 3, 4}, 0b111);
  EXPECT_TRUE(layout.is_rows());
  EXPECT_EQ(layout.rows, 1u);
  EXPECT_EQ(layout.cols, 24u);
}

TEST(Layout, ReducedSizesOfOneAreRowsOfOne) {
  const Layout layout = collapsed({5, 1, 3}, 0b010);
  EXPECT_TRUE(layout.is_rows());
  EXPECT_EQ(layout.rows, 15u);
  EXPECT_EQ(layout.cols, 1u);
}

TEST(Layout, MiddleAxisIsColumns) {
  const Layout layout = collapsed({8, 768, 14, 14}, 0b0010);
  EXPECT_FALSE(layout.is_rows());
  EXPECT_EQ(layout.rows, 8u * 196u);
  EXPECT_EQ(layout.kept.count(), 2u);
  EXPECT_EQ(layout.kept.inner().size, 196u);
  EXPECT_EQ(layout.kept.inner().stride, 1u);
  EXPECT_EQ(layout.reduced[0].stride, 196u);
}

TEST(Layout, EmptyDimensionsCountAsProducts) {
  const Layout no_rows = collapsed({0, 7}, 0b10);
  EXPECT_EQ(no_rows.rows, 0u);
  EXPECT_EQ(no_rows.cols, 7u);
  const Layout no_cols = collapsed({7, 0}, 0b10);
  EXPECT_EQ(no_cols.rows, 7u);
  EXPECT_EQ(no_cols.cols, 0u);
}

// The walk over kept and reduced runs must reach each element of the tensor once, at the place that plain
// row-major index arithmetic gives it.
TEST(Layout, WalksVisitWhatIndexArithmeticVisits) {
  test::Random random(1);
  for (int round = 0; round < 300; ++round) {
    const std::size_t rank = 1 + random.below(6);
    std::vector<std::uint32_t> dims(rank);
    for (std::uint32_t& size : dims) size = static_cast<std::uint32_t>(1 + random.below(4));
    const auto axes = static_cast<std::uint32_t>(1 + random.below((1u << rank) - 1));
    const Layout layout = collapsed(dims, axes);

    std::size_t elements = 1;
    for (std::uint32_t size : dims) elements *= size;
    ASSERT_EQ(layout.rows * layout.cols, elements);

    const test::Grouping grouping(dims, axes);
    std::vector<std::size_t> expected(elements);  // [group * cols + place] -> offset
    for (std::size_t at = 0; at < elements; ++at)
      expected[grouping.group[at] * layout.cols + grouping.place[at]] = at;
    Walk kept(layout.kept);
    for (std::size_t k = 0; k < layout.rows; ++k, kept.advance()) {
      Walk reduced(layout.reduced);
      for (std::size_t i = 0; i < layout.cols; ++i, reduced.advance()) {
        ASSERT_EQ(kept.offset() + reduced.offset(), expected[k * layout.cols + i]);
      }
    }
  }
}

// Whatever the amounts, pieces lead through the offsets of a walk.
TEST(Layout, PiecesLeadThroughAGroupInOrder) {
  const Layout layout = collapsed({3, 2, 4, 2, 5}, 0b10101);
  for (const std::size_t amount : {1, 2, 3, 5, 7, 60}) {
    Pieces pieces(layout.reduced);
    Walk walk(layout.reduced);
    for (std::size_t left = layout.cols; left > 0;) {
      const std::size_t n = left < amount ? left : amount;
      std::size_t visited = 0;
      pieces.next(n, [&](std::size_t offset, std::size_t stride, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i, walk.advance()) {
          ASSERT_EQ(offset + i * stride, walk.offset());
        }
        visited += count;
      });
      ASSERT_EQ(visited, n);
      left -= n;
    }
  }
}

TEST(Layout, RefusesRanksAndAxesOutOfRange) {
  EXPECT_EQ(status_of({}, 1), Status::invalid_rank);
  EXPECT_EQ(status_of(std::vector<std::uint32_t>(33, 1), 1), Status::invalid_rank);
  EXPECT_EQ(status_of(std::vector<std::uint32_t>(32, 1), 0x80000000u), Status::ok);
  EXPECT_EQ(status_of({2, 3}, 0), Status::invalid_axes);
  EXPECT_EQ(status_of({2, 3}, 0b100), Status::invalid_axes);
}

TEST(Layout, ThirtyTwoAlternatingDimensionsFit) {
  std::vector<std::uint32_t> dims(32, 1);
  for (std::size_t n = 0; n < 16; ++n) dims[n] = 2;
  const Layout layout = collapsed(dims, 0x55555555u);
  EXPECT_EQ(layout.rows, 256u);
  EXPECT_EQ(layout.cols, 256u);
  EXPECT_EQ(layout.kept.count(), 8u);
}

TEST(Layout, RefusesSizesThatOverflow) {
  constexpr std::uint32_t big = 0xffffffffu;
  EXPECT_EQ(status_of({big, big, big}, 0b100), Status::size_overflow);
  EXPECT_EQ(status_of({0x80000000u, 0x80000000u, 2}, 0b001), Status::size_overflow);
  EXPECT_EQ(status_of({big, big, 0, big}, 0b0100), Status::size_overflow)
      << "the kept product alone overflows";
}

}  // namespace
}  // namespace layernorm
