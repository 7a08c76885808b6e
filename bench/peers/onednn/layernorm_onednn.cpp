// oneDNN's layer and batch normalization as a Node addon. It works on the memory of the typed arrays that it is given,
// so views of a WebAssembly memory are used where they lie: the very addresses that the wasm kernels read and
// write.
//
//   setThreads(n)                    before create()
//   create(options, arrays): handle  { channels, backward, saveStatistics, givenStatistics, dims, strides, dtype, epsilon },
//                                    { src, dst, scale, shift, mean, variance, diffDst, diffSrc, ... }
//                                    channels: those of dimension 1 are normalized over the others, not the last dimension
//                                    givenStatistics: mean and variance are inputs, with channels
//   execute(handle)
//   version(), isa()
//
// A handle holds on to addresses: it is of no use once the memory behind the arrays has moved.
#include <node_api.h>
#include <omp.h>

#include <cstdint>
#include <dnnl.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using dnnl::memory;

// ---- Values of JavaScript

void check(napi_status status, const char* what) {
  if (status != napi_ok) throw std::runtime_error(std::string("oneDNN addon: ") + what);
}

napi_value property(napi_env env, napi_value object, const char* name) {
  napi_value value;
  check(napi_get_named_property(env, object, name, &value), name);
  return value;
}

bool is_given(napi_env env, napi_value value) {
  napi_valuetype type;
  check(napi_typeof(env, value, &type), "typeof");
  return type != napi_undefined && type != napi_null;
}

bool flag(napi_env env, napi_value options, const char* name) {
  bool result = false;
  check(napi_get_value_bool(env, property(env, options, name), &result), name);
  return result;
}

double number(napi_env env, napi_value options, const char* name) {
  double result = 0;
  check(napi_get_value_double(env, property(env, options, name), &result), name);
  return result;
}

memory::dims sizes(napi_env env, napi_value options, const char* name) {
  const napi_value array = property(env, options, name);
  std::uint32_t length = 0;
  check(napi_get_array_length(env, array, &length), name);
  memory::dims result(length);
  for (std::uint32_t i = 0; i < length; ++i) {
    napi_value element;
    check(napi_get_element(env, array, i, &element), name);
    check(napi_get_value_int64(env, element, &result[i]), name);
  }
  return result;
}

std::string text(napi_env env, napi_value options, const char* name) {
  char buffer[32];
  size_t length = 0;
  check(napi_get_value_string_utf8(env, property(env, options, name), buffer, sizeof buffer, &length), name);
  return {buffer, length};
}

memory::data_type data_type(const std::string& name) {
  if (name == "float32") return memory::data_type::f32;
  if (name == "bfloat16") return memory::data_type::bf16;
  if (name == "float16") return memory::data_type::f16;
  throw std::runtime_error("oneDNN has no normalization in " + name);
}

// ---- The primitive

struct Job {
  dnnl::primitive primitive;
  std::vector<memory> memories;
  std::vector<dnnl_exec_arg_t> args;
  std::vector<napi_ref> arrays;
};

const dnnl::engine& engine() {
  static const dnnl::engine instance(dnnl::engine::kind::cpu, 0);
  return instance;
}

dnnl::stream& stream() {
  static dnnl::stream instance(engine());
  return instance;
}

struct Descriptors {
  dnnl::primitive primitive;
  memory::desc data, parameters, statistics;
};

struct Wish {
  bool backward, save;
  memory::desc data;
  float epsilon;
  dnnl::normalization_flags flags;
};

template <class Forward, class Backward>
Descriptors describe(const Wish& wish) {
  const auto& [backward, save, data, epsilon, flags] = wish;
  const auto kind = save || backward ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
#if DNNL_VERSION_MAJOR < 3
  const typename Forward::primitive_desc forward({kind, data, epsilon, flags}, engine());
  if (!backward) return {Forward(forward), data, forward.weights_desc(), forward.mean_desc()};
  const typename Backward::primitive_desc pd({dnnl::prop_kind::backward, data, data, epsilon, flags},
                                             engine(), forward);
#else
  const typename Forward::primitive_desc forward(engine(), kind, data, data, epsilon, flags);
  if (!backward) return {Forward(forward), data, forward.weights_desc(), forward.mean_desc()};
  const typename Backward::primitive_desc pd(engine(), dnnl::prop_kind::backward, data, data, data, epsilon,
                                             flags, forward);
#endif
  return {Backward(pd), data, pd.weights_desc(), pd.mean_desc()};
}

std::unique_ptr<Job> create(napi_env env, napi_value options, napi_value arrays) {
  const bool channels = flag(env, options, "channels");
  const bool backward = flag(env, options, "backward");
  const memory::dims dims = sizes(env, options, "dims");
  const memory::desc data(dims, data_type(text(env, options, "dtype")), sizes(env, options, "strides"));
  const memory::desc parameters({channels ? dims[1] : dims.back()}, memory::data_type::f32, memory::dims{1});

  const bool scale = is_given(env, property(env, arrays, "scale"));
  const bool shift = is_given(env, property(env, arrays, backward ? "diffShift" : "shift"));
  auto flags = dnnl::normalization_flags::none;
  if (scale) flags |= dnnl::normalization_flags::use_scale;
  if (shift) flags |= dnnl::normalization_flags::use_shift;
  if (flag(env, options, "givenStatistics")) flags |= dnnl::normalization_flags::use_global_stats;
  const auto epsilon = static_cast<float>(number(env, options, "epsilon"));
  const Wish wish{backward, flag(env, options, "saveStatistics"), data, epsilon, flags};
  const Descriptors made =
      channels ? describe<dnnl::batch_normalization_forward, dnnl::batch_normalization_backward>(wish)
               : describe<dnnl::layer_normalization_forward, dnnl::layer_normalization_backward>(wish);

  auto job = std::make_unique<Job>();
  job->primitive = made.primitive;
  struct Argument {
    const char* name;
    int id;
    const memory::desc& desc;
  };
  const Argument all[] = {
      {"src", DNNL_ARG_SRC, data},
      {"dst", DNNL_ARG_DST, data},
      {"scale", DNNL_ARG_SCALE, parameters},
      {"shift", DNNL_ARG_SHIFT, parameters},
      {"mean", DNNL_ARG_MEAN, made.statistics},
      {"variance", DNNL_ARG_VARIANCE, made.statistics},
      {"diffDst", DNNL_ARG_DIFF_DST, data},
      {"diffSrc", DNNL_ARG_DIFF_SRC, data},
      {"diffScale", DNNL_ARG_DIFF_SCALE, parameters},
      {"diffShift", DNNL_ARG_DIFF_SHIFT, parameters},
  };
  job->memories.reserve(std::size(all));
  for (const Argument& argument : all) {
    const napi_value array = property(env, arrays, argument.name);
    if (!is_given(env, array)) continue;
    void* address = nullptr;
    size_t length = 0, bytes = 0;
    napi_typedarray_type type;
    check(napi_get_typedarray_info(env, array, &type, &length, &address, nullptr, nullptr), argument.name);
    bytes = length * (type == napi_float32_array ? 4 : type == napi_uint16_array ? 2 : 0);
    if (address == nullptr || bytes < argument.desc.get_size()) {
      throw std::runtime_error(std::string("oneDNN addon: the array ") + argument.name + " is too small");
    }
    const memory& made_memory = job->memories.emplace_back(argument.desc, engine(), address);
    job->args.push_back({argument.id, made_memory.get()});
    check(napi_create_reference(env, array, 1, &job->arrays.emplace_back()), argument.name);
  }
  return job;
}

// ---- Functions of the addon

// Runs `body` and turns what it throws into an exception of JavaScript.
template <class Body>
napi_value guarded(napi_env env, Body body) {
  try {
    return body();
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
    return nullptr;
  }
}

napi_value create_js(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    napi_value args[2];
    size_t count = 2;
    check(napi_get_cb_info(env, info, &count, args, nullptr, nullptr), "arguments");
    std::unique_ptr<Job> job = create(env, args[0], args[1]);
    const auto finalize = [](napi_env finalizing, void* data, void*) {
      std::unique_ptr<Job> done(static_cast<Job*>(data));
      for (napi_ref array : done->arrays) napi_delete_reference(finalizing, array);
    };
    napi_value result;
    check(napi_create_external(env, job.get(), finalize, nullptr, &result), "external");
    job.release();
    return result;
  });
}

// What is timed: nothing but what a call needs.
napi_value execute_js(napi_env env, napi_callback_info info) {
  napi_value handle;
  size_t count = 1;
  void* data = nullptr;
  napi_get_cb_info(env, info, &count, &handle, nullptr, nullptr);
  if (count < 1 || napi_get_value_external(env, handle, &data) != napi_ok) {
    napi_throw_error(env, nullptr, "oneDNN addon: execute() expects what create() returned");
    return nullptr;
  }
  const Job& job = *static_cast<Job*>(data);
  const auto size = static_cast<int>(job.args.size());
  if (dnnl_primitive_execute(job.primitive.get(), stream().get(), size, job.args.data()) != dnnl_success) {
    napi_throw_error(env, nullptr, "oneDNN addon: the primitive failed");
  }
  return nullptr;
}

napi_value set_threads_js(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    napi_value argument;
    size_t count = 1;
    std::int32_t threads = 1;
    check(napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr), "arguments");
    check(napi_get_value_int32(env, argument, &threads), "threads");
    omp_set_num_threads(threads);
    return static_cast<napi_value>(nullptr);
  });
}

napi_value version_js(napi_env env, napi_callback_info) {
  return guarded(env, [&] {
    const dnnl_version_t& version = *dnnl_version();
    const std::string shown = std::to_string(version.major) + "." + std::to_string(version.minor) + "." +
                              std::to_string(version.patch);
    napi_value result;
    check(napi_create_string_utf8(env, shown.c_str(), shown.size(), &result), "version");
    return result;
  });
}

napi_value isa_js(napi_env env, napi_callback_info) {
  return guarded(env, [&] {
    const int isa = dnnl_get_effective_cpu_isa();  // each one has the bits of those that it contains
    const auto has = [isa](int one) { return (isa & one) == one; };
    const char* name = has(dnnl_cpu_isa_avx512_core) ? "AVX-512" : has(dnnl_cpu_isa_avx2) ? "AVX2" : "SSE4.1";
    napi_value result;
    check(napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &result), "isa");
    return result;
  });
}

}  // namespace

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"create", nullptr, create_js, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"execute", nullptr, execute_js, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"setThreads", nullptr, set_threads_js, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"version", nullptr, version_js, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"isa", nullptr, isa_js, nullptr, nullptr, nullptr, napi_default, nullptr},
  };
  napi_define_properties(env, exports, std::size(functions), functions);
  return exports;
}
