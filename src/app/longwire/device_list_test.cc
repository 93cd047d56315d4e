#include "app/longwire/device_list.h"

#include <gtest/gtest.h>

namespace longwire::app {
namespace {

TEST(DeviceList, IsReadAsItIsWritten) {
  const auto devices = parse_device_list(
      R"([{"name":"cpu","type":"CPU","vendor":"v","version":"1","driver":"d","memory_bytes":7,)"
      R"("units":2}])");
  ASSERT_TRUE(devices.ok());
  ASSERT_EQ(devices->size(), 1u);
  EXPECT_EQ(devices->front().name, "cpu");
  EXPECT_EQ(devices->front().memory_bytes, 7u);
  EXPECT_EQ(devices->front().units, 2u);
}

// A child that has loaded a driver may say anything.
TEST(DeviceList, NonsenseIsNoCrash) {
  for (const char* text : {"", "null", "{}", "[[[[", "\"x\""})
    EXPECT_FALSE(parse_device_list(text).ok()) << text;
  for (const char* text :
       {"[1]", "[null, [], \"x\"]", R"([{"name":1,"memory_bytes":"x","units":[]}])",
        R"([{"memory_bytes":-1,"units":1e99}])"}) {
    const auto devices = parse_device_list(text);
    ASSERT_TRUE(devices.ok()) << text;
    EXPECT_EQ(devices->front().name, "");
    EXPECT_EQ(devices->front().memory_bytes, 0u);
  }
}

}  // namespace
}  // namespace longwire::app
