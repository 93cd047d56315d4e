#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "app/longwire/doctor_driver.h"
#include "app/longwire/doctor_machine.h"
#include "app/longwire/doctor_node.h"
#include "app/longwire/doctor_path.h"
#include "app/longwire/loader_view.h"
#include "session/handshake.h"

namespace longwire::app {
namespace {

namespace fs = std::filesystem;
using base::kMillisecond;
using base::kSecond;
using base::Nanoseconds;
using client::core::NodeAddress;

constexpr Nanoseconds kPatience = 20 * kSecond;

base::Deadline soon() { return base::Deadline::in(base::monotonic_clock(), kPatience); }

const Finding* find(const Findings& findings, std::string_view check) {
  for (const Finding& finding : findings) {
    if (finding.check == check) return &finding;
  }
  return nullptr;
}

// --- nodes ---

// Somebody at a port of loopback, who takes one connection after the other.
class Peer {
 public:
  using Talk = std::function<void(link::Link&)>;
  explicit Peer(Talk talk)
      : listener_(link::TcpListener::listen({"127.0.0.1", 0}).value()),
        thread_([this, talk = std::move(talk)] {
          for (int i = 0; i < 2; ++i) {  // "connect", then "session"
            auto socket = listener_.accept(soon());
            if (!socket) return;
            auto link = link::make_tcp_link(std::move(socket).value()).value();
            if (i == 1) talk(*link);
          }
        }) {}
  ~Peer() { thread_.join(); }

  NodeAddress address() const {
    return {NodeAddress::Transport::kTcp, "127.0.0.1:" + std::to_string(listener_.port())};
  }

 private:
  link::TcpListener listener_;
  std::thread thread_;
};

session::Hello take_hello(link::Link& link) {
  std::array<std::byte, session::kPreambleBytes> preamble{};
  EXPECT_TRUE(session::receive_all(link, preamble, soon()));
  return session::receive_hello(link, soon()).value();
}

// Until the other side has gone.
void await_end(link::Link& link) {
  std::array<std::byte, 256> bytes{};
  for (;;) {
    const auto got = link.read_some(bytes);
    if (!got) return;
    if (*got == 0 && !link.wait({.readable = true}, soon())) return;
  }
}

Findings examine(const NodeAddress& address, NodeVisit visit = {}) {
  Reached reached;
  return check_node(address, visit, reached);
}

TEST(DoctorNode, WhoNeverAnswersIsNamed) {
  const Peer peer([](link::Link& link) { await_end(link); });
  NodeVisit visit;
  visit.session_timeout_ns = 100 * kMillisecond;
  const Findings findings = examine(peer.address(), visit);
  ASSERT_NE(find(findings, "session"), nullptr);
  EXPECT_EQ(find(findings, "session")->outcome, Outcome::kProblem);
  EXPECT_NE(find(findings, "session")->seen.find("does not answer"), std::string::npos);
}

// Who takes nobody and has one in the queue: the kernel drops what else comes, as a firewall does.
class FullQueue {
 public:
  FullQueue() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof place;
    auto* address = reinterpret_cast<sockaddr*>(&place);
    EXPECT_EQ(::bind(socket_.get(), address, size), 0);
    EXPECT_EQ(::listen(socket_.get(), 0), 0);
    EXPECT_EQ(::getsockname(socket_.get(), address, &size), 0);
    port_ = ntohs(place.sin_port);
    first_ = link::connect_tcp({"127.0.0.1", port_}, soon()).value();
  }
  NodeAddress address() const {
    return {NodeAddress::Transport::kTcp, "127.0.0.1:" + std::to_string(port_)};
  }

 private:
  base::UniqueFd socket_;
  base::UniqueFd first_;
  std::uint16_t port_ = 0;
};

TEST(DoctorNode, PacketsThatAreDroppedAreAFirewalls) {
  const FullQueue silent;
  NodeVisit visit;
  visit.connect_timeout_ns = 100 * kMillisecond;
  const Findings findings = examine(silent.address(), visit);
  ASSERT_NE(find(findings, "connect"), nullptr);
  EXPECT_EQ(find(findings, "connect")->outcome, Outcome::kProblem);
  EXPECT_NE(find(findings, "connect")->mend.find("firewall"), std::string::npos);
}

TEST(DoctorNode, AnotherVersionNamesBothRanges) {
  const Peer peer([](link::Link& link) {
    session::Hello other = take_hello(link);
    other.version_min = other.version_max = session::kProtocolVersionMax + 3;
    const auto why = session::choose_version(other).error();
    EXPECT_TRUE(session::send_all(
        link, session::encode(session::Refusal{why.code(), why.message()}), soon()));
    await_end(link);
  });
  const Findings findings = examine(peer.address());
  ASSERT_NE(find(findings, "session"), nullptr);
  EXPECT_EQ(find(findings, "session")->outcome, Outcome::kProblem);
  EXPECT_NE(find(findings, "session")->seen.find("1 to 1"), std::string::npos);
  EXPECT_NE(find(findings, "session")->seen.find("4 to 4"), std::string::npos);
}

TEST(DoctorNode, ANodeWhoseClockIsWrongAndWhichIsNewer) {
  const Peer peer([](link::Link& link) {
    take_hello(link);
    session::Welcome welcome;
    welcome.max_payload_bytes = 1 << 20;
    welcome.software = "longwire 99.0.0";
    welcome.time_ms =
        static_cast<std::uint64_t>((base::wall_clock().now_ns() + 3600 * kSecond) / kMillisecond);
    EXPECT_TRUE(session::send_all(link, session::encode(welcome), soon()));
    await_end(link);
  });
  const Findings findings = examine(peer.address());
  ASSERT_NE(find(findings, "clock"), nullptr);
  EXPECT_EQ(find(findings, "clock")->outcome, Outcome::kWarning);
  EXPECT_NE(find(findings, "clock")->seen.find("ahead"), std::string::npos);
  EXPECT_EQ(find(findings, "version")->outcome, Outcome::kWarning);
}

class SlowClock final : public base::Clock {
 public:
  Nanoseconds now_ns() const noexcept override { return now; }
  mutable Nanoseconds now = base::monotonic_clock().now_ns();
};

TEST(DoctorNode, ASlowNameIsAWarning) {
  const SlowClock clock;
  NodeVisit visit{.home = "", .clock = clock};
  visit.resolve = [&](const std::string&) {
    clock.now += kSlowNameNs;
    return std::vector<std::string>{"127.0.0.1"};
  };
  const Findings findings = examine({NodeAddress::Transport::kTcp, "gpu-box:1"}, visit);
  EXPECT_EQ(find(findings, "name")->outcome, Outcome::kWarning);
  EXPECT_EQ(find(findings, "connect")->outcome, Outcome::kProblem);  // nobody is at port 1
  EXPECT_EQ(find(findings, "session"), nullptr);
}

TEST(DoctorNode, AnAddressThatDoesNotAnswerBeforeOneThatDoes) {
  const Peer peer([](link::Link& link) { await_end(link); });
  NodeVisit visit;
  visit.session_timeout_ns = 100 * kMillisecond;
  visit.resolve = [](const std::string&) {
    return std::vector<std::string>{"127.0.0.2", "127.0.0.1"};  // the peer is at the second alone
  };
  EXPECT_EQ(find(examine(peer.address(), visit), "connect")->outcome, Outcome::kWarning);
}

TEST(DoctorNode, ClocksAreJudgedByWhatIsCertain) {
  const Nanoseconds noon = 1'763'000'000 * kSecond;
  const auto at = [&](Nanoseconds off) {
    return judge_clock(static_cast<std::uint64_t>((noon + off) / kMillisecond), noon,
                       noon + 5 * kSecond)
        .outcome;
  };
  EXPECT_EQ(at(0), Outcome::kOk);
  EXPECT_EQ(at(-30 * kSecond), Outcome::kOk);
  EXPECT_EQ(at(35 * kSecond), Outcome::kOk);  // the answer may have been on its way that long
  EXPECT_EQ(at(-31 * kSecond), Outcome::kWarning);
  EXPECT_EQ(at(36 * kSecond), Outcome::kWarning);
  EXPECT_EQ(judge_clock(0, noon, noon).outcome, Outcome::kSkipped);
  EXPECT_EQ(judge_clock(UINT64_MAX, noon, noon).outcome, Outcome::kWarning);
}

TEST(DoctorPath, ARadioThatDozesNeedsARiseAndAFactor) {
  EXPECT_EQ(judge_power_saving(kMillisecond, 5 * kMillisecond).outcome, Outcome::kOk);
  EXPECT_EQ(judge_power_saving(kMillisecond, 7 * kMillisecond).outcome, Outcome::kWarning);
  EXPECT_EQ(judge_power_saving(20 * kMillisecond, 40 * kMillisecond).outcome, Outcome::kOk);
}

TEST(DoctorPath, CubicOverALongLink) {
  EXPECT_EQ(judge_congestion(10 * kMillisecond, "cubic").outcome, Outcome::kWarning);
  EXPECT_EQ(judge_congestion(10 * kMillisecond, "bbr").outcome, Outcome::kOk);
  EXPECT_EQ(judge_congestion(9 * kMillisecond, "cubic").outcome, Outcome::kOk);
}

// --- the driver, and this machine ---

class DoctorFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/lw-doctor-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    places_.variable = [](const char*) { return std::nullopt; };
    places_.icd_folder = folder_;
    places_.own_driver = folder_ / "liblongwire_opencl.so";
    fs::copy_file("/proc/self/exe", places_.own_driver);  // an ELF file of this machine
  }
  void TearDown() override { fs::remove_all(folder_); }
  void write(const char* name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  Finding icd_with(const std::string& library) const {
    write("longwire.icd", library + "\n");
    return check_icd(places_);
  }

  fs::path folder_;
  DriverPlaces places_;
};

TEST_F(DoctorFiles, TheIcdFileIsThereAndRight) {
  EXPECT_EQ(check_icd(places_).outcome, Outcome::kProblem);  // no file
  EXPECT_EQ(icd_with(places_.own_driver.string()).outcome, Outcome::kOk);
}

TEST_F(DoctorFiles, TheIcdFileNamesWhatDoesNotServe) {
  EXPECT_NE(icd_with("/nowhere/liblongwire_opencl.so").seen.find("not there"), std::string::npos);
  write("longwire-text.so", "no library");
  EXPECT_NE(icd_with(folder_ / "longwire-text.so").seen.find("no library"), std::string::npos);
  std::fstream foreign(places_.own_driver, std::ios::in | std::ios::out | std::ios::binary);
  foreign.seekp(18);  // e_machine
  foreign.write("\x16\x00", 2);
  foreign.close();
  EXPECT_NE(icd_with(places_.own_driver.string()).seen.find("another kind"), std::string::npos);
}

TEST_F(DoctorFiles, AnotherInstallationsDriver) {
  fs::copy_file("/proc/self/exe", folder_ / "other-longwire.so");
  EXPECT_EQ(icd_with(folder_ / "other-longwire.so").outcome, Outcome::kWarning);
  write("second.icd", places_.own_driver.string());
  EXPECT_NE(check_icd(places_).seen.find("two drivers"), std::string::npos);
}

TEST_F(DoctorFiles, ALibraryThatDoesNotLoadHere) {
  write("liblongwire_opencl.so", "built for something else");
  const Finding found = check_library(places_);
  EXPECT_EQ(found.outcome, Outcome::kProblem);
  EXPECT_NE(found.seen.find("liblongwire_opencl.so"), std::string::npos);
}

TEST_F(DoctorFiles, NoLoader) {
  places_.loader = "libNoSuchOpenCL.so.1";
  EXPECT_EQ(check_loader(places_).outcome, Outcome::kProblem);
  EXPECT_NE(check_loader(places_).mend.find("ocl-icd-libopencl1"), std::string::npos);
  EXPECT_EQ(vendor_platforms(places_.loader).error().code(), base::ErrorCode::kNotFound);
}

TEST_F(DoctorFiles, DeviceFilesThatThisUserMayNotUse) {
  fs::create_directory(folder_ / "dri");
  EXPECT_EQ(check_device_files(folder_).outcome, Outcome::kSkipped);
  write("dri/renderD128", "");
  EXPECT_EQ(check_device_files(folder_).outcome, Outcome::kOk);
  if (::geteuid() == 0) GTEST_SKIP() << "root may use every file";
  ::chmod((folder_ / "dri/renderD128").c_str(), 0);
  EXPECT_EQ(check_device_files(folder_).outcome, Outcome::kProblem);
}

TEST_F(DoctorFiles, MoreOpenFilesThanTheLimitGrants) {
  EXPECT_EQ(check_open_files(1).outcome, Outcome::kOk);
  EXPECT_EQ(check_open_files(UINT64_MAX - 1).outcome, Outcome::kWarning);
}

// The child has loaded whatever drivers there are, and they may have put in anything.
TEST(LoaderView, NonsenseOfTheChildIsNoCrash) {
  for (const char* text : {"", "null", "[]", "{\"platforms\":[", R"({"error":1})"})
    EXPECT_FALSE(parse_loader_view(text).ok()) << text;
  for (const char* text :
       {"{}", R"({"platforms":1,"drivers":{"a":1}})", R"({"platforms":[1,[]],"drivers":[1,null]})",
        R"({"platforms":[{"name":1,"devices":"x"}]})"}) {
    const auto view = parse_loader_view(text);
    ASSERT_TRUE(view.ok()) << text;
    EXPECT_TRUE(view->drivers.empty());
    for (const PlatformFacts& platform : view->platforms)
      EXPECT_EQ(platform.name, "");
  }
}

TEST(DoctorReport, TextCountsAndJsonEscapes) {
  const std::vector<Section> good = {{"here", {fine("a", "well"), skipped("b", "nothing")}}};
  EXPECT_FALSE(has_problem(good));
  EXPECT_NE(doctor_text(good).find("Nothing is wrong."), std::string::npos);
  const std::vector<Section> bad = {
      {"here", {problem("a", "bad", "do this"), warning("long-name", "slow \xff", "do that")}}};
  EXPECT_TRUE(has_problem(bad));
  EXPECT_NE(doctor_text(bad).find("  problem  a          bad\n                      do this\n"),
            std::string::npos)
      << doctor_text(bad);
  EXPECT_NE(doctor_text(bad).find("1 problem, 1 warning."), std::string::npos);
  EXPECT_NE(doctor_json(bad).find("\"problems\": 1"), std::string::npos);
}

}  // namespace
}  // namespace longwire::app
