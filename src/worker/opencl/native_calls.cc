#include "worker/opencl/native_calls.h"

#include <array>
#include <cstdint>
#include <span>

namespace longwire::worker::opencl {
namespace {

constexpr std::size_t kMaxProperties = 64;

// A zero-terminated copy for the native driver. Longer lists are nobody's real program.
class PropertyList {
 public:
  explicit PropertyList(wire::U64View view) {
    fits_ = view.size() < kMaxProperties;
    for (std::size_t i = 0; fits_ && i < view.size(); ++i)
      values_[i] = view[i];
    if (fits_) count_ = view.size();
  }
  bool fits() const { return fits_; }
  const std::uint64_t* data() const { return count_ == 0 ? nullptr : values_.data(); }

  // Calls take(name, value) for each pair; false as soon as take is.
  template <class Take>
  bool each(Take&& take) const {
    for (std::size_t i = 0; i + 1 < count_ && values_[i] != 0; i += 2)
      if (!take(values_[i], values_[i + 1])) return false;
    return true;
  }

 private:
  bool fits_ = false;
  std::size_t count_ = 0;
  std::array<std::uint64_t, kMaxProperties> values_{};
};

cl_command_queue create_old_queue(const longwire::opencl::NativeApi& api, cl_context context,
                                  cl_device_id device, const PropertyList& properties,
                                  cl_int* status) {
  cl_command_queue_properties bits = 0;
  const bool known = properties.each([&](std::uint64_t name, std::uint64_t value) {
    bits = value;
    return name == CL_QUEUE_PROPERTIES;
  });
  if (!known) {
    *status = CL_INVALID_QUEUE_PROPERTIES;
    return nullptr;
  }
  return api.clCreateCommandQueue(context, device, bits, status);
}

cl_sampler create_old_sampler(const longwire::opencl::NativeApi& api, cl_context context,
                              const PropertyList& properties, cl_int* status) {
  cl_bool normalized = CL_TRUE;  // the defaults of clCreateSamplerWithProperties
  cl_addressing_mode addressing = CL_ADDRESS_CLAMP;
  cl_filter_mode filter = CL_FILTER_NEAREST;
  const bool known = properties.each([&](std::uint64_t name, std::uint64_t value) {
    const auto number = static_cast<cl_uint>(value);
    switch (name) {
      case CL_SAMPLER_NORMALIZED_COORDS:
        normalized = number;
        return true;
      case CL_SAMPLER_ADDRESSING_MODE:
        addressing = number;
        return true;
      case CL_SAMPLER_FILTER_MODE:
        filter = number;
        return true;
      default:
        return false;
    }
  });
  if (!known) {
    *status = CL_INVALID_VALUE;
    return nullptr;
  }
  return api.clCreateSampler(context, normalized, addressing, filter, status);
}

}  // namespace

cl_command_queue create_command_queue(const longwire::opencl::NativeApi& api, cl_context context,
                                      cl_device_id device, wire::U64View properties,
                                      cl_int* status) {
  const PropertyList list(properties);
  if (!list.fits()) {
    *status = CL_INVALID_QUEUE_PROPERTIES;
    return nullptr;
  }
  if (api.clCreateCommandQueueWithProperties == nullptr)
    return create_old_queue(api, context, device, list, status);
  return api.clCreateCommandQueueWithProperties(context, device, list.data(), status);
}

cl_sampler create_sampler(const longwire::opencl::NativeApi& api, cl_context context,
                          wire::U64View properties, bool legacy, cl_int* status) {
  const PropertyList list(properties);
  if (!list.fits()) {
    *status = CL_INVALID_VALUE;
    return nullptr;
  }
  if (legacy || api.clCreateSamplerWithProperties == nullptr)
    return create_old_sampler(api, context, list, status);
  return api.clCreateSamplerWithProperties(context, list.data(), status);
}

cl_mem create_sub_buffer(const longwire::opencl::NativeApi& api, cl_mem parent, std::uint64_t flags,
                         std::uint64_t origin, std::uint64_t size, cl_int* status) {
  const cl_buffer_region region{static_cast<std::size_t>(origin), static_cast<std::size_t>(size)};
  return api.clCreateSubBuffer(parent, flags, CL_BUFFER_CREATE_TYPE_REGION, &region, status);
}

}  // namespace longwire::worker::opencl
