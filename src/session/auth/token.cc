#include "session/auth/token.h"

#include <algorithm>

#include "session/auth/trust_store.h"
#include "session/handshake.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace longwire::session {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

static_assert(kMaxTokenBytes <= kMaxHelloTokenBytes);

constexpr std::string_view kTokenMagic = "LWTOKEN1";
// Signed ahead of the bytes, so that no signature for another purpose is one for a token.
constexpr std::string_view kSignedFor = "longwire token 1";
constexpr std::string_view kTextPrefix = "lwt1_";
constexpr std::uint64_t kUnderstood = 0;  // bits of claims that this version knows

constexpr std::string_view kDigits = "0123456789abcdef";

std::string hex_of(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    text += kDigits[std::to_integer<unsigned>(byte) >> 4];
    text += kDigits[std::to_integer<unsigned>(byte) & 15];
  }
  return text;
}

template <std::size_t N>
std::span<const std::byte> bytes_of(const std::array<std::uint8_t, N>& value) {
  return std::as_bytes(std::span(value));
}

template <class Out>
void put(Out& out, const Token& token) {
  out.raw(std::as_bytes(std::span(kTokenMagic)));
  out.u64(kUnderstood);
  out.raw(bytes_of(token.issuer));
  out.raw(bytes_of(token.node));
  out.raw(bytes_of(token.client));
  out.raw(bytes_of(token.id));
  out.u64(static_cast<std::uint64_t>(token.issued_at_s));
  out.u64(static_cast<std::uint64_t>(token.expires_at_s));
  out.u64(token.epoch);
  out.u64(token.memory_bytes);
  out.u64(token.share_permille);
  out.string(token.tenant);
  out.u64(token.devices.size());
  for (const std::string& device : token.devices)
    out.string(device);
}

template <std::size_t N>
void get(wire::Reader& in, std::array<std::uint8_t, N>& value, const char* what) {
  const auto view = in.raw(N, what);
  for (std::size_t i = 0; i < view.size(); ++i)
    value[i] = std::to_integer<std::uint8_t>(view[i]);
}

std::string get_name(wire::Reader& in, const char* what) {
  const std::string_view name = in.string(what);
  if (!is_peer_name(name)) in.fail(what);
  return in.ok() ? std::string(name) : std::string();
}

std::int64_t get_time(wire::Reader& in, const char* what) {
  constexpr std::uint64_t kYear9999 = 253'402'300'799;
  const std::uint64_t value = in.u64(what);
  if (value > kYear9999) in.fail(what);
  return in.ok() ? static_cast<std::int64_t>(value) : 0;
}

void get_claims(wire::Reader& in, Token& token) {
  get(in, token.issuer, "issuer");
  get(in, token.node, "node");
  get(in, token.client, "client");
  get(in, token.id, "id");
  token.issued_at_s = get_time(in, "issued_at");
  token.expires_at_s = get_time(in, "expires_at");
  token.epoch = in.u64("epoch");
  token.memory_bytes = in.u64("memory");
  const std::uint64_t share = in.u64("share");
  if (share == 0 || share > kWholeShare) in.fail("share");
  token.share_permille = in.ok() ? static_cast<std::uint32_t>(share) : 0;
  token.tenant = get_name(in, "tenant");
  const std::size_t devices = in.count(8, "devices");
  if (devices > kMaxTokenDevices) in.fail("devices");
  for (std::size_t i = 0; in.ok() && i < devices; ++i)
    token.devices.push_back(get_name(in, "device"));
}

Status check_lifetime(const Token& token) {
  const std::int64_t lifetime_s = token.expires_at_s - token.issued_at_s;
  if (lifetime_s > 0 && lifetime_s <= kMaxTokenLifetimeS) return {};
  return Error(ErrorCode::kPermissionDenied, "the token is good for no time, or for longer than " +
                                                 std::to_string(kMaxTokenLifetimeS / 3600) +
                                                 " hours");
}

Status check_times(const Token& token, std::int64_t now_s) {
  LW_TRY(check_lifetime(token));
  if (now_s >= token.expires_at_s + kTokenSkewS) {
    return Error(ErrorCode::kPermissionDenied, "the token has expired");
  }
  if (now_s < token.issued_at_s - kTokenSkewS) {
    return Error(ErrorCode::kPermissionDenied,
                 "the token is not good yet: is this node's clock, or the issuer's, wrong?");
  }
  return {};
}

}  // namespace

base::Result<IssuerKey> issuer_key_of(std::string_view private_key_pem) {
  return signing_key_of(private_key_pem);
}

base::Result<std::vector<std::byte>> sign_token(Token token, std::string_view private_key_pem) {
  LW_ASSIGN(token.issuer, signing_key_of(private_key_pem));
  LW_TRY(check_lifetime(token));
  wire::Sizer sizer;
  put(sizer, token);
  std::vector<std::byte> bytes(sizer.size() + kSignatureBytes);
  wire::Writer writer(bytes);
  put(writer, token);
  LW_ASSIGN(const Signature signature, sign(private_key_pem, kSignedFor, writer.written()));
  writer.raw(signature);
  if (const auto read = read_token(bytes); !read) {
    return Error(ErrorCode::kInvalidArgument, "no node would take it: " + read.error().message());
  }
  return bytes;
}

base::Result<Token> read_token(std::span<const std::byte> bytes) {
  if (bytes.size() > kMaxTokenBytes || bytes.size() < kSignatureBytes) {
    return Error(ErrorCode::kWireFault, "a token of a wrong size");
  }
  wire::Reader in(bytes.first(bytes.size() - kSignatureBytes));
  const auto magic = in.raw(kTokenMagic.size(), "token");
  if (!std::ranges::equal(magic, std::as_bytes(std::span(kTokenMagic)))) in.fail("token");
  if (const std::uint64_t critical = in.u64("critical"); (critical & ~kUnderstood) != 0) {
    return Error(ErrorCode::kUnsupported,
                 "the token has claims that this version does not know: update this node");
  }
  Token token;
  get_claims(in, token);
  LW_TRY(in.finish());
  return token;
}

base::Result<Token> verify_token(std::span<const std::byte> bytes, const TokenRules& rules) {
  LW_ASSIGN(const Token token, read_token(bytes));
  const auto unauthenticated = [](const char* why) {
    return Error(ErrorCode::kUnauthenticated, why);
  };
  if (std::ranges::find(rules.issuers, token.issuer) == rules.issuers.end()) {
    return unauthenticated("this node does not trust the token's issuer (tokens.issuers)");
  }
  const auto body = bytes.first(bytes.size() - kSignatureBytes);
  if (!is_signed(token.issuer, kSignedFor, body, bytes.subspan(body.size())))
    return unauthenticated("the token's signature is wrong");
  if (token.node != rules.node) return unauthenticated("the token is for another node");
  if (token.client != rules.client) return unauthenticated("the token is for another client's key");
  LW_TRY(check_times(token, rules.now_s));
  return token;
}

std::string to_hex(const TokenId& id) { return hex_of(std::as_bytes(std::span(id))); }

std::string token_to_text(std::span<const std::byte> token) {
  return std::string(kTextPrefix) + hex_of(token);
}

base::Result<std::vector<std::byte>> token_from_text(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const Error wrong(ErrorCode::kInvalidArgument, "a token is lwt1_ and hexadecimal digits");
  const std::size_t from = std::min(text.find_first_not_of(kBlank), text.size());
  text.remove_prefix(from);
  text = text.substr(0, text.find_last_not_of(kBlank) + 1);
  if (!text.starts_with(kTextPrefix)) return wrong;
  text.remove_prefix(kTextPrefix.size());
  if (text.size() % 2 != 0 || text.size() > 2 * kMaxTokenBytes) return wrong;
  std::vector<std::byte> token;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::size_t high = kDigits.find(text[i]);
    const std::size_t low = kDigits.find(text[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return wrong;
    token.push_back(static_cast<std::byte>(high << 4 | low));
  }
  return token;
}

}  // namespace longwire::session
