#include "session/auth/token.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "link/tls/identity.h"
#include "session/auth/token_ledger.h"
#include "session/private_file.h"

namespace longwire::session {
namespace {

using base::ErrorCode;

constexpr std::int64_t kNow = 1'795'000'000;

class TokenTest : public testing::Test {
 protected:
  TokenTest()
      : key_(link::make_identity("issuer")->private_key_pem),
        issuers_{*issuer_key_of(key_)},
        directory_(testing::TempDir() + "lw-token-" + std::to_string(::getpid()) + "-" +
                   std::to_string(base::SystemRandom().u64())) {
    token_.node.fill(1);
    token_.client.fill(2);
    token_.id.fill(3);
    token_.issued_at_s = kNow;
    token_.expires_at_s = kNow + 600;
    token_.epoch = 5;
    token_.memory_bytes = 1ull << 31;
    token_.share_permille = 250;
    token_.tenant = "lab";
    token_.devices = {"0", "gpu-1"};
  }
  ~TokenTest() override { std::filesystem::remove_all(directory_); }

  std::vector<std::byte> signed_token() const { return *sign_token(token_, key_); }
  TokenRules rules() const { return {issuers_, token_.node, token_.client, kNow + 1}; }
  void expect_refused(const std::vector<std::byte>& bytes, const TokenRules& rules, ErrorCode code,
                      std::string_view text) const {
    const auto token = verify_token(bytes, rules);
    ASSERT_FALSE(token.ok());
    EXPECT_EQ(token.error().code(), code);
    EXPECT_NE(token.error().message().find(text), std::string::npos) << token.error().message();
  }
  TokenLedger ledger() {
    EXPECT_TRUE(ensure_private_directory(directory_).ok());
    return *TokenLedger::open(directory_ + "/tokens", kNow);
  }
  Token next(std::uint64_t epoch, std::vector<std::string> devices = {}) {
    Token token = token_;
    base::SystemRandom().fill(std::as_writable_bytes(std::span(token.id)));
    token.epoch = epoch;
    token.devices = std::move(devices);
    return token;
  }

  const std::string key_;
  const std::vector<IssuerKey> issuers_;
  const std::string directory_;
  Token token_;
};

TEST_F(TokenTest, SaysWhatItsIssuerHasSaid) {
  const auto bytes = signed_token();
  EXPECT_LE(bytes.size(), kMaxTokenBytes);
  const auto token = verify_token(bytes, rules());
  ASSERT_TRUE(token.ok()) << token.error().message();
  EXPECT_EQ(token->issuer, issuers_[0]);
  EXPECT_EQ(token->node, token_.node);
  EXPECT_EQ(token->client, token_.client);
  EXPECT_EQ(token->id, token_.id);
  EXPECT_EQ(token->issued_at_s, token_.issued_at_s);
  EXPECT_EQ(token->expires_at_s, token_.expires_at_s);
  EXPECT_EQ(token->epoch, 5u);
  EXPECT_EQ(token->memory_bytes, 1ull << 31);
  EXPECT_EQ(token->share_permille, 250u);
  EXPECT_EQ(token->tenant, "lab");
  EXPECT_EQ(token->devices, token_.devices);
}

TEST_F(TokenTest, NoBitOfItCanBeChanged) {
  const auto bytes = signed_token();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const unsigned bit : {0u, 7u}) {
      auto changed = bytes;
      changed[at] ^= static_cast<std::byte>(1u << bit);
      EXPECT_FALSE(verify_token(changed, rules()).ok()) << at;
    }
  }
}

TEST_F(TokenTest, NoByteCanBeTakenOrAdded) {
  const auto bytes = signed_token();
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(verify_token(std::span(bytes).first(size), rules()).ok()) << size;
  auto longer = bytes;
  longer.resize(bytes.size() + 8);
  EXPECT_FALSE(verify_token(longer, rules()).ok());
  longer.resize(kMaxTokenBytes + 8);
  expect_refused(longer, rules(), ErrorCode::kWireFault, "size");
}

TEST_F(TokenTest, OnlyInItsTime) {
  auto late = rules();
  late.now_s = token_.expires_at_s + kTokenSkewS - 1;
  EXPECT_TRUE(verify_token(signed_token(), late).ok());
  late.now_s += 1;
  expect_refused(signed_token(), late, ErrorCode::kPermissionDenied, "expired");
  auto early = rules();
  early.now_s = kNow - kTokenSkewS;
  EXPECT_TRUE(verify_token(signed_token(), early).ok());
  early.now_s -= 1;
  expect_refused(signed_token(), early, ErrorCode::kPermissionDenied, "not good yet");
}

TEST_F(TokenTest, NoneLivesLong) {
  token_.expires_at_s = kNow + kMaxTokenLifetimeS;
  EXPECT_TRUE(sign_token(token_, key_).ok());
  token_.expires_at_s += 1;
  EXPECT_FALSE(sign_token(token_, key_).ok());
  token_.expires_at_s = kNow;
  EXPECT_FALSE(sign_token(token_, key_).ok());
}

TEST_F(TokenTest, OnlyForItsNodeAndItsClientAndFromAKnownIssuer) {
  auto other = rules();
  other.node[31] ^= 1;
  expect_refused(signed_token(), other, ErrorCode::kUnauthenticated, "another node");
  other = rules();
  other.client[0] ^= 1;  // a thief with the token, and a key of his own
  expect_refused(signed_token(), other, ErrorCode::kUnauthenticated, "another client");
  const auto stranger = link::make_identity("stranger")->private_key_pem;
  expect_refused(*sign_token(token_, stranger), rules(), ErrorCode::kUnauthenticated, "issuer");
  other = rules();
  other.issuers = {};
  expect_refused(signed_token(), other, ErrorCode::kUnauthenticated, "issuer");
}

TEST_F(TokenTest, AnotherKeysSignatureIsNone) {
  auto bytes = signed_token();
  const auto stranger = *sign_token(token_, link::make_identity("x")->private_key_pem);
  std::copy(stranger.end() - kSignatureBytes, stranger.end(), bytes.end() - kSignatureBytes);
  expect_refused(bytes, rules(), ErrorCode::kUnauthenticated, "signature");
}

TEST_F(TokenTest, WhatMustBeUnderstoodAndIsNotIsRefused) {
  auto bytes = signed_token();
  bytes[8] = std::byte{1};
  expect_refused(bytes, rules(), ErrorCode::kUnsupported, "update this node");
}

TEST_F(TokenTest, NamesAreNames) {
  for (const char* bad : {"", "a b", "a\nb", "../x", "*"}) {
    Token token = token_;
    token.tenant = bad;
    EXPECT_FALSE(sign_token(token, key_).ok()) << bad;
    token = token_;
    token.devices = {bad};
    EXPECT_FALSE(sign_token(token, key_).ok()) << bad;
  }
  token_.devices.assign(kMaxTokenDevices + 1, "0");
  EXPECT_FALSE(sign_token(token_, key_).ok());
}

TEST_F(TokenTest, IsTextInAFile) {
  const auto bytes = signed_token();
  const auto back = token_from_text("  " + token_to_text(bytes) + "\n");
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, bytes);
  for (const std::string bad : {"", " ", "lwt1_0", "lwt1_0g", "lwt2_00", "00"})
    EXPECT_FALSE(token_from_text(bad).ok()) << bad;
}

TEST_F(TokenTest, OnlyAnEd25519KeySigns) {
  EXPECT_FALSE(issuer_key_of("").ok());
  EXPECT_FALSE(
      issuer_key_of("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").ok());
}

// --- what has been used ---

TEST_F(TokenTest, IsGoodOnceAlsoOverARestart) {
  {
    auto first = ledger();
    EXPECT_TRUE(first.redeem(token_, kNow).ok());
    EXPECT_EQ(first.redeem(token_, kNow).error().code(), ErrorCode::kPermissionDenied);
  }
  auto again = ledger();
  const auto replayed = again.redeem(token_, kNow);
  EXPECT_NE(replayed.error().message().find("used already"), std::string::npos);
  EXPECT_TRUE(again.redeem(next(5), kNow).ok());
}

TEST_F(TokenTest, AnEpochThatIsOverIsRefusedAlsoOverARestart) {
  EXPECT_TRUE(ledger().redeem(next(7, {"0"}), kNow).ok());
  auto again = ledger();
  EXPECT_FALSE(again.redeem(next(6, {"0"}), kNow).ok());
  EXPECT_FALSE(again.redeem(next(6), kNow).ok());  // all devices: 0 is among them
  EXPECT_TRUE(again.redeem(next(6, {"1"}), kNow).ok());
  EXPECT_TRUE(again.redeem(next(7, {"0"}), kNow).ok());  // one epoch, several sessions
  EXPECT_TRUE(again.redeem(next(9), kNow).ok());
  EXPECT_FALSE(again.redeem(next(8, {"1"}), kNow).ok());
  Token other = next(1);
  other.tenant = "other";
  EXPECT_TRUE(again.redeem(other, kNow).ok());
}

TEST_F(TokenTest, WhatACrashHasTornDidNotCount) {
  EXPECT_TRUE(ledger().redeem(token_, kNow).ok());
  std::ofstream(directory_ + "/tokens", std::ios::app) << "used 0123";
  EXPECT_FALSE(ledger().redeem(token_, kNow).ok());
  EXPECT_TRUE(ledger().redeem(next(5), kNow).ok());
  EXPECT_TRUE(ledger().redeem(next(5), kNow).ok());
}

// UBSan sees it.
TEST_F(TokenTest, NoTimeInTheLedgerOverflows) {
  { const auto made = ledger(); }
  std::ofstream(directory_ + "/tokens", std::ios::app)
      << "used " << std::string(32, 'a') << " " << INT64_MAX << "\nused " << std::string(32, 'b')
      << " " << INT64_MIN << "\n";
  EXPECT_TRUE(ledger().redeem(token_, kNow).ok());
}

TEST_F(TokenTest, WhatCannotBeRememberedIsRefused) {
  auto its = ledger();
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ::getrlimit(RLIMIT_FSIZE, &old_limit);
  const rlimit full{20, old_limit.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &full);
  const auto refused = its.redeem(token_, kNow);
  ::setrlimit(RLIMIT_FSIZE, &old_limit);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_EQ(refused.error().code(), ErrorCode::kUnavailable);
  EXPECT_TRUE(its.redeem(token_, kNow).ok());  // once there is room
  EXPECT_FALSE(ledger().redeem(token_, kNow).ok());
}

TEST_F(TokenTest, ExpiredOnesAreForgotten) {
  EXPECT_TRUE(ledger().redeem(token_, kNow).ok());
  const std::int64_t later_s = token_.expires_at_s + kTokenSkewS;
  ASSERT_TRUE(TokenLedger::open(directory_ + "/tokens", later_s).ok());
  const auto file = read_private_file(directory_ + "/tokens", 10'000);
  EXPECT_EQ(file->find("used"), std::string::npos);
  EXPECT_NE(file->find("epoch"), std::string::npos);
}

TEST(TokenLedgerFile, NonsenseNamesItsLine) {
  const std::string hex(32, 'a');
  EXPECT_TRUE(parse_ledger("used " + hex + " 5\nused to").ok());
  const std::vector<std::string> lines = {"",
                                          "used",
                                          "used x 5",
                                          "used " + hex + " five",
                                          "epoch " + hex + " lab 0 5",
                                          "epoch " + hex + hex + " a/b 0 5"};
  for (const std::string& bad : lines) {
    const auto entries = parse_ledger("used " + hex + " 5\n" + bad + "\n");
    ASSERT_FALSE(entries.ok()) << bad;
    EXPECT_NE(entries.error().message().find("line 2"), std::string::npos);
  }
}

}  // namespace
}  // namespace longwire::session
