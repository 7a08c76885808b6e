// Hashes of what the kernels compute on a fixed corpus, a line each. The same lines must come out of every
// build, and out of the package (tests/js/digest.test.ts makes the same inputs).
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "ops/batch_norm.h"
#include "ops/group_norm.h"
#include "ops/layer_norm.h"
#include "ops/matryoshka.h"
#include "ops/moments.h"
#include "ops/rms_norm.h"
#include "ops/skip_layer_norm.h"
#include "ops/spectral_norm.h"
#include "ops/unit_norm.h"
#include "simd/build.h"
#include "simd/sixteen_bit.h"
#include "support/datasets.h"

namespace layernorm::test {
namespace {

// FNV-1a, 64 bit. All NaNs count as one: their payloads are the one thing that may differ.
template <class T>
std::uint64_t hash(const std::vector<T>& values, std::uint64_t state) {
  for (T value : values) {
    unsigned char bytes[sizeof(T)] = {};
    if (value == value) std::memcpy(bytes, &value, sizeof(T));  // bits of 16 have one NaN already
    for (unsigned char byte : bytes) state = (state ^ byte) * 0x100000001b3u;
  }
  return state;
}

struct Shape {
  std::vector<std::uint32_t> dims;
  std::uint32_t axes;
};

// Forward and backward on one input, so that the gradient gets statistics that were saved.
struct Digests {
  std::uint64_t forward;
  std::uint64_t backward;
};

// Calls digest_of<P>(stored): `stored` makes what x and dy are of numbers of type P, which gamma, beta and the statistics have.
template <class S, class DigestOf>
Digests in_type(DType dtype, DigestOf digest_of) {
  const auto same = [](const auto& numbers) { return numbers; };
  if (dtype == DType::float64) return digest_of.template operator()<double>(same);
  if (dtype == DType::float32) return digest_of.template operator()<float>(same);
  return digest_of.template operator()<float>([&](const std::vector<float>& numbers) {
    std::vector<std::uint16_t> bits(numbers.size());
    simd::convert(simd::narrow<S>(dtype), numbers.data(), numbers.size(), bits.data());
    return bits;
  });
}

std::string text_of(const Shape& shape) {
  std::string text;
  for (std::size_t n = 0; n < shape.dims.size(); ++n) {
    text += n == 0 ? ' ' : 'x';
    text += std::to_string(shape.dims[n]);
  }
  return text.append(" axes=").append(std::to_string(shape.axes));
}

template <class S, class P, class Stored>
Digests digest(DType dtype, const Shape& shape, const Dataset& dataset, bool affine, bool rms_scaling,
               Stored stored) {
  std::size_t size = 1, cols = 1;
  for (std::size_t n = 0; n < shape.dims.size(); ++n) {
    size *= shape.dims[n];
    if (shape.axes >> n & 1) cols *= shape.dims[n];
  }
  Random random(size * 31 + cols);
  std::vector<P> numbers(size), gamma(cols), beta(cols), mean(size / cols), rstd(size / cols);
  for (std::size_t i = 0; i < size; ++i) numbers[i] = static_cast<P>(dataset.element(random, i % cols, cols));
  const auto x = stored(numbers);
  for (P& g : gamma) g = static_cast<P>(random.uniform() + 0.5);
  for (P& b : beta) b = static_cast<P>(random.uniform() - 0.5);
  for (P& d : numbers) d = static_cast<P>(random.uniform() - 0.5);
  const auto dy = stored(numbers);
  auto y = x, dx = x;
  std::vector<P> dgamma(cols), dbeta(cols);
  std::vector<double> workspace(
      layer_norm_forward_workspace(dtype, shape.dims, shape.axes) / sizeof(double) +
      layer_norm_backward_workspace(dtype, shape.dims, shape.axes) / sizeof(double) + 2);

  LayerNormForward args;
  args.dtype = dtype;
  args.dims = shape.dims;
  args.axes = shape.axes;
  args.rms_scaling = rms_scaling;
  args.x = x.data();
  args.gamma = affine ? gamma.data() : nullptr;
  args.beta = affine && !rms_scaling ? beta.data() : nullptr;
  args.y = y.data();
  args.mean = mean.data();
  args.rstd = rstd.data();
  args.workspace = workspace.data();
  args.workspace_bytes = workspace.size() * sizeof(double);
  if (layer_norm_forward_on<S>(args) != Status::ok) std::abort();

  LayerNormBackward gradient;
  gradient.dtype = dtype;
  gradient.dims = shape.dims;
  gradient.axes = shape.axes;
  gradient.rms_scaling = rms_scaling;
  gradient.dy = dy.data();
  gradient.x = x.data();
  gradient.mean = mean.data();
  gradient.rstd = rstd.data();
  gradient.gamma = args.gamma;
  gradient.dx = dx.data();
  gradient.dgamma = dgamma.data();
  gradient.dbeta = dbeta.data();
  gradient.workspace = workspace.data();
  gradient.workspace_bytes = workspace.size() * sizeof(double);
  if (layer_norm_backward_on<S>(gradient) != Status::ok) std::abort();

  constexpr std::uint64_t start = 0xcbf29ce484222325u;
  return {hash(rstd, hash(mean, hash(y, start))), hash(dbeta, hash(dgamma, hash(dx, start)))};
}

template <class S>
Digests digest(DType dtype, const Shape& shape, const Dataset& dataset, bool affine, bool rms_scaling) {
  return in_type<S>(dtype, [&]<class P>(const auto& stored) {
    return digest<S, P>(dtype, shape, dataset, affine, rms_scaling, stored);
  });
}

bool all_agree = true;

void print(const std::string& what, std::uint64_t intrinsics, std::uint64_t emulated) {
  all_agree &= intrinsics == emulated;
  std::printf("%s %016llx%s\n", what.c_str(), static_cast<unsigned long long>(intrinsics),
              intrinsics == emulated ? "" : " EMULATED DIFFERS");
}

void print(const char* name, DType dtype, const Shape& shape, const Dataset& dataset, bool affine,
           bool rms_scaling) {
  const Digests intrinsics = digest<simd::Simd128>(dtype, shape, dataset, affine, rms_scaling);
  const Digests emulated = digest<simd::Emulated>(dtype, shape, dataset, affine, rms_scaling);
  std::string what = name + text_of(shape);
  what.append(" affine=").append(std::to_string(affine)).append(" rms=").append(std::to_string(rms_scaling));
  what.append(" ").append(dataset.name);
  print(what, intrinsics.forward, emulated.forward);
  print(what.insert(0, "backward "), intrinsics.backward, emulated.backward);
}

// What RMS and unit normalization are, for the function below.
struct Rms {
  using Forward = RmsNormForward;
  using Backward = RmsNormBackward;
  static constexpr auto forward_workspace = rms_norm_forward_workspace;
  static constexpr auto backward_workspace = rms_norm_backward_workspace;
  template <class S>
  static constexpr auto forward = rms_norm_forward_on<S>;
  template <class S>
  static constexpr auto backward = rms_norm_backward_on<S>;
};
struct Unit {
  using Forward = UnitNormForward;
  using Backward = UnitNormBackward;
  static constexpr auto forward_workspace = unit_norm_forward_workspace;
  static constexpr auto backward_workspace = unit_norm_backward_workspace;
  template <class S>
  static constexpr auto forward = unit_norm_forward_on<S>;
  template <class S>
  static constexpr auto backward = unit_norm_backward_on<S>;
};

// One of them and its gradient; `affine` is for the one that has a gamma.
template <class Of, class S, class P, class Stored>
Digests about_zero_digest(DType dtype, const Shape& shape, const Dataset& dataset, bool affine,
                          Stored stored) {
  std::size_t size = 1, cols = 1;
  for (std::size_t n = 0; n < shape.dims.size(); ++n) {
    size *= shape.dims[n];
    if (shape.axes >> n & 1) cols *= shape.dims[n];
  }
  Random random(size * 31 + cols);
  std::vector<P> numbers(size), gamma(cols), rstd(size / cols), dgamma(cols);
  for (std::size_t i = 0; i < size; ++i) numbers[i] = static_cast<P>(dataset.element(random, i % cols, cols));
  const auto x = stored(numbers);
  for (P& g : gamma) g = static_cast<P>(random.uniform() + 0.5);
  for (P& d : numbers) d = static_cast<P>(random.uniform() - 0.5);
  const auto dy = stored(numbers);
  auto y = x, dx = x;
  std::vector<double> workspace((Of::forward_workspace(dtype, shape.dims, shape.axes) +
                                 Of::backward_workspace(dtype, shape.dims, shape.axes)) /
                                    sizeof(double) +
                                2);
  const auto common = [&](auto args) {
    args.dtype = dtype;
    args.dims = shape.dims;
    args.axes = shape.axes;
    args.x = x.data();
    args.rstd = rstd.data();
    args.workspace = workspace.data();
    args.workspace_bytes = workspace.size() * sizeof(double);
    if constexpr (requires { args.gamma; }) args.gamma = affine ? gamma.data() : nullptr;
    if constexpr (requires { args.dgamma; }) args.dgamma = dgamma.data();
    return args;
  };
  auto forward = common(typename Of::Forward{});
  forward.y = y.data();
  if (Of::template forward<S>(forward) != Status::ok) std::abort();
  auto backward = common(typename Of::Backward{});
  backward.dy = dy.data();
  backward.dx = dx.data();
  if (Of::template backward<S>(backward) != Status::ok) std::abort();
  constexpr std::uint64_t start = 0xcbf29ce484222325u;
  const std::uint64_t of_dx = hash(dx, start);
  const bool has_gamma = requires { forward.gamma; };
  return {hash(rstd, hash(y, start)), has_gamma ? hash(dgamma, of_dx) : of_dx};
}

template <class Of>
void print_about_zero(const char* operation, const char* name, DType dtype, const Shape& shape,
                      const Dataset& dataset, bool affine) {
  const auto of = [&]<class S>() {
    return in_type<S>(dtype, [&]<class P>(const auto& stored) {
      return about_zero_digest<Of, S, P>(dtype, shape, dataset, affine, stored);
    });
  };
  const Digests intrinsics = of.template operator()<simd::Simd128>();
  const Digests emulated = of.template operator()<simd::Emulated>();
  std::string what = operation;
  what.append(" ").append(name).append(text_of(shape));
  what.append(" affine=").append(std::to_string(affine)).append(" ").append(dataset.name);
  print(what, intrinsics.forward, emulated.forward);
  print(what.insert(0, "backward "), intrinsics.backward, emulated.backward);
}

// Spectral normalization and its gradient.
template <class S, class P, class Stored>
Digests spectral_digest(DType dtype, std::size_t rows, std::size_t cols, const Dataset& dataset,
                        Stored stored) {
  Random random(rows * 31 + cols);
  std::vector<P> numbers(rows * cols), u(cols), v(rows), sigma(1);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = static_cast<P>(dataset.element(random, i % cols, cols));
  }
  const auto kernel = stored(numbers);
  for (P& one : u) one = static_cast<P>(random.uniform() - 0.5);
  for (P& d : numbers) d = static_cast<P>(random.uniform() - 0.5);
  const auto dy = stored(numbers);
  auto y = kernel, dkernel = kernel;
  std::vector<double> workspace(spectral_norm_workspace(rows, cols) / sizeof(double));

  SpectralNormForward args;
  args.dtype = dtype;
  args.rows = rows;
  args.cols = cols;
  args.power_iterations = 2;
  args.kernel = kernel.data();
  args.u = args.u_out = u.data();
  args.y = y.data();
  args.v = v.data();
  args.sigma = sigma.data();
  args.workspace = workspace.data();
  args.workspace_bytes = workspace.size() * sizeof(double);
  if (spectral_norm_forward_on<S>(args) != Status::ok) std::abort();

  SpectralNormBackward gradient;
  gradient.dtype = dtype;
  gradient.rows = rows;
  gradient.cols = cols;
  gradient.dy = dy.data();
  gradient.kernel = kernel.data();
  gradient.u = u.data();
  gradient.v = v.data();
  gradient.sigma = static_cast<double>(sigma[0]);
  gradient.dkernel = dkernel.data();
  gradient.workspace = workspace.data();
  gradient.workspace_bytes = workspace.size() * sizeof(double);
  if (spectral_norm_backward_on<S>(gradient) != Status::ok) std::abort();

  constexpr std::uint64_t start = 0xcbf29ce484222325u;
  return {hash(sigma, hash(v, hash(u, hash(y, start)))), hash(dkernel, start)};
}

template <class S>
Digests spectral_digest(DType dtype, std::size_t rows, std::size_t cols, const Dataset& dataset) {
  return in_type<S>(dtype, [&]<class P>(const auto& stored) {
    return spectral_digest<S, P>(dtype, rows, cols, dataset, stored);
  });
}

void print_spectral(const char* name, DType dtype, std::size_t rows, std::size_t cols,
                    const Dataset& dataset) {
  const Digests intrinsics = spectral_digest<simd::Simd128>(dtype, rows, cols, dataset);
  const Digests emulated = spectral_digest<simd::Emulated>(dtype, rows, cols, dataset);
  std::string what = "spectral ";
  what.append(name).append(" ").append(std::to_string(rows)).append("x").append(std::to_string(cols));
  what.append(" ").append(dataset.name);
  print(what, intrinsics.forward, emulated.forward);
  print(what.insert(0, "backward "), intrinsics.backward, emulated.backward);
}

// Group normalization, or batch normalization of one sample with a channel a group, and its gradient; moments with the first.
template <class S, class P, class Stored>
Digests channel_digest(DType dtype, const ChannelShape& shape, bool batch, const Dataset& dataset,
                       bool affine, Stored stored) {
  const std::size_t size = shape.elements(), channels = shape.channels, groups = shape.all_groups();
  Random random(size * 31 + channels);
  std::vector<P> numbers(size), gamma(channels), beta(channels), mean(groups), rstd(groups), variance(groups);
  for (std::size_t i = 0; i < size; ++i) {
    numbers[i] = static_cast<P>(dataset.element(random, i % channels, channels));
  }
  const auto x = stored(numbers);
  for (P& g : gamma) g = static_cast<P>(random.uniform() + 0.5);
  for (P& b : beta) b = static_cast<P>(random.uniform() - 0.5);
  for (P& d : numbers) d = static_cast<P>(random.uniform() - 0.5);
  const auto dy = stored(numbers);
  auto y = x, dx = x;
  std::vector<P> dgamma(channels), dbeta(channels);
  std::vector<double> workspace(batch_norm_workspace(dtype, shape.before, channels, shape.after) /
                                    sizeof(double) +
                                group_norm_backward_workspace(dtype, shape) / sizeof(double) + 2);
  const auto common = [&](auto args) {
    args.dtype = dtype;
    args.x = x.data();
    args.gamma = affine ? gamma.data() : nullptr;
    args.mean = mean.data();
    args.rstd = rstd.data();
    if constexpr (requires { args.shape; }) {
      args.shape = shape;
    } else {
      args.outer = shape.before;
      args.channels = channels;
      args.inner = shape.after;
    }
    if constexpr (requires { args.workspace; }) {
      args.workspace = workspace.data();
      args.workspace_bytes = workspace.size() * sizeof(double);
    }
    if constexpr (requires { args.beta; }) {
      args.beta = affine ? beta.data() : nullptr;
      args.y = y.data();
    } else {
      args.dy = dy.data();
      args.dx = dx.data();
      args.dgamma = dgamma.data();
      args.dbeta = dbeta.data();
    }
    return args;
  };
  if (batch) {
    auto forward = common(BatchNormForward{});
    forward.variance = variance.data();
    if (batch_norm_forward_on<S>(forward) != Status::ok) std::abort();
    if (batch_norm_backward_on<S>(common(BatchNormBackward{})) != Status::ok) std::abort();
  } else {
    if (group_norm_forward_on<S>(common(GroupNormForward{})) != Status::ok) std::abort();
    if (group_norm_backward_on<S>(common(GroupNormBackward{})) != Status::ok) std::abort();
    // Over everything but the samples and groups of channels.
    const std::uint32_t dims[] = {static_cast<std::uint32_t>(shape.batch),
                                  static_cast<std::uint32_t>(shape.before),
                                  static_cast<std::uint32_t>(shape.groups),
                                  static_cast<std::uint32_t>(shape.per_group() * shape.after)};
    if (moments_on<S>({dtype, dims, 0b1010, x.data(), nullptr, variance.data()}) != Status::ok) std::abort();
  }
  constexpr std::uint64_t start = 0xcbf29ce484222325u;
  return {hash(variance, hash(rstd, hash(mean, hash(y, start)))), hash(dbeta, hash(dgamma, hash(dx, start)))};
}

template <class S>
Digests channel_digest(DType dtype, const ChannelShape& shape, bool batch, const Dataset& dataset,
                       bool affine) {
  return in_type<S>(dtype, [&]<class P>(const auto& stored) {
    return channel_digest<S, P>(dtype, shape, batch, dataset, affine, stored);
  });
}

void print_channels(const char* name, DType dtype, const ChannelShape& shape, bool batch,
                    const Dataset& dataset, bool affine) {
  const Digests intrinsics = channel_digest<simd::Simd128>(dtype, shape, batch, dataset, affine);
  const Digests emulated = channel_digest<simd::Emulated>(dtype, shape, batch, dataset, affine);
  std::string what = batch ? "batch " : "group ";
  what.append(name);
  const char* before = " ";
  for (const std::size_t size : {shape.batch, shape.before, shape.channels, shape.after}) {
    what.append(before).append(std::to_string(size));
    before = "x";
  }
  what.append(" groups=").append(std::to_string(shape.groups));
  what.append(" affine=").append(std::to_string(affine)).append(" ").append(dataset.name);
  print(what, intrinsics.forward, emulated.forward);
  print(what.insert(0, "backward "), intrinsics.backward, emulated.backward);
}

// A sum and its normalization, of which the gradients are those of other operations; `stored` and P as in digest().
template <class S, class P, class Stored>
std::uint64_t skip_digest(DType dtype, std::size_t rows, std::size_t cols, std::size_t skip_rows, bool rms,
                          const Dataset& dataset, bool affine, Stored stored) {
  Random random(rows * 31 + cols);
  std::vector<P> numbers(rows * cols), bias(cols), gamma(cols), beta(cols), mean(rows), rstd(rows);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = static_cast<P>(dataset.element(random, i % cols, cols));
  }
  const auto x = stored(numbers);
  numbers.resize(skip_rows * cols);
  for (P& s : numbers) s = static_cast<P>(random.uniform() - 0.5);
  const auto skip = stored(numbers);
  for (P& b : bias) b = static_cast<P>(random.uniform() - 0.5);
  for (P& g : gamma) g = static_cast<P>(random.uniform() + 0.5);
  for (P& b : beta) b = static_cast<P>(random.uniform() - 0.5);
  auto y = x, sum = x;
  std::vector<double> workspace(skip_layer_norm_workspace(dtype, rows, cols) / sizeof(double) + 1);
  const SkipLayerNorm args{.dtype = dtype,
                           .rows = rows,
                           .cols = cols,
                           .skip_rows = skip_rows,
                           .rms = rms,
                           .x = x.data(),
                           .skip = skip.data(),
                           .bias = affine ? bias.data() : nullptr,
                           .gamma = affine ? gamma.data() : nullptr,
                           .beta = affine ? beta.data() : nullptr,
                           .y = y.data(),
                           .sum = sum.data(),
                           .mean = mean.data(),
                           .rstd = rstd.data(),
                           .workspace = workspace.data(),
                           .workspace_bytes = workspace.size() * sizeof(double)};
  if (skip_layer_norm_on<S>(args) != Status::ok) std::abort();
  const std::uint64_t of_outputs = hash(sum, hash(y, 0xcbf29ce484222325u));
  return hash(rstd, rms ? of_outputs : hash(mean, of_outputs));
}

template <class S>
std::uint64_t skip_digest(DType dtype, std::size_t rows, std::size_t cols, std::size_t skip_rows, bool rms,
                          const Dataset& dataset, bool affine) {
  const auto digests = in_type<S>(dtype, [&]<class P>(const auto& stored) -> Digests {
    return {skip_digest<S, P>(dtype, rows, cols, skip_rows, rms, dataset, affine, stored), 0};
  });
  return digests.forward;
}

void print_skip(const char* name, DType dtype, std::size_t rows, std::size_t cols, std::size_t skip_rows,
                bool rms, const Dataset& dataset, bool affine) {
  std::string what = rms ? "skip-rms " : "skip ";
  what.append(name).append(" ").append(std::to_string(rows)).append("x").append(std::to_string(cols));
  what.append(" skip=").append(std::to_string(skip_rows)).append(" affine=").append(std::to_string(affine));
  what.append(" ").append(dataset.name);
  print(what, skip_digest<simd::Simd128>(dtype, rows, cols, skip_rows, rms, dataset, affine),
        skip_digest<simd::Emulated>(dtype, rows, cols, skip_rows, rms, dataset, affine));
}

// What is kept of rows; `stored` and P as in digest().
template <class S, class P, class Stored>
std::uint64_t matryoshka_digest(DType dtype, std::size_t rows, std::size_t cols, std::size_t dimensions,
                                const Dataset& dataset, Stored stored) {
  Random random(rows * 31 + cols);
  std::vector<P> numbers(rows * cols);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = static_cast<P>(dataset.element(random, i % cols, cols));
  }
  const auto x = stored(numbers);
  auto y = x;
  y.resize(rows * dimensions);
  const Matryoshka args{
      .dtype = dtype, .rows = rows, .cols = cols, .dimensions = dimensions, .x = x.data(), .y = y.data()};
  if (matryoshka_on<S>(args) != Status::ok) std::abort();
  return hash(y, 0xcbf29ce484222325u);
}

template <class S>
std::uint64_t matryoshka_digest(DType dtype, std::size_t rows, std::size_t cols, std::size_t dimensions,
                                const Dataset& dataset) {
  const auto digests = in_type<S>(dtype, [&]<class P>(const auto& stored) -> Digests {
    return {matryoshka_digest<S, P>(dtype, rows, cols, dimensions, dataset, stored), 0};
  });
  return digests.forward;
}

void print_matryoshka(const char* name, DType dtype, std::size_t rows, std::size_t cols,
                      std::size_t dimensions, const Dataset& dataset) {
  std::string what = "matryoshka ";
  what.append(name).append(" ").append(std::to_string(rows)).append("x").append(std::to_string(cols));
  what.append(" keep=").append(std::to_string(dimensions)).append(" ").append(dataset.name);
  print(what, matryoshka_digest<simd::Simd128>(dtype, rows, cols, dimensions, dataset),
        matryoshka_digest<simd::Emulated>(dtype, rows, cols, dimensions, dataset));
}

}  // namespace
}  // namespace layernorm::test

int main() {
  using namespace layernorm::test;
  using layernorm::DType;
  const std::vector<Shape> shapes = {
      {{5, 1}, 2},         {{7, 3}, 2},        {{4, 16}, 2},       {{3, 63}, 2},       {{3, 64}, 2},
      {{3, 65}, 2},        {{5, 127}, 2},      {{5, 128}, 2},      {{4, 300}, 2},      {{37, 773}, 2},
      {{2, 1024}, 2},      {{1, 4099}, 2},     {{130, 7}, 1},      {{65, 70}, 1},      {{3, 70, 9}, 2},
      {{2, 129, 66}, 2},   {{4, 3, 5}, 5},     {{2, 3, 4, 5}, 10}, {{9, 17, 3, 8}, 5}, {{2, 5, 66}, 1},
      {{6, 11, 1, 13}, 8}, {{3, 1, 5, 70}, 6}, {{20, 300}, 1},
  };
  for (const Shape& shape : shapes) {
    for (const Dataset& dataset : datasets()) {
      if (std::strcmp(dataset.name, "lognormal") == 0) continue;  // exp() is not the same in every C library
      for (const bool affine : {false, true}) {
        const bool rms_scaling = affine && std::strcmp(dataset.name, "U(-1,3)") == 0;
        print("float32", DType::float32, shape, dataset, affine, rms_scaling);
        print("float64", DType::float64, shape, dataset, affine, rms_scaling);
        print("float16", DType::float16, shape, dataset, affine, rms_scaling);
        print("bfloat16", DType::bfloat16, shape, dataset, affine, rms_scaling);
      }
    }
  }
  const std::pair<const char*, DType> types[] = {{"float32", DType::float32},
                                                 {"float64", DType::float64},
                                                 {"float16", DType::float16},
                                                 {"bfloat16", DType::bfloat16}};
  for (const Shape& shape : shapes) {
    for (const Dataset& dataset : datasets()) {
      if (std::strcmp(dataset.name, "lognormal") == 0) continue;
      for (const auto& [name, dtype] : types) {
        print_about_zero<Rms>("rms", name, dtype, shape, dataset, false);
        print_about_zero<Rms>("rms", name, dtype, shape, dataset, true);
        print_about_zero<Unit>("unit", name, dtype, shape, dataset, false);
      }
    }
  }
  for (const auto& [rows, cols] : {std::pair{1, 5}, {3, 1}, {7, 64}, {37, 53}, {130, 67}, {5, 600}}) {
    for (const Dataset& dataset : datasets()) {
      if (std::strcmp(dataset.name, "lognormal") == 0) continue;
      const auto r = static_cast<std::size_t>(rows), c = static_cast<std::size_t>(cols);
      print_spectral("float32", DType::float32, r, c, dataset);
      print_spectral("float64", DType::float64, r, c, dataset);
      print_spectral("float16", DType::float16, r, c, dataset);
      print_spectral("bfloat16", DType::bfloat16, r, c, dataset);
    }
  }
  using layernorm::ChannelShape;
  const std::vector<std::pair<bool, ChannelShape>> channels = {
      {true, {1, 37, 5, 1, 5}},   {true, {1, 130, 70, 1, 70}}, {true, {1, 4, 3, 50, 3}},
      {true, {1, 1, 2, 300, 2}},  {false, {2, 1, 6, 49, 3}},   {false, {2, 17, 4, 1, 4}},
      {false, {2, 20, 12, 1, 3}}, {false, {3, 1, 130, 1, 2}},  {false, {2, 3, 6, 7, 2}},
      {false, {2, 5, 70, 1, 70}}};
  for (const auto& [batch, shape] : channels) {
    for (const Dataset& dataset : datasets()) {
      if (std::strcmp(dataset.name, "lognormal") == 0) continue;
      for (const bool affine : {false, true}) {
        print_channels("float32", DType::float32, shape, batch, dataset, affine);
        print_channels("float64", DType::float64, shape, batch, dataset, affine);
        print_channels("float16", DType::float16, shape, batch, dataset, affine);
        print_channels("bfloat16", DType::bfloat16, shape, batch, dataset, affine);
      }
    }
  }
  struct Sizes {
    std::size_t rows, cols, skip_rows;
  };
  for (const auto& [rows, cols, skip_rows] :
       {Sizes{5, 3, 5}, {6, 65, 3}, {4, 130, 1}, {37, 773, 37}, {2, 9001, 2}}) {
    for (const Dataset& dataset : datasets()) {
      if (std::strcmp(dataset.name, "lognormal") == 0) continue;
      for (const bool rms : {false, true}) {
        for (const bool affine : {false, true}) {
          print_skip("float32", DType::float32, rows, cols, skip_rows, rms, dataset, affine);
          print_skip("float64", DType::float64, rows, cols, skip_rows, rms, dataset, affine);
          print_skip("float16", DType::float16, rows, cols, skip_rows, rms, dataset, affine);
          print_skip("bfloat16", DType::bfloat16, rows, cols, skip_rows, rms, dataset, affine);
        }
      }
    }
  }
  struct Kept {
    std::size_t rows, cols, dimensions;
  };
  for (const auto& [rows, cols, dimensions] :
       {Kept{5, 1, 1}, {5, 3, 2}, {6, 65, 64}, {4, 130, 130}, {37, 773, 256}, {2, 9001, 1}}) {
    for (const Dataset& dataset : datasets()) {
      if (std::strcmp(dataset.name, "lognormal") == 0) continue;
      for (const auto& [name, dtype] : types) print_matryoshka(name, dtype, rows, cols, dimensions, dataset);
    }
  }
  return all_agree ? 0 : 1;
}
