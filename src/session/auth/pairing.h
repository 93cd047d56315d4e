// Pairing: a person who can read a short code on one machine and type it on the other makes the two
// trust each other's keys. docs/PROTOCOL.md, "Pairing".
//
// It runs inside TLS with both certificates, whose keys nobody knows yet, after Hello and Welcome
// of purpose kPairing. SPAKE2 over the code, bound to both keys' fingerprints and to this very TLS
// connection, so that somebody in the middle, who has two connections, can only guess; every guess
// is counted when it begins.
//
//   client                                node
//   PairingShare (share, name)    ──>     (counts a try)
//                                 <──     PairingShare (share, name)
//   PairingConfirm                ──>     (trusts the client)
//   (trusts the node)             <──     PairingConfirm
//   or, from the node at any point, a Refusal.
//
// PairingClient and PairingServer do no I/O: messages in, messages out.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "link/link.h"
#include "session/auth/fingerprint.h"
#include "session/auth/spake2.h"

namespace longwire::session {

inline constexpr std::size_t kPairingCodeDigits = 8;  // of base32: 40 bits
inline constexpr int kPairingTries = 3;
inline constexpr base::Nanoseconds kPairingLifetimeNs = 300 * base::kSecond;
inline constexpr const char* kPairingExporterLabel = "EXPORTER-longwire-pairing";

// "7Q3K-M2XD": for people. New codes are kept without the dash.
std::string make_pairing_code(base::Random& random);
std::string to_display(std::string_view code);
// What somebody typed: any case, blanks and dashes anywhere. Errors: kInvalidArgument.
base::Result<std::string> parse_pairing_code(std::string_view typed);

// One code that a node shows, for all connections that try it. Thread-safe.
class PairingOffer {
 public:
  PairingOffer(const base::Clock& clock, base::Random& random);

  const std::string& code() const noexcept { return code_; }
  bool open() const;  // neither used, nor out of tries, nor too old
  base::Nanoseconds expires_at_ns() const noexcept { return expires_at_ns_; }
  void close();

  // Counts a try; kPermissionDenied if there is none left, kTimeout if the code is too old.
  base::Status take_try();
  // Ends the offer for all others; false if somebody was faster.
  bool use();

 private:
  const base::Clock& clock_;
  const std::string code_;
  const base::Nanoseconds expires_at_ns_;
  mutable std::mutex mutex_;
  int tries_left_ = kPairingTries;
  bool used_ = false;
};

// What both sides know of the TLS connection below.
struct PairingChannel {
  Fingerprint client{};
  Fingerprint node{};
  link::KeyingMaterial exported{};  // export_keying_material(kPairingExporterLabel)
};

// Both sides: what to do with a message of the peer.
struct PairingStep {
  std::vector<std::byte> reply;  // to be sent, if not empty
  bool done = false;             // the other side has proved that it knows the code
};

class PairingServer {
 public:
  // `offer` outlives this. `name` is the node's, for people.
  PairingServer(PairingOffer& offer, const PairingChannel& channel, std::string name,
                base::Random& random);
  // A whole message. After an error: send its Refusal, close the connection.
  base::Result<PairingStep> on_message(std::span<const std::byte> message);
  const std::string& client_name() const noexcept { return client_name_; }

 private:
  base::Result<PairingStep> on_share(std::span<const std::byte> message);
  base::Result<PairingStep> on_confirm(std::span<const std::byte> message);

  PairingOffer& offer_;
  const PairingChannel channel_;
  const std::string name_;
  base::Random& random_;
  std::string client_name_;
  std::optional<Spake2> spake2_;
};

class PairingClient {
 public:
  // `code` as parse_pairing_code() gives it.
  PairingClient(std::string code, const PairingChannel& channel, std::string name,
                base::Random& random);
  // The first message to send.
  base::Result<std::vector<std::byte>> start();
  // kUnauthenticated: the code is wrong, or somebody is in the middle.
  base::Result<PairingStep> on_message(std::span<const std::byte> message);
  const std::string& node_name() const noexcept { return node_name_; }

 private:
  const std::string code_;
  const PairingChannel channel_;
  const std::string name_;
  base::Random& random_;
  std::string node_name_;
  std::optional<Spake2> spake2_;
  bool confirmed_ = false;
};

// The client's side over a (TLS) link, to the end.
base::Status run_pairing(link::Link& link, PairingClient& client, base::Deadline deadline);

}  // namespace longwire::session
