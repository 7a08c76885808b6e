#include <cstddef>

#include "ops/channel_lines.h"
#include "ops/channel_norm.h"
#include "ops/parameter.h"
#include "ops/row_gradient.h"
#include "ops/row_moments.h"
#include "ops/storage.h"
#include "parallel/thread_pool.h"
#include "simd/build.h"
#include "simd/row_ops.h"

namespace layernorm {
namespace {

// Lines whose sums are added in T before they go into double, as in ops/layer_norm_backward.cpp.
inline constexpr std::size_t kLinesPerSum = 64;

template <class T>
struct Gradient {
  Gradient(const Storage<T>& given, const ChannelBackward& args)
      : storage(given),
        shape(args.shape),
        constant(args.constant_statistics),
        mask(args.mask),
        dy(args.dy),
        x(args.x),
        mean(static_cast<const T*>(args.mean)),
        rstd(static_cast<const T*>(args.rstd)),
        gamma(static_cast<const T*>(args.gamma)),
        dx(args.dx) {}

  double gamma_of(std::size_t channel) const {
    return gamma == nullptr ? 1 : static_cast<double>(gamma[channel]);
  }
  bool counts(std::size_t element) const {
    return mask.bytes == nullptr || mask.bytes[element / mask.run] != 0;
  }

  // Element `at` of each.
  const void* dy_at(std::size_t at) const { return storage.at(dy, at); }
  const void* x_at(std::size_t at) const { return storage.at(x, at); }
  void* dx_at(std::size_t at) const { return storage.at(dx, at); }

  Storage<T> storage;
  ChannelShape shape;
  bool constant;
  ChannelMask mask;
  const void* dy;
  const void* x;
  const T* mean;
  const T* rstd;
  const T* gamma;
  void* dx;
};

// How dx follows from dy and h = (x - mean) * rstd in one channel: dx = rstd * ((dy * gamma + h * from_h) + from_g).
template <class T>
struct Slope {
  T mean;
  T rstd;
  T gamma;
  T from_h;
  T from_g;
};

// ---- One channel at a time: segments of neighbouring elements ----

// Sums of dy and of dy * h.
struct SegmentSums {
  double dy = 0;
  double dyh = 0;
};

// Adds `count` elements of one channel.
template <simd::Simd S, class T>
[[gnu::noinline]] void add_segment(const T* dy, const T* x, std::size_t count, T mean, T rstd,
                                   SegmentSums& sums) {
  using V = simd::VectorOf<S, T>;
  constexpr std::size_t kQuad = 4 * V::lanes;
  const V mean_at = V::splat(mean), rstd_at = V::splat(rstd);
  RowTotal<S, T> total, total_h;
  T last_dy[kQuad], last_x[kQuad];
  while (count > 0) {
    if (count < kQuad) {
      // Where elements are missing dy = 0 and h = 0: an infinite h would not vanish.
      simd::copy_padded<V>(dy, count, V::splat(0), last_dy);
      simd::copy_padded<V>(x, count, mean_at, last_x);
      dy = last_dy;
      x = last_x;
      count = kQuad;
    }
    const std::size_t quads = count < kBlock ? count / kQuad : kBlock / kQuad;
    V sum = V::splat(0), sum_h = V::splat(0);
    LAYERNORM_NO_UNROLL
    for (std::size_t quad = 0; quad < quads; ++quad, dy += kQuad, x += kQuad) {
      V d[4], dh[4];
      LAYERNORM_UNROLL
      for (std::size_t j = 0; j < 4; ++j) {
        d[j] = V::load(dy + j * V::lanes);
        dh[j] = d[j] * ((V::load(x + j * V::lanes) - mean_at) * rstd_at);
      }
      sum = sum + ((d[0] + d[1]) + (d[2] + d[3]));
      sum_h = sum_h + ((dh[0] + dh[1]) + (dh[2] + dh[3]));
    }
    count -= quads * kQuad;
    total.add(sum);
    total_h.add(sum_h);
  }
  sums.dy += total.value();
  sums.dyh += total_h.value();
}

template <simd::Simd S, class T>
[[gnu::noinline]] void write_segment(const T* dy, const T* x, T* dx, std::size_t count,
                                     const Slope<T>& slope) {
  const Slope<T> s = slope;
  simd::for_each_vector<simd::VectorOf<S, T>, T, 2>(count, [=]<class W>(std::size_t i) {
    const W h = (W::load(x + i) - W::splat(s.mean)) * W::splat(s.rstd);
    const W g = W::load(dy + i) * W::splat(s.gamma) + h * W::splat(s.from_h);
    ((g + W::splat(s.from_g)) * W::splat(s.rstd)).store(dx + i);
  });
}

// Elements of group g of one sample that its statistics are made of.
template <class T>
double counted(const Gradient<T>& p, std::size_t g) {
  const ChannelShape& shape = p.shape;
  if (p.mask.bytes == nullptr) return static_cast<double>(shape.group_elements());
  std::size_t count = 0;
  if (shape.after == 1) {
    for (std::size_t a = 0; a < shape.before; ++a) count += p.counts(a * shape.channels);
  } else {
    for (std::size_t a = 0; a < shape.before; ++a) {
      const std::size_t at = (a * shape.channels + g) * shape.after;
      for (std::size_t i = 0; i < shape.after; i += p.mask.run) count += p.counts(at + i) ? p.mask.run : 0;
    }
  }
  return static_cast<double>(count) + kMaskedCountEpsilon;
}

// Groups first .. last of all samples. dgamma and dbeta of a channel are added in the order of the samples.
template <simd::Simd S, class T>
void backward_segments(const Gradient<T>& p, std::size_t first, std::size_t last, const double* before,
                       double* sums) {
  const ChannelShape& shape = p.shape;
  const std::size_t per_group = shape.per_group(), after = shape.after;
  for (std::size_t g = first; g < last; ++g) {
    const std::size_t channel = g * per_group;
    double *dgamma = sums + channel, *dbeta = sums + shape.channels + channel;
    for (std::size_t k = 0; k < per_group; ++k) {
      dgamma[k] = before[channel + k];
      dbeta[k] = before[shape.channels + channel + k];
    }
    const double count = counted(p, g);
    for (std::size_t n = 0; n < shape.batch; ++n) {
      const std::size_t at = shape.group_offset(n, g);
      const T mean = p.mean[n * shape.groups + g], rstd = p.rstd[n * shape.groups + g];
      double sum_g = 0, sum_gh = 0;
      for (std::size_t k = 0; k < per_group; ++k) {
        SegmentSums of_channel;
        for (std::size_t a = 0; a < shape.before; ++a) {
          const std::size_t segment = at + a * shape.before_stride() + k * after;
          p.storage.read(p.dy_at(segment), p.x_at(segment), after,
                         [&](const T* dy, const T* x, std::size_t length, std::size_t) {
                           add_segment<S>(dy, x, length, mean, rstd, of_channel);
                         });
        }
        dgamma[k] += of_channel.dyh;
        dbeta[k] += of_channel.dy;
        sum_g += p.gamma_of(channel + k) * of_channel.dy;
        sum_gh += p.gamma_of(channel + k) * of_channel.dyh;
      }
      if (p.dx == nullptr) continue;
      Slope<T> slope{mean, rstd, 1, static_cast<T>(-sum_gh / count), static_cast<T>(-sum_g / count)};
      const std::size_t run = p.mask.bytes == nullptr ? after : p.mask.run;
      for (std::size_t a = 0; a < shape.before; ++a) {
        for (std::size_t k = 0; k < per_group; ++k) {
          slope.gamma = static_cast<T>(p.gamma_of(channel + k));
          const std::size_t segment = at + a * shape.before_stride() + k * after;
          for (std::size_t i = segment; i < segment + after; i += run) {
            if (p.constant || !p.counts(i)) {
              apply_segment<S>(p.storage, p.dy_at(i), p.dx_at(i), run, Affine<T>(rstd, slope.gamma));
              continue;
            }
            p.storage.map(p.dy_at(i), p.x_at(i), p.dx_at(i), run,
                          [&](const T* dy, const T* x, T* dx, std::size_t length, std::size_t) {
                            write_segment<S>(dy, x, dx, length, slope);
                          });
          }
        }
      }
    }
  }
}

// ---- All channels side by side: lines of innermost channels ----

// What lines of channels need, an element each: sums in T over some lines, in double over a sample, and the slopes.
template <class T>
struct LineSums {
  static std::size_t bytes_each() { return 2 * sizeof(double) + 7 * sizeof(T); }

  LineSums(void* data, std::size_t channels)
      : dy_total(static_cast<double*>(data)),
        dyh_total(dy_total + channels),
        dy(reinterpret_cast<T*>(dyh_total + channels)),
        dyh(dy + channels),
        mean(dyh + channels),
        rstd(mean + channels),
        gamma(rstd + channels),
        from_h(gamma + channels),
        from_g(from_h + channels) {}

  double* dy_total;
  double* dyh_total;
  T* dy;
  T* dyh;
  T* mean;
  T* rstd;
  T* gamma;
  T* from_h;
  T* from_g;
};

// Adds Lines lines, `stride` elements apart, whose first elements are of `channel`: so many at a time that their sums are
// loaded and stored half as often as they are.
template <simd::Simd S, std::size_t Lines, class T>
[[gnu::noinline]] void add_lines(const T* dy, const T* x, std::size_t stride, std::size_t channel,
                                 std::size_t count, const LineSums<T>& sums) {
  const T *mean = sums.mean + channel, *rstd = sums.rstd + channel;
  T *sum = sums.dy + channel, *sum_h = sums.dyh + channel;
  simd::for_each_vector<simd::VectorOf<S, T>, T, 1>(count, [=]<class W>(std::size_t i) {
    const W m = W::load(mean + i), r = W::load(rstd + i);
    W total = W::load(sum + i), total_h = W::load(sum_h + i);
    LAYERNORM_UNROLL
    for (std::size_t line = 0; line < Lines; ++line) {
      const W d = W::load(dy + line * stride + i), h = (W::load(x + line * stride + i) - m) * r;
      total = total + d;
      total_h = total_h + d * h;
    }
    total.store(sum + i);
    total_h.store(sum_h + i);
  });
}

template <simd::Simd S, std::size_t Lines, class T>
[[gnu::noinline]] void write_lines(const T* dy, const T* x, T* dx, std::size_t stride, std::size_t channel,
                                   std::size_t count, const LineSums<T>& sums) {
  const T *mean = sums.mean + channel, *rstd = sums.rstd + channel, *gamma = sums.gamma + channel;
  const T *from_h = sums.from_h + channel, *from_g = sums.from_g + channel;
  simd::for_each_vector<simd::VectorOf<S, T>, T, 1>(count, [=]<class W>(std::size_t i) {
    const W m = W::load(mean + i), r = W::load(rstd + i), scale = W::load(gamma + i);
    const W of_h = W::load(from_h + i), of_g = W::load(from_g + i);
    LAYERNORM_UNROLL
    for (std::size_t line = 0, at = i; line < Lines; ++line, at += stride) {
      const W h = (W::load(x + at) - m) * r;
      (((W::load(dy + at) * scale + h * of_h) + of_g) * r).store(dx + at);
    }
  });
}

// Where statistics are constants.
template <simd::Simd S, class T>
[[gnu::noinline]] void scale_line(const T* dy, T* dx, std::size_t channel, std::size_t count,
                                  const LineSums<T>& sums) {
  const T *rstd = sums.rstd + channel, *gamma = sums.gamma + channel;
  simd::for_each_vector<simd::VectorOf<S, T>, T, 2>(count, [=]<class W>(std::size_t i) {
    (W::load(dy + i) * (W::load(rstd + i) * W::load(gamma + i))).store(dx + i);
  });
}

// Groups first .. last of all samples.
template <simd::Simd S, class T>
void backward_lines(const Gradient<T>& p, std::size_t first, std::size_t last, const double* before,
                    double* totals, const LineSums<T>& sums) {
  const ChannelShape& shape = p.shape;
  const std::size_t per_group = shape.per_group(), channel = first * per_group, end = last * per_group;
  const std::size_t width = end - channel;
  double *dgamma = totals, *dbeta = totals + shape.channels;
  const bool together = takes_lines_together(p.storage, shape.elements());
  const double count = counted(p, first);  // the same for all: a mask has lines of all channels
  for (std::size_t c = channel; c < end; ++c) {
    dgamma[c] = before[c];
    dbeta[c] = before[shape.channels + c];
    sums.gamma[c] = static_cast<T>(p.gamma_of(c));
  }
  for (std::size_t n = 0; n < shape.batch; ++n) {
    const std::size_t at = n * shape.sample_stride() + channel;
    for (std::size_t c = channel; c < end; ++c) {
      sums.mean[c] = p.mean[n * shape.groups + c / per_group];
      sums.rstd[c] = p.rstd[n * shape.groups + c / per_group];
      sums.dy_total[c] = sums.dyh_total[c] = 0;
    }
    for (std::size_t a = 0; a < shape.before;) {
      const std::size_t stop = shape.before - a < kLinesPerSum ? shape.before : a + kLinesPerSum;
      for (std::size_t c = channel; c < end; ++c) sums.dy[c] = sums.dyh[c] = 0;
      for (; together && a + kLinesTogether <= stop; a += kLinesTogether) {
        const std::size_t line = at + a * shape.channels;
        add_lines<S, kLinesTogether>(static_cast<const T*>(p.dy_at(line)),
                                     static_cast<const T*>(p.x_at(line)), shape.channels, channel, width,
                                     sums);
      }
      for (; a < stop; ++a) {
        const std::size_t line = at + a * shape.channels;
        p.storage.read(p.dy_at(line), p.x_at(line), width,
                       [&](const T* dy, const T* x, std::size_t length, std::size_t done) {
                         add_lines<S, 1>(dy, x, 0, channel + done, length, sums);
                       });
      }
      for (std::size_t c = channel; c < end; ++c) {
        sums.dy_total[c] += static_cast<double>(sums.dy[c]);
        sums.dyh_total[c] += static_cast<double>(sums.dyh[c]);
      }
    }
    for (std::size_t group = channel; group < end; group += per_group) {
      double sum_g = 0, sum_gh = 0;
      for (std::size_t c = group; c < group + per_group; ++c) {
        dgamma[c] += sums.dyh_total[c];
        dbeta[c] += sums.dy_total[c];
        sum_g += p.gamma_of(c) * sums.dy_total[c];
        sum_gh += p.gamma_of(c) * sums.dyh_total[c];
      }
      for (std::size_t c = group; c < group + per_group; ++c) {
        sums.from_g[c] = static_cast<T>(-sum_g / count);
        sums.from_h[c] = static_cast<T>(-sum_gh / count);
      }
    }
    std::size_t a = p.dx == nullptr ? shape.before : 0;
    if (together && !p.constant && p.mask.bytes == nullptr) {
      for (; a + kLinesTogether <= shape.before; a += kLinesTogether) {
        const std::size_t line = at + a * shape.channels;
        write_lines<S, kLinesTogether>(static_cast<const T*>(p.dy_at(line)),
                                       static_cast<const T*>(p.x_at(line)), static_cast<T*>(p.dx_at(line)),
                                       shape.channels, channel, width, sums);
      }
    }
    for (; a < shape.before; ++a) {
      const std::size_t line = at + a * shape.channels;
      const bool counts = !p.constant && p.counts(line);
      p.storage.map(p.dy_at(line), p.x_at(line), p.dx_at(line), width,
                    [&](const T* dy, const T* x, T* dx, std::size_t length, std::size_t done) {
                      counts ? write_lines<S, 1>(dy, x, dx, length, channel + done, length, sums)
                             : scale_line<S>(dy, dx, channel + done, length, sums);
                    });
    }
  }
}

// Groups first .. last of all samples, each of which is a row: channels are all that there is in a sample.
template <simd::Simd S, class T>
void backward_rows(const Gradient<T>& p, std::size_t first, std::size_t last, const double* before,
                   double* totals, const LineSums<T>& sums) {
  const ChannelShape& shape = p.shape;
  const std::size_t cols = shape.per_group();
  const double count = static_cast<double>(cols);
  const T *dy = static_cast<const T*>(p.dy), *x = static_cast<const T*>(p.x);
  T* dx = static_cast<T*>(p.dx);
  for (std::size_t g = first; g < last; ++g) {
    const std::size_t channel = g * cols;
    const Parameter<T> gamma(p.gamma == nullptr ? nullptr : p.gamma + channel, 1);
    double *dgamma = totals + channel, *dbeta = dgamma + shape.channels;
    for (std::size_t k = 0; k < cols; ++k) {
      dgamma[k] = before[channel + k];
      dbeta[k] = before[shape.channels + channel + k];
    }
    for (std::size_t n = 0; n < shape.batch; ++n) {
      const std::size_t at = n * shape.channels + channel, group = n * shape.groups + g;
      T *row_dy = sums.dy + channel, *row_dyh = sums.dyh + channel;
      for (std::size_t k = 0; k < cols; ++k) row_dy[k] = row_dyh[k] = 0;
      const T mean = p.mean[group], rstd = p.rstd[group];
      const auto row = sum_row<Kind::deviation, S>(dy + at, x + at, gamma, cols, mean, rstd, row_dyh, row_dy);
      promote<S>(row_dyh, cols, dgamma);
      promote<S>(row_dy, cols, dbeta);
      if (dx == nullptr) continue;
      write_dx<S>(dy + at, x + at, gamma, dx + at, cols, mean, rstd, static_cast<T>(-row.gh.value() / count),
                  static_cast<T>(-row.g.value() / count));
    }
  }
}

// What lies in the workspace: the sums of dgamma and dbeta as this call leaves them, then what lines need.
std::size_t workspace_bytes_each(DType dtype) {
  return 2 * sizeof(double) + (parameter_dtype(dtype) == DType::float32 ? LineSums<float>::bytes_each()
                                                                        : LineSums<double>::bytes_each());
}

}  // namespace

std::size_t channel_backward_workspace(DType dtype, const ChannelShape& shape) {
  std::size_t bytes = 0;
  return __builtin_mul_overflow(shape.channels, workspace_bytes_each(dtype), &bytes) ? SIZE_MAX : bytes;
}

template <simd::Simd S>
void channel_backward(const ChannelBackward& args) {
  const ChannelShape& shape = args.shape;
  if (shape.elements() == 0) return;
  with_storage<S>(args.dtype, [&]<class T>(const Storage<T>& storage) {
    const Gradient<T> p(storage, args);
    double* const totals = static_cast<double*>(args.workspace);
    const LineSums<T> sums(totals + 2 * shape.channels, shape.channels);
    const std::size_t elements = shape.batch * shape.group_elements(), size = storage.element_size();
    const std::size_t group_piece = shape.per_group() * shape.after;
    const bool in_place = p.dx != nullptr && (p.dx == p.dy || p.dx == p.x);
    for_each_range(
        Partition::of(shape.groups, elements),
        [&](std::size_t first, std::size_t last) {
          // A row has no elements that do not count, and its statistics are its own.
          const bool plain = !p.constant && p.mask.bytes == nullptr && !storage.converts();
          if (shape.after == 1 && shape.before == 1 && plain) {
            backward_rows<S>(p, first, last, args.sums, totals, sums);
          } else if (shape.after == 1) {
            backward_lines<S>(p, first, last, args.sums, totals, sums);
          } else {
            backward_segments<S>(p, first, last, args.sums, totals);
          }
        },
        in_place ? elements * size : 0,
        [&](std::size_t first, std::size_t last, std::byte* saved, bool restore) {
          for (std::size_t a = 0; a < shape.batch * shape.before; ++a) {
            const std::size_t at = a * shape.before_stride() + first * group_piece;
            copy_saved(p.dx_at(at), (last - first) * group_piece * size, saved, restore);
          }
        });
    for (std::size_t c = 0; c < 2 * shape.channels; ++c) args.sums[c] = totals[c];
  });
}

#define LAYERNORM_INSTANTIATE(S) template void channel_backward<S>(const ChannelBackward&);
LAYERNORM_FOR_EACH_SIMD(LAYERNORM_INSTANTIATE)
#undef LAYERNORM_INSTANTIATE

}  // namespace layernorm
