// The linker, through the exported functions.
#include <gmock/gmock.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "softcuda/driver/testing.h"

namespace longwire::softcuda::driver {
namespace {

using ::testing::HasSubstr;

constexpr const char* kHead = ".version 8.0\n.target sm_80\n.address_size 64\n";
constexpr const char* kCaller = R"(
.extern .func (.param .b32 r) twice (.param .b32 x);
.extern .global .align 4 .u32 offset;
.visible .entry run(.param .u64 p)
{
  .reg .b32 %r<4>;
  .reg .b64 %rd<2>;
  ld.param.u64 %rd1, [p];
  ld.global.u32 %r1, [%rd1];
  { .param .b32 a; .param .b32 r;
    st.param.b32 [a], %r1;
    call.uni (r), twice, (a);
    ld.param.b32 %r2, [r]; }
  ld.global.u32 %r3, [offset];
  add.u32 %r2, %r2, %r3;
  st.global.u32 [%rd1], %r2;
  ret;
}
)";
constexpr const char* kCallee = R"(
.visible .global .align 4 .u32 offset = 5;
.visible .func (.param .b32 r) twice (.param .b32 x)
{
  .reg .b32 %r<2>;
  ld.param.b32 %r1, [x];
  shl.b32 %r1, %r1, 1;
  st.param.b32 [r], %r1;
  ret;
}
)";

class LinkerTest : public ContextTest {
 protected:
  void SetUp() override {
    ContextTest::SetUp();
    CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
    values_[0] = log_;
    values_[1] = reinterpret_cast<void*>(sizeof log_);
    ASSERT_EQ(cuLinkCreate(2, options, values_, &state_), CUDA_SUCCESS);
  }
  void TearDown() override {
    if (state_ != nullptr) {
      EXPECT_EQ(cuLinkDestroy(state_), CUDA_SUCCESS);
    }
    ContextTest::TearDown();
  }
  CUresult add(const std::string& text, const char* name = nullptr) {
    return cuLinkAddData(state_, CU_JIT_INPUT_PTX, const_cast<char*>(text.c_str()), text.size() + 1,
                         name, 0, nullptr, nullptr);
  }
  // What `run` makes of 10.
  static void expect_runs(const void* image) {
    CUmodule module = nullptr;
    CUfunction run = nullptr;
    CUdeviceptr memory = 0;
    ASSERT_EQ(cuModuleLoadData(&module, image), CUDA_SUCCESS);
    ASSERT_EQ(cuModuleGetFunction(&run, module, "run"), CUDA_SUCCESS);
    ASSERT_EQ(cuMemAlloc(&memory, 4), CUDA_SUCCESS);
    ASSERT_EQ(cuMemsetD32(memory, 10, 1), CUDA_SUCCESS);
    void* parameters[] = {&memory};
    ASSERT_EQ(cuLaunchKernel(run, 1, 1, 1, 1, 1, 1, 0, nullptr, parameters, nullptr), CUDA_SUCCESS);
    unsigned int result = 0;
    ASSERT_EQ(cuMemcpyDtoH(&result, memory, 4), CUDA_SUCCESS);
    EXPECT_EQ(result, 25U);
    EXPECT_EQ(cuMemFree(memory), CUDA_SUCCESS);
    EXPECT_EQ(cuModuleUnload(module), CUDA_SUCCESS);
  }
  const std::string caller_ = std::string(kHead) + kCaller;
  const std::string callee_ = std::string(kHead) + kCallee;
  char log_[1024] = {};
  void* values_[2] = {};
  CUlinkState state_ = nullptr;
};

TEST_F(LinkerTest, two_texts_call_each_other_and_their_image_is_linked_on) {
  ASSERT_EQ(add(caller_), CUDA_SUCCESS);
  ASSERT_EQ(add(callee_), CUDA_SUCCESS);
  void *image = nullptr, *again = nullptr;
  size_t bytes = 0;
  ASSERT_EQ(cuLinkComplete(state_, &image, &bytes), CUDA_SUCCESS);
  ASSERT_GT(bytes, caller_.size() + callee_.size());
  expect_runs(image);
  EXPECT_EQ(add(callee_), CUDA_ERROR_INVALID_VALUE);  // it is complete
  ASSERT_EQ(cuLinkComplete(state_, &again, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(again, image);

  const std::vector<char> copy(static_cast<char*>(image), static_cast<char*>(image) + bytes);
  CUlinkState second = nullptr;
  ASSERT_EQ(cuLinkCreate(0, nullptr, nullptr, &second), CUDA_SUCCESS);
  ASSERT_EQ(cuLinkAddData(second, CU_JIT_INPUT_CUBIN, const_cast<char*>(copy.data()), copy.size(),
                          "saved", 0, nullptr, nullptr),
            CUDA_SUCCESS);
  ASSERT_EQ(cuLinkComplete(second, &image, &bytes), CUDA_SUCCESS);
  expect_runs(image);
  EXPECT_EQ(cuLinkDestroy(second), CUDA_SUCCESS);
}

TEST_F(LinkerTest, files_are_inputs) {
  char path[] = "/tmp/longwire-linker-XXXXXX";
  const int fd = mkstemp(path);
  ASSERT_GE(fd, 0);
  std::FILE* file = fdopen(fd, "w");
  std::fputs(callee_.c_str(), file);
  std::fclose(file);
  ASSERT_EQ(add(caller_), CUDA_SUCCESS);
  EXPECT_EQ(cuLinkAddFile(state_, CU_JIT_INPUT_PTX, path, 0, nullptr, nullptr), CUDA_SUCCESS);
  std::remove(path);
  EXPECT_EQ(cuLinkAddFile(state_, CU_JIT_INPUT_PTX, path, 0, nullptr, nullptr),
            CUDA_ERROR_FILE_NOT_FOUND);
  void* image = nullptr;
  ASSERT_EQ(cuLinkComplete(state_, &image, nullptr), CUDA_SUCCESS);
  expect_runs(image);
}

TEST_F(LinkerTest, what_is_missing_or_twice_is_named_in_the_log) {
  void* image = nullptr;
  ASSERT_EQ(add(caller_), CUDA_SUCCESS);
  EXPECT_EQ(cuLinkComplete(state_, &image, nullptr), CUDA_ERROR_NOT_FOUND);
  EXPECT_THAT(log_, HasSubstr("unresolved"));
  EXPECT_EQ(reinterpret_cast<size_t>(values_[1]), std::string(log_).size());
  ASSERT_EQ(add(callee_), CUDA_SUCCESS);
  ASSERT_EQ(add(callee_), CUDA_SUCCESS);
  EXPECT_EQ(cuLinkComplete(state_, &image, nullptr), CUDA_ERROR_INVALID_PTX);
  EXPECT_THAT(log_, HasSubstr("defined twice"));
}

TEST_F(LinkerTest, a_wrong_text_is_refused_when_it_is_added) {
  EXPECT_EQ(add(std::string(kHead) + ".visible .entry f( {", "mine.ptx"), CUDA_ERROR_INVALID_PTX);
  EXPECT_THAT(log_, HasSubstr("mine.ptx"));
  // The zero at the end is not needed, and nothing beyond it is read.
  std::string exact = callee_;
  EXPECT_EQ(cuLinkAddData(state_, CU_JIT_INPUT_PTX, exact.data(), exact.size(), nullptr, 0, nullptr,
                          nullptr),
            CUDA_SUCCESS);
}

TEST_F(LinkerTest, hostile_arguments) {
  char elf[] = {0x7f, 'E', 'L', 'F', 0}, junk[] = "no container";
  void* image = nullptr;
  const auto add_as = [&](int type, void* data, size_t bytes) {
    return cuLinkAddData(state_, static_cast<CUjitInputType>(type), data, bytes, nullptr, 0,
                         nullptr, nullptr);
  };
  EXPECT_EQ(add_as(CU_JIT_INPUT_PTX, nullptr, 4), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(add_as(CU_JIT_INPUT_PTX, junk, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(add_as(CU_JIT_INPUT_CUBIN, elf, sizeof elf), CUDA_ERROR_NO_BINARY_FOR_GPU);
  EXPECT_EQ(add_as(CU_JIT_INPUT_FATBINARY, junk, sizeof junk), CUDA_ERROR_INVALID_IMAGE);
  EXPECT_EQ(add_as(CU_JIT_INPUT_FATBINARY, junk, 1), CUDA_ERROR_INVALID_IMAGE);
  EXPECT_EQ(add_as(CU_JIT_INPUT_LIBRARY, junk, sizeof junk), CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(add_as(99, junk, sizeof junk), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuLinkComplete(state_, &image, nullptr), CUDA_ERROR_INVALID_IMAGE);
  EXPECT_EQ(cuLinkComplete(state_, nullptr, nullptr), CUDA_ERROR_INVALID_VALUE);
  CUjit_option unknown[] = {static_cast<CUjit_option>(9999)};
  void* values[] = {nullptr};
  CUlinkState other = nullptr;
  EXPECT_EQ(cuLinkCreate(1, unknown, values, &other), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuLinkCreate(0, nullptr, nullptr, nullptr), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuLinkDestroy(nullptr), CUDA_ERROR_INVALID_HANDLE);
  const CUlinkState gone = state_;
  ASSERT_EQ(cuLinkDestroy(state_), CUDA_SUCCESS);
  state_ = nullptr;
  EXPECT_EQ(cuLinkDestroy(gone), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuLinkComplete(gone, &image, nullptr), CUDA_ERROR_INVALID_HANDLE);
}

}  // namespace
}  // namespace longwire::softcuda::driver
