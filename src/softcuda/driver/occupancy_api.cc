// Occupancy: how many blocks of a kernel a core holds, as the machine says.
#include <algorithm>
#include <optional>

#include "softcuda/driver/device_attributes.h"
#include "softcuda/driver/function_attributes.h"
#include "softcuda/driver/module.h"

using namespace longwire::softcuda::driver;
namespace ir = longwire::softcuda::ir;
namespace machine = longwire::softcuda::machine;

namespace {

// More in one direction is no cluster on any device.
constexpr unsigned int kMaxClusterSide = 65535;
constexpr unsigned int kKnownFlags = CU_OCCUPANCY_DISABLE_CACHING_OVERRIDE;

template <class Body>
CUresult with_function(CUfunction handle, Body&& body) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    auto function = find_function(driver, context, handle);
    if (function == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    return body(driver, *function);
  });
}

int blocks_of(const Driver& driver, const Function& function, int block_size, size_t dynamic) {
  const std::uint64_t most = driver.options.machine.shared_bytes_per_block;
  if (block_size > max_threads(function.code()) || dynamic > most) return 0;
  const std::uint64_t shared =
      machine::shared_bytes_of(function.code(), static_cast<std::uint32_t>(dynamic));
  if (shared > most) return 0;
  const auto resident = static_cast<int>(function.module->context->device.machine->resident_blocks(
      static_cast<std::uint32_t>(block_size), static_cast<std::uint32_t>(shared)));
  return std::min(
      {resident, kMaxBlocksPerMultiprocessor, kMaxThreadsPerMultiprocessor / block_size});
}

// As a launch would ask for it; no value: it says nothing of clusters, or something wrong.
std::optional<std::uint64_t> cluster_size(const CUlaunchConfig& config) {
  if (config.attrs == nullptr) return std::nullopt;
  for (unsigned int i = 0; i < config.numAttrs; ++i) {
    if (config.attrs[i].id != CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION) continue;
    const auto& d = config.attrs[i].value.clusterDim;
    if (d.x == 0 || d.y == 0 || d.z == 0 || d.x > kMaxClusterSide || d.y > kMaxClusterSide ||
        d.z > kMaxClusterSide)
      return std::nullopt;
    return std::uint64_t{d.x} * d.y * d.z;
  }
  return std::nullopt;
}

}  // namespace

extern "C" {

CUresult cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, CUfunction handle,
                                                              int block_size, size_t shared_bytes,
                                                              unsigned int flags) {
  return with_function(handle, [&](Driver& driver, Function& function) -> CUresult {
    if (blocks == nullptr || block_size <= 0 || (flags & ~kKnownFlags) != 0)
      return CUDA_ERROR_INVALID_VALUE;
    *blocks = blocks_of(driver, function, block_size, shared_bytes);
    return CUDA_SUCCESS;
  });
}

CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction function,
                                                     int block_size, size_t shared_bytes) {
  return cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, function, block_size,
                                                              shared_bytes, 0);
}

CUresult cuOccupancyMaxPotentialBlockSizeWithFlags(int* grid_size, int* block_size,
                                                   CUfunction handle, CUoccupancyB2DSize shared_of,
                                                   size_t shared_bytes, int limit,
                                                   unsigned int flags) {
  return with_function(handle, [&](Driver& driver, Function& function) -> CUresult {
    if (grid_size == nullptr || block_size == nullptr || (flags & ~kKnownFlags) != 0)
      return CUDA_ERROR_INVALID_VALUE;
    int most = max_threads(function.code());
    if (limit > 0) most = std::min(most, limit);
    int best_threads = 0;
    *block_size = *grid_size = 0;
    for (int size = most; size > 0;
         size -= size % ir::kWarpSize == 0 ? ir::kWarpSize : size % ir::kWarpSize) {
      const size_t dynamic = shared_of != nullptr ? shared_of(size) : shared_bytes;
      const int blocks = blocks_of(driver, function, size, dynamic);
      if (blocks * size <= best_threads) continue;
      best_threads = blocks * size;
      *block_size = size;
      *grid_size = blocks * static_cast<int>(function.module->context->device.machine->threads());
    }
    return CUDA_SUCCESS;
  });
}

CUresult cuOccupancyMaxPotentialBlockSize(int* grid_size, int* block_size, CUfunction function,
                                          CUoccupancyB2DSize shared_of, size_t shared_bytes,
                                          int limit) {
  return cuOccupancyMaxPotentialBlockSizeWithFlags(grid_size, block_size, function, shared_of,
                                                   shared_bytes, limit, 0);
}

// A cluster has one block here: the device has no launches of larger ones.
CUresult cuOccupancyMaxPotentialClusterSize(int* size, CUfunction handle,
                                            const CUlaunchConfig* config) {
  return with_function(handle, [&](Driver&, Function&) -> CUresult {
    if (size == nullptr || config == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *size = 1;
    return CUDA_SUCCESS;
  });
}

CUresult cuOccupancyMaxActiveClusters(int* clusters, CUfunction handle,
                                      const CUlaunchConfig* config) {
  return with_function(handle, [&](Driver& driver, Function& function) -> CUresult {
    if (clusters == nullptr || config == nullptr) return CUDA_ERROR_INVALID_VALUE;
    const std::optional<std::uint64_t> size = cluster_size(*config);
    if (!size.has_value()) return CUDA_ERROR_INVALID_CLUSTER_SIZE;
    const std::uint64_t threads =
        std::uint64_t{config->blockDimX} * config->blockDimY * config->blockDimZ;
    if (threads == 0 || threads > machine::kMaxThreadsPerBlock) return CUDA_ERROR_INVALID_VALUE;
    const int blocks =
        blocks_of(driver, function, static_cast<int>(threads), config->sharedMemBytes);
    const auto cores = static_cast<int>(function.module->context->device.machine->threads());
    *clusters = *size == 1 ? blocks * cores : 0;
    return CUDA_SUCCESS;
  });
}

CUresult cuOccupancyAvailableDynamicSMemPerBlock(size_t* shared_bytes, CUfunction handle,
                                                 int blocks, int block_size) {
  return with_function(handle, [&](Driver& driver, Function& function) -> CUresult {
    if (shared_bytes == nullptr || blocks <= 0 || block_size <= 0) return CUDA_ERROR_INVALID_VALUE;
    const std::size_t share =
        driver.options.machine.shared_bytes_per_block / static_cast<std::size_t>(blocks);
    const std::size_t before = machine::dynamic_shared_offset(function.code());
    *shared_bytes = share > before ? share - before : 0;
    return CUDA_SUCCESS;
  });
}

}  // extern "C"
