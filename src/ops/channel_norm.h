// What batch, group and instance normalization share: statistics of groups of channels, an offset and a factor for each
// channel. Internal: the operations (ops/batch_norm.h, ops/group_norm.h) check what comes here.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/dtype.h"
#include "ops/channel_shape.h"
#include "simd/vector.h"

namespace layernorm {

// y = (x - mean) * rstd * gamma + beta with the statistics of each group.
struct ChannelForward {
  DType dtype;
  ChannelShape shape;
  double epsilon;
  const void* x;
  const void* gamma;  // one a channel, or null
  const void* beta;
  void* y;     // null: statistics only; x itself is allowed
  void* mean;  // one a group of each sample, or null, as the next two
  void* variance;
  void* rstd;
  // channel_forward_workspace() bytes, which one sample of innermost channels is faster with; or null.
  void* workspace = nullptr;
};

// SIZE_MAX when it is more than can be addressed, here and below.
std::size_t channel_forward_workspace(DType dtype, const ChannelShape& shape);

template <simd::Simd S>
void channel_forward(const ChannelForward& args);

// y = (x - mean) * rstd * gamma + beta with given statistics of each channel: `mean` and `rstd` in double.
struct ChannelAffine {
  DType dtype;
  ChannelShape shape;
  const double* mean;
  const double* rstd;
  const void* x;
  const void* gamma;
  const void* beta;
  void* y;
  void* workspace;  // channel_affine_workspace() bytes
};

std::size_t channel_affine_workspace(DType dtype, const ChannelShape& shape);

template <simd::Simd S>
void channel_affine(const ChannelAffine& args);

// Which elements of x count: element i when bytes[i / run] is not 0; all of them without bytes. A run is of one channel, or all
// channels of one place.
struct ChannelMask {
  const std::uint8_t* bytes = nullptr;
  std::size_t run = 1;
};

// The gradient of both. With g = dy * gamma and h = (x - mean) * rstd, sums over all elements of a group, masked ones as well:
//   dx = rstd * (g - w * (sum(g) + h * sum(g * h)) / count), w = 1 for elements that the statistics are made of, else 0;
//   dgamma += sum(dy * h), dbeta += sum(dy) of each channel.
struct ChannelBackward {
  DType dtype;
  ChannelShape shape;
  bool constant_statistics;  // w = 0 for all
  ChannelMask mask;
  const void* dy;
  const void* x;
  const void* mean;  // one a group of each sample
  const void* rstd;
  const void* gamma;
  void* dx;         // may be dy or x, or null
  double* sums;     // dgamma, then dbeta, one a channel each: what came before, to which this is added
  void* workspace;  // channel_backward_workspace() bytes
};

std::size_t channel_backward_workspace(DType dtype, const ChannelShape& shape);

template <simd::Simd S>
void channel_backward(const ChannelBackward& args);

// What a masked count is at least, so that nothing is divided by 0: Keras adds it to every count.
inline constexpr double kMaskedCountEpsilon = 1e-7;

}  // namespace layernorm
