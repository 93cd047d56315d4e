#include "device.h"

#include <stdexcept>

namespace microscopy {
namespace {

std::string platform_name(cl_platform_id platform) {
  std::size_t size = 0;
  check(clGetPlatformInfo(platform, CL_PLATFORM_NAME, 0, nullptr, &size), "clGetPlatformInfo");
  std::string name(size, '\0');
  check(clGetPlatformInfo(platform, CL_PLATFORM_NAME, size, name.data(), nullptr),
        "clGetPlatformInfo");
  name.resize(size > 0 ? size - 1 : 0);
  return name;
}

std::string device_name(cl_device_id device) {
  std::size_t size = 0;
  check(clGetDeviceInfo(device, CL_DEVICE_NAME, 0, nullptr, &size), "clGetDeviceInfo");
  std::string name(size, '\0');
  check(clGetDeviceInfo(device, CL_DEVICE_NAME, size, name.data(), nullptr), "clGetDeviceInfo");
  name.resize(size > 0 ? size - 1 : 0);
  return name;
}

std::vector<cl_platform_id> platforms() {
  cl_uint count = 0;
  if (clGetPlatformIDs(0, nullptr, &count) != CL_SUCCESS || count == 0) return {};
  std::vector<cl_platform_id> found(count);
  check(clGetPlatformIDs(count, found.data(), nullptr), "clGetPlatformIDs");
  return found;
}

std::vector<cl_device_id> devices_of(cl_platform_id platform) {
  cl_uint count = 0;
  if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, nullptr, &count) != CL_SUCCESS) return {};
  std::vector<cl_device_id> found(count);
  check(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, count, found.data(), nullptr),
        "clGetDeviceIDs");
  return found;
}

}  // namespace

void check(cl_int status, const char* call) {
  if (status == CL_SUCCESS) return;
  throw std::runtime_error(std::string(call) + " failed with OpenCL error " +
                           std::to_string(status));
}

Device::Device(const std::string& wanted, unsigned index) {
  unsigned seen = 0;
  for (cl_platform_id platform : platforms()) {
    const std::string name = platform_name(platform);
    if (name.find(wanted) == std::string::npos) continue;
    for (cl_device_id device : devices_of(platform)) {
      if (seen++ != index) continue;
      device_ = device;
      platform_ = name;
    }
  }
  if (device_ == nullptr) {
    throw std::runtime_error("no OpenCL device " + std::to_string(index) +
                             (wanted.empty() ? "" : " on a platform named like '" + wanted + "'") +
                             "; `clinfo -l` lists what there is");
  }
  name_ = device_name(device_);
  cl_int status = CL_SUCCESS;
  context_.reset(clCreateContext(nullptr, 1, &device_, nullptr, nullptr, &status));
  check(status, "clCreateContext");
  queue_.reset(clCreateCommandQueue(context_.get(), device_, 0, &status));
  check(status, "clCreateCommandQueue");
}

void Device::build(const char* source) {
  cl_int status = CL_SUCCESS;
  program_.reset(clCreateProgramWithSource(context_.get(), 1, &source, nullptr, &status));
  check(status, "clCreateProgramWithSource");
  status = clBuildProgram(program_.get(), 1, &device_, "-cl-std=CL1.2", nullptr, nullptr);
  if (status == CL_SUCCESS) return;
  std::size_t size = 0;
  clGetProgramBuildInfo(program_.get(), device_, CL_PROGRAM_BUILD_LOG, 0, nullptr, &size);
  std::string log(size, '\0');
  clGetProgramBuildInfo(program_.get(), device_, CL_PROGRAM_BUILD_LOG, size, log.data(), nullptr);
  throw std::runtime_error("the kernels do not build on this device:\n" + log);
}

Kernel Device::kernel(const char* name) const {
  cl_int status = CL_SUCCESS;
  Kernel kernel(clCreateKernel(program_.get(), name, &status));
  check(status, "clCreateKernel");
  return kernel;
}

Buffer Device::buffer(std::size_t floats) const {
  cl_int status = CL_SUCCESS;
  Buffer buffer(
      clCreateBuffer(context_.get(), CL_MEM_READ_WRITE, floats * sizeof(float), nullptr, &status));
  check(status, "clCreateBuffer");
  return buffer;
}

Buffer Device::constants(const std::vector<float>& values) const {
  cl_int status = CL_SUCCESS;
  Buffer buffer(clCreateBuffer(context_.get(), CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR,
                               values.size() * sizeof(float), const_cast<float*>(values.data()),
                               &status));
  check(status, "clCreateBuffer");
  return buffer;
}

void Device::write(const Buffer& to, const std::vector<float>& from) const {
  check(clEnqueueWriteBuffer(queue_.get(), to.get(), CL_TRUE, 0, from.size() * sizeof(float),
                             from.data(), 0, nullptr, nullptr),
        "clEnqueueWriteBuffer");
}

void Device::fill(const Buffer& buffer, float value, std::size_t floats) const {
  check(clEnqueueFillBuffer(queue_.get(), buffer.get(), &value, sizeof value, 0,
                            floats * sizeof(float), 0, nullptr, nullptr),
        "clEnqueueFillBuffer");
}

void Device::read(const Buffer& from, std::vector<float>& to) const {
  check(clEnqueueReadBuffer(queue_.get(), from.get(), CL_TRUE, 0, to.size() * sizeof(float),
                            to.data(), 0, nullptr, nullptr),
        "clEnqueueReadBuffer");
}

void Device::copy(const Buffer& from, const Buffer& to, std::size_t floats) const {
  check(clEnqueueCopyBuffer(queue_.get(), from.get(), to.get(), 0, 0, floats * sizeof(float), 0,
                            nullptr, nullptr),
        "clEnqueueCopyBuffer");
}

}  // namespace microscopy
