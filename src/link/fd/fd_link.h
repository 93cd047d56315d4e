// FdLink: a link over a connected stream socket (TCP, unix). poll(2) for waiting, an eventfd for
// wake(). Never raises SIGPIPE.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <string>

#include "base/unique_fd.h"
#include "link/link.h"

namespace longwire::link {

class FdLink final : public Link {
 public:
  // Takes a connected socket and makes it non-blocking.
  static base::Result<std::unique_ptr<FdLink>> create(base::UniqueFd socket, LinkInfo info);
  ~FdLink() override;

  base::Result<std::size_t> read_some(std::span<std::byte> out) override;
  base::Result<std::size_t> write_some(std::span<const ConstBuffer> parts) override;
  base::Result<Readiness> wait(Interest interest, base::Deadline deadline) override;
  void wake() noexcept override;
  void close() noexcept override;
  bool closed_by_peer() const noexcept override { return ended_by_peer_ && !closed_; }
  LinkInfo info() const override { return info_; }
  std::shared_ptr<const LinkCounters> counters() const override { return counters_; }

  // Gives the socket away, for handing it to another process. The link is closed afterwards.
  // REQUIRES: no other thread uses the link.
  base::UniqueFd release();

 private:
  FdLink(base::UniqueFd socket, base::UniqueFd wake_fd, LinkInfo info);
  bool consume_wake() noexcept;
  base::Result<std::size_t> failed(const char* what, int error_number) noexcept;

  base::UniqueFd socket_;
  base::UniqueFd wake_fd_;
  const ino_t socket_inode_;
  const LinkInfo info_;
  const std::shared_ptr<LinkCounters> counters_ =
      std::make_shared<LinkCounters>();  // see counters()
  std::atomic<bool> wake_pending_{false};
  std::atomic<bool> closed_{false};
  std::atomic<bool> ended_by_peer_{false};
};

}  // namespace longwire::link
