#include "ops/rms_norm.h"

#include "ops/normalize.h"
#include "simd/build.h"

namespace layernorm {

std::size_t rms_norm_forward_workspace(DType dtype, std::span<const std::uint32_t> dims, std::uint32_t axes) {
  return normalize_workspace(dtype, dims, axes);
}

template <class S>
Status rms_norm_forward_on(const RmsNormForward& args) {
  return normalize_on<S>({.dtype = args.dtype,
                          .dims = args.dims,
                          .axes = args.axes,
                          .spread = {args.epsilon, Spread::Kind::mean_square},
                          .x = args.x,
                          .gamma = args.gamma,
                          .y = args.y,
                          .rstd = args.rstd,
                          .workspace = args.workspace,
                          .workspace_bytes = args.workspace_bytes});
}

Status rms_norm_forward(const RmsNormForward& args) { return rms_norm_forward_on<simd::Default>(args); }

std::size_t rms_norm_backward_workspace(DType dtype, std::span<const std::uint32_t> dims,
                                        std::uint32_t axes) {
  return normalize_backward_workspace(dtype, dims, axes);
}

template <class S>
Status rms_norm_backward_on(const RmsNormBackward& args) {
  return normalize_backward_on<S>({.dtype = args.dtype,
                                   .dims = args.dims,
                                   .axes = args.axes,
                                   .spread = {0, Spread::Kind::mean_square},  // epsilon is in rstd
                                   .first_group = args.first_group,
                                   .last = args.last,
                                   .dy = args.dy,
                                   .x = args.x,
                                   .rstd = args.rstd,
                                   .gamma = args.gamma,
                                   .dx = args.dx,
                                   .dgamma = args.dgamma,
                                   .workspace = args.workspace,
                                   .workspace_bytes = args.workspace_bytes});
}

Status rms_norm_backward(const RmsNormBackward& args) { return rms_norm_backward_on<simd::Default>(args); }

#define LAYERNORM_INSTANTIATE(S)                                 \
  template Status rms_norm_forward_on<S>(const RmsNormForward&); \
  template Status rms_norm_backward_on<S>(const RmsNormBackward&);
LAYERNORM_FOR_EACH_SIMD(LAYERNORM_INSTANTIATE)
#undef LAYERNORM_INSTANTIATE

}  // namespace layernorm
