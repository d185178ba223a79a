// Where each angle enters a planned circuit, so that states with another value of it share all that comes before.
#pragma once
#include <vector>

#include "plan.h"

namespace qcgrad {

struct ForkPlan {
  // By angle: the exponentials that it drives, without those that act as a phase on all of the state.
  std::vector<std::vector<int>> terms;
  // By angle: how many steps (of the only tile) or passes (of a state of several tiles) come before it.
  std::vector<int> point;
};

ForkPlan make_fork_plan(const Plan& plan);

}  // namespace qcgrad
