#include <algorithm>
#include <charconv>
#include <utility>

#include "node/config.h"

namespace longwire::node {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMaxHostBytes = 253;  // of a name in the DNS
// So that what to_string() says of any address is one: brackets, and a port.
constexpr std::size_t kMaxAddressBytes = kMaxHostBytes + std::string_view("[]:65535").size();

bool is_host(std::string_view host) {
  return host.size() <= kMaxHostBytes && std::ranges::all_of(host, [](unsigned char c) {
           return c > 0x20 && c != 0x7f && c != '[' && c != ']';
         });
}

base::Result<Address> checked(Address address) {
  if (is_host(address.host)) return address;
  return Error(ErrorCode::kInvalidArgument, "no host's name has blanks, brackets or more than " +
                                                std::to_string(kMaxHostBytes) + " characters");
}

base::Result<std::uint16_t> parse_port(std::string_view text, std::string_view whole) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
    return Error(ErrorCode::kInvalidArgument, "no port in '" + std::string(whole) + "'");
  }
  return port;
}

base::Result<Address> parse_bracketed(std::string_view text) {
  const std::size_t close = text.find(']');
  if (close == std::string_view::npos || close == 1) {
    return Error(ErrorCode::kInvalidArgument, "no address in '" + std::string(text) + "'");
  }
  Address address{std::string(text.substr(1, close - 1)), kDefaultPort};
  const std::string_view rest = text.substr(close + 1);
  if (rest.empty()) return checked(std::move(address));
  if (rest.front() != ':') {
    return Error(ErrorCode::kInvalidArgument, "no port in '" + std::string(text) + "'");
  }
  LW_ASSIGN(address.port, parse_port(rest.substr(1), text));
  return checked(std::move(address));
}

}  // namespace

base::Result<Address> parse_address(std::string_view text) {
  if (text.empty() || text.size() > kMaxAddressBytes) {
    return Error(ErrorCode::kInvalidArgument, "an address is HOST:PORT");
  }
  if (text.front() == '[') return parse_bracketed(text);
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return checked({std::string(text), kDefaultPort});
  if (text.find(':', colon + 1) != std::string_view::npos) {
    return Error(ErrorCode::kInvalidArgument,
                 "'" + std::string(text) + "': an IPv6 address stands in [brackets]");
  }
  Address address{std::string(text.substr(0, colon)), kDefaultPort};
  LW_ASSIGN(address.port, parse_port(text.substr(colon + 1), text));
  return checked(std::move(address));
}

std::string to_string(const Address& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

base::Result<std::uint64_t> parse_bytes(std::string_view text) {
  std::uint64_t number = 0;
  const char* const stop = text.data() + text.size();
  auto [end, error] = std::from_chars(text.data(), stop, number);
  while (end != stop && *end == ' ')
    ++end;
  const std::string_view unit(end, static_cast<std::size_t>(stop - end));
  static constexpr std::pair<std::string_view, unsigned> kUnits[] = {
      {"", 0}, {"B", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}};
  for (const auto& [name, shift] : kUnits) {
    if (error == std::errc() && unit == name && number <= (UINT64_MAX >> shift)) {
      return number << shift;
    }
  }
  return Error(ErrorCode::kInvalidArgument, "'" + std::string(text) + "' is not a size like 64MiB");
}

}  // namespace longwire::node
