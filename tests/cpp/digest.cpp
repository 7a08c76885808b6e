// Hashes of what the kernels compute on a fixed corpus, a line each. The same lines must come out of every
// build, and out of the package (tests/js/digest.test.ts makes the same inputs).
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "ops/layer_norm.h"
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

template <class S, class T>
Digests digest(const Shape& shape, const Dataset& dataset, bool affine, bool rms_scaling) {
  std::size_t size = 1, cols = 1;
  for (std::size_t n = 0; n < shape.dims.size(); ++n) {
    size *= shape.dims[n];
    if (shape.axes >> n & 1) cols *= shape.dims[n];
  }
  Random random(size * 31 + cols);
  std::vector<T> x(size), gamma(cols), beta(cols), y(size), mean(size / cols), rstd(size / cols);
  for (std::size_t i = 0; i < size; ++i) x[i] = static_cast<T>(dataset.element(random, i % cols, cols));
  for (T& g : gamma) g = static_cast<T>(random.uniform() + 0.5);
  for (T& b : beta) b = static_cast<T>(random.uniform() - 0.5);

  LayerNormForward args;
  args.dtype = sizeof(T) == sizeof(float) ? DType::float32 : DType::float64;
  args.dims = shape.dims;
  args.axes = shape.axes;
  args.rms_scaling = rms_scaling;
  args.x = x.data();
  args.gamma = affine ? gamma.data() : nullptr;
  args.beta = affine && !rms_scaling ? beta.data() : nullptr;
  args.y = y.data();
  args.mean = mean.data();
  args.rstd = rstd.data();
  if (layer_norm_forward_on<S>(args) != Status::ok) std::abort();

  std::vector<T> dy(size), dx(size), dgamma(cols), dbeta(cols);
  for (T& d : dy) d = static_cast<T>(random.uniform() - 0.5);
  std::vector<double> workspace(
      layer_norm_backward_workspace(args.dtype, args.dims, args.axes) / sizeof(double) + 1);
  LayerNormBackward gradient;
  gradient.dtype = args.dtype;
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

// x and dy rounded to 16 bits, from the same numbers; mean and rstd are those that were saved.
template <class S>
Digests digest(DType dtype, const Shape& shape, const Dataset& dataset, bool affine, bool rms_scaling) {
  std::size_t size = 1, cols = 1;
  for (std::size_t n = 0; n < shape.dims.size(); ++n) {
    size *= shape.dims[n];
    if (shape.axes >> n & 1) cols *= shape.dims[n];
  }
  Random random(size * 31 + cols);
  std::vector<float> numbers(size), gamma(cols), beta(cols), mean(size / cols), rstd(size / cols);
  const auto narrowed = [&] {
    std::vector<std::uint16_t> bits(size);
    simd::convert(simd::narrow<S>(dtype), numbers.data(), size, bits.data());
    return bits;
  };
  for (std::size_t i = 0; i < size; ++i)
    numbers[i] = static_cast<float>(dataset.element(random, i % cols, cols));
  const std::vector<std::uint16_t> x = narrowed();
  for (float& g : gamma) g = static_cast<float>(random.uniform() + 0.5);
  for (float& b : beta) b = static_cast<float>(random.uniform() - 0.5);
  for (float& d : numbers) d = static_cast<float>(random.uniform() - 0.5);
  const std::vector<std::uint16_t> dy = narrowed();
  std::vector<std::uint16_t> y(size), dx(size);
  std::vector<float> dgamma(cols), dbeta(cols);
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

bool all_agree = true;

void print(const std::string& what, std::uint64_t intrinsics, std::uint64_t emulated) {
  all_agree &= intrinsics == emulated;
  std::printf("%s %016llx%s\n", what.c_str(), static_cast<unsigned long long>(intrinsics),
              intrinsics == emulated ? "" : " EMULATED DIFFERS");
}

// `digest_on` is called as a template, with each type of vectors.
template <class Digest>
void print(const char* dtype, const Shape& shape, const Dataset& dataset, bool affine, bool rms_scaling,
           Digest digest_on) {
  const Digests intrinsics =
      digest_on.template operator()<simd::Simd128>(shape, dataset, affine, rms_scaling);
  const Digests emulated = digest_on.template operator()<simd::Emulated>(shape, dataset, affine, rms_scaling);
  std::string what = dtype;
  for (std::size_t n = 0; n < shape.dims.size(); ++n) {
    what += n == 0 ? ' ' : 'x';
    what += std::to_string(shape.dims[n]);
  }
  what.append(" axes=").append(std::to_string(shape.axes));
  what.append(" affine=").append(std::to_string(affine)).append(" rms=").append(std::to_string(rms_scaling));
  what.append(" ").append(dataset.name);
  print(what, intrinsics.forward, emulated.forward);
  print(what.insert(0, "backward "), intrinsics.backward, emulated.backward);
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
      {{6, 11, 1, 13}, 8}, {{3, 1, 5, 70}, 6},
  };
  for (const Shape& shape : shapes) {
    for (const Dataset& dataset : datasets()) {
      if (std::strcmp(dataset.name, "lognormal") == 0) continue;  // exp() is not the same in every C library
      for (const bool affine : {false, true}) {
        const bool rms_scaling = affine && std::strcmp(dataset.name, "U(-1,3)") == 0;
        print("float32", shape, dataset, affine, rms_scaling,
              []<class S>(const auto&... of) { return digest<S, float>(of...); });
        print("float64", shape, dataset, affine, rms_scaling,
              []<class S>(const auto&... of) { return digest<S, double>(of...); });
        print("float16", shape, dataset, affine, rms_scaling,
              []<class S>(const auto&... of) { return digest<S>(DType::float16, of...); });
        print("bfloat16", shape, dataset, affine, rms_scaling,
              []<class S>(const auto&... of) { return digest<S>(DType::bfloat16, of...); });
      }
    }
  }
  return all_agree ? 0 : 1;
}
