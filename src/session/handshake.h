// The handshake: one Hello from the client, one Welcome (or Refusal) from the other side, on every
// fresh link, before the first frame. docs/PROTOCOL.md, "Handshake". Append-only, like the frames.
//
// A TCP connection begins with a Preamble in clear text, so that the node agent can route it
// without cryptography: magic "LONGWIRE", u16 version of the preamble (1), u16 purpose, u32 0, 16
// bytes session id (zero for a new session). 32 bytes.
//   purpose kNewSession, kPairing: TLS 1.3 with certificates against the agent, then Hello/Welcome.
//     After Welcome of a new session both sides drop that TLS connection's keys (keeping the TCP
//     connection) and start TLS 1.3 again with the pre-shared key Welcome.session_secret (identity:
//     the session id in hex), now against the worker: the node's private key never enters a worker,
//     the worker's bytes never pass through the agent. Then frames flow.
//   purpose kLane, kResume: the agent hands the connection to the session's worker, which does TLS
//     1.3 with the same pre-shared key, then Hello/Welcome, then chunks (lane) or frames (resume).
// On a unix socket (same machine, same user as seen by SO_PEERCRED) and with plain TCP (only where
// the operator allows it by name) it is the same without the TLS steps.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "link/link.h"
#include "wire/frame.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace longwire::session {

using SessionId = std::array<std::uint8_t, 16>;
using SessionSecret = std::array<std::uint8_t, 32>;

inline constexpr std::array<char, 8> kMagic = {'L', 'O', 'N', 'G', 'W', 'I', 'R', 'E'};
inline constexpr std::uint16_t kProtocolVersionMin = 1;
inline constexpr std::uint16_t kProtocolVersionMax = 1;
inline constexpr std::size_t kPreambleBytes = 32;
inline constexpr std::size_t kHandshakeHeaderBytes = 8;  // u32 bytes of the body, u32 kind
inline constexpr std::size_t kMaxHelloBytes = 4096;      // of any handshake message's body
inline constexpr std::size_t kMaxHelloTokenBytes = 1024;
inline constexpr std::size_t kMaxHelloTextBytes = 255;    // of each text in it; longer ones are cut
inline constexpr std::uint64_t kMaxGraceMs = 86'400'000;  // a day
// Of max_payload_bytes, where it is said: an inline blob (bulk.h) and what goes around it fit.
inline constexpr std::uint32_t kLeastPayloadBytes = 128 << 10;

enum class Purpose : std::uint16_t { kNewSession = 1, kResume = 2, kLane = 3, kPairing = 4 };

// Feature bits: what both sides have set is in force.
enum Feature : std::uint64_t {
  kFeatureOpenCl = 1u << 0,
  kFeatureLanes = 1u << 1,
  kFeatureResume = 1u << 2,
  kFeatureIntroduction = 1u << 3,  // the worker says unasked what devices it has
  kFeatureAgentAway = 1u << 4,
};

struct Preamble {
  Purpose purpose = Purpose::kNewSession;
  SessionId session{};
};

struct Hello {
  std::uint16_t version_min = kProtocolVersionMin;
  std::uint16_t version_max = kProtocolVersionMax;
  Purpose purpose = Purpose::kNewSession;
  std::uint64_t features = 0;
  SessionId session{};                  // zero for a new session
  wire::Sequence received = 0;          // resume: the highest sequence received in order
  std::uint32_t lane = 0;               // lane: its number, from 0
  std::uint32_t max_payload_bytes = 0;  // 0: not said, which means wire::kMaxPayloadBytes
  std::string tenant;                   // wanted tenant; empty: the one that the key belongs to
  std::string program;                  // for people: the program's name
  std::string host;                     // for people: the client's host name
  std::uint64_t process_id = 0;
  std::string software;          // "longwire 0.1.0"
  std::vector<std::byte> token;  // new session: in place of a pairing (auth/token.h); empty: none
};

struct Welcome {
  std::uint16_t version = kProtocolVersionMax;
  std::uint64_t features = 0;
  SessionId session{};
  SessionSecret secret{};       // zero but in answer to kNewSession over TLS
  wire::Sequence received = 0;  // resume: what the worker has received
  std::uint32_t lanes_wanted = 0;
  std::uint32_t max_payload_bytes = 0;
  std::uint64_t eager_credit_bytes = 0;
  std::uint64_t grace_ms = 0;  // how long the session survives without a link
  std::string tenant;          // granted
  std::string node;            // the node's name
  std::string software;
  // The agent's time of day when it sent this, since 1970, UTC; 0: not said (workers, older nodes).
  std::uint64_t time_ms = 0;
};

// Wire form of a Refusal in place of a Welcome: what the client shows to a person.
struct Refusal {
  base::ErrorCode code = base::ErrorCode::kInternal;
  std::string message;
};

// Codecs. REQUIRES: a token of at most kMaxHelloTokenBytes. Hello and Welcome/Refusal are each one
// length-prefixed message: u32 bytes, u32 kind (1 Hello, 2 Welcome, 3 Refusal), then the body.
std::array<std::byte, kPreambleBytes> encode(const Preamble& preamble);
base::Result<Preamble> decode_preamble(std::span<const std::byte> bytes);
std::vector<std::byte> encode(const Hello& hello);
std::vector<std::byte> encode(const Welcome& welcome);
std::vector<std::byte> encode(const Refusal& refusal);

// For an event loop: how long the message that begins with `received` is (header included), or how
// much must be there before that is known. kWireFault: too long.
base::Result<std::size_t> handshake_message_bytes(std::span<const std::byte> received);
base::Result<Hello> decode_hello(std::span<const std::byte> message);
// A Refusal becomes its error.
base::Result<Welcome> decode_answer(std::span<const std::byte> message);

// For further messages of the same form (auth/pairing.h). `put(out)` encodes the body, called with
// a Sizer and with a Writer.
enum class HandshakeKind : std::uint32_t {
  kHello = 1,
  kWelcome = 2,
  kRefusal = 3,
  kPairingShare = 4,
  kPairingConfirm = 5,
};
template <class Put>
std::vector<std::byte> encode_handshake_message(HandshakeKind kind, const Put& put) {
  wire::Sizer sizer;
  put(sizer);
  std::vector<std::byte> bytes(kHandshakeHeaderBytes + sizer.size());
  wire::Writer w(bytes);
  w.u32(static_cast<std::uint32_t>(sizer.size()));
  w.u32(static_cast<std::uint32_t>(kind));
  put(w);
  return bytes;
}
// The body of a whole message of that kind; a Refusal in its place becomes its error.
base::Result<std::span<const std::byte>> handshake_body(std::span<const std::byte> message,
                                                        HandshakeKind expected);
// Text that a peer sends for people to read: bounded, without control characters.
std::string read_peer_text(wire::Reader& reader, const char* what);

// Blocking exchange on a fresh link, for drivers and workers (the agent feeds the same codecs from
// its event loop). Reads not one byte more than the message.
base::Result<Welcome> hello_and_welcome(link::Link& link, const Hello& hello,
                                        base::Deadline deadline);
base::Result<Hello> receive_hello(link::Link& link, base::Deadline deadline);
base::Status send_all(link::Link& link, std::span<const std::byte> bytes, base::Deadline deadline);
base::Result<std::vector<std::byte>> receive_handshake_message(link::Link& link,
                                                               base::Deadline deadline);
base::Status receive_all(link::Link& link, std::span<std::byte> bytes, base::Deadline deadline);

// The version to speak, or a Refusal-worthy error that names both ranges.
base::Result<std::uint16_t> choose_version(const Hello& hello);

}  // namespace longwire::session
