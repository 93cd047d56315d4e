#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "session/auth/key_store.h"
#include "session/auth/trust_store.h"
#include "session/private_file.h"

namespace longwire::session {
namespace {

using base::ErrorCode;

class Keys : public ::testing::Test {
 protected:
  Keys()
      : directory_(::testing::TempDir() + "lw-keys-" + std::to_string(::getpid()) + "-" +
                   std::to_string(base::SystemRandom().u64())) {}
  ~Keys() override { std::filesystem::remove_all(directory_); }

  mode_t mode_of(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 0777;
  }
  const std::string directory_;
};

using KeyStoreTest = Keys;
using TrustStoreTest = Keys;

TEST_F(KeyStoreTest, MakesAKeyOnceAndKeepsIt) {
  const auto first = KeyStore::open_or_create(directory_, "box");
  ASSERT_TRUE(first.ok()) << first.error().to_string();
  const auto second = KeyStore::open_or_create(directory_, "other name");
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(first->fingerprint(), second->fingerprint());
  EXPECT_EQ(mode_of(directory_), 0700u);
  EXPECT_EQ(mode_of(directory_ + "/" + kIdentityFile), 0600u);
  // Nothing is left over.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), {}), 1);
}

TEST_F(KeyStoreTest, StartedTwiceAtOnceThereIsOneKey) {
  std::vector<Fingerprint> seen(8);
  std::vector<std::thread> threads;
  threads.reserve(seen.size());
  for (auto& fingerprint : seen) {
    threads.emplace_back(
        [&] { fingerprint = KeyStore::open_or_create(directory_, "box").value().fingerprint(); });
  }
  for (auto& thread : threads)
    thread.join();
  for (const auto& fingerprint : seen)
    EXPECT_EQ(fingerprint, seen[0]);
}

TEST_F(KeyStoreTest, RefusesWiderPermissions) {
  ASSERT_TRUE(KeyStore::open_or_create(directory_, "box").ok());
  const std::string file = directory_ + "/" + kIdentityFile;
  ASSERT_EQ(::chmod(file.c_str(), 0640), 0);
  const auto readable = KeyStore::open_or_create(directory_, "box");
  EXPECT_EQ(readable.error().code(), ErrorCode::kPermissionDenied);
  EXPECT_NE(readable.error().message().find("chmod 600"), std::string::npos);
  ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  ASSERT_EQ(::chmod(directory_.c_str(), 0755), 0);
  EXPECT_EQ(KeyStore::open_or_create(directory_, "box").error().code(),
            ErrorCode::kPermissionDenied);
}

TEST_F(KeyStoreTest, RefusesLinksAndNonsense) {
  ASSERT_TRUE(ensure_private_directory(directory_).ok());
  const std::string file = directory_ + "/" + kIdentityFile;
  ASSERT_EQ(::symlink("/etc/passwd", file.c_str()), 0);
  EXPECT_FALSE(KeyStore::open_or_create(directory_, "box").ok());
  ASSERT_EQ(::unlink(file.c_str()), 0);
  ASSERT_TRUE(write_private_file(file, "no key", IfThere::kReplace).ok());
  EXPECT_EQ(KeyStore::open_or_create(directory_, "box").error().code(),
            ErrorCode::kInvalidArgument);
}

TEST_F(KeyStoreTest, RefusesAnothersFile) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_TRUE(KeyStore::open_or_create(directory_, "box").ok());
  const std::string file = directory_ + "/" + kIdentityFile;
  ASSERT_EQ(::chown(file.c_str(), 12345, 12345), 0);
  const auto foreign = KeyStore::open_or_create(directory_, "box");
  EXPECT_EQ(foreign.error().code(), ErrorCode::kPermissionDenied);
  EXPECT_NE(foreign.error().message().find("chown"), std::string::npos);
}

TEST_F(KeyStoreTest, AWriteThatFailsLeavesTheOldFile) {
  ASSERT_TRUE(ensure_private_directory(directory_).ok());
  const std::string file = directory_ + "/list";
  ASSERT_TRUE(write_private_file(file, "old", IfThere::kReplace).ok());
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ::getrlimit(RLIMIT_FSIZE, &old_limit);
  const rlimit full{100, old_limit.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &full);
  const auto failed = write_private_file(file, std::string(1000, 'x'), IfThere::kReplace);
  ::setrlimit(RLIMIT_FSIZE, &old_limit);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_FALSE(failed.ok());
  EXPECT_EQ(*read_private_file(file, 2000), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), {}), 1);  // no litter
}

TEST(FileStamp, DiffersOnceAFileIsReplacedWrittenOrGone) {
  const std::string path = ::testing::TempDir() + "lw-stamp-" + std::to_string(::getpid());
  EXPECT_EQ(stamp_of(path), FileStamp{});
  ASSERT_TRUE(write_private_file(path, "a", IfThere::kReplace).ok());
  const FileStamp first = stamp_of(path);
  EXPECT_EQ(stamp_of(path), first);
  ASSERT_TRUE(write_private_file(path, "b", IfThere::kReplace).ok());
  EXPECT_NE(stamp_of(path), first);
  ::unlink(path.c_str());
  EXPECT_EQ(stamp_of(path), FileStamp{});
}

TEST(Fingerprint, PrintsAndParses) {
  Fingerprint f{};
  for (std::size_t i = 0; i < f.size(); ++i)
    f[i] = static_cast<std::uint8_t>(i * 8 + 1);
  EXPECT_EQ(to_hex(f).size(), 64u);
  EXPECT_EQ(fingerprint_from_hex(to_hex(f)).value(), f);
  EXPECT_FALSE(fingerprint_from_hex(to_hex(f).substr(1)).ok());
  EXPECT_FALSE(fingerprint_from_hex(std::string(64, 'g')).ok());
  const std::string text = to_base32(f);
  EXPECT_EQ(text.size(), 52u + 12u);
  EXPECT_EQ(text.substr(0, 10), "044H-2691-");  // 01 09 11 19 21 29 …
}

TEST_F(TrustStoreTest, AddsFindsRevokes) {
  ASSERT_TRUE(ensure_private_directory(directory_).ok());
  const std::string path = directory_ + "/clients";
  TrustStore store = TrustStore::open(path).value();
  EXPECT_TRUE(store.peers().empty());
  const Fingerprint anna{1}, bert{2};
  ASSERT_TRUE(store.add({"anna", anna, "lab", ""}).ok());
  ASSERT_TRUE(store.add({"bert", bert, "default", "2026-01-02"}).ok());
  EXPECT_EQ(store.add({"anna", bert, "lab", ""}).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(store.add({"an na", bert, "lab", ""}).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(mode_of(path), 0600u);

  const TrustStore again = TrustStore::open(path).value();
  ASSERT_EQ(again.peers().size(), 2u);
  EXPECT_EQ(again.find(anna)->tenant, "lab");
  EXPECT_EQ(again.find(anna)->since.size(), 10u);
  EXPECT_EQ(again.find("bert")->fingerprint, bert);
  EXPECT_FALSE(again.find(Fingerprint{3}).has_value());

  ASSERT_TRUE(store.revoke("anna").ok());
  ASSERT_TRUE(store.revoke(to_hex(bert)).ok());
  ASSERT_TRUE(store.add({"bert", bert, "lab"}).ok());
  ASSERT_TRUE(store.revoke(to_base32(bert)).ok());
  EXPECT_EQ(store.revoke("anna").error().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(TrustStore::open(path).value().peers().empty());
}

TEST_F(TrustStoreTest, NobodyIsTrustedWhereThereIsNoFolder) {
  TrustStore store = TrustStore::open(directory_ + "/missing/clients").value();
  EXPECT_EQ(store.revoke("anna").error().code(), ErrorCode::kNotFound);
}

TEST_F(TrustStoreTest, SeesWhatAnotherProcessAdded) {
  ASSERT_TRUE(ensure_private_directory(directory_).ok());
  const std::string path = directory_ + "/clients";
  TrustStore one = TrustStore::open(path).value();
  TrustStore two = TrustStore::open(path).value();
  ASSERT_TRUE(one.add({"anna", Fingerprint{1}, "lab"}).ok());
  ASSERT_TRUE(two.add({"bert", Fingerprint{2}, "lab"}).ok());
  ASSERT_TRUE(one.reload().ok());
  EXPECT_EQ(one.peers().size(), 2u);
}

TEST(TrustFile, ParsesWhatPeopleWrite) {
  const std::string hex(64, 'a');
  const auto peers =
      parse_trust_file("# a comment\n\n  anna\t" + hex + "  lab 2026-11-20 \r\nb " + hex + " x y");
  ASSERT_TRUE(peers.ok()) << peers.error().to_string();
  ASSERT_EQ(peers->size(), 2u);
  EXPECT_EQ((*peers)[0].name, "anna");
  EXPECT_EQ((*peers)[1].since, "y");
}

TEST(TrustFile, NamesTheBadLine) {
  const std::string hex(64, 'a');
  for (const std::string& bad :
       std::vector<std::string>{"anna " + hex + " lab", "anna xyz lab 2026-11-20",
                                "a/b " + hex + " lab x", "anna " + hex + " lab x more"}) {
    const auto peers = parse_trust_file("# first\n" + bad + "\n");
    ASSERT_FALSE(peers.ok()) << bad;
    EXPECT_TRUE(peers.error().message().starts_with("line 2: ")) << peers.error().message();
  }
}

TEST(PeerName, CleansUp) {
  EXPECT_EQ(to_peer_name("Anna's laptop"), "Anna-s-laptop");
  EXPECT_EQ(to_peer_name(""), "unnamed");
  EXPECT_TRUE(is_peer_name(to_peer_name(std::string(200, '/'))));
}

}  // namespace
}  // namespace longwire::session
