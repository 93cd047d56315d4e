// Devices.
#include <cstdio>
#include <cstring>
#include <string>

#include "softcuda/driver/device_attributes.h"
#include "softcuda/driver/driver.h"

using namespace longwire::softcuda::driver;

namespace {

// Runs `body` with the device, when there is one and `out` is somewhere.
template <class Body>
CUresult with_device(CUdevice ordinal, const void* out, Body&& body) {
  return guarded([&](Driver& driver) -> CUresult {
    if (out == nullptr) return CUDA_ERROR_INVALID_VALUE;
    Device* device = driver.device(ordinal);
    if (device == nullptr) return CUDA_ERROR_INVALID_DEVICE;
    return body(driver, *device);
  });
}

CUresult copy_text(char* to, int length, const std::string& text) {
  if (length <= 0) return CUDA_ERROR_INVALID_VALUE;
  std::snprintf(to, static_cast<std::size_t>(length), "%s", text.c_str());
  return CUDA_SUCCESS;
}

std::string pci_id(const Driver& driver, const Device& device) {
  auto get = [&](CUdevice_attribute which) {
    return static_cast<unsigned>(device_attribute(driver, device, which).value_or(0));
  };
  char text[32];
  std::snprintf(text, sizeof text, "%04x:%02x:%02x.0", get(CU_DEVICE_ATTRIBUTE_PCI_DOMAIN_ID),
                get(CU_DEVICE_ATTRIBUTE_PCI_BUS_ID), get(CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID));
  return text;
}

CUresult get_uuid(CUuuid* uuid, CUdevice ordinal) {
  return with_device(ordinal, uuid, [&](Driver&, Device& device) {
    std::memcpy(uuid->bytes, "LongwireSoftCUD", sizeof uuid->bytes);
    uuid->bytes[sizeof uuid->bytes - 1] = static_cast<char>(device.ordinal);
    return CUDA_SUCCESS;
  });
}

// A device reaches its own memory; others' not.
CUresult peer_answer(int* value, CUdevice one, CUdevice other, int answer) {
  return with_device(one, value, [&](Driver& driver, Device&) -> CUresult {
    if (driver.device(other) == nullptr) return CUDA_ERROR_INVALID_DEVICE;
    *value = answer;
    return CUDA_SUCCESS;
  });
}

}  // namespace

extern "C" {

CUresult cuDeviceGetCount(int* count) {
  return guarded([&](Driver& driver) {
    if (count == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *count = static_cast<int>(driver.devices.size());
    return CUDA_SUCCESS;
  });
}

CUresult cuDeviceGet(CUdevice* device, int ordinal) {
  return with_device(ordinal, device, [&](Driver&, Device& found) {
    *device = found.ordinal;
    return CUDA_SUCCESS;
  });
}

CUresult cuDeviceGetName(char* name, int length, CUdevice ordinal) {
  return with_device(ordinal, name, [&](Driver&, Device&) {
    return copy_text(name, length, "Longwire Soft CUDA Device");
  });
}

CUresult cuDeviceGetUuid(CUuuid* uuid, CUdevice device) { return get_uuid(uuid, device); }
CUresult cuDeviceGetUuid_v2(CUuuid* uuid, CUdevice device) { return get_uuid(uuid, device); }

CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice ordinal) {
  return with_device(ordinal, bytes, [&](Driver&, Device& device) {
    *bytes = device.machine->memory().total_bytes();
    return CUDA_SUCCESS;
  });
}

CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice ordinal) {
  return with_device(ordinal, value, [&](Driver& driver, Device& device) -> CUresult {
    auto answer = device_attribute(driver, device, attribute);
    if (!answer.has_value()) return CUDA_ERROR_INVALID_VALUE;
    *value = *answer;
    return CUDA_SUCCESS;
  });
}

CUresult cuDeviceGetProperties(CUdevprop* properties, CUdevice ordinal) {
  return with_device(ordinal, properties, [&](Driver& driver, Device& device) {
    auto get = [&](CUdevice_attribute which) {
      return device_attribute(driver, device, which).value_or(0);
    };
    properties->maxThreadsPerBlock = get(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
    for (int i = 0; i < 3; ++i) {
      properties->maxThreadsDim[i] =
          get(CUdevice_attribute(CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X + i));
      properties->maxGridSize[i] = get(CUdevice_attribute(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X + i));
    }
    properties->sharedMemPerBlock = get(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK);
    properties->totalConstantMemory = get(CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY);
    properties->SIMDWidth = get(CU_DEVICE_ATTRIBUTE_WARP_SIZE);
    properties->memPitch = get(CU_DEVICE_ATTRIBUTE_MAX_PITCH);
    properties->regsPerBlock = get(CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK);
    properties->clockRate = get(CU_DEVICE_ATTRIBUTE_CLOCK_RATE);
    properties->textureAlign = get(CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT);
    return CUDA_SUCCESS;
  });
}

CUresult cuDeviceComputeCapability(int* major, int* minor, CUdevice ordinal) {
  return with_device(ordinal, major, [&](Driver& driver, Device&) {
    if (minor == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *major = driver.options.capability_major;
    *minor = driver.options.capability_minor;
    return CUDA_SUCCESS;
  });
}

CUresult cuDeviceGetPCIBusId(char* id, int length, CUdevice ordinal) {
  return with_device(ordinal, id, [&](Driver& driver, Device& device) {
    return copy_text(id, length, pci_id(driver, device));
  });
}

CUresult cuDeviceGetByPCIBusId(CUdevice* device, const char* id) {
  return guarded([&](Driver& driver) {
    if (device == nullptr || id == nullptr) return CUDA_ERROR_INVALID_VALUE;
    for (const auto& each : driver.devices) {
      if (pci_id(driver, *each) != id) continue;
      *device = each->ordinal;
      return CUDA_SUCCESS;
    }
    return CUDA_ERROR_INVALID_DEVICE;
  });
}

CUresult cuDeviceGetExecAffinitySupport(int* supported, CUexecAffinityType type, CUdevice ordinal) {
  return with_device(ordinal, supported, [&](Driver&, Device&) {
    if (type != CU_EXEC_AFFINITY_TYPE_SM_COUNT) return CUDA_ERROR_INVALID_VALUE;
    *supported = 0;
    return CUDA_SUCCESS;
  });
}

CUresult cuDeviceCanAccessPeer(int* can, CUdevice device, CUdevice peer) {
  return peer_answer(can, device, peer, 0);
}

CUresult cuDeviceGetP2PAttribute(int* value, CUdevice_P2PAttribute attribute, CUdevice source,
                                 CUdevice destination) {
  if (attribute < CU_DEVICE_P2P_ATTRIBUTE_PERFORMANCE_RANK ||
      attribute > CU_DEVICE_P2P_ATTRIBUTE_ONLY_PARTIAL_NATIVE_ATOMIC_SUPPORTED)
    return CUDA_ERROR_INVALID_VALUE;
  if (source == destination) return CUDA_ERROR_INVALID_DEVICE;
  return peer_answer(value, source, destination, 0);
}

}  // extern "C"
