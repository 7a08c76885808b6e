#include "core/dtype.h"

#include <gtest/gtest.h>

namespace layernorm {
namespace {

TEST(DType, SizesAreThoseOfTheTypes) {
  EXPECT_EQ(dtype_size(DType::float32), sizeof(float));
  EXPECT_EQ(dtype_size(DType::float64), sizeof(double));
}

TEST(DType, OtherNumbersHaveNoSize) { EXPECT_EQ(dtype_size(DType{2}), 0u); }

}  // namespace
}  // namespace layernorm
