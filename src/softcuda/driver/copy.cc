#include "softcuda/driver/copy.h"

#include <cstring>

#include "softcuda/driver/memory.h"

namespace longwire::softcuda::driver {
namespace {

struct Side {
  std::uint64_t address = 0;  // of the first byte
  std::size_t pitch = 0, slice = 0;
};

struct Asked {
  CUmemorytype type;
  CUdeviceptr device;
  const void* host;
  CUarray array;
  std::size_t x, y, z, lod, pitch, height;
};

// a * b + c without overflow.
bool add_product(std::size_t a, std::size_t b, std::uint64_t& sum) {
  std::uint64_t product = 0;
  return !__builtin_mul_overflow(a, b, &product) && !__builtin_add_overflow(sum, product, &sum);
}

CUresult resolve_array(Driver& driver, const Asked& asked, const CUDA_MEMCPY3D& copy, Side& side) {
  auto array = driver.arrays.find(asked.array);
  if (array == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  const std::size_t row = array->description.Width * array->element_bytes;
  if (asked.x % array->element_bytes != 0 || copy.WidthInBytes % array->element_bytes != 0)
    return CUDA_ERROR_INVALID_VALUE;
  auto fits = [](std::size_t start, std::size_t length, std::size_t all) {
    return start <= all && length <= all - start;
  };
  if (!fits(asked.x, copy.WidthInBytes, row) || !fits(asked.y, copy.Height, array->rows) ||
      !fits(asked.z, copy.Depth, array->slices))
    return CUDA_ERROR_INVALID_VALUE;
  side.pitch = array->pitch;
  side.slice = array->pitch * array->rows;
  side.address = array->address + asked.z * side.slice + asked.y * side.pitch + asked.x;
  return CUDA_SUCCESS;
}

CUresult resolve(Driver& driver, const Asked& asked, const CUDA_MEMCPY3D& copy, Side& side) {
  if (asked.lod != 0) return CUDA_ERROR_INVALID_VALUE;
  if (asked.type == CU_MEMORYTYPE_ARRAY) return resolve_array(driver, asked, copy, side);
  const bool rows = copy.Height > 1 || copy.Depth > 1;
  side.pitch = asked.pitch != 0 ? asked.pitch : copy.WidthInBytes + asked.x;
  if (rows && (side.pitch < copy.WidthInBytes || asked.x > side.pitch - copy.WidthInBytes))
    return CUDA_ERROR_INVALID_VALUE;
  const std::size_t height = asked.height != 0 ? asked.height : copy.Height + asked.y;
  if (copy.Depth > 1 && height < copy.Height) return CUDA_ERROR_INVALID_VALUE;
  std::uint64_t slice = 0;
  if (!add_product(side.pitch, height, slice)) return CUDA_ERROR_INVALID_VALUE;
  side.slice = slice;
  const bool host = asked.type == CU_MEMORYTYPE_HOST;
  if (!host && asked.type != CU_MEMORYTYPE_DEVICE && asked.type != CU_MEMORYTYPE_UNIFIED)
    return CUDA_ERROR_INVALID_VALUE;
  side.address = host ? reinterpret_cast<std::uint64_t>(asked.host) : asked.device;
  if (side.address == 0) return CUDA_ERROR_INVALID_VALUE;
  std::uint64_t end = side.address;
  if (!add_product(asked.z, side.slice, side.address) ||
      !add_product(asked.y, side.pitch, side.address) || !add_product(1, asked.x, side.address))
    return CUDA_ERROR_INVALID_VALUE;
  end = side.address;
  if (!add_product(copy.Depth - 1, side.slice, end) ||
      !add_product(copy.Height - 1, side.pitch, end) || !add_product(1, copy.WidthInBytes, end))
    return CUDA_ERROR_INVALID_VALUE;
  const bool known =
      host || (asked.type == CU_MEMORYTYPE_UNIFIED && !is_device_range(driver, side.address, 1));
  return known || is_device_range(driver, side.address, end - side.address)
             ? CUDA_SUCCESS
             : CUDA_ERROR_INVALID_VALUE;
}

}  // namespace

CUresult make_copy(const CUDA_MEMCPY3D& asked, CopyOperation& copy) {
  copy.asked = asked;
  copy.width = asked.WidthInBytes;
  copy.height = asked.Height;
  copy.depth = asked.Depth;
  if (asked.WidthInBytes == 0 || asked.Height == 0 || asked.Depth == 0) return CUDA_SUCCESS;
  Driver& driver = *the_driver();
  Side from, to;
  CUresult status = resolve(
      driver,
      {asked.srcMemoryType, asked.srcDevice, asked.srcHost, asked.srcArray, asked.srcXInBytes,
       asked.srcY, asked.srcZ, asked.srcLOD, asked.srcPitch, asked.srcHeight},
      asked, from);
  if (status == CUDA_SUCCESS)
    status = resolve(
        driver,
        {asked.dstMemoryType, asked.dstDevice, asked.dstHost, asked.dstArray, asked.dstXInBytes,
         asked.dstY, asked.dstZ, asked.dstLOD, asked.dstPitch, asked.dstHeight},
        asked, to);
  copy.from = reinterpret_cast<const std::byte*>(from.address);
  copy.to = reinterpret_cast<std::byte*>(to.address);
  copy.from_pitch = from.pitch;
  copy.from_slice = from.slice;
  copy.to_pitch = to.pitch;
  copy.to_slice = to.slice;
  return status;
}

CUresult make_flat_copy(CUdeviceptr to, CUmemorytype to_type, CUdeviceptr from,
                        CUmemorytype from_type, std::size_t bytes, CopyOperation& copy) {
  CUDA_MEMCPY3D asked{};
  asked.srcMemoryType = from_type;
  asked.dstMemoryType = to_type;
  asked.srcDevice = from;
  asked.dstDevice = to;
  asked.srcHost = reinterpret_cast<const void*>(from);
  asked.dstHost = reinterpret_cast<void*>(to);
  asked.WidthInBytes = bytes;
  asked.Height = asked.Depth = 1;
  return make_copy(asked, copy);
}

void take_source(CopyOperation& copy) {
  const std::size_t slice = copy.width * copy.height;  // no overflow: both sides hold it
  std::shared_ptr<std::byte[]> taken(new std::byte[slice * copy.depth]);
  for (std::size_t z = 0; z < copy.depth; ++z)
    for (std::size_t y = 0; y < copy.height; ++y)
      std::memcpy(taken.get() + z * slice + y * copy.width,
                  copy.from + z * copy.from_slice + y * copy.from_pitch, copy.width);
  copy.from = taken.get();
  copy.from_pitch = copy.width;
  copy.from_slice = slice;
  copy.taken = std::move(taken);
}

CUDA_MEMCPY3D copy_of_2d(const CUDA_MEMCPY2D& copy) {
  CUDA_MEMCPY3D whole{};
  whole.srcXInBytes = copy.srcXInBytes;
  whole.srcY = copy.srcY;
  whole.srcMemoryType = copy.srcMemoryType;
  whole.srcHost = copy.srcHost;
  whole.srcDevice = copy.srcDevice;
  whole.srcArray = copy.srcArray;
  whole.srcPitch = copy.srcPitch;
  whole.dstXInBytes = copy.dstXInBytes;
  whole.dstY = copy.dstY;
  whole.dstMemoryType = copy.dstMemoryType;
  whole.dstHost = copy.dstHost;
  whole.dstDevice = copy.dstDevice;
  whole.dstArray = copy.dstArray;
  whole.dstPitch = copy.dstPitch;
  whole.WidthInBytes = copy.WidthInBytes;
  whole.Height = copy.Height;
  whole.Depth = 1;
  return whole;
}

CUresult make_memset(const CUDA_MEMSET_NODE_PARAMS& p) {
  if (p.elementSize != 1 && p.elementSize != 2 && p.elementSize != 4)
    return CUDA_ERROR_INVALID_VALUE;
  if (p.width == 0 || p.height == 0) return CUDA_SUCCESS;
  if (p.dst % p.elementSize != 0 || p.pitch % p.elementSize != 0) return CUDA_ERROR_INVALID_VALUE;
  std::uint64_t row = 0, bytes = 0;
  if (!add_product(p.width, p.elementSize, row)) return CUDA_ERROR_INVALID_VALUE;
  if (p.height > 1 && p.pitch < row) return CUDA_ERROR_INVALID_VALUE;
  bytes = row;
  if (!add_product(p.height - 1, p.pitch, bytes)) return CUDA_ERROR_INVALID_VALUE;
  return is_device_range(*the_driver(), p.dst, bytes) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

}  // namespace longwire::softcuda::driver
