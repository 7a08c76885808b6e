// Embind calls sprintf in one place: to name a type without a registration by its address, "%p". That is dropped when
// linking (small_embind.js), but would leave the tables of the C library's formatter behind.
#include <cstdarg>
#include <cstdint>

// The compiler calls the second name where no floating-point number is printed.
extern "C" int sprintf(char* out, const char* format, ...);
extern "C" int siprintf(char* out, const char* format, ...) __attribute__((alias("sprintf")));

int sprintf(char* out, const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  auto address = reinterpret_cast<std::uintptr_t>(va_arg(arguments, const void*));
  va_end(arguments);

  char digits[2 * sizeof address];
  int count = 0;
  do {
    digits[count++] = "0123456789abcdef"[address % 16];
    address /= 16;
  } while (address != 0);
  int length = 0;
  out[length++] = '0';
  out[length++] = 'x';
  while (count > 0) out[length++] = digits[--count];
  out[length] = 0;
  return length;
}
