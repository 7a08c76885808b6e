// The gradient of layer normalization as the formulas read, in more precision than the type under test: the
// oracle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "reference/grouping.h"

namespace layernorm::test {

template <class Wide>
struct BackwardReference {
  std::vector<Wide> dx;
  std::vector<Wide> dgamma;
  std::vector<Wide> dbeta;
};

// `mean` and `rstd` as they were saved, so that only the gradient's own error counts.
template <class Wide, class T>
BackwardReference<Wide> layer_norm_backward_reference(const std::vector<T>& dy, const std::vector<T>& x,
                                                      const std::vector<std::uint32_t>& dims,
                                                      std::uint32_t axes, const std::vector<T>& mean,
                                                      const std::vector<T>& rstd, const std::vector<T>& gamma,
                                                      bool rms_scaling) {
  const Grouping grouping(dims, axes);
  BackwardReference<Wide> out{std::vector<Wide>(x.size()), std::vector<Wide>(grouping.places),
                              std::vector<Wide>(grouping.places)};
  std::vector<Wide> sum_g(grouping.groups), sum_gh(grouping.groups);
  const auto g_at = [&](std::size_t at) {
    return gamma.empty() ? Wide{dy[at]} : Wide{dy[at]} * gamma[grouping.place[at]];
  };
  const auto h_at = [&](std::size_t at) {
    const std::size_t group = grouping.group[at];
    return (Wide{x[at]} - (rms_scaling ? Wide{0} : Wide{mean[group]})) * rstd[group];
  };
  for (std::size_t at = 0; at < x.size(); ++at) {
    sum_g[grouping.group[at]] += g_at(at);
    sum_gh[grouping.group[at]] += g_at(at) * h_at(at);
    out.dgamma[grouping.place[at]] += dy[at] * h_at(at);
    out.dbeta[grouping.place[at]] += dy[at];
  }
  const Wide count = static_cast<Wide>(grouping.places);
  for (std::size_t at = 0; at < x.size(); ++at) {
    const std::size_t group = grouping.group[at];
    const Wide r = rstd[group], centred = (Wide{x[at]} - mean[group]) * r;
    out.dx[at] =
        r * (g_at(at) - (rms_scaling ? Wide{0} : sum_g[group] / count) - centred * sum_gh[group] / count);
  }
  return out;
}

}  // namespace layernorm::test
