#include "node/audit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

namespace longwire::node {
namespace {

using nlohmann::json;

class CountingJournal final : public Journal {
 public:
  bool enabled(base::LogLevel) const noexcept override { return true; }
  void write(base::LogLevel, std::string_view) noexcept override {}
  void event(base::LogLevel, std::string_view name,
             std::initializer_list<Field>) noexcept override {
    if (name == "audit.lost") ++lost;
  }
  int lost = 0;
};

class AuditTest : public testing::Test {
 protected:
  AuditTest() {
    char pattern[] = "/tmp/lw-audit-XXXXXX";
    folder_ = ::mkdtemp(pattern);
    path_ = audit_file(folder_);
  }
  ~AuditTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Audit> open() {
    auto audit = Audit::open(path_, config_, journal_);
    EXPECT_TRUE(audit.ok()) << audit.error().message();
    return audit.ok() ? *std::move(audit) : std::make_unique<Audit>();
  }
  static std::vector<std::string> lines(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::vector<std::string> all;
    for (std::string line; std::getline(file, line);)
      all.push_back(line);
    return all;
  }

  std::filesystem::path folder_;
  std::filesystem::path path_;
  AuditConfig config_;
  CountingJournal journal_;
};

TEST_F(AuditTest, ALineIsAnObjectWithItsTime) {
  EXPECT_TRUE(open()->write("session.end", {{"tenant", "lab"}, {"bytes_in", 7}}));
  EXPECT_TRUE(open()->write("next", {}));  // a second process appends
  const auto all = lines(path_);
  ASSERT_EQ(all.size(), 2u);
  const json line = json::parse(all[0]);
  EXPECT_EQ(line["event"], "session.end");
  EXPECT_EQ(line["tenant"], "lab");
  EXPECT_EQ(line["bytes_in"], 7);
  EXPECT_EQ(line["time"].get<std::string>().size(), utc_now().size());
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(AuditTest, NoPeerForgesALineOrFloodsTheFile) {
  const std::string hostile = "x\n{\"event\":\"session.begin\"}\r\x1b[2J\"}\\\xff\0end";
  open()->write("refused", {{"program", hostile}, {"long", std::string(1'000'000, 'a')}});
  const auto all = lines(path_);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_LT(all[0].size(), 2 * kMaxLogValueBytes);
  EXPECT_EQ(json::parse(all[0])["event"], "refused");
  for (const char c : all[0])
    EXPECT_TRUE(c >= 0x20 && c < 0x7f);
}

TEST_F(AuditTest, FilesAreBoundedInSizeAndNumber) {
  config_.max_size_bytes = 1000;
  config_.files = 3;
  const auto audit = open();
  for (int i = 0; i < 200; ++i)
    ASSERT_TRUE(audit->write("event", {{"number", i}}));
  EXPECT_FALSE(std::filesystem::exists(rotated(path_, 3)));
  int last = -1;
  for (const std::uint32_t age : {2u, 1u, 0u}) {
    EXPECT_LE(std::filesystem::file_size(rotated(path_, age)), 1000u);
    for (const std::string& line : lines(rotated(path_, age))) {
      const int number = json::parse(line)["number"];
      if (last >= 0) {
        EXPECT_EQ(number, last + 1);  // nothing between them is missing
      }
      last = number;
    }
  }
  EXPECT_EQ(last, 199);
}

TEST_F(AuditTest, AFileThatWasMovedAwayIsMadeAnew) {
  const auto audit = open();
  audit->write("one", {});
  std::filesystem::rename(path_, folder_ / "elsewhere");
  audit->write("two", {});
  ASSERT_EQ(lines(path_).size(), 1u);
  EXPECT_EQ(json::parse(lines(path_)[0])["event"], "two");
}

// What a full disk does, with a limit on the size of files: part of a line, then nothing.
class FullDisk {
 public:
  explicit FullDisk(std::uint64_t at_bytes) {
    old_handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit now{at_bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_{};
  void (*old_handler_)(int) = nullptr;
};

TEST_F(AuditTest, AFullDiskCostsLinesThatAreCounted) {
  const auto audit = open();
  ASSERT_TRUE(audit->write("first", {}));
  {
    const FullDisk full(std::filesystem::file_size(path_) + 10);
    for (int i = 0; i < 5; ++i)
      EXPECT_FALSE(audit->write("lost", {}));
  }
  EXPECT_EQ(audit->lost(), 5u);
  EXPECT_EQ(journal_.lost, 1);
  EXPECT_TRUE(audit->write("after", {}));
  const auto all = lines(path_);
  ASSERT_EQ(all.size(), 4u);
  EXPECT_TRUE(json::parse(all[1], nullptr, false).is_discarded());  // the torn one
  EXPECT_EQ(json::parse(all[2])["event"], "audit.gap");
  EXPECT_EQ(json::parse(all[2])["lost"], 5);
  EXPECT_EQ(json::parse(all[3])["event"], "after");
  EXPECT_TRUE(audit->write("more", {}));
  EXPECT_EQ(lines(path_).size(), 5u);
}

TEST_F(AuditTest, StrangersCannotPushOutWhatMatters) {
  const auto audit = open();
  for (std::uint32_t i = 0; i < 10 * kMaxStrangersPerMinute; ++i)
    EXPECT_TRUE(audit->write_of_stranger("connection.refused", {}));
  EXPECT_EQ(lines(path_).size(), kMaxStrangersPerMinute);
  EXPECT_TRUE(audit->write("session.begin", {}));
  EXPECT_EQ(lines(path_).size(), kMaxStrangersPerMinute + 1);
}

TEST_F(AuditTest, ALinkOrAFileOpenToOthersIsRefused) {
  std::filesystem::create_symlink(folder_ / "target", path_);
  EXPECT_FALSE(Audit::open(path_, config_, journal_).ok());
  EXPECT_FALSE(std::filesystem::exists(folder_ / "target"));
  std::filesystem::remove(path_);
  open()->write("x", {});
  ::chmod(path_.c_str(), 0644);
  const auto wide = Audit::open(path_, config_, journal_);
  ASSERT_FALSE(wide.ok());
  EXPECT_NE(wide.error().message().find("chmod 600"), std::string::npos);
}

TEST_F(AuditTest, WithoutAFileItIsContent) {
  EXPECT_TRUE(Audit().write("x", {}));
  EXPECT_FALSE(Audit().required());
}

}  // namespace
}  // namespace longwire::node
