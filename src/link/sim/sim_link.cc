#include "link/sim/sim_link.h"

#include <algorithm>
#include <array>
#include <deque>
#include <vector>

namespace longwire::link {
namespace {

using base::Deadline;
using base::Error;
using base::ErrorCode;
using base::Nanoseconds;

// One direction: bytes under way (each write arrives at its time) and bytes that have arrived.
struct Direction {
  std::deque<std::byte> arrived;
  std::size_t under_way_bytes = 0;
  Nanoseconds last_arrival = 0;
  std::size_t held() const { return arrived.size() + under_way_bytes; }
};

// What the ends share. It outlives them while bytes are under way.
struct Wire {
  Wire(SimNetwork& network_, const SimProfile& profile_) : network(network_), profile(profile_) {}
  SimNetwork& network;
  const SimProfile profile;
  std::array<Direction, 2> to;  // to[i]: what end i reads
  std::array<bool, 2> closed{};
  std::array<bool, 2> woken{};
  bool cut = false;

  std::size_t step(std::size_t wanted) const {
    if (profile.max_step_bytes == 0 || wanted == 0) return wanted;
    return std::min<std::size_t>(wanted, 1 + network.random().below(profile.max_step_bytes));
  }
  Nanoseconds arrival_of(std::size_t bytes, const Direction& direction) const {
    base::Random& random = network.random();
    Nanoseconds when = network.now_ns() + profile.latency_ns;
    if (profile.jitter_ns > 0) {
      when += static_cast<Nanoseconds>(random.below(static_cast<std::uint64_t>(profile.jitter_ns)));
    }
    if (profile.stall_one_in > 0 && random.one_in(profile.stall_one_in)) when += profile.stall_ns;
    when = std::max(when, direction.last_arrival);
    if (profile.bytes_per_second > 0) {
      when +=
          static_cast<Nanoseconds>(bytes * std::uint64_t{base::kSecond} / profile.bytes_per_second);
    }
    return when;
  }
  // Nothing more arrives. What has arrived is lost, too, as after a reset, or can still be read.
  void cut_now() {
    cut = true;
    if (!network.random().one_in(2)) return;
    for (Direction& direction : to)
      direction.arrived.clear();
  }
};

class SimLink final : public Link {
 public:
  SimLink(std::shared_ptr<Wire> wire, std::size_t end) : wire_(std::move(wire)), end_(end) {}
  ~SimLink() override { SimLink::close(); }

  base::Result<std::size_t> read_some(std::span<std::byte> out) override {
    if (wire_->closed[end_]) return Error(ErrorCode::kClosed, "link closed");
    auto& arrived = wire_->to[end_].arrived;
    const std::size_t n = wire_->step(std::min(out.size(), arrived.size()));
    const auto last = arrived.begin() + static_cast<std::ptrdiff_t>(n);
    std::copy(arrived.begin(), last, out.begin());
    arrived.erase(arrived.begin(), last);
    if (n > 0 || out.empty()) return n;
    if (wire_->cut) return Error(ErrorCode::kLinkLost, "the simulated link was cut");
    if (wire_->closed[1 - end_] && wire_->to[end_].under_way_bytes == 0) {
      return Error(ErrorCode::kClosed, "the peer closed the connection");
    }
    return 0;
  }

  base::Result<std::size_t> write_some(std::span<const ConstBuffer> parts) override {
    if (wire_->closed[end_]) return Error(ErrorCode::kClosed, "link closed");
    if (wire_->cut || wire_->closed[1 - end_]) {
      return Error(ErrorCode::kLinkLost, "the simulated link was cut");
    }
    std::vector<std::byte> data;
    std::size_t room = wire_->step(free_bytes());
    for (const ConstBuffer part : parts) {
      const auto taken = part.first(std::min(part.size(), room));
      data.insert(data.end(), taken.begin(), taken.end());
      room -= taken.size();
    }
    const std::size_t taken = data.size();
    if (taken > 0) deliver_later(std::move(data));
    return taken;
  }

  base::Result<Readiness> wait(Interest interest, Deadline deadline) override {
    Readiness found;
    const auto look = [&] {
      const bool over = wire_->cut || wire_->closed[0] || wire_->closed[1];
      found.readable = interest.readable && (over || !wire_->to[end_].arrived.empty());
      found.writable = interest.writable && (over || free_bytes() > 0);
      found.woken = wire_->woken[end_] || wire_->closed[end_];
      return !found.timed_out();
    };
    if (!wire_->network.block_until(look, deadline) && wire_->network.given_up()) {
      return Error(ErrorCode::kInternal, "the simulation was given up");
    }
    if (found.woken) wire_->woken[end_] = false;
    return found;
  }

  void wake() noexcept override { wire_->woken[end_] = true; }
  void close() noexcept override { wire_->closed[end_] = true; }

  bool closed_by_peer() const noexcept override {
    return wire_->closed[1 - end_] && !wire_->closed[end_];
  }

  LinkInfo info() const override {
    return {.kind = "sim", .peer_address = "simulated", .encrypted = false};
  }

 private:
  std::size_t free_bytes() const {
    const std::size_t held = wire_->to[1 - end_].held();
    return wire_->profile.buffer_bytes - std::min(held, wire_->profile.buffer_bytes);
  }

  void deliver_later(std::vector<std::byte> data) {
    Direction& direction = wire_->to[1 - end_];
    direction.under_way_bytes += data.size();
    direction.last_arrival = wire_->arrival_of(data.size(), direction);
    wire_->network.at(direction.last_arrival, [wire = wire_, &direction, data = std::move(data)] {
      direction.under_way_bytes -= data.size();
      if (!wire->cut) {
        direction.arrived.insert(direction.arrived.end(), data.begin(), data.end());
      }
    });
  }

  const std::shared_ptr<Wire> wire_;  // shared by both ends and the bytes under way
  const std::size_t end_;
};

}  // namespace

std::pair<std::unique_ptr<Link>, std::unique_ptr<Link>> make_sim_links(SimNetwork& network,
                                                                       const SimProfile& profile) {
  auto wire = std::make_shared<Wire>(network, profile);
  if (profile.cut_after_max_ns > 0) {
    const auto after = network.random().below(static_cast<std::uint64_t>(profile.cut_after_max_ns));
    network.at(network.now_ns() + static_cast<Nanoseconds>(after), [wire] { wire->cut_now(); });
  }
  return {std::make_unique<SimLink>(wire, 0), std::make_unique<SimLink>(wire, 1)};
}

}  // namespace longwire::link
