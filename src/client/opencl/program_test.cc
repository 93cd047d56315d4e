// Programs, builds, kernels and their arguments against a node in this process (client_test.h).
#include "client/opencl/program.h"

#include <cstring>

#include "client/opencl/client_test.h"
#include "client/opencl/device.h"
#include "client/opencl/kernel.h"
#include "client/opencl/platform.h"
#include "opencl/client_api.h"

namespace longwire::client::opencl {
namespace {

namespace msg = testing::msg;
namespace record = testing::record;

template <class T>
record::info info_of(cl_uint param, const T& value) {
  return {param, CL_SUCCESS, std::as_bytes(std::span(&value, 1))};
}

record::kernel_arg arg(std::uint32_t kind, std::size_t value_bytes = 0) {
  record::kernel_arg one;
  one.has_info = 1;
  one.kind = kind;
  one.value_bytes = value_bytes;
  one.address = CL_KERNEL_ARG_ADDRESS_PRIVATE;
  one.access = CL_KERNEL_ARG_ACCESS_NONE;
  one.type_name = "type";
  one.name = "name";
  return one;
}

// A node that builds every program into the same two kernels; "error" in the options fails.
class ProgramTest : public testing::ClientTest {
 protected:
  void SetUp() override {
    node().on<msg::CreateProgramWithSource>([this](const msg::CreateProgramWithSource& m) {
      const auto text = m.source.inline_data;
      source_.assign(reinterpret_cast<const char*>(text.data()), text.size());
      programs_on_node_.push_back(m.program);
    });
    node().on<msg::BuildProgram>([this](const msg::BuildProgram& m) {
      built_ = m.program;
      const bool good = m.options.find("error") == std::string_view::npos;
      const auto answer = [this, token = m.token, good] { answer_build(token, good); };
      if (hold_builds_) {
        held_.push_back(answer);
      } else {
        answer();
      }
    });
    node().on<msg::DescribeKernel>([this](const msg::DescribeKernel& m) {
      msg::DescribeKernel::Reply reply;
      reply.kernel.name = m.name;
      node().reply(m.token, CL_SUCCESS, reply);
    });
    node().on<msg::SetKernelArg>([this](const msg::SetKernelArg& m) {
      args_.push_back({m.index, m.kind, m.size, m.object, m.value.size()});
    });
    device_ = to_cl<cl_device_id>(runtime().platform().devices().front());
    cl_int status = CL_SUCCESS;
    context_ = api::CreateContext(nullptr, 1, &device_, nullptr, nullptr, &status);
    ASSERT_EQ(status, CL_SUCCESS);
    queue_ = api::CreateCommandQueueWithProperties(context_, device_, nullptr, &status);
    ASSERT_EQ(status, CL_SUCCESS);
  }
  void TearDown() override {
    for (const cl_kernel one : kernels_)
      api::ReleaseKernel(one);
    for (const cl_program one : programs_)
      api::ReleaseProgram(one);
    if (queue_ != nullptr) api::ReleaseCommandQueue(queue_);
    if (context_ != nullptr) api::ReleaseContext(context_);
    ClientTest::TearDown();
  }

  void answer_build(wire::Token token, bool good) {
    const cl_build_status status = good ? CL_BUILD_SUCCESS : CL_BUILD_ERROR;
    const cl_program_binary_type type =
        good ? CL_PROGRAM_BINARY_TYPE_EXECUTABLE : CL_PROGRAM_BINARY_TYPE_NONE;
    msg::BuildProgram::Reply reply;
    record::program_device& device = reply.program.devices.emplace_back();
    device.device = testing::kFirstDevice;
    device.infos = {info_of(CL_PROGRAM_BUILD_STATUS, status),
                    info_of(CL_PROGRAM_BINARY_TYPE, type),
                    {CL_PROGRAM_BUILD_LOG, CL_SUCCESS, std::as_bytes(std::span("log", 4))}};
    const std::size_t group = 64;
    const cl_ulong local = 100;
    if (good) {
      reply.program.kernel_names = {"first", "second"};
      record::kernel& kernel = reply.program.kernels.emplace_back();
      kernel.name = "first";
      kernel.args = {arg(2), arg(1, 4), arg(4), arg(3), arg(0)};
      record::kernel_device& on = kernel.devices.emplace_back();
      on.device = testing::kFirstDevice;
      on.infos = {info_of(CL_KERNEL_WORK_GROUP_SIZE, group),
                  info_of(CL_KERNEL_LOCAL_MEM_SIZE, local)};
    }
    node().reply(token, good ? CL_SUCCESS : CL_BUILD_PROGRAM_FAILURE, reply);
  }

  cl_program program(const char* source = "kernel void first() {}") {
    cl_int status = CL_SUCCESS;
    const cl_program made = api::CreateProgramWithSource(context_, 1, &source, nullptr, &status);
    EXPECT_EQ(status, CL_SUCCESS);
    programs_.push_back(made);
    return made;
  }
  cl_int build(cl_program which, const char* options = nullptr) {
    return api::BuildProgram(which, 0, nullptr, options, nullptr, nullptr);
  }
  cl_kernel kernel(cl_program of, const char* name = "first") {
    cl_int status = CL_SUCCESS;
    const cl_kernel made = api::CreateKernel(of, name, &status);
    EXPECT_EQ(status, CL_SUCCESS);
    kernels_.push_back(made);
    return made;
  }
  cl_build_status status_of(cl_program which) {
    cl_build_status status = 99;
    EXPECT_EQ(api::GetProgramBuildInfo(which, device_, CL_PROGRAM_BUILD_STATUS, sizeof status,
                                       &status, nullptr),
              CL_SUCCESS);
    return status;
  }
  std::string text_of(cl_program which, cl_program_build_info param) {
    std::size_t size = 0;
    EXPECT_EQ(api::GetProgramBuildInfo(which, device_, param, 0, nullptr, &size), CL_SUCCESS);
    std::string text(size, 'x');
    EXPECT_EQ(api::GetProgramBuildInfo(which, device_, param, size, text.data(), nullptr),
              CL_SUCCESS);
    return text.c_str();
  }

  struct SentArg {
    std::uint32_t index;
    std::uint32_t kind;
    std::uint64_t size;
    wire::Handle object;
    std::size_t value_bytes;
  };
  std::string source_;
  std::vector<wire::Handle> programs_on_node_;
  wire::Handle built_ = 0;
  bool hold_builds_ = false;
  std::vector<std::function<void()>> held_;
  std::vector<SentArg> args_;
  cl_device_id device_ = nullptr;
  cl_context context_ = nullptr;
  cl_command_queue queue_ = nullptr;
  std::vector<cl_program> programs_;
  std::vector<cl_kernel> kernels_;
};

TEST_F(ProgramTest, SourceIsConcatenated) {
  const char* strings[] = {"abc", "defgh", "i"};
  const std::size_t lengths[] = {0, 3, 1};
  cl_int status = CL_SUCCESS;
  const cl_program made = api::CreateProgramWithSource(context_, 3, strings, lengths, &status);
  programs_.push_back(made);
  char source[16] = {};
  std::size_t size = 0;
  EXPECT_EQ(api::GetProgramInfo(made, CL_PROGRAM_SOURCE, sizeof source, source, &size), CL_SUCCESS);
  EXPECT_STREQ(source, "abcdefi");
  EXPECT_EQ(size, 8u);
  EXPECT_EQ(api::GetProgramInfo(made, CL_PROGRAM_SOURCE, 7, source, nullptr), CL_INVALID_VALUE);
}

TEST_F(ProgramTest, CreationErrors) {
  cl_int status = CL_SUCCESS;
  const char* strings[] = {"abc", nullptr};
  EXPECT_EQ(api::CreateProgramWithSource(context_, 0, strings, nullptr, &status), nullptr);
  EXPECT_EQ(status, CL_INVALID_VALUE);
  EXPECT_EQ(api::CreateProgramWithSource(context_, 2, strings, nullptr, &status), nullptr);
  EXPECT_EQ(status, CL_INVALID_VALUE);
  EXPECT_EQ(api::CreateProgramWithSource(nullptr, 1, strings, nullptr, &status), nullptr);
  EXPECT_EQ(status, CL_INVALID_CONTEXT);
  EXPECT_EQ(api::CreateProgramWithIL(context_, "il", 2, &status), nullptr);
  EXPECT_EQ(status, CL_INVALID_OPERATION) << "no device takes it";
}

TEST_F(ProgramTest, BuildBringsEverything) {
  const cl_program made = program();
  EXPECT_EQ(status_of(made), CL_BUILD_NONE);
  EXPECT_EQ(text_of(made, CL_PROGRAM_BUILD_LOG), "");
  ASSERT_EQ(build(made, "-DX=1"), CL_SUCCESS);
  EXPECT_EQ(source_, "kernel void first() {}");
  EXPECT_EQ(status_of(made), CL_BUILD_SUCCESS);
  EXPECT_EQ(text_of(made, CL_PROGRAM_BUILD_OPTIONS), "-DX=1");
  EXPECT_EQ(text_of(made, CL_PROGRAM_BUILD_LOG), "log");
  char names[32] = {};
  EXPECT_EQ(api::GetProgramInfo(made, CL_PROGRAM_KERNEL_NAMES, sizeof names, names, nullptr),
            CL_SUCCESS);
  EXPECT_STREQ(names, "first;second");
}

TEST_F(ProgramTest, FailedBuildKeepsItsLogAndHasNoKernels) {
  const cl_program made = program();
  EXPECT_EQ(build(made, "-error"), CL_BUILD_PROGRAM_FAILURE);
  EXPECT_EQ(status_of(made), CL_BUILD_ERROR);
  EXPECT_EQ(text_of(made, CL_PROGRAM_BUILD_LOG), "log");
  cl_int status = CL_SUCCESS;
  EXPECT_EQ(api::CreateKernel(made, "first", &status), nullptr);
  EXPECT_EQ(status, CL_INVALID_PROGRAM_EXECUTABLE);
  EXPECT_EQ(build(made), CL_SUCCESS) << "a second build is allowed";
}

TEST_F(ProgramTest, NoBuildWhileKernelsExist) {
  const cl_program made = program();
  ASSERT_EQ(build(made), CL_SUCCESS);
  const cl_kernel one = api::CreateKernel(made, "first", nullptr);
  EXPECT_EQ(build(made), CL_INVALID_OPERATION);
  api::ReleaseKernel(one);
  EXPECT_EQ(build(made), CL_SUCCESS);
}

TEST_F(ProgramTest, BuildWithACallbackReturnsAtOnce) {
  hold_builds_ = true;
  const cl_program made = program();
  static std::atomic<cl_program> called;
  called = nullptr;
  const auto callback = [](cl_program which, void*) { called = which; };
  ASSERT_EQ(api::BuildProgram(made, 0, nullptr, "", callback, nullptr), CL_SUCCESS);
  EXPECT_EQ(status_of(made), CL_BUILD_IN_PROGRESS);
  EXPECT_EQ(build(made), CL_INVALID_OPERATION) << "one is under way";
  EXPECT_EQ(called, nullptr);
  node().await(msg::BuildProgram::kOpcode);
  held_.front()();
  while (called != made)
    std::this_thread::yield();
  EXPECT_EQ(status_of(made), CL_BUILD_SUCCESS);
  EXPECT_EQ(api::BuildProgram(made, 0, nullptr, "", nullptr, &called), CL_INVALID_VALUE);
}

TEST_F(ProgramTest, OtherHeadersMakeTheProgramAnew) {
  char directory[] = "/tmp/longwire-includes-XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  const std::string header = std::string(directory) + "/x.h";
  std::FILE* file = std::fopen(header.c_str(), "w");
  std::fputs("int x;\n", file);
  std::fclose(file);
  const cl_program made = program("#include \"x.h\"\n");
  ASSERT_EQ(build(made), CL_SUCCESS);
  EXPECT_EQ(source_, "#include \"x.h\"\n");
  ASSERT_EQ(build(made, ("-I" + std::string(directory)).c_str()), CL_SUCCESS);
  EXPECT_NE(source_.find("int x;"), std::string::npos);
  ASSERT_EQ(programs_on_node_.size(), 2u);
  EXPECT_EQ(built_, programs_on_node_[1]);
  std::remove(header.c_str());
  ::rmdir(directory);
}

// A node must not write over what the program has made room for.
TEST_F(ProgramTest, BinariesLargerThanWhatWasToldAreRefused) {
  std::uint64_t size = 4;
  node().on<msg::GetProgramBinaries>([&](const msg::GetProgramBinaries& m) {
    node().reply(m.token, CL_SUCCESS, msg::GetProgramBinaries::Reply{wire::U64View(&size, 1)});
  });
  node().on<msg::FetchProgramBinaries>([&](const msg::FetchProgramBinaries& m) {
    const std::vector<std::byte> data(m.download.bytes, std::byte{9});
    node().reply(m.token, CL_SUCCESS, msg::FetchProgramBinaries::Reply{data});
  });
  const cl_program made = program();
  std::size_t told = 99;
  const auto ask = [&] {
    return api::GetProgramInfo(made, CL_PROGRAM_BINARY_SIZES, sizeof told, &told, nullptr);
  };
  EXPECT_EQ(ask(), CL_SUCCESS);
  EXPECT_EQ(told, 0u) << "nothing is built, so nobody is asked";
  ASSERT_EQ(build(made), CL_SUCCESS);
  EXPECT_EQ(ask(), CL_SUCCESS);
  EXPECT_EQ(told, 4u);
  unsigned char room[4] = {};
  unsigned char* rooms[] = {room};
  const auto fetch = [&] {
    return api::GetProgramInfo(made, CL_PROGRAM_BINARIES, sizeof rooms, rooms, nullptr);
  };
  EXPECT_EQ(fetch(), CL_SUCCESS);
  EXPECT_EQ(room[3], 9);
  size = 5;
  EXPECT_EQ(fetch(), CL_OUT_OF_RESOURCES);
  size = ~std::uint64_t{0};
  EXPECT_EQ(fetch(), CL_OUT_OF_RESOURCES);
}

// The header may be gone by the time that the compiled program is linked.
TEST_F(ProgramTest, LinkingDoesNotMakeItsInputsAnew) {
  const auto answer = [this](wire::Token token) { answer_build(token, true); };
  node().on<msg::CompileProgram>([answer](const msg::CompileProgram& m) { answer(m.token); });
  node().on<msg::LinkProgram>([answer](const msg::LinkProgram& m) { answer(m.token); });
  char directory[] = "/tmp/longwire-includes-XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  const std::string header = std::string(directory) + "/x.h";
  std::fclose(std::fopen(header.c_str(), "w"));
  const cl_program made = program("#include \"x.h\"\n");
  ASSERT_EQ(api::CompileProgram(made, 0, nullptr, ("-I" + std::string(directory)).c_str(), 0,
                                nullptr, nullptr, nullptr, nullptr),
            CL_SUCCESS);
  std::remove(header.c_str());
  ::rmdir(directory);
  cl_int status = CL_SUCCESS;
  programs_.push_back(
      api::LinkProgram(context_, 0, nullptr, "", 1, &made, nullptr, nullptr, &status));
  EXPECT_EQ(status, CL_SUCCESS);
  EXPECT_EQ(programs_on_node_.size(), 1u);
}

TEST_F(ProgramTest, KernelsNeedNoRoundTrip) {
  const cl_program made = program();
  ASSERT_EQ(build(made), CL_SUCCESS);
  const cl_kernel one = kernel(made);
  EXPECT_EQ(node().count(msg::DescribeKernel::kOpcode), 0u);
  cl_uint args = 0;
  EXPECT_EQ(api::GetKernelInfo(one, CL_KERNEL_NUM_ARGS, sizeof args, &args, nullptr), CL_SUCCESS);
  EXPECT_EQ(args, 5u);
  std::size_t group = 0;
  EXPECT_EQ(api::GetKernelWorkGroupInfo(one, nullptr, CL_KERNEL_WORK_GROUP_SIZE, sizeof group,
                                        &group, nullptr),
            CL_SUCCESS);
  EXPECT_EQ(group, 64u);
  cl_int status = CL_SUCCESS;
  EXPECT_EQ(api::CreateKernel(made, "third", &status), nullptr);
  EXPECT_EQ(status, CL_INVALID_KERNEL_NAME);
  EXPECT_EQ(api::CreateKernel(made, nullptr, &status), nullptr);
  EXPECT_EQ(status, CL_INVALID_VALUE);
}

TEST_F(ProgramTest, KernelsThatTheReplyLeftOutAreDescribedOnDemand) {
  const cl_program made = program();
  ASSERT_EQ(build(made), CL_SUCCESS);
  kernel(made, "second");
  kernel(made, "second");
  EXPECT_EQ(node().count(msg::DescribeKernel::kOpcode), 1u);
}

TEST_F(ProgramTest, AllKernelsOfAProgram) {
  const cl_program made = program();
  EXPECT_EQ(api::CreateKernelsInProgram(made, 0, nullptr, nullptr), CL_INVALID_PROGRAM_EXECUTABLE);
  ASSERT_EQ(build(made), CL_SUCCESS);
  cl_uint count = 0;
  EXPECT_EQ(api::CreateKernelsInProgram(made, 0, nullptr, &count), CL_SUCCESS);
  EXPECT_EQ(count, 2u);
  cl_kernel two[2] = {};
  EXPECT_EQ(api::CreateKernelsInProgram(made, 1, two, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(api::CreateKernelsInProgram(made, 2, two, nullptr), CL_SUCCESS);
  kernels_.assign(two, two + 2);
}

class KernelArgTest : public ProgramTest {
 protected:
  enum Index : cl_uint { kMemory, kValue, kLocal, kSampler, kUnknown, kCount };

  void SetUp() override {
    ProgramTest::SetUp();
    const cl_program made = program();
    ASSERT_EQ(build(made), CL_SUCCESS);
    kernel_ = kernel(made);
    buffer_ = api::CreateBuffer(context_, 0, 64, nullptr, nullptr);
    sampler_ = api::CreateSampler(context_, CL_TRUE, CL_ADDRESS_CLAMP, CL_FILTER_NEAREST, nullptr);
    ASSERT_NE(sampler_, nullptr);
  }
  void TearDown() override {
    if (buffer_ != nullptr) api::ReleaseMemObject(buffer_);
    api::ReleaseSampler(sampler_);
    ProgramTest::TearDown();
  }
  template <class T>
  cl_int set(cl_uint index, const T& value) {
    return api::SetKernelArg(kernel_, index, sizeof value, &value);
  }
  std::vector<SentArg> sent() {
    EXPECT_EQ(api::Finish(queue_), CL_SUCCESS);
    return args_;
  }
  cl_kernel kernel_ = nullptr;
  cl_mem buffer_ = nullptr;
  cl_sampler sampler_ = nullptr;
};

TEST_F(KernelArgTest, EveryKindIsSentAsWhatItIs) {
  EXPECT_EQ(set(kMemory, buffer_), CL_SUCCESS);
  EXPECT_EQ(set(kValue, 1.5f), CL_SUCCESS);
  EXPECT_EQ(api::SetKernelArg(kernel_, kLocal, 100, nullptr), CL_SUCCESS);
  EXPECT_EQ(set(kSampler, sampler_), CL_SUCCESS);
  EXPECT_FALSE(from_cl<Kernel>(kernel_)->all_args_set());
  EXPECT_EQ(set(kUnknown, buffer_), CL_SUCCESS);
  EXPECT_TRUE(from_cl<Kernel>(kernel_)->all_args_set());
  const auto args = sent();
  ASSERT_EQ(args.size(), 5u);
  EXPECT_EQ(args[0].kind, 2u);
  EXPECT_EQ(args[0].object, from_cl<Memory>(buffer_)->handle());
  EXPECT_EQ(args[1].kind, 1u);
  EXPECT_EQ(args[1].value_bytes, 4u);
  EXPECT_EQ(args[2].kind, 4u);
  EXPECT_EQ(args[2].size, 100u);
  EXPECT_EQ(args[3].kind, 3u);
  EXPECT_EQ(args[4].kind, 2u) << "a live handle is an object";
}

TEST_F(KernelArgTest, Errors) {
  const double wide = 1;
  EXPECT_EQ(set(kCount, wide), CL_INVALID_ARG_INDEX);
  EXPECT_EQ(set(kValue, wide), CL_INVALID_ARG_SIZE);
  EXPECT_EQ(api::SetKernelArg(kernel_, kValue, 4, nullptr), CL_INVALID_ARG_VALUE);
  EXPECT_EQ(api::SetKernelArg(kernel_, kMemory, 4, &buffer_), CL_INVALID_ARG_SIZE);
  EXPECT_EQ(set(kMemory, sampler_), CL_INVALID_MEM_OBJECT);
  EXPECT_EQ(set(kSampler, buffer_), CL_INVALID_SAMPLER);
  EXPECT_EQ(api::SetKernelArg(kernel_, kSampler, sizeof sampler_, nullptr), CL_INVALID_SAMPLER);
  EXPECT_EQ(api::SetKernelArg(kernel_, kLocal, 0, nullptr), CL_INVALID_ARG_SIZE);
  EXPECT_EQ(set(kLocal, wide), CL_INVALID_ARG_VALUE);
  EXPECT_EQ(api::SetKernelArg(nullptr, 0, 4, &wide), CL_INVALID_KERNEL);
  EXPECT_TRUE(sent().empty());
}

TEST_F(KernelArgTest, UnknownEightBytesAreAValueUnlessTheyAreAnObject) {
  EXPECT_EQ(set(kUnknown, std::uint64_t{0x1234567812345678}), CL_SUCCESS);
  EXPECT_EQ(set(kUnknown, std::uint64_t{~0ull}), CL_SUCCESS);
  const std::uint64_t zeros[64] = {};
  EXPECT_EQ(set(kUnknown, &zeros[32]), CL_SUCCESS) << "readable, but no object";
  EXPECT_EQ(set(kUnknown, sampler_), CL_SUCCESS);
  const auto args = sent();
  ASSERT_EQ(args.size(), 4u);
  EXPECT_EQ(args[0].kind, 1u);
  EXPECT_EQ(args[1].kind, 1u);
  EXPECT_EQ(args[2].kind, 1u);
  EXPECT_EQ(args[3].kind, 3u);
}

TEST_F(KernelArgTest, SettingTheSameAgainSendsNothing) {
  EXPECT_EQ(set(kMemory, buffer_), CL_SUCCESS);
  EXPECT_EQ(set(kMemory, buffer_), CL_SUCCESS);
  EXPECT_EQ(set(kValue, 1), CL_SUCCESS);
  EXPECT_EQ(set(kValue, 1), CL_SUCCESS);
  EXPECT_EQ(set(kValue, 2), CL_SUCCESS);
  EXPECT_EQ(sent().size(), 3u);
}

TEST_F(KernelArgTest, NullMemoryIsAnArgument) {
  EXPECT_EQ(set(kMemory, cl_mem{nullptr}), CL_SUCCESS);
  EXPECT_EQ(api::SetKernelArg(kernel_, kMemory, sizeof(cl_mem), nullptr), CL_SUCCESS);
  const auto args = sent();
  ASSERT_EQ(args.size(), 1u);
  EXPECT_EQ(args[0].object, 0u);
}

// A kernel keeps no device memory alive, and a launch with what is gone is refused.
TEST_F(KernelArgTest, ReleasedMemoryIsNotHeld) {
  EXPECT_EQ(set(kMemory, buffer_), CL_SUCCESS);
  api::ReleaseMemObject(std::exchange(buffer_, nullptr));
  ASSERT_EQ(api::Finish(queue_), CL_SUCCESS);
  EXPECT_EQ(node().count(msg::ReleaseObject::kOpcode), 1u);
  set(kValue, 1);
  api::SetKernelArg(kernel_, kLocal, 4, nullptr);
  set(kSampler, sampler_);
  set(kUnknown, 1);
  const std::size_t global = 1;
  EXPECT_EQ(
      api::EnqueueNDRangeKernel(queue_, kernel_, 1, nullptr, &global, nullptr, 0, nullptr, nullptr),
      CL_INVALID_KERNEL_ARGS);
}

TEST_F(KernelArgTest, LocalMemoryCountsWithItsArguments) {
  api::SetKernelArg(kernel_, kLocal, 28, nullptr);
  cl_ulong bytes = 0;
  EXPECT_EQ(api::GetKernelWorkGroupInfo(kernel_, device_, CL_KERNEL_LOCAL_MEM_SIZE, sizeof bytes,
                                        &bytes, nullptr),
            CL_SUCCESS);
  EXPECT_EQ(bytes, 128u);
}

TEST_F(ProgramTest, ArgInfoIsShownToThoseWhoAskedForIt) {
  const auto status_with = [this](const char* options) {
    const cl_program made = program();
    EXPECT_EQ(build(made, options), CL_SUCCESS);
    return api::GetKernelArgInfo(kernel(made), 0, CL_KERNEL_ARG_NAME, 0, nullptr, nullptr);
  };
  EXPECT_EQ(status_with("-DX -cl-kernel-arg-info"), CL_SUCCESS);
  EXPECT_EQ(status_with("-DX"), CL_KERNEL_ARG_INFO_NOT_AVAILABLE);
  EXPECT_EQ(status_with(""), CL_KERNEL_ARG_INFO_NOT_AVAILABLE);
}

TEST_F(KernelArgTest, ArgInfoHasExactSizes) {
  std::size_t size = 0;
  EXPECT_EQ(api::GetKernelArgInfo(kernel_, 0, CL_KERNEL_ARG_NAME, 0, nullptr, &size), CL_SUCCESS);
  EXPECT_EQ(size, 5u);
  char name[5];
  EXPECT_EQ(api::GetKernelArgInfo(kernel_, 0, CL_KERNEL_ARG_NAME, 4, name, nullptr),
            CL_INVALID_VALUE);
  EXPECT_EQ(api::GetKernelArgInfo(kernel_, 9, CL_KERNEL_ARG_NAME, 0, nullptr, &size),
            CL_INVALID_ARG_INDEX);
}

}  // namespace
}  // namespace longwire::client::opencl
