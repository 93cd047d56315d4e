// A program whose results say whether every command ran exactly once and in order: kernels that
// are no powers of themselves, on buffers of sizes that travel in every way (inside a frame, on
// lanes, streamed), read back and compared with what the host computes.
//
//   counting ROUNDS   prints "running", then "right" at the end of as many rounds, or what is wrong
#include <CL/cl.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

constexpr const char* kSource = R"(
kernel void triple(global uint* data, uint add) {
  data[get_global_id(0)] = data[get_global_id(0)] * 3 + add;
}
)";
constexpr std::size_t kWords[] = {64, 4096, 40'000, 300'000, 1'100'000};
constexpr std::uint32_t kSteps = 5;

[[noreturn]] void fail(const std::string& what, cl_int status) {
  std::printf("%s: %d\n", what.c_str(), status);
  std::exit(1);
}

void require(cl_int status, const char* what) {
  if (status != CL_SUCCESS) fail(what, status);
}

struct Program {
  cl_context context = nullptr;
  cl_command_queue queue = nullptr;
  cl_kernel kernel = nullptr;

  Program() {
    cl_platform_id platform = nullptr;
    cl_device_id device = nullptr;
    cl_int status = CL_SUCCESS;
    require(clGetPlatformIDs(1, &platform, nullptr), "clGetPlatformIDs");
    require(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, nullptr), "clGetDeviceIDs");
    context = clCreateContext(nullptr, 1, &device, nullptr, nullptr, &status);
    require(status, "clCreateContext");
    queue = clCreateCommandQueueWithProperties(context, device, nullptr, &status);
    require(status, "clCreateCommandQueue");
    const char* source = kSource;
    cl_program program = clCreateProgramWithSource(context, 1, &source, nullptr, &status);
    require(status, "clCreateProgramWithSource");
    require(clBuildProgram(program, 0, nullptr, "", nullptr, nullptr), "clBuildProgram");
    kernel = clCreateKernel(program, "triple", &status);
    require(status, "clCreateKernel");
  }

  // Blocking and non-blocking in turns. The memory of a blocking write is used again at once.
  void round(std::uint32_t number) {
    for (const std::size_t words : kWords) {
      cl_int status = CL_SUCCESS;
      const cl_mem buffer = clCreateBuffer(context, CL_MEM_READ_WRITE, words * 4, nullptr, &status);
      require(status, "clCreateBuffer");
      std::vector<std::uint32_t> data(words);
      for (std::size_t i = 0; i < words; ++i)
        data[i] = static_cast<std::uint32_t>(i) ^ number;
      std::vector<std::uint32_t> expected = data;
      const cl_bool blocking = (number + words) % 2 == 0 ? CL_TRUE : CL_FALSE;
      require(clEnqueueWriteBuffer(queue, buffer, blocking, 0, words * 4, data.data(), 0, nullptr,
                                   nullptr),
              "clEnqueueWriteBuffer");
      if (blocking == CL_TRUE) data.assign(words, 0xdead);
      steps(buffer, words, expected, number);
      std::vector<std::uint32_t> result(words);
      require(clEnqueueReadBuffer(queue, buffer, blocking, 0, words * 4, result.data(), 0, nullptr,
                                  nullptr),
              "clEnqueueReadBuffer");
      require(clFinish(queue), "clFinish");
      if (result != expected) fail("wrong bytes in round " + std::to_string(number), 0);
      require(clReleaseMemObject(buffer), "clReleaseMemObject");
    }
  }

  void steps(cl_mem buffer, std::size_t words, std::vector<std::uint32_t>& expected,
             std::uint32_t number) {
    for (std::uint32_t step = 0; step < kSteps; ++step) {
      const std::uint32_t add = number + step;
      require(clSetKernelArg(kernel, 0, sizeof buffer, &buffer), "clSetKernelArg");
      require(clSetKernelArg(kernel, 1, sizeof add, &add), "clSetKernelArg");
      require(
          clEnqueueNDRangeKernel(queue, kernel, 1, nullptr, &words, nullptr, 0, nullptr, nullptr),
          "clEnqueueNDRangeKernel");
      for (std::uint32_t& word : expected)
        word = word * 3 + add;
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 1;
  Program program;
  std::puts("running");
  std::fflush(stdout);
  for (int i = 0; i < rounds; ++i)
    program.round(static_cast<std::uint32_t>(i));
  // What has been asked for has been done when this program says so: also the last release.
  require(clFinish(program.queue), "clFinish");
  std::puts("right");
  return 0;
}
