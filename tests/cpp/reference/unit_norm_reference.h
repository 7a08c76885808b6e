// Unit normalization and its gradient as the formulas read, in more precision than the type under test: the oracle.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "reference/grouping.h"

namespace layernorm::test {

template <class Wide>
struct UnitNormReference {
  std::vector<Wide> y, rstd, dx;
};

// Both for one upstream gradient. The gradient takes the exact rstd.
template <class Wide, class T>
UnitNormReference<Wide> unit_norm_reference(const std::vector<T>& x, const std::vector<T>& dy,
                                            const std::vector<std::uint32_t>& dims, std::uint32_t axes,
                                            double epsilon) {
  const Grouping grouping(dims, axes);
  const std::vector<std::size_t>& group = grouping.group;
  UnitNormReference<Wide> out{std::vector<Wide>(x.size()), std::vector<Wide>(grouping.groups),
                              std::vector<Wide>(x.size())};
  std::vector<Wide> squares(grouping.groups), sum(grouping.groups);
  for (std::size_t at = 0; at < x.size(); ++at) squares[group[at]] += Wide{x[at]} * x[at];
  for (std::size_t g = 0; g < grouping.groups; ++g) {
    out.rstd[g] = 1 / std::fmax(std::sqrt(squares[g]), static_cast<Wide>(epsilon));
  }
  for (std::size_t at = 0; at < x.size(); ++at) {
    out.y[at] = x[at] * out.rstd[group[at]];
    sum[group[at]] += dy[at] * out.y[at];
  }
  for (std::size_t at = 0; at < x.size(); ++at) {
    const std::size_t g = group[at];
    const bool clamped = std::sqrt(squares[g]) <= static_cast<Wide>(epsilon);
    out.dx[at] = out.rstd[g] * (clamped ? Wide{dy[at]} : dy[at] - out.y[at] * sum[g]);
  }
  return out;
}

}  // namespace layernorm::test
