// What compilers emit around a program's device code: registration before main(), and the
// configuration that <<<...>>> leaves for a kernel's host side.
#include <array>

#include "cudart/code.h"
#include "cudart/context.h"

using namespace longwire::cudart;

namespace {

struct CallConfiguration {
  uint3 grid, block;
  std::size_t shared_bytes;
  cudaStream_t stream;
};

// A kernel's arguments may launch kernels themselves, so that configurations nest.
constexpr std::size_t kMaxConfigurations = 32;

// Without a destructor: programs launch from those of their own thread-local objects, and from exit
// handlers.
struct Configurations {
  std::size_t count;
  std::array<CallConfiguration, kMaxConfigurations> each;
};
thread_local Configurations configurations;

FatBinary* binary_of(void** handle) { return reinterpret_cast<FatBinary*>(handle); }

}  // namespace

extern "C" {

void** __cudaRegisterFatBinary(void* wrapper) {
  return reinterpret_cast<void**>(add_fat_binary(wrapper));
}

void __cudaRegisterFatBinaryEnd(void**) {}

void __cudaUnregisterFatBinary(void** handle) {
  if (handle != nullptr) remove_fat_binary(binary_of(handle));
}

// Asked before a managed variable is used; not 0 says that it may be.
char __cudaInitModule(void** handle) {
  return in_context([&](const DriverTable& cu) {
           return place_managed_variables(cu, binary_of(handle));
         }) == cudaSuccess
             ? 1
             : 0;
}

void __cudaRegisterFunction(void** handle, const char* host, char*, const char* name, int, uint3*,
                            uint3*, dim3*, dim3*, int*) {
  add_kernel(binary_of(handle), host, name);
}

void __cudaRegisterVar(void** handle, char* host, char*, const char* name, int, std::size_t bytes,
                       int, int) {
  add_variable(binary_of(handle), host, name, bytes, nullptr);
}

// The host may read the variable before anything else is called: it is placed at once.
void __cudaRegisterManagedVar(void** handle, void** host, char*, const char* name, int,
                              std::size_t bytes, int, int) {
  add_variable(binary_of(handle), host, name, bytes, host);
  (void)__cudaInitModule(handle);
  (void)cudaGetLastError();
}

void __cudaRegisterTexture(void**, const void*, const void**, const char*, int, int, int) {}
void __cudaRegisterSurface(void**, const void*, const void**, const char*, int, int) {}

unsigned int __cudaPushCallConfiguration(dim3 grid, dim3 block, std::size_t shared_bytes,
                                         CUstream_st* stream) {
  if (configurations.count == kMaxConfigurations) {
    (void)remember(cudaErrorLaunchOutOfResources);
    return 1;  // the kernel's host side is not called
  }
  configurations.each[configurations.count++] = {grid, block, shared_bytes, stream};
  return 0;
}

cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, std::size_t* shared_bytes,
                                       void* stream) {
  if (configurations.count == 0) return remember(cudaErrorMissingConfiguration);
  const CallConfiguration& last = configurations.each[--configurations.count];
  *grid = last.grid;
  *block = last.block;
  *shared_bytes = last.shared_bytes;
  *static_cast<cudaStream_t*>(stream) = last.stream;
  return cudaSuccess;
}

}  // extern "C"
