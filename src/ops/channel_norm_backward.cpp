#include <cstddef>

#include "ops/channel_lines.h"
#include "ops/channel_norm.h"
#include "ops/row_moments.h"
#include "ops/storage.h"
#include "parallel/thread_pool.h"
#include "simd/build.h"
#include "simd/row_ops.h"

namespace layernorm {
namespace {

// Lines whose sums are added in T before they go into double, as in ops/normalize_backward.cpp.
inline constexpr std::size_t kLinesPerSum = 64;

template <class Storage>
struct Gradient {
  using T = typename Storage::Element;
  using Stored = typename Storage::Stored;

  Gradient(const Storage& given, const ChannelBackward& args)
      : storage(given),
        shape(args.shape),
        constant(args.constant_statistics),
        mask(args.mask),
        dy(static_cast<const Stored*>(args.dy)),
        x(static_cast<const Stored*>(args.x)),
        mean(static_cast<const T*>(args.mean)),
        rstd(static_cast<const T*>(args.rstd)),
        gamma(static_cast<const T*>(args.gamma)),
        dx(static_cast<Stored*>(args.dx)) {}

  double gamma_of(std::size_t channel) const {
    return gamma == nullptr ? 1 : static_cast<double>(gamma[channel]);
  }
  bool counts(std::size_t element) const {
    return mask.bytes == nullptr || mask.bytes[element / mask.run] != 0;
  }

  Storage storage;
  ChannelShape shape;
  bool constant;
  ChannelMask mask;
  const Stored* dy;
  const Stored* x;
  const T* mean;
  const T* rstd;
  const T* gamma;
  Stored* dx;
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

// Adds the sums of dy and of dy * h over `count` elements of one channel.
template <simd::Simd S, class Storage, class T = typename Storage::Element>
[[gnu::noinline]] void sum_segment(const Storage& storage, const typename Storage::Stored* dy,
                                   const typename Storage::Stored* x, std::size_t count, T mean, T rstd,
                                   double& sum_dy, double& sum_dyh) {
  using V = simd::VectorOf<S, T>;
  constexpr std::size_t kQuad = 4 * V::lanes;
  const V mean_at = V::splat(mean), rstd_at = V::splat(rstd);
  storage.read(dy, x, count, [&](const T* dys, const T* xs, std::size_t n, std::size_t) {
    RowTotal<S, T> total, total_h;
    const auto add_quads = [&](const T* from_dy, const T* from_x, std::size_t quads) {
      V sum = V::splat(0), sum_h = V::splat(0);
      LAYERNORM_NO_UNROLL
      for (std::size_t quad = 0; quad < quads; ++quad, from_dy += kQuad, from_x += kQuad) {
        V d[4], dh[4];
        LAYERNORM_UNROLL
        for (std::size_t j = 0; j < 4; ++j) {
          d[j] = V::load(from_dy + j * V::lanes);
          dh[j] = d[j] * ((V::load(from_x + j * V::lanes) - mean_at) * rstd_at);
        }
        sum = sum + ((d[0] + d[1]) + (d[2] + d[3]));
        sum_h = sum_h + ((dh[0] + dh[1]) + (dh[2] + dh[3]));
      }
      total.add(sum);
      total_h.add(sum_h);
    };
    std::size_t i = 0;
    for (; i + kBlock <= n; i += kBlock) add_quads(dys + i, xs + i, kBlock / kQuad);
    const std::size_t quads = (n - i) / kQuad;
    if (quads > 0) add_quads(dys + i, xs + i, quads);
    i += quads * kQuad;
    if (i < n) {
      // Where elements are missing dy = 0 and h = 0: an infinite h would not vanish.
      T last_dy[kQuad], last_x[kQuad];
      simd::copy_padded<V>(dys + i, n - i, V::splat(0), last_dy);
      simd::copy_padded<V>(xs + i, n - i, mean_at, last_x);
      add_quads(last_dy, last_x, 1);
    }
    sum_dy += total.value();
    sum_dyh += total_h.value();
  });
}

template <simd::Simd S, class Storage, class T = typename Storage::Element>
[[gnu::noinline]] void write_segment(const Storage& storage, const typename Storage::Stored* dy,
                                     const typename Storage::Stored* x, typename Storage::Stored* dx,
                                     std::size_t count, const Slope<T>& slope) {
  using V = simd::VectorOf<S, T>;
  const Slope<T> s = slope;
  storage.map(dy, x, dx, count, [=](const T* dys, const T* xs, T* dxs, std::size_t n, std::size_t) {
    simd::for_each_vector<V, T, 2>(n, [=]<class W>(std::size_t i) {
      const W h = (W::load(xs + i) - W::splat(s.mean)) * W::splat(s.rstd);
      const W g = W::load(dys + i) * W::splat(s.gamma) + h * W::splat(s.from_h);
      ((g + W::splat(s.from_g)) * W::splat(s.rstd)).store(dxs + i);
    });
  });
}

// Elements of group g of one sample that its statistics are made of.
template <class Storage>
double counted(const Gradient<Storage>& p, std::size_t g) {
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
template <simd::Simd S, class Storage>
void backward_segments(const Gradient<Storage>& p, std::size_t first, std::size_t last, const double* before,
                       double* sums) {
  using T = typename Storage::Element;
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
        double sum_dy = 0, sum_dyh = 0;
        for (std::size_t a = 0; a < shape.before; ++a) {
          const std::size_t segment = at + a * shape.before_stride() + k * after;
          sum_segment<S>(p.storage, p.dy + segment, p.x + segment, after, mean, rstd, sum_dy, sum_dyh);
        }
        dgamma[k] += sum_dyh;
        dbeta[k] += sum_dy;
        sum_g += p.gamma_of(channel + k) * sum_dy;
        sum_gh += p.gamma_of(channel + k) * sum_dyh;
      }
      if (p.dx == nullptr) continue;
      Slope<T> slope{mean, rstd, 1, static_cast<T>(-sum_gh / count), static_cast<T>(-sum_g / count)};
      for (std::size_t a = 0; a < shape.before; ++a) {
        for (std::size_t k = 0; k < per_group; ++k) {
          slope.gamma = static_cast<T>(p.gamma_of(channel + k));
          const std::size_t segment = at + a * shape.before_stride() + k * after;
          const std::size_t run = p.mask.bytes == nullptr ? after : p.mask.run;
          for (std::size_t i = segment; i < segment + after; i += run) {
            if (p.constant || !p.counts(i)) {
              const Affine<T> scale(rstd, slope.gamma);
              apply_segment<S>(p.storage, p.dy + i, p.dx + i, run, scale);
            } else {
              write_segment<S>(p.storage, p.dy + i, p.x + i, p.dx + i, run, slope);
            }
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

template <simd::Simd S, class Storage, class T>
[[gnu::noinline]] void sum_line(const Storage& storage, const typename Storage::Stored* dy,
                                const typename Storage::Stored* x, std::size_t channel, std::size_t width,
                                const LineSums<T>& sums) {
  using V = simd::VectorOf<S, T>;
  storage.read(dy, x, width, [=, &sums](const T* dys, const T* xs, std::size_t n, std::size_t first) {
    const std::size_t at = channel + first;
    const T *mean = sums.mean + at, *rstd = sums.rstd + at;
    T *sum = sums.dy + at, *sum_h = sums.dyh + at;
    simd::for_each_vector<V, T, 2>(n, [=]<class W>(std::size_t i) {
      const W d = W::load(dys + i), h = (W::load(xs + i) - W::load(mean + i)) * W::load(rstd + i);
      (W::load(sum + i) + d).store(sum + i);
      (W::load(sum_h + i) + d * h).store(sum_h + i);
    });
  });
}

template <simd::Simd S, class Storage, class T>
[[gnu::noinline]] void write_line(const Storage& storage, const typename Storage::Stored* dy,
                                  const typename Storage::Stored* x, typename Storage::Stored* dx,
                                  std::size_t channel, std::size_t width, const LineSums<T>& sums,
                                  bool counts) {
  using V = simd::VectorOf<S, T>;
  storage.map(dy, x, dx, width,
              [=, &sums](const T* dys, const T* xs, T* dxs, std::size_t n, std::size_t first) {
                const std::size_t at = channel + first;
                const T *mean = sums.mean + at, *rstd = sums.rstd + at, *gamma = sums.gamma + at;
                const T *from_h = sums.from_h + at, *from_g = sums.from_g + at;
                if (!counts) {
                  simd::for_each_vector<V, T, 2>(n, [=]<class W>(std::size_t i) {
                    (W::load(dys + i) * W::load(gamma + i) * W::load(rstd + i)).store(dxs + i);
                  });
                  return;
                }
                simd::for_each_vector<V, T, 1>(n, [=]<class W>(std::size_t i) {
                  const W r = W::load(rstd + i), h = (W::load(xs + i) - W::load(mean + i)) * r;
                  const W g = W::load(dys + i) * W::load(gamma + i) + h * W::load(from_h + i);
                  ((g + W::load(from_g + i)) * r).store(dxs + i);
                });
              });
}

// Groups first .. last of all samples.
template <simd::Simd S, class Storage>
void backward_lines(const Gradient<Storage>& p, std::size_t first, std::size_t last, const double* before,
                    double* totals, const LineSums<typename Storage::Element>& sums) {
  using T = typename Storage::Element;
  const ChannelShape& shape = p.shape;
  const std::size_t per_group = shape.per_group(), channel = first * per_group, end = last * per_group;
  const std::size_t width = end - channel;
  double *dgamma = totals, *dbeta = totals + shape.channels;
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
      for (; a < stop; ++a) {
        const std::size_t line = at + a * shape.channels;
        sum_line<S>(p.storage, p.dy + line, p.x + line, channel, width, sums);
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
    for (std::size_t a = 0; p.dx != nullptr && a < shape.before; ++a) {
      const std::size_t line = at + a * shape.channels;
      const bool counts = !p.constant && p.counts(line);
      write_line<S>(p.storage, p.dy + line, p.x + line, p.dx + line, channel, width, sums, counts);
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
  with_storage<S>(args.dtype, [&](const auto& storage) {
    using Storage = std::decay_t<decltype(storage)>;
    using Stored = typename Storage::Stored;
    const Gradient p(storage, args);
    double* const totals = static_cast<double*>(args.workspace);
    const LineSums<typename Storage::Element> sums(totals + 2 * shape.channels, shape.channels);
    const std::size_t per_group = shape.per_group(), elements = shape.batch * shape.group_elements();
    const bool in_place = p.dx != nullptr && (p.dx == p.dy || p.dx == p.x);
    for_each_range(
        Partition::of(shape.groups, elements),
        [&](std::size_t first, std::size_t last) {
          if (shape.after == 1) {
            backward_lines<S>(p, first, last, args.sums, totals, sums);
          } else {
            backward_segments<S>(p, first, last, args.sums, totals);
          }
        },
        in_place ? elements * sizeof(Stored) : 0,
        [&](std::size_t first, std::size_t last, std::byte* saved, bool restore) {
          const std::size_t piece = (last - first) * per_group * shape.after;
          Stored* at = p.dx + first * per_group * shape.after;
          for (std::size_t a = 0; a < shape.batch * shape.before; ++a, at += shape.before_stride()) {
            copy_saved(at, piece, saved, restore);
          }
        });
    for (std::size_t c = 0; c < 2 * shape.channels; ++c) args.sums[c] = totals[c];
  });
}

#define LAYERNORM_INSTANTIATE(S) template void channel_backward<S>(const ChannelBackward&);
LAYERNORM_FOR_EACH_SIMD(LAYERNORM_INSTANTIATE)
#undef LAYERNORM_INSTANTIATE

}  // namespace layernorm
