// Which group each element of a tensor belongs to, and its place there, by plain index arithmetic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace layernorm::test {

struct Grouping {
  Grouping(const std::vector<std::uint32_t>& dims, std::uint32_t axes) {
    std::size_t elements = 1;
    for (std::size_t n = 0; n < dims.size(); ++n) {
      elements *= dims[n];
      (axes >> n & 1 ? places : groups) *= dims[n];
    }
    group.resize(elements);
    place.resize(elements);
    for (std::size_t at = 0; at < elements; ++at) {
      std::size_t rest = at, kept_step = 1, reduced_step = 1;
      for (std::size_t n = dims.size(); n-- > 0;) {
        const std::size_t index = rest % dims[n];
        rest /= dims[n];
        if (axes >> n & 1) {
          place[at] += index * reduced_step;
          reduced_step *= dims[n];
        } else {
          group[at] += index * kept_step;
          kept_step *= dims[n];
        }
      }
    }
  }

  std::size_t groups = 1;
  std::size_t places = 1;
  std::vector<std::size_t> group;  // of each element
  std::vector<std::size_t> place;
};

}  // namespace layernorm::test
