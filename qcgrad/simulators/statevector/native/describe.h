// A readable account of a plan, with the arithmetic and memory traffic it implies.
#pragma once
#include <string>

#include "observable.h"
#include "plan.h"

namespace qcgrad {
std::string describe(const Plan& plan, const ObservablePlan* observables, int bytes_per_real);
}
