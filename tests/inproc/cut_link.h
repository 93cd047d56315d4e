// CutLink: a link that breaks after so many bytes, read or written, at exactly that byte. What was
// under way is lost or not, as the link beneath has it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "link/link.h"

namespace longwire::inproc {

// How many bytes are left. Shared by the link and whoever decides.
using CutAfter = std::shared_ptr<std::atomic<std::size_t>>;

class CutLink final : public link::Link {
 public:
  CutLink(std::unique_ptr<link::Link> link, CutAfter left)
      : link_(std::move(link)), shared_left_(std::move(left)), left_(*shared_left_) {}

  base::Result<std::size_t> read_some(std::span<std::byte> out) override {
    const std::size_t most = left_;
    if (most == 0) return broken();
    auto read = link_->read_some(out.first(std::min(out.size(), most)));
    if (read.ok()) take(*read);
    return read;
  }
  base::Result<std::size_t> write_some(std::span<const link::ConstBuffer> parts) override {
    const std::size_t most = left_;
    if (most == 0) return broken();
    for (link::ConstBuffer part : parts) {
      if (part.empty()) continue;
      part = part.first(std::min(part.size(), most));  // of several one is enough: a partial write
      auto written = link_->write_some({&part, 1});
      if (written.ok()) take(*written);
      return written;
    }
    return 0;
  }
  base::Result<link::Readiness> wait(link::Interest interest, base::Deadline deadline) override {
    if (left_ == 0) return link::Readiness{interest.readable, interest.writable, true};
    return link_->wait(interest, deadline);
  }
  void wake() noexcept override { link_->wake(); }
  void close() noexcept override { link_->close(); }
  bool closed_by_peer() const noexcept override { return link_->closed_by_peer(); }
  link::LinkInfo info() const override { return link_->info(); }

 private:
  base::Error broken() {
    link_->close();
    return {base::ErrorCode::kLinkLost, "cut"};
  }
  void take(std::size_t bytes) {
    std::size_t left = left_;
    while (!left_.compare_exchange_weak(left, left - std::min(left, bytes))) {
    }
    if (left <= bytes) link_->close();
  }

  const std::unique_ptr<link::Link> link_;
  const CutAfter shared_left_;
  std::atomic<std::size_t>& left_;
};

}  // namespace longwire::inproc
