// LAYERNORM_UNROLL before a loop with a constant number of turns: unrolled even where the build asks for
// small code.
#pragma once

#if defined(__clang__)
#define LAYERNORM_UNROLL _Pragma("clang loop unroll(full)")
#else
#define LAYERNORM_UNROLL _Pragma("GCC unroll 16")
#endif
