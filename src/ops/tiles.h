// Tensors of 16-bit floats as small tensors of float32, one after the other.
//
// A tile is a few groups that follow each other in the order of their numbers, of rank 2: [groups, D] where the elements
// of a group lie together in pieces, [D, groups] where neighbouring groups do. What an operation makes of a group does
// not depend on the tile that it is in, so the cut is a matter of speed alone, and any range of tiles can be done apart
// from the others.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/dtype.h"
#include "core/layout.h"
#include "simd/sixteen_bit.h"

namespace layernorm {

// Elements of a tile where a few groups have no more: with 16 KiB of 16 bits and 32 KiB as float32 in the L1 cache or
// next to it. Measured from 4 to 64 KiB.
inline constexpr std::size_t kTileElements = 8192;

// Neighbouring groups that are taken at a time, at least: a cache line of 16-bit elements.
inline constexpr std::size_t kTileWidth = 32;

struct Tile {
  std::size_t first = 0;  // number of its first group
  std::size_t groups = 0;
  std::array<std::uint32_t, 2> dims{};
  std::uint32_t axes = 0;
};

class Tiles {
 public:
  // `layout` is kept, and has elements.
  explicit Tiles(const Layout& layout)
      : layout_(layout),
        by_columns_(!layout.is_rows() && layout.kept.inner().stride == 1),
        neighbours_(by_columns_ ? layout.kept.inner().size : layout.rows) {
    const std::size_t most = most_groups();
    // Whole lines of memory where several tiles share their lines.
    const std::size_t whole = by_columns_ && most < neighbours_ ? most - most % kTileWidth : most;
    groups_ = whole < neighbours_ ? whole : neighbours_;
    per_run_ = (neighbours_ - 1) / groups_ + 1;
  }
  explicit Tiles(Layout&&) = delete;

  std::size_t count() const { return layout_.rows / neighbours_ * per_run_; }
  // Room for any tile: bytes as float32, SIZE_MAX when that is more than can be addressed. Fewer groups never need more.
  std::size_t bytes() const {
    std::size_t bytes = 0;
    const bool overflows = layout_.cols > UINT32_MAX ||
                           __builtin_mul_overflow(most_groups() * sizeof(float), layout_.cols, &bytes);
    return overflows ? SIZE_MAX : bytes;
  }

  Tile operator[](std::size_t n) const {
    const std::size_t start = n % per_run_ * groups_, rest = neighbours_ - start;
    Tile tile{.first = n / per_run_ * neighbours_ + start, .groups = rest < groups_ ? rest : groups_};
    const auto groups = static_cast<std::uint32_t>(tile.groups),
               cols = static_cast<std::uint32_t>(layout_.cols);
    tile.dims = by_columns_ ? std::array{cols, groups} : std::array{groups, cols};
    tile.axes = by_columns_ ? 0b01 : 0b10;
    return tile;
  }

  // The elements of a tile, from and to their places in a tensor with the bits of `dtype`.
  template <simd::Simd S>
  void widen(DType dtype, const Tile& tile, const std::uint16_t* tensor, float* elements) const {
    for_each_piece(tile, [=](std::size_t at, std::size_t passed, std::size_t size) {
      simd::widen<S>(dtype, tensor + at, size, elements + passed);
    });
  }
  template <simd::Simd S>
  void narrow(DType dtype, const Tile& tile, const float* elements, std::uint16_t* tensor) const {
    for_each_piece(tile, [=](std::size_t at, std::size_t passed, std::size_t size) {
      simd::narrow<S>(dtype, elements + passed, size, tensor + at);
    });
  }

 private:
  std::size_t most_groups() const {
    const std::size_t least = by_columns_ ? kTileWidth : 1, wanted = kTileElements / layout_.cols;
    const std::size_t most = wanted < least ? least : wanted;
    return most < layout_.rows ? most : layout_.rows;
  }

  // Calls visit(offset in the tensor, elements of the tile before, size) for the contiguous pieces of a tile.
  template <class Visit>
  void for_each_piece(const Tile& tile, Visit visit) const {
    const std::size_t cols = layout_.cols;
    if (layout_.is_rows()) return visit(tile.first * cols, 0, tile.groups * cols);
    if (by_columns_) {
      const std::size_t start = offset_of(tile.first);
      Walk walk(layout_.reduced);
      for (std::size_t i = 0; i < cols; ++i, walk.advance()) {
        visit(start + walk.offset(), i * tile.groups, tile.groups);
      }
      return;
    }
    // Neither: then the innermost dimension is a reduced one.
    const Runs outer = layout_.reduced.without_inner();
    const std::size_t size = layout_.reduced.inner().size;
    for (std::size_t group = 0; group < tile.groups; ++group) {
      const std::size_t start = offset_of(tile.first + group);
      Walk walk(outer);
      for (std::size_t i = 0; i < cols; i += size, walk.advance()) {
        visit(start + walk.offset(), group * cols + i, size);
      }
    }
  }
  std::size_t offset_of(std::size_t group) const {
    std::size_t offset = 0;
    for (std::size_t n = layout_.kept.count(); n-- > 0; group /= layout_.kept[n].size) {
      offset += group % layout_.kept[n].size * layout_.kept[n].stride;
    }
    return offset;
  }

  const Layout& layout_;
  bool by_columns_;
  std::size_t neighbours_;   // groups in a row that tiles are cut from
  std::size_t groups_ = 0;   // of every tile, but for the last of those
  std::size_t per_run_ = 0;  // tiles cut from them
};

}  // namespace layernorm
