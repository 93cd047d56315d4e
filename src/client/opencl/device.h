// Devices: shadow of everything that clGetDeviceInfo may ask, fetched once per node (a sub-device's
// comes with its creation). OpenCL 3.0, sections 4.2 and 4.3.
#pragma once

#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client/opencl/info.h"
#include "client/opencl/node.h"
#include "client/opencl/object.h"

namespace longwire::client::opencl {

class Platform;

class Device final : public Object {
 public:
  static constexpr Kind kKind = Kind::kDevice;
  Device(Platform& platform, Node& node, Device* parent,
         const longwire::opencl::record::device& description);
  ~Device() override;

  Platform& platform() const noexcept { return platform_; }
  Node& node() const noexcept { return node_; }
  Device* parent() const noexcept { return parent_.get(); }
  bool is_root() const noexcept { return !parent_; }
  bool available() const noexcept { return !node_.lost(); }

  // The raw value as the program would see it (overrides applied); nullopt where the vendor's
  // query failed or is not in the shadow. The view lives as long as the device.
  std::optional<std::span<const std::byte>> info(cl_device_info param) const noexcept;
  // One scalar of the shadow.
  template <class T>
  T value(cl_device_info param, T otherwise = {}) const noexcept {
    const auto raw = info(param);
    if (!raw || raw->size() != sizeof(T)) return otherwise;
    T v;
    std::memcpy(&v, raw->data(), sizeof v);
    return v;
  }
  std::string_view text(cl_device_info param) const noexcept;  // without the zero
  bool has_extension(std::string_view name) const noexcept;    // as offered to the program
  bool image_support() const noexcept { return value<cl_bool>(CL_DEVICE_IMAGE_SUPPORT) != 0; }
  cl_version version() const noexcept { return version_; }  // numeric, from "OpenCL x.y …"

  // What launches check.
  struct Limits {
    cl_uint work_dimensions = 3;
    std::vector<std::size_t> work_item_sizes;
    std::size_t work_group_size = 1;
    cl_uint address_bits = 64;
    bool non_uniform_work_groups = false;
    std::size_t base_align_bytes = 128;  // CL_DEVICE_MEM_BASE_ADDR_ALIGN, in bytes
    cl_ulong max_alloc_bytes = 0;
  };
  const Limits& limits() const noexcept { return limits_; }

  cl_int get_info(cl_device_info param, const InfoOut& out) noexcept;

 private:
  struct Entry {
    cl_int status;
    std::vector<std::byte> value;
  };
  template <class T>
  void replace(cl_device_info param, T v);
  void override_shadow();
  void override_extensions();
  void read_limits();
  cl_int ask_node(cl_device_info param, const InfoOut& out) noexcept;

  Platform& platform_;
  Node& node_;
  Ref<Device> parent_;
  cl_version version_ = CL_MAKE_VERSION(1, 0, 0);
  Limits limits_;
  mutable std::mutex lock_;  // guards additions to infos_; entries are never changed or removed
  std::map<cl_device_info, Entry> infos_;
};

}  // namespace longwire::client::opencl
