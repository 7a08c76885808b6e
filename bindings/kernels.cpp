// The freestanding module: the calls and nothing else. It imports a memory, which is anybody's, and has no data, so that nothing
// of it lies at an address; whoever makes an instance gives it a stack of its own. See js/src/kernels.
#define LAYERNORM_CALL(type, name) \
  extern "C" __attribute__((export_name(#name), visibility("default"))) type name

#include "calls.h"

// The version of the package that the module was built for, three digits a part: the module has no place for a text.
extern "C" __attribute__((export_name("version"), visibility("default"))) std::uint32_t version() {
  return LAYERNORM_VERSION_NUMBER;
}
