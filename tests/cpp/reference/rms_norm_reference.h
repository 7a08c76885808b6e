// RMS normalization and its gradient as the formulas read, in more precision than the type under test: the oracle.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "reference/grouping.h"

namespace layernorm::test {

template <class Wide>
struct RmsNormReference {
  std::vector<Wide> y, rstd, dx, dgamma;
};

// Both for one upstream gradient; `gamma` may be empty. The gradient takes the exact rstd.
template <class Wide, class T>
RmsNormReference<Wide> rms_norm_reference(const std::vector<T>& x, const std::vector<T>& dy,
                                          const std::vector<std::uint32_t>& dims, std::uint32_t axes,
                                          double epsilon, const std::vector<T>& gamma) {
  const Grouping grouping(dims, axes);
  const std::vector<std::size_t>&group = grouping.group, &place = grouping.place;
  const Wide count = static_cast<Wide>(grouping.places);
  RmsNormReference<Wide> out{std::vector<Wide>(x.size()), std::vector<Wide>(grouping.groups),
                             std::vector<Wide>(x.size()), std::vector<Wide>(grouping.places)};
  const auto gamma_at = [&](std::size_t at) { return gamma.empty() ? Wide{1} : Wide{gamma[place[at]]}; };
  std::vector<Wide> power(grouping.groups), mean_gh(grouping.groups);
  for (std::size_t at = 0; at < x.size(); ++at) power[group[at]] += Wide{x[at]} * x[at] / count;
  for (std::size_t g = 0; g < grouping.groups; ++g) {
    out.rstd[g] = 1 / std::sqrt(power[g] + static_cast<Wide>(epsilon));
  }
  for (std::size_t at = 0; at < x.size(); ++at) {
    const Wide h = x[at] * out.rstd[group[at]];
    out.y[at] = h * gamma_at(at);
    mean_gh[group[at]] += dy[at] * gamma_at(at) * h / count;
    out.dgamma[place[at]] += dy[at] * h;
  }
  for (std::size_t at = 0; at < x.size(); ++at) {
    const Wide r = out.rstd[group[at]];
    out.dx[at] = r * (dy[at] * gamma_at(at) - x[at] * r * mean_gh[group[at]]);
  }
  return out;
}

}  // namespace layernorm::test
