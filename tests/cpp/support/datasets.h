// The fifteen kinds of rows on which the error bound is promised: ordinary ones, and those on which other
// implementations lose their digits (tests/README.md names the issues).
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "support/random.h"

namespace layernorm::test {

struct Dataset {
  const char* name;
  // Element i of a row; `row_random` is the row's own generator.
  double (*element)(Random& random, std::size_t i, std::size_t cols);
};

inline const std::vector<Dataset>& datasets() {
  static const std::vector<Dataset> all = {
      {"U(-1,3)", [](Random& r, std::size_t, std::size_t) { return 4 * r.uniform() - 1; }},
      {"N(0,1)", [](Random& r, std::size_t, std::size_t) { return r.normal(); }},
      {"U(0,1)", [](Random& r, std::size_t, std::size_t) { return r.uniform(); }},
      {"N(10,1)", [](Random& r, std::size_t, std::size_t) { return 10 + r.normal(); }},
      {"N(1e4,1)", [](Random& r, std::size_t, std::size_t) { return 1e4 + r.normal(); }},
      {"N(1e6,.1)", [](Random& r, std::size_t, std::size_t) { return 1e6 + .1 * r.normal(); }},
      {"x0=1e6", [](Random& r, std::size_t i, std::size_t) { return i == 0 ? 1e6 : r.normal(); }},
      {"outlier 1e6",
       [](Random& r, std::size_t i, std::size_t cols) { return i == cols / 2 ? 1e6 : r.normal(); }},
      {"outlier 1e20",
       [](Random& r, std::size_t i, std::size_t cols) { return i == cols / 2 ? 1e20 : r.normal(); }},
      {"const .1", [](Random&, std::size_t, std::size_t) { return .1; }},
      {"const 1e7/3", [](Random&, std::size_t, std::size_t) { return 1e7 / 3; }},
      {"N*1e30", [](Random& r, std::size_t, std::size_t) { return 1e30 * r.normal(); }},
      {"N*1e-30", [](Random& r, std::size_t, std::size_t) { return 1e-30 * r.normal(); }},
      {"relu", [](Random& r, std::size_t, std::size_t) { return std::fmax(0, r.normal()); }},
      {"lognormal", [](Random& r, std::size_t, std::size_t) { return std::exp(r.normal()); }},
  };
  return all;
}

}  // namespace layernorm::test
