#include "ops/channel_norm.h"

#include "ops/channel_lines.h"
#include "ops/group_statistics.h"
#include "ops/line_moments.h"
#include "parallel/thread_pool.h"
#include "simd/build.h"
#include "simd/row_ops.h"

namespace layernorm {
namespace {

// The arguments with the type that is computed in.
template <class T>
struct Problem {
  Problem(const Storage<T>& given, const ChannelForward& args)
      : storage(given),
        shape(args.shape),
        epsilon(args.epsilon),
        x(args.x),
        gamma(static_cast<const T*>(args.gamma)),
        beta(static_cast<const T*>(args.beta)),
        y(args.y),
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

  Storage<T> storage;
  ChannelShape shape;
  double epsilon;
  const void* x;
  const T* gamma;
  const T* beta;
  void* y;
  T* mean;
  T* variance;
  T* rstd;
};

// ---- Groups that lie in contiguous pieces ----

// A piece of a group whose channels are innermost, some at a time.
template <simd::Simd S, class T>
[[gnu::noinline]] void normalize_piece(const Problem<T>& p, const GroupStatistics<T>& s, std::size_t at,
                                       std::size_t channel, std::size_t count) {
  AffineLines<T> lines;
  for (std::size_t done = 0; done < count; done += kChunkWidth<T>) {
    const std::size_t width = count - done < kChunkWidth<T> ? count - done : kChunkWidth<T>,
                      first = channel + done;
    lines.set_group(width, s, p.gamma == nullptr ? nullptr : p.gamma + first,
                    p.beta == nullptr ? nullptr : p.beta + first);
    lines.template apply<S>(p.storage, p.storage.at(p.x, at + done), p.storage.at(p.y, at + done), width,
                            p.shape.before, p.shape.channels, p.shape.elements());
  }
}

// Groups first .. last, counted over all samples.
template <simd::Simd S, class T>
void forward_pieces(const Problem<T>& p, std::size_t first, std::size_t last) {
  const ChannelShape& shape = p.shape;
  const Runs runs = shape.group_runs();
  const std::size_t per_group = shape.per_group(), cols = shape.group_elements();
  for (std::size_t group = first; group < last; ++group) {
    const std::size_t g = group % shape.groups, at = shape.group_offset(group / shape.groups, g);
    const GroupStatistics<T> s = piece_statistics<S>(p.storage, p.storage.at(p.x, at), runs, cols, p.epsilon);
    p.save(group, s);
    if (p.y == nullptr) continue;
    const std::size_t channel = g * per_group;
    if (shape.after == 1) {
      normalize_piece<S>(p, s, at, channel, per_group);
      continue;
    }
    for (std::size_t a = 0; a < shape.before; ++a) {
      for (std::size_t k = 0; k < per_group; ++k) {
        const std::size_t segment = at + a * shape.before_stride() + k * shape.after;
        const Affine<T> affine(s, p.gamma_of(channel + k), p.beta_of(channel + k));
        apply_segment<S>(p.storage, p.storage.at(p.x, segment), p.storage.at(p.y, segment), shape.after,
                         affine);
      }
    }
  }
}

template <simd::Simd S, class T>
void run_pieces(const Problem<T>& p) {
  const ChannelShape& shape = p.shape;
  const std::size_t cols = shape.group_elements(), size = p.storage.element_size();
  const std::size_t piece_bytes = shape.per_group() * shape.after * size;
  for_each_range(
      Partition::of(shape.all_groups(), cols),
      [&](std::size_t first, std::size_t last) { forward_pieces<S>(p, first, last); },
      p.x == p.y ? cols * size : 0,
      [&](std::size_t first, std::size_t last, std::byte* saved, bool restore) {
        for (std::size_t group = first; group < last; ++group) {
          const std::size_t at = shape.group_offset(group / shape.groups, group % shape.groups);
          for (std::size_t a = 0; a < shape.before; ++a) {
            copy_saved(p.storage.at(p.y, at + a * shape.before_stride()), piece_bytes, saved, restore);
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

template <simd::Simd S, class T>
[[gnu::noinline]] void forward_chunk(const Problem<T>& p, std::size_t sample, std::size_t channel,
                                     std::size_t width) {
  const ChannelShape& shape = p.shape;
  const std::size_t per_group = shape.per_group(), at = sample * shape.sample_stride() + channel;
  GroupStatistics<T> statistics[kChunkWidth<T>];
  Runs rows;
  rows.push_outer({shape.before, shape.before_stride()});
  // Where a group has several channels, theirs are steps on the way, without epsilon.
  column_statistics<S>(p.storage, p.storage.at(p.x, at), rows, shape.before, width, p.epsilon, statistics);
  AffineLines<T> lines;
  for (std::size_t c = 0; c < width; c += per_group) {
    GroupStatistics<T> s = statistics[c];
    bool ordinary = true;
    for (std::size_t k = 0; k < per_group; ++k) ordinary &= statistics[c + k].scale == 1;
    if (per_group > 1) {
      s = ordinary ? joined(statistics + c, per_group, p.epsilon)
                   : careful_statistics(p.storage, p.storage.at(p.x, at + c), shape.group_runs(),
                                        shape.group_elements(), p.epsilon);
    }
    p.save(sample * shape.groups + (channel + c) / per_group, s);
    for (std::size_t k = c; k < c + per_group; ++k) {
      lines.set(k, Affine<T>(s, p.gamma_of(channel + k), p.beta_of(channel + k)));
    }
  }
  if (p.y == nullptr) return;
  lines.template apply<S>(p.storage, p.storage.at(p.x, at), p.storage.at(p.y, at), width, shape.before,
                          shape.channels, shape.elements());
}

template <simd::Simd S, class T>
void run_columns(const Problem<T>& p) {
  const ChannelShape& shape = p.shape;
  const Chunks<T> chunks(shape);
  const std::size_t elements = shape.before * chunks.width(), size = p.storage.element_size();
  for_each_range(
      Partition::of(chunks.count(), elements),
      [&](std::size_t first, std::size_t last) {
        for (std::size_t n = first; n < last; ++n) {
          forward_chunk<S>(p, chunks.sample(n), chunks.channel(n), chunks.width(n));
        }
      },
      p.x == p.y ? elements * size : 0,
      [&](std::size_t first, std::size_t last, std::byte* saved, bool restore) {
        for (std::size_t n = first; n < last; ++n) {
          const std::size_t at = chunks.sample(n) * shape.sample_stride() + chunks.channel(n);
          for (std::size_t a = 0; a < shape.before; ++a) {
            copy_saved(p.storage.at(p.y, at + a * shape.channels), chunks.width(n) * size, saved, restore);
          }
        }
      });
}

// y of all channels, whose statistics are known: lines of all of them, or segments of one.
template <simd::Simd S, class T>
void apply_channels(const Storage<T>& storage, const ChannelShape& shape, const AffineArrays<T>& arrays,
                    const void* x, void* y) {
  const bool lines = shape.after == 1;
  const std::size_t length = lines ? shape.channels : shape.after, bytes = length * storage.element_size();
  for_each_range(
      Partition::of(shape.elements() / length, length),
      [&](std::size_t first, std::size_t last) {
        if (lines) {
          arrays.template apply<S>(storage, storage.at(x, first * length), storage.at(y, first * length),
                                   length, last - first, length, shape.elements());
          return;
        }
        for (std::size_t n = first; n < last; ++n) {
          apply_segment<S>(storage, storage.at(x, n * length), storage.at(y, n * length), length,
                           arrays.get(n % shape.channels));
        }
      },
      x == y ? bytes : 0,
      [&](std::size_t first, std::size_t last, std::byte* saved, bool restore) {
        copy_saved(storage.at(y, first * length), (last - first) * bytes, saved, restore);
      });
}

// One sample whose channels are innermost, a group each: the statistics of all, then all lines.
template <simd::Simd S, class T>
void run_lines(const Problem<T>& p, void* workspace) {
  const ChannelShape& shape = p.shape;
  const LineMoments<S, T> moments(p.storage, p.x, shape.before, shape.channels, workspace);
  T* const data = reinterpret_cast<T*>(static_cast<std::byte*>(workspace) +
                                       shape.channels * LineMoments<S, T>::kBytesEach);
  AffineArrays<T> arrays(data, shape.channels);
  // Items of some channels, a cache line of float: what threads share.
  constexpr std::size_t kWidth = 16;
  for_each_range(
      Partition::of((shape.channels - 1) / kWidth + 1, kWidth * shape.before),
      [&](std::size_t first, std::size_t last) {
        const std::size_t end = last * kWidth < shape.channels ? last * kWidth : shape.channels;
        moments.find(first * kWidth, end, p.epsilon, [&](std::size_t c, const GroupStatistics<T>& s) {
          p.save(c, s);
          arrays.set_apart(c, Affine<T>(s, p.gamma_of(c), p.beta_of(c)));
        });
      },
      0, [](std::size_t, std::size_t, std::byte*, bool) {});
  if (p.y == nullptr) return;
  arrays.look(shape.channels);
  apply_channels<S>(p.storage, shape, arrays, p.x, p.y);
}

// Groups of several channels that are innermost are read by columns where their pieces would be short and many.
bool by_columns(const ChannelShape& shape) {
  if (shape.after != 1) return false;
  return shape.per_group() == 1 || (shape.per_group() < kBlock && shape.before >= kPeek);
}

}  // namespace

std::size_t channel_forward_workspace(DType dtype, const ChannelShape& shape) {
  std::size_t bytes = 0;
  const std::size_t each =
      dtype == DType::float64
          ? LineMoments<simd::Default, double>::kBytesEach + AffineArrays<double>::kBytesEach
          : LineMoments<simd::Default, float>::kBytesEach + AffineArrays<float>::kBytesEach;
  return __builtin_mul_overflow(shape.channels, each, &bytes) ? SIZE_MAX : bytes;
}

template <simd::Simd S>
void channel_forward(const ChannelForward& args) {
  if (args.shape.all_groups() == 0) return;
  with_storage<S>(args.dtype, [&]<class T>(const Storage<T>& storage) {
    const Problem<T> p(storage, args);
    if (args.shape.group_elements() == 0) {
      for (std::size_t group = 0; group < args.shape.all_groups(); ++group)
        p.save(group, GroupStatistics<T>::nan());
    } else if (args.workspace != nullptr && args.shape.after == 1 && args.shape.batch == 1 &&
               args.shape.per_group() == 1) {
      run_lines<S>(p, args.workspace);
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
  const std::size_t each =
      dtype == DType::float64 ? AffineArrays<double>::kBytesEach : AffineArrays<float>::kBytesEach;
  return __builtin_mul_overflow(shape.channels, each, &bytes) ? SIZE_MAX : bytes;
}

template <simd::Simd S>
void channel_affine(const ChannelAffine& args) {
  const ChannelShape& shape = args.shape;
  if (shape.elements() == 0) return;
  with_storage<S>(args.dtype, [&]<class T>(const Storage<T>& storage) {
    const T *gamma = static_cast<const T*>(args.gamma), *beta = static_cast<const T*>(args.beta);
    AffineArrays<T> arrays(static_cast<T*>(args.workspace), shape.channels);
    for (std::size_t c = 0; c < shape.channels; ++c) {
      GroupStatistics<T> s;
      s.mean_hi = static_cast<T>(args.mean[c]);
      s.mean_lo = static_cast<T>(args.mean[c] - static_cast<double>(s.mean_hi));
      s.rstd = args.rstd[c];
      arrays.set(c, Affine<T>(s, gamma == nullptr ? T{1} : gamma[c], beta == nullptr ? -T{0} : beta[c]));
    }
    apply_channels<S>(storage, shape, arrays, args.x, args.y);
  });
}

#define LAYERNORM_INSTANTIATE(S)                           \
  template void channel_forward<S>(const ChannelForward&); \
  template void channel_affine<S>(const ChannelAffine&);
LAYERNORM_FOR_EACH_SIMD(LAYERNORM_INSTANTIATE)
#undef LAYERNORM_INSTANTIATE

}  // namespace layernorm
