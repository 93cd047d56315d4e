// Records of workers, and the folder in which they lie: what nobody of ours has written is refused.
#include "node/worker_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "agent_fixture.h"
#include "base/random.h"

namespace longwire::node {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

WorkerRecord sample() {
  WorkerRecord record;
  record.process = *identify_process(::getpid());
  record.folder = "/var/cache/longwire/workers/agent-1/2";
  record.session.fill(1);
  record.reclaim.fill(2);
  record.began_at_ns = 77;
  record.client.encrypted = true;
  record.client.origin = "tls:";
  record.client.version = 1;
  record.client.features = 7;
  record.client.max_payload_bytes = 4096;
  record.client.tenant = "lab";
  record.client.client = "laptop";
  record.client.key = std::string(64, 'c');
  record.client.grant = Grant{"issuer", "id", 9, 1 << 20, 250, {"0", "gpu-1"}};
  record.client.peer = "10.0.0.1:4711";
  record.client.program = "clinfo";
  return record;
}

TEST(WorkerRecord, KeepsEveryField) {
  const WorkerRecord a = sample();
  const auto bytes = encode_worker_record(a);
  ASSERT_TRUE(bytes.ok());
  const auto b = decode_worker_record(*bytes);
  ASSERT_TRUE(b.ok()) << b.error().message();
  EXPECT_EQ(b->process, a.process);
  EXPECT_EQ(*decode_recorded_process(*bytes), a.process);
  EXPECT_EQ(b->folder, a.folder);
  EXPECT_EQ(b->session, a.session);
  EXPECT_EQ(b->reclaim, a.reclaim);
  EXPECT_EQ(b->began_at_ns, a.began_at_ns);
  EXPECT_EQ(b->client.origin, a.client.origin);
  EXPECT_EQ(b->client.tenant, a.client.tenant);
  EXPECT_EQ(b->client.client, a.client.client);
  EXPECT_EQ(b->client.key, a.client.key);
  EXPECT_EQ(b->client.peer, a.client.peer);
  EXPECT_EQ(b->client.program, a.client.program);
  ASSERT_TRUE(b->client.grant.has_value());
  EXPECT_EQ(b->client.grant->epoch, 9u);
  EXPECT_EQ(b->client.grant->devices, a.client.grant->devices);
  EXPECT_EQ(*encode_worker_record(*b), *bytes);
}

TEST(WorkerRecord, EveryCutAndWhatFollowsIsRefused) {
  auto bytes = *encode_worker_record(sample());
  for (std::size_t n = 0; n < bytes.size(); ++n)
    ASSERT_FALSE(decode_worker_record(std::span(bytes).first(n)).ok()) << n;
  bytes.resize(bytes.size() + 8);
  EXPECT_FALSE(decode_worker_record(bytes).ok());
}

TEST(WorkerRecord, RandomBytesNeverCrash) {
  base::SeededRandom random(7);
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = *encode_worker_record(sample());
    for (int flips = 0; flips < 4; ++flips)
      random.fill(std::span(bytes).subspan(random.below(bytes.size()), 1));
    bytes.resize(random.below(bytes.size() + 1));
    [[maybe_unused]] const auto decoded = decode_worker_record(bytes);
  }
}

TEST(WorkerRecord, NoProcessOfTheSystemsIsAWorker) {
  for (const pid_t pid : {-1, 0, 1}) {
    WorkerRecord record = sample();
    record.process.pid = pid;
    EXPECT_FALSE(decode_worker_record(*encode_worker_record(record)).ok()) << pid;
  }
}

TEST(WorkerRecord, WhatIsTooLongIsNotWritten) {
  WorkerRecord record = sample();
  record.client.peer.assign(kMaxRecordTextBytes + 1, 'x');
  EXPECT_EQ(encode_worker_record(record).error().code(), ErrorCode::kLimit);
}

TEST(ProcessIdentity, OneThatGoesWhileItIsLookedAtIsNone) {
  const auto before = ::signal(SIGCHLD, SIG_IGN);  // nobody has to bury them
  for (int i = 0; i < 300; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(0);
    while (identify_process(pid).ok()) {
    }
  }
  ::signal(SIGCHLD, before);
}

TEST(ProcessIdentity, AnotherStartIsAnotherProcess) {
  ProcessIdentity process = *identify_process(::getpid());
  EXPECT_TRUE(open_process(process).ok());
  ++process.start_ticks;
  EXPECT_EQ(open_process(process).error().code(), ErrorCode::kNotFound);
}

class WorkerRegistryTest : public testing::Test {
 protected:
  WorkerRegistryTest() {
    char pattern[] = "/tmp/lw-registry-XXXXXX";
    folder = ::mkdtemp(pattern);
    reopen();
  }
  ~WorkerRegistryTest() override { fs::remove_all(folder); }
  void reopen() {
    registry.reset();
    auto opened = WorkerRegistry::open(folder / "state");
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    registry.emplace(*std::move(opened));
  }
  // On record as that process; left for the next agent.
  fs::path leave(const WorkerRecord& record) {
    auto made = registry->make();
    EXPECT_TRUE(made.ok()) << made.error().message();
    EXPECT_TRUE(made->entry.write(record).ok());
    made->entry.leave();
    fs::path found;
    for (const auto& file : fs::directory_iterator(folder / "state" / "workers"))
      if (file.path().extension() == ".session") found = file.path();
    return found;
  }
  std::size_t files() const {
    return std::size_t(std::distance(fs::directory_iterator(folder / "state" / "workers"),
                                     fs::directory_iterator()));
  }
  void expect_refused(const char* reason) {
    EXPECT_TRUE(registry->find(journal).empty());
    EXPECT_EQ(files(), 0u);
    EXPECT_THAT(journal.wait_for("worker.record_refused"), HasSubstr(reason));
  }

  fs::path folder;
  std::optional<WorkerRegistry> registry;
  MemoryJournal journal;
};

TEST_F(WorkerRegistryTest, BelongsToOneAgent) {
  const auto second = WorkerRegistry::open(folder / "state");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), ErrorCode::kUnavailable);
}

TEST_F(WorkerRegistryTest, APlaceThatOthersCanReadIsRefused) {
  registry.reset();
  fs::permissions(folder / "state" / "workers", fs::perms::all);
  EXPECT_EQ(WorkerRegistry::open(folder / "state").error().code(), ErrorCode::kPermissionDenied);
}

TEST_F(WorkerRegistryTest, FilesAreTheOwnersAndGoWithTheEntry) {
  {
    auto made = registry->make();
    ASSERT_TRUE(made.ok());
    ASSERT_TRUE(made->entry.write(sample()).ok());
    EXPECT_EQ(files(), 2u);
    for (const auto& file : fs::directory_iterator(folder / "state" / "workers")) {
      struct stat info {};
      ASSERT_EQ(::stat(file.path().c_str(), &info), 0);
      EXPECT_EQ(info.st_mode & 0777, 0600u) << file.path();
    }
  }
  EXPECT_EQ(files(), 0u);
}

TEST_F(WorkerRegistryTest, FindsWhoLives) {
  leave(sample());
  const auto found = registry->find(journal);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].pidfd.valid());
  EXPECT_EQ(found[0].record.client.tenant, "lab");
}

TEST_F(WorkerRegistryTest, ADoorThatNobodyHoldsIsClosed) {
  leave(sample());  // its descriptor is closed already
  const auto found = registry->find(journal);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].entry.knock().error().code(), ErrorCode::kClosed);
}

TEST_F(WorkerRegistryTest, KillsWhatADeadWorkerHasLeftInItsGroup) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t worker = ::fork();
  if (worker == 0) {
    ::setpgid(0, 0);
    if (::fork() == 0) {
      ::close(ends[0]);
      for (;;)
        ::pause();  // holds the pipe
    }
    ::pause();
  }
  ::setpgid(worker, worker);
  ::close(ends[1]);
  WorkerRecord record = sample();
  record.process = *identify_process(worker);
  leave(record);
  ::usleep(10'000);  // for its child; without one the pipe ends anyway
  ::kill(worker, SIGKILL);
  ::waitpid(worker, nullptr, 0);
  const auto found = registry->find(journal);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_FALSE(found[0].pidfd.valid());
  char c = 0;
  EXPECT_EQ(::read(ends[0], &c, 1), 0);  // its end: the child is gone
  ::close(ends[0]);
}

TEST_F(WorkerRegistryTest, RefusesARecordThatOthersCouldWrite) {
  fs::permissions(leave(sample()), fs::perms::owner_all | fs::perms::others_write);
  expect_refused("chmod 600");
}

TEST_F(WorkerRegistryTest, RefusesALink) {
  const auto path = leave(sample());
  fs::rename(path, folder / "elsewhere");
  fs::create_symlink(folder / "elsewhere", path);
  expect_refused("read");
  EXPECT_TRUE(fs::exists(folder / "elsewhere"));
}

TEST_F(WorkerRegistryTest, RefusesNonsenseAndWhatIsTooLong) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{100}, kMaxRecordBytes + 1}) {
    const auto path = leave(sample());
    fs::resize_file(path, 0);
    fs::resize_file(path, bytes);
    EXPECT_TRUE(registry->find(journal).empty());
    EXPECT_EQ(files(), 0u);
  }
  EXPECT_EQ(journal.count("worker.record_refused"), 3u);
}

TEST_F(WorkerRegistryTest, RefusesASecondRecordOfASession) {
  leave(sample());
  leave(sample());
  const auto found = registry->find(journal);
  EXPECT_EQ(found.size(), 1u);
  EXPECT_THAT(journal.wait_for("worker.record_refused"), HasSubstr("same session"));
}

TEST_F(WorkerRegistryTest, RemovesWhatIsNoRecord) {
  const fs::path workers = folder / "state" / "workers";
  std::ofstream(workers / "x.session") << "x";
  std::ofstream(workers / "0123456789abcdef.door") << "x";
  std::ofstream(workers / "0123456789abcdeg.session") << "x";
  EXPECT_TRUE(registry->find(journal).empty());
  EXPECT_EQ(files(), 0u);
}

}  // namespace
}  // namespace longwire::node
