#include "ops/tiles.h"

#include <gtest/gtest.h>

#include <vector>

#include "simd/build.h"

namespace layernorm {
namespace {

struct Shape {
  std::vector<std::uint32_t> dims;
  std::uint32_t axes;
};

// Of each form: rows, neighbouring groups, groups in pieces; larger and smaller than a tile.
const std::vector<Shape>& shapes() {
  static const std::vector<Shape> all = {
      {{1, 1}, 2},           {{5, 1}, 2},         {{3, 7}, 2},          {{100, 768}, 2},
      {{20000, 1}, 2},       {{2, 20000}, 2},     {{7, 3}, 1},          {{300, 70}, 1},
      {{9, 20000}, 1},       {{3, 768, 196}, 2},  {{1000, 33}, 1},      {{2, 3, 4, 5}, 10},
      {{6, 40, 50, 64}, 10}, {{4, 50, 3, 70}, 5}, {{30, 9, 30, 10}, 5}, {{20, 30, 1, 40}, 9},
  };
  return all;
}

Layout layout_of(const Shape& shape) {
  Layout layout;
  EXPECT_EQ(collapse_axes(shape.dims, shape.axes, 2, layout), Status::ok);
  return layout;
}

TEST(Tiles, HaveEveryGroupOnceAndInOrder) {
  for (const Shape& shape : shapes()) {
    const Layout layout = layout_of(shape);
    const Tiles tiles(layout);
    std::size_t groups = 0;
    for (std::size_t n = 0; n < tiles.count(); ++n) {
      const Tile tile = tiles[n];
      EXPECT_EQ(tile.first, groups);
      EXPECT_EQ(tile.groups * layout.cols, std::size_t{tile.dims[0]} * tile.dims[1]);
      EXPECT_EQ(tile.dims[tile.axes - 1], layout.cols);
      EXPECT_LE(tile.groups * layout.cols * sizeof(float), tiles.bytes());
      groups += tile.groups;
    }
    EXPECT_EQ(groups, layout.rows);
  }
}

TEST(Tiles, AreSmallUnlessAFewGroupsAreNot) {
  for (const Shape& shape : shapes()) {
    const Layout layout = layout_of(shape);
    const std::size_t least =
        layout.cols * kTileWidth < kTileElements ? kTileElements : layout.cols * kTileWidth;
    EXPECT_LE(Tiles(layout).bytes(), least * sizeof(float));
  }
}

// The elements come group after group, those of a group in the order of the reduced dimensions, and go back where they
// were.
TEST(Tiles, TakeTheElementsOfTheirGroups) {
  for (const Shape& shape : shapes()) {
    const Layout layout = layout_of(shape);
    const Tiles tiles(layout);
    std::vector<std::uint16_t> tensor(layout.rows * layout.cols), copy(tensor.size());
    for (std::size_t i = 0; i < tensor.size(); ++i) tensor[i] = static_cast<std::uint16_t>(i * 7919 % 0x7c00);
    std::vector<float> widened(tensor.size()), tile_elements(tiles.bytes() / sizeof(float));
    const simd::Widen widen = simd::widen<simd::Default>(DType::float16);
    simd::convert(widen, tensor.data(), tensor.size(), widened.data());
    Walk kept(layout.kept);
    for (std::size_t n = 0; n < tiles.count(); ++n) {
      const Tile tile = tiles[n];
      tiles.copy(tile, tensor.data(), tile_elements.data(), widen);
      const bool rows = tile.axes == 0b10;
      for (std::size_t group = 0; group < tile.groups; ++group, kept.advance()) {
        Walk reduced(layout.reduced);
        for (std::size_t i = 0; i < layout.cols; ++i, reduced.advance()) {
          const std::size_t at = rows ? group * layout.cols + i : i * tile.groups + group;
          ASSERT_EQ(tile_elements[at], widened[kept.offset() + reduced.offset()]);
        }
      }
      tiles.copy(tile, tile_elements.data(), copy.data(), simd::narrow<simd::Default>(DType::float16));
    }
    EXPECT_EQ(copy, tensor);
  }
}

TEST(Tiles, BeyondTheAddressesAreRefused) {
  Layout layout;
  layout.rows = 2;
  layout.cols = SIZE_MAX / 2;
  layout.kept.push_outer({2, layout.cols});
  layout.reduced.push_outer({layout.cols, 1});
  EXPECT_EQ(Tiles(layout).bytes(), SIZE_MAX);
}

}  // namespace
}  // namespace layernorm
