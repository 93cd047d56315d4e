// Every instruction that src/softcuda/ir/isa.txt lists as missing, and an example of each form that
// is: refused when a module is loaded, with the name, line and column in the JIT log.
#include <gmock/gmock.h>

#include <fstream>
#include <string>

#include "softcuda/driver/testing.h"

namespace longwire::softcuda {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kLogBytes = 4096;

class RefusedTest : public driver::ContextTest {
 protected:
  // The statement is line 7, from column 3.
  static CUresult load(const std::string& statement, std::string& log) {
    const std::string text =
        ".version 9.0\n.target sm_100a\n.address_size 64\n.visible .entry k() {\n"
        ".reg .pred %p<9>; .reg .b16 %h<9>; .reg .b32 %r<9>; .reg .b64 %l<9>;\n"
        ".reg .b128 %q<9>; .reg .f32 %f<9>;\n  " +
        statement + ";\nret; }\n";
    log.resize(kLogBytes);
    CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
    void* values[] = {log.data(), reinterpret_cast<void*>(kLogBytes)};
    CUmodule module = nullptr;
    const CUresult status = cuModuleLoadDataEx(&module, text.c_str(), 2, options, values);
    if (status == CUDA_SUCCESS) cuModuleUnload(module);
    return status;
  }
};

TEST_F(RefusedTest, what_is_missing_is_refused_by_name_and_place) {
  std::ifstream list(SOFTCUDA_ISA);
  int seen = 0;
  for (std::string line; std::getline(list, line);) {
    if (line.empty() || (line[0] != '!' && line[0] != '~')) continue;
    ++seen;
    const std::string statement = line.substr(2);
    const std::string opcode = statement.substr(0, statement.find(' '));
    std::string log;
    EXPECT_EQ(load(statement, log), CUDA_ERROR_INVALID_PTX) << statement;
    // Long names are cut; one that has a form is named by its first word.
    constexpr std::size_t kNameShown = 40;
    const bool has_form = line[0] == '~';
    EXPECT_THAT(log, HasSubstr(has_form ? opcode.substr(0, opcode.find('.'))
                                        : opcode.substr(0, kNameShown)));
    EXPECT_THAT(log, HasSubstr("line 7, column 3:")) << statement;
  }
  EXPECT_GT(seen, 40);
}

TEST_F(RefusedTest, what_is_there_is_not) {
  std::string log;
  EXPECT_EQ(load("add.f32 %f1, %f2, %f3", log), CUDA_SUCCESS) << log;
}

}  // namespace
}  // namespace longwire::softcuda
