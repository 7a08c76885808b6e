#include "ops/moments.h"

#include <cstddef>

#include "core/layout.h"
#include "core/overlap.h"
#include "ops/group_statistics.h"
#include "parallel/thread_pool.h"
#include "simd/build.h"

namespace layernorm {
namespace {

// The arguments with their types, over merged dimensions.
template <class T>
struct Problem {
  void save(std::size_t group, const GroupStatistics<T>& s) const {
    if (mean != nullptr) mean[group] = static_cast<T>(s.mean());
    if (variance != nullptr) variance[group] = static_cast<T>(s.saved_variance());
  }

  const Storage<T>& storage;
  const Layout& layout;
  const void* x;
  T* mean;
  T* variance;
};

// Groups in contiguous pieces, rows among them.
template <simd::Simd S, class T>
void run_pieces(const Problem<T>& p) {
  const Layout& layout = p.layout;
  for_each_range(
      Partition::of(layout.rows, layout.cols),
      [&](std::size_t first, std::size_t last) {
        Walk walk(layout.kept, first);
        for (std::size_t group = first; group < last; ++group, walk.advance()) {
          p.save(group, piece_statistics<S>(p.storage, p.storage.at(p.x, walk.offset()), layout.reduced,
                                            layout.cols, 0));
        }
      },
      0, [](std::size_t, std::size_t, std::byte*, bool) {});
}

// Groups whose neighbours lie beside them.
template <simd::Simd S, class T>
void run_columns(const Problem<T>& p) {
  const Layout& layout = p.layout;
  const std::size_t inner = layout.kept.inner().size, per_run = (inner - 1) / kChunkWidth<T> + 1;
  const Runs outer = layout.kept.without_inner();
  for_each_range(
      Partition::of(layout.rows / inner * per_run,
                    layout.cols * (inner < kChunkWidth<T> ? inner : kChunkWidth<T>)),
      [&](std::size_t first, std::size_t last) {
        for (std::size_t n = first; n < last; ++n) {
          const std::size_t run = n / per_run, c = n % per_run * kChunkWidth<T>;
          const std::size_t width = inner - c < kChunkWidth<T> ? inner - c : kChunkWidth<T>;
          GroupStatistics<T> statistics[kChunkWidth<T>];
          const void* x = p.storage.at(p.x, Walk(outer, run).offset() + c);
          column_statistics<S>(p.storage, x, layout.reduced, layout.cols, width, 0, statistics);
          for (std::size_t at = 0; at < width; ++at) p.save(run * inner + c + at, statistics[at]);
        }
      },
      0, [](std::size_t, std::size_t, std::byte*, bool) {});
}

Status check(const MomentsArguments& args, Layout& layout) {
  const std::size_t size = dtype_size(args.dtype);
  if (size == 0) return Status::unknown_dtype;
  if (const Status status = collapse_axes(args.dims, args.axes, size, layout); status != Status::ok)
    return status;
  const std::size_t bytes = layout.rows * layout.cols * size, each = dtype_size(parameter_dtype(args.dtype));
  std::size_t rows = 0;
  if (__builtin_mul_overflow(layout.rows, each, &rows)) return Status::size_overflow;
  if (bytes > 0 && args.x == nullptr) return Status::null_data;
  const Region inputs[] = {{args.x, bytes, size}};
  const Output outputs[] = {{{args.mean, rows, each}}, {{args.variance, rows, each}}};
  return check_regions(inputs, outputs);
}

}  // namespace

template <class S>
Status moments_on(const MomentsArguments& args) {
  Layout layout;
  if (const Status status = check(args, layout); status != Status::ok) return status;
  if (layout.rows == 0) return Status::ok;
  with_storage<S>(args.dtype, [&]<class T>(const Storage<T>& storage) {
    const Problem<T> p{storage, layout, args.x, static_cast<T*>(args.mean), static_cast<T*>(args.variance)};
    if (layout.cols == 0) {
      const T nan = static_cast<T>(__builtin_nan(""));
      for (std::size_t group = 0; group < layout.rows; ++group) {
        if (p.mean != nullptr) p.mean[group] = nan;
        if (p.variance != nullptr) p.variance[group] = nan;
      }
    } else if (!layout.is_rows() && layout.kept.inner().stride == 1) {
      run_columns<S>(p);
    } else {
      run_pieces<S>(p);
    }
  });
  return Status::ok;
}

Status moments(const MomentsArguments& args) { return moments_on<simd::Default>(args); }

#define LAYERNORM_INSTANTIATE(S) template Status moments_on<S>(const MomentsArguments&);
LAYERNORM_FOR_EACH_SIMD(LAYERNORM_INSTANTIATE)
#undef LAYERNORM_INSTANTIATE

}  // namespace layernorm
