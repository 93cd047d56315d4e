// Which of a node's devices something is about: their numbers or names, or none for all of them.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace longwire::session {

// Whether two lists have a device in common. A device's number and its name are not known to be
// the same here.
inline bool devices_overlap(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return a.empty() || b.empty() || std::ranges::any_of(a, [&](const std::string& device) {
           return std::ranges::find(b, device) != b.end();
         });
}

}  // namespace longwire::session
