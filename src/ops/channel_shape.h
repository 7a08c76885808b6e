// How an operation whose parameters belong to channels sees a tensor: any tensor with one channel axis, its other dimensions
// merged, is [batch, before, channels, after] in C order.
//
// Group g of sample n is what is normalized together: `per_group` neighbouring channels and all that lies before and after them
// in the sample. Batch normalization is the case of one sample and one channel a group.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/layout.h"
#include "core/status.h"

namespace layernorm {

struct ChannelShape {
  std::size_t batch = 0;
  std::size_t before = 0;
  std::size_t channels = 0;
  std::size_t after = 0;
  std::size_t groups = 0;  // of a sample

  // Errors: invalid_groups (not a divisor of the channels), size_overflow (elements * element_size does not fit size_t; a
  // size of 0 does not hide what overflows beside it).
  [[nodiscard]] Status check(std::size_t element_size) const {
    if (groups == 0 ? channels > 0 : channels % groups != 0) return Status::invalid_groups;
    std::size_t bytes = element_size;
    for (const std::size_t size : {batch, before, channels, after}) {
      if (__builtin_mul_overflow(bytes, size == 0 ? 1 : size, &bytes)) return Status::size_overflow;
    }
    return Status::ok;
  }

  std::size_t elements() const { return batch * before * channels * after; }
  std::size_t all_groups() const { return batch * groups; }
  std::size_t per_group() const { return channels / groups; }
  std::size_t group_elements() const { return before * per_group() * after; }
  // From one sample, and from one index of `before`, to the next.
  std::size_t sample_stride() const { return before * channels * after; }
  std::size_t before_stride() const { return channels * after; }
  // Where group g of sample n starts.
  std::size_t group_offset(std::size_t n, std::size_t g) const {
    return n * sample_stride() + g * per_group() * after;
  }
  // Where the elements of a group lie: contiguous pieces.
  Runs group_runs() const {
    Runs runs;
    runs.push_outer({per_group() * after, 1});
    if (before > 1) runs.push_outer({before, before_stride()});
    return runs;
  }
};

}  // namespace layernorm
