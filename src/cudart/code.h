// The device code that a program carries: fat binaries, and the kernels and variables in them by
// the addresses of their host sides. Registered before main(); loaded when first used.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cudart/driver_table.h"

namespace longwire::cudart {

// One fat binary. It is loaded once, as a library of the driver, which has it in every context.
class FatBinary {
 public:
  explicit FatBinary(const void* wrapper) : wrapper_(wrapper) {}

  cudaError_t load(const DriverTable& cu, CUlibrary& library);
  void unload() noexcept;

 private:
  const void* wrapper_;
  std::mutex mutex_;
  bool tried_ = false;
  cudaError_t error_ = cudaSuccess;
  CUlibrary library_ = nullptr;
};

struct Kernel {
  FatBinary* code = nullptr;
  std::string name;
  CUkernel handle = nullptr;                                // under Code's mutex, as the rest
  std::vector<std::pair<CUcontext, CUfunction>> functions;  // where it has been used
};

struct Variable {
  FatBinary* code = nullptr;
  std::string name;
  std::size_t bytes = 0;
  void** managed = nullptr;  // the host's pointer to it, to be filled in
};

// What registration calls, on any thread, with or without a driver.
FatBinary* add_fat_binary(const void* wrapper);
void remove_fat_binary(FatBinary* code) noexcept;
void add_kernel(FatBinary* code, const void* host, const char* name);
void add_variable(FatBinary* code, const void* host, const char* name, std::size_t bytes,
                  void** managed);

// The kernel whose host side this is. A CUkernel of the driver is taken as it is.
cudaError_t find_kernel(const DriverTable& cu, const void* host, CUkernel& kernel);
// The same in the current context.
cudaError_t find_function(const DriverTable& cu, const void* host, CUfunction& function);
// The host side of a kernel in any context; nullptr: there is none.
const void* find_host(CUfunction function);
// A variable's place in the current context.
cudaError_t find_symbol(const DriverTable& cu, const void* host, CUdeviceptr& address,
                        std::size_t& bytes);

// Fills in the pointers of managed variables: their memory must be there before the host uses it.
cudaError_t place_managed_variables(const DriverTable& cu, FatBinary* code);

// A context is about to be destroyed.
void forget_context(CUcontext context) noexcept;

}  // namespace longwire::cudart
