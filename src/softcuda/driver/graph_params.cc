#include "softcuda/driver/graph_params.h"

#include <algorithm>

#include "softcuda/driver/copy.h"
#include "softcuda/driver/graph_memory.h"
#include "softcuda/driver/launch.h"
#include "softcuda/driver/stream_values.h"

namespace longwire::softcuda::driver {

CUresult find_context(Driver& driver, CUcontext handle, std::shared_ptr<Context>& context) {
  if (handle == nullptr) return current_context(driver, context);
  context = driver.contexts.find(handle);
  return context == nullptr ? CUDA_ERROR_INVALID_CONTEXT : CUDA_SUCCESS;
}

namespace {

bool all_zero(std::span<const int> values) {
  return std::all_of(values.begin(), values.end(), [](int each) { return each == 0; });
}

CUresult make_copy_of(Driver& driver, const CUDA_MEMCPY_NODE_PARAMS& parameters,
                      Operation& operation) {
  if (parameters.flags != 0 || parameters.reserved != 0) return CUDA_ERROR_INVALID_VALUE;
  return make_operation(driver, parameters.copyParams, parameters.copyCtx, operation);
}

CUresult make_memset_of(Driver& driver, const CUDA_MEMSET_NODE_PARAMS_v2& parameters,
                        Operation& operation) {
  const CUDA_MEMSET_NODE_PARAMS plain{parameters.dst,         parameters.pitch, parameters.value,
                                      parameters.elementSize, parameters.width, parameters.height};
  return make_operation(driver, plain, parameters.ctx, operation);
}

CUresult make_allocation_of(Driver& driver, CUDA_MEM_ALLOC_NODE_PARAMS_v2& parameters,
                            Operation& operation) {
  CUDA_MEM_ALLOC_NODE_PARAMS plain{parameters.poolProps, parameters.accessDescs,
                                   parameters.accessDescCount, parameters.bytesize, 0};
  CUresult status = make_allocation(driver, plain, operation);
  parameters.dptr = plain.dptr;
  return status;
}

// Of a type whose parameters cannot be changed.
CUresult make_new(Driver& driver, CUgraphNodeParams& p, Operation& operation) {
  operation = EmptyOperation{};
  if (p.type == CU_GRAPH_NODE_TYPE_EMPTY) return CUDA_SUCCESS;
  return p.type == CU_GRAPH_NODE_TYPE_MEM_ALLOC ? make_allocation_of(driver, p.alloc, operation)
                                                : make_free(driver, p.free.dptr, operation);
}

}  // namespace

CUresult make_operation(Driver& driver, const CUDA_KERNEL_NODE_PARAMS& p, Operation& operation) {
  std::shared_ptr<Context> context;
  auto function = driver.functions.find(p.func);
  if (function != nullptr) {
    context = function->module->context;
  } else if (CUresult status = find_context(driver, p.func == nullptr ? p.ctx : nullptr, context);
             status != CUDA_SUCCESS) {
    return status;
  }
  const CUfunction handle = p.func != nullptr ? p.func : reinterpret_cast<CUfunction>(p.kern);
  KernelOperation kernel;
  CUresult status = make_kernel_operation(context,
                                          {handle,
                                           {p.gridDimX, p.gridDimY, p.gridDimZ},
                                           {p.blockDimX, p.blockDimY, p.blockDimZ},
                                           p.sharedMemBytes,
                                           false,
                                           p.kernelParams,
                                           p.extra},
                                          kernel);
  if (status != CUDA_SUCCESS) return status;
  kernel.by_kernel = p.func == nullptr;
  operation = std::move(kernel);
  return CUDA_SUCCESS;
}

CUresult make_operation(Driver& driver, const CUDA_MEMCPY3D& copy, CUcontext handle,
                        Operation& operation) {
  std::shared_ptr<Context> context;
  CopyOperation made;
  CUresult status = find_context(driver, handle, context);
  if (status == CUDA_SUCCESS) status = make_copy(copy, made);
  operation = made;
  return status;
}

CUresult make_operation(Driver& driver, const CUDA_MEMSET_NODE_PARAMS& parameters, CUcontext handle,
                        Operation& operation) {
  std::shared_ptr<Context> context;
  CUresult status = find_context(driver, handle, context);
  if (status == CUDA_SUCCESS) status = make_memset(parameters);
  operation = MemsetOperation{parameters};
  return status;
}

CUresult make_operation(const CUDA_HOST_NODE_PARAMS& parameters, Operation& operation) {
  operation = HostOperation{parameters.fn, nullptr, nullptr, parameters.userData};
  return parameters.fn == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

CUresult make_operation(Driver& driver, const CUDA_BATCH_MEM_OP_NODE_PARAMS& p,
                        Operation& operation) {
  std::shared_ptr<Context> context;
  CUresult status = find_context(driver, p.ctx, context);
  if (status == CUDA_SUCCESS) status = check_stream_values(driver, p.count, p.paramArray, p.flags);
  if (status != CUDA_SUCCESS) return status;
  operation = MemoryOperation{{p.paramArray, p.paramArray + p.count}, p.ctx};
  return CUDA_SUCCESS;
}

// The nodes wait for records of this process alone.
static CUresult check_node_event(const Event* event) {
  if (event == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return event->shared == nullptr ? CUDA_SUCCESS : CUDA_ERROR_NOT_SUPPORTED;
}

CUresult make_event_record(Driver& driver, CUevent handle, Operation& operation) {
  auto event = driver.events.find(handle);
  operation = EventRecordOperation{event, handle};
  return check_node_event(event.get());
}

CUresult make_event_wait(Driver& driver, CUevent handle, Operation& operation) {
  auto event = driver.events.find(handle);
  operation = EventWaitOperation{event, handle};
  return check_node_event(event.get());
}

CUresult make_allocation(Driver& driver, CUDA_MEM_ALLOC_NODE_PARAMS& parameters,
                         Operation& operation) {
  GraphAllocationPtr allocation;
  CUresult status = driver.graph_memory->allocate(driver, parameters, allocation);
  if (status == CUDA_SUCCESS) parameters.dptr = allocation->parameters.dptr;
  operation = AllocOperation{std::move(allocation)};
  return status;
}

CUresult make_free(Driver& driver, CUdeviceptr address, Operation& operation) {
  auto allocation = driver.graph_memory->find(address);
  const bool known = allocation != nullptr;
  operation = FreeOperation{address, std::move(allocation)};
  return known ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUDA_KERNEL_NODE_PARAMS newest(const CUDA_KERNEL_NODE_PARAMS_v1& p) noexcept {
  return {p.func,      p.gridDimX,       p.gridDimY,     p.gridDimZ, p.blockDimX, p.blockDimY,
          p.blockDimZ, p.sharedMemBytes, p.kernelParams, p.extra,    nullptr,     nullptr};
}

CUresult make_operation(Driver& driver, CUgraphNodeParams& p, bool creating, Operation& operation) {
  if (!all_zero(p.reserved0) || p.reserved2 != 0) return CUDA_ERROR_INVALID_VALUE;
  switch (p.type) {
    case CU_GRAPH_NODE_TYPE_KERNEL: {
      const CUDA_KERNEL_NODE_PARAMS_v3& k = p.kernel;
      return make_operation(
          driver,
          CUDA_KERNEL_NODE_PARAMS{k.func, k.gridDimX, k.gridDimY, k.gridDimZ, k.blockDimX,
                                  k.blockDimY, k.blockDimZ, k.sharedMemBytes, k.kernelParams,
                                  k.extra, k.kern, k.ctx},
          operation);
    }
    case CU_GRAPH_NODE_TYPE_MEMCPY:
      return make_copy_of(driver, p.memcpy, operation);
    case CU_GRAPH_NODE_TYPE_MEMSET:
      return make_memset_of(driver, p.memset, operation);
    case CU_GRAPH_NODE_TYPE_HOST:
      return make_operation(CUDA_HOST_NODE_PARAMS{p.host.fn, p.host.userData}, operation);
    case CU_GRAPH_NODE_TYPE_EVENT_RECORD:
      return make_event_record(driver, p.eventRecord.event, operation);
    case CU_GRAPH_NODE_TYPE_WAIT_EVENT:
      return make_event_wait(driver, p.eventWait.event, operation);
    case CU_GRAPH_NODE_TYPE_BATCH_MEM_OP:
      return make_operation(driver,
                            CUDA_BATCH_MEM_OP_NODE_PARAMS{p.memOp.ctx, p.memOp.count,
                                                          p.memOp.paramArray, p.memOp.flags},
                            operation);
    case CU_GRAPH_NODE_TYPE_EMPTY:
    case CU_GRAPH_NODE_TYPE_MEM_ALLOC:
    case CU_GRAPH_NODE_TYPE_MEM_FREE:
      return creating ? make_new(driver, p, operation) : CUDA_ERROR_INVALID_VALUE;
    case CU_GRAPH_NODE_TYPE_EXT_SEMAS_SIGNAL:
    case CU_GRAPH_NODE_TYPE_EXT_SEMAS_WAIT:
    case CU_GRAPH_NODE_TYPE_CONDITIONAL:
      return CUDA_ERROR_NOT_SUPPORTED;
    default:
      return CUDA_ERROR_INVALID_VALUE;
  }
}

CUresult check_edges(const CUgraphEdgeData* edges, std::size_t count) noexcept {
  if (edges == nullptr) return CUDA_SUCCESS;
  for (std::size_t i = 0; i < count; ++i) {
    const CUgraphEdgeData& edge = edges[i];
    const auto& reserved = edge.reserved;
    if (edge.to_port != 0 || edge.type > CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC ||
        edge.from_port > CU_GRAPH_KERNEL_NODE_PORT_LAUNCH_ORDER ||
        std::any_of(std::begin(reserved), std::end(reserved), [](auto each) { return each != 0; }))
      return CUDA_ERROR_INVALID_VALUE;
    if (edge.type != 0 || edge.from_port != 0) return CUDA_ERROR_NOT_SUPPORTED;
  }
  return CUDA_SUCCESS;
}

}  // namespace longwire::softcuda::driver
