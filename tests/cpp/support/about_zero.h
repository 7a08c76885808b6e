// RMS and unit normalization behind one interface: what holds of both is tested once.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "ops/rms_norm.h"
#include "ops/unit_norm.h"
#include "reference/rms_norm_reference.h"
#include "reference/unit_norm_reference.h"
#include "simd/sixteen_bit.h"
#include "support/call.h"
#include "support/random.h"

namespace layernorm::test {

// Numbers of type T, which for types of 16 bits is that of the bits; parameters and statistics are of type P.
template <class T>
struct ZeroCall {
  using P = std::conditional_t<sizeof(T) == sizeof(std::uint16_t), float, T>;

  DType dtype;
  std::vector<std::uint32_t> dims;
  std::uint32_t axes;
  double epsilon;
  std::vector<T> x = {};
  std::vector<T> dy = {};
  std::vector<P> gamma = {};

  std::size_t product(bool reduced) const {
    std::size_t product = 1;
    for (std::size_t n = 0; n < dims.size(); ++n) {
      if ((axes >> n & 1) == reduced) product *= dims[n];
    }
    return product;
  }
  std::size_t cols() const { return product(true); }
  std::size_t groups() const { return product(false); }
  std::size_t size() const { return cols() * groups(); }
};

template <class T>
struct ZeroResult {
  using P = typename ZeroCall<T>::P;
  std::vector<T> y;
  std::vector<P> rstd;
  std::vector<T> dx;
  std::vector<P> dgamma;
};

template <class T>
using WiderThan = std::conditional_t<sizeof(T) == sizeof(float), double, long double>;

struct RmsNormOperation {
  static constexpr double kEpsilon = 1e-6;
  static constexpr bool kHasGamma = true;
  using Forward = RmsNormForward;
  using Backward = RmsNormBackward;

  static std::size_t forward_workspace(DType dtype, const std::vector<std::uint32_t>& dims,
                                       std::uint32_t axes) {
    return rms_norm_forward_workspace(dtype, dims, axes);
  }
  static std::size_t backward_workspace(DType dtype, const std::vector<std::uint32_t>& dims,
                                        std::uint32_t axes) {
    return rms_norm_backward_workspace(dtype, dims, axes);
  }
  template <class S>
  static Status forward(const Forward& args) {
    return rms_norm_forward_on<S>(args);
  }
  template <class S>
  static Status backward(const Backward& args) {
    return rms_norm_backward_on<S>(args);
  }
  template <class T>
  static void set_parameters(Forward& args, const ZeroCall<T>& call) {
    args.gamma = call.gamma.empty() ? nullptr : call.gamma.data();
  }
  template <class T>
  static void set_parameters(Backward& args, const ZeroCall<T>& call, void* dgamma) {
    args.gamma = call.gamma.empty() ? nullptr : call.gamma.data();
    args.dgamma = dgamma;
  }
  template <class T>
  static auto reference(const ZeroCall<T>& c) {
    return rms_norm_reference<WiderThan<T>>(c.x, c.dy, c.dims, c.axes, c.epsilon, c.gamma);
  }
};

struct UnitNormOperation {
  static constexpr double kEpsilon = 1e-12;
  static constexpr bool kHasGamma = false;
  using Forward = UnitNormForward;
  using Backward = UnitNormBackward;

  static std::size_t forward_workspace(DType dtype, const std::vector<std::uint32_t>& dims,
                                       std::uint32_t axes) {
    return unit_norm_forward_workspace(dtype, dims, axes);
  }
  static std::size_t backward_workspace(DType dtype, const std::vector<std::uint32_t>& dims,
                                        std::uint32_t axes) {
    return unit_norm_backward_workspace(dtype, dims, axes);
  }
  template <class S>
  static Status forward(const Forward& args) {
    return unit_norm_forward_on<S>(args);
  }
  template <class S>
  static Status backward(const Backward& args) {
    return unit_norm_backward_on<S>(args);
  }
  template <class T>
  static void set_parameters(Forward&, const ZeroCall<T>&) {}
  template <class T>
  static void set_parameters(Backward& args, const ZeroCall<T>& call, void*) {
    args.epsilon = call.epsilon;
  }
  template <class T>
  static auto reference(const ZeroCall<T>& c) {
    return unit_norm_reference<WiderThan<T>>(c.x, c.dy, c.dims, c.axes, c.epsilon);
  }
};

// Room for a call's workspace, of its very size up to the alignment: beyond it is an error under the sanitizer.
inline std::vector<double> room(std::size_t bytes) { return std::vector<double>((bytes + 7) / 8, -1); }

template <class Operation, class T>
typename Operation::Forward forward_arguments(const ZeroCall<T>& call, ZeroResult<T>& out,
                                              std::vector<double>& workspace) {
  out.y.resize(call.x.size());
  out.rstd.resize(call.groups());
  workspace = room(Operation::forward_workspace(call.dtype, call.dims, call.axes));
  typename Operation::Forward args;
  args.dtype = call.dtype;
  args.dims = call.dims;
  args.axes = call.axes;
  args.epsilon = call.epsilon;
  args.x = call.x.data();
  args.y = out.y.data();
  args.rstd = out.rstd.data();
  args.workspace = workspace.data();
  args.workspace_bytes = workspace.size() * sizeof(double);
  Operation::set_parameters(args, call);
  return args;
}

// `out` has the rstd of the forward call.
template <class Operation, class T>
typename Operation::Backward backward_arguments(const ZeroCall<T>& call, ZeroResult<T>& out,
                                                std::vector<double>& workspace) {
  out.dx.resize(call.x.size());
  out.dgamma.resize(call.cols());
  workspace = room(Operation::backward_workspace(call.dtype, call.dims, call.axes));
  typename Operation::Backward args;
  args.dtype = call.dtype;
  args.dims = call.dims;
  args.axes = call.axes;
  args.dy = call.dy.data();
  args.x = call.x.data();
  args.rstd = out.rstd.data();
  args.dx = out.dx.data();
  args.workspace = workspace.data();
  args.workspace_bytes = workspace.size() * sizeof(double);
  Operation::set_parameters(args, call, out.dgamma.data());
  return args;
}

// Forward, then backward with the rstd that it saved.
template <class Operation, class S, class T>
ZeroResult<T> compute(const ZeroCall<T>& call) {
  ZeroResult<T> out;
  std::vector<double> workspace;
  EXPECT_EQ(Operation::template forward<S>(forward_arguments<Operation>(call, out, workspace)), Status::ok);
  EXPECT_EQ(Operation::template backward<S>(backward_arguments<Operation>(call, out, workspace)), Status::ok);
  return out;
}

// Numbers about `offset`, and an upstream gradient.
template <class Operation, class T>
ZeroCall<T> zero_call(const std::vector<std::uint32_t>& dims, std::uint32_t axes, bool with_gamma = true,
                      double offset = 0.3) {
  ZeroCall<T> call{dtype_of<T>, dims, axes, Operation::kEpsilon};
  Random random(call.size() + axes);
  for (std::size_t i = 0; i < call.size(); ++i) {
    call.x.push_back(static_cast<T>(offset + random.normal()));
    call.dy.push_back(static_cast<T>(random.normal()));
  }
  for (std::size_t i = 0; Operation::kHasGamma && with_gamma && i < call.cols(); ++i) {
    call.gamma.push_back(static_cast<T>(0.5 + random.uniform()));
  }
  return call;
}

// The same numbers in 16 bits.
template <class S>
std::vector<std::uint16_t> narrowed(DType dtype, const std::vector<float>& values) {
  std::vector<std::uint16_t> bits(values.size());
  simd::convert(simd::narrow<S>(dtype), values.data(), values.size(), bits.data());
  return bits;
}
template <class S>
std::vector<float> widened(DType dtype, const std::vector<std::uint16_t>& bits) {
  std::vector<float> values(bits.size());
  simd::convert(simd::widen<S>(dtype), bits.data(), bits.size(), values.data());
  return values;
}

// Both operations on every vector type.
template <class Op, class S>
struct OperationOn {
  using Operation = Op;
  using Simd = S;
};
using OperationsAboutZero = ::testing::Types<
    OperationOn<RmsNormOperation, simd::Simd128>, OperationOn<RmsNormOperation, simd::Emulated>,
    OperationOn<UnitNormOperation, simd::Simd128>, OperationOn<UnitNormOperation, simd::Emulated>>;

}  // namespace layernorm::test
