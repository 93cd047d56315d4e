// Programs and kernels. What may take long natively runs on a mirror thread.
#include <cstring>
#include <string>
#include <utility>

#include "worker/opencl/commands.h"
#include "worker/opencl/extension_function.h"
#include "worker/opencl/program_info.h"

namespace longwire::worker::opencl {
namespace {

constexpr std::size_t kMaxBinaries = 256;
constexpr std::size_t kMaxSubGroupInfoBytes = 64 << 10;
constexpr std::size_t kMaxDimensions = 8;

using Bytes = std::vector<unsigned char>;

std::vector<cl_device_id> natives_of(const std::vector<Ref<Device>>& devices) {
  std::vector<cl_device_id> ids;
  ids.reserve(devices.size());
  for (const auto& device : devices)
    ids.push_back(device->native);
  return ids;
}

std::vector<cl_program> natives_of(const std::vector<Ref<Program>>& programs) {
  std::vector<cl_program> natives;
  natives.reserve(programs.size());
  for (const auto& program : programs)
    natives.push_back(program->native);
  return natives;
}

std::vector<std::uint64_t> sign_extended(const std::vector<cl_int>& statuses) {
  std::vector<std::uint64_t> words;
  words.reserve(statuses.size());
  for (const cl_int status : statuses)
    words.push_back(static_cast<std::uint64_t>(std::int64_t{status}));
  return words;
}

const cl_device_id* data_or_null(const std::vector<cl_device_id>& ids) {
  return ids.empty() ? nullptr : ids.data();
}

Bytes copy_of(std::span<const std::byte> data) {
  const auto* first = reinterpret_cast<const unsigned char*>(data.data());
  return {first, first + data.size()};
}

std::vector<std::size_t> sizes_of(wire::U64View values) {
  std::vector<std::size_t> sizes;
  for (std::size_t i = 0; i < values.size(); ++i)
    sizes.push_back(values[i]);
  return sizes;
}

cl_program create_with_binaries(const NativeApi& api, cl_context context,
                                const std::vector<cl_device_id>& devices,
                                const std::vector<Bytes>& binaries, std::vector<cl_int>& each,
                                cl_int* status) {
  std::vector<std::size_t> lengths;
  std::vector<const unsigned char*> pointers;
  for (const Bytes& one : binaries) {
    lengths.push_back(one.size());
    pointers.push_back(one.data());
  }
  return api.clCreateProgramWithBinary(context, static_cast<cl_uint>(devices.size()),
                                       devices.data(), lengths.data(), pointers.data(), each.data(),
                                       status);
}

// Compilers older than OpenCL 1.2 know nothing of argument info.
std::string build_options(const Program& program, std::string_view options) {
  const bool known = program.context->devices.front()->version >= 120;
  return known ? with_argument_info(options) : std::string(options);
}

// The binary of each device of the program; CL_SUCCESS or the driver's word.
cl_int binary_sizes(const NativeApi& api, cl_program program, std::vector<std::size_t>* sizes) {
  cl_uint devices = 0;
  const cl_int status =
      api.clGetProgramInfo(program, CL_PROGRAM_NUM_DEVICES, sizeof devices, &devices, nullptr);
  if (status != CL_SUCCESS) return status;
  sizes->assign(std::min<std::size_t>(devices, kMaxBinaries), 0);
  return api.clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizes->size() * sizeof(std::size_t),
                              sizes->data(), nullptr);
}

// All of them, one after the other: exactly `expected` bytes.
cl_int take_binaries(const NativeApi& api, cl_program program, std::uint64_t expected,
                     core::BlockPool& staging, core::Block* block) {
  std::vector<std::size_t> sizes;
  if (const cl_int status = binary_sizes(api, program, &sizes); status != CL_SUCCESS) return status;
  std::size_t total = 0;
  for (const std::size_t size : sizes)
    total += size;
  if (total != expected) return CL_INVALID_VALUE;
  *block = staging.acquire(total);
  if (!*block) return CL_OUT_OF_HOST_MEMORY;
  std::vector<unsigned char*> pointers;
  auto* next = reinterpret_cast<unsigned char*>(block->data());
  for (const std::size_t size : sizes) {
    pointers.push_back(size == 0 ? nullptr : next);
    next += size;
  }
  return api.clGetProgramInfo(program, CL_PROGRAM_BINARIES,
                              pointers.size() * sizeof(unsigned char*), pointers.data(), nullptr);
}

}  // namespace

std::vector<Ref<Program>> Commands::programs_of(wire::U64View handles, cl_int* status) {
  std::vector<Ref<Program>> programs;
  for (std::size_t i = 0; i < handles.size(); ++i) {
    const auto found = state_.find_program(handles[i]);
    if (found.ok()) programs.emplace_back(found.object);
    if (!found.ok()) *status = found.status;
  }
  return programs;
}

std::optional<Commands::BuildTarget> Commands::build_target(Handle handle, wire::U64View devices,
                                                            wire::Token token, cl_int status) {
  const auto found = state_.find_program(handle);
  if (!found.ok()) status = found.status;
  const auto ids = natives_of(devices_of(devices, &status));
  if (status == CL_SUCCESS) return BuildTarget{Ref<Program>(found.object), ids};
  reply(token, status);
  return std::nullopt;
}

template <class R>
void Commands::reply_with_program(wire::Token token, cl_int status, const Program& program) {
  ProgramInfo info(api(), program.context->devices);
  reply(token, status, R{info.describe(program.native)});
  services().outbox.flush();
}

void Commands::on_mirror(wire::Token token, std::function<void()> job) {
  if (!services().mirrors.run(std::move(job))) reply(token, CL_OUT_OF_RESOURCES);
}

// --- creation ---

base::Status Commands::on(const msg::CreateProgramWithSource& m) {
  LW_TRY(check_new(m.program, Kind::kProgram));
  const auto context = state_.find<Context>(m.context);
  cl_int status = context.status;
  std::span<const std::byte> source;
  if (!state_.arrived(m.source, &source, &status)) return {};
  auto* program = new Program(api(), m.program);
  const Ref<Program> holder(program);
  program->context = Ref<Context>(context.object);
  if (status == CL_SUCCESS) {
    const std::string text(reinterpret_cast<const char*>(source.data()), source.size());
    const char* pointer = text.c_str();
    const std::size_t length = text.size();
    program->native =
        api().clCreateProgramWithSource(context.object->native, 1, &pointer, &length, &status);
    if (text.find("printf") != std::string::npos) state_.expect_output();
    if (builder_.keeps_sources()) program->source = text;
  }
  state_.drop(m.source);
  state_.add(program, status);
  return {};
}

base::Status Commands::on(const msg::CreateProgramWithBinary& m) {
  LW_TRY(check_new(m.program, Kind::kProgram));
  const auto context = state_.find<Context>(m.context);
  cl_int status = context.status;
  const auto devices = devices_of(m.devices, &status);
  if (devices.empty() || devices.size() != m.binaries.size() || devices.size() > kMaxBinaries)
    status = CL_INVALID_VALUE;
  auto binaries = std::make_shared<std::vector<Bytes>>();  // moves into the job, which is copied
  bool here = true;
  for (const wire::Blob& blob : m.binaries) {
    std::span<const std::byte> data;
    here = state_.arrived(blob, &data, &status) && here;
    if (here) binaries->push_back(copy_of(data));
  }
  if (!here) return {};
  for (const wire::Blob& blob : m.binaries)
    state_.drop(blob);
  const Ref<Program> program(new Program(api(), m.program));
  program->context = Ref<Context>(context.object);
  if (!state_.add(program.get(), status)) return {};
  if (status != CL_SUCCESS) {
    reply(m.token, status);
    return {};
  }
  state_.expect_output();
  on_mirror(m.token, [this, program, binaries, ids = natives_of(devices), token = m.token] {
    std::vector<cl_int> each(ids.size(), CL_INVALID_VALUE);
    cl_int created = CL_SUCCESS;
    program->native =
        create_with_binaries(api(), program->context->native, ids, *binaries, each, &created);
    if (created != CL_SUCCESS) program->set_failed(created);
    const std::vector<std::uint64_t> statuses = sign_extended(each);
    ProgramInfo info(api(), program->context->devices);
    msg::CreateProgramWithBinary::Reply answer{wire::U64View(statuses), {}};
    if (created == CL_SUCCESS) answer.program = info.describe(program->native);
    reply(token, created, answer);
    services().outbox.flush();
  });
  return {};
}

base::Status Commands::on(const msg::CreateProgramWithIL& m) {
  LW_TRY(check_new(m.program, Kind::kProgram));
  const auto context = state_.find<Context>(m.context);
  cl_int status = context.status;
  std::span<const std::byte> il;
  if (!state_.arrived(m.il, &il, &status)) return {};
  auto* program = new Program(api(), m.program);
  const Ref<Program> holder(program);
  program->context = Ref<Context>(context.object);
  if (status == CL_SUCCESS) {
    const Device& device = *context.object->devices.front();
    auto create = device.version >= 210 ? api().clCreateProgramWithIL : nullptr;
    if (create == nullptr) {
      create = extension_function<decltype(create)>(api(), device, "clCreateProgramWithILKHR");
    }
    if (create == nullptr)
      status = CL_INVALID_OPERATION;
    else
      program->native = create(context.object->native, il.data(), il.size(), &status);
    state_.expect_output();
  }
  state_.drop(m.il);
  state_.add(program, status);
  reply(m.token, status);
  return {};
}

base::Status Commands::on(const msg::CreateProgramWithBuiltInKernels& m) {
  LW_TRY(check_new(m.program, Kind::kProgram));
  const auto context = state_.find<Context>(m.context);
  cl_int status = context.status;
  const auto devices = devices_of(m.devices, &status);
  const Ref<Program> program(new Program(api(), m.program));
  program->context = Ref<Context>(context.object);
  if (status == CL_SUCCESS) {
    const auto ids = natives_of(devices);
    program->native = api().clCreateProgramWithBuiltInKernels(
        context.object->native, static_cast<cl_uint>(ids.size()), ids.data(),
        std::string(m.kernel_names).c_str(), &status);
  }
  if (!state_.add(program.get(), status)) return {};
  if (status != CL_SUCCESS) {
    reply(m.token, status);
    return {};
  }
  on_mirror(m.token, [this, program, token = m.token] {
    reply_with_program<msg::CreateProgramWithBuiltInKernels::Reply>(token, CL_SUCCESS, *program);
  });
  return {};
}

// --- builds ---

base::Status Commands::on(const msg::BuildProgram& m) {
  auto target = build_target(m.program, m.devices, m.token);
  if (!target) return {};
  on_mirror(m.token,
            [this, target = *target, options = build_options(*target->program, m.options),
             token = m.token] { builder_.build(target.program, target.devices, options, token); });
  return {};
}

base::Status Commands::on(const msg::CompileProgram& m) {
  cl_int status = m.header_names.size() == m.headers.size() ? CL_SUCCESS : CL_INVALID_VALUE;
  auto headers = programs_of(m.headers, &status);
  auto target = build_target(m.program, m.devices, m.token, status);
  if (!target) return {};
  std::vector<std::string> names(m.header_names.begin(), m.header_names.end());
  on_mirror(m.token, [this, target = *target, options = build_options(*target->program, m.options),
                      headers = std::move(headers), names = std::move(names), token = m.token] {
    Program& program = *target.program;
    const auto natives = natives_of(headers);
    std::vector<const char*> pointers;
    for (const std::string& name : names)
      pointers.push_back(name.c_str());
    program.stand_on_source();
    const cl_int compiled = api().clCompileProgram(
        program.native, static_cast<cl_uint>(target.devices.size()), data_or_null(target.devices),
        options.c_str(), static_cast<cl_uint>(natives.size()),
        natives.empty() ? nullptr : natives.data(), natives.empty() ? nullptr : pointers.data(),
        nullptr, nullptr);
    reply_with_program<msg::CompileProgram::Reply>(token, compiled, program);
  });
  return {};
}

base::Status Commands::on(const msg::LinkProgram& m) {
  LW_TRY(check_new(m.program, Kind::kProgram));
  const auto context = state_.find<Context>(m.context);
  cl_int status = context.status;
  const auto devices = devices_of(m.devices, &status);
  auto inputs = programs_of(m.inputs, &status);
  const Ref<Program> program(new Program(api(), m.program));
  program->context = Ref<Context>(context.object);
  if (!state_.add(program.get(), status)) return {};
  if (status != CL_SUCCESS) {
    reply(m.token, status);
    return {};
  }
  on_mirror(m.token, [this, program, ids = natives_of(devices), inputs = std::move(inputs),
                      options = std::string(m.options), token = m.token] {
    const auto natives = natives_of(inputs);
    cl_int linked = CL_SUCCESS;
    const cl_program native = api().clLinkProgram(
        program->context->native, static_cast<cl_uint>(ids.size()), data_or_null(ids),
        options.c_str(), static_cast<cl_uint>(natives.size()), natives.data(), nullptr, nullptr,
        &linked);
    program->native = native;
    // A failed link has a program all the same, with the log.
    if (native != nullptr)
      return reply_with_program<msg::LinkProgram::Reply>(token, linked, *program);
    if (linked == CL_SUCCESS) linked = CL_LINK_PROGRAM_FAILURE;
    program->set_failed(linked);
    reply(token, linked);
    services().outbox.flush();
  });
  return {};
}

base::Status Commands::on(const msg::SetProgramSpecializationConstant& m) {
  const auto program = state_.find_program(m.program);
  cl_int status = program.status;
  if (program.ok()) {
    const bool has = api().clSetProgramSpecializationConstant != nullptr &&
                     program.object->context->devices.front()->version >= 220;
    status = has ? api().clSetProgramSpecializationConstant(program.object->native, m.spec_id,
                                                            m.value.size(), m.value.data())
                 : CL_INVALID_OPERATION;
  }
  reply(m.token, status);
  return {};
}

// --- binaries ---

base::Status Commands::on(const msg::GetProgramBinaries& m) {
  const auto found = state_.find_program(m.program);
  if (!found.ok()) {
    reply(m.token, found.status);
    return {};
  }
  on_mirror(m.token, [this, program = Ref<Program>(found.object), token = m.token] {
    std::vector<std::size_t> sizes;
    const cl_int status = binary_sizes(api(), program->native, &sizes);
    const std::vector<std::uint64_t> answer(sizes.begin(), sizes.end());
    reply(token, status, msg::GetProgramBinaries::Reply{wire::U64View(answer)});
    services().outbox.flush();
  });
  return {};
}

base::Status Commands::on(const msg::FetchProgramBinaries& m) {
  const auto found = state_.find_program(m.program);
  if (!found.ok()) {
    reply(m.token, found.status);
    return {};
  }
  const wire::Blob download{m.download.mode, m.download.transfer, m.download.bytes, {}};
  on_mirror(m.token, [this, program = Ref<Program>(found.object), download, token = m.token] {
    auto block = std::make_shared<core::Block>();  // shared with the lanes that send it
    const cl_int status =
        take_binaries(api(), program->native, download.bytes, services().staging, block.get());
    if (status != CL_SUCCESS || download.transfer == 0) {
      const auto data = status == CL_SUCCESS ? block->bytes() : std::span<std::byte>{};
      reply(token, status, msg::FetchProgramBinaries::Reply{data});
      return services().outbox.flush();
    }
    services().bulk.send(
        download.transfer, 0, block->bytes(), [block](const base::Status&) { block->reset(); },
        [this, token](const base::Status& sent) {
          reply(token, sent.ok() ? CL_SUCCESS : CL_OUT_OF_RESOURCES,
                msg::FetchProgramBinaries::Reply{});
          services().outbox.flush();
        });
  });
  return {};
}

// --- kernels ---

base::Status Commands::on(const msg::DescribeKernel& m) {
  const auto found = state_.find_program(m.program);
  if (!found.ok()) {
    reply(m.token, found.status);
    return {};
  }
  on_mirror(m.token, [this, program = Ref<Program>(found.object), name = std::string(m.name),
                      token = m.token] {
    ProgramInfo info(api(), program->context->devices);
    msg::DescribeKernel::Reply answer;
    const cl_int status = info.describe_kernel(program->native, name, &answer.kernel);
    reply(token, status, answer);
    services().outbox.flush();
  });
  return {};
}

cl_int Commands::set_argument(cl_kernel kernel, const msg::SetKernelArg& m) {
  switch (static_cast<ArgKind>(m.kind)) {
    case ArgKind::kValue:
      return api().clSetKernelArg(kernel, m.index, m.value.size(), m.value.data());
    case ArgKind::kLocal:
      return api().clSetKernelArg(kernel, m.index, m.size, nullptr);
    case ArgKind::kMemory: {
      if (m.object == 0) return api().clSetKernelArg(kernel, m.index, sizeof(cl_mem), nullptr);
      const auto mem = state_.find<Mem>(m.object);
      if (!mem.ok()) return mem.status;
      return api().clSetKernelArg(kernel, m.index, sizeof(cl_mem), &mem.object->native);
    }
    case ArgKind::kSampler: {
      const auto sampler = state_.find<Sampler>(m.object);
      if (!sampler.ok()) return sampler.status;
      return api().clSetKernelArg(kernel, m.index, sizeof(cl_sampler), &sampler.object->native);
    }
    default:
      return CL_INVALID_ARG_VALUE;
  }
}

base::Status Commands::on(const msg::SetKernelArg& m) {
  const auto kernel = state_.find<Kernel>(m.kernel);
  if (!kernel.ok()) {
    state_.failed(m.kernel, kernel.status);
    return {};
  }
  auto& refused = kernel.object->refused_args;
  const cl_int status = set_argument(kernel.object->native, m);
  if (status != CL_SUCCESS)
    refused[m.index] = status;
  else if (!refused.empty())
    refused.erase(m.index);
  return {};
}

// The client was told that the argument is set, so it learns here that it is not.
base::Status Commands::on(const msg::EnqueueNDRangeKernel& m) {
  const auto kernel = state_.find<Kernel>(m.kernel);
  if (!kernel.ok() || kernel.object->refused_args.empty()) return AutoCommands::on(m);
  auto command = state_.begin(m.queue, m.wait_list, m.event);
  command.fail(kernel.object->refused_args.begin()->second);
  state_.not_started(command);
  return {};
}

base::Status Commands::on(const msg::GetKernelSubGroupInfo& m) {
  const auto kernel = state_.find<Kernel>(m.kernel);
  const auto device = state_.find<Device>(m.device);
  cl_int status = kernel.ok() ? device.status : kernel.status;
  if (m.output_bytes > kMaxSubGroupInfoBytes || m.input.size() > kMaxDimensions)
    status = CL_INVALID_VALUE;
  std::vector<std::byte> output(status == CL_SUCCESS ? m.output_bytes : 0);
  std::size_t size = 0;
  if (status == CL_SUCCESS) {
    auto query = device.object->version >= 210 ? api().clGetKernelSubGroupInfo : nullptr;
    if (query == nullptr) {
      query =
          extension_function<decltype(query)>(api(), *device.object, "clGetKernelSubGroupInfoKHR");
    }
    const auto input = sizes_of(m.input);
    status = query == nullptr
                 ? CL_INVALID_OPERATION
                 : query(kernel.object->native, device.object->native, m.param,
                         input.size() * sizeof(std::size_t), input.empty() ? nullptr : input.data(),
                         output.size(), output.empty() ? nullptr : output.data(), &size);
  }
  const auto value = std::span<const std::byte>(output).first(std::min(size, output.size()));
  reply(m.token, status, msg::GetKernelSubGroupInfo::Reply{value});
  return {};
}

base::Status Commands::on(const msg::GetKernelWorkGroupInfo& m) {
  const auto kernel = state_.find<Kernel>(m.kernel);
  const auto device = state_.find<Device>(m.device);
  if (!kernel.ok() || !device.ok()) {
    reply(m.token, kernel.ok() ? device.status : kernel.status);
    return {};
  }
  InfoBytes bytes;
  const auto info = take_info(m.param, bytes, [&](std::size_t size, void* value, std::size_t* out) {
    return api().clGetKernelWorkGroupInfo(kernel.object->native, device.object->native, m.param,
                                          size, value, out);
  });
  reply(m.token, info.status, msg::GetKernelWorkGroupInfo::Reply{info.value});
  return {};
}

base::Status Commands::on(const msg::GetKernelSuggestedLocalWorkSize& m) {
  const auto queue = state_.find<Queue>(m.queue);
  const auto kernel = state_.find<Kernel>(m.kernel);
  cl_int status = queue.ok() ? kernel.status : queue.status;
  const std::size_t dimensions = m.global_size.size();
  if (dimensions == 0 || dimensions > kMaxDimensions ||
      (!m.global_offset.empty() && m.global_offset.size() != dimensions))
    status = CL_INVALID_WORK_DIMENSION;
  std::vector<std::size_t> local(dimensions, 0);
  if (status == CL_SUCCESS) {
    using Suggest = decltype(api().clGetKernelSuggestedLocalWorkSizeKHR);
    const auto suggest = extension_function<std::remove_cv_t<std::remove_reference_t<Suggest>>>(
        api(), *queue.object->device, "clGetKernelSuggestedLocalWorkSizeKHR");
    const auto offset = sizes_of(m.global_offset);
    const auto global = sizes_of(m.global_size);
    status =
        suggest == nullptr
            ? CL_INVALID_OPERATION
            : suggest(queue.object->native, kernel.object->native, static_cast<cl_uint>(dimensions),
                      offset.empty() ? nullptr : offset.data(), global.data(), local.data());
  }
  const std::vector<std::uint64_t> answer(local.begin(), local.end());
  reply(m.token, status, msg::GetKernelSuggestedLocalWorkSize::Reply{wire::U64View(answer)});
  return {};
}

}  // namespace longwire::worker::opencl
