#include "ops/channel_norm.h"

#include "ops/channel_lines.h"
#include "ops/group_statistics.h"
#include "parallel/thread_pool.h"
#include "simd/build.h"
#include "simd/row_ops.h"

namespace layernorm {
namespace {

// The arguments with their types.
template <class Storage>
struct Problem {
  using T = typename Storage::Element;
  using Stored = typename Storage::Stored;

  Problem(const Storage& given, const ChannelForward& args)
      : storage(given),
        shape(args.shape),
        epsilon(args.epsilon),
        x(static_cast<const Stored*>(args.x)),
        gamma(static_cast<const T*>(args.gamma)),
        beta(static_cast<const T*>(args.beta)),
        y(static_cast<Stored*>(args.y)),
        mean(static_cast<T*>(args.mean)),
        variance(static_cast<T*>(args.variance)),
        rstd(static_cast<T*>(args.rstd)) {}

  T gamma_of(std::size_t channel) const { return gamma == nullptr ? T{1} : gamma[channel]; }
  T beta_of(std::size_t channel) const { return beta == nullptr ? -T{0} : beta[channel]; }

  void save(std::size_t group, const GroupStatistics<T>& s) const {
    if (mean != nullptr) mean[group] = static_cast<T>(s.mean());
    if (variance != nullptr) variance[group] = static_cast<T>(s.saved_variance());
    if (rstd != nullptr) rstd[group] = static_cast<T>(s.saved_rstd(epsilon));
  }

  Storage storage;
  ChannelShape shape;
  double epsilon;
  const Stored* x;
  const T* gamma;
  const T* beta;
  Stored* y;
  T* mean;
  T* variance;
  T* rstd;
};

// ---- Groups that lie in contiguous pieces ----

// The channels of a group lie one behind the other: each has a factor of its own. y = (x - mean) * rstd * gamma + beta.
template <simd::Simd S, bool Careful, class Storage, class T = typename Storage::Element>
[[gnu::noinline]] void normalize_piece(const Storage& storage, const typename Storage::Stored* x,
                                       typename Storage::Stored* y, std::size_t count,
                                       const GroupStatistics<T>& s, const T* gamma, const T* beta) {
  using V = simd::VectorOf<S, T>;
  const T hi = s.mean_hi, lo = s.mean_lo, scale = s.scale, rstd = static_cast<T>(s.rstd);
  storage.map(x, y, count, [=](const T* from, T* to, std::size_t n, std::size_t first) {
    simd::for_each_vector<V, T>(n, [=]<class W>(std::size_t i) {
      W v = W::load(from + i);
      if constexpr (Careful) v = v * W::splat(scale);
      v = v - W::splat(hi);
      if constexpr (Careful) v = v - W::splat(lo);
      v = v * W::splat(rstd);
      if (gamma != nullptr) v = v * W::load(gamma + first + i);
      if (beta != nullptr) v = v + W::load(beta + first + i);
      v.store(to + i);
    });
  });
}

// Groups first .. last, counted over all samples.
template <simd::Simd S, class Storage>
void forward_pieces(const Problem<Storage>& p, std::size_t first, std::size_t last) {
  using T = typename Storage::Element;
  const ChannelShape& shape = p.shape;
  const Runs runs = shape.group_runs();
  const std::size_t per_group = shape.per_group(), cols = shape.group_elements();
  for (std::size_t group = first; group < last; ++group) {
    const std::size_t g = group % shape.groups, at = shape.group_offset(group / shape.groups, g);
    const GroupStatistics<T> s = piece_statistics<S>(p.storage, p.x + at, runs, cols, p.epsilon);
    p.save(group, s);
    if (p.y == nullptr) continue;
    const std::size_t channel = g * per_group;
    for (std::size_t a = 0; a < shape.before; ++a) {
      const std::size_t piece = at + a * shape.before_stride();
      if (shape.after == 1) {
        const T* gamma = p.gamma == nullptr ? nullptr : p.gamma + channel;
        const T* beta = p.beta == nullptr ? nullptr : p.beta + channel;
        const bool careful = s.mean_lo != 0 || s.scale != 1;
        const auto normalize =
            careful ? normalize_piece<S, true, Storage> : normalize_piece<S, false, Storage>;
        normalize(p.storage, p.x + piece, p.y + piece, per_group, s, gamma, beta);
        continue;
      }
      for (std::size_t k = 0; k < per_group; ++k) {
        const std::size_t segment = piece + k * shape.after;
        const Affine<T> affine(s, p.gamma_of(channel + k), p.beta_of(channel + k));
        apply_segment<S>(p.storage, p.x + segment, p.y + segment, shape.after, affine);
      }
    }
  }
}

template <simd::Simd S, class Storage>
void run_pieces(const Problem<Storage>& p) {
  using Stored = typename Storage::Stored;
  const ChannelShape& shape = p.shape;
  const std::size_t cols = shape.group_elements(), piece = shape.per_group() * shape.after;
  for_each_range(
      Partition::of(shape.all_groups(), cols),
      [&](std::size_t first, std::size_t last) { forward_pieces<S>(p, first, last); },
      p.x == p.y ? cols * sizeof(Stored) : 0,
      [&](std::size_t first, std::size_t last, std::byte* saved, bool restore) {
        for (std::size_t group = first; group < last; ++group) {
          Stored* at = p.y + shape.group_offset(group / shape.groups, group % shape.groups);
          for (std::size_t a = 0; a < shape.before; ++a, at += shape.before_stride()) {
            copy_saved(at, piece, saved, restore);
          }
        }
      });
}

// ---- Channels that are innermost: neighbours are worked on side by side ----

// Moments of one group from those of its channels, which have `before` elements each.
template <class T>
GroupStatistics<T> joined(const GroupStatistics<T>* channels, std::size_t count, double epsilon) {
  // Deviations from the first mean: exact to double whatever the offset.
  const auto deviation = [&](std::size_t k) {
    return (static_cast<double>(channels[k].mean_hi) - static_cast<double>(channels[0].mean_hi)) +
           static_cast<double>(channels[k].mean_lo);
  };
  ExactSum sum;
  for (std::size_t k = 0; k < count; ++k) sum.add(deviation(k));
  const double n = static_cast<double>(count), mean = sum.value() / n;
  ExactSum power;
  for (std::size_t k = 0; k < count; ++k) {
    const double apart = deviation(k) - mean;
    power.add(channels[k].variance);
    power.add(apart * apart);
  }
  return GroupStatistics<T>::about(channels[0].mean_hi, {mean, power.value() / n, true}, epsilon);
}

// Chunks of neighbouring channels, whole groups of them.
template <class T>
class Chunks {
 public:
  explicit Chunks(const ChannelShape& shape)
      : channels_(shape.channels),
        width_(least(shape.channels, kChunkWidth<T> / shape.per_group() * shape.per_group())),
        per_sample_((shape.channels - 1) / width_ + 1),
        count_(shape.batch * per_sample_) {}

  std::size_t count() const { return count_; }
  std::size_t width() const { return width_; }
  std::size_t sample(std::size_t n) const { return n / per_sample_; }
  std::size_t channel(std::size_t n) const { return n % per_sample_ * width_; }
  std::size_t width(std::size_t n) const { return least(channels_ - channel(n), width_); }

 private:
  static std::size_t least(std::size_t a, std::size_t b) { return a < b ? a : b; }

  std::size_t channels_;
  std::size_t width_;
  std::size_t per_sample_;
  std::size_t count_;
};

template <simd::Simd S, class Storage>
[[gnu::noinline]] void forward_chunk(const Problem<Storage>& p, std::size_t sample, std::size_t channel,
                                     std::size_t width) {
  using T = typename Storage::Element;
  const ChannelShape& shape = p.shape;
  const std::size_t per_group = shape.per_group(), at = sample * shape.sample_stride() + channel;
  GroupStatistics<T> statistics[kChunkWidth<T>];
  Runs rows;
  rows.push_outer({shape.before, shape.before_stride()});
  // Where a group has several channels, theirs are steps on the way, without epsilon.
  column_statistics<S>(p.storage, p.x + at, rows, shape.before, width, p.epsilon,
                       [&](std::size_t c, const GroupStatistics<T>& s) { statistics[c] = s; });
  AffineLines<T> lines;
  for (std::size_t c = 0; c < width; c += per_group) {
    GroupStatistics<T> s = statistics[c];
    bool ordinary = true;
    for (std::size_t k = 0; k < per_group; ++k) ordinary &= statistics[c + k].scale == 1;
    if (per_group > 1) {
      s = ordinary ? joined(statistics + c, per_group, p.epsilon)
                   : careful_statistics(p.storage, p.x + at + c, shape.group_runs(), shape.group_elements(),
                                        p.epsilon);
    }
    p.save(sample * shape.groups + (channel + c) / per_group, s);
    for (std::size_t k = c; k < c + per_group; ++k) {
      lines.set(k, Affine<T>(s, p.gamma_of(channel + k), p.beta_of(channel + k)));
    }
  }
  if (p.y == nullptr) return;
  for (std::size_t a = 0; a < shape.before; ++a) {
    const std::size_t line = at + a * shape.before_stride();
    lines.template apply<S>(p.storage, p.x + line, p.y + line, width);
  }
}

template <simd::Simd S, class Storage>
void run_columns(const Problem<Storage>& p) {
  using Stored = typename Storage::Stored;
  const ChannelShape& shape = p.shape;
  const Chunks<typename Storage::Element> chunks(shape);
  const std::size_t elements = shape.before * chunks.width();
  for_each_range(
      Partition::of(chunks.count(), elements),
      [&](std::size_t first, std::size_t last) {
        for (std::size_t n = first; n < last; ++n) {
          forward_chunk<S>(p, chunks.sample(n), chunks.channel(n), chunks.width(n));
        }
      },
      p.x == p.y ? elements * sizeof(Stored) : 0,
      [&](std::size_t first, std::size_t last, std::byte* saved, bool restore) {
        for (std::size_t n = first; n < last; ++n) {
          Stored* line = p.y + chunks.sample(n) * shape.sample_stride() + chunks.channel(n);
          for (std::size_t a = 0; a < shape.before; ++a, line += shape.channels) {
            copy_saved(line, chunks.width(n), saved, restore);
          }
        }
      });
}

// Groups of several channels that are innermost are read by columns where their pieces would be short and many.
bool by_columns(const ChannelShape& shape) {
  if (shape.after != 1) return false;
  return shape.per_group() == 1 || (shape.per_group() < kBlock && shape.before >= kPeek);
}

}  // namespace

template <simd::Simd S>
void channel_forward(const ChannelForward& args) {
  if (args.shape.all_groups() == 0) return;
  with_storage<S>(args.dtype, [&](const auto& storage) {
    const Problem p(storage, args);
    if (args.shape.group_elements() == 0) {
      GroupStatistics<typename std::decay_t<decltype(storage)>::Element> none;
      none.variance = none.rstd = __builtin_nan("");
      none.mean_hi = static_cast<decltype(none.mean_hi)>(__builtin_nan(""));
      for (std::size_t group = 0; group < args.shape.all_groups(); ++group) p.save(group, none);
    } else if (by_columns(args.shape)) {
      run_columns<S>(p);
    } else {
      run_pieces<S>(p);
    }
  });
}

// ---- Statistics that are given ----

std::size_t channel_affine_workspace(DType dtype, const ChannelShape& shape) {
  std::size_t bytes = 0;
  const std::size_t each = dtype_size(parameter_dtype(dtype)) * AffineArrays<float>::kArrays;
  return __builtin_mul_overflow(shape.channels, each, &bytes) ? SIZE_MAX : bytes;
}

template <simd::Simd S>
void channel_affine(const ChannelAffine& args) {
  const ChannelShape& shape = args.shape;
  if (shape.elements() == 0) return;
  with_storage<S>(args.dtype, [&](const auto& storage) {
    using Storage = std::decay_t<decltype(storage)>;
    using T = typename Storage::Element;
    using Stored = typename Storage::Stored;
    const T *gamma = static_cast<const T*>(args.gamma), *beta = static_cast<const T*>(args.beta);
    AffineArrays<T> arrays(static_cast<T*>(args.workspace), shape.channels);
    for (std::size_t c = 0; c < shape.channels; ++c) {
      GroupStatistics<T> s;
      s.mean_hi = static_cast<T>(args.mean[c]);
      s.mean_lo = static_cast<T>(args.mean[c] - static_cast<double>(s.mean_hi));
      s.rstd = args.rstd[c];
      arrays.set(c, Affine<T>(s, gamma == nullptr ? T{1} : gamma[c], beta == nullptr ? -T{0} : beta[c]));
    }
    const Stored* x = static_cast<const Stored*>(args.x);
    Stored* y = static_cast<Stored*>(args.y);
    // Lines of all channels, or segments of one.
    const bool lines = shape.after == 1;
    const std::size_t length = lines ? shape.channels : shape.after;
    for_each_range(
        Partition::of(shape.elements() / length, length),
        [&](std::size_t first, std::size_t last) {
          for (std::size_t n = first; n < last; ++n) {
            const std::size_t at = n * length;
            if (lines) {
              arrays.template apply<S>(storage, x + at, y + at, length);
            } else {
              apply_segment<S>(storage, x + at, y + at, length, arrays.get(n % shape.channels));
            }
          }
        },
        x == y ? length * sizeof(Stored) : 0,
        [&](std::size_t first, std::size_t last, std::byte* saved, bool restore) {
          copy_saved(y + first * length, (last - first) * length, saved, restore);
        });
  });
}

#define LAYERNORM_INSTANTIATE(S)                           \
  template void channel_forward<S>(const ChannelForward&); \
  template void channel_affine<S>(const ChannelAffine&);
LAYERNORM_FOR_EACH_SIMD(LAYERNORM_INSTANTIATE)
#undef LAYERNORM_INSTANTIATE

}  // namespace layernorm
