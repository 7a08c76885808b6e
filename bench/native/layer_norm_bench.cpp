// The float32 kernels natively, on the shapes that the command line names: layernorm_bench 128x768 512x1024
// The options of Google Benchmark work as well.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "ops/layer_norm.h"
#include "simd/build.h"

namespace layernorm::bench {
namespace {

constexpr double kEpsilon = 1e-5;
constexpr std::size_t kCacheLine = 64;

// Aligned like the blocks of the package's heap.
class Block {
 public:
  explicit Block(std::size_t size)
      : data_(static_cast<float*>(
            std::aligned_alloc(kCacheLine, (4 * size + kCacheLine - 1) & ~(kCacheLine - 1)))) {}
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { std::free(data_); }
  float* data() { return data_; }

 private:
  float* data_;
};

template <class S>
void layer_norm(benchmark::State& state, std::uint32_t rows, std::uint32_t cols) {
  const std::size_t size = std::size_t{rows} * cols;
  Block x(size), y(size), gamma(cols), beta(cols);
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(0, 1);
  for (std::size_t i = 0; i < size; ++i) x.data()[i] = 4 * uniform(random) - 1;
  for (std::size_t i = 0; i < cols; ++i) gamma.data()[i] = uniform(random) + 0.5f;
  for (std::size_t i = 0; i < cols; ++i) beta.data()[i] = uniform(random) - 0.5f;

  const std::uint32_t dims[] = {rows, cols};
  LayerNormForward args;
  args.dims = dims;
  args.axes = 0b10;
  args.epsilon = kEpsilon;
  args.x = x.data();
  args.gamma = gamma.data();
  args.beta = beta.data();
  args.y = y.data();
  if (layer_norm_forward_on<S>(args) != Status::ok) {  // also touches the pages of y for the first time
    state.SkipWithError("the kernel refused its arguments");
    return;
  }
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(layer_norm_forward_on<S>(args));
    benchmark::ClobberMemory();
  }
  // x read once, y written once.
  state.SetBytesProcessed(static_cast<std::int64_t>(2 * sizeof(float) * size) *
                          static_cast<std::int64_t>(state.iterations()));
}

bool add(const char* shape) {
  unsigned rows = 0, cols = 0;
  char rest = 0;
  if (std::sscanf(shape, "%ux%u%c", &rows, &cols, &rest) != 2 || rows == 0 || cols == 0) return false;
  const auto add_on = [&]<class S>(const char* vectors) {
    const std::string name = std::string(vectors) + "/" + shape;
    benchmark::RegisterBenchmark(name.c_str(),
                                 [=](benchmark::State& state) { layer_norm<S>(state, rows, cols); });
  };
  add_on.template operator()<simd::Simd128>("simd128");
  add_on.template operator()<simd::Emulated>("emulated");
  return true;
}

}  // namespace
}  // namespace layernorm::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    if (layernorm::bench::add(argv[i])) continue;
    std::fprintf(stderr, "'%s' is no shape, expected rows and columns like 128x768\n", argv[i]);
    return 1;
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
