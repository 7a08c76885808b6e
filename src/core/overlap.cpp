#include "core/overlap.h"

namespace layernorm {

Status check_regions(std::span<const Region> inputs, std::span<const Output> outputs) {
  for (const Region& input : inputs) {
    if (!input.is_aligned()) return Status::misaligned_data;
  }
  for (std::size_t n = 0; n < outputs.size(); ++n) {
    const Region& output = outputs[n].region;
    if (!output.is_aligned()) return Status::misaligned_data;
    for (std::size_t m = 0; m < inputs.size(); ++m) {
      const bool replaces = (outputs[n].in_place >> m & 1) != 0 && inputs[m].data == output.data;
      if (!replaces && overlap(output, inputs[m])) return Status::overlapping_data;
    }
    for (std::size_t other = n + 1; other < outputs.size(); ++other) {
      if (overlap(output, outputs[other].region)) return Status::overlapping_data;
    }
  }
  return Status::ok;
}

}  // namespace layernorm
