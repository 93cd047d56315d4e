#include "worker/opencl/completions.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "worker/opencl/direct_transfers.h"

namespace longwire::worker::opencl {
namespace {

constexpr cl_profiling_info kTimes[] = {CL_PROFILING_COMMAND_QUEUED, CL_PROFILING_COMMAND_SUBMIT,
                                        CL_PROFILING_COMMAND_START, CL_PROFILING_COMMAND_END,
                                        CL_PROFILING_COMMAND_COMPLETE};

}  // namespace

// What a callback of the driver gets: the event, and who handles it.
struct EventWatch {
  Completions* owner;
  Ref<Event> event;
  cl_int subscribed = CL_COMPLETE;
};

namespace {

template <Event::Links Event::*kLinks>
void link_first(Event*& head, Event& event) {
  (event.*kLinks).next = head;
  if (head != nullptr) (head->*kLinks).previous = &event;
  head = &event;
}
template <Event::Links Event::*kLinks>
void unlink(Event*& head, Event& event) {
  Event::Links& links = event.*kLinks;
  if (links.previous != nullptr) (links.previous->*kLinks).next = links.next;
  if (links.next != nullptr) (links.next->*kLinks).previous = links.previous;
  if (head == &event) head = links.next;
  links = {};
}

}  // namespace

void Completions::enlist(Event& event) {
  if (live_ == nullptr) busy_.begin(services_.clock.now_ns());
  if (event.queue) link_first<&Event::in_queue>(event.queue->live, event);
  link_first<&Event::in_all>(live_, event);
  anything_live_.store(true, std::memory_order_relaxed);
}

bool Completions::claim(Event& event) {
  if (std::exchange(event.claimed, true)) return false;
  if (event.queue) unlink<&Event::in_queue>(event.queue->live, event);
  unlink<&Event::in_all>(live_, event);
  if (live_ == nullptr) {
    anything_live_.store(false, std::memory_order_relaxed);
    busy_.end(services_.clock.now_ns());
  }
  return true;
}

base::Nanoseconds Completions::busy_ns() {
  const auto turn = services_.outbox.turn();
  return busy_.at(services_.clock.now_ns());
}

void Completions::watch(Event& event) {
  due_.fetch_add(1, std::memory_order_relaxed);
  {
    auto turn = services_.outbox.turn();
    enlist(event);
  }
  event.use();  // given back by complete()
  event.completions = this;
  const cl_int status =
      api_.clSetEventCallback(event.native, CL_COMPLETE, &Completions::on_complete, &event);
  if (status != CL_SUCCESS) watch_by_waiting(event);
}

// OpenCL 1.0 has no event callbacks.
void Completions::watch_by_waiting(Event& event) {
  const bool runs = services_.mirrors.run([this, &event] {
    const cl_event native = event.native;
    const cl_int waited = api_.clWaitForEvents(1, &native);
    cl_int status = waited;
    if (waited == CL_SUCCESS || waited == CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST) {
      status = CL_COMPLETE;
      api_.clGetEventInfo(native, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status,
                          nullptr);
    }
    complete(event, status);
  });
  if (!runs) complete(event, CL_OUT_OF_RESOURCES);
}

void CL_CALLBACK Completions::on_complete(cl_event, cl_int status, void* user) {
  Event& event = *static_cast<Event*>(user);
  event.completions->complete(event, status);
}

void Completions::complete(Event& event, cl_int status) {
  const State state = state_of(event, status);
  bool claimed = false;
  bool orphaned = false;
  auto urgency = Urgency::kAtOnce;
  {
    auto turn = services_.outbox.turn();
    claimed = claim(event);
    orphaned = event.orphaned;
    if (claimed) {
      if (live_ != nullptr && !event.in_turn) urgency = Urgency::kInBurst;
      report(turn, event, state);
      if (event.queue) event.queue->over = std::max(event.queue->over, event.ends);
    }
  }
  if (orphaned) {  // the driver did call back
    bool had_use = false;
    {
      const std::lock_guard lock(orphans_mutex_);
      had_use = orphans_.erase(&event) != 0;
    }
    if (had_use) event.unuse();
    return;
  }
  if (claimed) {
    if (urgency == Urgency::kAtOnce)
      services_.outbox.flush();
    else
      services_.outbox.flush_in_burst();
    if (const auto afterwards = std::exchange(event.afterwards, nullptr)) afterwards(state.status);
    if (state.status < 0) note_failure();
  }
  event.unuse();
  one_fewer();
}

Completions::State Completions::state_of(const Event& event, cl_int status) const {
  State state;
  state.status = status > 0 ? CL_COMPLETE : status;
  if (event.replaced_status < 0) state.status = event.replaced_status;
  if (!event.wanted() || !event.queue || !event.queue->profiling || state.status < 0) return state;
  state.has_times = true;
  state.times = event.replaced_times;
  for (std::size_t i = 0; i < std::size(kTimes); ++i) {
    cl_ulong time = 0;
    if (state.times[i] != 0) continue;
    if (api_.clGetEventProfilingInfo(event.native, kTimes[i], sizeof time, &time, nullptr) ==
        CL_SUCCESS)
      state.times[i] = time;
  }
  return state;
}

void Completions::report(core::Outbox::Turn& turn, Event& event, const State& state) {
  if (output_ != nullptr) output_->drain(turn);
  if (event.wanted()) {
    message_.events.resize(1);
    auto& done = message_.events.front();
    done.event = event.handle();
    done.status = state.status;
    done.times = {};
    if (state.has_times) done.times = wire::U64View(state.times.data(), state.times.size());
    turn.push(message_);
  }
  if (const auto in_turn = std::exchange(event.in_turn, nullptr)) in_turn(turn, state.status);
}

void Completions::subscribe(Event& event, cl_int status) {
  due_.fetch_add(1, std::memory_order_relaxed);
  auto watch = std::make_unique<EventWatch>(EventWatch{this, Ref<Event>(&event), status});
  const auto callback = [](cl_event, cl_int reached, void* user) {
    const std::unique_ptr<EventWatch> its(static_cast<EventWatch*>(user));
    Completions& self = *its->owner;
    if (reached >= 0) {
      auto turn = self.services_.outbox.turn();
      if (!its->event->claimed) {
        self.message_.events.resize(1);
        self.message_.events.front() = {its->event->handle(), its->subscribed, {}};
        turn.push(self.message_);
      }
    }
    self.services_.outbox.flush();
    its->event = {};
    self.one_fewer();
  };
  if (api_.clSetEventCallback(event.native, status, callback, watch.get()) == CL_SUCCESS) {
    (void)watch.release();  // the callback has it
  } else {
    one_fewer();
  }
}

void Completions::failed_to_start(Handle queue, Handle event, cl_int status) {
  failures_seen_.store(true, std::memory_order_relaxed);
  {
    auto turn = services_.outbox.turn();
    if (event == 0) {
      turn.object_failed(queue, status);
    } else {
      message_.events.resize(1);
      message_.events.front() = {event, status, {}};
      turn.push(message_);
    }
  }
}

void Completions::finish(Queue& queue, wire::Token token) {
  const Ref<Queue> keep(&queue);
  Queue::WaitingFinish waiting{0, token, queue.given};
  {
    auto turn = services_.outbox.turn();
    waiting.after_read = queue.last_read;
    if (queue.idle()) return answer(turn, queue, waiting);
    if (queue.placed && queue.placed->take(turn, waiting)) return;
  }
  auto* const marker = new Event(api_, 0);
  const Ref<Event> its(marker);
  const bool has_marker = queue.device && queue.device->version >= 120;
  cl_int status = has_marker
                      ? api_.clEnqueueMarkerWithWaitList(queue.native, 0, nullptr, &marker->native)
                      : CL_INVALID_OPERATION;
  if (status == CL_SUCCESS) {
    marker->afterwards = [this, keep, waiting](cl_int) { reply_finished(*keep, waiting); };
    watch(*marker);
    status = api_.clFlush(queue.native);
    return;
  }
  marker->native = nullptr;
  const bool runs = services_.mirrors.run([this, keep, waiting] {
    api_.clFinish(keep->native);
    reply_finished(*keep, waiting);
  });
  if (!runs) services_.outbox.turn().reply(token, CL_OUT_OF_RESOURCES);
}

std::vector<Completions::Found> Completions::over(const std::vector<Ref<Event>>& live) const {
  std::vector<Found> done;
  for (const Ref<Event>& event : live) {
    cl_int status = CL_QUEUED;
    api_.clGetEventInfo(event->native, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status,
                        nullptr);
    if (status <= 0) done.push_back({event, state_of(*event, status)});
  }
  return done;
}

// Commands that the marker has waited for are complete, but their callbacks may still be on their
// way: what is complete natively is reported here, so that the reply comes behind it.
void Completions::reply_finished(Queue& queue, const Queue::WaitingFinish& finish) {
  std::vector<Ref<Event>> live;
  {
    auto turn = services_.outbox.turn();
    for (Event* event = queue.live; event != nullptr; event = event->in_queue.next)
      live.emplace_back(event);
  }
  const std::vector<Found> done = over(live);
  std::vector<std::pair<std::function<void(cl_int)>, cl_int>> afterwards;
  {
    auto turn = services_.outbox.turn();
    // The list has the latest first.
    for (auto one = done.rbegin(); one != done.rend(); ++one) {
      Event& event = *one->event;
      if (!claim(event)) continue;
      report(turn, event, one->state);
      if (event.afterwards)
        afterwards.emplace_back(std::exchange(event.afterwards, nullptr), one->state.status);
    }
    queue.over = std::max(queue.over, finish.given);
    answer(turn, queue, finish);
  }
  services_.outbox.flush();
  for (auto& [run, status] : afterwards)
    run(status);
}

void Completions::answer(core::Outbox::Turn& turn, Queue& queue,
                         const Queue::WaitingFinish& finish) {
  if (output_ != nullptr) output_->drain(turn);
  if (queue.reads_due.empty() || *queue.reads_due.begin() > finish.after_read)
    turn.reply(finish.token, CL_SUCCESS);
  else
    queue.finishes.push_back(finish);
}

std::uint64_t Completions::read_started(Queue& queue) {
  auto turn = services_.outbox.turn();
  queue.reads_due.insert(++queue.last_read);
  return queue.last_read;
}

void Completions::read_replied(core::Outbox::Turn& turn, Queue& queue, std::uint64_t read) {
  queue.reads_due.erase(read);
  std::erase_if(queue.finishes, [&](const Queue::WaitingFinish& finish) {
    if (!queue.reads_due.empty() && *queue.reads_due.begin() <= finish.after_read) return false;
    turn.reply(finish.token, CL_SUCCESS);
    return true;
  });
}

// --- failures of which the driver says nothing ---------------------------------------------------

void Completions::note_failure() {
  failures_seen_.store(true, std::memory_order_relaxed);
  if (sweep_posted_.exchange(true)) return;
  services_.post([this] { sweep(); });
}

void Completions::sweep() {
  sweep_posted_ = false;
  swept_at_ns_ = services_.clock.now_ns();
  std::vector<Ref<Event>> live;
  {
    auto turn = services_.outbox.turn();
    for (Event* event = live_; event != nullptr; event = event->in_all.next)
      live.emplace_back(event);
  }
  std::vector<Found> failed = over(live);
  std::erase_if(failed, [](const Found& one) { return one.state.status >= 0; });
  for (auto one = failed.rbegin(); one != failed.rend(); ++one) {
    Event& event = *one->event;
    {
      auto turn = services_.outbox.turn();
      if (!claim(event)) continue;
      event.orphaned = true;
      report(turn, event, one->state);
    }
    {
      const std::lock_guard lock(orphans_mutex_);
      orphans_.insert(&event);  // with the use that the callback would have given back
    }
    if (const auto afterwards = std::exchange(event.afterwards, nullptr))
      afterwards(one->state.status);
    one_fewer();
  }
  if (!failed.empty()) services_.outbox.flush();
}

base::Deadline Completions::next_sweep() const {
  if (!failures_seen_.load(std::memory_order_relaxed) ||
      !anything_live_.load(std::memory_order_relaxed))
    return base::Deadline::never();
  return {swept_at_ns_ + kSweepEveryNs};
}

void Completions::drop_orphans() {
  std::unordered_set<Event*> orphans;
  {
    const std::lock_guard lock(orphans_mutex_);
    orphans.swap(orphans_);
  }
  for (Event* event : orphans)
    event->unuse();
}

// Rare, hence no callback has to wake anybody.
bool Completions::wait_until_idle(int timeout_ms) {
  constexpr auto kLookEvery = std::chrono::microseconds(100);
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (due_.load(std::memory_order_acquire) != 0) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(kLookEvery);
  }
  return true;
}

}  // namespace longwire::worker::opencl
