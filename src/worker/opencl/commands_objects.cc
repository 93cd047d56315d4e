// Contexts, queues, memory objects, events; releases.
#include <array>
#include <cstring>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

#include "worker/opencl/commands.h"
#include "worker/opencl/extension_function.h"
#include "worker/opencl/shared_buffers.h"

namespace longwire::worker::opencl {
namespace {

constexpr std::size_t kMaxContextProperties = 64;
constexpr cl_mem_flags kHostPointerFlags =
    CL_MEM_USE_HOST_PTR | CL_MEM_ALLOC_HOST_PTR | CL_MEM_COPY_HOST_PTR;
constexpr std::uint32_t kNotifyContextError = 1;
constexpr std::uint32_t kMaxNotifyBytes = 64 << 10;

// What a context's error callback needs, for as long as the native context lives.
struct ContextNotifier {
  core::Outbox& outbox;
  Handle context;
};

void CL_CALLBACK on_context_error(const char* text, const void* data, std::size_t bytes,
                                  void* user) {
  const auto& notifier = *static_cast<const ContextNotifier*>(user);
  const std::string_view message = text != nullptr ? text : "";
  const bool sane = data != nullptr && bytes <= kMaxNotifyBytes;
  notifier.outbox.turn().notify(
      notifier.context, kNotifyContextError,
      std::as_bytes(std::span(message.substr(0, kMaxNotifyBytes))),
      sane ? std::span(static_cast<const std::byte*>(data), bytes) : std::span<const std::byte>{});
  notifier.outbox.flush();
}

std::vector<cl_mem_properties> property_list(wire::U64View properties) {
  std::vector<cl_mem_properties> list;
  for (std::size_t i = 0; i < properties.size(); ++i)
    list.push_back(properties[i]);
  if (!list.empty() && list.back() != 0) list.push_back(0);
  return list;
}

// A release that the program wants to hear of, when the vendor driver has really destroyed the
// object.
struct DestructorWatch {
  core::Outbox& outbox;
  wire::Token token;
};

void CL_CALLBACK on_destroyed(cl_mem, void* user) {
  const std::unique_ptr<DestructorWatch> watch(static_cast<DestructorWatch*>(user));
  watch->outbox.turn().reply(watch->token, CL_SUCCESS);
  watch->outbox.flush();
}

void CL_CALLBACK on_memory_gone(cl_mem, void* user) { delete static_cast<Reservation*>(user); }

cl_image_desc native_desc(const longwire::opencl::record::image_desc& desc, cl_mem from) {
  cl_image_desc native{};
  native.image_type = desc.type;
  native.image_width = desc.width;
  native.image_height = desc.height;
  native.image_depth = desc.depth;
  native.image_array_size = desc.array_size;
  native.image_row_pitch = desc.row_pitch;
  native.image_slice_pitch = desc.slice_pitch;
  native.num_mip_levels = desc.num_mip_levels;
  native.num_samples = desc.num_samples;
  native.mem_object = from;
  return native;
}

// Bytes of the image's pixels, tightly packed; 0 when that is beyond reason. An array's extent
// stands in array_size, the others are 0 where the type has no such dimension.
std::uint64_t pixel_count(const longwire::opencl::record::image_desc& desc) {
  const bool is_array =
      desc.type == CL_MEM_OBJECT_IMAGE1D_ARRAY || desc.type == CL_MEM_OBJECT_IMAGE2D_ARRAY;
  const bool is_1d = desc.type == CL_MEM_OBJECT_IMAGE1D ||
                     desc.type == CL_MEM_OBJECT_IMAGE1D_ARRAY ||
                     desc.type == CL_MEM_OBJECT_IMAGE1D_BUFFER;
  const std::array<std::uint64_t, 4> extents = {desc.width, is_1d ? 1 : desc.height,
                                                desc.type == CL_MEM_OBJECT_IMAGE3D ? desc.depth : 1,
                                                is_array ? desc.array_size : 1};
  std::uint64_t count = 1;
  for (const std::uint64_t extent : extents)
    if (__builtin_mul_overflow(count, extent, &count)) return 0;
  return count;
}

std::uint64_t channels_of(std::uint32_t order) {
  switch (order) {
    case CL_R:
    case CL_A:
    case CL_INTENSITY:
    case CL_LUMINANCE:
    case CL_DEPTH:
      return 1;
    case CL_Rx:
    case CL_RG:
    case CL_RA:
      return 2;
    case CL_RGx:
    case CL_RGB:
    case CL_sRGB:
      return 3;
    default:
      return 4;
  }
}

// 0: a format that this code does not know; the vendor driver may.
std::uint64_t pixel_bytes(const longwire::opencl::record::image_format& format) {
  switch (format.channel_data_type) {
    case CL_UNORM_SHORT_565:
    case CL_UNORM_SHORT_555:
      return 2;
    case CL_UNORM_INT_101010:
    case CL_UNORM_INT_101010_2:
    case CL_UNORM_INT24:
      return 4;
    case CL_SNORM_INT8:
    case CL_UNORM_INT8:
    case CL_SIGNED_INT8:
    case CL_UNSIGNED_INT8:
      return channels_of(format.channel_order);
    case CL_SNORM_INT16:
    case CL_UNORM_INT16:
    case CL_SIGNED_INT16:
    case CL_UNSIGNED_INT16:
    case CL_HALF_FLOAT:
      return 2 * channels_of(format.channel_order);
    case CL_SIGNED_INT32:
    case CL_UNSIGNED_INT32:
    case CL_FLOAT:
      return 4 * channels_of(format.channel_order);
    default:
      return 0;
  }
}

// What an image is reckoned with; an unknown format at its widest, and nothing where no driver
// would make it.
std::uint64_t image_bytes(const longwire::opencl::record::image_desc& desc, std::uint64_t element) {
  constexpr std::uint64_t kWidestPixel = 16;
  std::uint64_t bytes = 0;
  const std::uint64_t pixels = pixel_count(desc);
  const bool sane =
      pixels != 0 && !__builtin_mul_overflow(pixels, element == 0 ? kWidestPixel : element, &bytes);
  return sane ? bytes : 0;
}

// All of an image, as clEnqueueFillImage has it.
std::array<std::size_t, 3> whole_region(const longwire::opencl::record::image_desc& desc) {
  switch (desc.type) {
    case CL_MEM_OBJECT_IMAGE1D:
      return {desc.width, 1, 1};
    case CL_MEM_OBJECT_IMAGE1D_ARRAY:
      return {desc.width, desc.array_size, 1};
    case CL_MEM_OBJECT_IMAGE2D_ARRAY:
      return {desc.width, desc.height, desc.array_size};
    case CL_MEM_OBJECT_IMAGE3D:
      return {desc.width, desc.height, desc.depth};
    default:
      return {desc.width, desc.height, 1};
  }
}

cl_mem create_image(const NativeApi& api, cl_context context, const msg::CreateImage& m,
                    cl_mem from, std::span<const std::byte> data, cl_int* status) {
  const cl_image_format format{m.format.channel_order, m.format.channel_data_type};
  const cl_image_desc desc = native_desc(m.desc, from);
  const cl_mem_flags flags =
      (m.flags & ~kHostPointerFlags) | (data.empty() ? 0 : CL_MEM_COPY_HOST_PTR);
  void* const host = data.empty() ? nullptr : const_cast<std::byte*>(data.data());
  const auto properties = property_list(m.properties);
  if (properties.empty() || api.clCreateImageWithProperties == nullptr)
    return api.clCreateImage(context, flags, &format, &desc, host, status);
  return api.clCreateImageWithProperties(context, properties.data(), flags, &format, &desc, host,
                                         status);
}

// The object that an image is made from, or null for none; an unknown one makes *status an error.
cl_mem native_source(const SessionState& state, Handle mem, cl_int* status) {
  if (mem == 0) return nullptr;
  const auto source = state.find<Mem>(mem);
  if (source.ok()) return source.object->native;
  *status = source.status;
  return nullptr;
}

// CL_INVALID_OPERATION where the vendor driver has no such function.
cl_int image_requirement(const NativeApi& api, const Context& context,
                         const msg::GetImageRequirements& m, cl_mem from, std::uint64_t* value) {
  using Query = std::remove_cv_t<decltype(NativeApi::clGetImageRequirementsInfoEXT)>;
  const auto query =
      extension_function<Query>(api, *context.devices.front(), "clGetImageRequirementsInfoEXT");
  if (query == nullptr) return CL_INVALID_OPERATION;
  const cl_image_format format{m.format.channel_order, m.format.channel_data_type};
  const cl_image_desc desc = native_desc(m.desc, from);
  std::array<std::byte, sizeof *value> bytes{};
  std::size_t size = 0;
  const cl_int status =
      query(context.native, nullptr, m.flags, m.has_format != 0 ? &format : nullptr,
            m.has_desc != 0 ? &desc : nullptr, m.param, bytes.size(), bytes.data(), &size);
  if (status != CL_SUCCESS) return status;
  cl_uint narrow = 0;
  if (size != sizeof narrow && size != sizeof *value) return CL_INVALID_VALUE;
  std::memcpy(&narrow, bytes.data(), sizeof narrow);
  std::memcpy(value, bytes.data(), sizeof *value);
  if (size == sizeof narrow) *value = narrow;
  return CL_SUCCESS;
}

}  // namespace

// --- releases ---

base::Status Commands::on(const msg::ReleaseObject& m) {
  Object* const object = state_.table.find_any(m.object);
  const bool is_memory = object != nullptr && object->kind() == Kind::kMem && !object->failed();
  if (is_memory && m.token != 0) {
    auto watch = std::make_unique<DestructorWatch>(DestructorWatch{services().outbox, m.token});
    const cl_int status = api().clSetMemObjectDestructorCallback(static_cast<Mem*>(object)->native,
                                                                 on_destroyed, watch.get());
    if (status == CL_SUCCESS) {
      (void)watch.release();  // on_destroyed() has it
      state_.table.release(m.object);
      return {};
    }
  }
  if (object != nullptr && object->kind() == Kind::kEvent && !object->failed()) {
    abandon(static_cast<Event&>(*object));
  }
  const bool released = state_.table.release(m.object);
  reply(m.token, released ? CL_SUCCESS : CL_INVALID_VALUE);
  return {};
}

// --- contexts and queues ---

std::vector<Ref<Device>> Commands::devices_of(wire::U64View handles, cl_int* status) {
  find_platforms();
  std::vector<Ref<Device>> devices;
  for (std::size_t i = 0; i < handles.size(); ++i) {
    const auto device = state_.find<Device>(handles[i]);
    if (device.ok()) devices.emplace_back(device.object);
    if (!device.ok()) *status = device.status;
  }
  return devices;
}

base::Status Commands::check_new(Handle handle, Kind kind) const {
  if (state_.table.may_insert(handle, kind)) return {};
  return base::Error(base::ErrorCode::kWireFault, "a handle that is taken, or of the wrong kind");
}

base::Status Commands::on(const msg::CreateSampler& m) {
  LW_TRY(check_new(m.sampler, Kind::kSampler));
  return AutoCommands::on(m);
}
base::Status Commands::on(const msg::CreateKernel& m) {
  LW_TRY(check_new(m.kernel, Kind::kKernel));
  return AutoCommands::on(m);
}
base::Status Commands::on(const msg::CloneKernel& m) {
  LW_TRY(check_new(m.kernel, Kind::kKernel));
  LW_TRY(AutoCommands::on(m));
  const auto source = state_.find<Kernel>(m.source);
  const auto clone = state_.find<Kernel>(m.kernel);
  if (source.ok() && clone.ok()) clone.object->refused_args = source.object->refused_args;
  return {};
}
base::Status Commands::on(const msg::CreateUserEvent& m) {
  LW_TRY(check_new(m.event, Kind::kEvent));
  return AutoCommands::on(m);
}

base::Status Commands::on(const msg::CreateContext& m) {
  LW_TRY(check_new(m.context, Kind::kContext));
  cl_int status = CL_SUCCESS;
  auto* context = new Context(api(), m.context);
  const Ref<Context> holder(context);
  context->devices = devices_of(m.devices, &status);
  if (context->devices.empty() || m.properties.size() >= kMaxContextProperties)
    status = CL_INVALID_VALUE;
  if (status == CL_SUCCESS) {
    std::vector<cl_context_properties> properties = {
        CL_CONTEXT_PLATFORM,
        reinterpret_cast<cl_context_properties>(context->devices.front()->platform)};
    for (std::size_t i = 0; i < m.properties.size() && m.properties[i] != 0; ++i)
      properties.push_back(static_cast<cl_context_properties>(m.properties[i]));
    properties.push_back(0);
    std::vector<cl_device_id> natives;
    for (const auto& device : context->devices)
      natives.push_back(device->native);
    auto notifier =
        std::make_shared<ContextNotifier>(ContextNotifier{services().outbox, m.context});
    context->native =
        api().clCreateContext(properties.data(), static_cast<cl_uint>(natives.size()),
                              natives.data(), on_context_error, notifier.get(), &status);
    notifiers_.push_back(std::move(notifier));
  }
  state_.add(context, status);
  return {};
}

base::Status Commands::on(const msg::CreateCommandQueue& m) {
  LW_TRY(check_new(m.queue, Kind::kQueue));
  LW_TRY(AutoCommands::on(m));
  const auto made = state_.find<Queue>(m.queue);
  if (!made.ok()) return {};
  Queue& queue = *made.object;
  queue.context = Ref<Context>(state_.find<Context>(m.context).object);
  queue.device = Ref<Device>(state_.find<Device>(m.device).object);
  if (queue.context) queue.context->enter(queue.native);
  for (std::size_t i = 0; i + 1 < m.properties.size(); i += 2) {
    if (m.properties[i] != CL_QUEUE_PROPERTIES) continue;
    queue.in_order = (m.properties[i + 1] & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE) == 0;
    queue.profiling = (m.properties[i + 1] & CL_QUEUE_PROFILING_ENABLE) != 0;
  }
  return {};
}

// --- memory objects ---

void Commands::add_memory(Handle handle, Context* context, cl_mem native, cl_int status,
                          Reservation reserved) {
  auto* mem = new Mem(api(), handle);
  mem->native = native;
  mem->reserved = std::move(reserved);
  // Commands under way, and parts of it, hold native memory longer than the client does its handle.
  if (native != nullptr && state_.memory->limited()) {
    auto watch = std::make_unique<Reservation>(std::move(mem->reserved));
    if (api().clSetMemObjectDestructorCallback(native, on_memory_gone, watch.get()) == CL_SUCCESS) {
      (void)watch.release();  // on_memory_gone() has it
    } else {
      mem->reserved = std::move(*watch);
    }
  }
  mem->context = Ref<Context>(context);
  state_.add(mem, status);
}

base::Status Commands::on(const msg::CreateBuffer& m) {
  LW_TRY(check_new(m.mem, Kind::kMem));
  const auto context = state_.find<Context>(m.context);
  cl_int status = context.status;
  if (m.data.bytes != 0 && m.data.bytes != m.size)
    return base::Error(base::ErrorCode::kWireFault, "CreateBuffer: data of another size");
  std::span<const std::byte> data;
  if (!state_.arrived(m.data, &data, &status)) return {};
  Reservation reserved(state_.memory, m.size);
  if (status == CL_SUCCESS && !reserved.ok()) status = CL_MEM_OBJECT_ALLOCATION_FAILURE;
  SharedBuffer shared;
  // What is cleared by a queue of its own is not the worker's to touch.
  if (status == CL_SUCCESS && m.properties.size() == 0 && !state_.clearing.wanted(*context.object))
    shared =
        create_shared_buffer(api(), *context.object, m.flags & ~kHostPointerFlags, m.size, data);
  cl_mem native = shared.native;
  if (status == CL_SUCCESS && native == nullptr) {
    const cl_mem_flags flags =
        (m.flags & ~kHostPointerFlags) | (data.empty() ? 0 : CL_MEM_COPY_HOST_PTR);
    void* const host = data.empty() ? nullptr : const_cast<std::byte*>(data.data());
    const auto properties = property_list(m.properties);
    if (properties.empty() || api().clCreateBufferWithProperties == nullptr) {
      native = api().clCreateBuffer(context.object->native, flags, m.size, host, &status);
    } else {
      native = api().clCreateBufferWithProperties(context.object->native, properties.data(), flags,
                                                  m.size, host, &status);
    }
    if (status != CL_SUCCESS) native = nullptr;
    if (native != nullptr && data.empty() && state_.clearing.wanted(*context.object))
      status = state_.clearing.buffer(*context.object, native, m.size);
  }
  state_.drop(m.data);
  add_memory(m.mem, context.object, native, status, std::move(reserved));
  const auto made = state_.find<Mem>(m.mem);
  if (made.ok() && shared.native != nullptr) made.object->shared = {shared.bytes, m.size};
  return {};
}

base::Status Commands::on(const msg::CreateSubBuffer& m) {
  LW_TRY(check_new(m.mem, Kind::kMem));
  LW_TRY(AutoCommands::on(m));
  const auto made = state_.find<Mem>(m.mem);
  const auto parent = state_.find<Mem>(m.parent);
  if (!made.ok() || !parent.ok()) return {};
  made.object->context = parent.object->context;
  if (parent.object->shared_at(m.origin, m.size) != nullptr)
    made.object->shared = parent.object->shared.subspan(m.origin, m.size);
  return {};
}

base::Status Commands::on(const msg::CreateImage& m) {
  LW_TRY(check_new(m.mem, Kind::kMem));
  const auto context = state_.find<Context>(m.context);
  cl_int status = context.status;
  const cl_mem from = native_source(state_, m.desc.mem, &status);
  const std::uint64_t element = pixel_bytes(m.format);
  std::uint64_t whole = 0;
  if (m.data.bytes != 0 &&
      (__builtin_mul_overflow(pixel_count(m.desc), element, &whole) || whole != m.data.bytes))
    return base::Error(base::ErrorCode::kWireFault, "CreateImage: data of another size");
  std::span<const std::byte> data;
  if (!state_.arrived(m.data, &data, &status)) return {};
  // An image of another object's memory has none of its own.
  Reservation reserved(state_.memory, from == nullptr ? image_bytes(m.desc, element) : 0);
  if (status == CL_SUCCESS && !reserved.ok()) status = CL_MEM_OBJECT_ALLOCATION_FAILURE;
  cl_mem native = nullptr;
  if (status == CL_SUCCESS) {
    native = create_image(api(), context.object->native, m, from, data, &status);
    if (status != CL_SUCCESS) native = nullptr;
    if (native != nullptr && from == nullptr && data.empty() &&
        state_.clearing.wanted(*context.object))
      status = m.desc.num_mip_levels <= 1
                   ? state_.clearing.image(*context.object, native, whole_region(m.desc))
                   : CL_MEM_OBJECT_ALLOCATION_FAILURE;  // a fill reaches one level
  }
  state_.drop(m.data);
  add_memory(m.mem, context.object, native, status, std::move(reserved));
  const auto made = state_.find<Mem>(m.mem);
  if (made.ok() &&
      api().clGetImageInfo(native, CL_IMAGE_ELEMENT_SIZE, sizeof made.object->element_bytes,
                           &made.object->element_bytes, nullptr) != CL_SUCCESS)
    made.object->element_bytes = element;
  return {};
}

base::Status Commands::on(const msg::GetImageRequirements& m) {
  const auto context = state_.find<Context>(m.context);
  cl_int status = context.status;
  const cl_mem from = native_source(state_, m.desc.mem, &status);
  std::uint64_t value = 0;
  if (status == CL_SUCCESS) status = image_requirement(api(), *context.object, m, from, &value);
  reply(m.token, status, msg::GetImageRequirements::Reply{value});
  return {};
}

// --- events ---

base::Status Commands::on(const msg::SetUserEventStatus& m) {
  const auto event = state_.find<Event>(m.event);
  const cl_int status =
      event.ok() ? set_user_event(*event.object, m.execution_status) : event.status;
  if (status != CL_SUCCESS) state_.failed(m.event, status);
  return {};
}

cl_int Commands::set_user_event(Event& event, cl_int execution_status) {
  if (!event.is_user) return CL_INVALID_EVENT;
  const cl_int status = api().clSetUserEventStatus(event.native, execution_status);
  event.is_set = event.is_set || status == CL_SUCCESS;
  if (execution_status < 0) state_.completions.note_failure();
  return status;
}

// Nobody can set it any more: what waits for it would wait beyond the end of the session.
void Commands::abandon(Event& event) {
  if (event.is_user && !event.is_set) (void)set_user_event(event, CL_OUT_OF_RESOURCES);
}

base::Status Commands::on(const msg::SubscribeEvent& m) {
  const auto event = state_.find<Event>(m.event);
  if (event.ok() && !event.object->is_user)
    state_.completions.subscribe(*event.object, m.execution_status);
  return {};
}

}  // namespace longwire::worker::opencl
