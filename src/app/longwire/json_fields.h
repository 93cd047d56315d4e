// Fields of JSON that somebody else has written: what is missing, or of another kind, is empty or
// 0. nlohmann's own value() throws for another kind.
#pragma once

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace longwire::app {

inline std::string text_field(const nlohmann::json& object, const std::string& key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

inline std::int64_t number_field(const nlohmann::json& object, const std::string& key) {
  if (!object.is_object()) return 0;
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

// At least 0, at most INT64_MAX.
inline std::uint64_t count_field(const nlohmann::json& object, const std::string& key) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, number_field(object, key)));
}

// An array's items; none where there is no array.
inline nlohmann::json list_field(const nlohmann::json& object, const std::string& key) {
  if (!object.is_object()) return nlohmann::json::array();
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : nlohmann::json::array();
}

}  // namespace longwire::app
