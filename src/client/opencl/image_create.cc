// clCreateImage, clCreateImageWithProperties and the deprecated 2D and 3D forms. OpenCL 3.0,
// sections 5.3.1 and 5.3.1.1 to 5.3.1.3.
#include <algorithm>
#include <new>

#include "client/opencl/context.h"
#include "client/opencl/image.h"
#include "client/opencl/image_formats.h"
#include "client/opencl/memory_checks.h"
#include "client/opencl/memory_create.h"
#include "opencl/client_api.h"
#include "opencl/messages.h"

namespace longwire::client::opencl {
namespace {

namespace msg = ::longwire::opencl::msg;

struct ImageCall {
  Context& context;
  cl_mem_flags flags;
  const cl_image_format* format;
  const cl_image_desc* desc;
  void* host_ptr;
};

// What a device says about the size of images of one type.
bool fits_device(const ImageShape& shape, const Device& device) noexcept {
  const auto limit = [&](cl_device_info param) { return device.value<std::size_t>(param); };
  const auto within = [&](std::size_t value, cl_device_info param) {
    return value >= 1 && value <= limit(param);
  };
  switch (shape.type) {
    case CL_MEM_OBJECT_IMAGE1D:
      return within(shape.width, CL_DEVICE_IMAGE2D_MAX_WIDTH);
    case CL_MEM_OBJECT_IMAGE1D_BUFFER:
      return within(shape.width, CL_DEVICE_IMAGE_MAX_BUFFER_SIZE);
    case CL_MEM_OBJECT_IMAGE1D_ARRAY:
      return within(shape.width, CL_DEVICE_IMAGE2D_MAX_WIDTH) &&
             within(shape.array_size, CL_DEVICE_IMAGE_MAX_ARRAY_SIZE);
    case CL_MEM_OBJECT_IMAGE2D:
      return within(shape.width, CL_DEVICE_IMAGE2D_MAX_WIDTH) &&
             within(shape.height, CL_DEVICE_IMAGE2D_MAX_HEIGHT);
    case CL_MEM_OBJECT_IMAGE2D_ARRAY:
      return within(shape.width, CL_DEVICE_IMAGE2D_MAX_WIDTH) &&
             within(shape.height, CL_DEVICE_IMAGE2D_MAX_HEIGHT) &&
             within(shape.array_size, CL_DEVICE_IMAGE_MAX_ARRAY_SIZE);
    default:
      return within(shape.width, CL_DEVICE_IMAGE3D_MAX_WIDTH) &&
             within(shape.height, CL_DEVICE_IMAGE3D_MAX_HEIGHT) &&
             within(shape.depth, CL_DEVICE_IMAGE3D_MAX_DEPTH);
  }
}

// CL_INVALID_OPERATION where no device has images, CL_INVALID_IMAGE_SIZE where none can hold it.
cl_int check_devices(const Context& context, const ImageShape& shape) noexcept {
  cl_int result = CL_INVALID_OPERATION;
  for (const Ref<Device>& device : context.devices()) {
    if (!device->image_support()) continue;
    if (fits_device(shape, *device)) return CL_SUCCESS;
    result = CL_INVALID_IMAGE_SIZE;
  }
  return result;
}

cl_int make_shape(const cl_image_format& format, const cl_image_desc& desc,
                  ImageShape* shape) noexcept {
  const auto type = desc.image_type;
  if (!is_image_type(type)) return CL_INVALID_IMAGE_DESCRIPTOR;
  shape->type = type;
  shape->element = element_bytes(format);
  if (shape->element == 0) return CL_INVALID_IMAGE_FORMAT_DESCRIPTOR;
  shape->width = desc.image_width;
  if (has_height(type)) shape->height = desc.image_height;
  if (type == CL_MEM_OBJECT_IMAGE3D) shape->depth = desc.image_depth;
  if (is_image_array(type)) shape->array_size = desc.image_array_size;
  return CL_SUCCESS;
}

// The buffer or image that the new one is made from, or null: which types may be made from what.
cl_int find_parent(const ImageCall& call, Memory** parent) noexcept {
  const cl_image_desc& desc = *call.desc;
  *parent = nullptr;
  if (desc.mem_object == nullptr) {
    return desc.image_type == CL_MEM_OBJECT_IMAGE1D_BUFFER ? CL_INVALID_IMAGE_DESCRIPTOR
                                                           : CL_SUCCESS;
  }
  Memory* const found = from_cl<Memory>(desc.mem_object);
  if (found == nullptr || &found->context() != &call.context) return CL_INVALID_IMAGE_DESCRIPTOR;
  const bool from_buffer = found->is_buffer() && (desc.image_type == CL_MEM_OBJECT_IMAGE1D_BUFFER ||
                                                  desc.image_type == CL_MEM_OBJECT_IMAGE2D);
  const bool from_image =
      found->type() == CL_MEM_OBJECT_IMAGE2D && desc.image_type == CL_MEM_OBJECT_IMAGE2D;
  if (!from_buffer && !from_image) return CL_INVALID_IMAGE_DESCRIPTOR;
  LW_CL_TRY(found->failure());
  *parent = found;
  return CL_SUCCESS;
}

// An image made from an image shows the same elements: same extent, formats that differ in the
// channel order alone.
cl_int check_from_image(const ImageCall& call, Image& from) noexcept {
  const cl_image_desc& desc = *call.desc;
  const ImageFacts& facts = from.image();
  if (desc.image_width != facts.shape.width || desc.image_height != facts.shape.height)
    return CL_INVALID_IMAGE_DESCRIPTOR;
  const bool pitch_fits = desc.image_row_pitch == 0 || desc.image_row_pitch == facts.row_pitch;
  if (!pitch_fits) return CL_INVALID_IMAGE_DESCRIPTOR;
  const bool same_elements =
      call.format->image_channel_data_type == facts.format.image_channel_data_type &&
      element_bytes(*call.format) == facts.shape.element;
  return same_elements ? CL_SUCCESS : CL_INVALID_IMAGE_FORMAT_DESCRIPTOR;
}

// CL_INVALID_OPERATION where no device makes 2D images of other objects, and
// CL_INVALID_IMAGE_DESCRIPTOR where none takes that pitch of a buffer.
cl_int check_2d_from(const Context& context, const Memory& parent,
                     const ImageFacts& facts) noexcept {
  cl_int result = CL_INVALID_OPERATION;
  for (const Ref<Device>& device : context.devices()) {
    const auto elements = device->value<cl_uint>(CL_DEVICE_IMAGE_PITCH_ALIGNMENT);
    if (elements == 0) continue;
    if (!parent.is_buffer() || facts.row_pitch % (elements * facts.shape.element) == 0)
      return CL_SUCCESS;
    result = CL_INVALID_IMAGE_DESCRIPTOR;
  }
  return result;
}

// Pitches without contents. Section 5.3.1 forbids them, but drivers take them for the layout of the
// image, and programs rely on it: whether this one does, it must say itself.
bool asks_for_layout(const ImageCall& call, const Memory* parent) noexcept {
  return call.host_ptr == nullptr && parent == nullptr &&
         (call.desc->image_row_pitch != 0 || call.desc->image_slice_pitch != 0);
}

// The host's view of the image, with the pitch rules of cl_image_desc.
cl_int make_pitches(const ImageCall& call, Memory* parent, ImageFacts* facts) noexcept {
  const cl_image_desc& desc = *call.desc;
  const ImageShape& shape = facts->shape;
  facts->row_pitch = shape.tight_row_pitch();
  const bool may_give = call.host_ptr != nullptr || asks_for_layout(call, parent);
  const bool may_give_row = may_give || (parent != nullptr && shape.type == CL_MEM_OBJECT_IMAGE2D);
  if (desc.image_row_pitch != 0) {
    if (!may_give_row || desc.image_row_pitch < facts->row_pitch ||
        desc.image_row_pitch % shape.element != 0) {
      return CL_INVALID_IMAGE_DESCRIPTOR;
    }
    facts->row_pitch = desc.image_row_pitch;
  }
  if (parent != nullptr && !parent->is_buffer())
    facts->row_pitch = parent->as_image()->image().row_pitch;
  facts->slice_pitch = shape.tight_slice_pitch(facts->row_pitch);
  if (desc.image_slice_pitch == 0 || !shape.has_slices()) return CL_SUCCESS;
  if (!may_give || desc.image_slice_pitch < facts->slice_pitch ||
      desc.image_slice_pitch % facts->row_pitch != 0) {
    return CL_INVALID_IMAGE_DESCRIPTOR;
  }
  facts->slice_pitch = desc.image_slice_pitch;
  return CL_SUCCESS;
}

cl_int check_parent(const ImageCall& call, Memory& parent, const ImageFacts& facts) noexcept {
  if (facts.shape.type == CL_MEM_OBJECT_IMAGE2D)
    LW_CL_TRY(check_2d_from(call.context, parent, facts));
  if (Image* const from = parent.as_image(); from != nullptr) return check_from_image(call, *from);
  return facts.shape.bytes(facts.row_pitch, 0) <= parent.size() ? CL_SUCCESS
                                                                : CL_INVALID_IMAGE_SIZE;
}

cl_int check_supported(const ImageCall& call, cl_mem_flags flags) noexcept {
  const std::vector<cl_image_format>* formats = nullptr;
  LW_CL_TRY(call.context.image_formats().supported(
      call.context, with_default_access(flags_for_node(flags)), call.desc->image_type, &formats));
  for (const cl_image_format& format : *formats) {
    if (format.image_channel_order == call.format->image_channel_order &&
        format.image_channel_data_type == call.format->image_channel_data_type) {
      return CL_SUCCESS;
    }
  }
  return CL_IMAGE_FORMAT_NOT_SUPPORTED;
}

msg::CreateImage make_message(const Image& image, const ImageCall& call, Memory* parent) noexcept {
  const cl_image_desc& desc = *call.desc;
  msg::CreateImage message;
  message.mem = image.handle();
  message.context = call.context.handle();
  message.flags = flags_for_node(parent == nullptr ? image.flags() : call.flags);
  message.format.channel_order = call.format->image_channel_order;
  message.format.channel_data_type = call.format->image_channel_data_type;
  message.desc.type = desc.image_type;
  message.desc.width = image.shape().width;
  message.desc.height = image.shape().height;
  message.desc.depth = image.shape().depth;
  message.desc.array_size = image.shape().array_size;
  if (parent != nullptr) {
    message.desc.mem = parent->handle();
    if (desc.image_type == CL_MEM_OBJECT_IMAGE2D) message.desc.row_pitch = desc.image_row_pitch;
  }
  if (asks_for_layout(call, parent)) {
    message.desc.row_pitch = desc.image_row_pitch;
    message.desc.slice_pitch = desc.image_slice_pitch;
  }
  return message;
}

cl_int make_facts(const ImageCall& call, Memory* parent, ImageFacts* image,
                  MemoryFacts* memory) noexcept {
  image->format = *call.format;
  LW_CL_TRY(make_shape(*call.format, *call.desc, &image->shape));
  LW_CL_TRY(check_devices(call.context, image->shape));  // first: so no extent is 0
  LW_CL_TRY(make_pitches(call, parent, image));
  memory->type = call.desc->image_type;
  memory->size = image->shape.bytes(image->row_pitch, image->slice_pitch);
  if (memory->size == kAbsurdBytes) return CL_INVALID_IMAGE_SIZE;
  if (parent == nullptr) {
    LW_CL_TRY(check_memory_flags(call.flags));
    LW_CL_TRY(check_host_pointer(call.flags, call.host_ptr));
    memory->flags = with_default_access(call.flags);
    if ((call.flags & CL_MEM_USE_HOST_PTR) != 0) memory->host_ptr = call.host_ptr;
    return CL_SUCCESS;
  }
  if (call.host_ptr != nullptr) return CL_INVALID_HOST_PTR;
  const auto [flags, flags_status] = inherit_flags(parent->flags(), call.flags);
  LW_CL_TRY(flags_status);
  memory->flags = flags;
  memory->host_ptr = parent->host_ptr();
  return check_parent(call, *parent, *image);
}

// What the nodes' drivers say of a creation that was sent: one round trip.
cl_int wait_for_verdict(Memory& memory) noexcept {
  for (const Ref<Device>& device : memory.context().devices()) {
    msg::GetDeviceInfo any;
    any.device = device->handle();
    any.param = CL_DEVICE_TYPE;
    LW_CL_TRY(device->node().call(any));
  }
  return memory.failure();
}

cl_int create_image(const ImageCall& call, const cl_mem_properties* properties,
                    Memory** created) noexcept {
  if (call.format == nullptr) return CL_INVALID_IMAGE_FORMAT_DESCRIPTOR;
  if (call.desc == nullptr) return CL_INVALID_IMAGE_DESCRIPTOR;
  if (call.desc->num_mip_levels != 0 || call.desc->num_samples != 0)
    return CL_INVALID_IMAGE_DESCRIPTOR;
  MemoryFacts facts;
  LW_CL_TRY(read_memory_properties(properties, &facts.properties));
  Memory* parent = nullptr;
  LW_CL_TRY(find_parent(call, &parent));
  ImageFacts image_facts;
  LW_CL_TRY(make_facts(call, parent, &image_facts, &facts));
  LW_CL_TRY(check_supported(call, facts.flags));

  auto* const image = new (std::nothrow) Image(call.context, parent, std::move(facts), image_facts);
  if (image == nullptr) return CL_OUT_OF_HOST_MEMORY;
  msg::CreateImage message = make_message(*image, call, parent);
  Rows contents;
  if (call.host_ptr != nullptr) {
    contents =
        image->shadow_rows({0, 0, 0}, image->shape().box(), static_cast<std::byte*>(call.host_ptr));
  }
  LW_CL_TRY(finish_creation(*image, message, contents, created));
  if (!asks_for_layout(call, parent)) return CL_SUCCESS;
  const cl_int verdict = wait_for_verdict(*image);
  if (verdict != CL_SUCCESS) image->release_api();
  return verdict;
}

cl_mem create(cl_context handle, const cl_mem_properties* properties, cl_mem_flags flags,
              const cl_image_format* format, const cl_image_desc* desc, void* host_ptr,
              cl_int* errcode_ret) noexcept {
  return give_memory(errcode_ret, [&](Memory** created) -> cl_int {
    Context* const context = from_cl<Context>(handle);
    if (context == nullptr) return CL_INVALID_CONTEXT;
    return create_image({*context, flags, format, desc, host_ptr}, properties, created);
  });
}

// The deprecated forms speak of sizes and pitches where the new ones speak of descriptors.
cl_mem create_old(cl_context context, cl_mem_flags flags, const cl_image_format* format,
                  const cl_image_desc& desc, void* host_ptr, cl_int* errcode_ret) noexcept {
  cl_int status = CL_SUCCESS;
  const cl_mem image = create(context, nullptr, flags, format, &desc, host_ptr, &status);
  if (status == CL_INVALID_IMAGE_DESCRIPTOR) status = CL_INVALID_IMAGE_SIZE;
  if (errcode_ret != nullptr) *errcode_ret = status;
  return image;
}

}  // namespace

namespace api {

cl_mem CreateImageWithProperties(cl_context context, const cl_mem_properties* properties,
                                 cl_mem_flags flags, const cl_image_format* image_format,
                                 const cl_image_desc* image_desc, void* host_ptr,
                                 cl_int* errcode_ret) noexcept {
  return create(context, properties, flags, image_format, image_desc, host_ptr, errcode_ret);
}

cl_mem CreateImage(cl_context context, cl_mem_flags flags, const cl_image_format* image_format,
                   const cl_image_desc* image_desc, void* host_ptr, cl_int* errcode_ret) noexcept {
  return create(context, nullptr, flags, image_format, image_desc, host_ptr, errcode_ret);
}

cl_mem CreateImage2D(cl_context context, cl_mem_flags flags, const cl_image_format* image_format,
                     size_t image_width, size_t image_height, size_t image_row_pitch,
                     void* host_ptr, cl_int* errcode_ret) noexcept {
  cl_image_desc desc{};
  desc.image_type = CL_MEM_OBJECT_IMAGE2D;
  desc.image_width = image_width;
  desc.image_height = image_height;
  desc.image_row_pitch = image_row_pitch;
  return create_old(context, flags, image_format, desc, host_ptr, errcode_ret);
}

cl_mem CreateImage3D(cl_context context, cl_mem_flags flags, const cl_image_format* image_format,
                     size_t image_width, size_t image_height, size_t image_depth,
                     size_t image_row_pitch, size_t image_slice_pitch, void* host_ptr,
                     cl_int* errcode_ret) noexcept {
  cl_image_desc desc{};
  desc.image_type = CL_MEM_OBJECT_IMAGE3D;
  desc.image_width = image_width;
  desc.image_height = image_height;
  desc.image_depth = image_depth;
  desc.image_row_pitch = image_row_pitch;
  desc.image_slice_pitch = image_slice_pitch;
  return create_old(context, flags, image_format, desc, host_ptr, errcode_ret);
}

}  // namespace api
}  // namespace longwire::client::opencl
