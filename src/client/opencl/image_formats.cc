#include "client/opencl/image_formats.h"

#include <algorithm>

#include "client/opencl/context.h"
#include "client/opencl/enqueue.h"
#include "client/opencl/image_layout.h"
#include "client/opencl/memory_create.h"
#include "opencl/client_api.h"
#include "opencl/messages.h"

namespace longwire::client::opencl {
namespace {

namespace msg = ::longwire::opencl::msg;

bool same(const cl_image_format& a, const cl_image_format& b) {
  return a.image_channel_order == b.image_channel_order &&
         a.image_channel_data_type == b.image_channel_data_type;
}

// Adds the formats that `node` supports and that are not in the list yet: the specification wants
// the union over the devices of a context.
cl_int ask(Node& node, msg::GetSupportedImageFormats message,
           std::vector<cl_image_format>& formats) noexcept {
  return node.call(message, [&](const msg::GetSupportedImageFormats::Reply& reply) {
    for (std::size_t i = 0; i + 1 < reply.formats.size(); i += 2) {
      const cl_image_format format{static_cast<cl_channel_order>(reply.formats[i]),
                                   static_cast<cl_channel_type>(reply.formats[i + 1])};
      const auto is_it = [&](const cl_image_format& known) { return same(known, format); };
      if (std::none_of(formats.begin(), formats.end(), is_it)) formats.push_back(format);
    }
  });
}

}  // namespace

cl_int ImageFormats::supported(Context& context, cl_mem_flags flags, cl_mem_object_type type,
                               const std::vector<cl_image_format>** formats) noexcept {
  const auto key = std::pair(flags, type);
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = known_.find(key); known != known_.end()) {
      *formats = &known->second;
      return CL_SUCCESS;
    }
  }
  msg::GetSupportedImageFormats message;
  message.context = context.handle();
  message.flags = flags;
  message.image_type = type;
  std::vector<cl_image_format> found;
  for (Node* node : context.nodes())
    LW_CL_TRY(ask(*node, message, found));
  const std::lock_guard lock(mutex_);
  *formats = &known_.emplace(key, std::move(found)).first->second;
  return CL_SUCCESS;
}

namespace api {

cl_int GetSupportedImageFormats(cl_context handle, cl_mem_flags flags,
                                cl_mem_object_type image_type, cl_uint num_entries,
                                cl_image_format* image_formats,
                                cl_uint* num_image_formats) noexcept {
  Context* const context = from_cl<Context>(handle);
  if (context == nullptr) return CL_INVALID_CONTEXT;
  const cl_mem_flags plain = flags & ~static_cast<cl_mem_flags>(CL_MEM_KERNEL_READ_AND_WRITE);
  LW_CL_TRY(check_memory_flags(plain));
  if (!is_image_type(image_type)) return CL_INVALID_VALUE;
  if (num_entries == 0 && image_formats != nullptr) return CL_INVALID_VALUE;
  const cl_mem_flags wanted =
      flags_for_node(flags) | (flags & static_cast<cl_mem_flags>(CL_MEM_KERNEL_READ_AND_WRITE));
  const std::vector<cl_image_format>* formats = nullptr;
  LW_CL_TRY(context->image_formats().supported(*context, with_default_access(wanted), image_type,
                                               &formats));
  if (image_formats != nullptr) {
    std::copy_n(formats->begin(), std::min<std::size_t>(num_entries, formats->size()),
                image_formats);
  }
  if (num_image_formats != nullptr) *num_image_formats = static_cast<cl_uint>(formats->size());
  return CL_SUCCESS;
}

}  // namespace api
}  // namespace longwire::client::opencl
