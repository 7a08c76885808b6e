#include "core/layout.h"

namespace layernorm {

void Runs::push_outer(Run run) {
  if (count_ > 0 && run.stride == runs_[0].size * runs_[0].stride) {
    runs_[0].size *= run.size;
    return;
  }
  for (std::size_t n = count_; n > 0; --n) runs_[n] = runs_[n - 1];
  runs_[0] = run;
  ++count_;
}

Runs Runs::without_inner() const {
  Runs outer = *this;
  if (outer.count_ > 0) --outer.count_;
  return outer;
}

Status collapse_axes(std::span<const std::uint32_t> dims, std::uint32_t axes, std::size_t element_size,
                     Layout& layout) {
  if (dims.empty() || dims.size() > kMaxRank) return Status::invalid_rank;
  if (axes == 0) return Status::invalid_axes;
  if (dims.size() < kMaxRank && (axes >> dims.size()) != 0) return Status::invalid_axes;

  layout = Layout{};
  std::size_t stride = element_size;  // in bytes, so that the largest address is checked as well
  std::size_t rows = element_size, cols = element_size;
  for (std::size_t n = dims.size(); n-- > 0;) {
    const std::size_t size = dims[n];
    const bool reduced = axes >> n & 1;
    std::size_t& elements = reduced ? cols : rows;
    if (__builtin_mul_overflow(elements, size, &elements)) return Status::size_overflow;
    if (size == 1) continue;
    (reduced ? layout.reduced : layout.kept).push_outer({size, stride / element_size});
    if (__builtin_mul_overflow(stride, size, &stride)) return Status::size_overflow;
  }
  layout.rows = rows / element_size;
  layout.cols = cols / element_size;
  return Status::ok;
}

}  // namespace layernorm
