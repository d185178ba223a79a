// Aligned storage. Large blocks come on huge pages where the system has them (a tile touches hundreds of pages) and
// are kept for the next call, because the kernel clearing fresh pages costs as much as a pass over them.
#pragma once
#include <cstddef>

namespace qcgrad {

void* acquire_block(std::size_t bytes);  // null if memory is short
void release_block(void* block, std::size_t bytes);
void release_cached_blocks();

template <class T>
class Block {
 public:
  Block() = default;
  explicit Block(std::size_t count) { reset(count); }
  ~Block() { clear(); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  // Contents are undefined afterwards. False if memory is short.
  bool reset(std::size_t count) {
    if (count <= count_) return true;
    clear();
    data_ = static_cast<T*>(acquire_block(count * sizeof(T)));
    count_ = data_ ? count : 0;
    return data_ != nullptr;
  }
  void clear() {
    if (data_) release_block(data_, count_ * sizeof(T));
    data_ = nullptr;
    count_ = 0;
  }
  T* data() const { return data_; }
  std::size_t size() const { return count_; }

 private:
  T* data_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace qcgrad
