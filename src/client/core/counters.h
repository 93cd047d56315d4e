// What nodes have cost a program: round trips, bytes, system calls. Tests assert on them, `longwire
// trace` prints them.
//
// A *blocking round trip* is a wait of a thread for an answer of its node, where something had been
// sent to that node since the thread's last such wait began; also where another thread happened to
// read the answer first. A thread that goes on waiting for further answers to what it had sent by
// then (the bytes of a read beside its reply, the next event of a batch) waits, but for no further
// round trip. Opening a link (TCP's handshake, TLS's, Hello and Welcome) is counted apart for the
// session, and for the thread that opens a lane within a call of its own.
//
// A *wait* is any of those, and also a wait for what nobody had to ask for: the introduction that a
// node sends first of all, a full send ring, or a lane that has yet to take a program's bytes.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace longwire::client::core {

// What one thread has had to do with its nodes since it began. Whoever traces calls takes
// differences.
struct ThreadCounters {
  std::uint64_t round_trips = 0;
  std::uint64_t waits = 0;
  base::Nanoseconds blocked_ns = 0;
  // Counted while count_thread_bytes() is on. Sent: frames and bulk data of this thread's calls.
  // Received: the frames that this thread read from the link, and bulk data that it asked for.
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  ThreadCounters& operator+=(const ThreadCounters& other) noexcept;
  ThreadCounters operator-(const ThreadCounters& before) const noexcept;
};
ThreadCounters& thread_counters() noexcept;

// Whether ThreadCounters has bytes: the hot path pays one relaxed load when it has not.
extern std::atomic<bool> g_count_thread_bytes;
inline bool count_thread_bytes() noexcept {
  return g_count_thread_bytes.load(std::memory_order_relaxed);
}

// Of one connection: a system call counts also where it moved nothing.
struct LinkTotals {
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;  // flushes: each takes all that is queued
  std::uint64_t waits = 0;
  std::uint64_t wakes = 0;
  std::uint64_t system_calls() const noexcept { return reads + writes + waits + wakes; }
};

// Of one session. Every message is one frame; acknowledgements on their own are not counted.
struct SessionCounters {
  std::uint64_t setup_round_trips = 0;  // of the session's own link and of its lanes
  std::uint64_t round_trips = 0;
  std::uint64_t waits = 0;
  base::Nanoseconds blocked_ns = 0;  // of all threads together
  std::uint64_t messages_sent = 0;
  std::uint64_t messages_received = 0;
  std::uint64_t lanes = 0;
  LinkTotals link;        // the stream's
  LinkTotals lane_links;  // of all lanes together
};

}  // namespace longwire::client::core
