#include <cstddef>
#include <cstdint>

#include "core/layout.h"
#include "core/overlap.h"
#include "ops/normalize.h"
#include "ops/normalize_sixteen_bit.h"
#include "ops/parameter.h"
#include "ops/row_gradient.h"
#include "ops/row_moments.h"
#include "parallel/thread_pool.h"
#include "simd/build.h"
#include "simd/row_ops.h"

namespace layernorm {
namespace {

// Groups whose dgamma and dbeta are summed in T before they go into double, a chunk: the rounding error of 64
// additions. Chunks are counted from the first group of the tensor, whatever parts it comes in.
inline constexpr std::size_t kGroupsPerSum = 64;

// Groups that are not rows are gathered to so many rows at a time: the elements of a cache line of float.
inline constexpr std::size_t kGathered = 16;

// The arguments with their element type, over merged dimensions.
template <class T>
struct Gradient {
  const Layout& layout;
  Spread spread;
  bool rms_scaling;
  const T* dy;
  const T* x;
  const T* mean;
  const T* rstd;
  const T* gamma;
  T* dx;
};

// What lies in the workspace, all of D elements: sums of dgamma and dbeta over all chunks of kGroupsPerSum groups that
// are complete; those of the chunk that the next call goes on with; and a slot for each chunk that is worked on at the
// same time, with its sums and the rows that its groups are gathered to.
template <class T>
class Workspace {
 public:
  // SIZE_MAX when it is more than can be addressed.
  static std::size_t bytes(const Layout& layout) {
    std::size_t bytes = 0;
    const std::size_t each = 2 * sizeof(double) + (2 + slots(layout) * slot_rows(layout)) * sizeof(T);
    return __builtin_mul_overflow(layout.cols, each, &bytes) ? SIZE_MAX : bytes;
  }
  // Chunks that are worked on at the same time.
  static std::size_t slots(const Layout& layout) {
    const std::size_t chunks = layout.rows / kGroupsPerSum + 1;
    const std::size_t most = kSlotElements / slot_rows(layout) / (layout.cols + 1) + 1;
    if (!kHasThreads) return 1;
    return chunks < most ? chunks : most;
  }
  // Groups that are gathered at a time.
  static std::size_t gathered(const Layout& layout) {
    return layout.rows < kGathered ? layout.rows : kGathered;
  }

  Workspace(void* data, const Layout& layout)
      : total(static_cast<double*>(data)),
        carried(reinterpret_cast<T*>(total + 2 * layout.cols)),
        slots_(carried + 2 * layout.cols),
        slot_elements_(slot_rows(layout) * layout.cols) {}

  T* slot(std::size_t n) const { return slots_ + n * slot_elements_; }

  double* total;  // dgamma, then dbeta
  T* carried;

 private:
  static constexpr std::size_t kSlotElements = 1024 * 1024;

  static std::size_t slot_rows(const Layout& layout) {
    return 2 + (layout.is_rows() ? 0 : 2 * gathered(layout));
  }

  T* slots_;
  std::size_t slot_elements_;
};

// What a group's dx is made of besides g: dx = rstd * (g + h * from_h + from_g).
template <class T>
struct Factors {
  T from_h = 0;
  T from_g = 0;
};

template <simd::Simd S, class T>
Factors<T> factors_of(const Gradient<T>& a, T rstd, const RowGradientSums<S, T>& sums) {
  const double gh = sums.gh.value(), count = static_cast<double>(a.layout.cols);
  if (a.spread.kind == Kind::norm) {
    // Norms up to epsilon are not what rstd comes from: it is a constant there.
    const bool clamped = rstd >= static_cast<T>(1 / a.spread.epsilon);
    return {clamped ? T{0} : static_cast<T>(-gh), 0};
  }
  const bool of_g = a.spread.is_about_mean() && !a.rms_scaling;
  return {static_cast<T>(-gh / count), of_g ? static_cast<T>(-sums.g.value() / count) : T{0}};
}

// One group that lies in a row.
template <simd::Simd S, class T>
void backward_row(const Gradient<T>& a, const Parameter<T>& gamma, std::size_t row, const T* dy, const T* x,
                  T* dx, T* dgamma, T* dbeta) {
  const std::size_t cols = a.layout.cols;
  const T mean = a.spread.is_about_mean() ? a.mean[row] : T{0}, rstd = a.rstd[row];
  const auto sum = [&] {
    if (a.spread.kind == Kind::norm)
      return sum_row<Kind::norm, S>(dy, x, gamma, cols, mean, rstd, dgamma, dbeta);
    if (a.spread.kind == Kind::mean_square) {
      return sum_row<Kind::mean_square, S>(dy, x, gamma, cols, mean, rstd, dgamma, dbeta);
    }
    // With rms_scaling h = x * rstd, but what the variance depends on still is x - mean.
    return sum_row<Kind::deviation, S>(dy, x, gamma, cols, a.rms_scaling ? T{0} : mean, rstd, dgamma, dbeta);
  };
  const RowGradientSums<S, T> sums = sum();
  if (dx == nullptr) return;
  const Factors<T> factors = factors_of<S>(a, rstd, sums);
  write_dx<S>(dy, x, gamma, dx, cols, mean, rstd, factors.from_h, factors.from_g);
}

template <class T>
void gather(const T* from, const Layout& layout, T* row) {
  Pieces pieces(layout.reduced);
  pieces.next(layout.cols, [&](std::size_t offset, std::size_t stride, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) *row++ = from[offset + i * stride];
  });
}

template <class T>
void scatter(const T* row, const Layout& layout, T* to) {
  Pieces pieces(layout.reduced);
  pieces.next(layout.cols, [&](std::size_t offset, std::size_t stride, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) to[offset + i * stride] = *row++;
  });
}

// Groups first .. last, added to the sums at the start of `slot`.
template <simd::Simd S, class T>
void backward_groups(const Gradient<T>& a, std::size_t first, std::size_t last, T* slot) {
  const Layout& layout = a.layout;
  const Parameter<T> gamma(a.gamma, 1);
  T *dgamma = slot, *dbeta = slot + layout.cols;
  if (layout.is_rows()) {
    for (std::size_t row = first; row < last; ++row) {
      const std::size_t at = row * layout.cols;
      T* dx = a.dx == nullptr ? nullptr : a.dx + at;
      backward_row<S>(a, gamma, row, a.dy + at, a.x + at, dx, dgamma, dbeta);
    }
    return;
  }
  T *dy_rows = dbeta + layout.cols, *x_rows = dy_rows + Workspace<T>::gathered(layout) * layout.cols;
  Walk walk(layout.kept, first);
  for (std::size_t group = first; group < last; group += kGathered) {
    const std::size_t count = last - group < kGathered ? last - group : kGathered;
    std::size_t offsets[kGathered];
    for (std::size_t n = 0; n < count; ++n, walk.advance()) {
      offsets[n] = walk.offset();
      gather(a.dy + offsets[n], layout, dy_rows + n * layout.cols);
      gather(a.x + offsets[n], layout, x_rows + n * layout.cols);
    }
    for (std::size_t n = 0; n < count; ++n) {
      T* dy = dy_rows + n * layout.cols;
      const T* x = x_rows + n * layout.cols;
      backward_row<S>(a, gamma, group + n, dy, x, a.dx == nullptr ? nullptr : dy, dgamma, dbeta);
      if (a.dx != nullptr) scatter(dy, layout, a.dx + offsets[n]);
    }
  }
}

// All groups, of which `before` came in previous calls. Chunks are what threads share: each has sums of its own, which
// are added in order.
template <simd::Simd S, class T>
void backward_chunks(const Gradient<T>& a, std::size_t before, const Workspace<T>& workspace) {
  const Layout& layout = a.layout;
  const std::size_t cols = layout.cols, end = before + layout.rows, slots = Workspace<T>::slots(layout);
  std::size_t chunk = before / kGroupsPerSum;  // the one in the first slot
  // The first of this call's groups in a slot; of the slot after the last, their number.
  const auto first_group = [&](std::size_t n) {
    const std::size_t group = (chunk + n) * kGroupsPerSum;
    return (group < before ? before : group < end ? group : end) - before;
  };
  const auto work = [&](std::size_t first, std::size_t last) {
    for (std::size_t n = first; n < last; ++n) {
      T* slot = workspace.slot(n);
      const bool goes_on = (chunk + n) * kGroupsPerSum < before;
      for (std::size_t i = 0; i < 2 * cols; ++i) slot[i] = goes_on ? workspace.carried[i] : T{0};
      backward_groups<S>(a, first_group(n), first_group(n + 1), slot);
    }
  };
  // Where dx takes the place of dy or x: what was there.
  const auto save = [&](std::size_t first, std::size_t last, std::byte* saved, bool restore) {
    for (std::size_t n = first; n < last; ++n) {
      T* row = reinterpret_cast<T*>(saved) + (n - first) * kGroupsPerSum * cols;
      Walk walk(layout.kept, first_group(n));
      for (std::size_t group = first_group(n); group < first_group(n + 1); ++group, walk.advance()) {
        T* dx = a.dx + walk.offset();
        if (layout.is_rows()) {
          __builtin_memcpy(restore ? dx : row, restore ? row : dx, cols * sizeof(T));
        } else {
          restore ? scatter<T>(row, layout, dx) : gather<T>(dx, layout, row);
        }
        row += cols;
      }
    }
  };
  const bool in_place = a.dx != nullptr && (a.dx == a.dy || a.dx == a.x);
  for (; chunk * kGroupsPerSum < end; chunk += slots) {
    const std::size_t rest = (end - 1) / kGroupsPerSum + 1 - chunk, count = rest < slots ? rest : slots;
    const Partition chunks{count, kGroupsPerSum * cols, 1};
    for_each_range(chunks, work, in_place ? kGroupsPerSum * cols * sizeof(T) : 0, save);
    for (std::size_t n = 0; n < count; ++n) {
      const T* sums = workspace.slot(n);
      if ((chunk + n + 1) * kGroupsPerSum <= end) {
        promote<S>(sums, 2 * cols, workspace.total);
      } else {
        for (std::size_t i = 0; i < 2 * cols; ++i) workspace.carried[i] = sums[i];
      }
    }
  }
}

template <simd::Simd S, class T>
Status backward(const NormalizeBackward& args, const Layout& layout) {
  const Gradient<T> a{layout,
                      args.spread,
                      args.rms_scaling,
                      static_cast<const T*>(args.dy),
                      static_cast<const T*>(args.x),
                      static_cast<const T*>(args.mean),
                      static_cast<const T*>(args.rstd),
                      static_cast<const T*>(args.gamma),
                      static_cast<T*>(args.dx)};
  const Workspace<T> workspace(args.workspace, layout);
  const std::size_t cols = layout.cols;
  if (args.first_group == 0) {
    for (std::size_t i = 0; i < 2 * cols; ++i) workspace.total[i] = 0;
  }
  backward_chunks<S>(a, args.first_group, workspace);
  if (!args.last) return Status::ok;
  const bool has_carried = (args.first_group + layout.rows) % kGroupsPerSum != 0;
  T* const sums[] = {static_cast<T*>(args.dgamma), static_cast<T*>(args.dbeta)};
  for (std::size_t part = 0; part < 2; ++part) {
    for (std::size_t i = 0; sums[part] != nullptr && i < cols; ++i) {
      const std::size_t at = part * cols + i;
      const double carried = has_carried ? static_cast<double>(workspace.carried[at]) : 0;
      sums[part][i] = static_cast<T>(workspace.total[at] + carried);
    }
  }
  return Status::ok;
}

std::size_t workspace_bytes(DType dtype, const Layout& layout) {
  if (is_sixteen_bit(dtype)) return backward_sixteen_bit_workspace(layout);
  return dtype == DType::float32 ? Workspace<float>::bytes(layout) : Workspace<double>::bytes(layout);
}

Status check(const NormalizeBackward& args, Layout& layout) {
  const std::size_t size = dtype_size(args.dtype);
  if (size == 0) return Status::unknown_dtype;
  if (const Status status = collapse_axes(args.dims, args.axes, size, layout); status != Status::ok)
    return status;

  const std::size_t bytes = layout.rows * layout.cols * size,
                    of_parameter = dtype_size(parameter_dtype(args.dtype));
  std::size_t rows = 0, cols = 0;
  if (__builtin_mul_overflow(layout.rows, of_parameter, &rows) ||
      __builtin_mul_overflow(layout.cols, of_parameter, &cols)) {
    return Status::size_overflow;
  }
  if (!(args.spread.epsilon >= 0 && args.spread.epsilon <= __DBL_MAX__)) return Status::invalid_epsilon;
  const void* const mean = args.spread.is_about_mean() ? args.mean : args.rstd;
  for (const void* input : {args.dy, args.x, mean, args.rstd}) {
    if (bytes > 0 && input == nullptr) return Status::null_data;
  }
  const Region workspace{args.workspace, args.workspace_bytes, sizeof(double)};
  if (!workspace.is_aligned()) return Status::misaligned_data;
  if (layout.cols > 0 &&
      (args.workspace == nullptr || args.workspace_bytes < workspace_bytes(args.dtype, layout))) {
    return Status::small_workspace;
  }
  const Region inputs[] = {{args.dy, bytes, size},
                           {args.x, bytes, size},
                           {mean, rows, of_parameter},
                           {args.rstd, rows, of_parameter},
                           {args.gamma, cols, of_parameter}};
  const Output outputs[] = {{{args.dx, bytes, size}, 0b00011},
                            {{args.dgamma, cols, of_parameter}},
                            {{args.dbeta, cols, of_parameter}},
                            {workspace}};
  return check_regions(inputs, outputs);
}

}  // namespace

std::size_t normalize_backward_workspace(DType dtype, std::span<const std::uint32_t> dims,
                                         std::uint32_t axes) {
  Layout layout;
  const std::size_t size = dtype_size(dtype);
  if (size == 0 || collapse_axes(dims, axes, size, layout) != Status::ok) return 0;
  return workspace_bytes(dtype, layout);
}

template <class S>
Status normalize_backward_on(const NormalizeBackward& args) {
  Layout layout;
  if (const Status status = check(args, layout); status != Status::ok) return status;
  if (is_sixteen_bit(args.dtype)) return backward_sixteen_bit<S>(args, layout);
  return args.dtype == DType::float32 ? backward<S, float>(args, layout) : backward<S, double>(args, layout);
}

#define LAYERNORM_INSTANTIATE(S) template Status normalize_backward_on<S>(const NormalizeBackward&);
LAYERNORM_FOR_EACH_SIMD(LAYERNORM_INSTANTIATE)
#undef LAYERNORM_INSTANTIATE

}  // namespace layernorm
