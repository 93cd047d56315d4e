#include "client/opencl/image.h"

#include "client/opencl/context.h"
#include "opencl/client_api.h"

namespace longwire::client::opencl {

Rows Image::shadow_rows(const Extent3& origin, const Extent3& region,
                        std::byte* base) const noexcept {
  std::byte* const first = base + shape().offset_of(origin, image_.row_pitch, image_.slice_pitch);
  return shape().rows_of(region, first, image_.row_pitch, image_.slice_pitch);
}

cl_int Image::get_info(cl_image_info param, const InfoOut& out) noexcept {
  const ImageShape& shape = image_.shape;
  switch (param) {
    case CL_IMAGE_FORMAT:
      return out.value<cl_image_format>(image_.format);
    case CL_IMAGE_ELEMENT_SIZE:
      return out.value<std::size_t>(shape.element);
    case CL_IMAGE_ROW_PITCH:
      return out.value<std::size_t>(image_.row_pitch);
    case CL_IMAGE_SLICE_PITCH:
      return out.value<std::size_t>(image_.slice_pitch);
    case CL_IMAGE_WIDTH:
      return out.value<std::size_t>(shape.width);
    case CL_IMAGE_HEIGHT:
      return out.value<std::size_t>(shape.height);
    case CL_IMAGE_DEPTH:
      return out.value<std::size_t>(shape.depth);
    case CL_IMAGE_ARRAY_SIZE:
      return out.value<std::size_t>(shape.array_size);
    case CL_IMAGE_BUFFER: {
      Memory* const from = parent();
      return out.value<cl_mem>(from != nullptr && from->is_buffer() ? to_cl<cl_mem>(from)
                                                                    : nullptr);
    }
    case CL_IMAGE_NUM_MIP_LEVELS:
      return out.value<cl_uint>(image_.num_mip_levels);
    case CL_IMAGE_NUM_SAMPLES:
      return out.value<cl_uint>(image_.num_samples);
    default:
      return CL_INVALID_VALUE;
  }
}

namespace api {

cl_int GetImageInfo(cl_mem handle, cl_image_info param_name, size_t param_value_size,
                    void* param_value, size_t* param_value_size_ret) noexcept {
  Memory* const memory = from_cl<Memory>(handle);
  Image* const image = memory == nullptr ? nullptr : memory->as_image();
  if (image == nullptr) return CL_INVALID_MEM_OBJECT;
  return image->get_info(param_name, InfoOut(param_value_size, param_value, param_value_size_ret));
}

}  // namespace api
}  // namespace longwire::client::opencl
