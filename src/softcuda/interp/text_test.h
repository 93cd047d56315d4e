// Kernels from PTX text or files, run by the interpreter.
#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "softcuda/interp/builder_test.h"
#include "softcuda/ir/linked_text_test.h"

namespace longwire::softcuda::testing {

class PtxTest : public InterpTest {
 protected:
  void TearDown() override {
    InterpTest::TearDown();
    program_.reset();
  }
  void load_text(const std::string& text) { load_program(link_text(text)); }
  void load_program(std::unique_ptr<const ir::Module> program) {
    ASSERT_NE(program, nullptr);
    loaded_.reset();
    program_ = std::move(program);
    load_module(*program_);
  }
  void load_file(const char* name) { load_program(link_file(name)); }
  // The kernel that run() runs from now on.
  void choose(std::string_view name) {
    const ir::Function* kernel = program_->find_kernel(name);
    ASSERT_NE(kernel, nullptr);
    kernel_ = static_cast<ir::FunctionId>(kernel - program_->functions.data());
  }
  // A kernel of one thread block with `out` and `in`, both pointers in %out and %in.
  void load_body(const std::string& body) {
    load_text(
        ".version 8.5\n.target sm_90\n.address_size 64\n"
        ".visible .entry k(.param .u64 po, .param .u64 pi) {\n"
        ".reg .b64 %out, %in, %rd<20>; .reg .b32 %r<40>; .reg .f32 %f<40>; .reg .pred %p<8>;\n"
        ".reg .b16 %h<8>; .reg .f64 %d<8>; .shared .align 16 .b8 sh[4096];\n"
        "ld.param.u64 %out, [po]; ld.param.u64 %in, [pi]; mov.u32 %r0, %tid.x;\n" +
        body + "\nret; }\n");
    if (program_ != nullptr) choose("k");
  }

  std::unique_ptr<const ir::Module> program_;
};

}  // namespace longwire::softcuda::testing
