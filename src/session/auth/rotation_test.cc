#include "session/auth/rotation.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "link/tls/identity.h"
#include "session/auth/key_store.h"
#include "session/auth/trust_store.h"
#include "session/private_file.h"

namespace longwire::session {
namespace {

using base::ErrorCode;
using link::TlsIdentity;

constexpr std::int64_t kNow = 1'795'000'000;
constexpr std::int64_t kDay = 24 * 3600;
constexpr std::int64_t kOverlap = 3600;

Fingerprint of(const TlsIdentity& identity) {
  return link::fingerprint_of_certificate(identity.certificate_pem).value();
}
std::vector<std::byte> note_of(const TlsIdentity& identity) {
  return link::note_of_certificate(identity.certificate_pem).value();
}
TlsIdentity next(const TlsIdentity& old, std::int64_t now_s = kNow, std::int64_t valid_s = kDay,
                 KeyRole role = KeyRole::kClient) {
  return make_successor(old, "x", role, now_s, valid_s).value();
}
base::Result<std::vector<Rotation>> read(const TlsIdentity& identity, std::int64_t now_s = kNow) {
  return read_rotations(note_of(identity), KeyRole::kClient, of(identity), now_s);
}

class RotationTest : public ::testing::Test {
 protected:
  RotationTest() : directory_(::testing::TempDir() + "lw-rotation-" + std::to_string(::getpid())) {
    EXPECT_TRUE(ensure_private_directory(directory_).ok());
  }
  ~RotationTest() override { std::filesystem::remove_all(directory_); }

  TrustStore store() { return TrustStore::open(directory_ + "/clients").value(); }
  // A list in which `identity` is anna of the lab.
  TrustStore store_with(const TlsIdentity& identity) {
    TrustStore list = store();
    EXPECT_TRUE(list.add({"anna", of(identity), "lab"}).ok());
    return list;
  }
  static base::Result<TrustedPeer> follow(TrustStore& list, const TlsIdentity& shown,
                                          std::int64_t now_s = kNow) {
    return list.follow(read(shown, now_s).value(), now_s, kOverlap);
  }

  const std::string directory_;
  const TlsIdentity first_ = link::make_identity("first").value();
};

TEST_F(RotationTest, AStatementLeadsFromTheOldKeyToTheNew) {
  EXPECT_TRUE(read(first_)->empty());
  const TlsIdentity second = next(first_);
  EXPECT_NE(of(second), of(first_));
  EXPECT_NE(second.private_key_pem, first_.private_key_pem);
  const auto rotations = read(second).value();
  ASSERT_EQ(rotations.size(), 1u);
  EXPECT_EQ(rotations[0].from, of(first_));
  EXPECT_EQ(rotations[0].to, of(second));
  EXPECT_EQ(rotations[0].expires_at_s, kNow + kDay);
}

TEST_F(RotationTest, EveryChangedBitIsNoticed) {
  const TlsIdentity second = next(first_);
  const auto note = note_of(second);
  for (std::size_t bit = 0; bit < 8 * note.size(); bit += 3) {
    auto changed = note;
    changed[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    EXPECT_FALSE(read_rotations(changed, KeyRole::kClient, of(second), kNow).ok()) << bit;
  }
  for (std::size_t size = 1; size < note.size(); ++size) {
    EXPECT_FALSE(
        read_rotations(std::span(note).first(size), KeyRole::kClient, of(second), kNow).ok());
  }
}

TEST_F(RotationTest, AStatementIsForOneKeyOfOneKind) {
  const TlsIdentity second = next(first_);
  // Somebody else shows it: TLS has proved another key.
  const TlsIdentity thief = link::make_identity("thief").value();
  EXPECT_EQ(read_rotations(note_of(second), KeyRole::kClient, of(thief), kNow).error().code(),
            ErrorCode::kUnauthenticated);
  EXPECT_EQ(read_rotations(note_of(second), KeyRole::kNode, of(second), kNow).error().code(),
            ErrorCode::kUnauthenticated);
}

TEST_F(RotationTest, HoldsFromWhenItWasMadeUntilItEnds) {
  const TlsIdentity second = next(first_);
  EXPECT_TRUE(read(second, kNow - 2 * kRotationSkewS)->empty());
  EXPECT_EQ(read(second, kNow - kRotationSkewS / 2)->size(), 1u);
  EXPECT_EQ(read(second, kNow + kDay - 1)->size(), 1u);
  EXPECT_TRUE(read(second, kNow + kDay)->empty());
  EXPECT_FALSE(make_successor(first_, "x", KeyRole::kClient, kNow, kMaxRotationValidityS + 1).ok());
  EXPECT_FALSE(make_successor(first_, "x", KeyRole::kClient, kNow, 0).ok());
}

TEST_F(RotationTest, AChainIsOfBoundedLengthAndWithoutGaps) {
  std::vector<TlsIdentity> keys = {first_};
  for (std::size_t i = 0; i < kMaxRotations + 3; ++i)
    keys.push_back(next(keys.back()));
  const auto rotations = read(keys.back()).value();
  ASSERT_EQ(rotations.size(), kMaxRotations);
  EXPECT_EQ(rotations.front().from, of(keys[3]));

  // What was said before a statement that has ended is of no use, and is not carried on.
  const TlsIdentity second = next(first_, kNow, 100 * kDay);
  const TlsIdentity third = next(second, kNow, kDay);
  EXPECT_TRUE(read(third, kNow + 2 * kDay)->empty());
  const TlsIdentity fourth = next(third, kNow + 2 * kDay);
  const auto rest = read(fourth, kNow + 2 * kDay).value();
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].from, of(third));
}

TEST_F(RotationTest, WhoeverTrustsTheOldKeyFollows) {
  TrustStore list = store_with(first_);
  const TlsIdentity second = next(first_);
  const auto anna = follow(list, second);
  ASSERT_TRUE(anna.ok()) << anna.error().to_string();
  EXPECT_EQ(anna->name, "anna");
  EXPECT_EQ(anna->tenant, "lab");

  const TrustStore again = store();  // it is on disk
  EXPECT_EQ(again.find("anna")->fingerprint, of(second));
  EXPECT_TRUE(again.find(of(second), kNow + 1000 * kDay).has_value());
  EXPECT_TRUE(again.find(of(first_), kNow + kOverlap - 1).has_value());
  EXPECT_FALSE(again.find(of(first_), kNow + kOverlap).has_value());
  EXPECT_EQ(again.find_with_replaced(of(first_))->tenant, "lab");  // a session of it goes on
  // Again, and by another process at once: nothing more happens.
  EXPECT_TRUE(follow(list, second).ok());
  EXPECT_EQ(store().peers().size(), 2u);
}

TEST_F(RotationTest, ManyAtOnceFollowOnce) {
  store_with(first_);
  const TlsIdentity second = next(first_);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      TrustStore list = store();
      EXPECT_TRUE(follow(list, second).ok());
    });
  }
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(store().peers().size(), 2u);
}

TEST_F(RotationTest, WhoWasAwayForSeveralRotationsFollowsToo) {
  TrustStore list = store_with(first_);
  const TlsIdentity second = next(first_);
  const TlsIdentity third = next(second);
  ASSERT_TRUE(follow(list, third).ok());
  EXPECT_EQ(list.find("anna")->fingerprint, of(third));
  // The key between was never seen here, and is no way in.
  EXPECT_FALSE(list.find(of(second), kNow).has_value());
  EXPECT_EQ(follow(list, second).error().code(), ErrorCode::kPermissionDenied);
}

TEST_F(RotationTest, AReplacedKeyVouchesForNobodyElse) {
  TrustStore list = store_with(first_);
  const TlsIdentity second = next(first_);
  ASSERT_TRUE(follow(list, second).ok());
  const TlsIdentity thiefs = next(first_);  // a copy of the old key, in and after the overlap
  EXPECT_EQ(follow(list, thiefs).error().code(), ErrorCode::kPermissionDenied);
  EXPECT_EQ(follow(list, thiefs, kNow + 2 * kOverlap).error().code(), ErrorCode::kPermissionDenied);
  EXPECT_FALSE(list.find(of(thiefs), kNow).has_value());
  EXPECT_EQ(list.find("anna")->fingerprint, of(second));
  // Whoever is first wins; that the other is refused tells the owner.
  const TlsIdentity of_a_stranger = next(link::make_identity("stranger").value());
  EXPECT_EQ(follow(list, of_a_stranger).error().code(), ErrorCode::kUnauthenticated);
  EXPECT_EQ(list.follow({}, kNow, kOverlap).error().code(), ErrorCode::kUnauthenticated);
}

TEST_F(RotationTest, RevokingOneKeyRevokesItsPredecessorsAndHeirs) {
  const TlsIdentity second = next(first_);
  const TlsIdentity third = next(second);
  for (const std::string& name : {std::string("anna"), to_hex(of(first_)), to_hex(of(second))}) {
    TrustStore list = store_with(first_);
    ASSERT_TRUE(follow(list, second).ok());
    ASSERT_TRUE(list.revoke(name).ok());
    EXPECT_TRUE(list.peers().empty());
    EXPECT_EQ(follow(list, second).error().code(), ErrorCode::kUnauthenticated);
    EXPECT_EQ(follow(list, third).error().code(), ErrorCode::kUnauthenticated);
  }
}

TEST_F(RotationTest, ALineTakenOutWithAnEditorTakesThePredecessorsAlong) {
  TrustStore list = store_with(first_);
  ASSERT_TRUE(follow(list, next(first_)).ok());
  const std::string old_line =
      "anna " + to_hex(of(first_)) + " lab 2026-11-20 until=2026-12-31T00:00:00Z\n";
  ASSERT_TRUE(write_private_file(list.path(), old_line, IfThere::kReplace).ok());
  ASSERT_TRUE(list.reload().ok());
  EXPECT_FALSE(list.find(of(first_), kNow).has_value());
  EXPECT_FALSE(list.find_with_replaced(of(first_)).has_value());
  EXPECT_EQ(follow(list, next(first_)).error().code(), ErrorCode::kUnauthenticated);
  // Nor does it come back when the name is given again.
  ASSERT_TRUE(list.add({"anna", Fingerprint{7}, "lab"}).ok());
  EXPECT_FALSE(list.find(of(first_), kNow).has_value());
}

TEST_F(RotationTest, AListRemembersABoundedNumberOfReplacedKeys) {
  TrustStore list = store_with(first_);
  TlsIdentity key = first_;
  for (std::size_t i = 0; i < kMaxReplacedKeys + 4; ++i) {
    key = next(key);
    ASSERT_TRUE(follow(list, key).ok());
  }
  EXPECT_EQ(store().peers().size(), kMaxReplacedKeys + 1);
  EXPECT_FALSE(list.find_with_replaced(of(first_)).has_value());
  EXPECT_EQ(list.find("anna")->fingerprint, of(key));
}

TEST_F(RotationTest, AListThatCannotBeWrittenDoesNotChange) {
  TrustStore list = store_with(first_);
  const TlsIdentity second = next(first_);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ::getrlimit(RLIMIT_FSIZE, &old_limit);
  const rlimit full{50, old_limit.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &full);
  const auto failed = follow(list, second);
  ::setrlimit(RLIMIT_FSIZE, &old_limit);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_FALSE(failed.ok());
  EXPECT_EQ(store().find("anna")->fingerprint, of(first_));
  EXPECT_TRUE(follow(list, second).ok());  // later
}

TEST_F(RotationTest, TheKeyIsReplacedWholeOrNotAtAll) {
  const std::string home = directory_ + "/home";
  EXPECT_EQ(KeyStore::rotate(home, "x", KeyRole::kClient, kNow, kDay).error().code(),
            ErrorCode::kNotFound);
  const Fingerprint old = KeyStore::open_or_create(home, "x")->fingerprint();
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ::getrlimit(RLIMIT_FSIZE, &old_limit);
  const rlimit full{100, old_limit.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &full);
  const auto failed = KeyStore::rotate(home, "x", KeyRole::kClient, kNow, kDay);
  ::setrlimit(RLIMIT_FSIZE, &old_limit);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_FALSE(failed.ok());
  EXPECT_EQ(KeyStore::open_or_create(home, "x")->fingerprint(), old);

  const auto fresh = KeyStore::rotate(home, "x", KeyRole::kClient, kNow, kDay).value();
  EXPECT_NE(fresh.fingerprint(), old);
  const auto kept = KeyStore::open_or_create(home, "x").value();
  EXPECT_EQ(kept.fingerprint(), fresh.fingerprint());
  EXPECT_EQ(read(kept.identity())->front().from, old);
}

TEST_F(RotationTest, RotatedByTwoAtOnceItIsAChain) {
  const std::string home = directory_ + "/home";
  const Fingerprint old = KeyStore::open_or_create(home, "x")->fingerprint();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back(
        [&] { EXPECT_TRUE(KeyStore::rotate(home, "x", KeyRole::kClient, kNow, kDay).ok()); });
  }
  for (auto& thread : threads)
    thread.join();
  const auto rotations = read(KeyStore::open_or_create(home, "x")->identity()).value();
  ASSERT_EQ(rotations.size(), 4u);
  EXPECT_EQ(rotations.front().from, old);
}

TEST(TrustFileOfReplacedKeys, SaysUntilWhen) {
  const std::string line = "anna " + std::string(64, 'a') + " lab 2026-11-20 ";
  const auto peers = parse_trust_file(line + "until=2026-11-28T10:00:00Z");
  ASSERT_TRUE(peers.ok()) << peers.error().to_string();
  EXPECT_EQ(peers->front().replaced_until_s, 1'795'860'000);
  for (const char* bad :
       {"until=", "until=tomorrow", "until=2026-11-28T10:00:00Zx", "until=2026-13-28T10:00:00Z",
        "2026-11-28T10:00:00Z", "until=2026-11-28T10:00:00Z more"}) {
    EXPECT_FALSE(parse_trust_file(line + bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace longwire::session
