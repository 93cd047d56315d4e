// clGetImageRequirementsInfoEXT: cl_ext_image_requirements_info, "Querying image requirements",
// with the slice pitch of cl_ext_image_from_buffer.
#include <algorithm>

#include "client/opencl/context.h"
#include "client/opencl/image_layout.h"
#include "client/opencl/info.h"
#include "client/opencl/memory.h"
#include "client/opencl/memory_create.h"
#include "opencl/client_api.h"
#include "opencl/messages.h"

namespace longwire::client::opencl {
namespace {

namespace msg = ::longwire::opencl::msg;

// A cl_uint that one extent of such images may reach, of all that the description leaves at 0. The
// other requirements are a size_t.
bool is_limit(cl_image_requirements_info_ext param) noexcept {
  switch (param) {
    case CL_IMAGE_REQUIREMENTS_MAX_WIDTH_EXT:
    case CL_IMAGE_REQUIREMENTS_MAX_HEIGHT_EXT:
    case CL_IMAGE_REQUIREMENTS_MAX_DEPTH_EXT:
    case CL_IMAGE_REQUIREMENTS_MAX_ARRAY_SIZE_EXT:
      return true;
    default:
      return false;
  }
}

bool is_requirement(cl_image_requirements_info_ext param) noexcept {
  switch (param) {
    case CL_IMAGE_REQUIREMENTS_ROW_PITCH_ALIGNMENT_EXT:
    case CL_IMAGE_REQUIREMENTS_SLICE_PITCH_ALIGNMENT_EXT:
    case CL_IMAGE_REQUIREMENTS_BASE_ADDRESS_ALIGNMENT_EXT:
    case CL_IMAGE_REQUIREMENTS_SIZE_EXT:
      return true;
    default:
      return is_limit(param);
  }
}

// Whether images of that type have the requirement. Limits may leave the type open (0).
bool may_ask(cl_image_requirements_info_ext param, cl_mem_object_type type) noexcept {
  if (type == 0) return is_limit(param);
  switch (param) {
    case CL_IMAGE_REQUIREMENTS_MAX_HEIGHT_EXT:
      return has_height(type);
    case CL_IMAGE_REQUIREMENTS_MAX_DEPTH_EXT:
      return type == CL_MEM_OBJECT_IMAGE3D;
    case CL_IMAGE_REQUIREMENTS_MAX_ARRAY_SIZE_EXT:
      return is_image_array(type);
    default:
      return is_image_type(type);
  }
}

// No extent that the type has is 0 (OpenCL 3.0, 5.3.1.2).
bool has_extents(const cl_image_desc& desc) noexcept {
  return desc.image_width != 0 && (!has_height(desc.image_type) || desc.image_height != 0) &&
         (desc.image_type != CL_MEM_OBJECT_IMAGE3D || desc.image_depth != 0) &&
         (!is_image_array(desc.image_type) || desc.image_array_size != 0);
}

// CL_INVALID_IMAGE_DESCRIPTOR, or CL_SUCCESS with the object that the image is to be made from
// (null: none). Which types may be made from what is the node's to say: cl_ext_image_from_buffer.
cl_int check_desc(const Context& context, const cl_image_desc& desc,
                  cl_image_requirements_info_ext param, Memory** parent) noexcept {
  if (!may_ask(param, desc.image_type) || (!is_limit(param) && !has_extents(desc)) ||
      desc.num_mip_levels != 0 || desc.num_samples != 0)
    return CL_INVALID_IMAGE_DESCRIPTOR;
  if (desc.mem_object == nullptr) return CL_SUCCESS;
  *parent = from_cl<Memory>(desc.mem_object);
  if (*parent == nullptr || &(*parent)->context() != &context) return CL_INVALID_IMAGE_DESCRIPTOR;
  return (*parent)->failure();
}

void put_desc(const cl_image_desc& desc, const Memory* parent,
              msg::GetImageRequirements& message) noexcept {
  message.has_desc = 1;
  message.desc.type = desc.image_type;
  message.desc.width = desc.image_width;
  message.desc.height = desc.image_height;
  message.desc.depth = desc.image_depth;
  message.desc.array_size = desc.image_array_size;
  message.desc.row_pitch = desc.image_row_pitch;
  message.desc.slice_pitch = desc.image_slice_pitch;
  if (parent != nullptr) message.desc.mem = parent->handle();
}

// What holds on every node of the context, asked once each: the least of the limits, the largest of
// the sizes and of the alignments, which are powers of two.
cl_int ask(const Context& context, msg::GetImageRequirements message, const InfoOut& out) noexcept {
  const bool limit = is_limit(message.param);
  std::uint64_t value = 0;
  bool first = true;
  for (Node* node : context.nodes()) {
    LW_CL_TRY(node->call(message, [&](const msg::GetImageRequirements::Reply& reply) {
      value = first   ? reply.value
              : limit ? std::min(value, reply.value)
                      : std::max(value, reply.value);
      first = false;
    }));
  }
  return limit ? out.value<cl_uint>(static_cast<cl_uint>(value))
               : out.value<std::size_t>(static_cast<std::size_t>(value));
}

}  // namespace

namespace api {

cl_int GetImageRequirementsInfoEXT(cl_context handle, const cl_mem_properties* properties,
                                   cl_mem_flags flags, const cl_image_format* image_format,
                                   const cl_image_desc* image_desc,
                                   cl_image_requirements_info_ext param_name,
                                   size_t param_value_size, void* param_value,
                                   size_t* param_value_size_ret) noexcept {
  const Context* const context = from_cl<Context>(handle);
  if (context == nullptr) return CL_INVALID_CONTEXT;
  std::vector<cl_mem_properties> unused;
  LW_CL_TRY(read_memory_properties(properties, &unused));
  const auto both_ways = flags & static_cast<cl_mem_flags>(CL_MEM_KERNEL_READ_AND_WRITE);
  LW_CL_TRY(check_memory_flags(flags & ~both_ways));
  if (!is_requirement(param_name)) return CL_INVALID_VALUE;
  const std::size_t needed = is_limit(param_name) ? sizeof(cl_uint) : sizeof(std::size_t);
  if (param_value != nullptr && param_value_size < needed) return CL_INVALID_VALUE;
  if (param_name == CL_IMAGE_REQUIREMENTS_SIZE_EXT &&
      (image_format == nullptr || image_desc == nullptr))
    return CL_INVALID_VALUE;

  msg::GetImageRequirements message;
  message.context = context->handle();
  message.flags = flags_for_node(flags) | both_ways;  // 0 asks for all flags: it stays 0
  message.param = param_name;
  if (image_format != nullptr) {
    if (element_bytes(*image_format) == 0) return CL_INVALID_IMAGE_FORMAT_DESCRIPTOR;
    message.has_format = 1;
    message.format.channel_order = image_format->image_channel_order;
    message.format.channel_data_type = image_format->image_channel_data_type;
  }
  if (image_desc != nullptr) {
    Memory* parent = nullptr;
    LW_CL_TRY(check_desc(*context, *image_desc, param_name, &parent));
    put_desc(*image_desc, parent, message);
  }
  return ask(*context, message, InfoOut(param_value_size, param_value, param_value_size_ret));
}

}  // namespace api
}  // namespace longwire::client::opencl
