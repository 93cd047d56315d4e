// Connector: opens links to one node. Concrete ones live in src/driver/connect and in tests.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "link/link.h"
#include "session/handshake.h"

namespace longwire::client::core {

class Connector {
 public:
  virtual ~Connector() = default;
  struct Opened {
    std::unique_ptr<link::Link> link;  // frames (or lane chunks) may flow
    session::Welcome welcome;
    std::uint32_t round_trips = 0;        // that opening it took
    base::Nanoseconds round_trip_ns = 0;  // about what one takes; 0: not known
  };
  virtual base::Result<Opened> open_session(base::Deadline deadline) = 0;
  // From several threads at once.
  virtual base::Result<Opened> open_lane(const session::Welcome& session, std::uint32_t lane,
                                         base::Deadline deadline) = 0;
  // Another link for the stream of a session. `received` is called once the other side has proved
  // itself: the session's old link is used no more from then on, and the result is what Hello says.
  // Errors: kNotFound (the node has no such session any more, and never will), kClosed (nobody
  // listens there); after all others another attempt may succeed.
  virtual base::Result<Opened> open_resume(const session::Welcome&,
                                           const std::function<wire::Sequence()>& received,
                                           base::Deadline) {
    (void)received;
    return base::Error(base::ErrorCode::kNotFound, "this node does not resume sessions");
  }
  virtual std::string node_name() const = 0;  // for people: "gpu-box:9477"
};

}  // namespace longwire::client::core
