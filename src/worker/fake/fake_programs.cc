// Programs and kernels, known by name.
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "worker/fake/fake_objects.h"

namespace longwire::worker::fake {
namespace {

using longwire::opencl::NativeApi;

constexpr std::string_view kBinaryMagic = "FAKEBIN:";
constexpr std::size_t kMaxFakeKernels = 64;
constexpr std::size_t kMaxFakeArgs = 64;

std::string trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  return std::string(text);
}

bool take_word(std::string& text, std::string_view word) {
  if (text.substr(0, word.size()) != word) return false;
  text = trimmed(std::string_view(text).substr(word.size()));
  return true;
}

FakeArg argument(std::string text) {
  FakeArg arg;
  text = trimmed(text);
  if (take_word(text, "global ") || take_word(text, "__global "))
    arg.address = CL_KERNEL_ARG_ADDRESS_GLOBAL;
  else if (take_word(text, "local ") || take_word(text, "__local "))
    arg.address = CL_KERNEL_ARG_ADDRESS_LOCAL;
  else if (take_word(text, "constant "))
    arg.address = CL_KERNEL_ARG_ADDRESS_CONSTANT;
  const std::size_t name = text.find_last_of(" *");
  if (name == std::string::npos) {
    arg.type = text;
  } else {
    arg.name = text.substr(name + 1);
    arg.type = trimmed(text.substr(0, name + 1));
  }
  return arg;
}

std::size_t value_bytes(const std::string& type) {
  if (type == "uint" || type == "int" || type == "float") return 4;
  if (type == "ulong" || type == "long" || type == "double") return 8;
  if (type == "uchar" || type == "char") return 1;
  return 12;  // a struct
}

}  // namespace

std::vector<FakeSignature> signatures_of(const std::string& source) {
  constexpr std::string_view kStart = "kernel void ";
  std::vector<FakeSignature> all;
  for (std::size_t at = source.find(kStart);
       at != std::string::npos && all.size() < kMaxFakeKernels; at = source.find(kStart, at + 1)) {
    const std::size_t open = source.find('(', at);
    const std::size_t close = open == std::string::npos ? open : source.find(')', open);
    if (close == std::string::npos) break;
    FakeSignature signature;
    signature.name = trimmed(source.substr(at + kStart.size(), open - at - kStart.size()));
    std::string_view args = std::string_view(source).substr(open + 1, close - open - 1);
    while (!trimmed(args).empty() && signature.args.size() < kMaxFakeArgs) {
      const std::size_t comma = std::min(args.find(','), args.size());
      signature.args.push_back(argument(std::string(args.substr(0, comma))));
      args.remove_prefix(std::min(comma + 1, args.size()));
    }
    if (!signature.name.empty()) all.push_back(std::move(signature));
  }
  return all;
}

namespace {

cl_int note_in_journal(std::vector<FakeArg>& args) {
  if (args.size() != 3 || !args[0].mem || args[1].value.size() != 4 || args[2].value.size() != 4) {
    return CL_OUT_OF_RESOURCES;
  }
  std::uint32_t session = 0;
  std::uint32_t number = 0;
  std::uint32_t count = 0;
  std::memcpy(&session, args[1].value.data(), 4);
  std::memcpy(&number, args[2].value.data(), 4);
  state().journals[session].push_back(number);
  FakeMem& mem = *args[0].mem.get();
  std::memcpy(&count, mem.data(), 4);
  if (4 * (std::size_t{count} + 2) > mem.size) return CL_OUT_OF_RESOURCES;
  std::memcpy(mem.data() + 4 * (std::size_t{count} + 1), &number, 4);
  ++count;
  std::memcpy(mem.data(), &count, 4);
  return CL_COMPLETE;
}

}  // namespace

cl_int run_kernel(const std::string& name, std::vector<FakeArg>& args, std::size_t items) {
  const auto uints = [&](std::size_t i, std::size_t& count) -> std::byte* {
    if (i >= args.size() || !args[i].mem) {
      count = 0;
      return nullptr;
    }
    count = std::min(count, args[i].mem->size / 4);
    return args[i].mem->data();
  };
  std::size_t count = items;
  if (name == "fill") {
    std::byte* const to = uints(0, count);
    if (args.size() < 2 || args[1].value.size() != 4) return CL_OUT_OF_RESOURCES;
    for (std::size_t i = 0; i < count; ++i)
      std::memcpy(to + 4 * i, args[1].value.data(), 4);
  } else if (name == "add") {
    std::byte* const a = uints(0, count);
    std::byte* const b = uints(1, count);
    std::byte* const c = uints(2, count);
    for (std::size_t i = 0; i < count; ++i) {
      std::uint32_t x = 0;
      std::uint32_t y = 0;
      std::memcpy(&x, a + 4 * i, 4);
      std::memcpy(&y, b + 4 * i, 4);
      x += y;
      std::memcpy(c + 4 * i, &x, 4);
    }
  } else if (name == "journal") {
    return note_in_journal(args);
  } else if (name == "fail") {
    return CL_OUT_OF_RESOURCES;
  } else if (name == "hello") {
    constexpr std::string_view kText = "hello from a kernel\n";
    (void)!::write(STDOUT_FILENO, kText.data(), kText.size());
  }
  return CL_COMPLETE;
}

namespace {

FakeProgram* new_program(cl_context context, std::string source) {
  auto* program = new FakeProgram;
  program->context = Use<FakeContext>(fake<FakeContext>(context));
  program->source = std::move(source);
  return program;
}

cl_program CL_API_CALL with_source(cl_context context, cl_uint count, const char** strings,
                                   const std::size_t* lengths, cl_int* status) {
  const Guard guard;
  std::string source;
  for (cl_uint i = 0; i < count; ++i) {
    if (lengths != nullptr && lengths[i] != 0)
      source.append(strings[i], lengths[i]);
    else
      source.append(strings[i]);
  }
  set(status, CL_SUCCESS);
  return native<cl_program>(new_program(context, std::move(source)));
}

cl_program CL_API_CALL with_binary(cl_context context, cl_uint count, const cl_device_id*,
                                   const std::size_t* lengths, const unsigned char** binaries,
                                   cl_int* statuses, cl_int* status) {
  const Guard guard;
  bool good = true;
  std::string source;
  for (cl_uint i = 0; i < count; ++i) {
    const std::string_view text(reinterpret_cast<const char*>(binaries[i]), lengths[i]);
    const bool is_ours = text.substr(0, kBinaryMagic.size()) == kBinaryMagic;
    if (statuses != nullptr) statuses[i] = is_ours ? CL_SUCCESS : CL_INVALID_BINARY;
    if (is_ours) source = text.substr(kBinaryMagic.size());
    good = good && is_ours;
  }
  set(status, good ? CL_SUCCESS : CL_INVALID_BINARY);
  return good ? native<cl_program>(new_program(context, std::move(source))) : nullptr;
}

cl_program CL_API_CALL with_built_in(cl_context, cl_uint, const cl_device_id*, const char*,
                                     cl_int* status) {
  set(status, CL_INVALID_VALUE);
  return nullptr;
}
cl_program CL_API_CALL with_il(cl_context context, const void* il, std::size_t length,
                               cl_int* status) {
  const Guard guard;
  if (length == 0) {
    set(status, CL_INVALID_VALUE);
    return nullptr;
  }
  set(status, CL_SUCCESS);
  return native<cl_program>(
      new_program(context, std::string(static_cast<const char*>(il), length)));
}

cl_int translate(FakeProgram& program, cl_program_binary_type type, cl_int failure) {
  const bool fails = program.source.find("#error") != std::string::npos;
  program.built = fails ? CL_BUILD_ERROR : CL_BUILD_SUCCESS;
  program.log = fails ? "fake: #error" : "";
  program.binary_type = fails ? CL_PROGRAM_BINARY_TYPE_NONE : type;
  return fails ? failure : CL_SUCCESS;
}

cl_int CL_API_CALL build(cl_program handle, cl_uint, const cl_device_id*, const char*,
                         void(CL_CALLBACK*)(cl_program, void*), void*) {
  const Guard guard;
  return translate(*fake<FakeProgram>(handle), CL_PROGRAM_BINARY_TYPE_EXECUTABLE,
                   CL_BUILD_PROGRAM_FAILURE);
}
cl_int CL_API_CALL compile(cl_program handle, cl_uint, const cl_device_id*, const char*, cl_uint,
                           const cl_program*, const char**, void(CL_CALLBACK*)(cl_program, void*),
                           void*) {
  const Guard guard;
  return translate(*fake<FakeProgram>(handle), CL_PROGRAM_BINARY_TYPE_COMPILED_OBJECT,
                   CL_COMPILE_PROGRAM_FAILURE);
}
cl_program CL_API_CALL link(cl_context context, cl_uint, const cl_device_id*, const char*,
                            cl_uint count, const cl_program* inputs,
                            void(CL_CALLBACK*)(cl_program, void*), void*, cl_int* status) {
  const Guard guard;
  if (count == 0) {
    set(status, CL_INVALID_VALUE);
    return nullptr;
  }
  std::string source;
  for (cl_uint i = 0; i < count; ++i)
    source += fake<FakeProgram>(inputs[i])->source;
  FakeProgram* const program = new_program(context, std::move(source));
  set(status, translate(*program, CL_PROGRAM_BINARY_TYPE_EXECUTABLE, CL_LINK_PROGRAM_FAILURE));
  return native<cl_program>(program);
}

std::string binary_of(const FakeProgram& program) {
  return std::string(kBinaryMagic) + program.source;
}

cl_int CL_API_CALL program_info(cl_program handle, cl_program_info param, std::size_t room,
                                void* value, std::size_t* size) {
  const Guard guard;
  const FakeProgram& program = *fake<FakeProgram>(handle);
  const auto& devices = program.context->devices;
  const auto kernels = program.binary_type == CL_PROGRAM_BINARY_TYPE_EXECUTABLE
                           ? signatures_of(program.source)
                           : std::vector<FakeSignature>{};
  switch (param) {
    case CL_PROGRAM_NUM_DEVICES:
      return give_value(static_cast<cl_uint>(devices.size()), room, value, size);
    case CL_PROGRAM_DEVICES:
      return give(devices.data(), devices.size() * sizeof(cl_device_id), room, value, size);
    case CL_PROGRAM_NUM_KERNELS:
      return give_value(kernels.size(), room, value, size);
    case CL_PROGRAM_KERNEL_NAMES: {
      std::string names;
      for (const auto& kernel : kernels)
        names += (names.empty() ? "" : ";") + kernel.name;
      return give_text(names, room, value, size);
    }
    case CL_PROGRAM_BINARY_SIZES: {
      const std::vector<std::size_t> sizes(
          devices.size(), program.built == CL_BUILD_SUCCESS ? binary_of(program).size() : 0);
      return give(sizes.data(), sizes.size() * sizeof(std::size_t), room, value, size);
    }
    case CL_PROGRAM_BINARIES: {
      const std::string binary = binary_of(program);
      auto** const to = static_cast<unsigned char**>(value);
      for (std::size_t i = 0; to != nullptr && i < room / sizeof *to; ++i)
        if (to[i] != nullptr) std::memcpy(to[i], binary.data(), binary.size());
      if (size != nullptr) *size = devices.size() * sizeof(unsigned char*);
      return CL_SUCCESS;
    }
    default:
      return CL_INVALID_VALUE;
  }
}

cl_int CL_API_CALL build_info(cl_program handle, cl_device_id, cl_program_build_info param,
                              std::size_t room, void* value, std::size_t* size) {
  const Guard guard;
  const FakeProgram& program = *fake<FakeProgram>(handle);
  switch (param) {
    case CL_PROGRAM_BUILD_STATUS:
      return give_value(program.built, room, value, size);
    case CL_PROGRAM_BUILD_LOG:
      return give_text(program.log, room, value, size);
    case CL_PROGRAM_BUILD_OPTIONS:
      return give_text("", room, value, size);
    case CL_PROGRAM_BINARY_TYPE:
      return give_value(program.binary_type, room, value, size);
    case CL_PROGRAM_BUILD_GLOBAL_VARIABLE_TOTAL_SIZE:
      return give_value(std::size_t{0}, room, value, size);
    default:
      return CL_INVALID_VALUE;
  }
}

// --- kernels ---

cl_kernel CL_API_CALL create_kernel(cl_program handle, const char* name, cl_int* status) {
  const Guard guard;
  FakeProgram& program = *fake<FakeProgram>(handle);
  if (program.binary_type != CL_PROGRAM_BINARY_TYPE_EXECUTABLE) {
    set(status, CL_INVALID_PROGRAM_EXECUTABLE);
    return nullptr;
  }
  for (auto& signature : signatures_of(program.source)) {
    if (signature.name != name) continue;
    auto* kernel = new FakeKernel;
    kernel->program = Use<FakeProgram>(&program);
    kernel->name = signature.name;
    kernel->args = std::move(signature.args);
    set(status, CL_SUCCESS);
    return native<cl_kernel>(kernel);
  }
  set(status, CL_INVALID_KERNEL_NAME);
  return nullptr;
}

cl_kernel CL_API_CALL clone_kernel(cl_kernel handle, cl_int* status) {
  const Guard guard;
  const FakeKernel& source = *fake<FakeKernel>(handle);
  auto* kernel = new FakeKernel;
  kernel->program = source.program;
  kernel->name = source.name;
  kernel->args = source.args;
  set(status, CL_SUCCESS);
  return native<cl_kernel>(kernel);
}

cl_int CL_API_CALL set_arg(cl_kernel handle, cl_uint index, std::size_t bytes, const void* value) {
  const Guard guard;
  FakeKernel& kernel = *fake<FakeKernel>(handle);
  if (index >= kernel.args.size()) return CL_INVALID_ARG_INDEX;
  FakeArg& arg = kernel.args[index];
  switch (arg.address) {
    case CL_KERNEL_ARG_ADDRESS_LOCAL:
      if (value != nullptr || bytes == 0) return CL_INVALID_ARG_VALUE;
      break;
    case CL_KERNEL_ARG_ADDRESS_PRIVATE:
      if (bytes != value_bytes(arg.type)) return CL_INVALID_ARG_SIZE;
      if (value == nullptr) return CL_INVALID_ARG_VALUE;
      arg.value.assign(static_cast<const std::byte*>(value),
                       static_cast<const std::byte*>(value) + bytes);
      break;
    default: {
      if (bytes != sizeof(cl_mem)) return CL_INVALID_ARG_SIZE;
      cl_mem mem = nullptr;
      if (value != nullptr) std::memcpy(&mem, value, sizeof mem);
      arg.mem = Use<FakeMem>(fake<FakeMem>(mem));
    }
  }
  arg.set = true;
  return CL_SUCCESS;
}

cl_int CL_API_CALL kernel_info(cl_kernel handle, cl_kernel_info param, std::size_t room,
                               void* value, std::size_t* size) {
  const Guard guard;
  const FakeKernel& kernel = *fake<FakeKernel>(handle);
  switch (param) {
    case CL_KERNEL_FUNCTION_NAME:
      return give_text(kernel.name, room, value, size);
    case CL_KERNEL_NUM_ARGS:
      return give_value(static_cast<cl_uint>(kernel.args.size()), room, value, size);
    case CL_KERNEL_ATTRIBUTES:
      return give_text("", room, value, size);
    default:
      return CL_INVALID_VALUE;
  }
}

cl_int CL_API_CALL arg_info(cl_kernel handle, cl_uint index, cl_kernel_arg_info param,
                            std::size_t room, void* value, std::size_t* size) {
  const Guard guard;
  const FakeKernel& kernel = *fake<FakeKernel>(handle);
  if (index >= kernel.args.size()) return CL_INVALID_ARG_INDEX;
  const FakeArg& arg = kernel.args[index];
  switch (param) {
    case CL_KERNEL_ARG_ADDRESS_QUALIFIER:
      return give_value(arg.address, room, value, size);
    case CL_KERNEL_ARG_ACCESS_QUALIFIER:
      return give_value<cl_kernel_arg_access_qualifier>(CL_KERNEL_ARG_ACCESS_NONE, room, value,
                                                        size);
    case CL_KERNEL_ARG_TYPE_QUALIFIER:
      return give_value<cl_kernel_arg_type_qualifier>(CL_KERNEL_ARG_TYPE_NONE, room, value, size);
    case CL_KERNEL_ARG_TYPE_NAME:
      return give_text(arg.type, room, value, size);
    case CL_KERNEL_ARG_NAME:
      return give_text(arg.name, room, value, size);
    default:
      return CL_INVALID_VALUE;
  }
}

cl_int CL_API_CALL work_group_info(cl_kernel, cl_device_id, cl_kernel_work_group_info param,
                                   std::size_t room, void* value, std::size_t* size) {
  switch (param) {
    case CL_KERNEL_WORK_GROUP_SIZE:
      return give_value(std::size_t{256}, room, value, size);
    case CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE:
      return give_value(std::size_t{8}, room, value, size);
    case CL_KERNEL_COMPILE_WORK_GROUP_SIZE: {
      const std::size_t none[3] = {0, 0, 0};
      return give(none, sizeof none, room, value, size);
    }
    case CL_KERNEL_LOCAL_MEM_SIZE:
    case CL_KERNEL_PRIVATE_MEM_SIZE:
      return give_value(cl_ulong{0}, room, value, size);
    default:
      return CL_INVALID_VALUE;
  }
}

cl_int CL_API_CALL launch(cl_command_queue queue, cl_kernel handle, cl_uint dimensions,
                          const std::size_t*, const std::size_t* global, const std::size_t*,
                          cl_uint count, const cl_event* wait, cl_event* event) {
  const Guard guard;
  const FakeKernel& kernel = *fake<FakeKernel>(handle);
  if (dimensions == 0 || dimensions > 3) return CL_INVALID_WORK_DIMENSION;
  if (global == nullptr) return CL_INVALID_GLOBAL_WORK_SIZE;
  for (const FakeArg& arg : kernel.args)
    if (!arg.set) return CL_INVALID_KERNEL_ARGS;
  std::size_t items = 1;
  for (cl_uint i = 0; i < dimensions; ++i)
    if (__builtin_mul_overflow(items, global[i], &items)) return CL_INVALID_GLOBAL_WORK_SIZE;
  return enqueue(queue, count, wait, event,
                 [name = kernel.name, args = kernel.args, items]() mutable {
                   return run_kernel(name, args, items);
                 });
}

}  // namespace

void fill_program_functions(NativeApi& api) {
  api.clCreateProgramWithSource = with_source;
  api.clCreateProgramWithBinary = with_binary;
  api.clCreateProgramWithBuiltInKernels = with_built_in;
  api.clCreateProgramWithIL = with_il;
  api.clBuildProgram = build;
  api.clCompileProgram = compile;
  api.clLinkProgram = link;
  api.clGetProgramInfo = program_info;
  api.clGetProgramBuildInfo = build_info;
  api.clRetainProgram = retain<FakeProgram, cl_program>;
  api.clReleaseProgram = release<FakeProgram, cl_program>;
  api.clCreateKernel = create_kernel;
  api.clCloneKernel = clone_kernel;
  api.clSetKernelArg = set_arg;
  api.clGetKernelInfo = kernel_info;
  api.clGetKernelArgInfo = arg_info;
  api.clGetKernelWorkGroupInfo = work_group_info;
  api.clRetainKernel = retain<FakeKernel, cl_kernel>;
  api.clReleaseKernel = release<FakeKernel, cl_kernel>;
  api.clEnqueueNDRangeKernel = launch;
}

}  // namespace longwire::worker::fake
