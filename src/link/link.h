// Link: one connection of a session. A bidirectional, ordered byte stream with non-blocking reads
// and vectored writes, plus one place to wait. Concrete links (tcp, tls, unix, inproc, sim) live in
// sub-folders; only src/app, src/driver and tests choose one.
//
// Threads: one thread may read while another writes; two readers or two writers need their own
// lock. wait() may run at the same time as write_some() on another thread, and two threads may
// wait() at once if one waits to read and the other to write (a wake() then reaches one of them).
// wake() and close() may be called from any thread at any time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "link/link_counters.h"

namespace longwire::link {

using ConstBuffer = std::span<const std::byte>;

// What wait() waits for, and what it found. A plain bit set.
struct Interest {
  bool readable = false;
  bool writable = false;
};

struct Readiness {
  bool readable = false;  // read_some() will make progress, or report the end of the link
  bool writable = false;
  bool woken = false;  // wake() was called; the call is consumed
  bool timed_out() const { return !readable && !writable && !woken; }
};

struct LinkInfo {
  std::string kind;          // "tcp", "tls", "unix", "inproc", "sim"
  std::string peer_address;  // for people: "192.168.1.7:9477"
  bool encrypted = false;
};

class Link {
 public:
  virtual ~Link() = default;

  // Reads at most out.size() bytes. 0 means "nothing now". Errors: kClosed after an orderly end of
  // the stream, kLinkLost when it broke, kWireFault when TLS found a forged record.
  virtual base::Result<std::size_t> read_some(std::span<std::byte> out) = 0;

  // Writes a prefix of the parts, in order (one vectored system call where there is one), and says
  // how many bytes were taken. 0 means "full now". Errors: kLinkLost, kClosed. A link that encrypts
  // may keep some of what it took; that goes out with later writes, or while a thread is in wait().
  virtual base::Result<std::size_t> write_some(std::span<const ConstBuffer> parts) = 0;

  // Blocks until something of `interest` holds, wake() is called, or `deadline` passes.
  virtual base::Result<Readiness> wait(Interest interest, base::Deadline deadline) = 0;

  // Makes a wait() under way, or else the next one, return with `woken`.
  virtual void wake() noexcept = 0;

  // Ends both directions. Later reads and writes fail with kClosed; a wait() under way returns.
  virtual void close() noexcept = 0;

  // After a failure: the other side's kernel has ended the connection (its process has gone, or has
  // closed it). False: it was this side, or only silence says that the connection is dead.
  virtual bool closed_by_peer() const noexcept { return false; }

  virtual LinkInfo info() const = 0;

  // Shared with whoever reads them, also after the link has gone. Null: this link counts nothing.
  virtual std::shared_ptr<const LinkCounters> counters() const { return nullptr; }
};

}  // namespace longwire::link
