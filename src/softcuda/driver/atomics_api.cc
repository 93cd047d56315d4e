// Which atomic operations the host and devices can do on each other's memory. It is the same
// memory, so it is what the device can do: PTX ISA, "atom".
#include <optional>

#include "softcuda/driver/driver.h"

using namespace longwire::softcuda::driver;

namespace {

std::optional<unsigned int> capabilities_of(CUatomicOperation operation) {
  constexpr unsigned int kWords = CU_ATOMIC_CAPABILITY_SCALAR_32 | CU_ATOMIC_CAPABILITY_SCALAR_64;
  constexpr unsigned int kIntegers = CU_ATOMIC_CAPABILITY_UNSIGNED | CU_ATOMIC_CAPABILITY_SIGNED;
  switch (operation) {
    case CU_ATOMIC_OPERATION_INTEGER_ADD:
    case CU_ATOMIC_OPERATION_INTEGER_MIN:
    case CU_ATOMIC_OPERATION_INTEGER_MAX:
    case CU_ATOMIC_OPERATION_AND:
    case CU_ATOMIC_OPERATION_OR:
    case CU_ATOMIC_OPERATION_XOR:
      return kIntegers | kWords | CU_ATOMIC_CAPABILITY_REDUCTION;
    case CU_ATOMIC_OPERATION_INTEGER_INCREMENT:
    case CU_ATOMIC_OPERATION_INTEGER_DECREMENT:
      return CU_ATOMIC_CAPABILITY_UNSIGNED | CU_ATOMIC_CAPABILITY_SCALAR_32 |
             CU_ATOMIC_CAPABILITY_REDUCTION;
    case CU_ATOMIC_OPERATION_EXCHANGE:
    case CU_ATOMIC_OPERATION_CAS:
      return kIntegers | kWords;
    case CU_ATOMIC_OPERATION_FLOAT_ADD:
      return CU_ATOMIC_CAPABILITY_SIGNED | kWords | CU_ATOMIC_CAPABILITY_REDUCTION;
    case CU_ATOMIC_OPERATION_FLOAT_MIN:
    case CU_ATOMIC_OPERATION_FLOAT_MAX:
      return 0;  // PTX has none
    default:
      return std::nullopt;
  }
}

CUresult answer(unsigned int* capabilities, const CUatomicOperation* operations,
                unsigned int count) {
  if (capabilities == nullptr || operations == nullptr || count == 0 ||
      count > CU_ATOMIC_OPERATION_MAX)
    return CUDA_ERROR_INVALID_VALUE;
  for (unsigned int i = 0; i < count; ++i)
    if (!capabilities_of(operations[i]).has_value()) return CUDA_ERROR_INVALID_VALUE;
  for (unsigned int i = 0; i < count; ++i)
    capabilities[i] = *capabilities_of(operations[i]);
  return CUDA_SUCCESS;
}

}  // namespace

extern "C" {

CUresult cuDeviceGetHostAtomicCapabilities(unsigned int* capabilities,
                                           const CUatomicOperation* operations, unsigned int count,
                                           CUdevice device) {
  return guarded([&](Driver& driver) {
    return driver.device(device) == nullptr ? CUDA_ERROR_INVALID_DEVICE
                                            : answer(capabilities, operations, count);
  });
}

CUresult cuDeviceGetP2PAtomicCapabilities(unsigned int* capabilities,
                                          const CUatomicOperation* operations, unsigned int count,
                                          CUdevice source, CUdevice destination) {
  return guarded([&](Driver& driver) {
    if (driver.device(source) == nullptr || driver.device(destination) == nullptr ||
        source == destination)
      return CUDA_ERROR_INVALID_DEVICE;
    return answer(capabilities, operations, count);
  });
}

}  // extern "C"
