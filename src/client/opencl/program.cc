#include "client/opencl/program.h"

#include <algorithm>

#include "client/opencl/enqueue.h"
#include "client/opencl/program_includes.h"
#include "opencl/messages.h"

namespace longwire::client::opencl {
namespace {

namespace msg = ::longwire::opencl::msg;
namespace record = ::longwire::opencl::record;

// A build that the node calls neither done nor failed has failed.
cl_build_status settled(cl_build_status said, cl_int call_status) noexcept {
  if (said == CL_BUILD_SUCCESS || said == CL_BUILD_ERROR) return said;
  return call_status == CL_SUCCESS ? CL_BUILD_SUCCESS : CL_BUILD_ERROR;
}

}  // namespace

Program::Program(Context& context, ProgramOrigin origin, DeviceList devices)
    : Object(kKind, context.new_handle(kKind)),
      context_(&context),
      origin_(origin),
      devices_(std::move(devices)),
      node_handle_(handle()) {
  context.runtime().add_object(*this);
}

Program::~Program() {
  context_->runtime().remove_object(*this);
  if (sent_) context_->release_on_all(node_handle_);
}

cl_int Program::send_source(std::string_view options,
                            const std::vector<std::string_view>& embedded) {
  if (origin_ != ProgramOrigin::kSource) return CL_SUCCESS;
  IncludeSearch search;
  search.directories = include_directories(options);
  search.macros = macro_definitions(options);
  search.embedded.assign(embedded.begin(), embedded.end());
  std::string text = with_includes(source_, search);
  const std::lock_guard lock(sending_);
  if (sent_) {
    if (text == sent_source_) return CL_SUCCESS;
    context_->release_on_all(node_handle_);
    node_handle_ = context_->new_handle(kKind);
  }
  sent_source_ = std::move(text);
  sent_ = true;
  const auto data = std::as_bytes(std::span(sent_source_.data(), sent_source_.size()));
  for (Node* node : context_->nodes()) {
    msg::CreateProgramWithSource message;
    message.program = node_handle_;
    message.context = context_->handle();
    message.source = node->session().make_blob(data);
    LW_CL_TRY(node->send(message));
    if (!node->session().upload(message.source, data).ok()) return kLostCallStatus;
  }
  return CL_SUCCESS;
}

bool Program::has_device(const Device& device) const noexcept {
  return std::any_of(devices_.begin(), devices_.end(),
                     [&](const Ref<Device>& one) { return one.get() == &device; });
}

const Device* Program::find_device(const Node& node, wire::Handle handle) const noexcept {
  for (const Ref<Device>& device : devices_) {
    if (device->handle() == handle && &device->node() == &node) return device.get();
  }
  return nullptr;
}

// --- building ---

cl_int Program::begin_build(const DeviceList& devices, const char* options) {
  const std::lock_guard lock(mutex_);
  if (kernels_.load() > 0) return CL_INVALID_OPERATION;
  for (const Ref<Device>& device : devices) {
    if (builds_[device.get()].status == CL_BUILD_IN_PROGRESS) return CL_INVALID_OPERATION;
  }
  for (const Ref<Device>& device : devices) {
    DeviceBuild& build = builds_[device.get()];
    build = {};
    build.status = CL_BUILD_IN_PROGRESS;
    if (options == nullptr) continue;
    build.options = options;
    build.shows_arg_info = build.options.find("-cl-kernel-arg-info") != std::string::npos;
  }
  return CL_SUCCESS;
}

void Program::finish_build(const Node& node, const DeviceList& devices, cl_int status,
                           const record::program* record) {
  const std::lock_guard lock(mutex_);
  for (const Ref<Device>& device : devices)
    builds_[device.get()].status = settled(CL_BUILD_NONE, status);
  if (record != nullptr) {
    for (const record::program_device& answer : record->devices) {
      const Device* const device = find_device(node, answer.device);
      if (device == nullptr) continue;
      DeviceBuild& build = builds_[device];
      build.infos.assign(answer.infos);
      build.status =
          settled(build.infos.value_or<cl_build_status>(CL_PROGRAM_BUILD_STATUS, 1), status);
    }
  }
  for (const Ref<Device>& device : devices) {
    DeviceBuild& build = builds_[device.get()];
    const bool built = build.status == CL_BUILD_SUCCESS;
    build.binary_type = build.infos.value_or<cl_program_binary_type>(
        CL_PROGRAM_BINARY_TYPE,
        built ? CL_PROGRAM_BINARY_TYPE_EXECUTABLE : CL_PROGRAM_BINARY_TYPE_NONE);
  }
  if (record != nullptr) take_kernels(node, *record);
  if (!executable_locked()) {
    kernel_names_.clear();
    shapes_.clear();
  }
}

void Program::note_binaries(const Node& node, const record::program& record) {
  const std::lock_guard lock(mutex_);
  for (const record::program_device& answer : record.devices) {
    const Device* const device = find_device(node, answer.device);
    if (device == nullptr) continue;
    DeviceBuild& build = builds_[device];
    build.infos.assign(answer.infos);
    build.status = build.infos.value_or<cl_build_status>(CL_PROGRAM_BUILD_STATUS, CL_BUILD_NONE);
    build.binary_type = build.infos.value_or<cl_program_binary_type>(CL_PROGRAM_BINARY_TYPE,
                                                                     CL_PROGRAM_BINARY_TYPE_NONE);
  }
  take_kernels(node, record);
}

// REQUIRES: mutex_ is held.
void Program::take_kernels(const Node& node, const record::program& record) {
  infos_.assign(record.infos);
  if (record.kernel_names.empty()) return;
  kernel_names_.assign(record.kernel_names.begin(), record.kernel_names.end());
  decltype(shapes_) shapes;
  for (const record::kernel& kernel : record.kernels) {
    const auto before = shapes_.find(kernel.name);
    auto shape = KernelShape::from(
        kernel, [&](wire::Handle handle) { return find_device(node, handle); },
        before == shapes_.end() ? nullptr : before->second.get());
    shapes.emplace(shape->name, std::move(shape));
  }
  shapes_ = std::move(shapes);
}

Program::DeviceBuild Program::build_of(const Device& device) const {
  const std::lock_guard lock(mutex_);
  const auto found = builds_.find(&device);
  return found == builds_.end() ? DeviceBuild{} : found->second;
}

bool Program::is_building() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(builds_.begin(), builds_.end(),
                     [](const auto& build) { return build.second.status == CL_BUILD_IN_PROGRESS; });
}

bool Program::shows_arg_info() const {
  const std::lock_guard lock(mutex_);
  return std::all_of(builds_.begin(), builds_.end(),
                     [](const auto& build) { return build.second.shows_arg_info; });
}

bool Program::executable_locked() const {
  return std::any_of(builds_.begin(), builds_.end(), [](const auto& build) {
    return build.second.status == CL_BUILD_SUCCESS &&
           build.second.binary_type == CL_PROGRAM_BINARY_TYPE_EXECUTABLE;
  });
}

bool Program::any_built() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(builds_.begin(), builds_.end(),
                     [](const auto& build) { return build.second.status == CL_BUILD_SUCCESS; });
}

std::size_t Program::place_of(const Device& device) const noexcept {
  const auto found = std::find_if(devices_.begin(), devices_.end(),
                                  [&](const Ref<Device>& one) { return one.get() == &device; });
  return static_cast<std::size_t>(found - devices_.begin());
}

bool Program::has_executable() const {
  const std::lock_guard lock(mutex_);
  return executable_locked();
}

bool Program::has_executable_for(const Device& device) const {
  const DeviceBuild build = build_of(device);
  return build.status == CL_BUILD_SUCCESS && build.binary_type == CL_PROGRAM_BINARY_TYPE_EXECUTABLE;
}

std::vector<Node*> Program::executable_nodes() const {
  std::vector<Node*> nodes;
  for (const Ref<Device>& device : devices_) {
    Node* const node = &device->node();
    const bool known = std::find(nodes.begin(), nodes.end(), node) != nodes.end();
    if (!known && has_executable_for(*device)) nodes.push_back(node);
  }
  return nodes;
}

// --- kernels ---

std::vector<std::string> Program::kernel_names() const {
  const std::lock_guard lock(mutex_);
  return kernel_names_;
}

cl_int Program::find_kernel(std::string_view name, std::shared_ptr<const KernelShape>* shape) {
  {
    const std::lock_guard lock(mutex_);
    if (!executable_locked()) return CL_INVALID_PROGRAM_EXECUTABLE;
    if (const auto found = shapes_.find(name); found != shapes_.end()) {
      *shape = found->second;
      return CL_SUCCESS;
    }
    if (std::find(kernel_names_.begin(), kernel_names_.end(), name) == kernel_names_.end())
      return CL_INVALID_KERNEL_NAME;
  }
  return describe_kernel(std::string(name), shape);
}

cl_int Program::describe_kernel(const std::string& name,
                                std::shared_ptr<const KernelShape>* shape) {
  msg::DescribeKernel message;
  message.program = node_handle();
  message.name = name;
  std::shared_ptr<const KernelShape> found;  // shared with the kernels made of it
  for (Node* node : executable_nodes()) {
    LW_CL_TRY(node->call(message, [&](const msg::DescribeKernel::Reply& reply) {
      found = KernelShape::from(
          reply.kernel, [&](wire::Handle device) { return find_device(*node, device); },
          found.get());
    }));
  }
  if (!found) return CL_INVALID_PROGRAM_EXECUTABLE;
  const std::lock_guard lock(mutex_);
  *shape = shapes_.emplace(name, std::move(found)).first->second;
  return CL_SUCCESS;
}

// --- lists of devices ---

cl_int read_device_list(std::span<const Ref<Device>> all, cl_uint count,
                        const cl_device_id* devices, DeviceList* list) {
  if ((count == 0) != (devices == nullptr)) return CL_INVALID_VALUE;
  if (devices == nullptr) {
    list->assign(all.begin(), all.end());
    return CL_SUCCESS;
  }
  for (const cl_device_id handle : std::span(devices, count)) {
    Device* const device = from_cl<Device>(handle);
    const auto is_it = [&](const Ref<Device>& one) { return one.get() == device; };
    if (device == nullptr || std::none_of(all.begin(), all.end(), is_it)) return CL_INVALID_DEVICE;
    list->push_back(Ref<Device>(device));
  }
  return CL_SUCCESS;
}

std::vector<std::pair<Node*, DeviceList>> by_node(const DeviceList& devices) {
  std::vector<std::pair<Node*, DeviceList>> groups;
  for (const Ref<Device>& device : devices) {
    Node* const node = &device->node();
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const auto& one) { return one.first == node; });
    if (group == groups.end()) group = groups.emplace(groups.end(), node, DeviceList{});
    group->second.push_back(device);
  }
  return groups;
}

std::vector<wire::Handle> handles_of(const DeviceList& devices) {
  std::vector<wire::Handle> handles;
  for (const Ref<Device>& device : devices)
    handles.push_back(device->handle());
  return handles;
}

}  // namespace longwire::client::opencl
