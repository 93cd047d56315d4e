// Platforms, devices, timers, image formats.
#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <string>
#include <utility>

#include "worker/opencl/commands.h"
#include "worker/opencl/infos.h"

namespace longwire::worker::opencl {

using longwire::opencl::record::info;

namespace {

constexpr cl_uint kMaxPlatforms = 64;
constexpr cl_uint kMaxDevices = 256;
constexpr cl_uint kMaxFormats = 4096;
constexpr std::size_t kMaxPartitionProperties = 512;

}  // namespace

void Commands::reply(wire::Token token, cl_int status) {
  services().outbox.turn().reply(token, status);
}

Device* Commands::add_device(cl_device_id native, cl_platform_id platform, bool sub) {
  auto* device = new Device(api(), state_.next_device(), native, platform, sub);
  device->version = version_of(api(), native);
  cl_bool unified = CL_FALSE;
  api().clGetDeviceInfo(native, CL_DEVICE_HOST_UNIFIED_MEMORY, sizeof unified, &unified, nullptr);
  cl_device_type type = CL_DEVICE_TYPE_DEFAULT;
  api().clGetDeviceInfo(native, CL_DEVICE_TYPE, sizeof type, &type, nullptr);
  device->is_cpu = (type & CL_DEVICE_TYPE_CPU) != 0;
  device->host_unified = unified != CL_FALSE;
  cl_device_svm_capabilities svm = 0;
  const cl_int known =
      api().clGetDeviceInfo(native, CL_DEVICE_SVM_CAPABILITIES, sizeof svm, &svm, nullptr);
  device->shares_memory =
      device->host_unified && known == CL_SUCCESS && (svm & CL_DEVICE_SVM_FINE_GRAIN_BUFFER) != 0;
  state_.add(device, CL_SUCCESS);
  return device;
}

std::vector<info> Commands::infos_of(cl_device_id device, InfoBytes& bytes) const {
  std::vector<info> infos = device_infos(api(), device, bytes);
  for (info& one : infos)
    show_share(one, bytes);
  return infos;
}

void Commands::show_share(info& info, InfoBytes& bytes) const {
  const bool is_memory =
      info.param == CL_DEVICE_GLOBAL_MEM_SIZE || info.param == CL_DEVICE_MAX_MEM_ALLOC_SIZE;
  cl_ulong size = 0;
  if (!is_memory || info.status != CL_SUCCESS || info.value.size() != sizeof size) return;
  std::memcpy(&size, info.value.data(), sizeof size);
  size = state_.memory->shown(size);
  const auto shown = bytes.add(sizeof size);
  std::memcpy(shown.data(), &size, sizeof size);
  info.value = shown;
}

bool Commands::is_granted(cl_device_id device, std::size_t number) const {
  if (state_.devices.empty()) return true;
  std::array<char, 256> name{};
  api().clGetDeviceInfo(device, CL_DEVICE_NAME, name.size() - 1, name.data(), nullptr);
  std::string plain(name.data());
  std::ranges::replace_if(
      plain,
      [](unsigned char c) { return std::isalnum(c) == 0 && c != '.' && c != '_' && c != '-'; },
      '-');
  return std::ranges::any_of(state_.devices, [&](const std::string& granted) {
    return granted == plain || granted == std::to_string(number);
  });
}

void Commands::find_platforms() {
  if (std::exchange(described_, true)) return;
  cl_uint count = 0;
  if (api().clGetPlatformIDs(0, nullptr, &count) != CL_SUCCESS) return;
  std::vector<cl_platform_id> ids(std::min(count, kMaxPlatforms));
  if (ids.empty() ||
      api().clGetPlatformIDs(static_cast<cl_uint>(ids.size()), ids.data(), nullptr) != CL_SUCCESS)
    return;
  std::size_t number = 0;  // of a device, among all
  for (cl_platform_id id : ids) {
    PlatformDevices platform{id, {}};
    count = 0;
    std::vector<cl_device_id> devices;
    if (api().clGetDeviceIDs(id, CL_DEVICE_TYPE_ALL, 0, nullptr, &count) == CL_SUCCESS)
      devices.resize(std::min(count, kMaxDevices));
    if (!devices.empty() &&
        api().clGetDeviceIDs(id, CL_DEVICE_TYPE_ALL, static_cast<cl_uint>(devices.size()),
                             devices.data(), nullptr) == CL_SUCCESS) {
      for (cl_device_id device : devices) {
        if (is_granted(device, number++)) {
          platform.devices.emplace_back(add_device(device, id, false));
        }
      }
    }
    if (platform.devices.empty() && !state_.devices.empty()) continue;
    platforms_.push_back(std::move(platform));
  }
}

std::vector<longwire::opencl::record::platform> Commands::describe_platforms(InfoBytes& bytes) {
  find_platforms();
  std::vector<longwire::opencl::record::platform> described;
  for (const auto& [id, devices] : platforms_) {
    auto& platform = described.emplace_back();
    platform.infos = platform_infos(api(), id, bytes);
    for (const Ref<Device>& device : devices) {
      auto& its = platform.devices.emplace_back();
      its.handle = device->handle();
      its.infos = infos_of(device->native, bytes);
    }
  }
  return described;
}

base::Status Commands::on(const msg::DescribePlatforms& m) {
  InfoBytes bytes;
  reply(m.token, CL_SUCCESS, msg::DescribePlatforms::Reply{describe_platforms(bytes)});
  return {};
}

void Commands::introduce() {
  InfoBytes bytes;
  const longwire::opencl::push::Introduction introduction{describe_platforms(bytes)};
  auto turn = services().outbox.turn();
  if (!turn.push(introduction))
    turn.push(longwire::opencl::push::Introduction{});  // or the client would wait
}

base::Status Commands::on(const msg::GetDeviceInfo& m) {
  find_platforms();
  const auto device = state_.find<Device>(m.device);
  if (!device.ok() || answers_with_pointers(m.param)) {
    reply(m.token, device.ok() ? CL_INVALID_VALUE : device.status);
    return {};
  }
  InfoBytes bytes;
  auto info = take_info(m.param, bytes, [&](std::size_t size, void* value, std::size_t* out) {
    return api().clGetDeviceInfo(device.object->native, m.param, size, value, out);
  });
  show_share(info, bytes);
  reply(m.token, info.status, msg::GetDeviceInfo::Reply{info.value});
  return {};
}

base::Status Commands::on(const msg::CreateSubDevices& m) {
  const auto device = state_.find<Device>(m.device);
  msg::CreateSubDevices::Reply answer;
  if (!device.ok() || m.properties.size() >= kMaxPartitionProperties) {
    reply(m.token, device.ok() ? CL_INVALID_VALUE : device.status, answer);
    return {};
  }
  std::vector<cl_device_partition_property> properties;
  for (std::size_t i = 0; i < m.properties.size(); ++i)
    properties.push_back(static_cast<cl_device_partition_property>(m.properties[i]));
  properties.push_back(0);
  cl_uint count = 0;
  cl_int status =
      api().clCreateSubDevices(device.object->native, properties.data(), 0, nullptr, &count);
  std::vector<cl_device_id> made(std::min(count, kMaxDevices));
  if (status == CL_SUCCESS) {
    status = api().clCreateSubDevices(device.object->native, properties.data(),
                                      static_cast<cl_uint>(made.size()), made.data(), nullptr);
  }
  InfoBytes bytes;
  if (status == CL_SUCCESS) {
    for (cl_device_id id : made) {
      Device* const sub = add_device(id, device.object->platform, true);
      auto& its = answer.devices.emplace_back();
      its.handle = sub->handle();
      its.infos = infos_of(id, bytes);
    }
  }
  reply(m.token, status, answer);
  return {};
}

base::Status Commands::on(const msg::GetDeviceAndHostTimer& m) {
  const auto device = state_.find<Device>(m.device);
  cl_ulong on_device = 0;
  cl_ulong on_host = 0;
  cl_int status = device.status;
  if (device.ok()) {
    status = api().clGetDeviceAndHostTimer == nullptr || device.object->version < 210
                 ? CL_INVALID_OPERATION
                 : api().clGetDeviceAndHostTimer(device.object->native, &on_device, &on_host);
  }
  reply(m.token, status, msg::GetDeviceAndHostTimer::Reply{on_device, on_host});
  return {};
}

base::Status Commands::on(const msg::GetSupportedImageFormats& m) {
  const auto context = state_.find<Context>(m.context);
  std::vector<cl_image_format> formats;
  cl_int status = context.status;
  if (context.ok()) {
    cl_uint count = 0;
    status = api().clGetSupportedImageFormats(context.object->native, m.flags, m.image_type, 0,
                                              nullptr, &count);
    formats.resize(std::min(count, kMaxFormats));
    if (status == CL_SUCCESS && !formats.empty()) {
      status = api().clGetSupportedImageFormats(context.object->native, m.flags, m.image_type,
                                                static_cast<cl_uint>(formats.size()),
                                                formats.data(), nullptr);
    }
  }
  std::vector<std::uint64_t> pairs;
  if (status == CL_SUCCESS) {
    for (const cl_image_format& format : formats) {
      pairs.push_back(format.image_channel_order);
      pairs.push_back(format.image_channel_data_type);
    }
  }
  reply(m.token, status, msg::GetSupportedImageFormats::Reply{wire::U64View(pairs)});
  return {};
}

}  // namespace longwire::worker::opencl
