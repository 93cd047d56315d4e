// Fills any generated message with random contents, through opencl/message_visit.h.
#pragma once

#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/random.h"
#include "opencl/message_visit.h"

namespace longwire::opencl {

// Owns what the views of the messages point to.
class RandomMessage {
 public:
  explicit RandomMessage(std::uint64_t seed) : random_(seed) {}

  template <class M>
  void fill(M& message) {
    visit([this](const char*, auto& field) { this->fill_field(field); }, message);
  }

 private:
  template <class T>
  void fill_field(T& field) {
    if constexpr (std::is_integral_v<T>) {
      field = static_cast<T>(random_.u64());
    } else if constexpr (std::is_same_v<T, std::string_view>) {
      const auto view = bytes();
      field = {reinterpret_cast<const char*>(view.data()), view.size()};
    } else if constexpr (std::is_same_v<T, std::span<const std::byte>>) {
      field = bytes();
    } else if constexpr (std::is_same_v<T, wire::U64View>) {
      field = wire::U64View(bytes_of_size(8 * random_.below(5)));
    } else if constexpr (std::is_same_v<T, wire::Blob>) {
      field = blob();
    } else {
      fill_rest(field);
    }
  }
  template <class T>
  void fill_rest(std::vector<T>& list) {
    list.resize(random_.below(4));
    for (T& element : list)
      fill_field(element);
  }
  template <class T>
  void fill_rest(T& record) {
    fill(record);
  }

  wire::Blob blob() {
    if (random_.one_in(2)) return wire::Blob::inlined(bytes());
    return {random_.one_in(2) ? wire::BlobMode::kEager : wire::BlobMode::kRendezvous,
            random_.u64() | 1,
            random_.u64(),
            {}};
  }
  std::span<const std::byte> bytes() { return bytes_of_size(random_.below(20)); }
  std::span<const std::byte> bytes_of_size(std::size_t size) {
    auto& memory = memory_.emplace_back(size);
    random_.fill(memory);
    return memory;
  }

  base::SeededRandom random_;
  std::list<std::vector<std::byte>> memory_;
};

template <class M>
std::vector<std::byte> encoded(const M& message) {
  std::vector<std::byte> bytes(encoded_size(message));
  wire::Writer writer(bytes);
  encode(writer, message);
  return bytes;
}

}  // namespace longwire::opencl
