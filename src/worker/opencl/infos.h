// Info queries as records: everything that a program may ask of platforms and devices, taken from
// the vendor driver once per session, raw bytes and status, so that the client answers by itself.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string_view>
#include <vector>

#include <CL/cl.h>

#include "opencl/messages.h"
#include "opencl/native_api.h"

namespace longwire::worker::opencl {

inline constexpr std::size_t kMaxInfoBytes = std::size_t{256} << 10;

// Keeps the bytes that records point to.
class InfoBytes {
 public:
  std::span<std::byte> add(std::size_t bytes) { return store_.emplace_back(bytes); }
  std::string_view add(std::string_view text);

 private:
  std::deque<std::vector<std::byte>> store_;
};

// `query(size, value, size_returned)` is a clGet*Info with everything else bound. Values longer
// than `limit` are cut there. REQUIRES: limit > 0.
template <class Query>
longwire::opencl::record::info take_info(cl_uint param, InfoBytes& bytes, Query&& query,
                                         std::size_t limit = kMaxInfoBytes) {
  longwire::opencl::record::info info;
  info.param = param;
  std::size_t size = 0;
  info.status = query(0, nullptr, &size);
  if (info.status != CL_SUCCESS || size == 0) return info;
  if (size > 16 * kMaxInfoBytes) {
    info.status = CL_OUT_OF_HOST_MEMORY;
    return info;
  }
  const auto value = bytes.add(size);
  info.status = query(size, value.data(), nullptr);
  if (size > limit) value[limit - 1] = std::byte{0};  // long values are text
  if (info.status == CL_SUCCESS) info.value = value.first(size < limit ? size : limit);
  return info;
}

// Those whose answer is a native pointer are left out: they mean nothing elsewhere.
std::vector<longwire::opencl::record::info> platform_infos(const longwire::opencl::NativeApi& api,
                                                           cl_platform_id platform,
                                                           InfoBytes& bytes);
std::vector<longwire::opencl::record::info> device_infos(const longwire::opencl::NativeApi& api,
                                                         cl_device_id device, InfoBytes& bytes);
bool answers_with_pointers(cl_device_info param);

// 120 for "OpenCL 1.2 …"; 100 when the driver says nothing that can be read.
unsigned version_of(const longwire::opencl::NativeApi& api, cl_device_id device);

}  // namespace longwire::worker::opencl
