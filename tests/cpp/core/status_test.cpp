#include "core/status.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace layernorm {
namespace {

TEST(Status, EveryStatusHasACodeAndATextOfItsOwn) {
  std::string texts;
#define LAYERNORM_CHECK(name, code, text)                                 \
  EXPECT_STREQ(status_code(Status::name), code);                          \
  EXPECT_STREQ(status_message(Status::name), text);                       \
  EXPECT_EQ(texts.find(status_message(Status::name)), std::string::npos); \
  texts += status_message(Status::name);
  LAYERNORM_STATUSES(LAYERNORM_CHECK)
#undef LAYERNORM_CHECK
}

TEST(Status, OkIsZero) { EXPECT_EQ(static_cast<int>(Status::ok), 0); }

TEST(Status, NumbersThatAreNoStatusAreDescribedToo) {
  EXPECT_STREQ(status_message(Status{-1}), "unknown status");
  EXPECT_EQ(std::strncmp(status_code(Status{12345}), "ERR_", 4), 0);
}

}  // namespace
}  // namespace layernorm
