#include "client/opencl/device.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "client/opencl/extensions.h"
#include "client/opencl/platform.h"

namespace longwire::client::opencl {
namespace msg = longwire::opencl::msg;
namespace {

constexpr std::size_t kMaxWorkDimensions = 16;
// Unknown parameters that are asked for and kept, per device.
constexpr std::size_t kMaxKeptAnswers = 4096;

template <class T>
std::vector<std::byte> bytes_of(const T& v) {
  const auto raw = std::as_bytes(std::span(&v, 1));
  return {raw.begin(), raw.end()};
}
std::vector<std::byte> bytes_of_text(const std::string& text) {
  const auto raw = std::as_bytes(std::span(text.c_str(), text.size() + 1));
  return {raw.begin(), raw.end()};
}

// "OpenCL <major>.<minor> …"
cl_version parse_version(std::string_view text) noexcept {
  constexpr std::string_view kPrefix = "OpenCL ";
  if (!text.starts_with(kPrefix)) return CL_MAKE_VERSION(1, 0, 0);
  text.remove_prefix(kPrefix.size());
  cl_uint major = 1;
  cl_uint minor = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, major);
  if (parsed.ec != std::errc{} || parsed.ptr == end || *parsed.ptr != '.') {
    return CL_MAKE_VERSION(1, 0, 0);
  }
  (void)std::from_chars(parsed.ptr + 1, end, minor);
  return CL_MAKE_VERSION(major, minor, 0);
}

}  // namespace

Device::Device(Platform& platform, Node& node, Device* parent,
               const longwire::opencl::record::device& description)
    : Object(kKind, description.handle), platform_(platform), node_(node), parent_(parent) {
  for (const auto& info : description.infos) {
    infos_[info.param] = {info.status, {info.value.begin(), info.value.end()}};
  }
  override_shadow();
  version_ = parse_version(text(CL_DEVICE_VERSION));
  read_limits();
}

Device::~Device() {
  if (parent_) node_.release(handle());
}

// --- the shadow ---

template <class T>
void Device::replace(cl_device_info param, T v) {
  const auto found = infos_.find(param);
  if (found != infos_.end() && found->second.status == CL_SUCCESS)
    found->second.value = bytes_of(v);
}

// What works over there but not here is not offered: docs/ARCHITECTURE.md, "What is not offered".
void Device::override_shadow() {
  replace<cl_device_svm_capabilities>(CL_DEVICE_SVM_CAPABILITIES, 0);
  replace<cl_bool>(CL_DEVICE_PIPE_SUPPORT, CL_FALSE);
  replace<cl_uint>(CL_DEVICE_MAX_PIPE_ARGS, 0);
  replace<cl_uint>(CL_DEVICE_PIPE_MAX_ACTIVE_RESERVATIONS, 0);
  replace<cl_uint>(CL_DEVICE_PIPE_MAX_PACKET_SIZE, 0);
  replace<cl_device_device_enqueue_capabilities>(CL_DEVICE_DEVICE_ENQUEUE_CAPABILITIES, 0);
  replace<cl_command_queue_properties>(CL_DEVICE_QUEUE_ON_DEVICE_PROPERTIES, 0);
  replace<cl_uint>(CL_DEVICE_QUEUE_ON_DEVICE_PREFERRED_SIZE, 0);
  replace<cl_uint>(CL_DEVICE_QUEUE_ON_DEVICE_MAX_SIZE, 0);
  replace<cl_uint>(CL_DEVICE_MAX_ON_DEVICE_QUEUES, 0);
  replace<cl_uint>(CL_DEVICE_MAX_ON_DEVICE_EVENTS, 0);
  const auto execution = value<cl_device_exec_capabilities>(CL_DEVICE_EXECUTION_CAPABILITIES);
  replace<cl_device_exec_capabilities>(
      CL_DEVICE_EXECUTION_CAPABILITIES,
      execution & ~static_cast<cl_device_exec_capabilities>(CL_EXEC_NATIVE_KERNEL));
  override_extensions();
}

void Device::override_extensions() {
  if (const auto found = infos_.find(CL_DEVICE_EXTENSIONS);
      found != infos_.end() && found->second.status == CL_SUCCESS) {
    found->second.value = bytes_of_text(offered_extensions(text(CL_DEVICE_EXTENSIONS)));
  }
  const auto found = infos_.find(CL_DEVICE_EXTENSIONS_WITH_VERSION);
  if (found == infos_.end()) return;
  std::vector<std::byte> kept;
  const std::span<const std::byte> all(found->second.value);
  for (std::size_t at = 0; at + sizeof(cl_name_version) <= all.size();
       at += sizeof(cl_name_version)) {
    const auto entry = all.subspan(at, sizeof(cl_name_version));
    const auto name = entry.subspan(offsetof(cl_name_version, name), sizeof(cl_name_version::name));
    const auto* const text = reinterpret_cast<const char*>(name.data());
    if (!is_offered_extension({text, strnlen(text, name.size())})) continue;
    kept.insert(kept.end(), entry.begin(), entry.end());
  }
  found->second.value = std::move(kept);
}

void Device::read_limits() {
  limits_.work_dimensions = std::clamp<cl_uint>(
      value<cl_uint>(CL_DEVICE_MAX_WORK_ITEM_DIMENSIONS, 3), 1, kMaxWorkDimensions);
  limits_.work_item_sizes.assign(limits_.work_dimensions, SIZE_MAX);
  if (const auto raw = info(CL_DEVICE_MAX_WORK_ITEM_SIZES)) {
    const std::size_t bytes =
        std::min(raw->size(), limits_.work_item_sizes.size() * sizeof(std::size_t));
    std::memcpy(limits_.work_item_sizes.data(), raw->data(), bytes);
  }
  limits_.work_group_size = value<std::size_t>(CL_DEVICE_MAX_WORK_GROUP_SIZE, SIZE_MAX);
  limits_.address_bits = value<cl_uint>(CL_DEVICE_ADDRESS_BITS, 64);
  const bool optional = version_ >= CL_MAKE_VERSION(3, 0, 0);
  limits_.non_uniform_work_groups =
      optional ? value<cl_bool>(CL_DEVICE_NON_UNIFORM_WORK_GROUP_SUPPORT, CL_FALSE) != CL_FALSE
               : version_ >= CL_MAKE_VERSION(2, 0, 0);
  limits_.base_align_bytes = value<cl_uint>(CL_DEVICE_MEM_BASE_ADDR_ALIGN, 1024) / 8;
  limits_.max_alloc_bytes = value<cl_ulong>(CL_DEVICE_MAX_MEM_ALLOC_SIZE, 0);
}

std::optional<std::span<const std::byte>> Device::info(cl_device_info param) const noexcept {
  const std::lock_guard lock(lock_);
  const auto found = infos_.find(param);
  if (found == infos_.end() || found->second.status != CL_SUCCESS) return std::nullopt;
  return std::span<const std::byte>(found->second.value);
}

std::string_view Device::text(cl_device_info param) const noexcept {
  const auto raw = info(param);
  if (!raw) return {};
  const auto* const text = reinterpret_cast<const char*>(raw->data());
  return {text, strnlen(text, raw->size())};
}

bool Device::has_extension(std::string_view name) const noexcept {
  std::string_view list = text(CL_DEVICE_EXTENSIONS);
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(' '), list.size());
    if (list.substr(0, end) == name) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

// --- queries ---

cl_int Device::get_info(cl_device_info param, const InfoOut& out) noexcept {
  switch (param) {
    case CL_DEVICE_PLATFORM:
      return out.value<cl_platform_id>(to_cl<cl_platform_id>(&platform_));
    case CL_DEVICE_PARENT_DEVICE:
      return out.value<cl_device_id>(to_cl<cl_device_id>(parent_.get()));
    case CL_DEVICE_REFERENCE_COUNT:
      return out.value<cl_uint>(api_references());
    case CL_DEVICE_AVAILABLE:
      if (!available()) return out.value<cl_bool>(CL_FALSE);
      break;
    default:
      break;
  }
  {
    const std::lock_guard lock(lock_);
    const auto found = infos_.find(param);
    if (found != infos_.end()) {
      const Entry& entry = found->second;
      return entry.status == CL_SUCCESS ? out.bytes(std::span<const std::byte>(entry.value))
                                        : entry.status;
    }
  }
  return ask_node(param, out);
}

cl_int Device::ask_node(cl_device_info param, const InfoOut& out) noexcept {
  msg::GetDeviceInfo message;
  message.device = handle();
  message.param = param;
  Entry entry{CL_SUCCESS, {}};
  entry.status = node_.call(message, [&](const msg::GetDeviceInfo::Reply& reply) {
    entry.value.assign(reply.value.begin(), reply.value.end());
  });
  if (entry.status == kLostCallStatus) return entry.status;
  const cl_int result = entry.status == CL_SUCCESS
                            ? out.bytes(std::span<const std::byte>(entry.value))
                            : entry.status;
  const std::lock_guard lock(lock_);
  if (infos_.size() < kMaxKeptAnswers) infos_.emplace(param, std::move(entry));
  return result;
}

}  // namespace longwire::client::opencl
