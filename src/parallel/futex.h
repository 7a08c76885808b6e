// How a thread sleeps until a number in memory changes, and other things that differ between targets.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#if defined(__wasm__)
// Two instructions of WebAssembly.
#elif defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>
#else
#include <chrono>
#include <thread>
#endif

namespace layernorm {

// Stack of a worker, for the kernels: 37 KB (ops/column_moments.h). Natively it also holds what the system and sanitizers want.
#if defined(__wasm__)
inline constexpr std::size_t kStackBytes = 128 * 1024;
#else
inline constexpr std::size_t kStackBytes = 2 * 1024 * 1024;
#endif

using Futex = std::atomic<std::uint32_t>;
static_assert(sizeof(Futex) == sizeof(std::uint32_t));

// Sleeps while `futex` is `seen`, until it is woken or `nanoseconds` are over (-1: for ever). May also return
// for no reason. The main thread of a browser may not sleep: the instruction traps there.
inline void futex_wait(Futex& futex, std::uint32_t seen, std::int64_t nanoseconds) {
#if defined(__wasm__)
  __builtin_wasm_memory_atomic_wait32(reinterpret_cast<int*>(&futex), static_cast<int>(seen), nanoseconds);
#elif defined(__linux__)
  timespec time{};
  time.tv_sec = static_cast<time_t>(nanoseconds / 1000000000);
  time.tv_nsec = static_cast<long>(nanoseconds % 1000000000);
  syscall(SYS_futex, &futex, FUTEX_WAIT_PRIVATE, seen, nanoseconds < 0 ? nullptr : &time, nullptr, 0);
#else
  if (nanoseconds < 0) return futex.wait(seen);
  if (futex.load() == seen) std::this_thread::sleep_for(std::chrono::microseconds(50));
#endif
}

inline void futex_wake_all(Futex& futex) {
#if defined(__wasm__)
  __builtin_wasm_memory_atomic_notify(reinterpret_cast<int*>(&futex), 0xffffffffu);
#elif defined(__linux__)
  syscall(SYS_futex, &futex, FUTEX_WAKE_PRIVATE, 0x7fffffff, nullptr, nullptr, 0);
#else
  futex.notify_all();
#endif
}

// One turn of a loop that looks at memory again and again.
inline void spin_once() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

}  // namespace layernorm
