// The agent's front door against clients of every kind, with workers that behave as told.
#include <future>

#include "agent_fixture.h"

namespace longwire::node {
namespace {

using testing::HasSubstr;

TEST_F(AgentTest, ASessionReachesItsWorkerOverUnixAndTcp) {
  start();
  for (const bool unix_socket : {true, false}) {
    const auto link = unix_socket ? connect_unix() : connect_tcp();
    auto welcome = open(*link);
    ASSERT_TRUE(welcome.ok()) << welcome.error().message();
    EXPECT_EQ(welcome->node, "test");
    EXPECT_EQ(welcome->features, session::kFeatureOpenCl | session::kFeatureLanes |
                                     session::kFeatureResume | session::kFeatureIntroduction |
                                     session::kFeatureAgentAway);
    EXPECT_EQ(welcome->secret, session::SessionSecret{});  // nothing secret goes out in clear
    expect_echo(*link);
  }
  EXPECT_THAT(journal.wait_for("session.end"), HasSubstr("bytes_in=1 bytes_out=2 commands=3"));
  EXPECT_NE(journal.wait_for("session.start", 2), "");
}

TEST_F(AgentTest, LanesFindTheirSessionByItsId) {
  start();
  const auto main = connect_unix();
  auto welcome = open(*main);
  ASSERT_TRUE(welcome.ok());
  const auto lane = connect_unix();
  ASSERT_TRUE(
      session::send_all(*lane, session::encode(session::Preamble{Purpose::kLane, welcome->session}),
                        soon())
          .ok());
  expect_echo(*lane);  // the fake worker skips the lane's Hello
}

TEST_F(AgentTest, WhoComesBackToASessionThatIsNoMoreIsToldSo) {
  start();
  for (const Purpose purpose : {Purpose::kLane, Purpose::kResume}) {
    auto back = hello();
    back.purpose = purpose;
    back.session[3] = 1;
    for (const bool unix_socket : {true, false}) {
      const auto link = unix_socket ? connect_unix() : connect_tcp();
      const auto refused = open(*link, back);
      ASSERT_FALSE(refused.ok());
      EXPECT_EQ(refused.error().code(), ErrorCode::kNotFound);
    }
  }
  EXPECT_THAT(journal.wait_for("connection.refused"), HasSubstr("no such session"));
}

TEST_F(AgentTest, WithTlsThatIsAnAlertForAnUnknownKey) {
  config.listen.plain.clear();
  config.listen.tls = {{"127.0.0.1", 0}};
  start();
  session::Welcome gone;
  gone.session[3] = 1;
  auto tcp = connect_tcp();
  ASSERT_TRUE(session::send_all(
                  *tcp, session::encode(session::Preamble{Purpose::kResume, gone.session}), soon())
                  .ok());
  auto context = link::TlsContext::with_pre_shared_key(link::TlsRole::kClient,
                                                       session::to_hex(gone.session), gone.secret);
  ASSERT_TRUE(context.ok());
  const auto worker = link::TlsLink::handshake(std::move(tcp), *std::move(context), soon());
  ASSERT_FALSE(worker.ok());
  EXPECT_EQ(worker.error().code(), ErrorCode::kNotFound);
}

TEST_F(AgentTest, ASessionIsJoinedFromWhereItCameFromOnly) {
  start();
  const auto main = connect_unix();
  const auto welcome = open(*main);
  ASSERT_TRUE(welcome.ok());
  auto back = hello();
  back.purpose = Purpose::kResume;
  back.session = welcome->session;
  const auto stranger = connect_tcp();
  EXPECT_EQ(open(*stranger, back).error().code(), ErrorCode::kPermissionDenied);
}

TEST_F(AgentTest, WhatMustBeOnRecordAndCannotIsRefused) {
  config.audit.required = true;
  const auto path = audit_file(folder);
  auto opened = Audit::open(path, config.audit, journal);
  ASSERT_TRUE(opened.ok());
  required_audit = *std::move(opened);
  start();
  {
    const auto link = connect_unix();
    ASSERT_TRUE(open(*link).ok());
  }
  EXPECT_NE(journal.wait_for("session.end"), "");
  std::promise<void> written;  // the audit log comes after the journal
  asio::post(io, [&] { written.set_value(); });
  written.get_future().wait();
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  const auto link = connect_unix();
  const auto refused = open(*link);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("audit"));
}

TEST_F(AgentTest, PlainIsOffUnlessNamed) {
  EXPECT_TRUE(NodeConfig{}.listen.plain.empty());
  config.listen.plain.clear();
  start();
  for (const Endpoint& endpoint : agent->endpoints())
    EXPECT_EQ(endpoint.transport, Transport::kUnix);
  stop();
  io.restart();
  config.listen.plain = {{"127.0.0.1", 0}};
  start();
  EXPECT_THAT(journal.wait_for("listen.plain"), HasSubstr("no encryption"));
}

TEST_F(AgentTest, GarbageIsClosedAndLogged) {
  start();
  base::SeededRandom seeded(3);
  for (int i = 0; i < 50; ++i) {
    const auto link = connect_tcp();
    std::vector<std::byte> bytes(1 + seeded.below(300));
    seeded.fill(bytes);
    [[maybe_unused]] const auto sent = session::send_all(*link, bytes, soon());
    if (bytes.size() >= session::kPreambleBytes) expect_end(*link);
  }
  EXPECT_THAT(journal.wait_for("wire fault"), HasSubstr("connection.failed"));
  const auto link = connect_tcp();
  EXPECT_TRUE(open(*link).ok());  // and the node lives on
}

TEST_F(AgentTest, AHostileHelloIsClosed) {
  config.limits.handshakes_per_address = config.limits.handshakes = 1000;
  start();
  base::SeededRandom seeded(4);
  for (int i = 0; i < 30; ++i) {
    const auto link = connect_tcp();
    auto bytes = session::encode(hello());
    seeded.fill(std::span(bytes).subspan(seeded.below(bytes.size()), 1));
    const auto preamble = session::encode(session::Preamble{});
    bytes.insert(bytes.begin(), preamble.begin(), preamble.end());
    [[maybe_unused]] const auto sent = session::send_all(*link, bytes, soon());
  }
  const auto link = connect_tcp();
  EXPECT_TRUE(open(*link).ok());
}

TEST_F(AgentTest, AnAnnouncedMonsterHelloIsRefusedAtItsHeader) {
  start();
  const auto link = connect_tcp();
  std::vector<std::byte> bytes(session::kPreambleBytes + 8, std::byte{0xff});
  const auto preamble = session::encode(session::Preamble{});
  std::copy(preamble.begin(), preamble.end(), bytes.begin());
  ASSERT_TRUE(session::send_all(*link, bytes, soon()).ok());
  expect_end(*link);
}

TEST_F(AgentTest, BytesBehindHelloAreNotTheAgents) {
  start();
  const auto link = connect_unix();
  // A client that does not wait for its Welcome: what it sends belongs to the worker.
  std::vector<std::byte> bytes;
  const auto preamble = session::encode(session::Preamble{});
  const auto message = session::encode(hello());
  bytes.insert(bytes.end(), preamble.begin(), preamble.end());
  bytes.insert(bytes.end(), message.begin(), message.end());
  bytes.push_back(std::byte{7});
  ASSERT_TRUE(session::send_all(*link, bytes, soon()).ok());
  std::vector<std::byte> header(8);
  ASSERT_TRUE(session::receive_all(*link, header, soon()).ok());
  std::vector<std::byte> rest(*session::handshake_message_bytes(header) - 8);
  ASSERT_TRUE(session::receive_all(*link, rest, soon()).ok());
  std::byte echoed{};
  ASSERT_TRUE(session::receive_all(*link, {&echoed, 1}, soon()).ok());
  EXPECT_EQ(echoed, std::byte{8});
}

TEST_F(AgentTest, AHalfOpenClientIsClosedInTime) {
  config.limits.handshake_timeout_ms = 150;
  start();
  const auto silent = connect_tcp();
  const auto halfway = connect_tcp();
  const auto preamble = session::encode(session::Preamble{});
  ASSERT_TRUE(session::send_all(*halfway, preamble, soon()).ok());
  expect_end(*silent);
  expect_end(*halfway);
  EXPECT_THAT(journal.wait_for("connection.failed"), HasSubstr("code=timeout"));
}

TEST_F(AgentTest, TooManyHandshakesAreTurnedAwayAndPlaceIsMadeAgain) {
  config.limits.handshakes_per_address = 3;
  config.limits.handshake_timeout_ms = 300;
  start();
  std::vector<std::unique_ptr<link::Link>> idle;
  for (int i = 0; i < 3; ++i)
    idle.push_back(connect_tcp());
  const auto fourth = connect_tcp();
  expect_end(*fourth);
  EXPECT_NE(journal.wait_for("connection.turned_away"), "");
  for (const auto& link : idle)
    expect_end(*link);  // they time out
  const auto fifth = connect_tcp();
  EXPECT_TRUE(open(*fifth).ok());
}

TEST_F(AgentTest, AFloodFromOneAddressKeepsNobodyElseOut) {
  config.limits.handshakes = 4;
  start();
  std::vector<std::unique_ptr<link::Link>> silent;
  for (int i = 0; i < 4; ++i)
    silent.push_back(connect_tcp());
  const auto other = connect_unix();
  EXPECT_TRUE(open(*other).ok());
  expect_end(*silent.front());  // made room
}

TEST_F(AgentTest, VersionsThatDoNotMeetAreRefusedWithBothRanges) {
  start();
  auto old = hello();
  old.version_min = old.version_max = 99;
  const auto link = connect_tcp();
  auto welcome = open(*link, old);
  ASSERT_FALSE(welcome.ok());
  EXPECT_EQ(welcome.error().code(), ErrorCode::kUnsupported);
  EXPECT_THAT(welcome.error().message(), HasSubstr("99"));
}

TEST_F(AgentTest, AForeignTenantIsRefused) {
  start();
  auto foreign = hello();
  foreign.tenant = "someone-else";
  const auto link = connect_unix();
  EXPECT_EQ(open(*link, foreign).error().code(), ErrorCode::kPermissionDenied);
}

TEST_F(AgentTest, PairingNeedsTls) {
  start();
  const auto link = connect_tcp();
  auto pairing = hello();
  pairing.purpose = Purpose::kPairing;
  EXPECT_EQ(open(*link, pairing).error().code(), ErrorCode::kUnsupported);
}

TEST_F(AgentTest, SessionsAreCounted) {
  config.limits.sessions = 1;
  start();
  const auto first = connect_unix();
  ASSERT_TRUE(open(*first).ok());
  const auto second = connect_unix();
  EXPECT_EQ(open(*second).error().code(), ErrorCode::kLimit);
  first->close();
  ASSERT_NE(journal.wait_for("session.end"), "");
  const auto third = connect_unix();
  EXPECT_TRUE(open(*third).ok());
}

TEST_F(AgentTest, AWorkerThatDiesAtOnceIsARefusal) {
  start("die");
  const auto link = connect_unix();
  auto welcome = open(*link);
  ASSERT_FALSE(welcome.ok());
  EXPECT_EQ(welcome.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(welcome.error().message(), HasSubstr("exited with status 5"));
}

TEST_F(AgentTest, AWorkerThatNeverStartsIsARefusal) {
  config.limits.worker_start_timeout_ms = 150;
  start("silent");
  const auto link = connect_unix();
  EXPECT_THAT(open(*link).error().message(), HasSubstr("signal 9"));
}

TEST_F(AgentTest, AWorkerThatTalksNonsenseIsKilled) {
  start("nonsense");
  const auto link = connect_unix();
  EXPECT_EQ(open(*link).error().code(), ErrorCode::kUnavailable);
  EXPECT_NE(journal.wait_for("worker.nonsense"), "");
}

TEST_F(AgentTest, ACrashEndsThatSessionOnly) {
  start("crash");
  const auto first = connect_unix();
  ASSERT_TRUE(open(*first).ok());
  expect_end(*first);
  const std::string line = journal.wait_for("session.end");
  EXPECT_THAT(line, HasSubstr("outcome=crashed"));
  EXPECT_THAT(line, HasSubstr("killed by signal 6 (SIGABRT)"));
  const auto second = connect_unix();
  EXPECT_TRUE(open(*second).ok());
}

TEST_F(AgentTest, AWorkerStartsWithFourDescriptorsAndItsOutputIsLogged) {
  start("limits");
  const auto link = connect_unix();
  ASSERT_TRUE(open(*link).ok());
  EXPECT_THAT(journal.wait_for("worker.output"), HasSubstr("descriptors=1"));
}

TEST_F(AgentTest, AChattyWorkerFillsNoLog) {
  start("shout");
  const auto link = connect_unix();
  ASSERT_TRUE(open(*link).ok());
  EXPECT_NE(journal.wait_for("worker.output_dropped"), "");
  EXPECT_LE(journal.count("all work and no play"), kMaxWorkerLines);
}

TEST_F(AgentTest, AMissingWorkerProgramIsARefusal) {
  start();
  stop();
  WorkerCommand command;
  command.program = "/nonexistent/worker";
  io.restart();
  agent = std::make_unique<Agent>(io, base::monotonic_clock(), random, journal, audit(), authority,
                                  config, command);
  ASSERT_TRUE(agent->start().ok());
  thread = std::thread([this] { io.run(); });
  const auto link = connect_unix();
  EXPECT_THAT(open(*link).error().message(), HasSubstr("127"));
}

TEST_F(AgentTest, SparesServeTheNextSession) {
  config.worker.spares = 2;
  start();
  for (int i = 0; i < 4; ++i) {
    const auto link = connect_unix();
    ASSERT_TRUE(open(*link).ok());
    expect_echo(*link);
  }
}

TEST_F(AgentTest, SparesThatDieAreNotStartedForever) {
  config.worker.spares = 1;
  start("die");
  const auto link = connect_unix();
  EXPECT_FALSE(open(*link).ok());
  ASSERT_NE(journal.wait_for("worker.spare_ended"), "");
  stop();
  EXPECT_LE(journal.count("worker.spare_ended"), std::size_t(kMaxSpareFailures));
}

TEST_F(AgentTest, AClientThatLeavesDuringTheStartLeavesNoWorker) {
  config.limits.worker_start_timeout_ms = 60'000;
  config.limits.handshake_timeout_ms = 150;
  start("silent");
  const auto link = connect_unix();
  ASSERT_TRUE(session::send_all(*link, session::encode(session::Preamble{}), soon()).ok());
  ASSERT_TRUE(session::send_all(*link, session::encode(hello()), soon()).ok());
  expect_end(*link);  // the handshake's time-out
  EXPECT_THAT(journal.wait_for("session.end"), HasSubstr("signal 9"));
}

TEST_F(AgentTest, DrainingEndsTheListenersAndThenTheSessions) {
  start();
  const auto link = connect_unix();
  ASSERT_TRUE(open(*link).ok());
  stop();  // returns once the drain has ended the session
  expect_end(*link);
  EXPECT_FALSE(std::filesystem::exists(config.listen.unix_socket));
}

TEST_F(AgentTest, ASessionWhoseWorkerTakesNoNoticeOfADrainIsToldAsOneThatTheStopHasEnded) {
  config.limits.drain_ms = 10;
  start("stay");
  const auto link = connect_unix();
  ASSERT_TRUE(open(*link).ok());
  stop();
  EXPECT_THAT(journal.wait_for("session.end"),
              AllOf(HasSubstr("outcome=unavailable"), HasSubstr("went down"), HasSubstr("killed")));
}

TEST_F(AgentTest, WhileItDrainsLinksComeBackButNoSessionBegins) {
  config.limits.drain_ms = 60'000;
  start("stay");
  auto first = connect_unix();
  const auto welcome = open(*first);
  ASSERT_TRUE(welcome.ok());
  std::promise<void> begun;
  std::promise<void> drained;
  asio::post(io, [&] {
    agent->drain([&] { drained.set_value(); });
    begun.set_value();
  });
  begun.get_future().wait();
  auto back = hello();
  back.purpose = Purpose::kResume;
  back.session = welcome->session;
  const auto link = connect_unix();
  ASSERT_TRUE(session::send_all(
                  *link, session::encode(session::Preamble{back.purpose, back.session}), soon())
                  .ok());
  expect_echo(*link);  // of the worker
  const auto another = connect_unix();
  EXPECT_EQ(open(*another).error().code(), ErrorCode::kUnavailable);
  first.reset();  // as this worker's session ends
  EXPECT_EQ(drained.get_future().wait_for(std::chrono::nanoseconds(kPatience)),
            std::future_status::ready);
  asio::post(io, [this] { io.stop(); });
  thread.join();
  agent.reset();
}

TEST_F(AgentTest, ASocketThatOthersCouldReplaceIsRefused) {
  std::filesystem::permissions(folder, std::filesystem::perms::all);
  const WorkerCommand command;
  Agent exposed(io, base::monotonic_clock(), random, journal, audit(), authority, config, command);
  EXPECT_EQ(exposed.start().error().code(), ErrorCode::kPermissionDenied);
}

TEST_F(AgentTest, TwoNodesDoNotShareASocketAndStaleOnesAreReplaced) {
  start();
  asio::io_context other_io(1);
  WorkerCommand command;
  config.listen.plain.clear();
  Agent other(other_io, base::monotonic_clock(), random, journal, audit(), authority, config,
              command);
  EXPECT_THAT(other.start().error().message(), HasSubstr("another node"));
}

}  // namespace
}  // namespace longwire::node
