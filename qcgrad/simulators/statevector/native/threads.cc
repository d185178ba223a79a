#include "threads.h"

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#define QCGRAD_HAVE_FORK 1
#endif

namespace qcgrad {
namespace {

constexpr int kMaxThreads = 256;
constexpr int kSpins = 2000;  // a few microseconds: passes follow each other closely, sleeping in between costs more

inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

class Pool {
 public:
  // False if another thread is using the pool.
  bool try_run(int parts, const std::function<void(int)>& work) {
    std::unique_lock<std::mutex> owner(busy_, std::try_to_lock);
    if (!owner.owns_lock()) return false;
    while (static_cast<int>(workers_.size()) < parts - 1) {
      const int id = static_cast<int>(workers_.size()) + 1;
      workers_.emplace_back([this, id, seen = generation_.load()] { loop(id, seen); });
      workers_.back().detach();
    }
    {
      std::lock_guard<std::mutex> lock(mutex_);
      work_ = &work;
      parts_ = parts;
      pending_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
      generation_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    work(0);
    for (int i = 0; pending_.load(std::memory_order_acquire) != 0; ++i) {
      if (i < kSpins) {
        relax();
      } else {
        std::unique_lock<std::mutex> lock(mutex_);
        done_.wait(lock, [this] { return pending_.load(std::memory_order_acquire) == 0; });
      }
    }
    return true;
  }

 private:
  void loop(int id, unsigned seen) {
    for (;;) {
      for (int i = 0; i < kSpins && generation_.load(std::memory_order_acquire) == seen; ++i) relax();
      if (generation_.load(std::memory_order_acquire) == seen) {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return generation_.load(std::memory_order_acquire) != seen; });
      }
      seen = generation_.load(std::memory_order_acquire);
      if (id < parts_) (*work_)(id);
      if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        std::lock_guard<std::mutex> lock(mutex_);
        done_.notify_one();
      }
    }
  }

  std::mutex busy_, mutex_;
  std::condition_variable wake_, done_;
  std::vector<std::thread> workers_;
  const std::function<void(int)>* work_ = nullptr;
  int parts_ = 0;
  std::atomic<int> pending_{0};
  std::atomic<unsigned> generation_{0};
};

// Never destroyed: detached workers may still look at it while the process exits.
std::atomic<Pool*> the_pool{nullptr};
std::mutex pool_mutex;

Pool* pool() {
  Pool* p = the_pool.load(std::memory_order_acquire);
  if (p) return p;
  std::lock_guard<std::mutex> lock(pool_mutex);
  if (!the_pool.load()) {
#ifdef QCGRAD_HAVE_FORK
    // Threads do not survive a fork; the child starts with a new pool.
    static const int registered = pthread_atfork(nullptr, nullptr, [] { the_pool.store(nullptr); });
    (void)registered;
#endif
    the_pool.store(new Pool());
  }
  return the_pool.load();
}

std::atomic<int> requested_threads{0};
std::atomic<unsigned> cancel_requests{0};

}  // namespace

int num_threads() {
  const int set = requested_threads.load();
  if (set > 0) return set;
  if (const char* text = std::getenv("QCGRAD_NUM_THREADS")) {
    const int count = std::atoi(text);
    if (count > 0) return count < kMaxThreads ? count : kMaxThreads;
  }
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  return cores < 1 ? 1 : cores < kMaxThreads ? cores : kMaxThreads;
}

void set_num_threads(int count) { requested_threads.store(count < kMaxThreads ? count : kMaxThreads); }

void parallel(int parts, const std::function<void(int)>& work) {
  if (parts > 1 && pool()->try_run(parts, work)) return;
  for (int i = 0; i < parts; ++i) work(i);
}

CancelToken::CancelToken() : start_(cancel_requests.load(std::memory_order_relaxed)) {}
bool CancelToken::cancelled() const { return cancel_requests.load(std::memory_order_relaxed) != start_; }
void request_cancel() { cancel_requests.fetch_add(1); }

}  // namespace qcgrad
