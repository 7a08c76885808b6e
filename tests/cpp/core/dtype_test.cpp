#include "core/dtype.h"

#include <gtest/gtest.h>

namespace layernorm {
namespace {

TEST(DType, SizesAreThoseOfTheTypes) {
  EXPECT_EQ(dtype_size(DType::float32), sizeof(float));
  EXPECT_EQ(dtype_size(DType::float64), sizeof(double));
  EXPECT_EQ(dtype_size(DType::float16), 2u);
  EXPECT_EQ(dtype_size(DType::bfloat16), 2u);
}

TEST(DType, OtherNumbersHaveNoSize) { EXPECT_EQ(dtype_size(DType{4}), 0u); }

TEST(DType, ParametersOfSixteenBitDataAreFloat32) {
  EXPECT_EQ(parameter_dtype(DType::float16), DType::float32);
  EXPECT_EQ(parameter_dtype(DType::bfloat16), DType::float32);
  EXPECT_EQ(parameter_dtype(DType::float32), DType::float32);
  EXPECT_EQ(parameter_dtype(DType::float64), DType::float64);
}

}  // namespace
}  // namespace layernorm
