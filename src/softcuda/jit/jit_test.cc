// What is compiled, and what of it calls the interpreter.
#include "softcuda/jit/jit.h"

#include "softcuda/jit/device_test.h"

namespace longwire::softcuda::jit {
namespace {

TEST(Jit, WhatCompilersMakeIsCompiled) {
  auto made = create();
  ASSERT_TRUE(made.ok()) << made.error().message();
  Jit& jit = **made;
  Device device(std::move(*made));
  const auto program = link_file("first.ptx");
  ASSERT_NE(program, nullptr);
  device.load(*program);
  for (const char* name : {"vectorAdd", "matmul"}) {
    EXPECT_TRUE(device.machine().prepare(device.loaded(), device.kernel(name)).ok());
    EXPECT_EQ(jit.statistics().called, 0U) << name;
  }
  EXPECT_EQ(jit.statistics().kernels, 2U);
  EXPECT_EQ(jit.statistics().refused, 0U);
  EXPECT_GT(jit.statistics().compiled, 50U);
}

}  // namespace
}  // namespace longwire::softcuda::jit
