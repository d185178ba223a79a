#include "fork_plan.h"

#include <algorithm>

namespace qcgrad {
namespace {

template <class F>
void for_terms(const Pass& pass, const Step& step, F f) {
  auto rotation = [&](int i) {
    if (i >= 0) f(pass.rotations[i].term);
  };
  auto list = [&](const std::vector<PhaseTerm>& terms) {
    for (const PhaseTerm& t : terms) f(t.term);
  };
  switch (step.kind) {
    case Step::kRotate1:
    case Step::kRotate2:
      rotation(step.a);
      rotation(step.b);
      break;
    case Step::kLanes:
      for (int lane : step.lanes) rotation(lane);
      break;
    case Step::kPhase: {
      const PhaseStep& phase = pass.phases[step.a];
      for (const auto* terms : {&phase.product, &phase.fixed, &phase.moving}) list(*terms);
      break;
    }
    case Step::kGroup:
      list(pass.groups[step.a].terms);
      break;
    case Step::kLinear:
    case Step::kDense:
      break;
  }
}

// Diagonal exponentials that see only bits which nothing has flipped yet: they turn all of the state by one phase.
std::vector<char> phases_of_all(const NormalForm& form) {
  std::vector<char> found(form.terms.size(), 0);
  u64 reach = 0;
  for (const NormalOp& op : form.ops) switch (op.kind) {
      case NormalOp::kPhase:
        found[op.first_term] = (form.terms[op.first_term].z & reach) == 0;
        break;
      case NormalOp::kRotate:
        reach |= op.x;
        break;
      case NormalOp::kLinear:
        if (!op.control || (op.control & reach)) reach |= op.x;
        break;
      case NormalOp::kDense:
        for (int w : op.wires) reach |= u64{1} << w;
        break;
    }
  return found;
}

}  // namespace

ForkPlan make_fork_plan(const Plan& plan) {
  const std::size_t angles = static_cast<std::size_t>(plan.form.num_angles);
  ForkPlan fork;
  fork.terms.resize(angles);
  const std::vector<char> is_phase = phases_of_all(plan.form);
  for (std::size_t t = 0; t < plan.form.terms.size(); ++t)
    if (plan.form.terms[t].slot >= 0 && !is_phase[t]) fork.terms[plan.form.terms[t].slot].push_back(static_cast<int>(t));
  constexpr int kNone = 1 << 30;
  fork.point.assign(angles, kNone);
  for (std::size_t p = 0; p < plan.passes.size(); ++p) {
    const Pass& pass = plan.passes[p];
    for (std::size_t s = 0; s < pass.steps.size(); ++s) {
      // A permutation is carried out by the phases after it (TileRunner::run).
      const bool joined = pass.steps[s].kind == Step::kPhase && s > 0 && pass.steps[s - 1].kind == Step::kLinear;
      const int point = static_cast<int>(plan.single_tile ? s - joined : p);
      for_terms(pass, pass.steps[s], [&](int term) {
        const int slot = plan.form.terms[term].slot;
        if (slot >= 0) fork.point[slot] = std::min(fork.point[slot], point);
      });
    }
  }
  for (int& point : fork.point)
    if (point == kNone) point = 0;  // nothing depends on the angle
  return fork;
}

}  // namespace qcgrad
