// Libraries of device code that the program loads itself.
#include "cudart/context.h"

using namespace longwire::cudart;

extern "C" {

cudaError_t cudaLibraryLoadData(cudaLibrary_t* library, const void* image,
                                cudaJitOption* jit_options, void** jit_values,
                                unsigned int jit_count, cudaLibraryOption* options, void** values,
                                unsigned int option_count) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuLibraryLoadData(library, image, reinterpret_cast<CUjit_option*>(jit_options),
                                jit_values, jit_count, reinterpret_cast<CUlibraryOption*>(options),
                                values, option_count);
  });
}

cudaError_t cudaLibraryLoadFromFile(cudaLibrary_t* library, const char* path,
                                    cudaJitOption* jit_options, void** jit_values,
                                    unsigned int jit_count, cudaLibraryOption* options,
                                    void** values, unsigned int option_count) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuLibraryLoadFromFile(
        library, path, reinterpret_cast<CUjit_option*>(jit_options), jit_values, jit_count,
        reinterpret_cast<CUlibraryOption*>(options), values, option_count);
  });
}

cudaError_t cudaLibraryUnload(cudaLibrary_t library) {
  return in_context([&](const DriverTable& cu) { return cu.cuLibraryUnload(library); });
}

cudaError_t cudaLibraryGetKernel(cudaKernel_t* kernel, cudaLibrary_t library, const char* name) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuLibraryGetKernel(kernel, library, name); });
}

cudaError_t cudaLibraryGetKernelCount(unsigned int* count, cudaLibrary_t library) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuLibraryGetKernelCount(count, library); });
}

cudaError_t cudaLibraryEnumerateKernels(cudaKernel_t* kernels, unsigned int count,
                                        cudaLibrary_t library) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuLibraryEnumerateKernels(kernels, count, library); });
}

cudaError_t cudaLibraryGetGlobal(void** pointer, std::size_t* bytes, cudaLibrary_t library,
                                 const char* name) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuLibraryGetGlobal(reinterpret_cast<CUdeviceptr*>(pointer), bytes, library, name);
  });
}

cudaError_t cudaLibraryGetManaged(void** pointer, std::size_t* bytes, cudaLibrary_t library,
                                  const char* name) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuLibraryGetManaged(reinterpret_cast<CUdeviceptr*>(pointer), bytes, library, name);
  });
}

cudaError_t cudaLibraryGetUnifiedFunction(void** function, cudaLibrary_t library,
                                          const char* symbol) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuLibraryGetUnifiedFunction(function, library, symbol);
  });
}

}  // extern "C"
