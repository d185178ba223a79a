#include "memory.h"

#include <cstdlib>
#include <mutex>
#include <utility>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace qcgrad {
namespace {

constexpr std::size_t kHugePage = std::size_t{1} << 21;
constexpr std::size_t kCacheLimit = std::size_t{256} << 20;  // bytes kept between calls

std::mutex cache_mutex;
std::vector<std::pair<std::size_t, void*>>& cache() {
  static auto* blocks = new std::vector<std::pair<std::size_t, void*>>();
  return *blocks;
}
std::size_t cached_bytes = 0;

std::size_t padded(std::size_t bytes) {
  const std::size_t unit = bytes >= kHugePage ? kHugePage : 64;
  return (bytes + unit - 1) / unit * unit;
}

}  // namespace

void* acquire_block(std::size_t bytes) {
  bytes = padded(bytes);
  if (bytes >= kHugePage) {
    std::lock_guard<std::mutex> lock(cache_mutex);
    auto& blocks = cache();
    for (std::size_t i = 0; i < blocks.size(); ++i)
      if (blocks[i].first == bytes) {
        void* block = blocks[i].second;
        blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(i));
        cached_bytes -= bytes;
        return block;
      }
  }
  void* block = std::aligned_alloc(bytes >= kHugePage ? kHugePage : 64, bytes);
#ifdef __linux__
  if (block && bytes >= kHugePage) madvise(block, bytes, MADV_HUGEPAGE);
#endif
  return block;
}

void release_block(void* block, std::size_t bytes) {
  bytes = padded(bytes);
  if (bytes >= kHugePage) {
    std::lock_guard<std::mutex> lock(cache_mutex);
    if (cached_bytes + bytes <= kCacheLimit) {
      cache().push_back({bytes, block});
      cached_bytes += bytes;
      return;
    }
  }
  std::free(block);
}

void release_cached_blocks() {
  std::lock_guard<std::mutex> lock(cache_mutex);
  for (auto& b : cache()) std::free(b.second);
  cache().clear();
  cached_bytes = 0;
}

}  // namespace qcgrad
