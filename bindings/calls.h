// The operations as JavaScript calls them, by whichever module: addresses and sizes are numbers, 0 is "absent", and the answer is a
// status or a number of bytes. Each has the name that JavaScript knows it by. core_module.ts documents the arguments.
//
// A file that includes this may define LAYERNORM_CALL(type, name) first, to export the functions.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/status.h"
#include "ops/batch_norm.h"
#include "ops/group_norm.h"
#include "ops/layer_norm.h"
#include "ops/matryoshka.h"
#include "ops/moments.h"
#include "ops/rms_norm.h"
#include "ops/skip_layer_norm.h"
#include "ops/spectral_norm.h"
#include "ops/unit_norm.h"

#if !defined(LAYERNORM_CALL)
#define LAYERNORM_CALL(type, name) inline type name
#endif

namespace layernorm::calls {

using Address = std::uintptr_t;

template <class T>
T* pointer(Address address) {
  return reinterpret_cast<T*>(address);
}

LAYERNORM_CALL(std::size_t, layerNormForwardWorkspace)
(std::uint32_t dtype, Address dims, std::uint32_t rank, std::uint32_t axes) {
  return layer_norm_forward_workspace(DType{dtype}, {pointer<std::uint32_t>(dims), rank}, axes);
}

LAYERNORM_CALL(std::int32_t, layerNormForward)
(std::uint32_t dtype, Address x, Address y, Address gamma, Address beta, Address mean, Address rstd,
 Address workspace, std::size_t workspace_bytes, Address dims, std::uint32_t rank, std::uint32_t axes,
 double epsilon, bool rms_scaling) {
  return static_cast<std::int32_t>(layer_norm_forward({.dtype = DType{dtype},
                                                       .dims = {pointer<std::uint32_t>(dims), rank},
                                                       .axes = axes,
                                                       .epsilon = epsilon,
                                                       .rms_scaling = rms_scaling,
                                                       .x = pointer<void>(x),
                                                       .gamma = pointer<void>(gamma),
                                                       .beta = pointer<void>(beta),
                                                       .y = pointer<void>(y),
                                                       .mean = pointer<void>(mean),
                                                       .rstd = pointer<void>(rstd),
                                                       .workspace = pointer<void>(workspace),
                                                       .workspace_bytes = workspace_bytes}));
}

LAYERNORM_CALL(std::size_t, layerNormBackwardWorkspace)
(std::uint32_t dtype, Address dims, std::uint32_t rank, std::uint32_t axes) {
  return layer_norm_backward_workspace(DType{dtype}, {pointer<std::uint32_t>(dims), rank}, axes);
}

LAYERNORM_CALL(std::int32_t, layerNormBackward)
(std::uint32_t dtype, Address dy, Address x, Address mean, Address rstd, Address gamma, Address dx,
 Address dgamma, Address dbeta, Address workspace, std::size_t workspace_bytes, Address dims,
 std::uint32_t rank, std::uint32_t axes, bool rms_scaling, std::size_t first_group, bool last) {
  return static_cast<std::int32_t>(layer_norm_backward({.dtype = DType{dtype},
                                                        .dims = {pointer<std::uint32_t>(dims), rank},
                                                        .axes = axes,
                                                        .rms_scaling = rms_scaling,
                                                        .first_group = first_group,
                                                        .last = last,
                                                        .dy = pointer<void>(dy),
                                                        .x = pointer<void>(x),
                                                        .mean = pointer<void>(mean),
                                                        .rstd = pointer<void>(rstd),
                                                        .gamma = pointer<void>(gamma),
                                                        .dx = pointer<void>(dx),
                                                        .dgamma = pointer<void>(dgamma),
                                                        .dbeta = pointer<void>(dbeta),
                                                        .workspace = pointer<void>(workspace),
                                                        .workspace_bytes = workspace_bytes}));
}

LAYERNORM_CALL(std::size_t, batchNormWorkspace)
(std::uint32_t dtype, std::size_t outer, std::size_t channels, std::size_t inner) {
  return batch_norm_workspace(DType{dtype}, outer, channels, inner);
}

LAYERNORM_CALL(std::int32_t, batchNormForward)
(std::uint32_t dtype, Address x, Address y, Address gamma, Address beta, Address mean, Address variance,
 Address rstd, Address mask, std::size_t mask_run, Address workspace, std::size_t workspace_bytes,
 std::size_t outer, std::size_t channels, std::size_t inner, double epsilon) {
  return static_cast<std::int32_t>(batch_norm_forward({.dtype = DType{dtype},
                                                       .outer = outer,
                                                       .channels = channels,
                                                       .inner = inner,
                                                       .epsilon = epsilon,
                                                       .x = pointer<void>(x),
                                                       .gamma = pointer<void>(gamma),
                                                       .beta = pointer<void>(beta),
                                                       .mask = pointer<std::uint8_t>(mask),
                                                       .mask_run = mask_run,
                                                       .y = pointer<void>(y),
                                                       .mean = pointer<void>(mean),
                                                       .variance = pointer<void>(variance),
                                                       .rstd = pointer<void>(rstd),
                                                       .workspace = pointer<void>(workspace),
                                                       .workspace_bytes = workspace_bytes}));
}

LAYERNORM_CALL(std::int32_t, batchNormInference)
(std::uint32_t dtype, Address x, Address y, Address gamma, Address beta, Address mean, Address variance,
 Address rstd, Address workspace, std::size_t workspace_bytes, std::size_t outer, std::size_t channels,
 std::size_t inner, double epsilon) {
  return static_cast<std::int32_t>(batch_norm_inference({.dtype = DType{dtype},
                                                         .outer = outer,
                                                         .channels = channels,
                                                         .inner = inner,
                                                         .epsilon = epsilon,
                                                         .x = pointer<void>(x),
                                                         .gamma = pointer<void>(gamma),
                                                         .beta = pointer<void>(beta),
                                                         .mean = pointer<void>(mean),
                                                         .variance = pointer<void>(variance),
                                                         .y = pointer<void>(y),
                                                         .rstd = pointer<void>(rstd),
                                                         .workspace = pointer<void>(workspace),
                                                         .workspace_bytes = workspace_bytes}));
}

LAYERNORM_CALL(std::int32_t, batchNormBackward)
(std::uint32_t dtype, Address dy, Address x, Address mean, Address rstd, Address gamma, Address mask,
 std::size_t mask_run, Address dx, Address dgamma, Address dbeta, Address workspace,
 std::size_t workspace_bytes, std::size_t outer, std::size_t channels, std::size_t inner, bool training) {
  return static_cast<std::int32_t>(batch_norm_backward({.dtype = DType{dtype},
                                                        .outer = outer,
                                                        .channels = channels,
                                                        .inner = inner,
                                                        .training = training,
                                                        .dy = pointer<void>(dy),
                                                        .x = pointer<void>(x),
                                                        .mean = pointer<void>(mean),
                                                        .rstd = pointer<void>(rstd),
                                                        .gamma = pointer<void>(gamma),
                                                        .mask = pointer<std::uint8_t>(mask),
                                                        .mask_run = mask_run,
                                                        .dx = pointer<void>(dx),
                                                        .dgamma = pointer<void>(dgamma),
                                                        .dbeta = pointer<void>(dbeta),
                                                        .workspace = pointer<void>(workspace),
                                                        .workspace_bytes = workspace_bytes}));
}

LAYERNORM_CALL(std::int32_t, groupNormForward)
(std::uint32_t dtype, Address x, Address y, Address gamma, Address beta, Address mean, Address rstd,
 std::size_t batch, std::size_t before, std::size_t channels, std::size_t after, std::size_t groups,
 double epsilon) {
  return static_cast<std::int32_t>(group_norm_forward({.dtype = DType{dtype},
                                                       .shape = {batch, before, channels, after, groups},
                                                       .epsilon = epsilon,
                                                       .x = pointer<void>(x),
                                                       .gamma = pointer<void>(gamma),
                                                       .beta = pointer<void>(beta),
                                                       .y = pointer<void>(y),
                                                       .mean = pointer<void>(mean),
                                                       .rstd = pointer<void>(rstd)}));
}

LAYERNORM_CALL(std::size_t, groupNormBackwardWorkspace)
(std::uint32_t dtype, std::size_t batch, std::size_t before, std::size_t channels, std::size_t after,
 std::size_t groups) {
  return group_norm_backward_workspace(DType{dtype}, {batch, before, channels, after, groups});
}

LAYERNORM_CALL(std::int32_t, groupNormBackward)
(std::uint32_t dtype, Address dy, Address x, Address mean, Address rstd, Address gamma, Address dx,
 Address dgamma, Address dbeta, Address workspace, std::size_t workspace_bytes, std::size_t batch,
 std::size_t before, std::size_t channels, std::size_t after, std::size_t groups, bool first, bool last) {
  return static_cast<std::int32_t>(group_norm_backward({.dtype = DType{dtype},
                                                        .shape = {batch, before, channels, after, groups},
                                                        .first = first,
                                                        .last = last,
                                                        .dy = pointer<void>(dy),
                                                        .x = pointer<void>(x),
                                                        .mean = pointer<void>(mean),
                                                        .rstd = pointer<void>(rstd),
                                                        .gamma = pointer<void>(gamma),
                                                        .dx = pointer<void>(dx),
                                                        .dgamma = pointer<void>(dgamma),
                                                        .dbeta = pointer<void>(dbeta),
                                                        .workspace = pointer<void>(workspace),
                                                        .workspace_bytes = workspace_bytes}));
}

LAYERNORM_CALL(std::int32_t, matryoshka)
(std::uint32_t dtype, Address x, Address y, std::size_t rows, std::size_t cols, std::size_t dimensions,
 double epsilon) {
  return static_cast<std::int32_t>(layernorm::matryoshka({.dtype = DType{dtype},
                                                          .rows = rows,
                                                          .cols = cols,
                                                          .dimensions = dimensions,
                                                          .epsilon = epsilon,
                                                          .x = pointer<void>(x),
                                                          .y = pointer<void>(y)}));
}

LAYERNORM_CALL(std::int32_t, moments)
(std::uint32_t dtype, Address x, Address mean, Address variance, Address dims, std::uint32_t rank,
 std::uint32_t axes) {
  return static_cast<std::int32_t>(layernorm::moments({.dtype = DType{dtype},
                                                       .dims = {pointer<std::uint32_t>(dims), rank},
                                                       .axes = axes,
                                                       .x = pointer<void>(x),
                                                       .mean = pointer<void>(mean),
                                                       .variance = pointer<void>(variance)}));
}

LAYERNORM_CALL(std::size_t, rmsNormForwardWorkspace)
(std::uint32_t dtype, Address dims, std::uint32_t rank, std::uint32_t axes) {
  return rms_norm_forward_workspace(DType{dtype}, {pointer<std::uint32_t>(dims), rank}, axes);
}

LAYERNORM_CALL(std::int32_t, rmsNormForward)
(std::uint32_t dtype, Address x, Address y, Address gamma, Address rstd, Address workspace,
 std::size_t workspace_bytes, Address dims, std::uint32_t rank, std::uint32_t axes, double epsilon) {
  return static_cast<std::int32_t>(rms_norm_forward({.dtype = DType{dtype},
                                                     .dims = {pointer<std::uint32_t>(dims), rank},
                                                     .axes = axes,
                                                     .epsilon = epsilon,
                                                     .x = pointer<void>(x),
                                                     .gamma = pointer<void>(gamma),
                                                     .y = pointer<void>(y),
                                                     .rstd = pointer<void>(rstd),
                                                     .workspace = pointer<void>(workspace),
                                                     .workspace_bytes = workspace_bytes}));
}

LAYERNORM_CALL(std::size_t, rmsNormBackwardWorkspace)
(std::uint32_t dtype, Address dims, std::uint32_t rank, std::uint32_t axes) {
  return rms_norm_backward_workspace(DType{dtype}, {pointer<std::uint32_t>(dims), rank}, axes);
}

LAYERNORM_CALL(std::int32_t, rmsNormBackward)
(std::uint32_t dtype, Address dy, Address x, Address rstd, Address gamma, Address dx, Address dgamma,
 Address workspace, std::size_t workspace_bytes, Address dims, std::uint32_t rank, std::uint32_t axes,
 std::size_t first_group, bool last) {
  return static_cast<std::int32_t>(rms_norm_backward({.dtype = DType{dtype},
                                                      .dims = {pointer<std::uint32_t>(dims), rank},
                                                      .axes = axes,
                                                      .first_group = first_group,
                                                      .last = last,
                                                      .dy = pointer<void>(dy),
                                                      .x = pointer<void>(x),
                                                      .rstd = pointer<void>(rstd),
                                                      .gamma = pointer<void>(gamma),
                                                      .dx = pointer<void>(dx),
                                                      .dgamma = pointer<void>(dgamma),
                                                      .workspace = pointer<void>(workspace),
                                                      .workspace_bytes = workspace_bytes}));
}

LAYERNORM_CALL(std::size_t, skipLayerNormWorkspace)
(std::uint32_t dtype, std::size_t rows, std::size_t cols) {
  return skip_layer_norm_workspace(DType{dtype}, rows, cols);
}

LAYERNORM_CALL(std::int32_t, skipLayerNorm)
(std::uint32_t dtype, Address x, Address skip, Address bias, Address gamma, Address beta, Address y,
 Address sum, Address mean, Address rstd, Address workspace, std::size_t workspace_bytes, std::size_t rows,
 std::size_t cols, std::size_t skip_rows, std::size_t first_row, double epsilon, bool rms) {
  return static_cast<std::int32_t>(skip_layer_norm({.dtype = DType{dtype},
                                                    .rows = rows,
                                                    .cols = cols,
                                                    .skip_rows = skip_rows,
                                                    .first_row = first_row,
                                                    .epsilon = epsilon,
                                                    .rms = rms,
                                                    .x = pointer<void>(x),
                                                    .skip = pointer<void>(skip),
                                                    .bias = pointer<void>(bias),
                                                    .gamma = pointer<void>(gamma),
                                                    .beta = pointer<void>(beta),
                                                    .y = pointer<void>(y),
                                                    .sum = pointer<void>(sum),
                                                    .mean = pointer<void>(mean),
                                                    .rstd = pointer<void>(rstd),
                                                    .workspace = pointer<void>(workspace),
                                                    .workspace_bytes = workspace_bytes}));
}

LAYERNORM_CALL(std::size_t, unitNormForwardWorkspace)
(std::uint32_t dtype, Address dims, std::uint32_t rank, std::uint32_t axes) {
  return unit_norm_forward_workspace(DType{dtype}, {pointer<std::uint32_t>(dims), rank}, axes);
}

LAYERNORM_CALL(std::int32_t, unitNormForward)
(std::uint32_t dtype, Address x, Address y, Address rstd, Address workspace, std::size_t workspace_bytes,
 Address dims, std::uint32_t rank, std::uint32_t axes, double epsilon) {
  return static_cast<std::int32_t>(unit_norm_forward({.dtype = DType{dtype},
                                                      .dims = {pointer<std::uint32_t>(dims), rank},
                                                      .axes = axes,
                                                      .epsilon = epsilon,
                                                      .x = pointer<void>(x),
                                                      .y = pointer<void>(y),
                                                      .rstd = pointer<void>(rstd),
                                                      .workspace = pointer<void>(workspace),
                                                      .workspace_bytes = workspace_bytes}));
}

LAYERNORM_CALL(std::size_t, unitNormBackwardWorkspace)
(std::uint32_t dtype, Address dims, std::uint32_t rank, std::uint32_t axes) {
  return unit_norm_backward_workspace(DType{dtype}, {pointer<std::uint32_t>(dims), rank}, axes);
}

LAYERNORM_CALL(std::int32_t, unitNormBackward)
(std::uint32_t dtype, Address dy, Address x, Address rstd, Address dx, Address workspace,
 std::size_t workspace_bytes, Address dims, std::uint32_t rank, std::uint32_t axes, double epsilon,
 std::size_t first_group, bool last) {
  return static_cast<std::int32_t>(unit_norm_backward({.dtype = DType{dtype},
                                                       .dims = {pointer<std::uint32_t>(dims), rank},
                                                       .axes = axes,
                                                       .epsilon = epsilon,
                                                       .first_group = first_group,
                                                       .last = last,
                                                       .dy = pointer<void>(dy),
                                                       .x = pointer<void>(x),
                                                       .rstd = pointer<void>(rstd),
                                                       .dx = pointer<void>(dx),
                                                       .workspace = pointer<void>(workspace),
                                                       .workspace_bytes = workspace_bytes}));
}

LAYERNORM_CALL(std::size_t, spectralNormWorkspace)
(std::size_t rows, std::size_t cols) { return spectral_norm_workspace(rows, cols); }

LAYERNORM_CALL(std::int32_t, spectralNormForward)
(std::uint32_t dtype, Address kernel, Address u, Address y, Address u_out, Address v, Address sigma,
 Address workspace, std::size_t workspace_bytes, std::size_t rows, std::size_t cols,
 std::uint32_t power_iterations, double epsilon) {
  return static_cast<std::int32_t>(spectral_norm_forward({.dtype = DType{dtype},
                                                          .rows = rows,
                                                          .cols = cols,
                                                          .power_iterations = power_iterations,
                                                          .epsilon = epsilon,
                                                          .kernel = pointer<void>(kernel),
                                                          .u = pointer<void>(u),
                                                          .y = pointer<void>(y),
                                                          .u_out = pointer<void>(u_out),
                                                          .v = pointer<void>(v),
                                                          .sigma = pointer<void>(sigma),
                                                          .workspace = pointer<void>(workspace),
                                                          .workspace_bytes = workspace_bytes}));
}

LAYERNORM_CALL(std::int32_t, spectralNormBackward)
(std::uint32_t dtype, Address dy, Address kernel, Address u, Address v, double sigma, Address dkernel,
 Address workspace, std::size_t workspace_bytes, std::size_t rows, std::size_t cols) {
  return static_cast<std::int32_t>(spectral_norm_backward({.dtype = DType{dtype},
                                                           .rows = rows,
                                                           .cols = cols,
                                                           .dy = pointer<void>(dy),
                                                           .kernel = pointer<void>(kernel),
                                                           .u = pointer<void>(u),
                                                           .v = pointer<void>(v),
                                                           .sigma = sigma,
                                                           .dkernel = pointer<void>(dkernel),
                                                           .workspace = pointer<void>(workspace),
                                                           .workspace_bytes = workspace_bytes}));
}

}  // namespace layernorm::calls
