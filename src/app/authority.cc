#include "app/authority.h"

#include <ctime>

#include "app/node_key.h"
#include "app/tls_channel.h"
#include "session/auth/token_ledger.h"
#include "session/auth/trust_store.h"
#include "session/private_file.h"

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using node::ClientIdentity;
using node::PairingTurn;
using node::SecureChannel;

// For nodes that listen on a unix socket (or, by name, in clear) only.
class NoAuthority final : public node::Authority {
 public:
  Result<std::unique_ptr<SecureChannel>> new_channel() override { return no(); }
  Result<ClientIdentity> recognise(const std::string&, std::span<const std::byte>) override {
    return no();
  }
  Result<ClientIdentity> known(const std::string&) override { return no(); }
  Result<ClientIdentity> redeem(const std::string&, std::span<const std::byte>) override {
    return no();
  }
  bool trust_changed() override { return false; }
  Result<std::unique_ptr<PairingTurn>> begin_pairing(const SecureChannel&,
                                                     const std::string&) override {
    return no();
  }

 private:
  static Error no() { return Error(ErrorCode::kUnsupported, "this node has no TLS"); }
};

// One client that tries the code which `longwire pair` shows. The trusted clients outlive it.
class Turn final : public PairingTurn {
 public:
  Turn(std::shared_ptr<session::PairingOffer> offer, const session::PairingChannel& channel,
       const std::string& name, session::TrustStore& clients, PairingDesk& desk,
       std::string address)
      : offer_(std::move(offer)),
        server_(*offer_, channel, name, random_),
        client_(channel.client),
        clients_(clients),
        desk_(desk),
        address_(std::move(address)) {}

  Result<Step> on_message(std::span<const std::byte> message) override {
    auto step = server_.on_message(message);
    if (!step) {
      desk_.on_wrong(address_);
      return std::move(step).error();
    }
    if (step->done) LW_TRY(trust_client());
    return Step{std::move(step->reply), step->done};
  }

 private:
  base::Status trust_client() {
    LW_TRY(clients_.reload());
    session::TrustedPeer peer;
    peer.fingerprint = client_;
    const std::string wanted = session::to_peer_name(server_.client_name());
    peer.name = wanted;
    for (int i = 2; is_taken(peer.name); ++i) {
      peer.name = wanted.substr(0, session::kMaxPeerNameBytes - 6) + "-" + std::to_string(i);
    }
    LW_TRY(clients_.add(peer));
    desk_.on_paired(peer, address_);
    return {};
  }
  bool is_taken(const std::string& name) const {
    const auto other = clients_.find(name);
    return other && other->fingerprint != client_;
  }

  base::SystemRandom random_;
  std::shared_ptr<session::PairingOffer> offer_;  // shared with the desk, which may withdraw it
  session::PairingServer server_;
  const session::Fingerprint client_;
  session::TrustStore& clients_;
  PairingDesk& desk_;
  const std::string address_;
};

class KeptAuthority final : public node::Authority {
 public:
  KeptAuthority(NodeKey key, const node::NodeConfig& config, session::TrustStore clients,
                std::vector<session::IssuerKey> issuers, session::TokenLedger tokens,
                PairingDesk& desk)
      : key_(std::move(key)),
        name_(config.name),
        rotation_(config.keys),
        clients_(std::move(clients)),
        issuers_(std::move(issuers)),
        tokens_(std::move(tokens)),
        desk_(desk) {}

  Result<std::unique_ptr<SecureChannel>> new_channel() override {
    key_.refresh();
    LW_ASSIGN(std::unique_ptr<SecureChannel> channel, TlsChannel::create(key_.context()));
    return channel;
  }

  Result<ClientIdentity> recognise(const std::string& hex,
                                   std::span<const std::byte> note) override {
    LW_ASSIGN(const session::Fingerprint fingerprint, session::fingerprint_from_hex(hex));
    LW_TRY(clients_.reload());  // `longwire pair` and `longwire trust revoke` write it
    if (const auto client = clients_.find(fingerprint)) {
      return ClientIdentity{client->name, client->tenant, hex};
    }
    if (clients_.find_with_replaced(fingerprint)) {
      return Error(ErrorCode::kUnauthenticated,
                   "this client's key (" + hex.substr(0, 16) +
                       ") has been replaced by a newer one: use that, or run `longwire pair`");
    }
    return follow(hex, fingerprint, note);
  }

  Result<ClientIdentity> known(const std::string& hex) override {
    LW_ASSIGN(const session::Fingerprint fingerprint, session::fingerprint_from_hex(hex));
    LW_TRY(clients_.reload());
    const auto client = clients_.find_with_replaced(fingerprint);
    if (client) return ClientIdentity{client->name, client->tenant, hex};
    return not_paired(hex);
  }

  Result<ClientIdentity> redeem(const std::string& hex, std::span<const std::byte> bytes) override {
    LW_ASSIGN(const session::Fingerprint client, session::fingerprint_from_hex(hex));
    const std::int64_t now_s = std::time(nullptr);
    LW_ASSIGN(const session::Token token,
              session::verify_token(bytes, {issuers_, key_.fingerprint(), client, now_s}));
    LW_TRY(tokens_.redeem(token, now_s));
    const auto known = clients_.find(client);
    return ClientIdentity{
        known ? known->name : "", token.tenant, hex, "",
        node::Grant{session::to_hex(token.issuer), session::to_hex(token.id), token.epoch,
                    token.memory_bytes, token.share_permille, token.devices}};
  }

  bool trust_changed() override {
    const session::FileStamp stamp = session::stamp_of(clients_.path());
    return stamp != std::exchange(stamp_, stamp);
  }

  Result<std::unique_ptr<PairingTurn>> begin_pairing(const SecureChannel& channel,
                                                     const std::string& address) override {
    std::shared_ptr<session::PairingOffer> offer = desk_.offer();
    if (!offer) {
      return Error(ErrorCode::kPermissionDenied,
                   "this node is not waiting for a pairing: run `longwire pair` there");
    }
    LW_TRY(desk_.take_try(address));
    session::PairingChannel facts;
    facts.node = key_.fingerprint();
    LW_ASSIGN(facts.client, session::fingerprint_from_hex(channel.peer_fingerprint()));
    LW_ASSIGN(facts.exported, channel.export_keying_material(session::kPairingExporterLabel));
    return std::unique_ptr<PairingTurn>(
        new Turn(std::move(offer), facts, name_, clients_, desk_, address));
  }

 private:
  // The rightful heir of a trusted key takes its place: TLS has proved that its owner is there.
  Result<ClientIdentity> follow(const std::string& hex, const session::Fingerprint& shown,
                                std::span<const std::byte> note) {
    const std::int64_t now_s = std::time(nullptr);
    const auto rotations = session::read_rotations(note, session::KeyRole::kClient, shown, now_s);
    if (!rotations || rotations->empty()) return not_paired(hex);
    if (!rotation_.accept_rotation) {
      return Error(ErrorCode::kPermissionDenied,
                   "this node takes no new key on the word of the old one "
                   "(keys.accept_rotation): run `longwire pair`");
    }
    const auto client = clients_.follow(*rotations, now_s, rotation_.overlap_s);
    if (client) {
      return ClientIdentity{client->name, client->tenant, hex,
                            session::to_hex(rotations->back().from)};
    }
    if (client.error().code() == ErrorCode::kUnauthenticated) return not_paired(hex);
    return client.error();
  }

  static Error not_paired(const std::string& hex) {
    return {ErrorCode::kUnauthenticated,
            "not paired with this node; run `longwire pair` there, and here what it says "
            "(this client's key is " +
                hex.substr(0, 16) + ")"};
  }

  NodeKey key_;
  const std::string name_;
  const node::KeysConfig rotation_;
  session::TrustStore clients_;
  const std::vector<session::IssuerKey> issuers_;
  session::TokenLedger tokens_;
  PairingDesk& desk_;
  session::FileStamp stamp_;
};

}  // namespace

std::string clients_file(const std::filesystem::path& state_directory) {
  return (state_directory / "clients").string();
}

Result<std::unique_ptr<node::Authority>> open_authority(const node::NodeConfig& config,
                                                        PairingDesk& desk) {
  if (config.listen.tls.empty()) return std::unique_ptr<node::Authority>(new NoAuthority());
  const std::string directory = config.state.directory.string();
  LW_TRY(session::ensure_private_directory(directory));
  LW_ASSIGN(NodeKey key, NodeKey::open(directory, config.name));
  LW_ASSIGN(session::TrustStore clients, session::TrustStore::open(clients_file(directory)));
  std::vector<session::IssuerKey> issuers;
  for (const std::string& text : config.tokens.issuers) {
    LW_ASSIGN(const session::IssuerKey issuer, session::fingerprint_from_hex(text));
    issuers.push_back(issuer);
  }
  LW_ASSIGN(session::TokenLedger tokens,
            session::TokenLedger::open(directory + "/tokens", std::time(nullptr)));
  return std::unique_ptr<node::Authority>(new KeptAuthority(
      std::move(key), config, std::move(clients), std::move(issuers), std::move(tokens), desk));
}

}  // namespace longwire::app
