// The JavaScript names of the core: registrations only. Addresses travel as numbers, 0 is "absent".
#include <emscripten/bind.h>
#include <malloc.h>

#include <cstdint>
#include <cstdlib>

#include "calls.h"

#if defined(LAYERNORM_THREADS)
#include <emscripten/em_js.h>

#include "parallel/thread_pool.h"

// `Module` is the object that TypeScript handed to the glue.
EM_JS(int, layernorm_workers_gone, (double idle, double expected),
      { return Module["workersGone"](idle, expected); });
#endif

namespace {

using layernorm::calls::Address;
using layernorm::calls::pointer;

// A cache line, which also is more than any vector load wants.
constexpr std::size_t kAlignment = 64;

Address address(const void* data) { return reinterpret_cast<Address>(data); }

}  // namespace

EMSCRIPTEN_BINDINGS(layernorm) {
  using emscripten::function;
  using namespace layernorm;
  using namespace layernorm::calls;

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

  function("layerNormForwardWorkspace(dtype, dims, rank, axes)", layerNormForwardWorkspace);
  function(
      "layerNormForward(dtype, x, y, gamma, beta, mean, rstd, workspace, workspaceBytes, dims, rank, axes, "
      "epsilon, rmsScaling)",
      layerNormForward);
  function("layerNormBackwardWorkspace(dtype, dims, rank, axes)", layerNormBackwardWorkspace);
  function(
      "layerNormBackward(dtype, dy, x, mean, rstd, gamma, dx, dgamma, dbeta, workspace, workspaceBytes, "
      "dims, rank, axes, rmsScaling, firstGroup, last)",
      layerNormBackward);
  function("batchNormWorkspace(dtype, outer, channels, inner)", batchNormWorkspace);
  function(
      "batchNormForward(dtype, x, y, gamma, beta, mean, variance, rstd, mask, maskRun, workspace, "
      "workspaceBytes, outer, channels, inner, epsilon)",
      batchNormForward);
  function(
      "batchNormInference(dtype, x, y, gamma, beta, mean, variance, rstd, workspace, workspaceBytes, outer, "
      "channels, inner, epsilon)",
      batchNormInference);
  function(
      "batchNormBackward(dtype, dy, x, mean, rstd, gamma, mask, maskRun, dx, dgamma, dbeta, workspace, "
      "workspaceBytes, outer, channels, inner, training)",
      batchNormBackward);
  function(
      "groupNormForward(dtype, x, y, gamma, beta, mean, rstd, batch, before, channels, after, groups, "
      "epsilon)",
      groupNormForward);
  function("groupNormBackwardWorkspace(dtype, batch, before, channels, after, groups)",
           groupNormBackwardWorkspace);
  function(
      "groupNormBackward(dtype, dy, x, mean, rstd, gamma, dx, dgamma, dbeta, workspace, workspaceBytes, "
      "batch, before, channels, after, groups, first, last)",
      groupNormBackward);
  function("matryoshka(dtype, x, y, rows, cols, dimensions, epsilon)", calls::matryoshka);
  function("moments(dtype, x, mean, variance, dims, rank, axes)", calls::moments);
  function("rmsNormForwardWorkspace(dtype, dims, rank, axes)", rmsNormForwardWorkspace);
  function("rmsNormForward(dtype, x, y, gamma, rstd, workspace, workspaceBytes, dims, rank, axes, epsilon)",
           rmsNormForward);
  function("rmsNormBackwardWorkspace(dtype, dims, rank, axes)", rmsNormBackwardWorkspace);
  function(
      "rmsNormBackward(dtype, dy, x, rstd, gamma, dx, dgamma, workspace, workspaceBytes, dims, rank, axes, "
      "firstGroup, last)",
      rmsNormBackward);
  function("skipLayerNormWorkspace(dtype, rows, cols)", skipLayerNormWorkspace);
  function(
      "skipLayerNorm(dtype, x, skip, bias, gamma, beta, y, sum, mean, rstd, workspace, workspaceBytes, rows, "
      "cols, skipRows, firstRow, epsilon, rms)",
      skipLayerNorm);
  function("unitNormForwardWorkspace(dtype, dims, rank, axes)", unitNormForwardWorkspace);
  function("unitNormForward(dtype, x, y, rstd, workspace, workspaceBytes, dims, rank, axes, epsilon)",
           unitNormForward);
  function("unitNormBackwardWorkspace(dtype, dims, rank, axes)", unitNormBackwardWorkspace);
  function(
      "unitNormBackward(dtype, dy, x, rstd, dx, workspace, workspaceBytes, dims, rank, axes, epsilon, "
      "firstGroup, last)",
      unitNormBackward);
  function("spectralNormWorkspace(rows, cols)", spectralNormWorkspace);
  function(
      "spectralNormForward(dtype, kernel, u, y, uOut, v, sigma, workspace, workspaceBytes, rows, cols, "
      "powerIterations, epsilon)",
      spectralNormForward);
  function(
      "spectralNormBackward(dtype, dy, kernel, u, v, sigma, dkernel, workspace, workspaceBytes, rows, cols)",
      spectralNormBackward);
}
