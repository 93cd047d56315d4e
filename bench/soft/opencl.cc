// longwire_bench_soft_opencl: the cases on the OpenCL device that the loader finds (PoCL).
#include <CL/cl.h>

#include <cstdio>
#include <cstdlib>
#include <map>

#include "soft/cases.h"

namespace longwire::bench::soft {

extern const char kKernelSource[];  // opencl.h and kernels.cl

namespace {

void require(cl_int status, const char* what) {
  if (status == CL_SUCCESS) return;
  std::fprintf(stderr, "longwire_bench_soft_opencl: %s failed with %d\n", what, status);
  std::exit(1);
}

class OpenClDevice : public Device {
 public:
  OpenClDevice();
  void prepare(const Case& what) override;
  double run_us() override;
  Bytes read(std::size_t buffer) override;

 private:
  cl_kernel kernel(const std::string& name);
  void launch(const Launch& one);

  cl_context context_ = nullptr;
  cl_command_queue queue_ = nullptr;
  cl_program program_ = nullptr;
  std::map<std::string, cl_kernel> kernels_;
  std::vector<cl_mem> buffers_;
  Case case_;
};

OpenClDevice::OpenClDevice() {
  cl_platform_id platform = nullptr;
  cl_device_id device = nullptr;
  cl_int status = CL_SUCCESS;
  require(clGetPlatformIDs(1, &platform, nullptr), "clGetPlatformIDs");
  require(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, nullptr), "clGetDeviceIDs");
  context_ = clCreateContext(nullptr, 1, &device, nullptr, nullptr, &status);
  require(status, "clCreateContext");
  queue_ = clCreateCommandQueueWithProperties(context_, device, nullptr, &status);
  require(status, "clCreateCommandQueueWithProperties");
  const char* source = kKernelSource;
  program_ = clCreateProgramWithSource(context_, 1, &source, nullptr, &status);
  require(status, "clCreateProgramWithSource");
  require(clBuildProgram(program_, 1, &device, "", nullptr, nullptr), "clBuildProgram");
}

cl_kernel OpenClDevice::kernel(const std::string& name) {
  cl_kernel& kernel = kernels_[name];
  if (kernel != nullptr) return kernel;
  cl_int status = CL_SUCCESS;
  kernel = clCreateKernel(program_, name.c_str(), &status);
  require(status, name.c_str());
  return kernel;
}

void OpenClDevice::prepare(const Case& what) {
  for (cl_mem buffer : buffers_)
    clReleaseMemObject(buffer);
  buffers_.clear();
  case_ = what;
  for (Bytes& bytes : case_.buffers) {
    cl_int status = CL_SUCCESS;
    buffers_.push_back(clCreateBuffer(context_, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                                      bytes.size(), bytes.data(), &status));
    require(status, "clCreateBuffer");
  }
}

void OpenClDevice::launch(const Launch& one) {
  cl_kernel kernel = this->kernel(one.kernel);
  for (cl_uint i = 0; i < one.arguments.size(); ++i) {
    const auto set = [&](const auto& value) {
      require(clSetKernelArg(kernel, i, sizeof value, &value), "clSetKernelArg");
    };
    const Argument& argument = one.arguments[i];
    if (const auto* buffer = std::get_if<BufferIndex>(&argument))
      set(buffers_[buffer->index]);
    else if (const auto* number = std::get_if<int>(&argument))
      set(*number);
    else if (const auto* word = std::get_if<unsigned>(&argument))
      set(*word);
    else
      set(std::get<float>(argument));
  }
  const std::size_t threads[] = {std::size_t{one.grid[0]} * one.block[0],
                                 std::size_t{one.grid[1]} * one.block[1]};
  const std::size_t block[] = {one.block[0], one.block[1]};
  require(clEnqueueNDRangeKernel(queue_, kernel, 2, nullptr, threads, block, 0, nullptr, nullptr),
          "clEnqueueNDRangeKernel");
}

double OpenClDevice::run_us() {
  const double start = now_us();
  for (const Launch& one : case_.launches)
    launch(one);
  require(clFinish(queue_), "clFinish");
  return now_us() - start;
}

Bytes OpenClDevice::read(std::size_t buffer) {
  Bytes bytes(case_.buffers[buffer].size());
  require(clEnqueueReadBuffer(queue_, buffers_[buffer], CL_TRUE, 0, bytes.size(), bytes.data(), 0,
                              nullptr, nullptr),
          "clEnqueueReadBuffer");
  return bytes;
}

}  // namespace
}  // namespace longwire::bench::soft

int main() {
  longwire::bench::soft::OpenClDevice device;
  return longwire::bench::soft::serve(device);
}
