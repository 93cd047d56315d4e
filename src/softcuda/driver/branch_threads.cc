#include "softcuda/driver/branch_threads.h"

#include <utility>

#include "base/thread.h"

namespace longwire::softcuda::driver {

bool BranchThreads::try_run(std::function<void()> body) noexcept try {
  std::unique_lock lock(mutex_);
  if (idle_ > waiting_.size()) {
    waiting_.push_back(std::move(body));
    lock.unlock();
    work_.notify_one();
    return true;
  }
  if (threads_ == kMaxBranchThreads) return false;
  ++threads_;
  lock.unlock();
  std::function<void()> serving = [this, body = std::move(body)] { serve(body); };
  if (base::try_start_detached_thread("cuda-branch", std::move(serving))) return true;
  lock.lock();
  --threads_;
  return false;
} catch (...) {
  return false;  // of no memory: then the count may stay one too high, which is no harm
}

void BranchThreads::serve(std::function<void()> body) {
  do {
    body();
    body = nullptr;  // what it holds is not held while nothing comes
  } while (wait_for_next(body));
}

bool BranchThreads::wait_for_next(std::function<void()>& body) {
  std::unique_lock lock(mutex_);
  ++idle_;
  work_.wait_for(lock, kIdleBranchThread, [&] { return !waiting_.empty(); });
  --idle_;
  if (waiting_.empty()) {
    --threads_;
    return false;
  }
  body = std::move(waiting_.front());
  waiting_.pop_front();
  return true;
}

}  // namespace longwire::softcuda::driver
