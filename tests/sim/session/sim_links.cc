#include "sim_links.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

#include "session/bulk.h"
#include "wire/frame_codec.h"
#include "wire/opcodes.h"

namespace longwire::sim {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using link::ConstBuffer;
using link::Interest;
using link::Link;
using link::Readiness;

class ForwardingLink : public Link {
 public:
  explicit ForwardingLink(std::unique_ptr<Link> link) : link_(std::move(link)) {}
  Result<std::size_t> read_some(std::span<std::byte> out) override { return link_->read_some(out); }
  Result<std::size_t> write_some(std::span<const ConstBuffer> parts) override {
    return link_->write_some(parts);
  }
  Result<Readiness> wait(Interest interest, base::Deadline deadline) override {
    return link_->wait(interest, deadline);
  }
  void wake() noexcept override { link_->wake(); }
  void close() noexcept override { link_->close(); }
  bool closed_by_peer() const noexcept override { return link_->closed_by_peer(); }
  link::LinkInfo info() const override { return link_->info(); }
  std::shared_ptr<const link::LinkCounters> counters() const override { return link_->counters(); }

 protected:
  const std::unique_ptr<Link> link_;
};

// Follows a stream of units: a header of HeaderBytes, then as many bytes as it says.
template <std::size_t HeaderBytes>
class Follower {
 public:
  // Calls on_header(header), which returns the bytes that follow it, and on_end() after them.
  template <class OnHeader, class OnEnd>
  void follow(std::span<const std::byte> bytes, OnHeader&& on_header, OnEnd&& on_end) {
    while (!bytes.empty()) {
      const bool in_header = missing_ == 0;
      const std::size_t n = std::min(bytes.size(), in_header ? HeaderBytes - there_ : missing_);
      if (in_header) {
        std::copy_n(bytes.begin(), n, header_.begin() + static_cast<std::ptrdiff_t>(there_));
        there_ += n;
        if (there_ == HeaderBytes) missing_ = on_header(std::span(std::as_const(header_)));
      } else {
        missing_ -= n;
      }
      bytes = bytes.subspan(n);
      if (there_ < HeaderBytes || missing_ > 0) continue;
      there_ = 0;
      on_end();
    }
  }
  std::size_t missing() const noexcept { return missing_; }

 private:
  std::array<std::byte, HeaderBytes> header_{};
  std::size_t there_ = 0;
  std::size_t missing_ = 0;
};

class ClosingLink final : public ForwardingLink {
 public:
  using ForwardingLink::ForwardingLink;
  Result<std::size_t> read_some(std::span<std::byte> out) override {
    if (over_) return Error(ErrorCode::kClosed, "closed, as the agent is away");
    auto read = link_->read_some(out);
    if (read.ok()) look_at(out.first(*read));
    return read;
  }
  Result<std::size_t> write_some(std::span<const ConstBuffer> parts) override {
    if (over_) return Error(ErrorCode::kLinkLost, "closed, as the agent is away");
    return link_->write_some(parts);
  }
  Result<Readiness> wait(Interest interest, base::Deadline deadline) override {
    if (over_) return Readiness{interest.readable, interest.writable, true};
    return link_->wait(interest, deadline);
  }
  bool closed_by_peer() const noexcept override { return over_ || link_->closed_by_peer(); }

 private:
  void look_at(std::span<const std::byte> bytes) {
    follower_.follow(
        bytes,
        [this](std::span<const std::byte, wire::kFrameHeaderBytes> header) {
          const wire::FrameHeader frame = wire::decode_frame_header(header);
          says_it_ = frame.opcode == wire::kOpAgentAway;
          return std::size_t{frame.payload_bytes};
        },
        [this] { over_ = over_ || says_it_; });
    if (over_) link_->close();
  }

  Follower<wire::kFrameHeaderBytes> follower_;
  bool says_it_ = false;  // the frame that is being read
  std::atomic<bool> over_{false};
};

class KeepingLink final : public ForwardingLink {
 public:
  using ForwardingLink::ForwardingLink;
  Result<std::size_t> read_some(std::span<std::byte> out) override {
    auto read = link_->read_some(out);
    if (read.ok()) {
      follow(out.first(*read));
      return read;
    }
    if (follower_.missing() == 0) return read;
    const auto made_up = out.first(std::min(out.size(), follower_.missing()));
    std::ranges::fill(made_up, std::byte{0});
    follow(made_up);
    return made_up.size();
  }

 private:
  void follow(std::span<const std::byte> bytes) {
    follower_.follow(
        bytes,
        [](std::span<const std::byte, session::kLaneChunkHeaderBytes> header) {
          wire::Reader in(header);
          in.u64("transfer");
          in.u64("offset");
          return std::size_t{in.u32("bytes")};
        },
        [] {});
  }

  Follower<session::kLaneChunkHeaderBytes> follower_;
};

}  // namespace

std::unique_ptr<Link> closing_when_agent_is_away(std::unique_ptr<Link> link) {
  return std::make_unique<ClosingLink>(std::move(link));
}

std::unique_ptr<Link> keeping_broken_chunks(std::unique_ptr<Link> link) {
  return std::make_unique<KeepingLink>(std::move(link));
}

}  // namespace longwire::sim
