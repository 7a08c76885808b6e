// Before a loop: LAYERNORM_UNROLL where the number of turns is a constant and small, even if the build asks
// for small code; LAYERNORM_NO_UNROLL where one turn is all that fits the registers.
#pragma once

#if defined(__clang__)
#define LAYERNORM_UNROLL _Pragma("clang loop unroll(full)")
#define LAYERNORM_NO_UNROLL _Pragma("clang loop unroll(disable)")
#else
#define LAYERNORM_UNROLL _Pragma("GCC unroll 16")
#define LAYERNORM_NO_UNROLL _Pragma("GCC unroll 1")
#endif
