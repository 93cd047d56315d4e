#include "app/longwire/top.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "app/installation.h"
#include "app/longwire/exit_codes.h"
#include "app/longwire/pair.h"
#include "app/longwire/top_view.h"
#include "app/status_desk.h"
#include "link/unix/unix.h"

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

inline constexpr int kAnswerTimeoutMs = 5'000;
inline constexpr int kRefreshMs = 1'000;
inline constexpr std::size_t kMaxAnswerBytes = std::size_t{4} << 20;

inline constexpr const char* kTopHelp = R"(
Shows the sessions of the node on this machine, each second on a terminal, otherwise once. Only the
node's own user and root may ask. BUSY is the part of the last second in which the session had
something under way on a device; IN and OUT are as the node sees them; MEMORY is that of the
session's worker on the node, without what is in a graphics card.)";

Result<std::string> read_answer(int socket) {
  std::string answer;
  std::array<char, 4096> chunk{};
  while (answer.size() < kMaxAnswerBytes) {
    pollfd polled{socket, POLLIN, 0};
    const int ready = ::poll(&polled, 1, kAnswerTimeoutMs);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return Error(ErrorCode::kTimeout, "the node does not answer");
    const ssize_t got = ::read(socket, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    answer.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return answer;
}

Result<TopNode> ask(const std::filesystem::path& state) {
  const std::string path = status_socket(state).string();
  auto socket = link::connect_unix(
      path, base::Deadline::in(base::monotonic_clock(), kAnswerTimeoutMs * base::kMillisecond));
  if (!socket) {
    return Error(ErrorCode::kUnavailable,
                 "no node that this user may ask runs here (" + socket.error().message() +
                     "): `longwire serve` starts one; --state says where another's state is");
  }
  LW_ASSIGN(const std::string answer, read_answer(socket->get()));
  return parse_top(answer);
}

// Once: it takes a session. None where the node has no unix socket.
std::vector<DeviceFacts> devices_of(const TopNode& node) {
  if (node.unix_socket.empty()) return {};
  const auto driver = find_opencl_driver();
  if (!driver) return {};
  auto query = DeviceQuery::start("unix:" + node.unix_socket, driver->string());
  if (!query) return {};
  auto devices = query->finish();
  return devices ? *std::move(devices) : std::vector<DeviceFacts>{};
}

void show(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

Status top(const TopFlags& flags) {
  LW_ASSIGN(const std::filesystem::path state, state_of(flags.config, flags.state));
  LW_ASSIGN(TopNode node, ask(state));
  const std::vector<DeviceFacts> devices = devices_of(node);
  const bool live = !flags.once && !flags.json && ::isatty(STDOUT_FILENO) == 1;
  do {
    if (flags.json) {
      show(top_json(node, devices));
    } else if (live) {
      show("\033[H\033[J" + top_text(node, devices));
    } else {
      show(top_text(node, devices));
    }
    if (!live) return {};
    ::poll(nullptr, 0, kRefreshMs);
    LW_ASSIGN(node, ask(state));
  } while (true);
}

}  // namespace

void add_top_command(CLI::App& cli, TopFlags& flags) {
  CLI::App* top = cli.add_subcommand("top", "Show what the node on this machine does");
  top->footer(kTopHelp);
  top->add_flag("--once", flags.once, "Once, also on a terminal");
  top->add_flag("--json", flags.json, "Once, for programs");
  add_node_places(*top, flags.config, flags.state);
}

int top_main(const TopFlags& flags) {
  const Status status = top(flags);
  if (status) return kOk;
  std::fprintf(stderr, "longwire top: %s\n", status.error().message().c_str());
  return status.error().code() == ErrorCode::kInvalidArgument ? kUsage : kFailed;
}

}  // namespace longwire::app
