// Which vector types this build has: the only choice by target outside simd128.h.
#pragma once

#include "simd/simd128.h"

#if defined(LAYERNORM_EMULATED)
#include "simd/emulated.h"
// Calls X(S) for every vector type that operations are instantiated for.
#define LAYERNORM_FOR_EACH_SIMD(X) \
  X(::layernorm::simd::Simd128)    \
  X(::layernorm::simd::Emulated)
#else
#define LAYERNORM_FOR_EACH_SIMD(X) X(::layernorm::simd::Simd128)
#endif

namespace layernorm::simd {
using Default = Simd128;
}
