#include "client/opencl/build.h"

#include <algorithm>

#include "client/opencl/program_includes.h"
#include "opencl/client_api.h"
#include "opencl/messages.h"

namespace longwire::client::opencl {
namespace {

namespace msg = ::longwire::opencl::msg;

// Every device of the list offers what the call needs.
cl_int check_offered(const DeviceList& devices, cl_device_info param, cl_int otherwise) noexcept {
  for (const Ref<Device>& device : devices) {
    if (device->value<cl_bool>(param, CL_TRUE) == CL_FALSE) return otherwise;
  }
  return CL_SUCCESS;
}

struct Headers {
  std::vector<Program*> programs;
  std::vector<std::string_view> names;
};

cl_int read_headers(cl_uint count, const cl_program* programs, const char** names,
                    Headers* headers) {
  if ((count == 0) != (programs == nullptr) || (count == 0) != (names == nullptr))
    return CL_INVALID_VALUE;
  for (cl_uint i = 0; i < count; ++i) {
    Program* const program = from_cl<Program>(programs[i]);
    if (program == nullptr || program->origin() != ProgramOrigin::kSource)
      return CL_INVALID_PROGRAM;
    if (names[i] == nullptr) return CL_INVALID_VALUE;
    headers->programs.push_back(program);
    headers->names.emplace_back(names[i]);
  }
  return CL_SUCCESS;
}

std::vector<wire::Handle> handles_of(const std::vector<Program*>& programs) {
  std::vector<wire::Handle> handles;
  handles.reserve(programs.size());
  for (const Program* program : programs)
    handles.push_back(program->node_handle());
  return handles;
}

std::string_view text_or_empty(const char* text) noexcept {
  return text == nullptr ? std::string_view{} : std::string_view(text);
}

// Starts a build on each node that has some of the devices: `fill` completes the message M.
template <class M, class Fill>
cl_int start_builds(Program& program, const DeviceList& devices, const char* options,
                    const BuildNotify& notify, Fill&& fill) {
  const auto groups = by_node(devices);
  // shared with the handlers of the nodes' replies
  const auto under_way = std::make_shared<BuildUnderWay>(program, notify, groups.size());
  for (const auto& [node, group] : groups) {
    const std::vector<wire::Handle> handles = handles_of(group);
    M message;
    message.program = program.node_handle();
    message.devices = wire::U64View(std::span<const wire::Handle>(handles));
    message.options = text_or_empty(options);
    fill(message);
    under_way->start(*node, group, message);
  }
  return under_way->finish();
}

cl_int build(Program& program, const DeviceList& devices, const char* options,
             const BuildNotify& notify) {
  if (program.origin() == ProgramOrigin::kLinked) return CL_INVALID_OPERATION;
  if (program.origin() == ProgramOrigin::kSource || program.origin() == ProgramOrigin::kIl)
    LW_CL_TRY(check_offered(devices, CL_DEVICE_COMPILER_AVAILABLE, CL_COMPILER_NOT_AVAILABLE));
  LW_CL_TRY(program.begin_build(devices, options));
  LW_CL_TRY(program.send_source(text_or_empty(options), {}));
  return start_builds<msg::BuildProgram>(program, devices, options, notify, [](auto&) {});
}

cl_int compile(Program& program, const DeviceList& devices, const char* options,
               const Headers& headers, const BuildNotify& notify) {
  if (program.origin() != ProgramOrigin::kSource && program.origin() != ProgramOrigin::kIl)
    return CL_INVALID_OPERATION;
  LW_CL_TRY(check_offered(devices, CL_DEVICE_COMPILER_AVAILABLE, CL_COMPILER_NOT_AVAILABLE));
  LW_CL_TRY(program.begin_build(devices, options));
  LW_CL_TRY(program.send_source(text_or_empty(options), headers.names));
  for (Program* header : headers.programs)
    LW_CL_TRY(header->send_source_once());
  const std::vector<wire::Handle> header_handles = handles_of(headers.programs);
  return start_builds<msg::CompileProgram>(
      program, devices, options, notify, [&](msg::CompileProgram& message) {
        message.headers = wire::U64View(std::span<const wire::Handle>(header_handles));
        message.header_names = headers.names;
      });
}

cl_int read_inputs(cl_uint count, const cl_program* programs, std::vector<Program*>* inputs) {
  if (count == 0 || programs == nullptr) return CL_INVALID_VALUE;
  for (const cl_program handle : std::span(programs, count)) {
    Program* const program = from_cl<Program>(handle);
    if (program == nullptr) return CL_INVALID_PROGRAM;
    if (program->is_building()) return CL_INVALID_OPERATION;
    LW_CL_TRY(program->send_source_once());
    inputs->push_back(program);
  }
  return CL_SUCCESS;
}

// Every input must have something to link for a device, or none of them (which leaves the device
// out). OpenCL 3.0, clLinkProgram.
cl_int check_inputs(const std::vector<Program*>& inputs, const DeviceList& devices) {
  for (const Ref<Device>& device : devices) {
    const auto has_binary = [&](const Program* program) {
      return program->origin() == ProgramOrigin::kBinary ||
             program->build_of(*device).status == CL_BUILD_SUCCESS;
    };
    const auto with = std::count_if(inputs.begin(), inputs.end(), has_binary);
    if (with != 0 && static_cast<std::size_t>(with) != inputs.size()) return CL_INVALID_OPERATION;
  }
  return CL_SUCCESS;
}

// A program comes into being also where linking fails, but not where it cannot begin.
bool link_began(cl_int status) noexcept {
  return status == CL_SUCCESS || status == CL_LINK_PROGRAM_FAILURE;
}

cl_int link(Context& context, const DeviceList& devices, const char* options,
            const std::vector<Program*>& inputs, const BuildNotify& notify, Program** created) {
  LW_CL_TRY(check_offered(devices, CL_DEVICE_LINKER_AVAILABLE, CL_LINKER_NOT_AVAILABLE));
  LW_CL_TRY(check_inputs(inputs, devices));
  Program* const program = new Program(context, ProgramOrigin::kLinked, devices);
  program->mark_sent();
  *created = program;
  LW_CL_TRY(program->begin_build(devices, options));
  const std::vector<wire::Handle> input_handles = handles_of(inputs);
  return start_builds<msg::LinkProgram>(
      *program, devices, options, notify, [&](msg::LinkProgram& message) {
        message.context = context.handle();
        message.inputs = wire::U64View(std::span<const wire::Handle>(input_handles));
      });
}

}  // namespace

// --- BuildUnderWay ---

BuildUnderWay::BuildUnderWay(Program& program, BuildNotify notify, std::size_t nodes)
    : program_(&program), notify_(notify), left_(nodes) {}

void BuildUnderWay::answered(Node& node, const DeviceList& devices, const core::ReplyView& reply,
                             const ::longwire::opencl::record::program& record) noexcept {
  const bool malformed = reply.lost == nullptr && !reply.body->ok();
  const cl_int status = reply.lost != nullptr || malformed ? kLostCallStatus : reply.status;
  const bool answers = reply.lost == nullptr && !malformed && !record.devices.empty();
  program_->finish_build(node, devices, status, answers ? &record : nullptr);
  one_done(status);
}

void BuildUnderWay::not_sent(Node& node, const DeviceList& devices) noexcept {
  program_->finish_build(node, devices, kLostCallStatus, nullptr);
  one_done(kLostCallStatus);
}

void BuildUnderWay::one_done(cl_int status) noexcept {
  cl_int expected = CL_SUCCESS;
  if (status != CL_SUCCESS) status_.compare_exchange_strong(expected, status);
  if (left_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (notify_.callback != nullptr) {
    program_->context().runtime().callbacks().post([program = program_, notify = notify_] {
      notify.callback(to_cl<cl_program>(program.get()), notify.user_data);
    });
    return;
  }
  done_.store(true, std::memory_order_release);
  for (Node* node : program_->context().nodes())
    node->session().notify();
}

cl_int BuildUnderWay::finish() {
  if (notify_.callback != nullptr) {
    for (Node* node : program_->context().nodes())
      (void)node->flush();
    return CL_SUCCESS;
  }
  const auto done = [this] { return done_.load(std::memory_order_acquire); };
  for (Node* node : program_->context().nodes())
    (void)node->wait_until(done);
  return done() ? status_.load() : kLostCallStatus;
}

// --- the calls ---

namespace api {

cl_int BuildProgram(cl_program handle, cl_uint num_devices, const cl_device_id* device_list,
                    const char* options, ProgramCallback pfn_notify, void* user_data) noexcept {
  Program* const program = from_cl<Program>(handle);
  if (program == nullptr) return CL_INVALID_PROGRAM;
  const BuildNotify notify{pfn_notify, user_data};
  LW_CL_TRY(notify.check());
  DeviceList devices;
  LW_CL_TRY(read_device_list(program->devices(), num_devices, device_list, &devices));
  return build(*program, devices, options, notify);
}

cl_int CompileProgram(cl_program handle, cl_uint num_devices, const cl_device_id* device_list,
                      const char* options, cl_uint num_input_headers,
                      const cl_program* input_headers, const char** header_include_names,
                      ProgramCallback pfn_notify, void* user_data) noexcept {
  Program* const program = from_cl<Program>(handle);
  if (program == nullptr) return CL_INVALID_PROGRAM;
  const BuildNotify notify{pfn_notify, user_data};
  LW_CL_TRY(notify.check());
  DeviceList devices;
  LW_CL_TRY(read_device_list(program->devices(), num_devices, device_list, &devices));
  Headers headers;
  LW_CL_TRY(read_headers(num_input_headers, input_headers, header_include_names, &headers));
  return compile(*program, devices, options, headers, notify);
}

cl_program LinkProgram(cl_context handle, cl_uint num_devices, const cl_device_id* device_list,
                       const char* options, cl_uint num_input_programs,
                       const cl_program* input_programs, ProgramCallback pfn_notify,
                       void* user_data, cl_int* errcode_ret) noexcept {
  Program* created = nullptr;
  const cl_int status = [&]() -> cl_int {
    Context* const context = from_cl<Context>(handle);
    if (context == nullptr) return CL_INVALID_CONTEXT;
    const BuildNotify notify{pfn_notify, user_data};
    LW_CL_TRY(notify.check());
    DeviceList devices;
    LW_CL_TRY(read_device_list(context->devices(), num_devices, device_list, &devices));
    std::vector<Program*> inputs;
    LW_CL_TRY(read_inputs(num_input_programs, input_programs, &inputs));
    return link(*context, devices, options, inputs, notify, &created);
  }();
  if (errcode_ret != nullptr) *errcode_ret = status;
  if (link_began(status) && created != nullptr) return to_cl<cl_program>(created);
  if (created != nullptr) created->release_api();
  return nullptr;
}

cl_int UnloadPlatformCompiler(cl_platform_id platform) noexcept {
  return from_cl<Platform>(platform) == nullptr ? CL_INVALID_PLATFORM : CL_SUCCESS;
}

cl_int UnloadCompiler() noexcept { return CL_SUCCESS; }

}  // namespace api
}  // namespace longwire::client::opencl
