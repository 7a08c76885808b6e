#include "ops/group_norm.h"

#include <cstddef>

#include "core/overlap.h"
#include "ops/channel_norm.h"
#include "simd/build.h"

namespace layernorm {
namespace {

struct Sizes {
  std::size_t element = 0;  // bytes
  std::size_t bytes = 0;    // of x
  std::size_t parameter = 0;
  std::size_t channels = 0;  // bytes of gamma
  std::size_t groups = 0;    // bytes of mean
};

Status check_shape(DType dtype, const ChannelShape& shape, Sizes& sizes) {
  sizes.element = dtype_size(dtype);
  if (sizes.element == 0) return Status::unknown_dtype;
  if (const Status status = shape.check(sizes.element); status != Status::ok) return status;
  sizes.bytes = shape.elements() * sizes.element;
  sizes.parameter = dtype_size(parameter_dtype(dtype));
  if (__builtin_mul_overflow(shape.channels, sizes.parameter, &sizes.channels) ||
      __builtin_mul_overflow(shape.batch, shape.groups, &sizes.groups) ||
      __builtin_mul_overflow(sizes.groups, sizes.parameter, &sizes.groups)) {
    return Status::size_overflow;
  }
  return Status::ok;
}

Status check(const GroupNormForward& args) {
  Sizes sizes;
  if (const Status status = check_shape(args.dtype, args.shape, sizes); status != Status::ok) return status;
  if (!(args.epsilon >= 0 && args.epsilon <= __DBL_MAX__)) return Status::invalid_epsilon;
  if (sizes.bytes > 0 && (args.x == nullptr || args.y == nullptr)) return Status::null_data;
  const Region inputs[] = {{args.x, sizes.bytes, sizes.element},
                           {args.gamma, sizes.channels, sizes.parameter},
                           {args.beta, sizes.channels, sizes.parameter}};
  const Output outputs[] = {{{args.y, sizes.bytes, sizes.element}, 0b001},
                            {{args.mean, sizes.groups, sizes.parameter}},
                            {{args.rstd, sizes.groups, sizes.parameter}}};
  return check_regions(inputs, outputs);
}

Status check(const GroupNormBackward& args) {
  Sizes sizes;
  if (const Status status = check_shape(args.dtype, args.shape, sizes); status != Status::ok) return status;
  if (sizes.bytes > 0 &&
      (args.dy == nullptr || args.x == nullptr || args.mean == nullptr || args.rstd == nullptr)) {
    return Status::null_data;
  }
  const std::size_t workspace = group_norm_backward_workspace(args.dtype, args.shape);
  if (workspace > 0 && (args.workspace == nullptr || args.workspace_bytes < workspace)) {
    return Status::small_workspace;
  }
  const Region inputs[] = {{args.dy, sizes.bytes, sizes.element},
                           {args.x, sizes.bytes, sizes.element},
                           {args.mean, sizes.groups, sizes.parameter},
                           {args.rstd, sizes.groups, sizes.parameter},
                           {args.gamma, sizes.channels, sizes.parameter}};
  const Output outputs[] = {{{args.dx, sizes.bytes, sizes.element}, 0b00011},
                            {{args.dgamma, sizes.channels, sizes.parameter}},
                            {{args.dbeta, sizes.channels, sizes.parameter}},
                            {{args.workspace, args.workspace_bytes, sizeof(double)}}};
  return check_regions(inputs, outputs);
}

template <class T>
void save(const double* sums, std::size_t channels, void* to) {
  for (std::size_t c = 0; to != nullptr && c < channels; ++c)
    static_cast<T*>(to)[c] = static_cast<T>(sums[c]);
}

}  // namespace

std::size_t group_norm_backward_workspace(DType dtype, const ChannelShape& shape) {
  const std::size_t size = dtype_size(dtype);
  if (size == 0) return 0;
  if (shape.check(size) != Status::ok) return SIZE_MAX;
  std::size_t bytes = 0;
  const bool overflows = __builtin_mul_overflow(shape.channels, 2 * sizeof(double), &bytes) ||
                         __builtin_add_overflow(bytes, channel_backward_workspace(dtype, shape), &bytes);
  return overflows ? SIZE_MAX : bytes;
}

template <class S>
Status group_norm_forward_on(const GroupNormForward& args) {
  if (const Status status = check(args); status != Status::ok) return status;
  channel_forward<S>({.dtype = args.dtype,
                      .shape = args.shape,
                      .epsilon = args.epsilon,
                      .x = args.x,
                      .gamma = args.gamma,
                      .beta = args.beta,
                      .y = args.y,
                      .mean = args.mean,
                      .variance = nullptr,
                      .rstd = args.rstd});
  return Status::ok;
}

template <class S>
Status group_norm_backward_on(const GroupNormBackward& args) {
  if (const Status status = check(args); status != Status::ok) return status;
  const std::size_t channels = args.shape.channels;
  if (channels == 0) return Status::ok;
  // Sums of dgamma and dbeta over the samples of all calls so far.
  double* const sums = static_cast<double*>(args.workspace);
  for (std::size_t c = 0; args.first && c < 2 * channels; ++c) sums[c] = 0;
  channel_backward<S>({.dtype = args.dtype,
                       .shape = args.shape,
                       .constant_statistics = false,
                       .mask = {},
                       .dy = args.dy,
                       .x = args.x,
                       .mean = args.mean,
                       .rstd = args.rstd,
                       .gamma = args.gamma,
                       .dx = args.dx,
                       .sums = sums,
                       .workspace = sums + 2 * channels});
  if (!args.last) return Status::ok;
  const auto save_as = args.dtype == DType::float64 ? save<double> : save<float>;
  save_as(sums, channels, args.dgamma);
  save_as(sums + channels, channels, args.dbeta);
  return Status::ok;
}

Status group_norm_forward(const GroupNormForward& args) { return group_norm_forward_on<simd::Default>(args); }
Status group_norm_backward(const GroupNormBackward& args) {
  return group_norm_backward_on<simd::Default>(args);
}

#define LAYERNORM_INSTANTIATE(S)                                     \
  template Status group_norm_forward_on<S>(const GroupNormForward&); \
  template Status group_norm_backward_on<S>(const GroupNormBackward&);
LAYERNORM_FOR_EACH_SIMD(LAYERNORM_INSTANTIATE)
#undef LAYERNORM_INSTANTIATE

}  // namespace layernorm
