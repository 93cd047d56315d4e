#include "softcuda/driver/memory.h"

#include <vector>

#include "softcuda/driver/ipc.h"

namespace longwire::softcuda::driver {
namespace {

machine::MemoryKind kind_of(Block::Kind kind) noexcept {
  switch (kind) {
    case Block::Kind::kHost:
      return machine::MemoryKind::kHost;
    case Block::Kind::kManaged:
      return machine::MemoryKind::kManaged;
    case Block::Kind::kRegistered:
    case Block::Kind::kMapped:
      return machine::MemoryKind::kRegistered;
    default:
      return machine::MemoryKind::kDevice;
  }
}

void note_pool(const Block& block, bool taken) {
  Driver* driver = the_driver();
  auto pool = block.pool == nullptr || driver == nullptr ? nullptr : driver->pools.find(block.pool);
  if (pool == nullptr) return;
  std::lock_guard lock(pool->mutex);
  pool->used += taken ? block.bytes : -block.bytes;
  pool->used_high = std::max(pool->used_high, pool->used);
}

void give_back(Device& device, std::uint64_t address, const Block& block) {
  note_pool(block, false);
  if (block.kind == Block::Kind::kImported)
    unmap_imported(device, address, block);
  else if (kind_of(block.kind) == machine::MemoryKind::kRegistered)
    (void)device.machine->memory().remove_registered(address);
  else
    (void)device.machine->memory().release(address);
}

}  // namespace

std::uint64_t next_block_id() noexcept {
  static std::atomic<std::uint64_t> next{1};
  return next.fetch_add(1);
}

CUresult allocate_block(Context& context, std::uint64_t bytes, Block::Kind kind, unsigned int flags,
                        CUmemoryPool pool, std::uint64_t* address) {
  if (bytes == 0) return CUDA_ERROR_INVALID_VALUE;
  // What another process may be given one day has pages of its own.
  const std::uint64_t alignment =
      kind == Block::Kind::kDevice ? machine::kMappingAlignment : machine::kAllocationAlignment;
  auto place = context.device.machine->memory().allocate(bytes, kind_of(kind), alignment);
  if (!place.ok()) return CUDA_ERROR_OUT_OF_MEMORY;
  Block block{bytes, kind, context.handle, flags, pool, next_block_id()};
  note_pool(block, true);
  CUresult status = context.add_object([&] {
    std::lock_guard lock(context.device.mutex);
    context.device.blocks.emplace(*place, block);
    *address = *place;
  });
  if (status != CUDA_SUCCESS) give_back(context.device, *place, block);
  return status;
}

CUresult reserve_graph_block(Device& device, std::uint64_t bytes, std::uint64_t* address) {
  auto place = device.machine->memory().allocate(bytes, machine::MemoryKind::kDevice);
  if (!place.ok()) return CUDA_ERROR_OUT_OF_MEMORY;
  std::lock_guard lock(device.mutex);
  device.blocks.emplace(*place,
                        Block{bytes, Block::Kind::kGraph, nullptr, 0, nullptr, next_block_id()});
  *address = *place;
  return CUDA_SUCCESS;
}

bool release_block(Device& device, std::uint64_t address) {
  Block block;
  {
    std::lock_guard lock(device.mutex);
    auto found = device.blocks.find(address);
    if (found == device.blocks.end()) return false;
    block = found->second;
    device.blocks.erase(found);
  }
  give_back(device, address, block);
  return true;
}

void release_blocks_of(Device& device, CUcontext context) {
  std::vector<std::pair<std::uint64_t, Block>> mine;
  {
    std::lock_guard lock(device.mutex);
    for (auto each = device.blocks.begin(); each != device.blocks.end();) {
      if (each->second.owner == context && each->second.kind != Block::Kind::kMapped) {
        mine.emplace_back(*each);
        each = device.blocks.erase(each);
      } else {
        ++each;
      }
    }
  }
  for (const auto& [address, block] : mine)
    give_back(device, address, block);
}

std::optional<FoundBlock> find_block(Driver& driver, std::uint64_t address) {
  for (const auto& device : driver.devices) {
    std::lock_guard lock(device->mutex);
    auto after = device->blocks.upper_bound(address);
    if (after == device->blocks.begin()) continue;
    auto found = std::prev(after);
    if (address - found->first < found->second.bytes)
      return FoundBlock{device.get(), found->first, found->second};
  }
  return std::nullopt;
}

bool is_device_range(Driver& driver, std::uint64_t address, std::uint64_t bytes) {
  if (bytes == 0) return true;
  if (bytes > ~address) return false;
  for (const auto& device : driver.devices)  // also a module's globals, which are no block
    if (auto found = device->machine->memory().find(address); found.has_value())
      return bytes <= found->bytes - (address - found->address) ||
             device->machine->memory().accessible(address, bytes);
  return false;
}

}  // namespace longwire::softcuda::driver
