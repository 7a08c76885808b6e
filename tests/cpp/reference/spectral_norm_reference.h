// Spectral normalization by its formulas in long double: plain loops, no vectors.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace layernorm::test {

struct SpectralNormReference {
  std::vector<long double> y, u, v;
  long double sigma;
};

inline void normalize_reference(std::vector<long double>& x, long double epsilon) {
  long double squares = 0;
  for (const long double value : x) squares += value * value;
  const long double length = std::fmax(std::sqrt(squares), epsilon);
  for (long double& value : x) value /= length;
}

template <class T, class U>
SpectralNormReference spectral_norm_reference(const std::vector<T>& kernel, const std::vector<U>& u,
                                              std::size_t iterations, long double epsilon) {
  const std::size_t cols = u.size(), rows = kernel.size() / cols;
  SpectralNormReference r;
  r.u.assign(u.begin(), u.end());
  const auto times_u = [&] {
    std::vector<long double> product(rows);
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t k = 0; k < cols; ++k) product[i] += r.u[k] * kernel[i * cols + k];
    }
    return product;
  };
  for (std::size_t n = 0; n < iterations; ++n) {
    r.v = times_u();
    normalize_reference(r.v, epsilon);
    r.u.assign(cols, 0);
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t k = 0; k < cols; ++k) r.u[k] += r.v[i] * kernel[i * cols + k];
    }
    normalize_reference(r.u, epsilon);
  }
  const std::vector<long double> product = times_u();
  r.sigma = 0;
  for (std::size_t i = 0; i < rows; ++i) r.sigma += r.v[i] * product[i];
  for (const T w : kernel) r.y.push_back(w / r.sigma);
  return r;
}

// dkernel, given the u, v and sigma of the forward call.
template <class T, class U>
std::vector<long double> spectral_norm_backward_reference(const std::vector<T>& dy,
                                                          const std::vector<T>& kernel,
                                                          const std::vector<U>& u, const std::vector<U>& v,
                                                          long double sigma) {
  long double product = 0;
  for (std::size_t i = 0; i < dy.size(); ++i) product += static_cast<long double>(dy[i]) * kernel[i];
  std::vector<long double> dkernel;
  for (std::size_t i = 0; i < dy.size(); ++i) {
    const long double outer = static_cast<long double>(v[i / u.size()]) * u[i % u.size()];
    dkernel.push_back((dy[i] - product / sigma * outer) / sigma);
  }
  return dkernel;
}

}  // namespace layernorm::test
