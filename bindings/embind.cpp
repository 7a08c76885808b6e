// The JavaScript names of the core: registrations only. Addresses travel as numbers, 0 is "absent".
#include <emscripten/bind.h>
#include <malloc.h>

#include <cstdint>
#include <cstdlib>

#include "core/status.h"
#include "ops/batch_norm.h"
#include "ops/group_norm.h"
#include "ops/layer_norm.h"
#include "ops/moments.h"
#include "ops/rms_norm.h"
#include "ops/skip_layer_norm.h"
#include "ops/spectral_norm.h"
#include "ops/unit_norm.h"

#if defined(LAYERNORM_THREADS)
#include <emscripten/em_js.h>

#include "parallel/thread_pool.h"

// `Module` is the object that TypeScript handed to the glue.
EM_JS(int, layernorm_workers_gone, (double idle, double expected),
      { return Module["workersGone"](idle, expected); });
#endif

namespace {

using Address = std::uintptr_t;

// A cache line, which also is more than any vector load wants.
constexpr std::size_t kAlignment = 64;

template <class T>
T* pointer(Address address) {
  return reinterpret_cast<T*>(address);
}

Address address(const void* data) { return reinterpret_cast<Address>(data); }

}  // namespace

EMSCRIPTEN_BINDINGS(layernorm) {
  using emscripten::function;
  using namespace layernorm;

  function("version()", +[] { return address(LAYERNORM_VERSION); });
  function("statusCode(status)", +[](std::int32_t status) { return address(status_code(Status{status})); });
  function(
      "statusMessage(status)", +[](std::int32_t status) { return address(status_message(Status{status})); });

  function("allocate(bytes)", +[](std::size_t bytes) { return address(memalign(kAlignment, bytes)); });
  function("release(address)", +[](Address block) { std::free(pointer<void>(block)); });

#if defined(LAYERNORM_THREADS)
  function(
      "startThreads(threads, maySleep)", +[](std::uint32_t threads, bool may_sleep) {
        const auto gone = [](double idle, double expected) {
          return layernorm_workers_gone(idle, expected) != 0;
        };
        return thread_pool.start(threads, {.may_sleep = may_sleep, .gone = gone});
      });
  function("readyWorkers()", +[] { return thread_pool.ready(); });
  function("threads()", +[] { return thread_pool.threads(); });
  function("giveUpThreads()", +[] { thread_pool.give_up(); });
#endif

  function(
      "layerNormForwardWorkspace(dtype, dims, rank, axes)",
      +[](std::uint32_t dtype, Address dims, std::uint32_t rank, std::uint32_t axes) {
        return layer_norm_forward_workspace(DType{dtype}, {pointer<std::uint32_t>(dims), rank}, axes);
      });
  function(
      "layerNormForward(dtype, x, y, gamma, beta, mean, rstd, workspace, workspaceBytes, dims, rank, axes, "
      "epsilon, rmsScaling)",
      +[](std::uint32_t dtype, Address x, Address y, Address gamma, Address beta, Address mean, Address rstd,
          Address workspace, std::size_t workspace_bytes, Address dims, std::uint32_t rank,
          std::uint32_t axes, double epsilon, bool rms_scaling) {
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
      });

  function(
      "layerNormBackwardWorkspace(dtype, dims, rank, axes)",
      +[](std::uint32_t dtype, Address dims, std::uint32_t rank, std::uint32_t axes) {
        return layer_norm_backward_workspace(DType{dtype}, {pointer<std::uint32_t>(dims), rank}, axes);
      });
  function(
      "layerNormBackward(dtype, dy, x, mean, rstd, gamma, dx, dgamma, dbeta, workspace, workspaceBytes, "
      "dims, rank, axes, rmsScaling, firstGroup, last)",
      +[](std::uint32_t dtype, Address dy, Address x, Address mean, Address rstd, Address gamma, Address dx,
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
      });

  function(
      "batchNormWorkspace(dtype, outer, channels, inner)",
      +[](std::uint32_t dtype, std::size_t outer, std::size_t channels, std::size_t inner) {
        return batch_norm_workspace(DType{dtype}, outer, channels, inner);
      });
  function(
      "batchNormForward(dtype, x, y, gamma, beta, mean, variance, rstd, mask, maskRun, workspace, "
      "workspaceBytes, outer, channels, inner, epsilon)",
      +[](std::uint32_t dtype, Address x, Address y, Address gamma, Address beta, Address mean,
          Address variance, Address rstd, Address mask, std::size_t mask_run, Address workspace,
          std::size_t workspace_bytes, std::size_t outer, std::size_t channels, std::size_t inner,
          double epsilon) {
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
      });
  function(
      "batchNormInference(dtype, x, y, gamma, beta, mean, variance, rstd, workspace, workspaceBytes, outer, "
      "channels, inner, epsilon)",
      +[](std::uint32_t dtype, Address x, Address y, Address gamma, Address beta, Address mean,
          Address variance, Address rstd, Address workspace, std::size_t workspace_bytes, std::size_t outer,
          std::size_t channels, std::size_t inner, double epsilon) {
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
      });
  function(
      "batchNormBackward(dtype, dy, x, mean, rstd, gamma, mask, maskRun, dx, dgamma, dbeta, workspace, "
      "workspaceBytes, outer, channels, inner, training)",
      +[](std::uint32_t dtype, Address dy, Address x, Address mean, Address rstd, Address gamma, Address mask,
          std::size_t mask_run, Address dx, Address dgamma, Address dbeta, Address workspace,
          std::size_t workspace_bytes, std::size_t outer, std::size_t channels, std::size_t inner,
          bool training) {
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
      });

  function(
      "groupNormForward(dtype, x, y, gamma, beta, mean, rstd, batch, before, channels, after, groups, "
      "epsilon)",
      +[](std::uint32_t dtype, Address x, Address y, Address gamma, Address beta, Address mean, Address rstd,
          std::size_t batch, std::size_t before, std::size_t channels, std::size_t after, std::size_t groups,
          double epsilon) {
        return static_cast<std::int32_t>(
            group_norm_forward({.dtype = DType{dtype},
                                .shape = {batch, before, channels, after, groups},
                                .epsilon = epsilon,
                                .x = pointer<void>(x),
                                .gamma = pointer<void>(gamma),
                                .beta = pointer<void>(beta),
                                .y = pointer<void>(y),
                                .mean = pointer<void>(mean),
                                .rstd = pointer<void>(rstd)}));
      });
  function(
      "groupNormBackwardWorkspace(dtype, batch, before, channels, after, groups)",
      +[](std::uint32_t dtype, std::size_t batch, std::size_t before, std::size_t channels, std::size_t after,
          std::size_t groups) {
        return group_norm_backward_workspace(DType{dtype}, {batch, before, channels, after, groups});
      });
  function(
      "groupNormBackward(dtype, dy, x, mean, rstd, gamma, dx, dgamma, dbeta, workspace, workspaceBytes, "
      "batch, "
      "before, channels, after, groups, first, last)",
      +[](std::uint32_t dtype, Address dy, Address x, Address mean, Address rstd, Address gamma, Address dx,
          Address dgamma, Address dbeta, Address workspace, std::size_t workspace_bytes, std::size_t batch,
          std::size_t before, std::size_t channels, std::size_t after, std::size_t groups, bool first,
          bool last) {
        return static_cast<std::int32_t>(
            group_norm_backward({.dtype = DType{dtype},
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
      });

  function(
      "moments(dtype, x, mean, variance, dims, rank, axes)",
      +[](std::uint32_t dtype, Address x, Address mean, Address variance, Address dims, std::uint32_t rank,
          std::uint32_t axes) {
        return static_cast<std::int32_t>(moments({.dtype = DType{dtype},
                                                  .dims = {pointer<std::uint32_t>(dims), rank},
                                                  .axes = axes,
                                                  .x = pointer<void>(x),
                                                  .mean = pointer<void>(mean),
                                                  .variance = pointer<void>(variance)}));
      });

  function(
      "rmsNormForwardWorkspace(dtype, dims, rank, axes)",
      +[](std::uint32_t dtype, Address dims, std::uint32_t rank, std::uint32_t axes) {
        return rms_norm_forward_workspace(DType{dtype}, {pointer<std::uint32_t>(dims), rank}, axes);
      });
  function(
      "rmsNormForward(dtype, x, y, gamma, rstd, workspace, workspaceBytes, dims, rank, axes, epsilon)",
      +[](std::uint32_t dtype, Address x, Address y, Address gamma, Address rstd, Address workspace,
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
      });
  function(
      "rmsNormBackwardWorkspace(dtype, dims, rank, axes)",
      +[](std::uint32_t dtype, Address dims, std::uint32_t rank, std::uint32_t axes) {
        return rms_norm_backward_workspace(DType{dtype}, {pointer<std::uint32_t>(dims), rank}, axes);
      });
  function(
      "rmsNormBackward(dtype, dy, x, rstd, gamma, dx, dgamma, workspace, workspaceBytes, dims, rank, axes, "
      "firstGroup, last)",
      +[](std::uint32_t dtype, Address dy, Address x, Address rstd, Address gamma, Address dx, Address dgamma,
          Address workspace, std::size_t workspace_bytes, Address dims, std::uint32_t rank,
          std::uint32_t axes, std::size_t first_group, bool last) {
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
      });

  function(
      "skipLayerNormWorkspace(dtype, rows, cols)",
      +[](std::uint32_t dtype, std::size_t rows, std::size_t cols) {
        return skip_layer_norm_workspace(DType{dtype}, rows, cols);
      });
  function(
      "skipLayerNorm(dtype, x, skip, bias, gamma, beta, y, sum, mean, rstd, workspace, workspaceBytes, rows, "
      "cols, skipRows, firstRow, epsilon, rms)",
      +[](std::uint32_t dtype, Address x, Address skip, Address bias, Address gamma, Address beta, Address y,
          Address sum, Address mean, Address rstd, Address workspace, std::size_t workspace_bytes,
          std::size_t rows, std::size_t cols, std::size_t skip_rows, std::size_t first_row, double epsilon,
          bool rms) {
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
      });

  function(
      "unitNormForwardWorkspace(dtype, dims, rank, axes)",
      +[](std::uint32_t dtype, Address dims, std::uint32_t rank, std::uint32_t axes) {
        return unit_norm_forward_workspace(DType{dtype}, {pointer<std::uint32_t>(dims), rank}, axes);
      });
  function(
      "unitNormForward(dtype, x, y, rstd, workspace, workspaceBytes, dims, rank, axes, epsilon)",
      +[](std::uint32_t dtype, Address x, Address y, Address rstd, Address workspace,
          std::size_t workspace_bytes, Address dims, std::uint32_t rank, std::uint32_t axes, double epsilon) {
        return static_cast<std::int32_t>(unit_norm_forward({.dtype = DType{dtype},
                                                            .dims = {pointer<std::uint32_t>(dims), rank},
                                                            .axes = axes,
                                                            .epsilon = epsilon,
                                                            .x = pointer<void>(x),
                                                            .y = pointer<void>(y),
                                                            .rstd = pointer<void>(rstd),
                                                            .workspace = pointer<void>(workspace),
                                                            .workspace_bytes = workspace_bytes}));
      });
  function(
      "unitNormBackwardWorkspace(dtype, dims, rank, axes)",
      +[](std::uint32_t dtype, Address dims, std::uint32_t rank, std::uint32_t axes) {
        return unit_norm_backward_workspace(DType{dtype}, {pointer<std::uint32_t>(dims), rank}, axes);
      });
  function(
      "unitNormBackward(dtype, dy, x, rstd, dx, workspace, workspaceBytes, dims, rank, axes, "
      "epsilon, firstGroup, last)",
      +[](std::uint32_t dtype, Address dy, Address x, Address rstd, Address dx, Address workspace,
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
      });

  function(
      "spectralNormWorkspace(rows, cols)",
      +[](std::size_t rows, std::size_t cols) { return spectral_norm_workspace(rows, cols); });
  function(
      "spectralNormForward(dtype, kernel, u, y, uOut, v, sigma, workspace, workspaceBytes, rows, cols, "
      "powerIterations, epsilon)",
      +[](std::uint32_t dtype, Address kernel, Address u, Address y, Address u_out, Address v, Address sigma,
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
      });
  function(
      "spectralNormBackward(dtype, dy, kernel, u, v, sigma, dkernel, workspace, workspaceBytes, rows, cols)",
      +[](std::uint32_t dtype, Address dy, Address kernel, Address u, Address v, double sigma,
          Address dkernel, Address workspace, std::size_t workspace_bytes, std::size_t rows,
          std::size_t cols) {
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
      });
}
