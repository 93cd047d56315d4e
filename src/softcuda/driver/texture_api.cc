// Texture and surface objects.
#include "softcuda/driver/texture.h"

#include "softcuda/driver/device_attributes.h"
#include "softcuda/driver/memory.h"

namespace longwire::softcuda::driver {

std::optional<machine::TexelFormat> texel_format(CUarray_format format) noexcept {
  using machine::TexelFormat;
  switch (format) {
    case CU_AD_FORMAT_UNSIGNED_INT8:
      return TexelFormat::kU8;
    case CU_AD_FORMAT_UNSIGNED_INT16:
      return TexelFormat::kU16;
    case CU_AD_FORMAT_UNSIGNED_INT32:
      return TexelFormat::kU32;
    case CU_AD_FORMAT_SIGNED_INT8:
      return TexelFormat::kS8;
    case CU_AD_FORMAT_SIGNED_INT16:
      return TexelFormat::kS16;
    case CU_AD_FORMAT_SIGNED_INT32:
      return TexelFormat::kS32;
    case CU_AD_FORMAT_HALF:
      return TexelFormat::kF16;
    case CU_AD_FORMAT_FLOAT:
      return TexelFormat::kF32;
    default:
      return std::nullopt;
  }
}

CUresult element_bytes(CUarray_format format, unsigned int channels, std::size_t* bytes) noexcept {
  const auto known = texel_format(format);
  if (!known.has_value())
    return format >= CU_AD_FORMAT_UNORM_INT_101010_2 && format <= CU_AD_FORMAT_SNORM_INT16X4
               ? CUDA_ERROR_NOT_SUPPORTED
               : CUDA_ERROR_INVALID_VALUE;
  if (!is_channel_count(channels)) return CUDA_ERROR_INVALID_VALUE;
  *bytes = std::size_t{machine::bytes_of(*known)} * channels;
  return CUDA_SUCCESS;
}

void destroy_textures_of(Device& device, CUcontext context) {
  std::lock_guard lock(device.mutex);
  for (auto each = device.textures.begin(); each != device.textures.end();) {
    if (each->second.owner != context) {
      ++each;
      continue;
    }
    device.machine->textures().remove(each->first);
    each = device.textures.erase(each);
  }
}

}  // namespace longwire::softcuda::driver

using namespace longwire::softcuda::driver;
namespace machine = longwire::softcuda::machine;

namespace {

constexpr unsigned int kTextureFlags = CU_TRSF_READ_AS_INTEGER | CU_TRSF_NORMALIZED_COORDINATES |
                                       CU_TRSF_SRGB | CU_TRSF_DISABLE_TRILINEAR_OPTIMIZATION |
                                       CU_TRSF_SEAMLESS_CUBEMAP;

std::size_t limit(const Driver& driver, const Device& device, CUdevice_attribute which) {
  return static_cast<std::size_t>(device_attribute(driver, device, which).value_or(0));
}
bool is_aligned(const Driver& driver, const Device& device, std::uint64_t value,
                CUdevice_attribute alignment) {
  return value % limit(driver, device, alignment) == 0;
}

CUresult place_array(Driver& driver, CUarray handle, machine::Texture& texture) {
  auto array = driver.arrays.find(handle);
  if (array == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  const CUDA_ARRAY3D_DESCRIPTOR& d = array->description;
  texture.format = *texel_format(d.Format);
  texture.channels = static_cast<std::uint8_t>(d.NumChannels);
  texture.address = array->address;
  texture.width = static_cast<std::uint32_t>(d.Width);
  texture.height = static_cast<std::uint32_t>(array->rows);
  texture.cube = (d.Flags & CUDA_ARRAY3D_CUBEMAP) != 0;
  texture.layered = texture.cube || (d.Flags & CUDA_ARRAY3D_LAYERED) != 0;
  (texture.layered ? texture.layers : texture.depth) = static_cast<std::uint32_t>(array->slices);
  texture.dimensions = d.Depth != 0 && !texture.layered ? 3 : d.Height != 0 ? 2 : 1;
  texture.pitch = array->pitch;
  texture.slice = texture.layer = array->pitch * array->rows;
  return CUDA_SUCCESS;
}

// `view` may leave levels out at both ends.
CUresult place_mipmap(Driver& driver, CUmipmappedArray handle, const CUDA_RESOURCE_VIEW_DESC* view,
                      machine::Texture& texture) {
  auto mipmap = driver.mipmaps.find(handle);
  if (mipmap == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  const std::size_t first = view == nullptr ? 0 : view->firstMipmapLevel;
  const std::size_t last = view == nullptr ? mipmap->levels.size() - 1 : view->lastMipmapLevel;
  if (first > last || last >= mipmap->levels.size()) return CUDA_ERROR_INVALID_VALUE;
  std::vector<machine::Texture> levels(last - first + 1);
  for (std::size_t i = 0; i < levels.size(); ++i)
    if (CUresult status = place_array(driver, mipmap->levels[first + i], levels[i]);
        status != CUDA_SUCCESS)
      return status;
  texture = levels.front();
  texture.levels = std::move(levels);
  return CUDA_SUCCESS;
}

CUresult place_linear(Driver& driver, const Device& device, const CUDA_RESOURCE_DESC& resource,
                      machine::Texture& texture) {
  const auto& linear = resource.res.linear;
  std::size_t bytes = 0;
  if (CUresult status = element_bytes(linear.format, linear.numChannels, &bytes);
      status != CUDA_SUCCESS)
    return status;
  const std::size_t width = linear.sizeInBytes / bytes;
  if (width == 0 ||
      width > limit(driver, device, CU_DEVICE_ATTRIBUTE_MAXIMUM_TEXTURE1D_LINEAR_WIDTH) ||
      !is_aligned(driver, device, linear.devPtr, CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT) ||
      !is_device_range(driver, linear.devPtr, linear.sizeInBytes))
    return CUDA_ERROR_INVALID_VALUE;
  texture.format = *texel_format(linear.format);
  texture.channels = static_cast<std::uint8_t>(linear.numChannels);
  texture.address = linear.devPtr;
  texture.width = static_cast<std::uint32_t>(width);
  texture.unbounded = true;
  return CUDA_SUCCESS;
}

CUresult place_pitched(Driver& driver, const Device& device, const CUDA_RESOURCE_DESC& resource,
                       machine::Texture& texture) {
  const auto& pitched = resource.res.pitch2D;
  std::size_t bytes = 0;
  if (CUresult status = element_bytes(pitched.format, pitched.numChannels, &bytes);
      status != CUDA_SUCCESS)
    return status;
  const auto most = [&](CUdevice_attribute which) { return limit(driver, device, which); };
  if (pitched.width == 0 || pitched.height == 0 ||
      pitched.width > most(CU_DEVICE_ATTRIBUTE_MAXIMUM_TEXTURE2D_LINEAR_WIDTH) ||
      pitched.height > most(CU_DEVICE_ATTRIBUTE_MAXIMUM_TEXTURE2D_LINEAR_HEIGHT) ||
      pitched.pitchInBytes > most(CU_DEVICE_ATTRIBUTE_MAXIMUM_TEXTURE2D_LINEAR_PITCH) ||
      pitched.pitchInBytes < pitched.width * bytes ||
      !is_aligned(driver, device, pitched.devPtr, CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT) ||
      !is_aligned(driver, device, pitched.pitchInBytes,
                  CU_DEVICE_ATTRIBUTE_TEXTURE_PITCH_ALIGNMENT) ||
      !is_device_range(driver, pitched.devPtr,
                       (pitched.height - 1) * pitched.pitchInBytes + pitched.width * bytes))
    return CUDA_ERROR_INVALID_VALUE;
  texture.format = *texel_format(pitched.format);
  texture.channels = static_cast<std::uint8_t>(pitched.numChannels);
  texture.address = pitched.devPtr;
  texture.width = static_cast<std::uint32_t>(pitched.width);
  texture.height = static_cast<std::uint32_t>(pitched.height);
  texture.pitch = pitched.pitchInBytes;
  texture.dimensions = 2;
  return CUDA_SUCCESS;
}

CUresult place(Driver& driver, const Device& device, const CUDA_RESOURCE_DESC& resource,
               const CUDA_RESOURCE_VIEW_DESC* view, machine::Texture& texture) {
  if (resource.flags != 0) return CUDA_ERROR_INVALID_VALUE;
  switch (resource.resType) {
    case CU_RESOURCE_TYPE_ARRAY:
      return place_array(driver, resource.res.array.hArray, texture);
    case CU_RESOURCE_TYPE_LINEAR:
      return place_linear(driver, device, resource, texture);
    case CU_RESOURCE_TYPE_PITCH2D:
      return place_pitched(driver, device, resource, texture);
    case CU_RESOURCE_TYPE_MIPMAPPED_ARRAY:
      return place_mipmap(driver, resource.res.mipmap.hMipmappedArray, view, texture);
    default:
      return CUDA_ERROR_INVALID_VALUE;
  }
}

bool gives_integers(const machine::Texture& texture) {
  const bool floats =
      texture.format == machine::TexelFormat::kF16 || texture.format == machine::TexelFormat::kF32;
  return !floats && (texture.as_integer || machine::bytes_of(texture.format) == 4);
}

CUresult describe(const CUDA_TEXTURE_DESC& asked, bool plain, machine::Texture& texture) {
  if ((asked.flags & ~kTextureFlags) != 0 || asked.filterMode < CU_TR_FILTER_MODE_POINT ||
      asked.filterMode > CU_TR_FILTER_MODE_LINEAR)
    return CUDA_ERROR_INVALID_VALUE;
  for (int n = 0; n < 3; ++n) {
    const CUaddress_mode mode = asked.addressMode[n];
    if (mode < CU_TR_ADDRESS_MODE_WRAP || mode > CU_TR_ADDRESS_MODE_BORDER)
      return CUDA_ERROR_INVALID_VALUE;
    texture.addressing[n] = static_cast<machine::TextureAddressing>(mode);
  }
  texture.linear_filter = asked.filterMode == CU_TR_FILTER_MODE_LINEAR && !plain;
  texture.normalized_coordinates = (asked.flags & CU_TRSF_NORMALIZED_COORDINATES) != 0 && !plain;
  texture.as_integer = (asked.flags & CU_TRSF_READ_AS_INTEGER) != 0;
  texture.srgb = (asked.flags & CU_TRSF_SRGB) != 0;
  for (int n = 0; n < 4; ++n)
    texture.border[n] = asked.borderColor[n];
  if (texture.cube) {  // a direction leads to a point of a face; nothing is filtered across edges
    if (texture.linear_filter && (asked.flags & CU_TRSF_SEAMLESS_CUBEMAP) != 0)
      return CUDA_ERROR_NOT_SUPPORTED;
    texture.normalized_coordinates = true;
    for (auto& mode : texture.addressing)
      mode = machine::TextureAddressing::kClamp;
  }
  return texture.linear_filter && gives_integers(texture) ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

// Its levels are read as it is itself.
CUresult describe_levels(const CUDA_TEXTURE_DESC& asked, machine::Texture& texture) {
  if (texture.levels.empty()) return CUDA_SUCCESS;
  texture.linear_mipmaps = asked.mipmapFilterMode == CU_TR_FILTER_MODE_LINEAR;
  if (!texture.normalized_coordinates || asked.mipmapFilterMode < CU_TR_FILTER_MODE_POINT ||
      asked.mipmapFilterMode > CU_TR_FILTER_MODE_LINEAR ||
      (texture.linear_mipmaps && gives_integers(texture)))
    return CUDA_ERROR_INVALID_VALUE;
  texture.level_bias = asked.mipmapLevelBias;
  texture.least_level = asked.minMipmapLevelClamp;
  texture.most_level = asked.maxMipmapLevelClamp;
  for (machine::Texture& level : texture.levels)
    if (CUresult status = describe(asked, false, level); status != CUDA_SUCCESS) return status;
  return CUDA_SUCCESS;
}

// A view that shows an array as it is anyhow.
CUresult check_view(const CUDA_RESOURCE_DESC& resource, const CUDA_RESOURCE_VIEW_DESC* view) {
  if (view == nullptr) return CUDA_SUCCESS;
  if (resource.resType != CU_RESOURCE_TYPE_ARRAY &&
      resource.resType != CU_RESOURCE_TYPE_MIPMAPPED_ARRAY)
    return CUDA_ERROR_INVALID_VALUE;
  return view->format == CU_RES_VIEW_FORMAT_NONE ? CUDA_SUCCESS : CUDA_ERROR_NOT_SUPPORTED;
}

CUresult keep(Context& context, const machine::Texture& texture, TextureObject object,
              unsigned long long* handle) {
  Device& device = context.device;
  auto made = device.machine->textures().add(texture);
  if (!made.ok()) return CUDA_ERROR_OUT_OF_MEMORY;
  object.owner = context.handle;
  object.surface = texture.surface;
  CUresult status = context.add_object([&] {
    std::lock_guard lock(device.mutex);
    device.textures.emplace(*made, object);
    *handle = *made;
  });
  if (status != CUDA_SUCCESS) device.machine->textures().remove(*made);
  return status;
}

template <class Body>
CUresult with_object(unsigned long long handle, bool surface, const void* out, Body&& body) {
  return in_context([&](Driver&, const std::shared_ptr<Context>& context) -> CUresult {
    Device& device = context->device;
    std::lock_guard lock(device.mutex);
    auto found = device.textures.find(handle);
    if (found == device.textures.end() || found->second.surface != surface || out == nullptr)
      return CUDA_ERROR_INVALID_VALUE;
    return body(device, found);
  });
}

// Grids that run keep it until they end.
CUresult destroy(unsigned long long handle, bool surface) {
  return with_object(handle, surface, &handle, [&](Device& device, auto found) {
    device.machine->textures().remove(handle);
    device.textures.erase(found);
    return CUDA_SUCCESS;
  });
}

}  // namespace

extern "C" {

CUresult cuTexObjectCreate(CUtexObject* handle, const CUDA_RESOURCE_DESC* resource,
                           const CUDA_TEXTURE_DESC* description,
                           const CUDA_RESOURCE_VIEW_DESC* view) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    if (handle == nullptr || resource == nullptr || description == nullptr)
      return CUDA_ERROR_INVALID_VALUE;
    machine::Texture texture;
    CUresult status = check_view(*resource, view);
    if (status == CUDA_SUCCESS) status = place(driver, context->device, *resource, view, texture);
    if (status == CUDA_SUCCESS) status = describe(*description, texture.unbounded, texture);
    if (status == CUDA_SUCCESS) status = describe_levels(*description, texture);
    if (status != CUDA_SUCCESS) return status;
    TextureObject object;
    object.resource = *resource;
    object.texture = *description;
    if (view != nullptr) object.view = *view;
    return keep(*context, texture, object, handle);
  });
}
CUresult cuTexObjectDestroy(CUtexObject texture) { return destroy(texture, false); }

CUresult cuTexObjectGetResourceDesc(CUDA_RESOURCE_DESC* resource, CUtexObject texture) {
  return with_object(texture, false, resource, [&](Device&, auto found) {
    *resource = found->second.resource;
    return CUDA_SUCCESS;
  });
}
CUresult cuTexObjectGetTextureDesc(CUDA_TEXTURE_DESC* description, CUtexObject texture) {
  return with_object(texture, false, description, [&](Device&, auto found) {
    *description = found->second.texture;
    return CUDA_SUCCESS;
  });
}
CUresult cuTexObjectGetResourceViewDesc(CUDA_RESOURCE_VIEW_DESC* view, CUtexObject texture) {
  return with_object(texture, false, view, [&](Device&, auto found) -> CUresult {
    if (!found->second.view.has_value()) return CUDA_ERROR_INVALID_VALUE;
    *view = *found->second.view;
    return CUDA_SUCCESS;
  });
}

CUresult cuSurfObjectCreate(CUsurfObject* handle, const CUDA_RESOURCE_DESC* resource) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    if (handle == nullptr || resource == nullptr || resource->resType != CU_RESOURCE_TYPE_ARRAY)
      return CUDA_ERROR_INVALID_VALUE;
    machine::Texture surface;
    CUresult status = place(driver, context->device, *resource, nullptr, surface);
    if (status != CUDA_SUCCESS) return status;
    auto array = driver.arrays.find(resource->res.array.hArray);
    if (array == nullptr || (array->description.Flags & CUDA_ARRAY3D_SURFACE_LDST) == 0)
      return CUDA_ERROR_INVALID_VALUE;
    surface.surface = true;
    TextureObject object;
    object.resource = *resource;
    return keep(*context, surface, object, handle);
  });
}
CUresult cuSurfObjectDestroy(CUsurfObject surface) { return destroy(surface, true); }
CUresult cuSurfObjectGetResourceDesc(CUDA_RESOURCE_DESC* resource, CUsurfObject surface) {
  return with_object(surface, true, resource, [&](Device&, auto found) {
    *resource = found->second.resource;
    return CUDA_SUCCESS;
  });
}

CUresult cuDeviceGetTexture1DLinearMaxWidth(size_t* elements, CUarray_format format,
                                            unsigned int channels, CUdevice ordinal) {
  return guarded([&](Driver& driver) -> CUresult {
    const Device* device = driver.device(ordinal);
    if (device == nullptr) return CUDA_ERROR_INVALID_DEVICE;
    std::size_t bytes = 0;
    if (elements == nullptr) return CUDA_ERROR_INVALID_VALUE;
    CUresult status = element_bytes(format, channels, &bytes);
    if (status == CUDA_SUCCESS)
      *elements = limit(driver, *device, CU_DEVICE_ATTRIBUTE_MAXIMUM_TEXTURE1D_LINEAR_WIDTH);
    return status;
  });
}

}  // extern "C"
