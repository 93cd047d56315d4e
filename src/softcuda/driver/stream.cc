#include "softcuda/driver/stream.h"

#include <algorithm>
#include <ctime>

#include "base/thread.h"
#include "softcuda/driver/capture.h"
#include "softcuda/driver/driver.h"

namespace longwire::softcuda::driver {
namespace {

std::uint64_t next_id() noexcept {
  static std::atomic<std::uint64_t> next{1};
  return next.fetch_add(1);
}

// About what it costs to sleep and to be woken: so at worst twice that is spent.
constexpr std::uint64_t kMomentNs = 20'000;
constexpr int kLooks = 16;  // between two looks at the clock

void pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Where there is another core, so that what is looked for can come about; false: it did not.
template <class Found>
bool look_for_a_moment(Found found) {
  static const bool several = std::thread::hardware_concurrency() > 1;
  if (!several) return found();
  for (const std::uint64_t end = now_ns() + kMomentNs; now_ns() < end;)
    for (int i = 0; i < kLooks; ++i) {
      if (found()) return true;
      pause();
    }
  return found();
}

// The program's functions are called by no thread of the program's, and what may wait, or compile a
// kernel, is left to a thread that has the time and the stack for it.
bool may_run_on_any_thread(const Operation& operation) {
  if (const auto* kernel = std::get_if<KernelOperation>(&operation); kernel != nullptr)
    return has_run(*kernel);
  return std::holds_alternative<EmptyOperation>(operation) ||
         std::holds_alternative<CopyOperation>(operation) ||
         std::holds_alternative<MemsetOperation>(operation);
}

}  // namespace

std::uint64_t now_ns() noexcept {
  constexpr std::uint64_t kNsOfSecond = 1'000'000'000;
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * kNsOfSecond +
         static_cast<std::uint64_t>(now.tv_nsec);
}

std::shared_ptr<Stream> make_stream(const std::shared_ptr<Context>& context, Stream::Kind kind,
                                    unsigned int flags, int priority) {
  auto stream = std::make_shared<Stream>(context, kind, flags, priority);
  stream->id = next_id();
  std::erase_if(context->streams, [](const auto& each) { return each.expired(); });
  context->streams.push_back(stream);
  return stream;
}

std::shared_ptr<Stream> find_stream(const std::shared_ptr<Context>& context, CUstream handle) {
  const bool own =
      handle == CU_STREAM_PER_THREAD || (handle == nullptr && cudaapi::PerThreadStream::active());
  if (!own && handle != nullptr && handle != CU_STREAM_LEGACY) {
    Driver* driver = the_driver();
    return driver == nullptr ? nullptr : driver->streams.find(handle);
  }
  std::lock_guard lock(context->order);
  if (context->ended) return nullptr;
  std::shared_ptr<Stream>& stream =
      own ? context->per_thread[std::this_thread::get_id()] : context->legacy;
  if (stream == nullptr)
    stream = make_stream(context, own ? Stream::Kind::kPerThread : Stream::Kind::kLegacy, 0, 0);
  return stream;
}

void Stream::order_with_legacy(Context& context, std::vector<CompletionPtr>& after) {
  auto add = [&](Stream& other) {
    if (CompletionPtr last = other.last(); last != nullptr && !last->done())
      after.push_back(std::move(last));
  };
  if (kind_ == Kind::kLegacy) {
    for (const auto& each : context.streams)
      if (auto other = each.lock(); other != nullptr && other->blocks_with_legacy()) add(*other);
  } else if (blocks_with_legacy() && context.legacy != nullptr) {
    add(*context.legacy);
  }
}

void Stream::wait_at_gates(Context& context, std::vector<CompletionPtr>& after) {
  if (context.gates.empty()) return;
  std::erase_if(context.gates, [](const CompletionPtr& each) { return each->done(); });
  after.insert(after.end(), context.gates.begin(), context.gates.end());
}

Stream::Room::Room(Stream& stream) : stream_(stream), held_(stream.try_take_room()) {
  if (held_) return;
  std::unique_lock lock(stream.mutex_);
  ++stream.waiting_for_room_;
  stream.room_.wait(lock, [&] { return stream.closed_ || (held_ = stream.try_take_room()); });
  --stream.waiting_for_room_;
}

Stream::Room::~Room() {
  if (!held_) return;
  std::lock_guard lock(stream_.mutex_);
  --stream_.rooms_;
  stream_.room_.notify_one();
}

bool Stream::try_take_room() noexcept {
  std::size_t now = rooms_.load(std::memory_order_relaxed);
  while (now < kMaxQueued)
    if (rooms_.compare_exchange_weak(now, now + 1, std::memory_order_relaxed)) return true;
  return false;
}

CUresult Stream::submit(Operation operation, std::vector<CompletionPtr> after, CompletionPtr* out) {
  Driver& driver = *the_driver();
  if (capturing.load())
    if (auto captured = capture_operation(driver, *this, operation); captured.has_value())
      return *captured;
  if (CUresult status = check_legacy(driver, *this); status != CUDA_SUCCESS) return status;
  Room room(*this);
  return submit_into(room, std::move(operation), std::move(after), out);
}

CUresult Stream::submit_into(Room& room, Operation operation, std::vector<CompletionPtr> after,
                             CompletionPtr* out) {
  std::shared_ptr<Context> context = context_.lock();
  if (context == nullptr) return CUDA_ERROR_CONTEXT_IS_DESTROYED;
  std::lock_guard lock(context->order);
  order_with_legacy(*context, after);
  wait_at_gates(*context, after);
  auto completion = std::make_shared<Completion>();
  if (out != nullptr) *out = completion;
  return put(room, {std::move(operation), std::move(after), std::move(completion), context});
}

CUresult Stream::submit_and_wait(Operation operation) {
  std::shared_ptr<Context> context = context_.lock();
  if (context == nullptr) return CUDA_ERROR_CONTEXT_IS_DESTROYED;
  if (CUresult status = check_may_ask(); status != CUDA_SUCCESS) return status;
  auto completion = std::make_shared<Completion>();
  Command command{std::move(operation), {}, completion, context};
  std::unique_lock order(context->order);
  order_with_legacy(*context, command.after);
  wait_at_gates(*context, command.after);
  if (command.after.empty() && begin_here(completion)) {
    order.unlock();
    run(command);
    std::lock_guard own(mutex_);
    ran();
    return completion->result();
  }
  order.unlock();
  Room room(*this);
  order.lock();
  command.after.clear();
  order_with_legacy(*context, command.after);
  wait_at_gates(*context, command.after);
  if (CUresult status = put(room, std::move(command)); status != CUDA_SUCCESS) return status;
  order.unlock();
  wait_for(*completion);
  return completion->result();
}

// Whether the calling thread may run a command now, which ran() ends.
bool Stream::begin_here(const CompletionPtr& completion) {
  std::lock_guard lock(mutex_);
  if (!queue_.empty() || running_ || closed_) return false;
  running_ = true;
  last_ = completion;
  return true;
}

// Whoever has the lock gives it back soon; to sleep for it would take longer.
std::unique_lock<std::mutex> Stream::locked() {
  constexpr int kTries = 200;
  for (int i = 0; i < kTries; ++i) {
    if (mutex_.try_lock()) return {mutex_, std::adopt_lock};
    pause();
  }
  return std::unique_lock(mutex_);
}

CUresult Stream::put(Room& room, Command command) {
  auto lock = locked();
  if (closed_) return CUDA_ERROR_INVALID_HANDLE;
  if (!has_executor_ && !start_executor()) return CUDA_ERROR_OUT_OF_MEMORY;
  last_ = command.completion;
  queue_.push_back(std::move(command));
  room.held_ = false;
  note_work();
  lock.unlock();
  work_.notify_one();
  return CUDA_SUCCESS;
}

Stream::Command Stream::take() {
  Command command = std::move(queue_.front());
  queue_.pop_front();
  running_ = true;
  note_work();
  --rooms_;
  if (waiting_for_room_ != 0) room_.notify_one();
  return command;
}

void Stream::ran() {
  running_ = false;
  note_work();
  if (has_work_.load()) work_.notify_one();
}

void Stream::run(Command& command) {
  for (const CompletionPtr& each : command.after)
    each->wait();
  CUresult result = command.context->fault.load();
  if (result == CUDA_SUCCESS || runs_after_fault(command.operation)) {
    try {
      result = run_operation(*command.context, command.operation);
    } catch (...) {
      result = CUDA_ERROR_OUT_OF_MEMORY;
    }
  }
  command.operation = EmptyOperation{};  // who sees its end finds what it held given back
  command.completion->finish(result, now_ns());
}

bool Stream::try_run_next() {
  Command command;
  {
    std::lock_guard lock(mutex_);
    if (running_ || queue_.empty()) return false;
    const Command& next = queue_.front();
    const bool waits = std::any_of(next.after.begin(), next.after.end(),
                                   [](const CompletionPtr& each) { return !each->done(); });
    if (waits || !may_run_on_any_thread(next.operation)) return false;
    command = take();
  }
  run(command);
  const auto lock = locked();
  ran();
  return true;
}

void Stream::wait_for(const Completion& wanted) {
  while (!wanted.done() && try_run_next()) {
  }
  if (wanted.done()) return;
  const std::shared_ptr<Context> context = context_.lock();
  const bool may_look = context != nullptr && (context->flags & CU_CTX_SCHED_BLOCKING_SYNC) == 0;
  if (may_look) look_for_a_moment([&] { return wanted.done(); });
  wanted.wait();
}

bool Stream::start_executor() {
  has_executor_ = base::try_start_detached_thread("cuda-stream",
                                                  [self = shared_from_this()] { self->execute(); });
  return has_executor_;
}

bool Stream::wait_for_work(std::unique_lock<std::mutex>& lock) {
  for (;;) {
    if (!running_ && !queue_.empty()) return true;
    if (!running_ && closed_) return false;
    lock.unlock();
    const bool found = look_for_a_moment([&] { return has_work_.load(std::memory_order_relaxed); });
    lock = locked();
    if (!found) work_.wait(lock, [&] { return !running_ && (!queue_.empty() || closed_); });
  }
}

void Stream::execute() {
  std::unique_lock lock(mutex_);
  while (wait_for_work(lock)) {
    Command command = take();
    lock.unlock();
    run(command);
    command = Command{};
    lock = locked();
    running_ = false;
    note_work();
  }
  has_executor_ = false;
}

CompletionPtr Stream::last() {
  const auto lock = locked();
  return last_;
}

CUresult Stream::check_may_ask() const {
  Driver& driver = *the_driver();
  CUresult status = refuse_capture(driver, *this);
  if (status == CUDA_SUCCESS) status = check_legacy(driver, *this);
  return status == CUDA_SUCCESS ? check_unsafe(driver) : status;
}

CUresult Stream::synchronize() {
  std::shared_ptr<Context> context = context_.lock();
  if (context == nullptr) return CUDA_ERROR_CONTEXT_IS_DESTROYED;
  if (CUresult status = check_may_ask(); status != CUDA_SUCCESS) return status;
  std::vector<CompletionPtr> after;
  CompletionPtr own;
  {
    std::lock_guard lock(context->order);
    if (kind_ == Kind::kLegacy) order_with_legacy(*context, after);
    own = last();
  }
  for (const CompletionPtr& each : after)
    each->wait();
  if (own != nullptr) wait_for(*own);
  return context->fault.load();
}

CUresult Stream::query() {
  std::shared_ptr<Context> context = context_.lock();
  if (context == nullptr) return CUDA_ERROR_CONTEXT_IS_DESTROYED;
  if (CUresult status = check_may_ask(); status != CUDA_SUCCESS) return status;
  std::lock_guard lock(context->order);
  std::vector<CompletionPtr> after;
  if (kind_ == Kind::kLegacy) order_with_legacy(*context, after);
  if (!after.empty()) return CUDA_ERROR_NOT_READY;
  CompletionPtr own = last();
  if (own != nullptr && !own->done()) return CUDA_ERROR_NOT_READY;
  return context->fault.load();
}

void Stream::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  note_work();
  work_.notify_one();
  room_.notify_all();
}

}  // namespace longwire::softcuda::driver
