#include "ops/batch_norm.h"

#include <cstddef>

#include "core/overlap.h"
#include "ops/channel_norm.h"
#include "ops/group_statistics.h"
#include "simd/build.h"

namespace layernorm {
namespace {

// What all calls have in common.
struct Sizes {
  ChannelShape shape;
  std::size_t element = 0;  // bytes
  std::size_t bytes = 0;    // of x
  std::size_t parameter = 0;
  std::size_t parameters = 0;  // bytes of one array
};

template <class Args>
Status check_shape(const Args& args, Sizes& sizes) {
  sizes.element = dtype_size(args.dtype);
  if (sizes.element == 0) return Status::unknown_dtype;
  sizes.shape = {1, args.outer, args.channels, args.inner, args.channels};
  if (const Status status = sizes.shape.check(sizes.element); status != Status::ok) return status;
  sizes.bytes = sizes.shape.elements() * sizes.element;
  sizes.parameter = dtype_size(parameter_dtype(args.dtype));
  if (__builtin_mul_overflow(args.channels, sizes.parameter, &sizes.parameters)) return Status::size_overflow;
  return Status::ok;
}

bool is_epsilon(double epsilon) { return epsilon >= 0 && epsilon <= __DBL_MAX__; }

template <class Args>
bool is_mask(const Args& args) {
  if (args.mask == nullptr) return true;
  if (args.inner == 1) return args.mask_run == args.channels;
  return args.mask_run > 0 && args.inner % args.mask_run == 0;
}

template <class Args>
Region mask_of(const Args& args, const Sizes& sizes) {
  return {args.mask, args.mask == nullptr || args.mask_run == 0 ? 0 : sizes.shape.elements() / args.mask_run};
}

template <class Args>
bool has_workspace(const Args& args) {
  const std::size_t bytes = batch_norm_workspace(args.dtype, args.outer, args.channels, args.inner);
  return bytes == 0 || (args.workspace != nullptr && args.workspace_bytes >= bytes);
}

// Statistics in double of each channel, in the workspace.
struct ChannelStatistics {
  static constexpr std::size_t kArrays = 5;

  ChannelStatistics(void* workspace, std::size_t channels)
      : mean(static_cast<double*>(workspace)),
        variance(mean + channels),
        rstd(variance + channels),
        error(rstd + channels),
        count(error + channels) {}

  double* mean;
  double* variance;
  double* rstd;
  double* error;
  double* count;
};

// mean = sum over kept x / n, variance = sum over kept (x - mean)^2 / n, n = number of kept + 1e-7: plain loops in double.
template <simd::Simd S>
void masked_statistics(const BatchNormForward& args, const ChannelShape& shape, const ChannelStatistics& s) {
  const bool lines = shape.after == 1;
  with_storage<S>(args.dtype, [&]<class T>(const Storage<T>& storage) {
    // Calls visit(channel, x) for all elements that are kept.
    const auto for_each_kept = [&](auto visit) {
      for (std::size_t at = 0, run = 0; at < shape.elements(); at += args.mask_run, ++run) {
        if (args.mask[run] == 0) continue;
        const std::size_t channel = lines ? 0 : at / shape.after % shape.channels;
        storage.read(storage.at(args.x, at), args.mask_run,
                     [&](const T* x, std::size_t n, std::size_t first) {
                       for (std::size_t i = 0; i < n; ++i)
                         visit(lines ? first + i : channel, static_cast<double>(x[i]));
                     });
      }
    };
    const auto clear = [&](double* totals) {
      for (std::size_t c = 0; c < shape.channels; ++c) totals[c] = s.error[c] = 0;
    };
    const auto add = [&](double* totals, std::size_t c, double value) {
      add_two_sum(totals[c], s.error[c], value);
    };
    const auto divide = [&](double* totals) {
      for (std::size_t c = 0; c < shape.channels; ++c) totals[c] = (totals[c] + s.error[c]) / s.count[c];
    };
    for (std::size_t c = 0; c < shape.channels; ++c) s.count[c] = 0;
    clear(s.mean);
    for_each_kept([&](std::size_t c, double x) {
      s.count[c] += 1;
      add(s.mean, c, x);
    });
    for (std::size_t c = 0; c < shape.channels; ++c) s.count[c] += kMaskedCountEpsilon;
    divide(s.mean);
    clear(s.variance);
    for_each_kept([&](std::size_t c, double x) {
      const double deviation = x - s.mean[c];
      add(s.variance, c, deviation * deviation);
    });
    divide(s.variance);
  });
  for (std::size_t c = 0; c < shape.channels; ++c)
    s.rstd[c] = 1 / __builtin_sqrt(s.variance[c] + args.epsilon);
}

template <class T>
void save(const double* values, std::size_t count, void* to) {
  for (std::size_t c = 0; to != nullptr && c < count; ++c) static_cast<T*>(to)[c] = static_cast<T>(values[c]);
}

void save_as(DType dtype, const double* values, std::size_t count, void* to) {
  dtype == DType::float64 ? save<double>(values, count, to) : save<float>(values, count, to);
}

template <class T>
void load(const void* from, std::size_t count, double* to) {
  for (std::size_t c = 0; c < count; ++c) to[c] = static_cast<double>(static_cast<const T*>(from)[c]);
}

void load_as(DType dtype, const void* from, std::size_t count, double* to) {
  dtype == DType::float64 ? load<double>(from, count, to) : load<float>(from, count, to);
}

// y by statistics that lie in the workspace.
template <simd::Simd S, class Args>
void apply(const Args& args, const ChannelShape& shape, const ChannelStatistics& s) {
  if (args.y == nullptr) return;
  channel_affine<S>({.dtype = args.dtype,
                     .shape = shape,
                     .mean = s.mean,
                     .rstd = s.rstd,
                     .x = args.x,
                     .gamma = args.gamma,
                     .beta = args.beta,
                     .y = args.y,
                     .workspace = s.mean + ChannelStatistics::kArrays * shape.channels});
}

Status check(const BatchNormForward& args, Sizes& sizes) {
  if (const Status status = check_shape(args, sizes); status != Status::ok) return status;
  if (!is_epsilon(args.epsilon)) return Status::invalid_epsilon;
  if (!is_mask(args)) return Status::invalid_mask;
  if (sizes.bytes > 0 && args.x == nullptr) return Status::null_data;
  if (!has_workspace(args)) return Status::small_workspace;
  const std::size_t each = sizes.parameter, all = sizes.parameters;
  const Region inputs[] = {{args.x, sizes.bytes, sizes.element},
                           {args.gamma, all, each},
                           {args.beta, all, each},
                           mask_of(args, sizes)};
  const Output outputs[] = {{{args.y, sizes.bytes, sizes.element}, 0b0001},
                            {{args.mean, all, each}},
                            {{args.variance, all, each}},
                            {{args.rstd, all, each}},
                            {{args.workspace, args.workspace_bytes, sizeof(double)}}};
  return check_regions(inputs, outputs);
}

Status check(const BatchNormInference& args, Sizes& sizes) {
  if (const Status status = check_shape(args, sizes); status != Status::ok) return status;
  if (!is_epsilon(args.epsilon)) return Status::invalid_epsilon;
  if (sizes.bytes > 0 && (args.x == nullptr || args.y == nullptr)) return Status::null_data;
  if (sizes.parameters > 0 && (args.mean == nullptr || args.variance == nullptr)) return Status::null_data;
  if (!has_workspace(args)) return Status::small_workspace;
  const std::size_t each = sizes.parameter, all = sizes.parameters;
  const Region inputs[] = {{args.x, sizes.bytes, sizes.element},
                           {args.gamma, all, each},
                           {args.beta, all, each},
                           {args.mean, all, each},
                           {args.variance, all, each}};
  const Output outputs[] = {{{args.y, sizes.bytes, sizes.element}, 0b00001},
                            {{args.rstd, all, each}},
                            {{args.workspace, args.workspace_bytes, sizeof(double)}}};
  return check_regions(inputs, outputs);
}

Status check(const BatchNormBackward& args, Sizes& sizes) {
  if (const Status status = check_shape(args, sizes); status != Status::ok) return status;
  if (!is_mask(args)) return Status::invalid_mask;
  if (sizes.bytes > 0 && (args.dy == nullptr || args.x == nullptr)) return Status::null_data;
  if (sizes.parameters > 0 && (args.mean == nullptr || args.rstd == nullptr)) return Status::null_data;
  if (!has_workspace(args)) return Status::small_workspace;
  const std::size_t each = sizes.parameter, all = sizes.parameters;
  const Region inputs[] = {{args.dy, sizes.bytes, sizes.element},
                           {args.x, sizes.bytes, sizes.element},
                           {args.mean, all, each},
                           {args.rstd, all, each},
                           {args.gamma, all, each},
                           mask_of(args, sizes)};
  const Output outputs[] = {{{args.dx, sizes.bytes, sizes.element}, 0b000011},
                            {{args.dgamma, all, each}},
                            {{args.dbeta, all, each}},
                            {{args.workspace, args.workspace_bytes, sizeof(double)}}};
  return check_regions(inputs, outputs);
}

}  // namespace

std::size_t batch_norm_workspace(DType dtype, std::size_t outer, std::size_t channels, std::size_t inner) {
  const ChannelShape shape{1, outer, channels, inner, channels};
  const std::size_t size = dtype_size(dtype);
  if (size == 0) return 0;
  if (shape.check(size) != Status::ok) return SIZE_MAX;
  std::size_t forward = 0, backward = 0;
  const std::size_t lines = channel_forward_workspace(dtype, shape);
  const bool overflows =
      __builtin_mul_overflow(channels, ChannelStatistics::kArrays * sizeof(double), &forward) ||
      __builtin_add_overflow(forward, channel_affine_workspace(dtype, shape), &forward) ||
      __builtin_mul_overflow(channels, 2 * sizeof(double), &backward) ||
      __builtin_add_overflow(backward, channel_backward_workspace(dtype, shape), &backward);
  if (overflows) return SIZE_MAX;
  const std::size_t most = forward < backward ? backward : forward;
  return most < lines ? lines : most;
}

template <class S>
Status batch_norm_forward_on(const BatchNormForward& args) {
  Sizes sizes;
  if (const Status status = check(args, sizes); status != Status::ok) return status;
  const ChannelShape& shape = sizes.shape;
  if (args.mask == nullptr || shape.elements() == 0) {
    channel_forward<S>({.dtype = args.dtype,
                        .shape = shape,
                        .epsilon = args.epsilon,
                        .x = args.x,
                        .gamma = args.gamma,
                        .beta = args.beta,
                        .y = args.y,
                        .mean = args.mean,
                        .variance = args.variance,
                        .rstd = args.rstd,
                        .workspace = args.workspace});
    return Status::ok;
  }
  const ChannelStatistics s(args.workspace, shape.channels);
  masked_statistics<S>(args, shape, s);
  save_as(args.dtype, s.mean, shape.channels, args.mean);
  save_as(args.dtype, s.variance, shape.channels, args.variance);
  save_as(args.dtype, s.rstd, shape.channels, args.rstd);
  apply<S>(args, shape, s);
  return Status::ok;
}

template <class S>
Status batch_norm_inference_on(const BatchNormInference& args) {
  Sizes sizes;
  if (const Status status = check(args, sizes); status != Status::ok) return status;
  const std::size_t channels = sizes.shape.channels;
  if (channels == 0) return Status::ok;
  const ChannelStatistics s(args.workspace, channels);
  load_as(args.dtype, args.mean, channels, s.mean);
  load_as(args.dtype, args.variance, channels, s.variance);
  for (std::size_t c = 0; c < channels; ++c) s.rstd[c] = 1 / __builtin_sqrt(s.variance[c] + args.epsilon);
  save_as(args.dtype, s.rstd, channels, args.rstd);
  apply<S>(args, sizes.shape, s);
  return Status::ok;
}

template <class S>
Status batch_norm_backward_on(const BatchNormBackward& args) {
  Sizes sizes;
  if (const Status status = check(args, sizes); status != Status::ok) return status;
  const std::size_t channels = sizes.shape.channels;
  if (channels == 0) return Status::ok;
  double* const sums = static_cast<double*>(args.workspace);
  for (std::size_t c = 0; c < 2 * channels; ++c) sums[c] = 0;
  channel_backward<S>({.dtype = args.dtype,
                       .shape = sizes.shape,
                       .constant_statistics = !args.training,
                       .mask = {args.mask, args.mask_run},
                       .dy = args.dy,
                       .x = args.x,
                       .mean = args.mean,
                       .rstd = args.rstd,
                       .gamma = args.gamma,
                       .dx = args.dx,
                       .sums = sums,
                       .workspace = sums + 2 * channels});
  save_as(args.dtype, sums, channels, args.dgamma);
  save_as(args.dtype, sums + channels, channels, args.dbeta);
  return Status::ok;
}

Status batch_norm_forward(const BatchNormForward& args) { return batch_norm_forward_on<simd::Default>(args); }
Status batch_norm_inference(const BatchNormInference& args) {
  return batch_norm_inference_on<simd::Default>(args);
}
Status batch_norm_backward(const BatchNormBackward& args) {
  return batch_norm_backward_on<simd::Default>(args);
}

#define LAYERNORM_INSTANTIATE(S)                                         \
  template Status batch_norm_forward_on<S>(const BatchNormForward&);     \
  template Status batch_norm_inference_on<S>(const BatchNormInference&); \
  template Status batch_norm_backward_on<S>(const BatchNormBackward&);
LAYERNORM_FOR_EACH_SIMD(LAYERNORM_INSTANTIATE)
#undef LAYERNORM_INSTANTIATE

}  // namespace layernorm
