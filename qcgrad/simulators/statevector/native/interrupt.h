// Lets Ctrl-C stop a long calculation: while a guard lives, SIGINT also cancels what the engine is doing.
#pragma once

namespace qcgrad {

class InterruptGuard {
 public:
  explicit InterruptGuard(bool active);
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;

 private:
  bool active_;
};

}  // namespace qcgrad
