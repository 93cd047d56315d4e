#include "softcuda/driver/stream.h"

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

CUresult Stream::submit(Operation operation, std::vector<CompletionPtr> after, CompletionPtr* out) {
  std::shared_ptr<Context> context = context_.lock();
  if (context == nullptr) return CUDA_ERROR_CONTEXT_IS_DESTROYED;
  Driver& driver = *the_driver();
  if (capturing.load())
    if (auto captured = capture_operation(driver, *this, operation); captured.has_value())
      return *captured;
  if (CUresult status = check_legacy(driver, *this); status != CUDA_SUCCESS) return status;
  std::lock_guard lock(context->order);
  order_with_legacy(*context, after);
  auto completion = std::make_shared<Completion>();
  if (out != nullptr) *out = completion;
  return put({std::move(operation), std::move(after), std::move(completion), context}, false);
}

CUresult Stream::submit_and_wait(Operation operation) {
  std::shared_ptr<Context> context = context_.lock();
  if (context == nullptr) return CUDA_ERROR_CONTEXT_IS_DESTROYED;
  if (CUresult status = check_may_ask(); status != CUDA_SUCCESS) return status;
  auto completion = std::make_shared<Completion>();
  Command command{std::move(operation), {}, completion, context};
  bool inline_now = false;
  {
    std::lock_guard lock(context->order);
    order_with_legacy(*context, command.after);
    std::lock_guard own(mutex_);
    inline_now = command.after.empty() && queue_.empty() && !running_ && !closed_;
    if (inline_now) {
      running_ = true;
      last_ = completion;
    }
  }
  if (!inline_now) {
    std::lock_guard lock(context->order);
    command.after.clear();
    order_with_legacy(*context, command.after);
    if (CUresult status = put(std::move(command), true); status != CUDA_SUCCESS) return status;
    // The lock is given back before the wait below.
  } else {
    run(command);
    std::lock_guard own(mutex_);
    running_ = false;
    changed_.notify_all();
  }
  completion->wait();
  return completion->result();
}

CUresult Stream::put(Command command, bool wait) {
  std::unique_lock lock(mutex_);
  (void)wait;
  if (closed_) return CUDA_ERROR_INVALID_HANDLE;
  if (!has_executor_ && !start_executor()) return CUDA_ERROR_OUT_OF_MEMORY;
  changed_.wait(lock, [&] { return queue_.size() < kMaxQueued; });
  last_ = command.completion;
  queue_.push_back(std::move(command));
  changed_.notify_all();
  return CUDA_SUCCESS;
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

bool Stream::start_executor() {
  has_executor_ = base::try_start_detached_thread("cuda-stream",
                                                  [self = shared_from_this()] { self->execute(); });
  return has_executor_;
}

void Stream::execute() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return !running_ && (!queue_.empty() || closed_); });
    if (queue_.empty()) break;
    Command command = std::move(queue_.front());
    queue_.pop_front();
    running_ = true;
    changed_.notify_all();  // there is room
    lock.unlock();
    run(command);
    command = Command{};
    lock.lock();
    running_ = false;
    changed_.notify_all();
  }
  has_executor_ = false;
}

CompletionPtr Stream::last() {
  std::lock_guard lock(mutex_);
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
  {
    std::lock_guard lock(context->order);
    if (kind_ == Kind::kLegacy) order_with_legacy(*context, after);
    if (CompletionPtr own = last(); own != nullptr) after.push_back(std::move(own));
  }
  for (const CompletionPtr& each : after)
    each->wait();
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
  changed_.notify_all();
}

}  // namespace longwire::softcuda::driver
