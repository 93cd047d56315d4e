#pragma once

#include <cstdint>

namespace longwire::app {

// How many tenants' users there are, from worker.first_user on.
inline constexpr std::uint32_t kMaxTenantUsers = 4096;

}  // namespace longwire::app
