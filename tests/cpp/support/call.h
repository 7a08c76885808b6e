// Calls of the operation under test on vectors of numbers.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "ops/layer_norm.h"
#include "simd/build.h"

namespace layernorm::test {

// Every vector type that this build instantiates, for TYPED_TEST_SUITE.
using SimdTypes = ::testing::Types<simd::Simd128, simd::Emulated>;

template <class T>
constexpr DType dtype_of = sizeof(T) == sizeof(float) ? DType::float32 : DType::float64;

template <class T>
struct Call {
  std::vector<T> x;
  std::vector<std::uint32_t> dims;
  std::uint32_t axes;
  double epsilon = 1e-3;
  std::vector<T> gamma = {};
  std::vector<T> beta = {};
  bool rms_scaling = false;

  std::size_t reduced_size() const { return size(true); }
  std::size_t groups() const { return size(false); }

  // Arguments with everything but the outputs.
  LayerNormForward arguments() const {
    LayerNormForward args;
    args.dtype = dtype_of<T>;
    args.dims = dims;
    args.axes = axes;
    args.epsilon = epsilon;
    args.rms_scaling = rms_scaling;
    args.x = x.data();
    args.gamma = gamma.empty() ? nullptr : gamma.data();
    args.beta = beta.empty() ? nullptr : beta.data();
    return args;
  }

 private:
  std::size_t size(bool reduced) const {
    std::size_t product = 1;
    for (std::size_t n = 0; n < dims.size(); ++n) {
      if ((axes >> n & 1) == reduced) product *= dims[n];
    }
    return product;
  }
};

template <class T>
struct Result {
  std::vector<T> y, mean, rstd;
};

template <class S, class T>
Result<T> forward(const Call<T>& call) {
  Result<T> result{std::vector<T>(call.x.size()), std::vector<T>(call.groups()),
                   std::vector<T>(call.groups())};
  LayerNormForward args = call.arguments();
  args.y = result.y.data();
  args.mean = result.mean.data();
  args.rstd = result.rstd.data();
  EXPECT_EQ(layer_norm_forward_on<S>(args), Status::ok);
  return result;
}

// Equal bits, where any NaN equals any other.
template <class T>
::testing::AssertionResult same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  if (a.size() != b.size())
    return ::testing::AssertionFailure() << a.size() << " and " << b.size() << " elements";
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != a[i] && b[i] != b[i]) continue;
    if (std::memcmp(&a[i], &b[i], sizeof(T)) != 0) {
      return ::testing::AssertionFailure() << "element " << i << ": " << a[i] << " and " << b[i];
    }
  }
  return ::testing::AssertionSuccess();
}

}  // namespace layernorm::test
