// The allocations of a device, as the API speaks of them.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "softcuda/driver/driver.h"

namespace longwire::softcuda::driver {

// Takes memory of the machine and notes it. CUDA_ERROR_OUT_OF_MEMORY, CUDA_ERROR_INVALID_VALUE.
CUresult allocate_block(Context& context, std::uint64_t bytes, Block::Kind kind, unsigned int flags,
                        CUmemoryPool pool, std::uint64_t* address);
// The same for a node of a graph; no context's.
CUresult reserve_graph_block(Device& device, std::uint64_t bytes, std::uint64_t* address);
// false: no allocation begins there.
bool release_block(Device& device, std::uint64_t address);
std::uint64_t next_block_id() noexcept;
// Everything that a context has allocated.
void release_blocks_of(Device& device, CUcontext context);

struct FoundBlock {
  Device* device = nullptr;
  std::uint64_t address = 0;
  Block block;
};
// The allocation, of any device, that contains an address.
std::optional<FoundBlock> find_block(Driver& driver, std::uint64_t address);

// All of it is memory that commands may use as device memory.
bool is_device_range(Driver& driver, std::uint64_t address, std::uint64_t bytes);

}  // namespace longwire::softcuda::driver
