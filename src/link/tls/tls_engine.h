// TLS 1.3 without I/O: bytes of the network in, bytes for the network out. TlsLink puts it over a
// Link; the node agent over its event loop. docs/PROTOCOL.md, "TLS".
//
// Two ways to know the peer. Certificates on both sides, self-signed, where the SHA-256 of the
// public key is all that counts (no authority, no names, no dates); or a pre-shared key with an
// ephemeral key exchange. No tickets, no early data, no renegotiation, no configuration files.
//
// Threads: a context may be used by several engines at once; an engine by one thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace longwire::link {

// SHA-256 of the DER SubjectPublicKeyInfo.
using Fingerprint = std::array<std::uint8_t, 32>;
using PreSharedKey = std::array<std::uint8_t, 32>;
using KeyingMaterial = std::array<std::uint8_t, 32>;

enum class TlsRole { kClient, kServer };

struct TlsIdentity {
  std::string certificate_pem;
  std::string private_key_pem;
};

// What a peer has shown. The note is what identity.h's with_note() has put there, or nothing: it
// is the peer's word until somebody checks it.
inline constexpr std::size_t kMaxCertificateNoteBytes = 2048;
struct PeerCertificate {
  Fingerprint fingerprint{};
  std::vector<std::byte> note;
};

// Whether to go on with this peer. Called inside the handshake.
using VerifyPeer = std::function<bool(const PeerCertificate&)>;

inline constexpr std::size_t kTlsRecordBytes = std::size_t{16} << 10;
inline constexpr std::size_t kTlsReceiveBytes = std::size_t{128} << 10;
// Encrypted bytes that wait for the network; a little more during one write.
inline constexpr std::size_t kTlsPendingBytes = std::size_t{256} << 10;

base::Result<Fingerprint> fingerprint_of_certificate(std::string_view pem);

class TlsContext {
 public:
  // Contexts are shared by the engines made from them, on several threads.
  using Ptr = std::shared_ptr<const TlsContext>;

  static base::Result<Ptr> with_certificate(TlsRole role, const TlsIdentity& identity,
                                            VerifyPeer verify);
  // `identity` tells keys apart and is not secret: the session id in hex.
  static base::Result<Ptr> with_pre_shared_key(TlsRole role, std::string identity,
                                               const PreSharedKey& key);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  struct State;  // tls_context.h: private to this folder

 private:
  friend class TlsEngine;
  explicit TlsContext(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class TlsEngine {
 public:
  static base::Result<std::unique_ptr<TlsEngine>> create(TlsContext::Ptr context);
  ~TlsEngine();

  // --- the network's side -----------------------------------------------------------------------
  // Where to put received bytes (maybe empty: read() first), and how many were put there.
  std::span<std::byte> receive_space();
  void received(std::size_t bytes);
  // What is to be sent, and how much of it was.
  std::span<const std::byte> to_send() const;
  void sent(std::size_t bytes);

  // --- our side ---------------------------------------------------------------------------------
  // Goes on with the handshake as far as possible; true when this side may write. (A server may
  // still refuse a client's certificate: the client then fails in read().) Call it first, and after
  // every received(). Errors: kUnauthenticated, kNotFound (the
  // peer does not know this pre-shared key), kWireFault; to_send() may hold an alert by then.
  // A server with a pre-shared key may write right behind its own Finished (RFC 8446, 4.4.4): the
  // client has shown that it knows the key, and nobody without it can read that. Its read() gives
  // nothing before the client's Finished has been found to be right.
  base::Result<bool> handshake();
  // 0: more bytes from the network are needed. kClosed: the peer has ended in order.
  base::Result<std::size_t> read(std::span<std::byte> out);
  // Encrypts a prefix. 0: to_send() is full.
  base::Result<std::size_t> write(std::span<const std::byte> data);
  // read() would give something without more bytes from the network.
  bool readable() const;
  // Queues the orderly end.
  void close();

  // --- facts about the connection, after the handshake -------------------------------------------
  std::optional<Fingerprint> peer_fingerprint() const;  // with certificates
  std::vector<std::byte> peer_note() const;             // of its certificate; empty: none
  // The same on both sides of this connection and nowhere else (RFC 8446, 7.5).
  base::Result<KeyingMaterial> export_keying_material(std::string_view label) const;

 private:
  struct State;
  explicit TlsEngine(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace longwire::link
