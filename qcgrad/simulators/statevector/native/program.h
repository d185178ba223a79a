// Turns the operations taken by one pass into its tile program.
#pragma once
#include "plan.h"

namespace qcgrad {

void make_program(const NormalForm& form, const std::vector<int>& ops, int lanes, Pass* pass);

// Appends steps for these rotations, in this order up to commuting exchanges.
void schedule_rotations(const std::vector<Rotation>& list, int lanes, Pass* pass);

}  // namespace qcgrad
