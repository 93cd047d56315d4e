#include "app/worker_main/metered.h"

namespace longwire::app {
namespace {

class MeteredLink final : public link::Link {
 public:
  MeteredLink(std::unique_ptr<link::Link> link, Meter& meter)
      : link_(std::move(link)), meter_(meter) {}

  base::Result<std::size_t> read_some(std::span<std::byte> out) override {
    auto read = link_->read_some(out);
    if (read) meter_.bytes_in.fetch_add(*read, std::memory_order_relaxed);
    return read;
  }
  base::Result<std::size_t> write_some(std::span<const link::ConstBuffer> parts) override {
    auto written = link_->write_some(parts);
    if (written) meter_.bytes_out.fetch_add(*written, std::memory_order_relaxed);
    return written;
  }
  base::Result<link::Readiness> wait(link::Interest interest, base::Deadline deadline) override {
    return link_->wait(interest, deadline);
  }
  void wake() noexcept override { link_->wake(); }
  void close() noexcept override { link_->close(); }
  bool closed_by_peer() const noexcept override { return link_->closed_by_peer(); }
  link::LinkInfo info() const override { return link_->info(); }

 private:
  std::unique_ptr<link::Link> link_;
  Meter& meter_;
};

class MeteredBackend final : public worker::core::Backend {
 public:
  MeteredBackend(std::unique_ptr<worker::core::Backend> backend, Meter& meter)
      : backend_(std::move(backend)), meter_(meter) {
    meter_.backend = backend_.get();
  }
  ~MeteredBackend() override { meter_.backend = nullptr; }

  base::Status on_command(wire::Opcode opcode, std::span<const std::byte> payload) override {
    meter_.commands.fetch_add(1, std::memory_order_relaxed);
    return backend_->on_command(opcode, payload);
  }
  void introduce() override { backend_->introduce(); }
  base::Deadline on_idle() override { return backend_->on_idle(); }
  bool shut_down(int timeout_ms) override { return backend_->shut_down(timeout_ms); }
  base::Nanoseconds busy_ns() override { return backend_->busy_ns(); }

 private:
  std::unique_ptr<worker::core::Backend> backend_;
  Meter& meter_;
};

}  // namespace

std::unique_ptr<link::Link> metered(std::unique_ptr<link::Link> link, Meter& meter) {
  return std::make_unique<MeteredLink>(std::move(link), meter);
}

std::unique_ptr<worker::core::Backend> metered(std::unique_ptr<worker::core::Backend> backend,
                                               Meter& meter) {
  return std::make_unique<MeteredBackend>(std::move(backend), meter);
}

}  // namespace longwire::app
