// Executable graphs: making, changing and launching them.
#include <algorithm>
#include <cstring>

#include "softcuda/driver/capture.h"
#include "softcuda/driver/graph_exec.h"
#include "softcuda/driver/graph_memory.h"
#include "softcuda/driver/graph_params.h"
#include "softcuda/driver/launch.h"

using namespace longwire::softcuda::driver;

namespace {

constexpr unsigned long long kFlags =
    CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH | CUDA_GRAPH_INSTANTIATE_FLAG_UPLOAD |
    CUDA_GRAPH_INSTANTIATE_FLAG_DEVICE_LAUNCH | CUDA_GRAPH_INSTANTIATE_FLAG_USE_NODE_PRIORITY;

template <class Body>
CUresult with_exec(CUgraphExec handle, Body&& body) {
  return guarded([&](Driver& driver) -> CUresult {
    auto exec = driver.execs.find(handle);
    return exec == nullptr ? CUDA_ERROR_INVALID_VALUE : body(driver, *exec);
  });
}

// Runs with an exec and a stream of the current context.
template <class Body>
CUresult in_stream(CUgraphExec exec_handle, CUstream handle, Body&& body) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    auto exec = driver.execs.find(exec_handle);
    if (exec == nullptr) return CUDA_ERROR_INVALID_VALUE;
    auto stream = find_stream(context, handle);
    return stream == nullptr ? CUDA_ERROR_INVALID_HANDLE : body(driver, *exec, *stream);
  });
}

CUresult upload(CUgraphExec exec, CUstream handle) {
  return in_stream(exec, handle, [](Driver& driver, GraphExec&, Stream& stream) -> CUresult {
    if (CUresult status = refuse_capture(driver, stream); status != CUDA_SUCCESS) return status;
    return stream.submit(EmptyOperation{});  // everything is there already
  });
}

CUresult instantiate_with_log(CUgraphExec* exec, CUgraph graph, CUgraphNode* error_node, char* log,
                              size_t log_bytes) {
  return guarded([&](Driver& driver) {
    PlanError error;
    CUresult status = instantiate(driver, graph, 0, exec, error);
    if (error_node != nullptr) *error_node = error.node;
    const char* text = status == CUDA_SUCCESS  ? ""
                       : error.node != nullptr ? "the node's dependencies form a cycle"
                                               : "the graph cannot be instantiated";
    if (log != nullptr && log_bytes > 0) {
      const std::size_t length = std::min(std::strlen(text), log_bytes - 1);
      std::memcpy(log, text, length);
      log[length] = '\0';
    }
    return status;
  });
}

CUresult replace(Step& step, Operation operation) {
  if (const auto* kernel = std::get_if<KernelOperation>(step.operation.get()); kernel != nullptr)
    if (auto* to = std::get_if<KernelOperation>(&operation); to != nullptr && kernel->cooperative)
      if (CUresult status = set_cooperative(*to, true); status != CUDA_SUCCESS) return status;
  if (check_change(*step.operation, operation) != CU_GRAPH_EXEC_UPDATE_SUCCESS)
    return CUDA_ERROR_INVALID_VALUE;
  step.operation = std::make_shared<const Operation>(std::move(operation));
  return CUDA_SUCCESS;
}

template <class Change>
CUresult change(GraphExec& exec, CUgraphNode node, const Change& body) {
  std::lock_guard lock(exec.mutex);
  CUresult status = change_step(exec.plan, node, body);
  return status == CUDA_ERROR_NOT_FOUND ? CUDA_ERROR_INVALID_VALUE : status;
}

// `make` checks the parameters and fills in an Operation.
template <class Make>
CUresult set(CUgraphExec handle, CUgraphNode node, Make&& make) {
  return with_exec(handle, [&](Driver& driver, GraphExec& exec) -> CUresult {
    Operation operation;
    if (CUresult status = make(driver, operation); status != CUDA_SUCCESS) return status;
    return change(exec, node, [&](Step& step) { return replace(step, std::move(operation)); });
  });
}

CUresult set_child(CUgraphExec handle, CUgraphNode node, CUgraph child_handle) {
  return with_exec(handle, [&](Driver& driver, GraphExec& exec) -> CUresult {
    PlanPtr child, updated;
    CUresult status = change(exec, node, [&](Step& step) {
      if (!std::holds_alternative<ChildOperation>(*step.operation)) return CUDA_ERROR_INVALID_VALUE;
      child = step.children.front();
      return CUDA_SUCCESS;
    });
    if (status != CUDA_SUCCESS) return status;
    {
      GraphLock lock(driver);
      auto graph = driver.graphs.find(child_handle);
      CUgraphExecUpdateResultInfo info{};
      if (graph == nullptr || update_plan(*child, *graph, updated, info) != CUDA_SUCCESS)
        return CUDA_ERROR_INVALID_VALUE;
    }
    return change(exec, node, [&](Step& step) {
      step.children.front() = updated;
      return CUDA_SUCCESS;
    });
  });
}

CUresult update(CUgraphExec handle, CUgraph graph_handle, CUgraphExecUpdateResultInfo& info) {
  info = {CU_GRAPH_EXEC_UPDATE_ERROR, nullptr, nullptr};
  return with_exec(handle, [&](Driver& driver, GraphExec& exec) -> CUresult {
    PlanPtr plan, updated;  // the old one may be the last holder of a user object: no lock then
    {
      std::lock_guard lock(exec.mutex);
      plan = exec.plan;
    }
    {
      GraphLock lock(driver);
      auto graph = driver.graphs.find(graph_handle);
      if (graph == nullptr) return CUDA_ERROR_INVALID_VALUE;
      CUresult status = update_plan(*plan, *graph, updated, info);
      if (status != CUDA_SUCCESS) return status;
    }
    std::lock_guard lock(exec.mutex);
    exec.plan = std::move(updated);
    info.result = CU_GRAPH_EXEC_UPDATE_SUCCESS;
    return CUDA_SUCCESS;
  });
}

// Kernels, copies and memsets alone can be left out.
bool can_be_disabled(const Step& step) {
  const CUgraphNodeType type = type_of(*step.operation);
  return type == CU_GRAPH_NODE_TYPE_KERNEL || type == CU_GRAPH_NODE_TYPE_MEMCPY ||
         type == CU_GRAPH_NODE_TYPE_MEMSET;
}

template <class Body>
CUresult with_device(CUdevice ordinal, const void* value, Body&& body) {
  return guarded([&](Driver& driver) -> CUresult {
    Device* device = driver.device(ordinal);
    if (device == nullptr) return CUDA_ERROR_INVALID_DEVICE;
    return value == nullptr ? CUDA_ERROR_INVALID_VALUE : body(*driver.graph_memory, *device);
  });
}

}  // namespace

extern "C" {

CUresult cuGraphInstantiate(CUgraphExec* exec, CUgraph graph, CUgraphNode* error_node, char* log,
                            size_t log_bytes) {
  return instantiate_with_log(exec, graph, error_node, log, log_bytes);
}
CUresult cuGraphInstantiate_v2(CUgraphExec* exec, CUgraph graph, CUgraphNode* error_node, char* log,
                               size_t log_bytes) {
  return instantiate_with_log(exec, graph, error_node, log, log_bytes);
}
CUresult cuGraphInstantiateWithFlags(CUgraphExec* exec, CUgraph graph, unsigned long long flags) {
  return guarded([&](Driver& driver) {
    PlanError error;
    return (flags & ~kFlags) != 0 ? CUDA_ERROR_INVALID_VALUE
                                  : instantiate(driver, graph, flags, exec, error);
  });
}
CUresult cuGraphInstantiateWithParams(CUgraphExec* exec, CUgraph graph,
                                      CUDA_GRAPH_INSTANTIATE_PARAMS* parameters) {
  return guarded([&](Driver& driver) -> CUresult {
    if (parameters == nullptr) return CUDA_ERROR_INVALID_VALUE;
    PlanError error{CUDA_GRAPH_INSTANTIATE_ERROR, nullptr};
    CUresult status = CUDA_ERROR_INVALID_VALUE;
    if ((parameters->flags & ~kFlags) == 0)
      status = instantiate(driver, graph, parameters->flags, exec, error);
    parameters->result_out = error.result;
    parameters->hErrNode_out = error.node;
    if (status == CUDA_SUCCESS && (parameters->flags & CUDA_GRAPH_INSTANTIATE_FLAG_UPLOAD) != 0)
      status = upload(*exec, parameters->hUploadStream);
    return status;
  });
}

CUresult cuGraphExecGetFlags(CUgraphExec handle, cuuint64_t* flags) {
  return with_exec(handle, [&](Driver&, GraphExec& exec) -> CUresult {
    if (flags == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *flags = exec.flags & ~static_cast<unsigned long long>(CUDA_GRAPH_INSTANTIATE_FLAG_UPLOAD);
    return CUDA_SUCCESS;
  });
}

CUresult cuGraphExecKernelNodeSetParams_v2(CUgraphExec exec, CUgraphNode node,
                                           const CUDA_KERNEL_NODE_PARAMS* parameters) {
  if (parameters == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return set(exec, node, [&](Driver& driver, Operation& operation) {
    return make_operation(driver, *parameters, operation);
  });
}
CUresult cuGraphExecKernelNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                        const CUDA_KERNEL_NODE_PARAMS_v1* parameters) {
  if (parameters == nullptr) return CUDA_ERROR_INVALID_VALUE;
  const CUDA_KERNEL_NODE_PARAMS wanted = newest(*parameters);
  return cuGraphExecKernelNodeSetParams_v2(exec, node, &wanted);
}
CUresult cuGraphExecMemcpyNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                        const CUDA_MEMCPY3D* copy, CUcontext context) {
  if (copy == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return set(exec, node, [&](Driver& driver, Operation& operation) {
    return make_operation(driver, *copy, context, operation);
  });
}
CUresult cuGraphExecMemsetNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                        const CUDA_MEMSET_NODE_PARAMS* parameters,
                                        CUcontext context) {
  if (parameters == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return set(exec, node, [&](Driver& driver, Operation& operation) {
    return make_operation(driver, *parameters, context, operation);
  });
}
CUresult cuGraphExecHostNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                      const CUDA_HOST_NODE_PARAMS* parameters) {
  if (parameters == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return set(exec, node,
             [&](Driver&, Operation& operation) { return make_operation(*parameters, operation); });
}
CUresult cuGraphExecChildGraphNodeSetParams(CUgraphExec exec, CUgraphNode node, CUgraph child) {
  return set_child(exec, node, child);
}
CUresult cuGraphExecEventRecordNodeSetEvent(CUgraphExec exec, CUgraphNode node, CUevent event) {
  return set(exec, node, [&](Driver& driver, Operation& operation) {
    return make_event_record(driver, event, operation);
  });
}
CUresult cuGraphExecEventWaitNodeSetEvent(CUgraphExec exec, CUgraphNode node, CUevent event) {
  return set(exec, node, [&](Driver& driver, Operation& operation) {
    return make_event_wait(driver, event, operation);
  });
}
CUresult cuGraphExecBatchMemOpNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                            const CUDA_BATCH_MEM_OP_NODE_PARAMS* parameters) {
  if (parameters == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return set(exec, node, [&](Driver& driver, Operation& operation) {
    return make_operation(driver, *parameters, operation);
  });
}
CUresult cuGraphExecNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                  CUgraphNodeParams* parameters) {
  if (parameters == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (parameters->type == CU_GRAPH_NODE_TYPE_GRAPH)
    return set_child(exec, node, parameters->graph.graph);
  return set(exec, node, [&](Driver& driver, Operation& operation) {
    return make_operation(driver, *parameters, false, operation);
  });
}

CUresult cuGraphNodeSetEnabled(CUgraphExec handle, CUgraphNode node, unsigned int enabled) {
  return with_exec(handle, [&](Driver&, GraphExec& exec) {
    return change(exec, node, [&](Step& step) {
      if (!can_be_disabled(step)) return CUDA_ERROR_INVALID_VALUE;
      step.enabled = enabled != 0;
      return CUDA_SUCCESS;
    });
  });
}

CUresult cuGraphNodeGetEnabled(CUgraphExec handle, CUgraphNode node, unsigned int* enabled) {
  return with_exec(handle, [&](Driver&, GraphExec& exec) -> CUresult {
    if (enabled == nullptr) return CUDA_ERROR_INVALID_VALUE;
    return change(exec, node, [&](Step& step) {
      if (!can_be_disabled(step)) return CUDA_ERROR_INVALID_VALUE;
      *enabled = step.enabled ? 1 : 0;
      return CUDA_SUCCESS;
    });
  });
}

CUresult cuGraphUpload(CUgraphExec exec, CUstream stream) { return upload(exec, stream); }

CUresult cuGraphLaunch(CUgraphExec exec, CUstream stream) {
  return in_stream(exec, stream, launch_graph);
}

CUresult cuGraphExecDestroy(CUgraphExec handle) {
  return guarded([&](Driver& driver) {
    return driver.execs.remove(handle) == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
  });
}

CUresult cuGraphExecUpdate_v2(CUgraphExec exec, CUgraph graph, CUgraphExecUpdateResultInfo* info) {
  return info == nullptr ? CUDA_ERROR_INVALID_VALUE : update(exec, graph, *info);
}
CUresult cuGraphExecUpdate(CUgraphExec exec, CUgraph graph, CUgraphNode* error_node,
                           CUgraphExecUpdateResult* result) {
  CUgraphExecUpdateResultInfo info{};
  CUresult status = update(exec, graph, info);
  if (error_node != nullptr) *error_node = info.errorNode;
  if (result != nullptr) *result = info.result;
  return status;
}

CUresult cuDeviceGraphMemTrim(CUdevice ordinal) {  // nothing is kept that no node needs
  return with_device(ordinal, &ordinal, [](GraphMemory&, Device&) { return CUDA_SUCCESS; });
}

CUresult cuDeviceGetGraphMemAttribute(CUdevice ordinal, CUgraphMem_attribute attribute,
                                      void* value) {
  return with_device(ordinal, value, [&](GraphMemory& memory, Device& device) -> CUresult {
    const GraphMemoryUse use = memory.use(device);
    const cuuint64_t values[] = {use.used, use.used_high, use.reserved, use.reserved_high};
    if (attribute < CU_GRAPH_MEM_ATTR_USED_MEM_CURRENT ||
        attribute > CU_GRAPH_MEM_ATTR_RESERVED_MEM_HIGH)
      return CUDA_ERROR_INVALID_VALUE;
    std::memcpy(value, &values[attribute], sizeof values[attribute]);
    return CUDA_SUCCESS;
  });
}

// High-water marks alone, and only to zero: they begin again from what is used now.
CUresult cuDeviceSetGraphMemAttribute(CUdevice ordinal, CUgraphMem_attribute attribute,
                                      void* value) {
  return with_device(ordinal, value, [&](GraphMemory& memory, Device& device) -> CUresult {
    cuuint64_t zero = 0;
    std::memcpy(&zero, value, sizeof zero);
    const bool used = attribute == CU_GRAPH_MEM_ATTR_USED_MEM_HIGH;
    if (zero != 0 || (!used && attribute != CU_GRAPH_MEM_ATTR_RESERVED_MEM_HIGH))
      return CUDA_ERROR_INVALID_VALUE;
    memory.reset_high(device, used);
    return CUDA_SUCCESS;
  });
}

}  // extern "C"
