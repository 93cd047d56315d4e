#include "worker/opencl/stdout_pipe.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "base/thread.h"

namespace longwire::worker::opencl {
namespace {

constexpr int kPipeBytes = 1 << 20;
constexpr std::size_t kReadBytes = std::size_t{16} << 10;
constexpr std::size_t kMostPerDrain = 256;  // reads; a kernel that prints for ever must not hold on

}  // namespace

base::Result<std::unique_ptr<StdoutPipe>> StdoutPipe::create() {
  std::unique_ptr<StdoutPipe> pipe(new StdoutPipe);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return base::Error::from_errno(base::ErrorCode::kInternal, "pipe2", errno);
  pipe->read_end_.reset(ends[0]);
  const base::UniqueFd write_end(ends[1]);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  ::fcntl(ends[1], F_SETPIPE_SZ, kPipeBytes);
  pipe->wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  pipe->saved_.reset(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
  std::fflush(stdout);
  if (!pipe->wake_.valid() || ::dup2(ends[1], STDOUT_FILENO) < 0)
    return base::Error::from_errno(base::ErrorCode::kInternal, "redirect stdout", errno);
  std::setvbuf(stdout, nullptr, _IONBF, 0);  // drivers that use printf()
  return pipe;
}

StdoutPipe::~StdoutPipe() {
  stop();
  std::fflush(stdout);
  if (saved_.valid()) ::dup2(saved_.get(), STDOUT_FILENO);
}

void StdoutPipe::start(core::Outbox& outbox) {
  if (started_.exchange(true)) return;
  thread_ = base::start_thread("lw-stdout", [this, &outbox] { read_on(outbox); });
}

void StdoutPipe::stop() {
  if (stopped_.exchange(true) || !thread_.joinable()) return;
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
  thread_.join();
}

void StdoutPipe::drain(core::Outbox::Turn& turn) {
  if (!started_.load(std::memory_order_relaxed)) return;
  std::array<std::byte, kReadBytes> text;
  for (std::size_t i = 0; i < kMostPerDrain; ++i) {
    const ssize_t bytes = ::read(read_end_.get(), text.data(), text.size());
    if (bytes <= 0) return;
    turn.standard_output(std::span(text).first(static_cast<std::size_t>(bytes)));
  }
}

void StdoutPipe::read_on(core::Outbox& outbox) {
  while (!stopped_) {
    pollfd fds[2] = {{read_end_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    if (::poll(fds, 2, -1) < 0 && errno != EINTR) return;
    if ((fds[0].revents & POLLIN) == 0) continue;
    {
      auto turn = outbox.turn();
      drain(turn);
    }
    outbox.flush();
  }
}

}  // namespace longwire::worker::opencl
