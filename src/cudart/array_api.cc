// Arrays, textures and surfaces.
#include "cudart/array_format.h"
#include "cudart/context.h"
#include "cudart/copy3d.h"

using namespace longwire::cudart;

namespace {

// The runtime's flags of arrays are the driver's, of another name.
static_assert(cudaArrayLayered == CUDA_ARRAY3D_LAYERED &&
              cudaArraySurfaceLoadStore == CUDA_ARRAY3D_SURFACE_LDST);

// false: there are no such channels.
bool to_driver(const cudaChannelFormatDesc& channels, const cudaExtent& extent, unsigned int flags,
               CUDA_ARRAY3D_DESCRIPTOR& description) {
  description = {};
  description.Width = extent.width;
  description.Height = extent.height;
  description.Depth = extent.depth;
  description.Flags = flags;
  return longwire::cudart::to_driver(channels, description.Format, description.NumChannels);
}

// Both sides of a resource are written out: their layouts differ.
bool to_driver(const cudaResourceDesc& asked, CUDA_RESOURCE_DESC& resource) {
  resource = {};
  resource.flags = asked.flags;
  switch (asked.resType) {
    case cudaResourceTypeArray:
      resource.resType = CU_RESOURCE_TYPE_ARRAY;
      resource.res.array.hArray = array_of(asked.res.array.array);
      return true;
    case cudaResourceTypeMipmappedArray:
      resource.resType = CU_RESOURCE_TYPE_MIPMAPPED_ARRAY;
      resource.res.mipmap.hMipmappedArray =
          reinterpret_cast<CUmipmappedArray>(asked.res.mipmap.mipmap);
      return true;
    case cudaResourceTypeLinear:
      resource.resType = CU_RESOURCE_TYPE_LINEAR;
      resource.res.linear.devPtr = address_of(asked.res.linear.devPtr);
      resource.res.linear.sizeInBytes = asked.res.linear.sizeInBytes;
      return longwire::cudart::to_driver(asked.res.linear.desc, resource.res.linear.format,
                                         resource.res.linear.numChannels);
    case cudaResourceTypePitch2D:
      resource.resType = CU_RESOURCE_TYPE_PITCH2D;
      resource.res.pitch2D.devPtr = address_of(asked.res.pitch2D.devPtr);
      resource.res.pitch2D.width = asked.res.pitch2D.width;
      resource.res.pitch2D.height = asked.res.pitch2D.height;
      resource.res.pitch2D.pitchInBytes = asked.res.pitch2D.pitchInBytes;
      return longwire::cudart::to_driver(asked.res.pitch2D.desc, resource.res.pitch2D.format,
                                         resource.res.pitch2D.numChannels);
    default:
      return false;
  }
}

// Elements are read as integers where the program wants them as they are.
CUDA_TEXTURE_DESC to_driver(const cudaTextureDesc& asked) {
  CUDA_TEXTURE_DESC texture{};
  for (int i = 0; i < 3; ++i)
    texture.addressMode[i] = static_cast<CUaddress_mode>(asked.addressMode[i]);
  texture.filterMode = static_cast<CUfilter_mode>(asked.filterMode);
  texture.flags =
      (asked.readMode == cudaReadModeElementType ? CU_TRSF_READ_AS_INTEGER : 0U) |
      (asked.normalizedCoords != 0 ? CU_TRSF_NORMALIZED_COORDINATES : 0U) |
      (asked.sRGB != 0 ? CU_TRSF_SRGB : 0U) |
      (asked.disableTrilinearOptimization != 0 ? CU_TRSF_DISABLE_TRILINEAR_OPTIMIZATION : 0U) |
      (asked.seamlessCubemap != 0 ? CU_TRSF_SEAMLESS_CUBEMAP : 0U);
  texture.maxAnisotropy = asked.maxAnisotropy;
  texture.mipmapFilterMode = static_cast<CUfilter_mode>(asked.mipmapFilterMode);
  texture.mipmapLevelBias = asked.mipmapLevelBias;
  texture.minMipmapLevelClamp = asked.minMipmapLevelClamp;
  texture.maxMipmapLevelClamp = asked.maxMipmapLevelClamp;
  for (int i = 0; i < 4; ++i)
    texture.borderColor[i] = asked.borderColor[i];
  return texture;
}

cudaResourceDesc to_runtime(const CUDA_RESOURCE_DESC& resource) {
  cudaResourceDesc of{};
  of.resType = static_cast<cudaResourceType>(resource.resType);  // of the same numbers
  of.flags = resource.flags;
  const auto& res = resource.res;
  using longwire::cudart::to_runtime;
  switch (resource.resType) {
    case CU_RESOURCE_TYPE_ARRAY:
      of.res.array.array = reinterpret_cast<cudaArray_t>(res.array.hArray);
      break;
    case CU_RESOURCE_TYPE_MIPMAPPED_ARRAY:
      of.res.mipmap.mipmap = reinterpret_cast<cudaMipmappedArray_t>(res.mipmap.hMipmappedArray);
      break;
    case CU_RESOURCE_TYPE_LINEAR:
      of.res.linear.devPtr = pointer_to(res.linear.devPtr);
      of.res.linear.desc = to_runtime(res.linear.format, res.linear.numChannels);
      of.res.linear.sizeInBytes = res.linear.sizeInBytes;
      break;
    default:
      of.res.pitch2D.devPtr = pointer_to(res.pitch2D.devPtr);
      of.res.pitch2D.desc = to_runtime(res.pitch2D.format, res.pitch2D.numChannels);
      of.res.pitch2D.width = res.pitch2D.width;
      of.res.pitch2D.height = res.pitch2D.height;
      of.res.pitch2D.pitchInBytes = res.pitch2D.pitchInBytes;
  }
  return of;
}

cudaTextureDesc to_runtime(const CUDA_TEXTURE_DESC& texture) {
  cudaTextureDesc of{};
  const auto has = [&](unsigned int flag) { return (texture.flags & flag) != 0 ? 1 : 0; };
  for (int i = 0; i < 3; ++i)
    of.addressMode[i] = static_cast<cudaTextureAddressMode>(texture.addressMode[i]);
  of.filterMode = static_cast<cudaTextureFilterMode>(texture.filterMode);
  of.readMode =
      has(CU_TRSF_READ_AS_INTEGER) != 0 ? cudaReadModeElementType : cudaReadModeNormalizedFloat;
  of.normalizedCoords = has(CU_TRSF_NORMALIZED_COORDINATES);
  of.sRGB = has(CU_TRSF_SRGB);
  of.disableTrilinearOptimization = has(CU_TRSF_DISABLE_TRILINEAR_OPTIMIZATION);
  of.seamlessCubemap = has(CU_TRSF_SEAMLESS_CUBEMAP);
  of.maxAnisotropy = texture.maxAnisotropy;
  of.mipmapFilterMode = static_cast<cudaTextureFilterMode>(texture.mipmapFilterMode);
  of.mipmapLevelBias = texture.mipmapLevelBias;
  of.minMipmapLevelClamp = texture.minMipmapLevelClamp;
  of.maxMipmapLevelClamp = texture.maxMipmapLevelClamp;
  for (int i = 0; i < 4; ++i)
    of.borderColor[i] = texture.borderColor[i];
  return of;
}

// What the driver says of an object, in the runtime's words. Without a place the driver refuses.
template <class Described, class Runtime, class Question>
CUresult ask(Runtime* answer, Question question, unsigned long long object) {
  Described found{};
  const CUresult result = question(answer == nullptr ? nullptr : &found, object);
  if (result == CUDA_SUCCESS) *answer = to_runtime(found);
  return result;
}

CUresult describe(const DriverTable& cu, cudaArray_const_t array,
                  CUDA_ARRAY3D_DESCRIPTOR& description) {
  return cu.cuArray3DGetDescriptor_v2(&description, array_of(array));
}

}  // namespace

extern "C" {

cudaChannelFormatDesc cudaCreateChannelDesc(int x, int y, int z, int w, cudaChannelFormatKind f) {
  return {x, y, z, w, f};
}

cudaError_t cudaMallocArray(cudaArray_t* array, const cudaChannelFormatDesc* description,
                            std::size_t width, std::size_t height, unsigned int flags) {
  return cudaMalloc3DArray(array, description, {width, height, 0}, flags);
}

cudaError_t cudaMalloc3DArray(cudaArray_t* array, const cudaChannelFormatDesc* description,
                              cudaExtent extent, unsigned int flags) {
  return in_context([&](const DriverTable& cu) -> CUresult {
    CUDA_ARRAY3D_DESCRIPTOR asked;
    if (array == nullptr || description == nullptr ||
        !to_driver(*description, extent, flags, asked))
      return CUDA_ERROR_INVALID_VALUE;
    return cu.cuArray3DCreate_v2(reinterpret_cast<CUarray*>(array), &asked);
  });
}

cudaError_t cudaMallocMipmappedArray(cudaMipmappedArray_t* mipmap,
                                     const cudaChannelFormatDesc* description, cudaExtent extent,
                                     unsigned int levels, unsigned int flags) {
  return in_context([&](const DriverTable& cu) -> CUresult {
    CUDA_ARRAY3D_DESCRIPTOR asked;
    if (mipmap == nullptr || description == nullptr ||
        !to_driver(*description, extent, flags, asked))
      return CUDA_ERROR_INVALID_VALUE;
    return cu.cuMipmappedArrayCreate(reinterpret_cast<CUmipmappedArray*>(mipmap), &asked, levels);
  });
}

cudaError_t cudaGetMipmappedArrayLevel(cudaArray_t* array, cudaMipmappedArray_const_t mipmap,
                                       unsigned int level) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuMipmappedArrayGetLevel(
        reinterpret_cast<CUarray*>(array),
        reinterpret_cast<CUmipmappedArray>(const_cast<cudaMipmappedArray_t>(mipmap)), level);
  });
}

cudaError_t cudaFreeMipmappedArray(cudaMipmappedArray_t mipmap) {
  return in_context([&](const DriverTable& cu) -> CUresult {
    return mipmap == nullptr
               ? CUDA_SUCCESS
               : cu.cuMipmappedArrayDestroy(reinterpret_cast<CUmipmappedArray>(mipmap));
  });
}

cudaError_t cudaFreeArray(cudaArray_t array) {
  return in_context([&](const DriverTable& cu) -> CUresult {
    return array == nullptr ? CUDA_SUCCESS : cu.cuArrayDestroy(array_of(array));
  });
}

cudaError_t cudaGetChannelDesc(cudaChannelFormatDesc* description, cudaArray_const_t array) {
  return in_context([&](const DriverTable& cu) -> CUresult {
    if (description == nullptr) return CUDA_ERROR_INVALID_VALUE;
    CUDA_ARRAY3D_DESCRIPTOR found{};
    const CUresult result = describe(cu, array, found);
    if (result == CUDA_SUCCESS) *description = to_runtime(found.Format, found.NumChannels);
    return result;
  });
}

cudaError_t cudaArrayGetInfo(cudaChannelFormatDesc* description, cudaExtent* extent,
                             unsigned int* flags, cudaArray_t array) {
  return in_context([&](const DriverTable& cu) -> CUresult {
    CUDA_ARRAY3D_DESCRIPTOR found{};
    const CUresult result = describe(cu, array, found);
    if (result != CUDA_SUCCESS) return result;
    if (description != nullptr) *description = to_runtime(found.Format, found.NumChannels);
    if (extent != nullptr) *extent = {found.Width, found.Height, found.Depth};
    if (flags != nullptr) *flags = found.Flags;
    return CUDA_SUCCESS;
  });
}

cudaError_t cudaCreateTextureObject(cudaTextureObject_t* texture, const cudaResourceDesc* resource,
                                    const cudaTextureDesc* description,
                                    const cudaResourceViewDesc* view) {
  // Fields of a view have the driver's order, and its formats the driver's numbers.
  static_assert(sizeof(cudaResourceViewDesc) == sizeof(CUDA_RESOURCE_VIEW_DESC));
  return in_context([&](const DriverTable& cu) -> CUresult {
    CUDA_RESOURCE_DESC of_driver;
    if (texture == nullptr || resource == nullptr || description == nullptr ||
        !to_driver(*resource, of_driver))
      return CUDA_ERROR_INVALID_VALUE;
    const CUDA_TEXTURE_DESC wanted = to_driver(*description);
    return cu.cuTexObjectCreate(texture, &of_driver, &wanted,
                                reinterpret_cast<const CUDA_RESOURCE_VIEW_DESC*>(view));
  });
}

cudaError_t cudaDestroyTextureObject(cudaTextureObject_t texture) {
  return in_context([&](const DriverTable& cu) { return cu.cuTexObjectDestroy(texture); });
}

cudaError_t cudaGetTextureObjectResourceDesc(cudaResourceDesc* resource,
                                             cudaTextureObject_t texture) {
  return in_context([&](const DriverTable& cu) {
    return ask<CUDA_RESOURCE_DESC>(resource, cu.cuTexObjectGetResourceDesc, texture);
  });
}

cudaError_t cudaGetTextureObjectTextureDesc(cudaTextureDesc* description,
                                            cudaTextureObject_t texture) {
  return in_context([&](const DriverTable& cu) {
    return ask<CUDA_TEXTURE_DESC>(description, cu.cuTexObjectGetTextureDesc, texture);
  });
}

cudaError_t cudaGetTextureObjectResourceViewDesc(cudaResourceViewDesc* view,
                                                 cudaTextureObject_t texture) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuTexObjectGetResourceViewDesc(reinterpret_cast<CUDA_RESOURCE_VIEW_DESC*>(view),
                                             texture);
  });
}

cudaError_t cudaDeviceGetTexture1DLinearMaxWidth(std::size_t* elements,
                                                 const cudaChannelFormatDesc* description,
                                                 int device) {
  return in_context([&](const DriverTable& cu) -> CUresult {
    CUarray_format format{};
    unsigned int channels = 0;
    if (description == nullptr || !longwire::cudart::to_driver(*description, format, channels))
      return CUDA_ERROR_INVALID_VALUE;
    return cu.cuDeviceGetTexture1DLinearMaxWidth(elements, format, channels, device);
  });
}

cudaError_t cudaCreateSurfaceObject(cudaSurfaceObject_t* surface,
                                    const cudaResourceDesc* resource) {
  return in_context([&](const DriverTable& cu) -> CUresult {
    CUDA_RESOURCE_DESC of_driver;
    if (surface == nullptr || resource == nullptr || !to_driver(*resource, of_driver))
      return CUDA_ERROR_INVALID_VALUE;
    return cu.cuSurfObjectCreate(surface, &of_driver);
  });
}

cudaError_t cudaGetSurfaceObjectResourceDesc(cudaResourceDesc* resource,
                                             cudaSurfaceObject_t surface) {
  return in_context([&](const DriverTable& cu) {
    return ask<CUDA_RESOURCE_DESC>(resource, cu.cuSurfObjectGetResourceDesc, surface);
  });
}

cudaError_t cudaDestroySurfaceObject(cudaSurfaceObject_t surface) {
  return in_context([&](const DriverTable& cu) { return cu.cuSurfObjectDestroy(surface); });
}

}  // extern "C"
