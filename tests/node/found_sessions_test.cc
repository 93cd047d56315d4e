// Sessions that outlive their agent: what the next one knows of them, and what it believes.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "agent_fixture.h"
#include "node/sessions.h"

namespace longwire::node {
namespace {

using testing::HasSubstr;

class FoundSessions : public AgentTest {
 protected:
  struct Client {
    std::unique_ptr<link::Link> link;
    session::Welcome welcome;
  };
  Client begin() {
    Client client{connect_unix(), {}};
    auto welcome = open(*client.link);
    EXPECT_TRUE(welcome.ok()) << welcome.error().message();
    if (welcome) client.welcome = *welcome;
    expect_echo(*client.link);
    return client;
  }
  void start_keeping(const char* mode = "serve") {
    keep_sessions();
    start(mode);
  }
  void restart() {
    vanish();
    start_keeping();
  }
  pid_t worker() {
    const std::string line = journal.wait_for("session.start");
    return pid_t(std::atoi(line.substr(line.find(" pid=") + 5).c_str()));
  }
  std::filesystem::path record() {
    for (const auto& file : std::filesystem::directory_iterator(folder / "state" / "workers")) {
      if (file.path().extension() == ".session") return file.path();
    }
    ADD_FAILURE() << "nothing is on record";
    return {};
  }
  // A lane is let in, and reaches the worker.
  void expect_joinable(const Client& client) {
    const auto lane = connect_unix();
    const session::Preamble preamble{Purpose::kLane, client.welcome.session};
    ASSERT_TRUE(session::send_all(*lane, session::encode(preamble), soon()).ok());
    expect_echo(*lane);
  }
  void expect_gone(const Client& client) {
    auto back = hello();
    back.purpose = Purpose::kResume;
    back.session = client.welcome.session;
    const auto link = connect_unix();
    const auto refused = open(*link, back);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), ErrorCode::kNotFound);
  }
  void rewrite(const std::function<void(WorkerRecord&)>& change) {
    const auto path = record();
    std::ifstream in(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    auto decoded = decode_worker_record(std::as_bytes(std::span(text)));
    ASSERT_TRUE(decoded.ok());
    change(*decoded);
    write(path, *encode_worker_record(*decoded));
  }
  static void write(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()), std::streamsize(bytes.size()));
  }
};

TEST_F(FoundSessions, GoOnAndAreJoinedThroughTheNextAgents) {
  start_keeping();
  const Client client = begin();
  for (std::size_t n = 1; n <= 3; ++n) {
    restart();
    EXPECT_THAT(journal.wait_for("session.found", n), HasSubstr("program=agent_test"));
    expect_echo(*client.link);
    expect_joinable(client);
    EXPECT_EQ(agent->sessions(), 1u);
  }
  EXPECT_EQ(journal.count("session.start"), 1u);
}

TEST_F(FoundSessions, EndWithTheirAccountAndLeaveNothing) {
  start_keeping();
  {
    const Client client = begin();
    restart();
    EXPECT_NE(journal.wait_for("line=\"found again\""), "");  // what it prints is logged
  }
  const std::string end = journal.wait_for("session.end");
  EXPECT_THAT(end, HasSubstr("outcome=closed"));
  EXPECT_THAT(end, HasSubstr("bytes_in=1 bytes_out=2 commands=3"));
  stop();
  EXPECT_EQ(files_of_workers(), 0u);
}

TEST_F(FoundSessions, CountAgainstTheirTenantsLimit) {
  config.limits.sessions_per_tenant = 1;
  start_keeping();
  const Client client = begin();
  restart();
  const auto another = connect_unix();
  EXPECT_EQ(open(*another).error().code(), ErrorCode::kLimit);
}

TEST_F(FoundSessions, EndWhenTheirKeyHasBeenRevokedMeanwhile) {
  start_keeping();
  const Client client = begin();
  vanish();
  rewrite([](WorkerRecord& record) { record.client.key = std::string(64, 'a'); });
  NoAuthority revoking({ErrorCode::kUnauthenticated, "revoked"});
  its_authority = &revoking;
  start_keeping();
  EXPECT_THAT(journal.wait_for("session.end"), HasSubstr("revoked"));
  expect_gone(client);
  stop();
}

TEST_F(FoundSessions, EndWithADrain) {
  start_keeping();
  const Client client = begin();
  restart();
  EXPECT_NE(journal.wait_for("session.found"), "");
  stop();
  EXPECT_NE(journal.wait_for("session.end"), "");
  EXPECT_EQ(files_of_workers(), 0u);
}

TEST_F(FoundSessions, AWorkerThatDiedMeanwhileIsWrittenDown) {
  start_keeping();
  const Client client = begin();
  const pid_t pid = worker();
  vanish();
  ::kill(-pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  start_keeping();
  EXPECT_THAT(journal.wait_for("session.end"), HasSubstr("outcome=unknown"));
  expect_gone(client);
  EXPECT_EQ(files_of_workers(), 0u);
}

TEST_F(FoundSessions, OneThatDiesBeforeItHasToldItsAccountEndsUnknown) {
  start_keeping();
  const Client client = begin();
  const pid_t pid = worker();
  restart();
  EXPECT_NE(journal.wait_for("session.found"), "");
  ::kill(-pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  EXPECT_THAT(journal.wait_for("session.end"), HasSubstr("outcome=unknown"));
}

TEST_F(FoundSessions, ANumberThatIsAnotherProcessesNowIsNotTouched) {
  start_keeping();
  const Client client = begin();
  vanish();
  rewrite([](WorkerRecord& record) { ++record.process.start_ticks; });
  start_keeping();
  EXPECT_THAT(journal.wait_for("session.end"), HasSubstr("outcome=unknown"));
  expect_echo(*client.link);  // that process lives
}

TEST_F(FoundSessions, AnotherBootsAreGone) {
  start_keeping();
  const Client client = begin();
  vanish();
  rewrite([](WorkerRecord& record) { record.process.boot[0] ^= 1; });
  start_keeping();
  EXPECT_THAT(journal.wait_for("session.end"), HasSubstr("outcome=unknown"));
  expect_gone(client);
  expect_echo(*client.link);
}

TEST_F(FoundSessions, AWorkerThatHasClosedItsDoorIsKilled) {
  start_keeping("no-door");
  const Client client = begin();
  restart();
  EXPECT_THAT(journal.wait_for("session.end"), HasSubstr("cannot be reached"));
  expect_end(*client.link);
}

TEST_F(FoundSessions, AWorkerOfAnotherVersionIsKilled) {
  start_keeping();
  const Client client = begin();
  vanish();
  const auto path = record();
  std::ifstream in(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  ++text[8];  // the version, after eight bytes of magic
  write(path, std::as_bytes(std::span(text)));
  start_keeping();
  EXPECT_THAT(journal.wait_for("worker.record_refused"), HasSubstr("version"));
  expect_end(*client.link);
  EXPECT_EQ(files_of_workers(), 0u);
}

TEST_F(FoundSessions, AWorkerCanOnlySpeakForItsOwnSession) {
  // What a worker says names no session: it is its socket's. Whatever it says, its tenant, client
  // and peer stay those of the record.
  start_keeping();
  const Client first = begin();
  const Client second = begin();
  restart();
  EXPECT_NE(journal.wait_for("session.found", 2), "");
  expect_joinable(first);
  expect_joinable(second);
  auto stranger = hello();
  stranger.purpose = Purpose::kResume;
  stranger.session = first.welcome.session;
  const auto link = connect_tcp();
  EXPECT_EQ(open(*link, stranger).error().code(), ErrorCode::kPermissionDenied);
}

TEST_F(FoundSessions, WithoutARegistryTheyEndWithTheirAgent) {
  start();
  const Client client = begin();
  vanish();
  expect_end(*client.link);
}

}  // namespace
}  // namespace longwire::node
