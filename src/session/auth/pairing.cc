#include "session/auth/pairing.h"

#include <algorithm>
#include <utility>

#include "session/auth/base32.h"
#include "session/handshake.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace longwire::session {
namespace {

using base::Deadline;
using base::Error;
using base::ErrorCode;
using base::Status;

constexpr std::size_t kCodeGroup = 4;
constexpr std::size_t kMaxTypedBytes = 64;
constexpr std::string_view kScryptSalt = "longwire pairing 1";

template <std::size_t N>
std::span<const std::byte> bytes_of(const std::array<std::uint8_t, N>& array) {
  return std::as_bytes(std::span(array));
}

std::vector<std::byte> encode_share(const Spake2Share& share, std::string_view name) {
  return encode_handshake_message(HandshakeKind::kPairingShare, [&](auto& out) {
    out.bytes(bytes_of(share));
    out.string(name.substr(0, kMaxHelloTextBytes));
  });
}

std::vector<std::byte> encode_confirm(const Spake2Confirmation& confirmation) {
  return encode_handshake_message(HandshakeKind::kPairingConfirm,
                                  [&](auto& out) { out.bytes(bytes_of(confirmation)); });
}

struct Share {
  std::span<const std::byte> share;
  std::string name;
};

base::Result<Share> decode_share(std::span<const std::byte> message) {
  LW_ASSIGN(const auto body, handshake_body(message, HandshakeKind::kPairingShare));
  wire::Reader r(body);
  Share share;
  share.share = r.bytes("share");
  share.name = read_peer_text(r, "name");
  LW_TRY(r.finish());
  return share;
}

base::Result<std::span<const std::byte>> decode_confirm(std::span<const std::byte> message) {
  LW_ASSIGN(const auto body, handshake_body(message, HandshakeKind::kPairingConfirm));
  wire::Reader r(body);
  const auto confirmation = r.bytes("confirmation");
  LW_TRY(r.finish());
  return confirmation;
}

base::Result<Spake2> start_spake2(Spake2Role role, std::string_view code,
                                  const PairingChannel& channel, base::Random& random) {
  LW_ASSIGN(const Spake2Scalar w, password_scalar(code, kScryptSalt));
  const auto text = [](const auto& bytes) { return std::string(bytes.begin(), bytes.end()); };
  return Spake2::start(role, w,
                       {.a = "longwire client " + text(channel.client),
                        .b = "longwire node " + text(channel.node),
                        .additional_data = text(channel.exported)},
                       random);
}

Error wrong_code() {
  return Error(ErrorCode::kUnauthenticated,
               "the code is wrong (or somebody sits between the two machines)");
}

}  // namespace

// --- codes ---

std::string make_pairing_code(base::Random& random) {
  std::string code;
  while (code.size() < kPairingCodeDigits)
    code += kBase32Digits[random.below(kBase32Digits.size())];
  return code;
}

std::string to_display(std::string_view code) {
  std::string text(code);
  if (text.size() > kCodeGroup) text.insert(kCodeGroup, 1, '-');
  return text;
}

base::Result<std::string> parse_pairing_code(std::string_view typed) {
  const auto bad = [] {
    return Error(ErrorCode::kInvalidArgument, "a pairing code has 8 letters and digits: XXXX-XXXX");
  };
  if (typed.size() > kMaxTypedBytes) return bad();
  std::string code;
  for (const char c : typed) {
    if (c == '-' || c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
    const std::optional<char> digit = base32_digit(c);
    if (!digit) return bad();
    code += *digit;
  }
  if (code.size() != kPairingCodeDigits) return bad();
  return code;
}

// --- the offer ---

PairingOffer::PairingOffer(const base::Clock& clock, base::Random& random)
    : clock_(clock),
      code_(make_pairing_code(random)),
      expires_at_ns_(clock.now_ns() + kPairingLifetimeNs) {}

bool PairingOffer::open() const {
  const std::lock_guard lock(mutex_);
  return !used_ && tries_left_ > 0 && clock_.now_ns() < expires_at_ns_;
}

void PairingOffer::close() {
  const std::lock_guard lock(mutex_);
  used_ = true;
}

Status PairingOffer::take_try() {
  const std::lock_guard lock(mutex_);
  if (used_) return Error(ErrorCode::kPermissionDenied, "no pairing is open on this node");
  if (clock_.now_ns() >= expires_at_ns_) {
    return Error(ErrorCode::kTimeout, "the pairing code is too old: ask the node for a new one");
  }
  if (tries_left_ == 0) {
    return Error(ErrorCode::kPermissionDenied, "too many wrong codes: ask the node for a new one");
  }
  --tries_left_;
  return {};
}

bool PairingOffer::use() {
  const std::lock_guard lock(mutex_);
  return !std::exchange(used_, true);
}

// --- the node ---

PairingServer::PairingServer(PairingOffer& offer, const PairingChannel& channel, std::string name,
                             base::Random& random)
    : offer_(offer), channel_(channel), name_(std::move(name)), random_(random) {}

base::Result<PairingStep> PairingServer::on_message(std::span<const std::byte> message) {
  return spake2_ ? on_confirm(message) : on_share(message);
}

base::Result<PairingStep> PairingServer::on_share(std::span<const std::byte> message) {
  LW_ASSIGN(const Share share, decode_share(message));
  LW_TRY(offer_.take_try());
  LW_ASSIGN(Spake2 spake2, start_spake2(Spake2Role::kB, offer_.code(), channel_, random_));
  LW_TRY(spake2.receive_share(share.share));
  client_name_ = share.name;
  PairingStep step{encode_share(spake2.share(), name_), false};
  spake2_ = std::move(spake2);
  return step;
}

base::Result<PairingStep> PairingServer::on_confirm(std::span<const std::byte> message) {
  LW_ASSIGN(const auto confirmation, decode_confirm(message));
  if (!spake2_->peer_confirms(confirmation)) return wrong_code();
  if (!offer_.use()) {
    return Error(ErrorCode::kPermissionDenied, "the pairing code has been used already");
  }
  return PairingStep{encode_confirm(spake2_->confirmation()), true};
}

// --- the client ---

PairingClient::PairingClient(std::string code, const PairingChannel& channel, std::string name,
                             base::Random& random)
    : code_(std::move(code)), channel_(channel), name_(std::move(name)), random_(random) {}

base::Result<std::vector<std::byte>> PairingClient::start() {
  LW_ASSIGN(Spake2 spake2, start_spake2(Spake2Role::kA, code_, channel_, random_));
  std::vector<std::byte> message = encode_share(spake2.share(), name_);
  spake2_ = std::move(spake2);
  return message;
}

base::Result<PairingStep> PairingClient::on_message(std::span<const std::byte> message) {
  if (!spake2_) return Error(ErrorCode::kInternal, "pairing was not started");
  if (!std::exchange(confirmed_, true)) {
    LW_ASSIGN(const Share share, decode_share(message));
    LW_TRY(spake2_->receive_share(share.share));
    node_name_ = share.name;
    return PairingStep{encode_confirm(spake2_->confirmation()), false};
  }
  LW_ASSIGN(const auto confirmation, decode_confirm(message));
  if (!spake2_->peer_confirms(confirmation)) return wrong_code();
  return PairingStep{{}, true};
}

Status run_pairing(link::Link& link, PairingClient& client, Deadline deadline) {
  LW_ASSIGN(const std::vector<std::byte> first, client.start());
  LW_TRY(send_all(link, first, deadline));
  for (;;) {
    LW_ASSIGN(const std::vector<std::byte> message, receive_handshake_message(link, deadline));
    LW_ASSIGN(const PairingStep step, client.on_message(message));
    LW_TRY(send_all(link, step.reply, deadline));
    if (step.done) return {};
  }
}

}  // namespace longwire::session
