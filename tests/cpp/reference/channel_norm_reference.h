// Batch, group and instance normalization and their gradients as the formulas read, in more precision than the type under test.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ops/channel_shape.h"

namespace layernorm::test {

// Where element `at` of [batch, before, channels, after] belongs.
struct ChannelPlace {
  ChannelPlace(const ChannelShape& shape, std::size_t at)
      : channel(at / shape.after % shape.channels),
        group(at / shape.sample_stride() * shape.groups + channel / shape.per_group()) {}

  std::size_t channel;
  std::size_t group;  // of all samples
};

template <class Wide>
struct ChannelReference {
  std::vector<Wide> y, mean, variance, rstd;
};

// `counts` says which elements the statistics are made of; all without it. `extra` is added to their number.
template <class Wide, class T, class P>
ChannelReference<Wide> channel_norm_reference(const std::vector<T>& x, const ChannelShape& shape,
                                              double epsilon, const std::vector<P>& gamma = {},
                                              const std::vector<P>& beta = {},
                                              const std::vector<bool>& counts = {}, double extra = 0) {
  const std::size_t groups = shape.all_groups();
  ChannelReference<Wide> out{std::vector<Wide>(x.size()), std::vector<Wide>(groups),
                             std::vector<Wide>(groups), std::vector<Wide>(groups)};
  const auto kept = [&](std::size_t at) { return counts.empty() || counts[at]; };
  const auto group = [&](std::size_t at) { return ChannelPlace(shape, at).group; };
  std::vector<Wide> n(groups, static_cast<Wide>(extra)), rest(groups);
  for (std::size_t at = 0; at < x.size(); ++at) n[group(at)] += kept(at);
  for (std::size_t at = 0; at < x.size(); ++at) {
    if (kept(at)) out.mean[group(at)] += static_cast<Wide>(x[at]) / n[group(at)];
  }
  // The second term of the mean, as in layer_norm_reference.h; a masked mean is not that of its elements, which `extra` moves.
  for (std::size_t at = 0; at < x.size() && extra == 0; ++at) {
    if (kept(at)) rest[group(at)] += (x[at] - out.mean[group(at)]) / n[group(at)];
  }
  for (std::size_t at = 0; at < x.size(); ++at) {
    const Wide deviation = (x[at] - out.mean[group(at)]) - rest[group(at)];
    if (kept(at)) out.variance[group(at)] += deviation * deviation / n[group(at)];
  }
  for (std::size_t g = 0; g < groups; ++g) {
    out.rstd[g] = 1 / std::sqrt(out.variance[g] + static_cast<Wide>(epsilon));
  }
  for (std::size_t at = 0; at < x.size(); ++at) {
    const ChannelPlace place(shape, at);
    Wide value = ((x[at] - out.mean[place.group]) - rest[place.group]) * out.rstd[place.group];
    if (!gamma.empty()) value *= gamma[place.channel];
    if (!beta.empty()) value += beta[place.channel];
    out.y[at] = value;
  }
  return out;
}

template <class Wide>
struct ChannelGradients {
  std::vector<Wide> dx, dgamma, dbeta;
};

template <class Wide, class T, class P>
ChannelGradients<Wide> channel_norm_backward_reference(const std::vector<T>& dy, const std::vector<T>& x,
                                                       const ChannelShape& shape, const std::vector<P>& mean,
                                                       const std::vector<P>& rstd,
                                                       const std::vector<P>& gamma, bool training = true,
                                                       const std::vector<bool>& counts = {},
                                                       double extra = 0) {
  const std::size_t groups = shape.all_groups();
  ChannelGradients<Wide> out{std::vector<Wide>(x.size()), std::vector<Wide>(shape.channels),
                             std::vector<Wide>(shape.channels)};
  std::vector<Wide> n(groups, static_cast<Wide>(extra)), sum_g(groups), sum_gh(groups);
  const auto h = [&](std::size_t at, std::size_t g) {
    return (static_cast<Wide>(x[at]) - static_cast<Wide>(mean[g])) * static_cast<Wide>(rstd[g]);
  };
  const auto g_of = [&](std::size_t at, std::size_t channel) {
    return static_cast<Wide>(dy[at]) * (gamma.empty() ? Wide{1} : static_cast<Wide>(gamma[channel]));
  };
  const auto kept = [&](std::size_t at) { return counts.empty() || counts[at]; };
  for (std::size_t at = 0; at < x.size(); ++at) {
    const ChannelPlace place(shape, at);
    n[place.group] += kept(at);
    out.dgamma[place.channel] += static_cast<Wide>(dy[at]) * h(at, place.group);
    out.dbeta[place.channel] += static_cast<Wide>(dy[at]);
    sum_g[place.group] += g_of(at, place.channel);
    sum_gh[place.group] += g_of(at, place.channel) * h(at, place.group);
  }
  for (std::size_t at = 0; at < x.size(); ++at) {
    const ChannelPlace place(shape, at);
    const std::size_t g = place.group;
    Wide value = g_of(at, place.channel);
    if (training && kept(at)) value -= (sum_g[g] + h(at, g) * sum_gh[g]) / n[g];
    out.dx[at] = static_cast<Wide>(rstd[g]) * value;
  }
  return out;
}

}  // namespace layernorm::test
