#include "link/sim/faulty_link.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "base/random.h"

namespace longwire::link {
namespace {

using base::Error;
using base::ErrorCode;
using base::Nanoseconds;

// A clock that jumps (an end of the link may be given such a one) is looked at so often.
constexpr Nanoseconds kLookAtClockNs = 100 * base::kMillisecond;

// Bytes towards one end, in pieces that arrive at their time.
struct Pipe {
  struct Piece {
    std::vector<std::byte> bytes;
    std::size_t taken = 0;
    Nanoseconds arrives_ns = 0;
  };
  explicit Pipe(std::uint64_t seed) : random(seed) {}
  base::SeededRandom random;  // of the steps of this direction
  std::deque<Piece> pieces;
  std::size_t held_bytes = 0;
  std::uint64_t written_bytes = 0;  // ever
  bool black_hole = false;          // what is written is taken and never arrives
};

enum class Fate : std::uint8_t { kAlive, kLost, kClosedByPeer };

// What both ends share. Guarded by the mutex.
struct Wire {
  Wire(const base::Clock& clock_, LinkFaults faults_)
      : clock(clock_),
        faults(std::move(faults_)),
        towards{Pipe(2 * faults.seed), Pipe(2 * faults.seed + 1)} {}

  std::size_t step(Pipe& pipe, std::size_t wanted) const {
    if (faults.max_step_bytes == 0 || wanted == 0) return wanted;
    return std::min<std::size_t>(wanted, 1 + pipe.random.below(faults.max_step_bytes));
  }
  std::size_t room(const Pipe& pipe) const {
    return faults.pipe_bytes - std::min(pipe.held_bytes, faults.pipe_bytes);
  }
  // How much may be written at once: not across a point at which something happens.
  std::size_t until_next_point(std::size_t end, std::size_t wanted) const {
    std::uint64_t most = wanted;
    const std::uint64_t now = towards[end].written_bytes;
    const auto look = [&](const LinkFaults::Point& point) {
      if (point.towards == end && point.at_bytes > now) most = std::min(most, point.at_bytes - now);
    };
    for (const auto& stall : faults.stalls)
      look(stall.where);
    for (const auto& trap : faults.traps)
      look(trap.where);
    if (faults.cut != Cut::kNone) look(faults.cut_at);
    return static_cast<std::size_t>(most);
  }
  bool reached(const LinkFaults::Point& point, std::size_t end) const {
    return point.towards == end && towards[end].written_bytes >= point.at_bytes;
  }
  void cut_now();
  void tell_all() {
    for (std::condition_variable& one : changed)
      one.notify_all();
  }
  Nanoseconds next_arrival(std::size_t end) const {
    return towards[end].pieces.empty() ? 0 : towards[end].pieces.front().arrives_ns;
  }
  bool arrived(std::size_t end) const {
    return !towards[end].pieces.empty() && next_arrival(end) <= clock.now_ns();
  }

  const base::Clock& clock;
  LinkFaults faults;  // what has happened is taken out
  std::mutex mutex;
  std::array<std::condition_variable, 2> changed;  // for who waits at that end
  std::array<Pipe, 2> towards;
  std::array<bool, 2> closed{};
  std::array<bool, 2> woken{};
  std::array<Fate, 2> fate{Fate::kAlive, Fate::kAlive};
  bool cut = false;
};

void Wire::cut_now() {
  cut = true;
  const Cut how = std::exchange(faults.cut, Cut::kNone);
  for (std::size_t end = 0; end < 2; ++end) {
    towards[end].black_hole = true;
    const bool told = how == Cut::kReset || how == Cut::kClosed ||
                      (how == Cut::kToldFirst && end == 0) || (how == Cut::kToldSecond && end == 1);
    if (told) fate[end] = how == Cut::kClosed ? Fate::kClosedByPeer : Fate::kLost;
    if (how == Cut::kClosed) continue;
    towards[end].pieces.clear();
    towards[end].held_bytes = 0;
  }
}

class FaultyLink final : public Link {
 public:
  FaultyLink(std::shared_ptr<Wire> wire, std::size_t end) : wire_(std::move(wire)), end_(end) {}
  ~FaultyLink() override { FaultyLink::close(); }

  base::Result<std::size_t> read_some(std::span<std::byte> out) override {
    const std::lock_guard lock(wire_->mutex);
    if (wire_->closed[end_]) return Error(ErrorCode::kClosed, "link closed");
    const std::size_t n = take(out.first(wire_->step(mine(), out.size())));
    counters_->count(counters_->reads);
    counters_->count(counters_->bytes_in, n);
    if (n > 0) wire_->changed[1 - end_].notify_all();  // there is room
    if (n > 0 || out.empty()) return n;
    if (wire_->fate[end_] == Fate::kLost) return Error(ErrorCode::kLinkLost, "reset, says the sim");
    if (closed_by_other() && mine().pieces.empty()) {
      return Error(ErrorCode::kClosed, "the peer closed the connection");
    }
    return 0;
  }

  base::Result<std::size_t> write_some(std::span<const ConstBuffer> parts) override {
    std::vector<std::function<void()>> actions;
    std::size_t written = 0;
    {
      const std::lock_guard lock(wire_->mutex);
      if (wire_->closed[end_]) return Error(ErrorCode::kClosed, "link closed");
      if (wire_->fate[end_] != Fate::kAlive || closed_by_other()) {
        return Error(ErrorCode::kLinkLost, "cut, says the sim");
      }
      written = put(parts);
      if (written > 0) actions = happenings();
      if (written > 0) wire_->changed[1 - end_].notify_all();
    }
    counters_->count(counters_->writes);
    counters_->count(counters_->bytes_out, written);
    for (const auto& action : actions)
      action();
    return written;
  }

  base::Result<Readiness> wait(Interest interest, base::Deadline deadline) override {
    std::unique_lock lock(wire_->mutex);
    Readiness found;
    for (;;) {
      const bool over = wire_->fate[end_] != Fate::kAlive || closed_by_other();
      found.readable = interest.readable && (over || wire_->arrived(end_));
      found.writable = interest.writable && (over || wire_->room(theirs()) > 0);
      found.woken = std::exchange(wire_->woken[end_], false) || wire_->closed[end_];
      if (!found.timed_out()) return found;
      const Nanoseconds now_ns = wire_->clock.now_ns();
      if (now_ns >= deadline.at_ns) return found;
      Nanoseconds until_ns = deadline.at_ns;
      if (interest.readable && !mine().pieces.empty()) {
        until_ns = std::min(until_ns, wire_->next_arrival(end_));
      }
      sleep(lock, until_ns, now_ns);
    }
  }

  void wake() noexcept override {
    const std::lock_guard lock(wire_->mutex);
    wire_->woken[end_] = true;
    wire_->changed[end_].notify_all();
  }
  void close() noexcept override {
    const std::lock_guard lock(wire_->mutex);
    wire_->closed[end_] = true;
    wire_->tell_all();
  }
  bool closed_by_peer() const noexcept override {
    const std::lock_guard lock(wire_->mutex);
    return closed_by_other() && !wire_->closed[end_];
  }
  LinkInfo info() const override {
    return {.kind = "sim", .peer_address = "simulated", .encrypted = false};
  }
  std::shared_ptr<const LinkCounters> counters() const override { return counters_; }

 private:
  Pipe& mine() const { return wire_->towards[end_]; }
  Pipe& theirs() const { return wire_->towards[1 - end_]; }
  bool closed_by_other() const {
    return wire_->fate[end_] == Fate::kClosedByPeer || (wire_->closed[1 - end_] && !wire_->cut);
  }

  void sleep(std::unique_lock<std::mutex>& lock, Nanoseconds until_ns, Nanoseconds now_ns) {
    if (base::Deadline{until_ns}.is_never()) return wire_->changed[end_].wait(lock);
    const Nanoseconds nap_ns = std::min(until_ns - now_ns, kLookAtClockNs);
    wire_->changed[end_].wait_for(lock, std::chrono::nanoseconds(nap_ns));
  }

  std::size_t take(std::span<std::byte> out) {
    std::size_t done = 0;
    while (done < out.size() && wire_->arrived(end_)) {
      Pipe::Piece& piece = mine().pieces.front();
      const std::size_t n = std::min(out.size() - done, piece.bytes.size() - piece.taken);
      const auto from = piece.bytes.begin() + static_cast<std::ptrdiff_t>(piece.taken);
      std::copy(from, from + static_cast<std::ptrdiff_t>(n), out.data() + done);
      done += n;
      piece.taken += n;
      if (piece.taken == piece.bytes.size()) mine().pieces.pop_front();
    }
    mine().held_bytes -= done;
    return done;
  }

  std::size_t put(std::span<const ConstBuffer> parts) {
    Pipe& pipe = theirs();
    std::size_t room = wire_->until_next_point(1 - end_, wire_->step(pipe, wire_->room(pipe)));
    Pipe::Piece piece;
    for (const ConstBuffer part : parts) {
      const auto taken = part.first(std::min(part.size(), room));
      piece.bytes.insert(piece.bytes.end(), taken.begin(), taken.end());
      room -= taken.size();
    }
    const std::size_t written = piece.bytes.size();
    if (written == 0) return 0;
    pipe.written_bytes += written;
    pipe.held_bytes += written;
    piece.arrives_ns = wire_->clock.now_ns() + wire_->faults.latency_ns + stall_ns();
    if (!pipe.pieces.empty()) {
      piece.arrives_ns = std::max(piece.arrives_ns, pipe.pieces.back().arrives_ns);
    }
    if (!pipe.black_hole) pipe.pieces.push_back(std::move(piece));
    return written;
  }

  Nanoseconds stall_ns() {
    Nanoseconds sum_ns = 0;
    std::erase_if(wire_->faults.stalls, [&](const LinkFaults::Stall& stall) {
      if (!wire_->reached(stall.where, 1 - end_)) return false;
      sum_ns += stall.for_ns;
      return true;
    });
    return sum_ns;
  }

  std::vector<std::function<void()>> happenings() {
    std::vector<std::function<void()>> actions;
    std::erase_if(wire_->faults.traps, [&](LinkFaults::Trap& trap) {
      if (!wire_->reached(trap.where, 1 - end_)) return false;
      actions.push_back(std::move(trap.action));
      return true;
    });
    if (wire_->faults.cut != Cut::kNone && wire_->reached(wire_->faults.cut_at, 1 - end_)) {
      wire_->cut_now();
      wire_->tell_all();
    }
    return actions;
  }

  const std::shared_ptr<Wire> wire_;               // shared by both ends
  const std::shared_ptr<LinkCounters> counters_ =  // shared with whoever reads them
      std::make_shared<LinkCounters>();
  const std::size_t end_;
};

}  // namespace

std::pair<std::unique_ptr<Link>, std::unique_ptr<Link>> make_faulty_pair(const base::Clock& clock,
                                                                         LinkFaults faults) {
  auto wire = std::make_shared<Wire>(clock, std::move(faults));
  return {std::make_unique<FaultyLink>(wire, 0), std::make_unique<FaultyLink>(wire, 1)};
}

}  // namespace longwire::link
