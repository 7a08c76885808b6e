#include "ops/normalize_sixteen_bit.h"

#include <cstdint>

#include "ops/tiles.h"
#include "simd/build.h"

namespace layernorm {
namespace {

bool is_empty(const Layout& layout) { return layout.rows == 0 || layout.cols == 0; }

float* at_group(void* statistics, std::size_t group) {
  return statistics == nullptr ? nullptr : static_cast<float*>(statistics) + group;
}

// The sums of the gradient lie first in the workspace, at the same place in all calls that share it, then the tiles of dy
// and x, at whole lines of memory.
std::size_t sums_bytes(const Layout& layout) {
  const Tile tile = Tiles(layout)[0];
  const std::size_t bytes = normalize_backward_workspace(DType::float32, tile.dims, tile.axes);
  return bytes > SIZE_MAX - 63 ? SIZE_MAX : (bytes + 63) / 64 * 64;
}

// Tiles first .. last, in `data`, which has room for one.
template <simd::Simd S>
Status forward_tiles(const Normalize& args, const Tiles& tiles, std::size_t first, std::size_t last,
                     float* data) {
  Normalize part = args;
  part.dtype = DType::float32;
  part.x = part.y = data;
  const simd::Widen widen = simd::widen<S>(args.dtype);
  const simd::Narrow narrow = simd::narrow<S>(args.dtype);
  for (std::size_t n = first; n < last; ++n) {
    const Tile tile = tiles[n];
    part.dims = tile.dims;
    part.axes = tile.axes;
    part.mean = at_group(args.mean, tile.first);
    part.rstd = at_group(args.rstd, tile.first);
    tiles.copy(tile, static_cast<const std::uint16_t*>(args.x), data, widen);
    if (const Status status = normalize_on<S>(part); status != Status::ok) return status;
    tiles.copy(tile, data, static_cast<std::uint16_t*>(args.y), narrow);
  }
  return Status::ok;
}

}  // namespace

template <simd::Simd S>
Status forward_sixteen_bit(const Normalize& args, const Layout& layout) {
  if (is_empty(layout)) {  // there are statistics all the same
    Normalize empty = args;
    empty.dtype = DType::float32;
    empty.x = empty.y = nullptr;
    return normalize_on<S>(empty);
  }
  const Tiles tiles(layout);
  return forward_tiles<S>(args, tiles, 0, tiles.count(), static_cast<float*>(args.workspace));
}

template <simd::Simd S>
Status backward_sixteen_bit(const NormalizeBackward& args, const Layout& layout) {
  NormalizeBackward part = args;
  part.dtype = DType::float32;
  if (layout.cols == 0) return Status::ok;  // nothing to write
  if (layout.rows == 0) {                   // there are gradients of the parameters all the same
    part.dy = part.x = part.dx = nullptr;
    return normalize_backward_on<S>(part);
  }
  const Tiles tiles(layout);
  part.workspace_bytes = sums_bytes(layout);
  float* const dy = reinterpret_cast<float*>(static_cast<char*>(args.workspace) + part.workspace_bytes);
  float* const x = dy + tiles.bytes() / sizeof(float);
  part.dy = dy;
  part.x = x;
  part.dx = args.dx == nullptr ? nullptr : dy;
  const simd::Widen widen = simd::widen<S>(args.dtype);
  const simd::Narrow narrow = simd::narrow<S>(args.dtype);
  for (std::size_t n = 0; n < tiles.count(); ++n) {
    const Tile tile = tiles[n];
    part.dims = tile.dims;
    part.axes = tile.axes;
    part.first_group = args.first_group + tile.first;
    part.last = args.last && n + 1 == tiles.count();
    if (args.mean != nullptr) part.mean = static_cast<const float*>(args.mean) + tile.first;
    part.rstd = static_cast<const float*>(args.rstd) + tile.first;
    tiles.copy(tile, static_cast<const std::uint16_t*>(args.dy), dy, widen);
    tiles.copy(tile, static_cast<const std::uint16_t*>(args.x), x, widen);
    if (const Status status = normalize_backward_on<S>(part); status != Status::ok) return status;
    if (args.dx != nullptr) tiles.copy(tile, dy, static_cast<std::uint16_t*>(args.dx), narrow);
  }
  return Status::ok;
}

std::size_t forward_sixteen_bit_workspace(const Layout& layout) {
  return is_empty(layout) ? 0 : Tiles(layout).bytes();
}

std::size_t backward_sixteen_bit_workspace(const Layout& layout) {
  if (is_empty(layout)) {  // sums of nothing, which are written all the same
    const std::uint32_t dims[] = {1, static_cast<std::uint32_t>(layout.cols)};
    return normalize_backward_workspace(DType::float32, dims, 0b10);
  }
  std::size_t tiles = 0, bytes = 0;
  const bool overflows = __builtin_mul_overflow(Tiles(layout).bytes(), 2, &tiles) ||
                         __builtin_add_overflow(tiles, sums_bytes(layout), &bytes);
  return overflows ? SIZE_MAX : bytes;
}

#define LAYERNORM_INSTANTIATE(S)                                           \
  template Status forward_sixteen_bit<S>(const Normalize&, const Layout&); \
  template Status backward_sixteen_bit<S>(const NormalizeBackward&, const Layout&);
LAYERNORM_FOR_EACH_SIMD(LAYERNORM_INSTANTIATE)
#undef LAYERNORM_INSTANTIATE

}  // namespace layernorm
