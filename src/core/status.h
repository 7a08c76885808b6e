// What can go wrong in the core, as one list of (name, code of the JavaScript API, text).
// The list is the whole vocabulary: the bindings hand code and text on, no other layer words a status again.
#pragma once

#include <cstdint>

#define LAYERNORM_STATUSES(X)                                                                             \
  X(ok, "OK", "no error")                                                                                 \
  X(unknown_dtype, "ERR_DTYPE", "the data type is not one the core computes")                             \
  X(invalid_rank, "ERR_SHAPE", "the rank must be from 1 to 32")                                           \
  X(size_overflow, "ERR_SHAPE", "the shape has more elements than can be addressed")                      \
  X(invalid_axes, "ERR_AXIS", "the axes must name at least one dimension and only dimensions of x")       \
  X(invalid_epsilon, "ERR_ARGUMENT", "epsilon must be a finite number that is not negative")              \
  X(null_data, "ERR_ARGUMENT", "x and y must not be null unless the shape is empty")                      \
  X(misaligned_data, "ERR_ARGUMENT", "an address is not a multiple of the element size")                  \
  X(overlapping_data, "ERR_ARGUMENT",                                                                     \
    "an output overlaps an input or another output where that is not allowed")                            \
  X(small_workspace, "ERR_ARGUMENT", "the workspace is absent or too small")                              \
  X(invalid_groups, "ERR_ARGUMENT", "the channels must be a multiple of the groups")                      \
  X(invalid_mask, "ERR_ARGUMENT", "the mask must have runs of all channels, or of places of one channel") \
  X(invalid_iterations, "ERR_ARGUMENT", "there must be at least one power iteration")                     \
  X(invalid_skip, "ERR_ARGUMENT", "skip must be given and have a row unless the shape is empty")          \
  X(invalid_dimensions, "ERR_ARGUMENT", "dimensions must be from 1 to the number of columns")

namespace layernorm {

enum class Status : std::int32_t {
#define LAYERNORM_STATUS_NAME(name, code, text) name,
  LAYERNORM_STATUSES(LAYERNORM_STATUS_NAME)
#undef LAYERNORM_STATUS_NAME
};

// The code that the JavaScript API reports for `status`, e.g. "ERR_SHAPE".
constexpr const char* status_code(Status status) {
  switch (status) {
#define LAYERNORM_STATUS_CODE(name, code, text) \
  case Status::name:                            \
    return code;
    LAYERNORM_STATUSES(LAYERNORM_STATUS_CODE)
#undef LAYERNORM_STATUS_CODE
  }
  return "ERR_ARGUMENT";
}

// One clause in English that says which rule was broken.
constexpr const char* status_message(Status status) {
  switch (status) {
#define LAYERNORM_STATUS_TEXT(name, code, text) \
  case Status::name:                            \
    return text;
    LAYERNORM_STATUSES(LAYERNORM_STATUS_TEXT)
#undef LAYERNORM_STATUS_TEXT
  }
  return "unknown status";
}

}  // namespace layernorm
