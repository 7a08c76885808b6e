// How a tensor with a set of reduced axes looks once adjacent dimensions of the same kind are merged.
//
// A kept index k numbers the groups ("rows") that are normalized on their own, a reduced index i the elements
// of a group; both run in row-major order over their own dimensions. Element (k, i) lies at
// kept_offset(k) + reduced_offset(i), each a sum of index * stride over a few merged runs:
//   [32, 128, 768] axis -1        kept {4096 @ 768}            reduced {768 @ 1}              rows
//   [8, 768, 196]  axis 1         kept {8 @ 150528, 196 @ 1}   reduced {768 @ 196}            columns
//   [2, 3, 4, 5]   axis 1, 3      kept {2 @ 60, 4 @ 5}         reduced {3 @ 20, 5 @ 1}        strided
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/status.h"

namespace layernorm {

inline constexpr std::size_t kMaxRank = 32;  // axes travel as the bits of one 32-bit number

// `size` elements, `stride` elements apart.
struct Run {
  std::size_t size = 1;
  std::size_t stride = 1;
};

// Merged dimensions of one kind, outermost first. Alternation bounds them at half the rank, rounded up.
class Runs {
 public:
  std::size_t count() const { return count_; }
  const Run& operator[](std::size_t n) const { return runs_[n]; }
  // Puts `run` outside of all others, or merges it with the outermost when they are contiguous.
  void push_outer(Run run);
  // The innermost run, {1, 1} when there is none.
  Run inner() const { return count_ == 0 ? Run{} : runs_[count_ - 1]; }
  // All but the innermost.
  Runs without_inner() const;

 private:
  std::array<Run, kMaxRank / 2> runs_{};
  std::size_t count_ = 0;
};

struct Layout {
  Runs kept;
  Runs reduced;
  std::size_t rows = 0;  // number of groups: product of the kept sizes
  std::size_t cols = 0;  // elements of a group, D: product of the reduced sizes

  // Every group is one contiguous row and the rows follow each other.
  bool is_rows() const { return reduced.count() == 0 || (reduced.count() == 1 && reduced[0].stride == 1); }
};

// Walks the offsets of some runs in row-major order.
class Walk {
 public:
  explicit Walk(const Runs& runs) : runs_(runs) {}
  explicit Walk(Runs&&) = delete;  // it keeps the reference
  std::size_t offset() const { return offset_; }
  void advance() {
    for (std::size_t n = runs_.count(); n-- > 0;) {
      offset_ += runs_[n].stride;
      if (++index_[n] < runs_[n].size) return;
      offset_ -= runs_[n].size * runs_[n].stride;
      index_[n] = 0;
    }
  }

 private:
  const Runs& runs_;
  std::array<std::size_t, kMaxRank / 2> index_{};
  std::size_t offset_ = 0;
};

// Follows the elements of a group in order: each call goes on where the one before it ended.
class Pieces {
 public:
  explicit Pieces(const Runs& reduced)
      : inner_(reduced.inner()), outer_(reduced.without_inner()), walk_(outer_) {}
  Pieces(const Pieces&) = delete;

  // Calls visit(offset of the first element, stride, count) for elements at one distance until there were n of them.
  template <class Visit>
  void next(std::size_t n, Visit visit) {
    while (n > 0) {
      const std::size_t rest = inner_.size - index_, count = n < rest ? n : rest;
      visit(walk_.offset() + index_ * inner_.stride, inner_.stride, count);
      n -= count;
      index_ += count;
      if (index_ < inner_.size) continue;
      index_ = 0;
      walk_.advance();
    }
  }

 private:
  const Run inner_;
  const Runs outer_;
  Walk walk_;
  std::size_t index_ = 0;
};

// Merges `dims` (sizes, outermost first; C order) with the dimensions in the bits of `axes` reduced.
// Dimensions of size 1 vanish. A dimension of size 0 gives rows or cols = 0; the runs then mean nothing.
// Errors: invalid_rank, invalid_axes, size_overflow (elements * element_size does not fit size_t; a size of 0 does not hide
// what overflows beside it).
[[nodiscard]] Status collapse_axes(std::span<const std::uint32_t> dims, std::uint32_t axes,
                                   std::size_t element_size, Layout& layout);

}  // namespace layernorm
