// Mipmapped arrays: arrays of which each is half as large as the one before.
#include <algorithm>
#include <bit>

#include "softcuda/driver/capture.h"
#include "softcuda/driver/context.h"
#include "softcuda/driver/memory.h"

using namespace longwire::softcuda::driver;

namespace {

bool is_layered(const CUDA_ARRAY3D_DESCRIPTOR& d) {  // in the widest sense: a cube has six
  return (d.Flags & (CUDA_ARRAY3D_LAYERED | CUDA_ARRAY3D_CUBEMAP)) != 0;
}

// As many as there can be, until a level is of one element.
unsigned int most_levels(const CUDA_ARRAY3D_DESCRIPTOR& d) {
  const std::size_t depth = is_layered(d) ? 0 : d.Depth;
  return static_cast<unsigned int>(std::bit_width(std::max({d.Width, d.Height, depth})));
}

// A dimension that there is not stays away; layers stay as many.
CUDA_ARRAY3D_DESCRIPTOR level_of(CUDA_ARRAY3D_DESCRIPTOR d, unsigned int level) {
  const auto shrink = [&](std::size_t& size) {
    if (size != 0) size = std::max<std::size_t>(size >> level, 1);
  };
  shrink(d.Width);
  shrink(d.Height);
  if (!is_layered(d)) shrink(d.Depth);
  return d;
}

void destroy_levels(Driver& driver, const MipmappedArray& mipmap) {
  for (CUarray level : mipmap.levels)
    if (auto array = driver.arrays.remove(level); array != nullptr)
      release_block(*array->device, array->address);
}

template <class Body>
CUresult with_mipmap(CUmipmappedArray handle, Body&& body) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    auto mipmap = driver.mipmaps.find(handle);
    return mipmap == nullptr ? CUDA_ERROR_INVALID_HANDLE : body(driver, *context, *mipmap);
  });
}

}  // namespace

extern "C" {

CUresult cuMipmappedArrayCreate(CUmipmappedArray* handle,
                                const CUDA_ARRAY3D_DESCRIPTOR* description, unsigned int levels) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    if (handle == nullptr || description == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (description->Width == 0) return CUDA_ERROR_INVALID_VALUE;
    auto mipmap = std::make_shared<MipmappedArray>();
    mipmap->owner = context->handle;
    const unsigned int number = std::clamp(levels, 1U, most_levels(*description));
    CUresult status = CUDA_SUCCESS;
    for (unsigned int level = 0; level < number && status == CUDA_SUCCESS; ++level) {
      const CUDA_ARRAY3D_DESCRIPTOR d = level_of(*description, level);
      CUarray made = nullptr;
      status = cuArray3DCreate_v2(&made, &d);
      if (status != CUDA_SUCCESS) break;
      mipmap->levels.push_back(made);
      if (auto array = driver.arrays.find(made); array != nullptr) array->of_mipmap = true;
    }
    if (status != CUDA_SUCCESS) {
      destroy_levels(driver, *mipmap);
      return status;
    }
    return context->add_object([&] { *handle = driver.mipmaps.add(std::move(mipmap)); });
  });
}

CUresult cuMipmappedArrayGetLevel(CUarray* array, CUmipmappedArray handle, unsigned int level) {
  return with_mipmap(handle, [&](Driver&, Context&, const MipmappedArray& mipmap) -> CUresult {
    if (array == nullptr || level >= mipmap.levels.size()) return CUDA_ERROR_INVALID_VALUE;
    *array = mipmap.levels[level];
    return CUDA_SUCCESS;
  });
}

// As of arrays: none is sparse, none has its memory mapped later.
CUresult cuMipmappedArrayGetSparseProperties(CUDA_ARRAY_SPARSE_PROPERTIES*,
                                             CUmipmappedArray handle) {
  return with_mipmap(handle,
                     [](Driver&, Context&, MipmappedArray&) { return CUDA_ERROR_INVALID_VALUE; });
}
CUresult cuMipmappedArrayGetMemoryRequirements(CUDA_ARRAY_MEMORY_REQUIREMENTS*,
                                               CUmipmappedArray handle, CUdevice) {
  return with_mipmap(handle,
                     [](Driver&, Context&, MipmappedArray&) { return CUDA_ERROR_INVALID_VALUE; });
}

CUresult cuMipmappedArrayDestroy(CUmipmappedArray handle) {
  return with_mipmap(handle, [&](Driver& driver, Context& context, MipmappedArray&) -> CUresult {
    if (CUresult status = check_unsafe(driver); status != CUDA_SUCCESS) return status;
    if (CUresult status = synchronize_context(context); status != CUDA_SUCCESS) return status;
    auto mipmap = driver.mipmaps.remove(handle);
    if (mipmap == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    destroy_levels(driver, *mipmap);
    return CUDA_SUCCESS;
  });
}

}  // extern "C"
