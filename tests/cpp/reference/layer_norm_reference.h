// Layer normalization as the formula reads, in more precision than the type under test: the oracle.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "reference/grouping.h"

namespace layernorm::test {

template <class Wide>
struct Reference {
  std::vector<Wide> y;
  std::vector<Wide> mean;
  std::vector<Wide> rstd;
};

// Plain loops over `dims` with the bits of `axes` reduced; Wide is double for float and long double for
// double.
template <class Wide, class T>
Reference<Wide> layer_norm_reference(const std::vector<T>& x, const std::vector<std::uint32_t>& dims,
                                     std::uint32_t axes, double epsilon, const std::vector<T>& gamma = {},
                                     const std::vector<T>& beta = {}, bool rms_scaling = false) {
  const Grouping grouping(dims, axes);
  const std::vector<std::size_t>&group = grouping.group, &place = grouping.place;
  const std::size_t groups = grouping.groups, places = grouping.places;
  Reference<Wide> out{std::vector<Wide>(x.size()), std::vector<Wide>(groups), std::vector<Wide>(groups)};
  const Wide count = static_cast<Wide>(places);
  for (std::size_t at = 0; at < x.size(); ++at) out.mean[group[at]] += static_cast<Wide>(x[at]) / count;
  // A mean of one term is off by up to half an ulp of Wide, which is much against the deviations of rows far
  // from zero: its second term is the mean of what it leaves.
  std::vector<Wide> rest(groups);
  for (std::size_t at = 0; at < x.size(); ++at) rest[group[at]] += (x[at] - out.mean[group[at]]) / count;

  std::vector<Wide> variance(groups);
  for (std::size_t at = 0; at < x.size(); ++at) {
    const Wide deviation = (x[at] - out.mean[group[at]]) - rest[group[at]];
    variance[group[at]] += deviation * deviation / count;
  }
  for (std::size_t g = 0; g < groups; ++g)
    out.rstd[g] = 1 / std::sqrt(variance[g] + static_cast<Wide>(epsilon));
  for (std::size_t at = 0; at < x.size(); ++at) {
    const std::size_t g = group[at], i = place[at];
    Wide value = (rms_scaling ? Wide{x[at]} : (x[at] - out.mean[g]) - rest[g]) * out.rstd[g];
    if (!gamma.empty()) value *= gamma[i];
    if (!beta.empty()) value += beta[i];
    out.y[at] = value;
  }
  return out;
}

// |value - expected| in units of the last place of max(|expected|, 1), for the type T of `value`.
template <class T, class Wide>
double ulp_error(T value, Wide expected) {
  if (std::isnan(value) || std::isnan(expected))
    return std::isnan(value) && std::isnan(expected) ? 0 : INFINITY;
  const T size = static_cast<T>(std::fmax(std::fabs(expected), Wide{1}));
  const T ulp = std::nextafter(size, static_cast<T>(INFINITY)) - size;
  return static_cast<double>(std::fabs(static_cast<Wide>(value) - expected) / static_cast<Wide>(ulp));
}

}  // namespace layernorm::test
