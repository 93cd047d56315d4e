#include "fuzz/program.h"

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "opencl/client_api.h"

namespace longwire::fuzz {
namespace {

namespace api = client::opencl::api;

constexpr std::size_t kMostInfoBytes = std::size_t{4} << 20;
constexpr std::size_t kBytes = 4096;
constexpr std::size_t kBulkBytes = std::size_t{200} << 10;  // not in a message
constexpr const char* kSource =
    "kernel void fill(global uint* to, uint value) { to[get_global_id(0)] = value; }\n"
    "kernel void add(global uint* a, global uint* b, global uint* c) {}\n"
    "kernel void noop(uint value) {}\n";

// `ask(size, value, size_out)` is a clGet*Info: into memory that ends where the answer must.
template <class Ask>
void query(Ask&& ask) {
  std::size_t size = 0;
  if (ask(std::size_t{0}, nullptr, &size) != CL_SUCCESS || size > kMostInfoBytes) return;
  std::vector<std::byte> value(size);
  ask(size, value.data(), &size);
}

template <class Ask>
void query_all(cl_uint from, cl_uint to, Ask&& ask) {
  for (cl_uint param = from; param <= to; ++param) {
    query([&](std::size_t size, void* value, std::size_t* out) {
      return ask(param, size, value, out);
    });
  }
}

struct Program {
  bool open();
  void infos();
  void buffers();
  void rectangles(cl_mem from, cl_mem to);
  void mapping(cl_mem buffer);
  void images();
  void programs();
  void launches(cl_program program);
  void about(cl_kernel kernel);
  void events();
  void bulk();
  void close();

  cl_mem buffer(std::size_t bytes) {
    return api::CreateBuffer(context, CL_MEM_READ_WRITE, bytes, nullptr, nullptr);
  }
  void done_with(cl_event event) {
    if (event == nullptr) return;
    api::WaitForEvents(1, &event);
    query_all(CL_EVENT_COMMAND_QUEUE, CL_EVENT_CONTEXT,
              [&](auto param, auto... rest) { return api::GetEventInfo(event, param, rest...); });
    query_all(CL_PROFILING_COMMAND_QUEUED, CL_PROFILING_COMMAND_COMPLETE,
              [&](auto param, auto... rest) {
                return api::GetEventProfilingInfo(event, param, rest...);
              });
    api::ReleaseEvent(event);
  }

  cl_platform_id platform = nullptr;
  std::array<cl_device_id, 4> devices{};
  cl_uint device_count = 0;
  cl_context context = nullptr;
  cl_command_queue queue = nullptr;
  std::array<std::byte, kBytes> memory{};
};

bool Program::open() {
  if (api::GetPlatformIDs(1, &platform, nullptr) != CL_SUCCESS) return false;
  if (api::GetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, devices.size(), devices.data(),
                        &device_count) != CL_SUCCESS) {
    return false;
  }
  context = api::CreateContext(nullptr, 1, devices.data(), nullptr, nullptr, nullptr);
  const cl_queue_properties properties[] = {CL_QUEUE_PROPERTIES, CL_QUEUE_PROFILING_ENABLE, 0};
  queue = api::CreateCommandQueueWithProperties(context, devices[0], properties, nullptr);
  return context != nullptr && queue != nullptr;
}

void Program::infos() {
  query_all(CL_PLATFORM_PROFILE, CL_PLATFORM_NUMERIC_VERSION, [&](auto param, auto... rest) {
    return api::GetPlatformInfo(platform, param, rest...);
  });
  for (const cl_device_id device : std::span(devices).first(std::min<cl_uint>(device_count, 4))) {
    query_all(CL_DEVICE_TYPE, CL_DEVICE_TYPE + 0x70,
              [&](auto param, auto... rest) { return api::GetDeviceInfo(device, param, rest...); });
  }
  query_all(CL_CONTEXT_REFERENCE_COUNT, CL_CONTEXT_NUM_DEVICES,
            [&](auto param, auto... rest) { return api::GetContextInfo(context, param, rest...); });
  query_all(CL_QUEUE_CONTEXT, CL_QUEUE_PROPERTIES_ARRAY, [&](auto param, auto... rest) {
    return api::GetCommandQueueInfo(queue, param, rest...);
  });
}

void Program::buffers() {
  const cl_mem one =
      api::CreateBuffer(context, CL_MEM_COPY_HOST_PTR, kBytes, memory.data(), nullptr);
  const cl_mem two = buffer(kBytes);
  cl_event event = nullptr;
  api::EnqueueWriteBuffer(queue, one, CL_FALSE, 0, kBytes, memory.data(), 0, nullptr, &event);
  done_with(event);
  const cl_uint pattern = 7;
  api::EnqueueFillBuffer(queue, two, &pattern, sizeof pattern, 0, kBytes, 0, nullptr, nullptr);
  api::EnqueueCopyBuffer(queue, one, two, 0, 0, kBytes, 0, nullptr, nullptr);
  api::EnqueueReadBuffer(queue, two, CL_TRUE, 0, kBytes, memory.data(), 0, nullptr, nullptr);
  rectangles(one, two);
  mapping(two);
  const cl_buffer_region region{0, kBytes / 2};
  const cl_mem part = api::CreateSubBuffer(one, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, nullptr);
  query_all(CL_MEM_TYPE, CL_MEM_PROPERTIES,
            [&](auto param, auto... rest) { return api::GetMemObjectInfo(part, param, rest...); });
  api::EnqueueMigrateMemObjects(queue, 1, &one, 0, 0, nullptr, nullptr);
  api::ReleaseMemObject(part);
  api::ReleaseMemObject(one);
  api::ReleaseMemObject(two);
  api::Finish(queue);
}

void Program::rectangles(cl_mem from, cl_mem to) {
  const std::size_t origin[3] = {0, 1, 0};
  const std::size_t region[3] = {16, 4, 2};
  api::EnqueueWriteBufferRect(queue, from, CL_TRUE, origin, origin, region, 32, 256, 32, 256,
                              memory.data(), 0, nullptr, nullptr);
  api::EnqueueCopyBufferRect(queue, from, to, origin, origin, region, 32, 256, 32, 256, 0, nullptr,
                             nullptr);
  api::EnqueueReadBufferRect(queue, to, CL_TRUE, origin, origin, region, 32, 256, 32, 256,
                             memory.data(), 0, nullptr, nullptr);
}

void Program::mapping(cl_mem buffer) {
  cl_event event = nullptr;
  auto* const there = static_cast<std::byte*>(api::EnqueueMapBuffer(
      queue, buffer, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 64, 512, 0, nullptr, nullptr, nullptr));
  if (there == nullptr) return;
  there[511] = std::byte{1};
  api::EnqueueUnmapMemObject(queue, buffer, there, 0, nullptr, &event);
  done_with(event);
}

void Program::images() {
  std::array<cl_image_format, 8> formats{};
  cl_uint count = 0;
  api::GetSupportedImageFormats(context, CL_MEM_READ_WRITE, CL_MEM_OBJECT_IMAGE2D, formats.size(),
                                formats.data(), &count);
  const cl_image_format format{CL_RGBA, CL_UNSIGNED_INT8};
  cl_image_desc shape{};
  shape.image_type = CL_MEM_OBJECT_IMAGE2D;
  shape.image_width = 16;
  shape.image_height = 8;
  const cl_mem image =
      api::CreateImage(context, CL_MEM_READ_WRITE, &format, &shape, nullptr, nullptr);
  const std::size_t origin[3] = {};
  const std::size_t region[3] = {16, 8, 1};
  const cl_uint color[4] = {1, 2, 3, 4};
  api::EnqueueFillImage(queue, image, color, origin, region, 0, nullptr, nullptr);
  api::EnqueueWriteImage(queue, image, CL_TRUE, origin, region, 0, 0, memory.data(), 0, nullptr,
                         nullptr);
  api::EnqueueReadImage(queue, image, CL_TRUE, origin, region, 0, 0, memory.data(), 0, nullptr,
                        nullptr);
  std::size_t row = 0;
  void* const there = api::EnqueueMapImage(queue, image, CL_TRUE, CL_MAP_WRITE, origin, region,
                                           &row, nullptr, 0, nullptr, nullptr, nullptr);
  if (there != nullptr) api::EnqueueUnmapMemObject(queue, image, there, 0, nullptr, nullptr);
  query_all(CL_IMAGE_FORMAT, CL_IMAGE_NUM_SAMPLES,
            [&](auto param, auto... rest) { return api::GetImageInfo(image, param, rest...); });
  const cl_sampler sampler = api::CreateSamplerWithProperties(context, nullptr, nullptr);
  if (sampler != nullptr) api::ReleaseSampler(sampler);
  api::Finish(queue);
  if (image != nullptr) api::ReleaseMemObject(image);
}

void Program::programs() {
  const char* source = kSource;
  const cl_program program = api::CreateProgramWithSource(context, 1, &source, nullptr, nullptr);
  api::BuildProgram(program, 0, nullptr, "", nullptr, nullptr);
  query_all(CL_PROGRAM_BUILD_STATUS, CL_PROGRAM_BUILD_GLOBAL_VARIABLE_TOTAL_SIZE,
            [&](auto param, auto... rest) {
              return api::GetProgramBuildInfo(program, devices[0], param, rest...);
            });
  query_all(CL_PROGRAM_REFERENCE_COUNT, CL_PROGRAM_SCOPE_GLOBAL_DTORS_PRESENT,
            [&](auto param, auto... rest) {
              if (param == CL_PROGRAM_BINARIES) return CL_INVALID_VALUE;  // takes pointers
              return api::GetProgramInfo(program, param, rest...);
            });
  std::size_t size = 0;
  api::GetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, nullptr);
  if (size > 0 && size <= kMostInfoBytes) {
    std::vector<unsigned char> binary(size);
    unsigned char* place = binary.data();
    api::GetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof place, &place, nullptr);
    const unsigned char* from = place;
    const cl_program again =
        api::CreateProgramWithBinary(context, 1, devices.data(), &size, &from, nullptr, nullptr);
    if (again != nullptr) api::ReleaseProgram(again);
  }
  launches(program);
  api::ReleaseProgram(program);
}

void Program::launches(cl_program program) {
  std::array<cl_kernel, 8> kernels{};
  cl_uint count = 0;
  if (api::CreateKernelsInProgram(program, kernels.size(), kernels.data(), &count) != CL_SUCCESS) {
    kernels.fill(nullptr);
  }
  for (const cl_kernel kernel : kernels) {
    if (kernel != nullptr) about(kernel);
  }
  const cl_kernel fill = api::CreateKernel(program, "fill", nullptr);
  if (fill != nullptr) {
    const cl_mem target = buffer(kBytes);
    const cl_uint value = 9;
    const std::size_t global = kBytes / sizeof value;
    cl_event event = nullptr;
    api::SetKernelArg(fill, 0, sizeof target, &target);
    api::SetKernelArg(fill, 1, sizeof value, &value);
    api::EnqueueNDRangeKernel(queue, fill, 1, nullptr, &global, nullptr, 0, nullptr, &event);
    done_with(event);
    api::EnqueueReadBuffer(queue, target, CL_TRUE, 0, kBytes, memory.data(), 0, nullptr, nullptr);
    if (target != nullptr) api::ReleaseMemObject(target);
    api::ReleaseKernel(fill);
  }
  for (const cl_kernel kernel : kernels) {
    if (kernel != nullptr) api::ReleaseKernel(kernel);
  }
}

void Program::about(cl_kernel kernel) {
  query_all(CL_KERNEL_FUNCTION_NAME, CL_KERNEL_ATTRIBUTES,
            [&](auto param, auto... rest) { return api::GetKernelInfo(kernel, param, rest...); });
  for (cl_uint argument = 0; argument < 4; ++argument) {
    query_all(CL_KERNEL_ARG_ADDRESS_QUALIFIER, CL_KERNEL_ARG_NAME, [&](auto param, auto... rest) {
      return api::GetKernelArgInfo(kernel, argument, param, rest...);
    });
  }
  query_all(CL_KERNEL_WORK_GROUP_SIZE, CL_KERNEL_GLOBAL_WORK_SIZE, [&](auto param, auto... rest) {
    return api::GetKernelWorkGroupInfo(kernel, devices[0], param, rest...);
  });
}

void Program::events() {
  const cl_mem target = buffer(kBytes);
  cl_event gate = api::CreateUserEvent(context, nullptr);
  cl_event read = nullptr;
  cl_event marker = nullptr;
  if (gate != nullptr) {
    api::EnqueueReadBuffer(queue, target, CL_FALSE, 0, kBytes, memory.data(), 1, &gate, &read);
    api::EnqueueMarkerWithWaitList(queue, 1, &gate, &marker);
    if (read != nullptr) {
      api::SetEventCallback(
          read, CL_COMPLETE, [](cl_event, cl_int, void*) {}, nullptr);
    }
    api::SetUserEventStatus(gate, CL_COMPLETE);
    api::ReleaseEvent(gate);
  }
  api::EnqueueBarrierWithWaitList(queue, 0, nullptr, nullptr);
  done_with(read);
  done_with(marker);
  api::Finish(queue);
  if (target != nullptr) api::ReleaseMemObject(target);
}

void Program::bulk() {
  std::vector<std::byte> large(kBulkBytes, std::byte{3});
  const cl_mem target = buffer(kBulkBytes);
  api::EnqueueWriteBuffer(queue, target, CL_TRUE, 0, kBulkBytes, large.data(), 0, nullptr, nullptr);
  api::EnqueueReadBuffer(queue, target, CL_TRUE, 0, kBulkBytes, large.data(), 0, nullptr, nullptr);
  if (target != nullptr) api::ReleaseMemObject(target);
  api::Finish(queue);
}

void Program::close() {
  if (queue != nullptr) api::ReleaseCommandQueue(queue);
  if (context != nullptr) api::ReleaseContext(context);
}

}  // namespace

void run_program(std::uint32_t sections) {
  Program program;
  if (program.open()) {
    if ((sections & kInfos) != 0) program.infos();
    if ((sections & kBuffers) != 0) program.buffers();
    if ((sections & kImages) != 0) program.images();
    if ((sections & kPrograms) != 0) program.programs();
    if ((sections & kEvents) != 0) program.events();
    if ((sections & kBulk) != 0) program.bulk();
  }
  program.close();
}

}  // namespace longwire::fuzz
