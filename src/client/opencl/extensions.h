// Which extensions of a node's device the program is told of. Those of the kernel language and of
// info queries are the device's own and pass; those that add host functions or host-side meanings
// pass only where this client offers them.
#pragma once

#include <string>
#include <string_view>

namespace longwire::client::opencl {

bool is_offered_extension(std::string_view name) noexcept;

// The list without what is not offered; unchanged, to the letter, when everything is.
std::string offered_extensions(std::string_view list);

}  // namespace longwire::client::opencl
