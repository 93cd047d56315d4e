#include "softcuda/driver/graph_run.h"

#include <algorithm>
#include <condition_variable>
#include <cstdio>

#include "softcuda/driver/copy.h"
#include "softcuda/driver/stream_values.h"

namespace longwire::softcuda::driver {
namespace {

CUresult run_plan(Context& context, const GraphLaunch& launch, const Plan& plan);

// Memory may have been freed since the operation was made.
CUresult check_memory(Driver& driver, const Operation& operation) {
  if (const auto* copy = std::get_if<CopyOperation>(&operation); copy != nullptr) {
    CopyOperation again;
    return make_copy(copy->asked, again);
  }
  if (const auto* memset = std::get_if<MemsetOperation>(&operation); memset != nullptr)
    return make_memset(memset->parameters);
  if (const auto* memory = std::get_if<MemoryOperation>(&operation); memory != nullptr)
    return check_stream_values(driver, static_cast<unsigned int>(memory->parts.size()),
                               memory->parts.data(), 0);
  return CUDA_SUCCESS;
}

CUresult run_operation_of(Context& context, const Operation& operation) {
  if (check_memory(*the_driver(), operation) == CUDA_SUCCESS)
    return run_operation(context, operation);
  std::fputs("soft CUDA device: a node of a graph uses memory that has been freed\n", stderr);
  return fail_context(context, CUDA_ERROR_ILLEGAL_ADDRESS);
}

// Of a launch that has failed: a step of another branch may wait for a record.
void skip(const GraphLaunch& launch, const Step& step) {
  for (const PlanPtr& child : step.children)
    for (const Step& each : child->steps)
      skip(launch, each);
  auto record = launch.records.find(&step);
  if (record != launch.records.end() && !record->second->done())
    record->second->finish(CUDA_ERROR_LAUNCH_FAILED, now_ns());
}

CUresult run_conditional(Context& context, const GraphLaunch& launch, const Step& step) {
  const auto& chosen = std::get<ConditionalOperation>(*step.operation);
  const std::atomic<unsigned int>& value = chosen.condition->value;
  if (chosen.type == CU_GRAPH_COND_TYPE_WHILE) {
    CUresult status = CUDA_SUCCESS;
    while (status == CUDA_SUCCESS && value.load() != 0)
      status = run_plan(context, launch, *step.children.front());
    return status;
  }
  const unsigned int now = value.load();
  const unsigned int body = chosen.type == CU_GRAPH_COND_TYPE_SWITCH ? now : now == 0 ? 1 : 0;
  return body < step.children.size() ? run_plan(context, launch, *step.children[body])
                                     : CUDA_SUCCESS;
}

CUresult run_step(Context& context, const GraphLaunch& launch, const Step& step) {
  if (!step.enabled) return CUDA_SUCCESS;
  try {
    if (std::holds_alternative<ConditionalOperation>(*step.operation))
      return run_conditional(context, launch, step);
    if (!step.children.empty()) return run_plan(context, launch, *step.children.front());
    if (auto record = launch.records.find(&step); record != launch.records.end())
      record->second->finish(CUDA_SUCCESS, now_ns());
    else if (auto wait = launch.waits.find(&step); wait != launch.waits.end())
      wait->second->wait();
    else
      return run_operation_of(context, *step.operation);
    return CUDA_SUCCESS;
  } catch (...) {
    skip(launch, step);
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
}

// One run of a plan. Of the steps that are ready, the first in the plan's order is always taken
// first. So the first of all that have not ended runs, or the thread that ended the last one before
// it takes it next; and as a step waits for none but earlier ones (for a record of the same
// launch), the run ends with however few threads.
class PlanRun : public std::enable_shared_from_this<PlanRun> {
 public:
  PlanRun(Context& context, const GraphLaunch& launch, const Plan& plan)
      : context_(context), launch_(launch), plan_(plan), waits_(plan.shape->waits) {
    left_ = waits_.size();
    ready_.reserve(left_);  // nothing below can fail for want of memory
    for (std::uint32_t place = 0; place < waits_.size(); ++place)
      if (waits_[place] == 0) push(place);
  }

  CUresult run() {
    std::unique_lock lock(mutex_);
    for (work(lock); left_ > 0; work(lock)) {
      owner_waits_ = true;
      changed_.wait(lock, [&] { return left_ == 0 || !ready_.empty(); });
      owner_waits_ = false;
    }
    return status_;
  }

 private:
  // REQUIRES, of all that follows: the lock is held.
  void push(std::uint32_t place) {
    ready_.push_back(place);
    std::push_heap(ready_.begin(), ready_.end(), std::greater<>());
  }
  std::uint32_t take_first() {
    std::pop_heap(ready_.begin(), ready_.end(), std::greater<>());
    const std::uint32_t place = ready_.back();
    ready_.pop_back();
    return place;
  }

  // Runs steps while there are any that can be. Whoever takes one and leaves another calls one more
  // thread, which does the same: short steps are over before many threads have come.
  void work(std::unique_lock<std::mutex>& lock) {
    while (!ready_.empty()) {
      const std::uint32_t place = take_first();
      if (!ready_.empty()) call_help();
      const Step& step = plan_.steps[plan_.shape->order[place]];
      CUresult status = status_;
      lock.unlock();
      if (status == CUDA_SUCCESS)
        status = run_step(context_, launch_, step);
      else
        skip(launch_, step);
      lock.lock();
      if (status_ == CUDA_SUCCESS) status_ = status;
      --left_;
      for (const std::uint32_t follower : plan_.shape->followers[place])
        if (--waits_[follower] == 0) push(follower);
    }
    if (left_ == 0) changed_.notify_one();
  }

  void call_help() {
    if (owner_waits_)
      changed_.notify_one();
    else if (!help_comes_)
      help_comes_ = the_driver()->branch_threads.try_run([self = shared_from_this()] {
        std::unique_lock own(self->mutex_);
        self->help_comes_ = false;
        self->work(own);  // the launch may be over: then nothing is ready
      });
  }

  Context& context_;
  const GraphLaunch& launch_;
  const Plan& plan_;
  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::vector<std::uint32_t> waits_;  // of a step, by its place in the order: for how many others
  std::vector<std::uint32_t> ready_;  // a heap, with the first on top
  std::size_t left_ = 0;              // steps that have not ended
  CUresult status_ = CUDA_SUCCESS;
  bool help_comes_ = false;   // a thread has been called and has not begun
  bool owner_waits_ = false;  // the thread of run()
};

CUresult run_serially(Context& context, const GraphLaunch& launch, const Plan& plan) {
  CUresult status = CUDA_SUCCESS;
  for (const std::uint32_t index : plan.shape->order) {
    if (status == CUDA_SUCCESS)
      status = run_step(context, launch, plan.steps[index]);
    else
      skip(launch, plan.steps[index]);
  }
  return status;
}

CUresult run_plan(Context& context, const GraphLaunch& launch, const Plan& plan) {
  if (plan.shape->serial) return run_serially(context, launch, plan);
  return std::make_shared<PlanRun>(context, launch, plan)->run();
}

void begin_conditions(const Plan& plan) {
  if (!plan.shape->has_conditions) return;
  for (const Step& step : plan.steps) {
    if (const auto* chosen = std::get_if<ConditionalOperation>(step.operation.get()))
      chosen->condition->begin_launch();
    for (const PlanPtr& child : step.children)
      begin_conditions(*child);
  }
}

}  // namespace

CUresult run_launch(Context& context, const GraphLaunch& launch) {
  begin_conditions(*launch.plan);
  return run_plan(context, launch, *launch.plan);
}

}  // namespace longwire::softcuda::driver
