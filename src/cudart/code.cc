#include "cudart/code.h"

#include <algorithm>
#include <shared_mutex>
#include <unordered_map>

namespace longwire::cudart {
namespace {

// What __cudaRegisterFatBinary is given, as clang and nvcc emit it.
struct FatBinaryWrapper {
  int magic;
  int version;
  const void* data;
  void* more;
};
constexpr int kWrapperMagic = 0x466243b1;

struct Code {
  std::shared_mutex mutex;
  std::vector<std::unique_ptr<FatBinary>> binaries;
  std::unordered_map<const void*, Kernel> kernels;
  std::unordered_map<const void*, Variable> variables;
};

// Made before main() and used after it: never destroyed.
Code& the_code() {
  static auto* code = new Code;
  return *code;
}

cudaError_t of_missing_kernel(CUresult result) {
  return result == CUDA_ERROR_NOT_FOUND ? cudaErrorInvalidDeviceFunction : to_runtime(result);
}

CUfunction known_function(const Kernel& kernel, CUcontext context) {
  for (const auto& [where, function] : kernel.functions)
    if (where == context) return function;
  return nullptr;
}

cudaError_t load_kernel(const DriverTable& cu, Kernel& kernel) {
  if (kernel.handle != nullptr) return cudaSuccess;
  CUlibrary library = nullptr;
  if (cudaError_t error = kernel.code->load(cu, library); error != cudaSuccess) return error;
  return of_missing_kernel(cu.cuLibraryGetKernel(&kernel.handle, library, kernel.name.c_str()));
}

cudaError_t place_variable(const DriverTable& cu, const Variable& variable, CUdeviceptr& address,
                           std::size_t& bytes) {
  CUlibrary library = nullptr;
  if (cudaError_t error = variable.code->load(cu, library); error != cudaSuccess) return error;
  const char* name = variable.name.c_str();
  const CUresult result = variable.managed != nullptr
                              ? cu.cuLibraryGetManaged(&address, &bytes, library, name)
                              : cu.cuLibraryGetGlobal(&address, &bytes, library, name);
  return result == CUDA_ERROR_NOT_FOUND ? cudaErrorInvalidSymbol : to_runtime(result);
}

}  // namespace

cudaError_t FatBinary::load(const DriverTable& cu, CUlibrary& library) {
  std::lock_guard lock(mutex_);
  if (!tried_) {
    tried_ = true;
    const auto* wrapper = static_cast<const FatBinaryWrapper*>(wrapper_);
    error_ = wrapper == nullptr || wrapper->magic != kWrapperMagic || wrapper->data == nullptr
                 ? cudaErrorInvalidKernelImage
                 : to_runtime(cu.cuLibraryLoadData(&library_, wrapper->data, nullptr, nullptr, 0,
                                                   nullptr, nullptr, 0));
  }
  library = library_;
  return error_;
}

// At the program's end the driver may be gone already; then there is nothing to give back.
void FatBinary::unload() noexcept {
  std::lock_guard lock(mutex_);
  if (library_ != nullptr) (void)driver().table->cuLibraryUnload(library_);
  library_ = nullptr;
  error_ = cudaErrorCudartUnloading;
  tried_ = true;
}

FatBinary* add_fat_binary(const void* wrapper) {
  Code& code = the_code();
  std::lock_guard lock(code.mutex);
  return code.binaries.emplace_back(std::make_unique<FatBinary>(wrapper)).get();
}

void remove_fat_binary(FatBinary* binary) noexcept {
  Code& code = the_code();
  std::lock_guard lock(code.mutex);
  auto of_this = [binary](const auto& each) { return each.second.code == binary; };
  std::erase_if(code.kernels, of_this);
  std::erase_if(code.variables, of_this);
  auto found = std::find_if(code.binaries.begin(), code.binaries.end(),
                            [binary](const auto& each) { return each.get() == binary; });
  if (found == code.binaries.end()) return;
  (*found)->unload();
  code.binaries.erase(found);
}

void add_kernel(FatBinary* binary, const void* host, const char* name) {
  Code& code = the_code();
  std::lock_guard lock(code.mutex);
  code.kernels[host] = Kernel{binary, name, nullptr, {}};
}

void add_variable(FatBinary* binary, const void* host, const char* name, std::size_t bytes,
                  void** managed) {
  Code& code = the_code();
  std::lock_guard lock(code.mutex);
  code.variables[host] = Variable{binary, name, bytes, managed};
}

cudaError_t find_kernel(const DriverTable& cu, const void* host, CUkernel& kernel) {
  Code& code = the_code();
  std::lock_guard lock(code.mutex);
  auto found = code.kernels.find(host);
  if (found == code.kernels.end()) return cudaErrorInvalidDeviceFunction;
  const cudaError_t error = load_kernel(cu, found->second);
  kernel = found->second.handle;
  return error;
}

cudaError_t find_function(const DriverTable& cu, const void* host, CUfunction& function) {
  CUcontext context = nullptr;
  if (CUresult result = cu.cuCtxGetCurrent(&context); result != CUDA_SUCCESS)
    return to_runtime(result);
  Code& code = the_code();
  {
    std::shared_lock lock(code.mutex);
    auto found = code.kernels.find(host);
    if (found != code.kernels.end()) function = known_function(found->second, context);
    if (found != code.kernels.end() && function != nullptr) return cudaSuccess;
  }
  std::lock_guard lock(code.mutex);
  auto found = code.kernels.find(host);
  if (found == code.kernels.end()) {
    // cudaGetKernel's handles stand for kernels as well.
    auto* kernel = static_cast<CUkernel>(const_cast<void*>(host));
    return cu.cuKernelGetFunction(&function, kernel) == CUDA_SUCCESS
               ? cudaSuccess
               : cudaErrorInvalidDeviceFunction;
  }
  Kernel& kernel = found->second;
  if (cudaError_t error = load_kernel(cu, kernel); error != cudaSuccess) return error;
  const CUresult result = cu.cuKernelGetFunction(&function, kernel.handle);
  if (result == CUDA_SUCCESS) kernel.functions.emplace_back(context, function);
  return to_runtime(result);
}

const void* find_host(CUfunction function) {
  Code& code = the_code();
  std::shared_lock lock(code.mutex);
  for (const auto& [host, kernel] : code.kernels)
    for (const auto& [context, known] : kernel.functions)
      if (known == function) return host;
  return nullptr;
}

cudaError_t find_symbol(const DriverTable& cu, const void* host, CUdeviceptr& address,
                        std::size_t& bytes) {
  Code& code = the_code();
  std::shared_lock lock(code.mutex);
  auto found = code.variables.find(host);
  if (found == code.variables.end()) return cudaErrorInvalidSymbol;
  return place_variable(cu, found->second, address, bytes);
}

cudaError_t place_managed_variables(const DriverTable& cu, FatBinary* binary) {
  Code& code = the_code();
  std::shared_lock lock(code.mutex);
  for (auto& [host, variable] : code.variables) {
    if (variable.code != binary || variable.managed == nullptr) continue;
    CUdeviceptr address = 0;
    std::size_t bytes = 0;
    const cudaError_t error = place_variable(cu, variable, address, bytes);
    if (error != cudaSuccess) return error;
    *variable.managed = pointer_to(address);
  }
  return cudaSuccess;
}

void forget_context(CUcontext context) noexcept {
  Code& code = the_code();
  std::lock_guard lock(code.mutex);
  for (auto& [host, kernel] : code.kernels)
    std::erase_if(kernel.functions, [=](const auto& each) { return each.first == context; });
}

}  // namespace longwire::cudart
