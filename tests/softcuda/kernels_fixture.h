// Test kernels on the soft device: load their PTX, launch, compare with what the host computes.
// Which back end and how many threads is for the environment to say (LONGWIRE_SOFT_…).
#pragma once

#include <gmock/gmock.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "cudaapi/cuda.h"

namespace longwire::softcuda::kernels {

// Device memory with a vector's values.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(std::size_t count) : DeviceArray(std::vector<T>(count)) {}
  explicit DeviceArray(const std::vector<T>& values) : count_(values.size()) {
    EXPECT_EQ(cuMemAlloc(&address_, count_ * sizeof(T)), CUDA_SUCCESS);
    set(values);
  }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  ~DeviceArray() { cuMemFree(address_); }

  void set(const std::vector<T>& values) {
    EXPECT_EQ(cuMemcpyHtoD(address_, values.data(), values.size() * sizeof(T)), CUDA_SUCCESS);
  }
  std::vector<T> get() const {
    std::vector<T> values(count_);
    EXPECT_EQ(cuMemcpyDtoH(values.data(), address_, count_ * sizeof(T)), CUDA_SUCCESS);
    return values;
  }
  CUdeviceptr address() const { return address_; }

 private:
  std::size_t count_;
  CUdeviceptr address_ = 0;
};

struct Size {
  unsigned x = 1, y = 1, z = 1;
};

struct LaunchShape {
  Size grid, block;
  unsigned shared_bytes = 0;
  bool cooperative = false;
  CUstream stream = nullptr;
};

class KernelsTest : public ::testing::Test {
 protected:
  // `file` is the name of a file of kernels/, without its suffix.
  explicit KernelsTest(const char* file) : file_(file) {}
  void SetUp() override;
  void TearDown() override;

  std::string ptx() const;  // of the file
  CUfunction function(const char* name);
  CUdeviceptr global(const char* name, std::size_t bytes);

  // Arguments are numbers, structs and DeviceArrays. Waits for the end.
  template <class... Arguments>
  void run(const char* name, const LaunchShape& shape, const Arguments&... arguments) {
    ASSERT_EQ(start(name, shape, arguments...), CUDA_SUCCESS) << name;
    ASSERT_EQ(cuCtxSynchronize(), CUDA_SUCCESS) << name;
  }
  template <class... Arguments>
  CUresult start(const char* name, const LaunchShape& shape, const Arguments&... arguments) {
    void* values[] = {pointer_to(arguments)..., nullptr};
    return launch(name, shape, values);
  }

  CUmodule module_ = nullptr;
  CUcontext context_ = nullptr;

 private:
  template <class T>
  static void* pointer_to(const T& value) {
    return const_cast<T*>(&value);
  }
  template <class T>
  void* pointer_to(const DeviceArray<T>& array) {
    addresses_[next_] = array.address();
    return &addresses_[next_++ % kMaxArrays];
  }
  CUresult launch(const char* name, const LaunchShape& shape, void** values);

  static constexpr std::size_t kMaxArrays = 32;  // of one launch
  CUdeviceptr addresses_[kMaxArrays] = {};
  std::size_t next_ = 0;
  const char* file_;
};

// The same numbers in every run.
std::vector<float> random_floats(std::size_t count, float least, float most, unsigned seed = 1);
std::vector<int> random_ints(std::size_t count, int least, int most, unsigned seed = 1);

template <class T, class U>
void expect_near(const std::vector<T>& got, const std::vector<U>& wanted, double relative,
                 double absolute = 0) {
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    const auto want = static_cast<double>(wanted[i]);
    ASSERT_NEAR(static_cast<double>(got[i]), want, absolute + relative * std::abs(want)) << i;
  }
}

}  // namespace longwire::softcuda::kernels
