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
inline constexpr std::size_t kTileElements = 16384;

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

  // Copies the elements of a tile from and to their places in a tensor.
  void copy(const Tile& tile, const std::uint16_t* tensor, float* elements, simd::Widen widen) const {
    copy(tile, const_cast<std::uint16_t*>(tensor), elements, widen, nullptr);
  }
  void copy(const Tile& tile, const float* elements, std::uint16_t* tensor, simd::Narrow narrow) const {
    copy(tile, tensor, const_cast<float*>(elements), nullptr, narrow);
  }

 private:
  std::size_t most_groups() const {
    const std::size_t least = by_columns_ ? kTileWidth : 1, wanted = kTileElements / layout_.cols;
    const std::size_t most = wanted < least ? least : wanted;
    return most < layout_.rows ? most : layout_.rows;
  }

  // Into the elements, or where `widen` is null, out of them.
  void copy(const Tile& tile, std::uint16_t* tensor, float* elements, simd::Widen widen,
            simd::Narrow narrow) const;
  std::size_t offset_of(std::size_t group) const;

  const Layout& layout_;
  bool by_columns_;
  std::size_t neighbours_;   // groups in a row that tiles are cut from
  std::size_t groups_ = 0;   // of every tile, but for the last of those
  std::size_t per_run_ = 0;  // tiles cut from them
};

}  // namespace layernorm
