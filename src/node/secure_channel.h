// What the agent needs of TLS and of keys, so that it knows neither OpenSSL nor where keys lie.
// src/app wires in the real ones; tests make their own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace longwire::node {

// The server's side of one TLS connection with certificates, without its socket.
class SecureChannel {
 public:
  virtual ~SecureChannel() = default;
  // Takes bytes of the wire. kWireFault or kUnauthenticated when the peer got it wrong.
  virtual base::Status feed(std::span<const std::byte> wire) = 0;
  // Bytes for the wire that are ready, all of them.
  virtual std::vector<std::byte> take_output() = 0;
  virtual bool established() const = 0;
  // Appends what the peer has sent, as far as it has been fed. At most `limit` bytes.
  virtual base::Status read(std::vector<std::byte>& plain, std::size_t limit) = 0;
  virtual base::Status write(std::span<const std::byte> plain) = 0;
  // SHA-256 of the peer's public key, in hex. REQUIRES: established().
  virtual std::string peer_fingerprint() const = 0;
  // What its certificate carries beside the key, for Authority::recognise(); empty: nothing.
  virtual std::vector<std::byte> peer_note() const = 0;
  // The same on both sides of this connection and nowhere else (RFC 8446, 7.5).
  virtual base::Result<std::array<std::uint8_t, 32>> export_keying_material(
      std::string_view label) const = 0;
};

// What a token of a trusted issuer gives a session.
struct Grant {
  std::string issuer;  // its key in hex
  std::string id;      // of the token
  std::uint64_t epoch = 0;
  std::uint64_t memory_bytes = 0;  // of devices; 0: what the node allows
  std::uint32_t share_permille = 0;
  std::vector<std::string> devices;  // empty: all
};

// Who a client is, once its key is known.
struct ClientIdentity {
  std::string name;                 // as given when it was paired, for people
  std::string tenant;               // never empty
  std::string key = {};             // its fingerprint in hex; empty where the client has shown none
  std::string replaces = {};        // the key in whose place this one has just been put
  std::optional<Grant> grant = {};  // by token
};

// The node's side of one pairing: messages go to and fro until one side is content or gives up.
class PairingTurn {
 public:
  virtual ~PairingTurn() = default;
  struct Step {
    std::vector<std::byte> reply;  // empty: none
    bool done = false;             // paired; the client is trusted from now on
  };
  virtual base::Result<Step> on_message(std::span<const std::byte> message) = 0;
};

class Authority {
 public:
  virtual ~Authority() = default;
  virtual base::Result<std::unique_ptr<SecureChannel>> new_channel() = 0;
  // For a new session. `note`: with it a trusted key may vouch for this one, which then takes its
  // place for good. kUnauthenticated for a key that nobody has paired, kPermissionDenied for one
  // that must not take another's place.
  virtual base::Result<ClientIdentity> recognise(const std::string& fingerprint,
                                                 std::span<const std::byte> note) = 0;
  // For sessions that run: also whose key has been replaced since. kUnauthenticated: revoked.
  virtual base::Result<ClientIdentity> known(const std::string& fingerprint) = 0;
  // As recognise(), by what a token says; it is used up from then on, whatever becomes of the
  // session. kUnauthenticated, kPermissionDenied: it is not good here, for this key, or now.
  virtual base::Result<ClientIdentity> redeem(const std::string& fingerprint,
                                              std::span<const std::byte> token) = 0;
  // Whether known() may answer otherwise than when this was last asked. Cheap.
  virtual bool trust_changed() = 0;
  // kPermissionDenied where nobody has asked for a pairing on this node, or too many codes were
  // wrong.
  virtual base::Result<std::unique_ptr<PairingTurn>> begin_pairing(const SecureChannel& channel,
                                                                   const std::string& address) = 0;
};

}  // namespace longwire::node
