#include "interrupt.h"

#include "threads.h"

#if defined(__unix__) || defined(__APPLE__)
#include <signal.h>

#include <mutex>

namespace qcgrad {
namespace {

std::mutex guard_mutex;
int guards = 0;
struct sigaction previous;

// Python's own handler only notes the signal for later, so it is called as well: KeyboardInterrupt follows once the
// engine has returned.
void on_interrupt(int number, siginfo_t* info, void* context) {
  request_cancel();
  if (previous.sa_flags & SA_SIGINFO) {
    previous.sa_sigaction(number, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(number);
  }
}

}  // namespace

InterruptGuard::InterruptGuard(bool active) : active_(active) {
  if (!active_) return;
  std::lock_guard<std::mutex> lock(guard_mutex);
  if (guards++ > 0) return;
  sigaction(SIGINT, nullptr, &previous);
  // With the default action the process is about to end anyway.
  if (!(previous.sa_flags & SA_SIGINFO) && (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN)) {
    --guards;
    active_ = false;
    return;
  }
  struct sigaction ours = {};
  ours.sa_sigaction = on_interrupt;
  ours.sa_flags = SA_SIGINFO | (previous.sa_flags & SA_RESTART) | SA_ONSTACK;
  sigaction(SIGINT, &ours, nullptr);
}

InterruptGuard::~InterruptGuard() {
  if (!active_) return;
  std::lock_guard<std::mutex> lock(guard_mutex);
  if (--guards == 0) sigaction(SIGINT, &previous, nullptr);
}

}  // namespace qcgrad

#else

namespace qcgrad {
InterruptGuard::InterruptGuard(bool active) : active_(active) {}
InterruptGuard::~InterruptGuard() {}
}  // namespace qcgrad

#endif
