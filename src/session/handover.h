// Handover: what the node agent and a session's worker say to each other, over a SOCK_SEQPACKET
// socket pair that the worker inherits. A client's connection travels with an Adopt message as a
// file descriptor (SCM_RIGHTS), so no byte of a session passes through the agent. docs/PROTOCOL.md,
// "Handover".
//
// One datagram is one message: u32 kind, u32 0, then the body in the encodings of wire/writer.h.
// The agent validates what a worker says like any peer's bytes: a worker runs a vendor driver on a
// client's commands, so it may be in anybody's hands.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "session/handshake.h"

namespace longwire::session {

inline constexpr std::size_t kMaxHandoverBytes = 8192;
inline constexpr std::size_t kMaxHandoverDevices = 64;
inline constexpr std::size_t kMaxHandoverTextBytes = 1024;  // of each string
inline constexpr std::uint64_t kMaxDrainMs = 86'400'000;    // a day
// A restarted agent speaks with workers of an older build. Raised with every change to messages.
inline constexpr std::uint32_t kHandoverVersion = 1;

// What an agent that was started again shows a worker of its predecessor.
using ReclaimSecret = std::array<std::uint8_t, 32>;

// What a session may use of the node; 0 means no limit.
struct SessionLimits {
  std::uint64_t memory_bytes = 0;
  std::uint64_t handles = 0;
  std::vector<std::string> devices = {};  // by number or name (worker/opencl); empty: all
};

// Agent to worker, always with one connection. kNewSession comes first and once: the agent has sent
// Welcome already, and the worker goes on with the connection (TLS with the secret where
// `encrypted`). kLane and kResume: the worker does the whole handshake; of the fields only purpose,
// session and peer mean something.
struct Adopt {
  Purpose purpose = Purpose::kNewSession;
  bool encrypted = false;
  SessionId session{};
  SessionSecret secret{};
  std::uint16_t version = kProtocolVersionMax;
  std::uint64_t features = 0;
  std::uint32_t lanes = 0;  // that the session may open
  std::uint32_t max_payload_bytes = 0;
  std::uint64_t eager_credit_bytes = 0;
  std::uint64_t grace_ms = 0;
  std::uint64_t grace_after_close_ms = 0;
  SessionLimits limits;
  std::string tenant;
  std::string node;
  std::string peer;     // for people: address, program and process of the client
  std::string program;  // for people
  // The session goes on when its agent is gone, and waits for the next one; otherwise it ends with
  // it.
  bool outlives_agent = false;
  ReclaimSecret reclaim{};
};

// Agent to worker: finish what runs, then end; the agent kills what is left after `within_ms`.
struct Drain {
  std::uint64_t within_ms = 0;
};

// Worker to agent: started, may adopt. `detail` is for the log (the vendor platform, the sandbox).
struct Ready {
  std::string detail;
};

// Worker to agent, now and then, and in Ended: totals since the session began.
struct Stats {
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t commands = 0;
  std::uint64_t device_ns = 0;
};

// Worker to agent: the session is over and the worker will exit.
struct Ended {
  base::ErrorCode code = base::ErrorCode::kClosed;  // kClosed: in order
  std::string reason;
  Stats stats;
};

// A new agent to a worker that it has found, first on the connection that takes the old handover
// socket's place (node/worker_registry.h); with the pipe in which what the worker prints goes from
// now on.
struct Reclaim {
  ReclaimSecret secret{};
};

using HandoverMessage = std::variant<Adopt, Drain, Ready, Stats, Ended, Reclaim>;

// REQUIRES: strings of at most kMaxHandoverTextBytes.
std::vector<std::byte> encode_handover(const HandoverMessage& message);
// kWireFault where the bytes make no sense.
base::Result<HandoverMessage> decode_handover(std::span<const std::byte> bytes);

// Both ends are close-on-exec.
struct HandoverPair {
  base::UniqueFd agent;
  base::UniqueFd worker;
};
base::Result<HandoverPair> make_handover_pair();

// Never blocks: a peer that does not read its messages gives kLimit. `connection` is duplicated
// into the message; -1 for none. kClosed where the other end is gone.
base::Status send_handover(int socket, const HandoverMessage& message, int connection = -1);

struct ReceivedHandover {
  HandoverMessage message;
  base::UniqueFd connection;  // valid exactly with Adopt, and Reclaim: a pipe
};
// One message; empty where a non-blocking socket has none now. kClosed where the other end is gone.
base::Result<std::optional<ReceivedHandover>> receive_handover(int socket);

std::string to_hex(std::span<const std::uint8_t> bytes);

}  // namespace longwire::session
