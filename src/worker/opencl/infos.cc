#include "worker/opencl/infos.h"

#include <cstring>

#include <CL/cl_ext.h>

namespace longwire::worker::opencl {
namespace {

using longwire::opencl::NativeApi;
using longwire::opencl::record::info;

struct Range {
  cl_uint first;
  cl_uint last;
};

constexpr Range kPlatformParams[] = {
    {CL_PLATFORM_PROFILE, CL_PLATFORM_EXTENSIONS},
    {CL_PLATFORM_HOST_TIMER_RESOLUTION, CL_PLATFORM_EXTENSIONS_WITH_VERSION},
    {CL_PLATFORM_ICD_SUFFIX_KHR, CL_PLATFORM_ICD_SUFFIX_KHR},
    {0x2036, 0x2038},  // semaphore types: type, import, export
    {0x2044, 0x2044},  // external memory import
};

// Every CL_DEVICE_* query of the headers, and what vendors document beside them.
constexpr Range kDeviceParams[] = {
    {CL_DEVICE_TYPE, 0x1075},  // core, uuid/luid, integer dot product
    {0x12A9, 0x12AA},          // command buffers
    {0x12B0, 0x12B0},          // mutable dispatch
    {0x2031, 0x2031},          // terminate capability
    {0x2035, 0x2035},          // named barriers
    {0x204C, 0x204F},          // semaphores, external memory
    {0x4000, 0x400B},          // NVIDIA: compute capability … PCI bus, slot, domain
    {0x4030, 0x404C},          // AMD: work-groups, topology, board name, SIMDs, LDS, gfxip
    {0x4055, 0x4058},          // device fission
    {0x407E, 0x407E},          // Intel motion estimation
    {0x40A0, 0x40A1},          // Qualcomm
    {0x40B6, 0x40B6},          // ARM SVM
    {0x40BF, 0x40BF},          // ARM compute unit bit field
    {0x40E0, 0x40E0},          // SPIR versions
    {0x4104, 0x4105},          // Intel: interops
    {0x4108, 0x4108},          // Intel: sub-group sizes
    {0x410B, 0x410D},          // Intel: AVC motion estimation
    {0x410F, 0x410F},          // KHR PCI bus
    {0x417E, 0x417F},          // Intel: planar YUV
    {0x418B, 0x418B},          // Intel: queue families
    {0x4190, 0x4194},          // Intel: unified shared memory
    {0x41E0, 0x41E0},          // ARM job slots
    {0x41E4, 0x41E4},          // ARM scheduling controls
    {0x41EA, 0x41EB},          // ARM warps, registers
    {0x41EE, 0x41EE},          // ARM controlled termination
    {0x4230, 0x4233},          // C++ for OpenCL; float atomics: single, double, half
    {0x4250, 0x4256},          // Intel: device attributes
    {0x4500, 0x4501},          // Intel: external memory
};

}  // namespace

std::string_view InfoBytes::add(std::string_view text) {
  const auto place = add(text.size());
  if (!text.empty()) std::memcpy(place.data(), text.data(), text.size());
  return {reinterpret_cast<const char*>(place.data()), text.size()};
}

std::vector<info> platform_infos(const NativeApi& api, cl_platform_id platform, InfoBytes& bytes) {
  std::vector<info> infos;
  for (const Range& range : kPlatformParams) {
    for (cl_uint param = range.first; param <= range.last; ++param) {
      infos.push_back(take_info(param, bytes, [&](std::size_t size, void* value, std::size_t* out) {
        return api.clGetPlatformInfo(platform, param, size, value, out);
      }));
    }
  }
  return infos;
}

bool answers_with_pointers(cl_device_info param) {
  return param == CL_DEVICE_PLATFORM || param == CL_DEVICE_PARENT_DEVICE ||
         param == CL_DEVICE_PARENT_DEVICE_EXT;
}

std::vector<info> device_infos(const NativeApi& api, cl_device_id device, InfoBytes& bytes) {
  std::vector<info> infos;
  cl_uint last = 0;
  for (const Range& range : kDeviceParams) {
    for (cl_uint param = range.first; param <= range.last; ++param) {
      if (answers_with_pointers(param) || param <= last) continue;
      last = param;
      infos.push_back(take_info(param, bytes, [&](std::size_t size, void* value, std::size_t* out) {
        return api.clGetDeviceInfo(device, param, size, value, out);
      }));
    }
  }
  return infos;
}

unsigned version_of(const NativeApi& api, cl_device_id device) {
  InfoBytes bytes;
  const info version =
      take_info(CL_DEVICE_VERSION, bytes, [&](std::size_t size, void* value, std::size_t* out) {
        return api.clGetDeviceInfo(device, CL_DEVICE_VERSION, size, value, out);
      });
  constexpr std::string_view kPrefix = "OpenCL ";
  const std::string_view text(reinterpret_cast<const char*>(version.value.data()),
                              version.value.size());
  if (text.substr(0, kPrefix.size()) != kPrefix || text.size() < kPrefix.size() + 3) return 100;
  const char major = text[kPrefix.size()];
  const char minor = text[kPrefix.size() + 2];
  if (major < '1' || major > '9' || minor < '0' || minor > '9') return 100;
  return static_cast<unsigned>(major - '0') * 100 + static_cast<unsigned>(minor - '0') * 10;
}

}  // namespace longwire::worker::opencl
