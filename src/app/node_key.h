// NodeKey: the key that a node shows, as it is in the state directory now: `longwire key rotate
// --node` replaces it under a running node.
#pragma once

#include <string>

#include "base/result.h"
#include "link/tls/tls_engine.h"
#include "session/private_file.h"

namespace longwire::app {

class NodeKey {
 public:
  // Makes the key at first use.
  static base::Result<NodeKey> open(std::string directory, std::string name);

  // Looks whether the file is another one. One that cannot be read leaves the key as it is.
  void refresh();
  const link::TlsContext::Ptr& context() const noexcept { return context_; }
  const link::Fingerprint& fingerprint() const noexcept { return fingerprint_; }

 private:
  NodeKey(std::string directory, std::string name)
      : directory_(std::move(directory)), name_(std::move(name)) {}
  base::Status read();

  std::string directory_;
  std::string name_;
  session::FileStamp stamp_;
  link::TlsContext::Ptr context_;
  link::Fingerprint fingerprint_{};
};

}  // namespace longwire::app
