// A longer wire than this machine has: bytes that enter come out again later, no faster than a
// rate.
//
// Delay does not throttle: any number of bytes may be on their way, up to what the wire holds. The
// rate does, for all connections of one direction together, like a cable. Where it is full, bytes
// wait in the sender's socket, and the connections take turns.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "base/unique_fd.h"

namespace longwire::bench {

using Nanoseconds = std::int64_t;

struct Shape {
  Nanoseconds delay_ns = 0;     // one way
  double bytes_per_second = 0;  // 0: no limit
};

// The cable in one direction, which its pipes share.
class Cable {
 public:
  explicit Cable(const Shape& shape) : shape_(shape) {}

  // When the cable takes bytes again; not later than `now` when it takes them at once.
  Nanoseconds opens_at() const { return free_at_ - kBurst; }
  // How much may enter in one go, so that it can be told when each part comes out.
  std::size_t most_bytes() const;
  // Bytes enter at `now`; returns when they come out.
  Nanoseconds enter(std::size_t bytes, Nanoseconds now);
  // What one pipe may hold: enough that delay alone never stops the flow.
  std::size_t capacity() const;

 private:
  static constexpr Nanoseconds kBurst = 1'000'000;  // that the cable takes ahead of its rate

  Shape shape_;
  Nanoseconds free_at_ = 0;
};

// One direction of one connection.
class Pipe {
 public:
  Pipe(int from, int to, Cable& cable);

  int from() const { return from_; }
  int to() const { return to_; }
  bool wants_in() const { return !ended_ && held() < ring_.size; }
  bool wants_out() const { return blocked_; }
  // When the next bytes come out, or -1.
  Nanoseconds due_at() const { return marks_.empty() ? -1 : marks_.front().due_at; }
  Nanoseconds opens_at() const { return cable_.opens_at(); }
  bool done() const { return closed_; }

  // Takes in what the sender has, if the cable and the ring take it; false when the sender broke.
  bool fill(Nanoseconds now);
  // Gives out what is due; false when the receiver broke.
  bool drain(Nanoseconds now);
  // The receiver takes bytes again.
  void unblock() { blocked_ = false; }

 private:
  struct Mark {  // everything before `end` comes out at `due_at`
    std::uint64_t end;
    Nanoseconds due_at;
  };
  struct Ring {  // only what has been used takes memory
    explicit Ring(std::size_t bytes);
    ~Ring();
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;
    char* data;
    std::size_t size;
  };

  std::size_t held() const { return static_cast<std::size_t>(in_ - out_); }
  ssize_t read_some(std::size_t most);
  ssize_t write_some(std::size_t most);

  int from_, to_;
  Cable& cable_;
  Ring ring_;
  std::deque<Mark> marks_;
  std::uint64_t in_ = 0, out_ = 0;
  bool ended_ = false, closed_ = false, blocked_ = false;
};

}  // namespace longwire::bench
