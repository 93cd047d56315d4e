#include "softcuda/driver/graph_exec.h"

#include "softcuda/driver/capture.h"
#include "softcuda/driver/graph_memory.h"

namespace longwire::softcuda::driver {
namespace {

// In the order in which they are taken: a wait after a record of the same launch is for that one.
void bind_events(const Plan& plan, GraphLaunch& launch) {
  for (const std::uint32_t index : plan.shape->order) {
    const Step& step = plan.steps[index];
    for (const PlanPtr& child : step.children)
      bind_events(*child, launch);
    if (const auto* record = std::get_if<EventRecordOperation>(step.operation.get())) {
      auto completion = std::make_shared<Completion>();
      launch.records.emplace(&step, completion);
      std::lock_guard lock(record->event->mutex);
      record->event->recorded = std::move(completion);
      record->event->stream.reset();
      record->event->capture_id = 0;
    } else if (const auto* wait = std::get_if<EventWaitOperation>(step.operation.get())) {
      std::lock_guard lock(wait->event->mutex);
      if (wait->event->recorded != nullptr) launch.waits.emplace(&step, wait->event->recorded);
    }
  }
}

// What the nodes allocate and free, as of now. Refused: something is allocated still.
bool account_memory(GraphMemory& memory, const Plan& plan, bool frees_first) {
  std::vector<CUdeviceptr> begun;
  for (const std::uint32_t index : plan.shape->order) {
    const Operation& operation = *plan.steps[index].operation;
    if (const auto* alloc = std::get_if<AllocOperation>(&operation); alloc != nullptr) {
      const CUdeviceptr address = alloc->graph_memory->parameters.dptr;
      if (frees_first) (void)memory.end(address);
      if (!memory.begin(alloc->graph_memory)) {
        for (CUdeviceptr each : begun)
          (void)memory.end(each);
        return false;
      }
      begun.push_back(address);
    } else if (const auto* free = std::get_if<FreeOperation>(&operation); free != nullptr) {
      (void)memory.end(free->address);
    }
  }
  return true;
}

// Of a launch that did not come about.
void end_memory(GraphMemory& memory, const Plan& plan) {
  for (const Step& step : plan.steps)
    if (const auto* alloc = std::get_if<AllocOperation>(step.operation.get()); alloc != nullptr)
      (void)memory.end(alloc->graph_memory->parameters.dptr);
}

// A graph of the plan's operations, for a capture that launches it. Memory nodes, the only ones
// that could be refused, are not in child graphs.
CUresult graph_of(Driver& driver, const Plan& plan, std::shared_ptr<Graph>& graph) {
  graph = create_graph(driver);
  std::vector<CUgraphNode> nodes(plan.steps.size());
  for (const std::uint32_t index : plan.shape->order) {
    const Step& step = plan.steps[index];
    Operation operation = step.enabled ? *step.operation : Operation{};
    std::vector<CUgraphNode> after;
    for (const std::uint32_t each : step.after)
      after.push_back(nodes[each]);
    CUresult status = CUDA_SUCCESS;
    if (std::holds_alternative<ConditionalOperation>(operation)) return CUDA_ERROR_NOT_SUPPORTED;
    if (!step.children.empty()) {
      std::shared_ptr<Graph> child;
      status = graph_of(driver, *step.children.front(), child);
      operation = ChildOperation{child};
    }
    if (status == CUDA_SUCCESS)
      status = add_node(driver, *graph, after, std::move(operation), &nodes[index]);
    if (status != CUDA_SUCCESS) return status;
  }
  return CUDA_SUCCESS;
}

CUresult capture_launch(Driver& driver, const PlanPtr& plan, Stream& stream) {
  std::shared_ptr<Graph> graph;
  {
    GraphLock lock(driver);
    CUresult status = graph_of(driver, *plan, graph);
    if (status == CUDA_SUCCESS && graph->has_memory) status = CUDA_ERROR_NOT_SUPPORTED;
    if (status != CUDA_SUCCESS) {
      destroy_graph(driver, lock, graph->handle);
      return status;
    }
  }
  CUresult status = stream.submit(ChildOperation{graph});
  if (status != CUDA_SUCCESS) {
    GraphLock lock(driver);
    destroy_graph(driver, lock, graph->handle);
  }
  return status;
}

// Orders the steps and finds what follows each. false: there is a cycle.
bool order_steps(const std::vector<Step>& steps, PlanShape& shape, PlanError& error) {
  std::vector<std::vector<std::uint32_t>> followers(steps.size());
  std::vector<std::size_t> waits;
  for (std::uint32_t index = 0; index < steps.size(); ++index) {
    for (const std::uint32_t before : steps[index].after)
      followers[before].push_back(index);
    waits.push_back(steps[index].after.size());
    if (waits.back() == 0) shape.order.push_back(index);
  }
  for (std::size_t next = 0; next < shape.order.size(); ++next)
    for (const std::uint32_t follower : followers[shape.order[next]])
      if (--waits[follower] == 0) shape.order.push_back(follower);
  if (shape.order.size() == steps.size()) return true;
  error.result = CUDA_GRAPH_INSTANTIATE_INVALID_STRUCTURE;
  for (std::size_t i = 0; i < waits.size(); ++i)
    if (waits[i] > 0) error.node = steps[i].node;
  return false;
}

void place_steps(const std::vector<Step>& steps, PlanShape& shape) {
  std::vector<std::uint32_t> places(steps.size());
  for (std::uint32_t place = 0; place < steps.size(); ++place)
    places[shape.order[place]] = place;
  shape.followers.resize(steps.size());
  for (std::uint32_t place = 0; place < steps.size(); ++place) {
    const Step& step = steps[shape.order[place]];
    shape.waits.push_back(static_cast<std::uint32_t>(step.after.size()));
    bool after_the_last = place == 0;
    for (const std::uint32_t before : step.after) {
      shape.followers[places[before]].push_back(place);
      after_the_last |= places[before] + 1 == place;
    }
    shape.serial &= after_the_last;
  }
}

// Host functions, events and memory have no place in what a device decides about.
bool may_be_in_body(const Operation& operation) {
  switch (type_of(operation)) {
    case CU_GRAPH_NODE_TYPE_KERNEL:
    case CU_GRAPH_NODE_TYPE_EMPTY:
    case CU_GRAPH_NODE_TYPE_GRAPH:
    case CU_GRAPH_NODE_TYPE_MEMSET:
    case CU_GRAPH_NODE_TYPE_MEMCPY:
    case CU_GRAPH_NODE_TYPE_CONDITIONAL:
      return true;
    default:
      return false;
  }
}

}  // namespace

GraphLaunch::~GraphLaunch() {
  for (const auto& [step, completion] : records)
    if (!completion->done()) completion->finish(CUDA_ERROR_LAUNCH_FAILED, now_ns());
}

CUresult make_plan(const Graph& graph, bool in_body, PlanPtr& plan, PlanError& error) {
  auto made = std::make_shared<Plan>();
  auto shape = std::make_shared<PlanShape>();
  std::unordered_map<const GraphNode*, std::uint32_t> indices;
  for (const auto& node : graph.nodes)
    indices.emplace(node.get(), static_cast<std::uint32_t>(indices.size()));
  for (const auto& node : graph.nodes) {
    Step step{node->handle, {}, node->operation, {}, true};
    for (const GraphNode* before : node->dependencies)
      step.after.push_back(indices[before]);
    const bool conditional = std::holds_alternative<ConditionalOperation>(*step.operation);
    shape->has_events |= std::holds_alternative<EventRecordOperation>(*step.operation) ||
                         std::holds_alternative<EventWaitOperation>(*step.operation);
    shape->has_conditions |= conditional;
    if (in_body && !may_be_in_body(*step.operation)) {
      error = {CUDA_GRAPH_INSTANTIATE_NODE_OPERATION_NOT_SUPPORTED, step.node};
      return CUDA_ERROR_NOT_SUPPORTED;
    }
    for (const auto& child : children_of(*node)) {
      PlanPtr below;
      CUresult status = make_plan(*child, in_body || conditional, below, error);
      if (status != CUDA_SUCCESS) return status;
      shape->has_events |= below->shape->has_events;
      shape->has_conditions |= below->shape->has_conditions;
      step.children.push_back(std::move(below));
    }
    made->steps.push_back(std::move(step));
  }
  if (!order_steps(made->steps, *shape, error)) return CUDA_ERROR_INVALID_VALUE;
  place_steps(made->steps, *shape);
  made->shape = std::move(shape);
  for (const ConditionPtr& condition : graph.conditions) {
    if (condition->used) continue;
    error.result = CUDA_GRAPH_INSTANTIATE_CONDITIONAL_HANDLE_UNUSED;
    return CUDA_ERROR_INVALID_VALUE;
  }
  for (const UserHold& user : graph.users)
    made->users.push_back(user.again());
  plan = std::move(made);
  return CUDA_SUCCESS;
}

CUresult instantiate(Driver& driver, CUgraph handle, unsigned long long flags, CUgraphExec* exec,
                     PlanError& error) {
  GraphLock lock(driver);
  auto graph = driver.graphs.find(handle);
  error.result = CUDA_GRAPH_INSTANTIATE_ERROR;
  if (graph == nullptr || exec == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if ((flags & CUDA_GRAPH_INSTANTIATE_FLAG_DEVICE_LAUNCH) != 0 ||
      (graph->has_memory && !graph->memory_exec.expired()))
    return CUDA_ERROR_NOT_SUPPORTED;
  auto made = std::make_shared<GraphExec>();
  made->flags = flags;
  if (CUresult status = make_plan(*graph, false, made->plan, error); status != CUDA_SUCCESS)
    return status;
  if (graph->has_memory) graph->memory_exec = made;
  *exec = driver.execs.add(std::move(made));
  error.result = CUDA_GRAPH_INSTANTIATE_SUCCESS;
  return CUDA_SUCCESS;
}

CUresult launch_graph(Driver& driver, GraphExec& exec, Stream& stream) {
  if (stream.capturing.load()) {
    std::unique_lock lock(exec.mutex);
    const PlanPtr plan = exec.plan;
    lock.unlock();
    return capture_launch(driver, plan, stream);
  }
  if (CUresult status = check_legacy(driver, stream); status != CUDA_SUCCESS) return status;
  Stream::Room room(stream);
  std::lock_guard lock(exec.mutex);
  const bool frees_first = (exec.flags & CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH) != 0;
  if (!account_memory(*driver.graph_memory, *exec.plan, frees_first))
    return CUDA_ERROR_INVALID_VALUE;
  auto launch = std::make_shared<GraphLaunch>(exec.plan);
  std::vector<CompletionPtr> after;
  if (exec.last_launch != nullptr && !exec.last_launch->done()) after.push_back(exec.last_launch);
  // Launches that wait for each other's records go into their streams in the order in which the
  // records were bound: else one could wait for what comes after it.
  std::unique_lock order(driver.event_launches, std::defer_lock);
  if (exec.plan->shape->has_events) {
    order.lock();
    bind_events(*exec.plan, *launch);
  }
  CompletionPtr completion;
  CUresult status =
      stream.submit_into(room, LaunchOperation{std::move(launch)}, std::move(after), &completion);
  if (status == CUDA_SUCCESS)
    exec.last_launch = std::move(completion);
  else
    end_memory(*driver.graph_memory, *exec.plan);
  return status;
}

PlanPtr with_step(const Plan& plan, std::size_t index, Step step) {
  auto changed = std::make_shared<Plan>();
  changed->steps = plan.steps;
  changed->steps[index] = std::move(step);
  changed->shape = plan.shape;
  for (const UserHold& user : plan.users)
    changed->users.push_back(user.again());
  return changed;
}

}  // namespace longwire::softcuda::driver
