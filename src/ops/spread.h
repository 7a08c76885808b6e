// What the elements of a group are divided by.
//
//   deviation     sqrt(sum((x - mean)^2) / D + epsilon)       layer normalization
//   mean_square   sqrt(sum(x^2) / D + epsilon)                RMS normalization
//   norm          max(sqrt(sum(x^2)), epsilon)                unit normalization
//
// The first is about the mean, which is subtracted; the others are about zero, and there is no mean.
#pragma once

#include <cstddef>

namespace layernorm {

struct Spread {
  enum class Kind { deviation, mean_square, norm };

  // A number alone is the epsilon of a deviation.
  constexpr Spread(double epsilon_of_it, Kind its_kind = Kind::deviation)
      : epsilon(epsilon_of_it), kind(its_kind) {}

  constexpr bool is_about_mean() const { return kind == Kind::deviation; }

  // What epsilon is added to, or compared with: the sum of squares, or its part for each of n elements, of which `inverse` is the
  // 1 / n.
  constexpr double power(double squares, double mean_of_squares) const {
    return kind == Kind::norm ? squares : mean_of_squares;
  }
  // The square of what is divided by. NaN stays NaN, here and below.
  constexpr double square(double power) const {
    if (kind != Kind::norm) return power + epsilon;
    return power < epsilon * epsilon ? epsilon * epsilon : power;
  }
  double rstd(double power) const {
    if (kind != Kind::norm) return 1 / __builtin_sqrt(power + epsilon);
    // Of the root, since the square of epsilon may be too small for a number.
    const double root = __builtin_sqrt(power);
    return 1 / (root < epsilon ? epsilon : root);
  }
  // What groups of equal elements, or of zeros, are divided by: the least.
  double least() const { return kind == Kind::norm ? epsilon : __builtin_sqrt(epsilon); }

  // The same for elements that are `scale` times as large. One factor after the other: the square of the scale may overflow.
  constexpr Spread scaled(double scale) const {
    return {kind == Kind::norm ? epsilon * scale : epsilon * scale * scale, kind};
  }

  double epsilon;
  Kind kind;
};

}  // namespace layernorm
