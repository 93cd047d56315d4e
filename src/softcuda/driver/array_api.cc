// Arrays. An element's neighbours in a row, a column and a slice lie at fixed distances: there is
// no cache that would want them nearer.
#include "softcuda/driver/capture.h"
#include "softcuda/driver/context.h"
#include "softcuda/driver/device_attributes.h"
#include "softcuda/driver/memory.h"
#include "softcuda/driver/texture.h"

using namespace longwire::softcuda::driver;

namespace {

constexpr std::size_t kRowAlignment = 64;
constexpr unsigned int kKnownFlags = CUDA_ARRAY3D_LAYERED | CUDA_ARRAY3D_SURFACE_LDST |
                                     CUDA_ARRAY3D_TEXTURE_GATHER | CUDA_ARRAY3D_COLOR_ATTACHMENT |
                                     CUDA_ARRAY3D_CUBEMAP;
constexpr unsigned int kFlagsOfOthers = CUDA_ARRAY3D_DEPTH_TEXTURE | CUDA_ARRAY3D_SPARSE |
                                        CUDA_ARRAY3D_DEFERRED_MAPPING |
                                        CUDA_ARRAY3D_VIDEO_ENCODE_DECODE;

struct Most {
  CUdevice_attribute width, height, depth;
};

// Which limits an array has, by its shape.
Most limits_of(const CUDA_ARRAY3D_DESCRIPTOR& d) {
  const bool layered = (d.Flags & CUDA_ARRAY3D_LAYERED) != 0;
#define LIMIT(name) CU_DEVICE_ATTRIBUTE_MAXIMUM_##name
  if ((d.Flags & CUDA_ARRAY3D_CUBEMAP) != 0)
    return {LIMIT(TEXTURECUBEMAP_LAYERED_WIDTH), LIMIT(TEXTURECUBEMAP_LAYERED_WIDTH),
            LIMIT(TEXTURECUBEMAP_LAYERED_LAYERS)};
  if (layered && d.Height == 0)
    return {LIMIT(TEXTURE1D_LAYERED_WIDTH), LIMIT(TEXTURE1D_LAYERED_WIDTH),
            LIMIT(TEXTURE1D_LAYERED_LAYERS)};
  if (layered)
    return {LIMIT(TEXTURE2D_LAYERED_WIDTH), LIMIT(TEXTURE2D_LAYERED_HEIGHT),
            LIMIT(TEXTURE2D_LAYERED_LAYERS)};
  if (d.Depth != 0)
    return {LIMIT(TEXTURE3D_WIDTH), LIMIT(TEXTURE3D_HEIGHT), LIMIT(TEXTURE3D_DEPTH)};
  if (d.Height != 0)
    return {LIMIT(TEXTURE2D_WIDTH), LIMIT(TEXTURE2D_HEIGHT), LIMIT(TEXTURE2D_HEIGHT)};
  return {LIMIT(TEXTURE1D_WIDTH), LIMIT(TEXTURE1D_WIDTH), LIMIT(TEXTURE1D_WIDTH)};
#undef LIMIT
}

// Six square faces, or six of each layer.
bool is_cubic(const CUDA_ARRAY3D_DESCRIPTOR& d) {
  constexpr std::size_t kFaces = 6;
  const bool layered = (d.Flags & CUDA_ARRAY3D_LAYERED) != 0;
  return d.Width == d.Height && d.Depth != 0 &&
         (layered ? d.Depth % kFaces == 0 : d.Depth == kFaces);
}

CUresult check(const Driver& driver, const Device& device, const CUDA_ARRAY3D_DESCRIPTOR& d) {
  const bool layered = (d.Flags & CUDA_ARRAY3D_LAYERED) != 0;
  if (d.Width == 0 || (d.Flags & ~(kKnownFlags | kFlagsOfOthers)) != 0)
    return CUDA_ERROR_INVALID_VALUE;
  if ((d.Flags & kFlagsOfOthers) != 0) return CUDA_ERROR_NOT_SUPPORTED;
  if (layered ? d.Depth == 0 : (d.Height == 0 && d.Depth != 0)) return CUDA_ERROR_INVALID_VALUE;
  if ((d.Flags & CUDA_ARRAY3D_CUBEMAP) != 0 && !is_cubic(d)) return CUDA_ERROR_INVALID_VALUE;
  const Most most = limits_of(d);
  const auto fits = [&](std::size_t size, CUdevice_attribute limit) {
    return size <= static_cast<std::size_t>(device_attribute(driver, device, limit).value_or(0));
  };
  return fits(d.Width, most.width) && fits(d.Height, most.height) && fits(d.Depth, most.depth)
             ? CUDA_SUCCESS
             : CUDA_ERROR_INVALID_VALUE;
}

CUresult create(CUarray* handle, const CUDA_ARRAY3D_DESCRIPTOR& description) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    if (handle == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult status = check_unsafe(driver); status != CUDA_SUCCESS) return status;
    auto array = std::make_shared<Array>();
    array->device = &context->device;
    array->owner = context->handle;
    array->description = description;
    CUresult status =
        element_bytes(description.Format, description.NumChannels, &array->element_bytes);
    if (status == CUDA_SUCCESS) status = check(driver, context->device, description);
    if (status != CUDA_SUCCESS) return status;
    // Within their limits no product of these overflows.
    const std::size_t row = description.Width * array->element_bytes;
    array->pitch = (row + kRowAlignment - 1) / kRowAlignment * kRowAlignment;
    array->rows = std::max<std::size_t>(description.Height, 1);
    array->slices = std::max<std::size_t>(description.Depth, 1);
    status = allocate_block(*context, array->pitch * array->rows * array->slices,
                            Block::Kind::kArray, 0, nullptr, &array->address);
    if (status != CUDA_SUCCESS) return status;  // else the context frees it
    return context->add_object([&] { *handle = driver.arrays.add(std::move(array)); });
  });
}

template <class Body>
CUresult with_array(CUarray handle, const void* out, Body&& body) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    auto array = driver.arrays.find(handle);
    if (array == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    if (out == nullptr) return CUDA_ERROR_INVALID_VALUE;
    return body(driver, *context, *array);
  });
}

}  // namespace

extern "C" {

CUresult cuArrayCreate_v2(CUarray* array, const CUDA_ARRAY_DESCRIPTOR* description) {
  if (description == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return create(array, {description->Width, description->Height, 0, description->Format,
                        description->NumChannels, 0});
}
CUresult cuArray3DCreate_v2(CUarray* array, const CUDA_ARRAY3D_DESCRIPTOR* description) {
  return description == nullptr ? CUDA_ERROR_INVALID_VALUE : create(array, *description);
}

CUresult cuArrayGetDescriptor_v2(CUDA_ARRAY_DESCRIPTOR* description, CUarray handle) {
  return with_array(handle, description, [&](Driver&, Context&, const Array& array) {
    const CUDA_ARRAY3D_DESCRIPTOR& d = array.description;
    *description = {d.Width, d.Height, d.Format, d.NumChannels};
    return CUDA_SUCCESS;
  });
}
CUresult cuArray3DGetDescriptor_v2(CUDA_ARRAY3D_DESCRIPTOR* description, CUarray handle) {
  return with_array(handle, description, [&](Driver&, Context&, const Array& array) {
    *description = array.description;
    return CUDA_SUCCESS;
  });
}

// No array here is sparse, has its memory mapped later, or has planes: so these have no answer.
CUresult cuArrayGetSparseProperties(CUDA_ARRAY_SPARSE_PROPERTIES* properties, CUarray handle) {
  return with_array(handle, properties,
                    [](Driver&, Context&, Array&) { return CUDA_ERROR_INVALID_VALUE; });
}
CUresult cuArrayGetMemoryRequirements(CUDA_ARRAY_MEMORY_REQUIREMENTS* requirements, CUarray handle,
                                      CUdevice ordinal) {
  return with_array(handle, requirements, [&](Driver& driver, Context&, Array&) {
    return driver.device(ordinal) == nullptr ? CUDA_ERROR_INVALID_DEVICE : CUDA_ERROR_INVALID_VALUE;
  });
}
CUresult cuArrayGetPlane(CUarray* plane, CUarray handle, unsigned int) {
  return with_array(handle, plane,
                    [](Driver&, Context&, Array&) { return CUDA_ERROR_INVALID_VALUE; });
}

// Textures of it have no memory from now on: a kernel that reads one faults.
CUresult cuArrayDestroy(CUarray handle) {
  return with_array(handle, &handle, [&](Driver& driver, Context& context, Array& of) -> CUresult {
    if (of.of_mipmap.load()) return CUDA_ERROR_INVALID_HANDLE;
    if (CUresult status = check_unsafe(driver); status != CUDA_SUCCESS) return status;
    if (CUresult status = synchronize_context(context); status != CUDA_SUCCESS) return status;
    auto array = driver.arrays.remove(handle);
    if (array == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    release_block(*array->device, array->address);
    return CUDA_SUCCESS;
  });
}

}  // extern "C"
