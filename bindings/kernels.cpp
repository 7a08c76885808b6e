// The freestanding module: the calls and nothing else. It imports a memory, which is anybody's, and has no data, so that nothing
// of it lies at an address; whoever makes an instance gives it a stack of its own. See js/src/kernels.
#define LAYERNORM_CALL(type, name) \
  extern "C" __attribute__((export_name(#name), visibility("default"))) type name

#include "calls.h"
#include "tensorflow.h"

// The version of the package that the module was built for, three digits a part: the module has no place for a text.
extern "C" __attribute__((export_name("version"), visibility("default"))) std::uint32_t version() {
  return LAYERNORM_VERSION_NUMBER;
}

using layernorm::calls::Address;
using layernorm::calls::pointer;

// What takes the place of kernels of TensorFlow.js: addresses and sizes that it has made itself, none of them 0.
LAYERNORM_CALL(void, tensorflowBatchNorm)
(Address y, Address x, Address mean, Address variance, Address offset, Address scale, float epsilon,
 std::size_t rows, std::size_t cols) {
  layernorm::tensorflow::batch_norm(pointer<float>(x), pointer<float>(mean), pointer<float>(variance),
                                    pointer<float>(offset), pointer<float>(scale), epsilon, pointer<float>(y),
                                    rows, cols);
}

LAYERNORM_CALL(void, tensorflowRowMeans)
(Address mean, Address x, std::size_t rows, std::size_t cols) {
  layernorm::tensorflow::row_means(pointer<float>(x), pointer<float>(mean), rows, cols);
}

LAYERNORM_CALL(void, tensorflowColumnMeans)
(Address mean, Address x, std::size_t rows, std::size_t cols) {
  layernorm::tensorflow::column_means(pointer<float>(x), pointer<float>(mean), rows, cols);
}
