// The agent's SecureChannel on the TLS of src/link/tls.
#pragma once

#include <memory>

#include "base/result.h"
#include "link/tls/tls_engine.h"
#include "node/secure_channel.h"

namespace longwire::app {

class TlsChannel final : public node::SecureChannel {
 public:
  static base::Result<std::unique_ptr<TlsChannel>> create(link::TlsContext::Ptr context);

  base::Status feed(std::span<const std::byte> wire) override;
  std::vector<std::byte> take_output() override;
  bool established() const override { return established_; }
  base::Status read(std::vector<std::byte>& plain, std::size_t limit) override;
  base::Status write(std::span<const std::byte> plain) override;
  std::string peer_fingerprint() const override;
  std::vector<std::byte> peer_note() const override { return engine_->peer_note(); }
  base::Result<std::array<std::uint8_t, 32>> export_keying_material(
      std::string_view label) const override {
    return engine_->export_keying_material(label);
  }

 private:
  explicit TlsChannel(std::unique_ptr<link::TlsEngine> engine) : engine_(std::move(engine)) {}
  std::unique_ptr<link::TlsEngine> engine_;
  bool established_ = false;
};

}  // namespace longwire::app
