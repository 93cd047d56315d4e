// Memory that nodes of graphs allocate. It has its place from when the node is made until no graph
// and no launch knows the node; between a launch that allocates it and what frees it, it is live.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "softcuda/driver/driver.h"

namespace longwire::softcuda::driver {

struct GraphAllocation {
  GraphAllocation(Driver& of, Device& on) : driver(of), device(on) {}
  GraphAllocation(const GraphAllocation&) = delete;
  GraphAllocation& operator=(const GraphAllocation&) = delete;
  ~GraphAllocation();

  Driver& driver;
  Device& device;
  CUDA_MEM_ALLOC_NODE_PARAMS parameters{};  // with the address
  std::vector<CUmemAccessDesc> accesses;    // to which they point
};
using GraphAllocationPtr = std::shared_ptr<GraphAllocation>;  // of nodes, launches and who is live

struct GraphMemoryUse {
  std::uint64_t used = 0, used_high = 0, reserved = 0, reserved_high = 0;
};

class GraphMemory {
 public:
  // Fills in the address.
  CUresult allocate(Driver& driver, const CUDA_MEM_ALLOC_NODE_PARAMS& parameters,
                    GraphAllocationPtr& allocation);
  // What begins there; nullptr: no such.
  GraphAllocationPtr find(CUdeviceptr address);

  // The state after all that has been put into streams so far. false: it was live already.
  bool begin(const GraphAllocationPtr& allocation);
  // Not live any more; whoever has the answer keeps its place. nullptr: it was not.
  GraphAllocationPtr end(CUdeviceptr address);

  GraphMemoryUse use(const Device& device);
  void reset_high(const Device& device, bool used);

 private:
  friend struct GraphAllocation;
  std::mutex mutex_;
  std::unordered_map<CUdeviceptr, std::weak_ptr<GraphAllocation>> known_;
  std::unordered_map<CUdeviceptr, GraphAllocationPtr> live_;
  std::unordered_map<const Device*, GraphMemoryUse> use_;
};

}  // namespace longwire::softcuda::driver
