#include "wire/reader.h"

namespace longwire::wire {

base::Status Reader::finish() const {
  if (ok()) return {};
  return base::Error(base::ErrorCode::kWireFault, std::string("bad field '") + failed_ +
                                                      "' at byte " + std::to_string(failed_at_) +
                                                      " of " + std::to_string(in_.size()));
}

}  // namespace longwire::wire
