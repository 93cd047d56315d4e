// What is run of a graph: a copy of it, in an order that honours its dependencies. Changes of the
// graph do not reach it, and changes of it do not reach launches that wait in streams.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "softcuda/driver/graph.h"
#include "softcuda/driver/stream.h"

namespace longwire::softcuda::driver {

struct Plan;

struct Step {
  CUgraphNode node = nullptr;        // of the graph that it was made of
  std::vector<std::uint32_t> after;  // steps, in the order of the node's dependencies
  std::shared_ptr<const Operation> operation;
  std::vector<std::shared_ptr<const Plan>> children;  // of a child graph, or of bodies
  bool enabled = true;
};

// What no change of an executable graph changes.
struct PlanShape {
  std::vector<std::uint32_t> order;  // steps, each after what it depends on
  // By the place in that order: who comes after it, and after how many it comes itself.
  std::vector<std::vector<std::uint32_t>> followers;
  std::vector<std::uint32_t> waits;
  bool serial = true;  // each depends on the one before it
  // Records or waits, conditional nodes; also in child graphs.
  bool has_events = false, has_conditions = false;
};

struct Plan {
  std::vector<Step> steps;                 // in the order of the graph's nodes
  std::shared_ptr<const PlanShape> shape;  // shared with the plans that it is changed to
  std::vector<UserHold> users;             // held until the last launch has ended
};
using PlanPtr = std::shared_ptr<const Plan>;  // of the exec, and of launches of it

struct GraphExec {
  unsigned long long flags = 0;
  std::mutex mutex;  // of what follows
  PlanPtr plan;
  CompletionPtr last_launch;  // launches of one exec do not overlap
};

// One launch: which records and waits of events are meant, as of when it was put into its stream.
struct GraphLaunch {
  explicit GraphLaunch(PlanPtr of) : plan(std::move(of)) {}
  GraphLaunch(const GraphLaunch&) = delete;
  GraphLaunch& operator=(const GraphLaunch&) = delete;
  ~GraphLaunch();  // who waits for a record that did not come about is told

  PlanPtr plan;
  std::unordered_map<const Step*, CompletionPtr> records, waits;
};

struct PlanError {
  CUgraphInstantiateResult result = CUDA_GRAPH_INSTANTIATE_SUCCESS;
  CUgraphNode node = nullptr;
};

// REQUIRES: the caller has the GraphLock. CUDA_ERROR_INVALID_VALUE: a cycle.
// `in_body`: of a conditional node, where not all nodes may be.
CUresult make_plan(const Graph& graph, bool in_body, PlanPtr& plan, PlanError& error);
CUresult instantiate(Driver& driver, CUgraph graph, unsigned long long flags, CUgraphExec* exec,
                     PlanError& error);
CUresult launch_graph(Driver& driver, GraphExec& exec, Stream& stream);

// `plan` with the parameters of `graph`; CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE, and why.
// REQUIRES: the caller has the GraphLock.
CUresult update_plan(const Plan& plan, const Graph& graph, PlanPtr& updated,
                     CUgraphExecUpdateResultInfo& info);
// Whether a step may do this instead.
CUgraphExecUpdateResult check_change(const Operation& from, const Operation& to);

PlanPtr with_step(const Plan& plan, std::size_t index, Step step);

// The plan with one step changed: `change` is given a copy of the step, and may refuse.
// CUDA_ERROR_NOT_FOUND: there is no step of that node.
template <class Change>
CUresult change_step(PlanPtr& plan, CUgraphNode node, const Change& change) {
  for (std::size_t i = 0; i < plan->steps.size(); ++i) {
    const bool here = plan->steps[i].node == node;
    if (!here && plan->steps[i].children.empty()) continue;
    Step step = plan->steps[i];
    CUresult status = here ? change(step) : CUDA_ERROR_NOT_FOUND;
    for (std::size_t j = 0; !here && j < step.children.size() && status == CUDA_ERROR_NOT_FOUND;
         ++j)
      status = change_step(step.children[j], node, change);
    if (!here && status == CUDA_ERROR_NOT_FOUND) continue;
    if (status == CUDA_SUCCESS) plan = with_step(*plan, i, std::move(step));
    return status;
  }
  return CUDA_ERROR_NOT_FOUND;
}

}  // namespace longwire::softcuda::driver
