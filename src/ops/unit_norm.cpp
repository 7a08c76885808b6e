#include "ops/unit_norm.h"

#include "ops/normalize.h"
#include "simd/build.h"

namespace layernorm {

std::size_t unit_norm_forward_workspace(DType dtype, std::span<const std::uint32_t> dims,
                                        std::uint32_t axes) {
  return normalize_workspace(dtype, dims, axes);
}

template <class S>
Status unit_norm_forward_on(const UnitNormForward& args) {
  return normalize_on<S>({.dtype = args.dtype,
                          .dims = args.dims,
                          .axes = args.axes,
                          .spread = {args.epsilon, Spread::Kind::norm},
                          .x = args.x,
                          .y = args.y,
                          .rstd = args.rstd,
                          .workspace = args.workspace,
                          .workspace_bytes = args.workspace_bytes});
}

Status unit_norm_forward(const UnitNormForward& args) { return unit_norm_forward_on<simd::Default>(args); }

std::size_t unit_norm_backward_workspace(DType dtype, std::span<const std::uint32_t> dims,
                                         std::uint32_t axes) {
  return normalize_backward_workspace(dtype, dims, axes);
}

template <class S>
Status unit_norm_backward_on(const UnitNormBackward& args) {
  return normalize_backward_on<S>({.dtype = args.dtype,
                                   .dims = args.dims,
                                   .axes = args.axes,
                                   .spread = {args.epsilon, Spread::Kind::norm},
                                   .first_group = args.first_group,
                                   .last = args.last,
                                   .dy = args.dy,
                                   .x = args.x,
                                   .rstd = args.rstd,
                                   .dx = args.dx,
                                   .workspace = args.workspace,
                                   .workspace_bytes = args.workspace_bytes});
}

Status unit_norm_backward(const UnitNormBackward& args) { return unit_norm_backward_on<simd::Default>(args); }

#define LAYERNORM_INSTANTIATE(S)                                   \
  template Status unit_norm_forward_on<S>(const UnitNormForward&); \
  template Status unit_norm_backward_on<S>(const UnitNormBackward&);
LAYERNORM_FOR_EACH_SIMD(LAYERNORM_INSTANTIATE)
#undef LAYERNORM_INSTANTIATE

}  // namespace layernorm
