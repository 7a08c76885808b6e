#include "ops/tiles.h"

namespace layernorm {

// In contiguous pieces, as few as the layout has.
void Tiles::copy(const Tile& tile, std::uint16_t* tensor, float* elements, simd::Widen widen,
                 simd::Narrow narrow) const {
  const std::size_t cols = layout_.cols;
  // The dimensions that lead from piece to piece, and how large these are; the innermost dimension is a reduced one where
  // neighbouring groups do not lie together.
  const bool is_rows = layout_.is_rows();
  const Runs along = by_columns_ ? layout_.reduced : is_rows ? Runs{} : layout_.reduced.without_inner();
  const std::size_t size = by_columns_ ? tile.groups
                           : is_rows   ? tile.groups * cols
                                       : layout_.reduced.inner().size;
  const std::size_t end = tile.groups * cols, wrap = by_columns_ || is_rows ? end : cols;
  for (std::size_t done = 0; done < end;) {
    const std::size_t start = offset_of(tile.first + done / wrap);
    Walk walk(along);
    for (std::size_t i = 0; i < wrap; i += size, done += size, walk.advance()) {
      std::uint16_t* const at = tensor + start + walk.offset();
      if (widen != nullptr) {
        simd::convert<std::uint16_t, float>(widen, at, size, elements + done);
      } else {
        simd::convert<float, std::uint16_t>(narrow, elements + done, size, at);
      }
    }
  }
}

std::size_t Tiles::offset_of(std::size_t group) const {
  std::size_t offset = 0;
  for (std::size_t n = layout_.kept.count(); n-- > 0; group /= layout_.kept[n].size) {
    offset += group % layout_.kept[n].size * layout_.kept[n].stride;
  }
  return offset;
}

}  // namespace layernorm
