// Where each angle enters a planned circuit, so that states with another value of it share all that comes before.
#pragma once
#include <vector>

#include "plan.h"

namespace qcgrad {

struct ForkPlan {
  std::vector<std::vector<int>> terms;  // by angle: the exponentials that it drives
  // By angle: how many steps (of the only tile) or passes (of a state of several tiles) come before it.
  std::vector<int> point;
};

ForkPlan make_fork_plan(const Plan& plan);

}  // namespace qcgrad
