#include "softcuda/machine/texture.h"

#include <utility>

namespace longwire::softcuda::machine {
namespace {

// A handle: generation, then index.
constexpr int kIndexBits = 20;
constexpr std::uint64_t kIndexMask = (std::uint64_t{1} << kIndexBits) - 1;
static_assert(kMaxTextures <= kIndexMask);

}  // namespace

const Texture* TextureTable::find(std::uint64_t handle) const noexcept {
  const std::uint64_t index = handle & kIndexMask;
  const std::uint64_t chunk = index / kChunk;
  if (handle == 0 || chunk >= chunks_.size()) return nullptr;
  const Entry& entry = (*chunks_[chunk])[index % kChunk];
  return entry.handle == handle ? entry.texture.get() : nullptr;
}

Textures::Textures() : table_(std::make_shared<TextureTable>()) {}

// Others read the table as it is: a new one shares all but one chunk with it.
void Textures::put(std::uint32_t index, std::uint64_t handle,
                   std::shared_ptr<const Texture> texture) {
  auto table = std::make_shared<TextureTable>(*table_);
  const std::uint32_t chunk = index / TextureTable::kChunk;
  auto changed = chunk < table->chunks_.size()
                     ? std::make_shared<TextureTable::Chunk>(*table->chunks_[chunk])
                     : std::make_shared<TextureTable::Chunk>();
  (*changed)[index % TextureTable::kChunk] = {handle, std::move(texture)};
  if (chunk == table->chunks_.size())
    table->chunks_.push_back(std::move(changed));
  else
    table->chunks_[chunk] = std::move(changed);
  table_ = std::move(table);
}

base::Result<std::uint64_t> Textures::add(const Texture& texture) {
  auto kept = std::make_shared<const Texture>(texture);
  std::lock_guard lock(mutex_);
  if (free_.empty() && used_ == kMaxTextures)
    return base::Error(base::ErrorCode::kLimit, "over 65536 textures and surfaces");
  std::uint32_t index = used_;
  if (free_.empty()) {
    ++used_;
  } else {
    index = free_.back();
    free_.pop_back();
  }
  const std::uint64_t handle = ++generation_ << kIndexBits | index;
  put(index, handle, std::move(kept));
  return handle;
}

bool Textures::remove(std::uint64_t handle) {
  std::lock_guard lock(mutex_);
  if (table_->find(handle) == nullptr) return false;
  const auto index = static_cast<std::uint32_t>(handle & kIndexMask);
  put(index, 0, nullptr);
  free_.push_back(index);
  return true;
}

std::shared_ptr<const TextureTable> Textures::snapshot() const {
  std::lock_guard lock(mutex_);
  return table_;
}

}  // namespace longwire::softcuda::machine
