#include "ops/layer_norm.h"

#include "ops/normalize.h"
#include "simd/build.h"

namespace layernorm {

std::size_t layer_norm_forward_workspace(DType dtype, std::span<const std::uint32_t> dims,
                                         std::uint32_t axes) {
  return normalize_workspace(dtype, dims, axes);
}

template <class S>
Status layer_norm_forward_on(const LayerNormForward& args) {
  return normalize_on<S>({.dtype = args.dtype,
                          .dims = args.dims,
                          .axes = args.axes,
                          .spread = {args.epsilon, Spread::Kind::deviation},
                          .rms_scaling = args.rms_scaling,
                          .x = args.x,
                          .gamma = args.gamma,
                          .beta = args.beta,
                          .y = args.y,
                          .mean = args.mean,
                          .rstd = args.rstd,
                          .workspace = args.workspace,
                          .workspace_bytes = args.workspace_bytes});
}

Status layer_norm_forward(const LayerNormForward& args) { return layer_norm_forward_on<simd::Default>(args); }

std::size_t layer_norm_backward_workspace(DType dtype, std::span<const std::uint32_t> dims,
                                          std::uint32_t axes) {
  return normalize_backward_workspace(dtype, dims, axes);
}

template <class S>
Status layer_norm_backward_on(const LayerNormBackward& args) {
  return normalize_backward_on<S>({.dtype = args.dtype,
                                   .dims = args.dims,
                                   .axes = args.axes,
                                   .spread = {0, Spread::Kind::deviation},  // epsilon is in rstd
                                   .rms_scaling = args.rms_scaling,
                                   .first_group = args.first_group,
                                   .last = args.last,
                                   .dy = args.dy,
                                   .x = args.x,
                                   .mean = args.mean,
                                   .rstd = args.rstd,
                                   .gamma = args.gamma,
                                   .dx = args.dx,
                                   .dgamma = args.dgamma,
                                   .dbeta = args.dbeta,
                                   .workspace = args.workspace,
                                   .workspace_bytes = args.workspace_bytes});
}

Status layer_norm_backward(const LayerNormBackward& args) {
  return layer_norm_backward_on<simd::Default>(args);
}

#define LAYERNORM_INSTANTIATE(S)                                     \
  template Status layer_norm_forward_on<S>(const LayerNormForward&); \
  template Status layer_norm_backward_on<S>(const LayerNormBackward&);
LAYERNORM_FOR_EACH_SIMD(LAYERNORM_INSTANTIATE)
#undef LAYERNORM_INSTANTIATE

}  // namespace layernorm
