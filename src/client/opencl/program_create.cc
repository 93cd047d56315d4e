// clCreateProgramWith…, clRetainProgram, clReleaseProgram, clSetProgramSpecializationConstant.
// OpenCL 3.0, sections 5.8.1, 5.8.2 and 5.8.3.
#include <algorithm>
#include <cstring>
#include <new>

#include "client/opencl/build.h"
#include "client/opencl/enqueue.h"
#include "client/opencl/program.h"
#include "opencl/client_api.h"
#include "opencl/messages.h"

namespace longwire::client::opencl {
namespace {

namespace msg = ::longwire::opencl::msg;

// The end of a clCreateProgram* call: `make(context, &program)`.
template <class Make>
cl_program give_program(cl_context handle, cl_int* errcode_ret, Make&& make) noexcept {
  Program* created = nullptr;
  Context* const context = from_cl<Context>(handle);
  const cl_int status = context == nullptr ? CL_INVALID_CONTEXT : make(*context, &created);
  if (errcode_ret != nullptr) *errcode_ret = status;
  if (status == CL_SUCCESS) return to_cl<cl_program>(created);
  if (created != nullptr) created->release_api();
  return nullptr;
}

DeviceList devices_of(const Context& context) {
  return {context.devices().begin(), context.devices().end()};
}

// A length of 0 (or no lengths) means that the string ends with a zero.
cl_int concatenate(cl_uint count, const char** strings, const std::size_t* lengths,
                   std::string* source) {
  if (count == 0 || strings == nullptr) return CL_INVALID_VALUE;
  for (cl_uint i = 0; i < count; ++i) {
    if (strings[i] == nullptr) return CL_INVALID_VALUE;
    const std::size_t length = lengths == nullptr ? 0 : lengths[i];
    source->append(strings[i], length == 0 ? std::strlen(strings[i]) : length);
  }
  return CL_SUCCESS;
}

// --- binaries ---

struct BinaryCall {
  cl_uint count;
  const cl_device_id* devices;
  const std::size_t* lengths;
  const unsigned char** binaries;
  cl_int* status;
};

cl_int check_binaries(const BinaryCall& call) noexcept {
  if (call.lengths == nullptr || call.binaries == nullptr) return CL_INVALID_VALUE;
  bool good = true;
  for (cl_uint i = 0; i < call.count; ++i) {
    const bool given = call.lengths[i] != 0 && call.binaries[i] != nullptr;
    if (call.status != nullptr) call.status[i] = given ? CL_SUCCESS : CL_INVALID_VALUE;
    good &= given;
  }
  return good ? CL_SUCCESS : CL_INVALID_VALUE;
}

// The binaries of one node's devices. `places[i]`: where its i-th device is in the call.
cl_int send_binaries(Program& program, Node& node, const DeviceList& devices,
                     const std::vector<cl_uint>& places, const BinaryCall& call) {
  const std::vector<wire::Handle> handles = handles_of(devices);
  std::vector<std::span<const std::byte>> data;
  msg::CreateProgramWithBinary message;
  message.program = program.node_handle();
  message.context = program.context().handle();
  message.devices = wire::U64View(std::span<const wire::Handle>(handles));
  for (const cl_uint place : places) {
    data.push_back(std::as_bytes(std::span(call.binaries[place], call.lengths[place])));
    message.binaries.push_back(node.session().make_blob(data.back()));
  }
  struct Outcome {
    std::atomic<bool> done{false};
    cl_int status = kLostCallStatus;
    std::vector<cl_int> each;
  };
  const auto outcome = std::make_shared<Outcome>();  // shared with the reply's handler
  const auto sent = node.session().request(
      message, [outcome, &node, keep = Ref<Program>(&program)](const core::ReplyView& reply) {
        if (reply.lost == nullptr) {
          outcome->status = reply.status;
          msg::CreateProgramWithBinary::Reply answer;
          if (reply.body->remaining() != 0) decode(*reply.body, answer);
          for (std::size_t i = 0; i < answer.binary_status.size(); ++i)
            outcome->each.push_back(static_cast<cl_int>(answer.binary_status[i]));
          if (reply.status == CL_SUCCESS) keep->note_binaries(node, answer.program);
        }
        outcome->done.store(true, std::memory_order_release);
        node.session().notify();
      });
  if (!sent.ok()) return kLostCallStatus;
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (!node.session().upload(message.binaries[i], data[i]).ok()) return kLostCallStatus;
  }
  LW_CL_TRY(node.wait_until([&] { return outcome->done.load(std::memory_order_acquire); }));
  for (std::size_t i = 0; i < places.size() && i < outcome->each.size(); ++i) {
    if (call.status != nullptr) call.status[places[i]] = outcome->each[i];
  }
  return outcome->status;
}

cl_int create_from_binaries(Context& context, const BinaryCall& call, Program** created) {
  if (call.count == 0 || call.devices == nullptr) return CL_INVALID_VALUE;
  DeviceList devices;
  LW_CL_TRY(read_device_list(context.devices(), call.count, call.devices, &devices));
  LW_CL_TRY(check_binaries(call));
  Program* const program = new Program(context, ProgramOrigin::kBinary, devices);
  program->mark_sent();
  *created = program;
  for (const auto& [node, group] : by_node(devices)) {
    std::vector<cl_uint> places;
    for (cl_uint i = 0; i < call.count; ++i) {
      if (&devices[i]->node() == node) places.push_back(i);
    }
    LW_CL_TRY(send_binaries(*program, *node, group, places, call));
  }
  return CL_SUCCESS;
}

// --- intermediate language and built-in kernels ---

// "CL_INVALID_OPERATION if no devices in context support intermediate language programs".
cl_int check_il_devices(const Context& context) noexcept {
  for (const Ref<Device>& device : context.devices()) {
    if (!device->text(CL_DEVICE_IL_VERSION).empty()) return CL_SUCCESS;
  }
  return CL_INVALID_OPERATION;
}

cl_int create_from_il(Context& context, const void* il, std::size_t length, Program** created) {
  LW_CL_TRY(check_il_devices(context));
  if (il == nullptr || length == 0) return CL_INVALID_VALUE;
  const auto data = std::span(static_cast<const std::byte*>(il), length);
  Program* const program = new Program(context, ProgramOrigin::kIl, devices_of(context));
  *created = program;
  program->mark_sent();
  program->set_il({data.begin(), data.end()});
  for (Node* node : context.nodes()) {
    msg::CreateProgramWithIL message;
    message.program = program->node_handle();
    message.context = context.handle();
    message.il = node->session().make_blob(data);
    LW_CL_TRY(call_with_upload(*node, message, message.il, data));
  }
  return CL_SUCCESS;
}

cl_int create_built_in(Context& context, cl_uint count, const cl_device_id* devices,
                       const char* names, Program** created) {
  if (count == 0 || devices == nullptr || names == nullptr) return CL_INVALID_VALUE;
  DeviceList list;
  LW_CL_TRY(read_device_list(context.devices(), count, devices, &list));
  Program* const program = new Program(context, ProgramOrigin::kBuiltInKernels, list);
  program->mark_sent();
  *created = program;
  for (const auto& [node, group] : by_node(list)) {
    const std::vector<wire::Handle> handles = handles_of(group);
    msg::CreateProgramWithBuiltInKernels message;
    message.program = program->node_handle();
    message.context = context.handle();
    message.devices = wire::U64View(std::span<const wire::Handle>(handles));
    message.kernel_names = names;
    LW_CL_TRY(node->call(message, [&, node = node, &group = group](
                                      const msg::CreateProgramWithBuiltInKernels::Reply& reply) {
      program->finish_build(*node, group, CL_SUCCESS, &reply.program);
    }));
  }
  return CL_SUCCESS;
}

cl_int create_from_source(Context& context, std::string source, Program** created) {
  Program* const program = new Program(context, ProgramOrigin::kSource, devices_of(context));
  *created = program;
  program->set_source(std::move(source));
  return CL_SUCCESS;  // the nodes get it with the first build, once its options are known: build.h
}

}  // namespace

namespace api {

cl_program CreateProgramWithSource(cl_context handle, cl_uint count, const char** strings,
                                   const size_t* lengths, cl_int* errcode_ret) noexcept {
  return give_program(handle, errcode_ret, [&](Context& context, Program** created) -> cl_int {
    std::string source;
    LW_CL_TRY(concatenate(count, strings, lengths, &source));
    return create_from_source(context, std::move(source), created);
  });
}

cl_program CreateProgramWithBinary(cl_context handle, cl_uint num_devices,
                                   const cl_device_id* device_list, const size_t* lengths,
                                   const unsigned char** binaries, cl_int* binary_status,
                                   cl_int* errcode_ret) noexcept {
  return give_program(handle, errcode_ret, [&](Context& context, Program** created) {
    return create_from_binaries(
        context, {num_devices, device_list, lengths, binaries, binary_status}, created);
  });
}

cl_program CreateProgramWithIL(cl_context handle, const void* il, size_t length,
                               cl_int* errcode_ret) noexcept {
  return give_program(handle, errcode_ret, [&](Context& context, Program** created) {
    return create_from_il(context, il, length, created);
  });
}

cl_program CreateProgramWithBuiltInKernels(cl_context handle, cl_uint num_devices,
                                           const cl_device_id* device_list,
                                           const char* kernel_names, cl_int* errcode_ret) noexcept {
  return give_program(handle, errcode_ret, [&](Context& context, Program** created) {
    return create_built_in(context, num_devices, device_list, kernel_names, created);
  });
}

cl_int RetainProgram(cl_program handle) noexcept {
  Program* const program = from_cl<Program>(handle);
  if (program == nullptr) return CL_INVALID_PROGRAM;
  program->retain_api();
  return CL_SUCCESS;
}

cl_int ReleaseProgram(cl_program handle) noexcept {
  Program* const program = from_cl<Program>(handle);
  if (program == nullptr) return CL_INVALID_PROGRAM;
  return program->release_api() ? CL_SUCCESS : CL_INVALID_PROGRAM;
}

cl_int SetProgramSpecializationConstant(cl_program handle, cl_uint spec_id, size_t spec_size,
                                        const void* spec_value) noexcept {
  Program* const program = from_cl<Program>(handle);
  if (program == nullptr) return CL_INVALID_PROGRAM;
  LW_CL_TRY(check_il_devices(program->context()));
  if (program->origin() != ProgramOrigin::kIl) return CL_INVALID_PROGRAM;
  if (spec_value == nullptr) return CL_INVALID_VALUE;
  msg::SetProgramSpecializationConstant message;
  message.program = program->node_handle();
  message.spec_id = spec_id;
  message.value = {static_cast<const std::byte*>(spec_value), spec_size};
  for (Node* node : program->context().nodes())
    LW_CL_TRY(node->call(message));
  return CL_SUCCESS;
}

}  // namespace api
}  // namespace longwire::client::opencl
