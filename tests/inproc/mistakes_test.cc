// A program's mistakes, for every function that is offered: whatever is passed as a handle, a size,
// a flag or a pointer, a call says what is wrong with it, and neither crashes nor hangs. The list
// of functions is the generated one, so none is forgotten.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <limits>
#include <set>
#include <type_traits>

#include "any_call.h"

namespace longwire::inproc {

using client::opencl::for_each_function;
using client::opencl::ParamNames;

namespace {

// Whatever its offset is, it keeps to its buffer.
constexpr const char* kSource = "kernel void k(global uint* a) { a[0] = 1; }";
constexpr std::size_t kBufferBytes = 4096;

// Functions that fail with the specification's error whatever they are given (api/opencl,
// disposition "unsupported"), or answer without looking at the handle.
bool is_unsupported(std::string_view name) {
  static const std::set<std::string_view> kNames = {
      "clSetDefaultDeviceCommandQueue",
      "clCreatePipe",
      "clGetPipeInfo",
      "clSVMAlloc",
      "clSVMFree",
      "clEnqueueSVMFree",
      "clEnqueueSVMMemcpy",
      "clEnqueueSVMMemFill",
      "clEnqueueSVMMap",
      "clEnqueueSVMUnmap",
      "clEnqueueSVMMigrateMem",
      "clSetKernelArgSVMPointer",
      "clSetKernelExecInfo",
      "clSetProgramReleaseCallback",
      "clSetCommandQueueProperty",
      "clEnqueueNativeKernel",
      "clCreateSubDevicesEXT",
      "clGetExtensionFunctionAddressForPlatform"};  // has no way to say what is wrong
  return kNames.count(name) != 0;
}

std::string text_of(cl_int status) { return std::to_string(status); }

}  // namespace

void Arguments::reset() {
  std::fill(scratch_.begin(), scratch_.end(), 0);
  sizes_.clear();
  sizes_.reserve(16);
  sources_ = {kSource, nullptr};
  binaries_ = {reinterpret_cast<const unsigned char*>(kSource), nullptr};
  format_ = {CL_RGBA, CL_UNORM_INT8};
  desc_ = {};
  desc_.image_type = CL_MEM_OBJECT_IMAGE2D;
  desc_.image_width = desc_.image_height = 4;
  errcode = CL_SUCCESS;
}

std::size_t* Arguments::sizes(std::string_view parameter) {
  const std::size_t each =
      parameter.find("origin") != parameter.npos || parameter.find("offset") != parameter.npos ? 0
                                                                                               : 1;
  return sizes_.emplace_back(std::array<std::size_t, 4>{each, each, each, 0}).data();
}

namespace {

class MistakesTest : public SessionFixture {
 protected:
  MistakesTest() : SessionFixture(0) {}

  void SetUp() override {
    SessionFixture::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const char* source = kSource;
    program = api::CreateProgramWithSource(context, 1, &source, nullptr, nullptr);
    ASSERT_EQ(api::BuildProgram(program, 0, nullptr, "", nullptr, nullptr), CL_SUCCESS);
    arguments.of<cl_platform_id>() = platform;
    arguments.of<cl_device_id>() = device;
    arguments.of<cl_context>() = context;
    arguments.of<cl_command_queue>() = queue;
    arguments.of<cl_program>() = program;
    arguments.of<cl_mem>() = api::CreateBuffer(context, 0, kBufferBytes, nullptr, nullptr);
    arguments.reset();
    arguments.image =
        api::CreateImage(context, 0, arguments.format(), arguments.desc(), nullptr, nullptr);
    arguments.of<cl_sampler>() =
        api::CreateSampler(context, CL_TRUE, CL_ADDRESS_CLAMP, CL_FILTER_NEAREST, nullptr);
    arguments.of<cl_kernel>() = api::CreateKernel(program, "k", nullptr);
    arguments.of<cl_event>() = api::CreateUserEvent(context, nullptr);
    ASSERT_EQ(api::SetUserEventStatus(arguments.of<cl_event>(), CL_COMPLETE), CL_SUCCESS);
    ASSERT_EQ(
        api::SetKernelArg(arguments.of<cl_kernel>(), 0, sizeof(cl_mem), &arguments.of<cl_mem>()),
        CL_SUCCESS);
  }
  void TearDown() override {
    if (rig) {
      api::ReleaseMemObject(arguments.of<cl_mem>());
      if (arguments.image != nullptr) api::ReleaseMemObject(arguments.image);
      api::ReleaseSampler(arguments.of<cl_sampler>());
      api::ReleaseKernel(arguments.of<cl_kernel>());
      api::ReleaseEvent(arguments.of<cl_event>());
    }
    SessionFixture::TearDown();
    EXPECT_EQ(complaints, "");
  }

  // What is no object of that kind, with its name.
  struct Wrong {
    std::string what;
    void* handle;
  };
  template <class T>
  std::vector<Wrong> wrong_handles() {
    std::vector<Wrong> wrong = {
        {"NULL", nullptr},
        {"a small number", reinterpret_cast<void*>(std::uintptr_t{8})},
        {"an unmapped address", reinterpret_cast<void*>(~std::uintptr_t{7})},
        {"an odd address", reinterpret_cast<char*>(queue) + 1},
        {"inside an object", reinterpret_cast<char*>(queue) + 64},
        {"memory of the program", memory_of_program.data()},
        {"a function", reinterpret_cast<void*>(&text_of)}};
    const auto add = [&](const char* what, auto handle) {
      if (!std::is_same_v<T, decltype(handle)>) wrong.push_back({what, handle});
    };
    add("a platform", platform);
    add("a device", device);
    add("a context", context);
    add("a queue", queue);
    add("a memory object", arguments.of<cl_mem>());
    add("an image", arguments.image);
    add("a sampler", arguments.of<cl_sampler>());
    add("a program", program);
    add("a kernel", arguments.of<cl_kernel>());
    add("an event", arguments.of<cl_event>());
    if (void* const gone = released<T>()) wrong.push_back({"a released one", gone});
    return wrong;
  }

  // A handle of that kind whose object has ended.
  template <class T>
  void* released() {
    if constexpr (std::is_same_v<T, cl_context>) {
      const T made = api::CreateContext(nullptr, 1, &device, nullptr, nullptr, nullptr);
      EXPECT_EQ(api::ReleaseContext(made), CL_SUCCESS);
      return made;
    } else if constexpr (std::is_same_v<T, cl_command_queue>) {
      const T made = new_queue(0);
      EXPECT_EQ(api::ReleaseCommandQueue(made), CL_SUCCESS);
      return made;
    } else if constexpr (std::is_same_v<T, cl_mem>) {
      const T made = api::CreateBuffer(context, 0, 16, nullptr, nullptr);
      EXPECT_EQ(api::ReleaseMemObject(made), CL_SUCCESS);
      return made;
    } else if constexpr (std::is_same_v<T, cl_sampler>) {
      const T made =
          api::CreateSampler(context, CL_TRUE, CL_ADDRESS_CLAMP, CL_FILTER_NEAREST, nullptr);
      EXPECT_EQ(api::ReleaseSampler(made), CL_SUCCESS);
      return made;
    } else if constexpr (std::is_same_v<T, cl_program>) {
      const char* source = kSource;
      const T made = api::CreateProgramWithSource(context, 1, &source, nullptr, nullptr);
      EXPECT_EQ(api::ReleaseProgram(made), CL_SUCCESS);
      return made;
    } else if constexpr (std::is_same_v<T, cl_kernel>) {
      const T made = api::CreateKernel(program, "k", nullptr);
      EXPECT_EQ(api::ReleaseKernel(made), CL_SUCCESS);
      return made;
    } else if constexpr (std::is_same_v<T, cl_event>) {
      const T made = api::CreateUserEvent(context, nullptr);
      EXPECT_EQ(api::ReleaseEvent(made), CL_SUCCESS);
      return made;
    } else {
      return nullptr;  // platforms and root devices never end
    }
  }

  // What is called now, for whoever looks at a test that does not end.
  void begin(std::string_view function, std::string_view param, const std::string& what) {
    // What the call before reads into is the next one's scratch.
    EXPECT_EQ(api::Finish(queue), CL_SUCCESS);
    current = std::string(function) + "(" + std::string(param) + " = " + what + ")";
    if (std::getenv("LONGWIRE_TEST_SAY") != nullptr) std::fprintf(stderr, "%s\n", current.c_str());
  }
  // Of OpenCL or its extensions, and not ours to hand out when nothing is lost.
  void check_status(cl_int status) {
    const bool known = (status <= 0 && status >= -19) || (status <= -30 && status >= -72) ||
                       (status <= -1000 && status > -1200);
    if (!known) complain(text_of(status) + " is no status");
    if (status == CL_OUT_OF_RESOURCES && api::Finish(queue) != CL_SUCCESS) complain("session lost");
  }
  void complain(const std::string& text) { complaints += "\n" + current + ": " + text; }

  Arguments arguments;
  std::vector<std::uint64_t> memory_of_program = std::vector<std::uint64_t>(512);
  std::string current;
  std::string complaints;
};

// --- handles ---

// NULL means something there: section 4.1 and 4.2 (platform: implementation-defined), 5.9.3
// (device: where the kernel has only one).
bool null_is_allowed(std::string_view function, std::string_view param) {
  static const std::set<std::pair<std::string_view, std::string_view>> kAllowed = {
      {"clGetPlatformInfo", "platform"},
      {"clGetDeviceIDs", "platform"},
      {"clGetKernelWorkGroupInfo", "device"},
      {"clGetKernelSubGroupInfo", "device"},
      {"clGetKernelSubGroupInfoKHR", "in_device"},
      {"clGetKernelSuggestedLocalWorkSizeKHR", "device"},
  };
  return kAllowed.count({function, param}) != 0;
}

template <class T>
cl_int expected(std::string_view param) {
  return param == "event_wait_list" ? CL_INVALID_EVENT_WAIT_LIST : invalid<T>();
}

TEST_P(MistakesTest, HandlesOfEveryKindForEveryParameter) {
  std::size_t calls = 0;
  const auto try_all = [&]<class R, class... A>(const char* name, R (*function)(A...) noexcept,
                                                const ParamNames& params) {
    if (is_unsupported(name)) return;
    const auto try_one = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
      using T = std::tuple_element_t<I, std::tuple<A...>>;
      using Handle =
          std::conditional_t<is_handle<T>, T, std::remove_const_t<std::remove_pointer_t<T>>>;
      if constexpr (is_handle<T> || is_handle_list<T>) {
        for (const Wrong& wrong : wrong_handles<Handle>()) {
          if (wrong.handle == nullptr && null_is_allowed(name, params[I])) continue;
          begin(name, params[I], wrong.what);
          AnyCall<R, A...> call(function, params, arguments);
          Handle list[] = {static_cast<Handle>(wrong.handle), nullptr};
          if constexpr (is_handle<T>) {
            call.template argument<I>() = list[0];
          } else {
            call.template argument<I>() = list;
          }
          const cl_int status = call();
          ++calls;
          if (status != expected<Handle>(params[I])) complain(text_of(status));
        }
      }
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (try_one(std::integral_constant<std::size_t, I>()), ...);
    }
    (std::index_sequence_for<A...>());
  };
  for_each_function(try_all);
  EXPECT_GT(calls, 1000u);
}

// --- numbers and pointers ---

// What only the program can know to be true: how many bytes or elements stand behind a pointer
// where nothing else limits them. Too large, it is a wild pointer, here as natively.
bool is_the_programs_word(std::string_view function, std::string_view param) {
  static const std::set<std::pair<std::string_view, std::string_view>> kTrusted = {
      {"clCreateProgramWithIL", "length"},
      {"clCreateProgramWithILKHR", "length"},
      {"clCreateProgramWithSource", "lengths"},
      {"clCreateProgramWithBinary", "lengths"},
      {"clSetProgramSpecializationConstant", "spec_size"},
      {"clEnqueueReadBufferRect", "host_origin"},
      {"clEnqueueWriteBufferRect", "host_origin"},
      {"clEnqueueReadImage", "row_pitch"},
      {"clEnqueueReadImage", "slice_pitch"},
      {"clEnqueueWriteImage", "input_row_pitch"},
      {"clEnqueueWriteImage", "input_slice_pitch"},
      // 2^63 work-items are legal, and natively take as long.
      {"clEnqueueNDRangeKernel", "global_work_size"},
  };
  return kTrusted.count({function, param}) != 0;
}

template <class T>
std::vector<T> odd_numbers() {
  using Limits = std::numeric_limits<T>;
  return {T{0},
          T{2},
          T{3},
          T{8},
          T{32},
          static_cast<T>(Limits::max()),
          static_cast<T>(Limits::max() - 1),
          static_cast<T>(Limits::max() / 2 + 1),
          static_cast<T>(Limits::min()),
          static_cast<T>(kBufferBytes),
          static_cast<T>(kBufferBytes + 1),
          static_cast<T>(T{1} << (sizeof(T) * 8 - 2))};
}

// Status codes are all that a call may answer: it returns, and the process is still there.
TEST_P(MistakesTest, OddNumbersForEveryParameter) {
  const auto try_all = [&]<class R, class... A>(const char* name, R (*function)(A...) noexcept,
                                                const ParamNames& params) {
    const auto try_one = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
      using T = std::tuple_element_t<I, std::tuple<A...>>;
      if (is_unsupported(name) || is_the_programs_word(name, params[I])) return;
      if constexpr (std::is_integral_v<T>) {
        for (const T number : odd_numbers<T>()) {
          begin(name, params[I], std::to_string(number));
          AnyCall<R, A...> call(function, params, arguments);
          call.template argument<I>() = number;
          check_status(call());
        }
      } else if constexpr (std::is_same_v<T, const size_t*>) {
        for (const std::size_t number : odd_numbers<std::size_t>()) {
          for (const unsigned which : {1u, 2u, 4u, 7u}) {
            begin(name, params[I], std::to_string(number) + " in " + std::to_string(which));
            AnyCall<R, A...> call(function, params, arguments);
            std::size_t* const list = arguments.sizes(params[I]);
            for (unsigned i = 0; i < 3; ++i)
              if ((which >> i & 1) != 0) list[i] = number;
            call.template argument<I>() = list;
            check_status(call());
          }
        }
      }
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (try_one(std::integral_constant<std::size_t, I>()), ...);
    }
    (std::index_sequence_for<A...>());
  };
  for_each_function(try_all);
}

// Sums and products that leave 64 bits: every two sizes of a call at once.
TEST_P(MistakesTest, TwoHugeSizesAtOnce) {
  constexpr std::size_t kMax = std::numeric_limits<std::size_t>::max();
  const std::size_t huge[] = {
      0, 2, 3, kBufferBytes, kBufferBytes + 1, kMax, kMax - 1, kMax / 2 + 1, kMax / 4 + 1};
  const auto try_all = [&]<class R, class... A>(const char* name, R (*function)(A...) noexcept,
                                                const ParamNames& params) {
    if (is_unsupported(name)) return;
    const auto set = [&]<std::size_t I>(std::integral_constant<std::size_t, I>, auto& call,
                                        std::size_t at, std::size_t number) {
      using T = std::tuple_element_t<I, std::tuple<A...>>;
      if (I != at || is_the_programs_word(name, params[I])) return false;
      if constexpr (std::is_same_v<T, size_t>) {
        call.template argument<I>() = number;
      } else if constexpr (std::is_same_v<T, const size_t*>) {
        std::size_t* const list = arguments.sizes(params[I]);
        std::fill(list, list + 3, number);
        call.template argument<I>() = list;
      } else {
        return false;
      }
      return true;
    };
    const auto try_two = [&]<std::size_t... I>(std::index_sequence<I...>, std::size_t one,
                                               std::size_t other) {
      for (const std::size_t a : huge) {
        for (const std::size_t b : huge) {
          begin(name, params[one],
                std::to_string(a) + ", " + std::string(params[other]) + " = " + std::to_string(b));
          AnyCall<R, A...> call(function, params, arguments);
          const bool set_one = (set(std::integral_constant<std::size_t, I>(), call, one, a) || ...);
          const bool set_other =
              (set(std::integral_constant<std::size_t, I>(), call, other, b) || ...);
          if (!set_one || !set_other) return;
          check_status(call());
        }
      }
    };
    for (std::size_t one = 0; one < sizeof...(A); ++one)
      for (std::size_t other = one + 1; other < sizeof...(A); ++other)
        try_two(std::index_sequence_for<A...>(), one, other);
  };
  for_each_function(try_all);
}

// NULL for a pointer is an error, or means "nothing", but is never followed.
TEST_P(MistakesTest, NullForEveryPointer) {
  const auto try_all = [&]<class R, class... A>(const char* name, R (*function)(A...) noexcept,
                                                const ParamNames& params) {
    if (is_unsupported(name)) return;
    const auto try_one = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
      using T = std::tuple_element_t<I, std::tuple<A...>>;
      if constexpr (std::is_pointer_v<T> && !is_handle<T>) {
        begin(name, params[I], "NULL");
        AnyCall<R, A...> call(function, params, arguments);
        call.template argument<I>() = nullptr;
        const cl_int status = call();
        check_status(status);
        // Lists whose length says 1.
        if (is_handle_list<T> && status == CL_SUCCESS) complain("success");
      }
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (try_one(std::integral_constant<std::size_t, I>()), ...);
    }
    (std::index_sequence_for<A...>());
  };
  for_each_function(try_all);
}

std::vector<Setup> setups() {
  return {{Transport::kInproc, Driver::kFake, 0}, {Transport::kInproc, Driver::kSystem, 0}};
}

INSTANTIATE_TEST_SUITE_P(OnEveryDriver, MistakesTest, ::testing::ValuesIn(setups()),
                         [](const auto& one) { return name_of(one.param); });

}  // namespace
}  // namespace longwire::inproc
