// StdoutPipe: what kernels print. Vendor drivers write a kernel's printf to the stdout of the
// process that runs it; here that is the worker, but the text belongs on the program's own.
//
// The process's descriptor 1 becomes a pipe. Its content is sent before the completion of the
// command that printed (drain()), and by a thread as it comes, so that a full pipe blocks nobody.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "base/result.h"
#include "base/unique_fd.h"
#include "worker/core/outbox.h"
#include "worker/opencl/completions.h"

namespace longwire::worker::opencl {

class StdoutPipe final : public OutputSource {
 public:
  // Redirects descriptor 1 of this process until destruction.
  static base::Result<std::unique_ptr<StdoutPipe>> create();
  ~StdoutPipe() override;

  // Begins to read; until then drain() does nothing. Called once a program may print.
  void start(core::Outbox& outbox);
  void drain(core::Outbox::Turn& turn) override;
  // Ends the thread; nothing is sent any more.
  void stop();

 private:
  StdoutPipe() = default;
  void read_on(core::Outbox& outbox);

  base::UniqueFd saved_;
  base::UniqueFd read_end_;
  base::UniqueFd wake_;
  std::atomic<bool> started_{false};
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

}  // namespace longwire::worker::opencl
