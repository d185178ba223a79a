#include "sampling_plan.h"

#include <algorithm>
#include <numeric>

namespace qcgrad {
namespace {

constexpr std::size_t kTableNumbers = std::size_t{1} << 17;  // a megabyte
constexpr double kHalfPi = 1.57079632679489661923132169163975144;

// The rotations into a basis are a circuit like any other: RY(-pi/2) turns X into Z, RX(pi/2) turns Y into Z.
std::string basis_rotation(u64 x, u64 z, int num_qubits, NormalForm* form) {
  std::vector<std::int64_t> xs, zs;
  std::vector<double> offsets;
  for (u64 left = x; left; left &= left - 1) {
    const u64 bit = left & (~left + 1);
    const bool measures_y = z & bit;
    xs.push_back(static_cast<std::int64_t>(bit));
    zs.push_back(measures_y ? 0 : static_cast<std::int64_t>(bit));
    offsets.push_back(measures_y ? kHalfPi : -kHalfPi);
  }
  const std::vector<std::int32_t> zeros(xs.size(), 0), no_slot(xs.size(), -1);
  const std::vector<std::int64_t> no_controls(xs.size(), 0);
  const std::vector<double> no_scale(xs.size(), 0.0);
  OpTable table;
  table.num_qubits = num_qubits;
  table.num_ops = static_cast<std::int64_t>(xs.size());
  table.kind = table.kappa = zeros.data();
  table.slot = no_slot.data();
  table.x = xs.data(), table.z = zs.data(), table.ctrl = no_controls.data();
  table.scale = no_scale.data(), table.offset = offsets.data();
  return normalise(table, form);
}

void make_tables(int num_qubits, void (*walsh)(double*, int), SamplingPlan* plan) {
  const std::size_t sums = plan->offsets.size() - 1;
  if (num_qubits >= 17 || (sums << num_qubits) > kTableNumbers) return;
  plan->table_bits = num_qubits;
  plan->tables.assign(sums << num_qubits, 0.0);
  Block<double> table(std::size_t{1} << num_qubits);  // aligned, as the transform wants it
  for (std::size_t s = 0; s < sums; ++s) {
    std::fill(table.data(), table.data() + table.size(), 0.0);
    for (i64 t = plan->offsets[s]; t < plan->offsets[s + 1]; ++t) table.data()[plan->support[t]] += plan->coefficient[t];
    walsh(table.data(), num_qubits);
    std::copy(table.data(), table.data() + table.size(), plan->tables.data() + (s << num_qubits));
  }
}

SamplingPlan::Classes find_classes(const SamplingPlan& plan, std::size_t g) {
  const std::size_t outputs = static_cast<std::size_t>(plan.num_observables), outcomes = std::size_t{1} << plan.table_bits;
  const double* const first = plan.table(g * outputs);
  auto value = [&](std::size_t k, std::uint32_t j) { return first[(k << plan.table_bits) + j]; };
  auto less = [&](std::uint32_t a, std::uint32_t b) {
    for (std::size_t k = 0; k < outputs; ++k)
      if (value(k, a) != value(k, b)) return value(k, a) < value(k, b);
    return false;
  };
  std::vector<std::uint32_t> order(outcomes), firsts;
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), less);
  std::vector<std::uint16_t> of(outcomes);
  for (std::uint32_t j : order) {
    if (firsts.empty() || less(firsts.back(), j)) firsts.push_back(j);
    if (firsts.size() > outcomes / 4) return {};
    of[j] = static_cast<std::uint16_t>(firsts.size() - 1);
  }
  SamplingPlan::Classes classes;
  classes.of = std::move(of);
  for (classes.count = 1; classes.count < firsts.size();) classes.count *= 2;
  classes.values.assign(outputs * classes.count, 0.0);
  for (std::size_t k = 0; k < outputs; ++k)
    for (std::size_t c = 0; c < firsts.size(); ++c) classes.values[k * classes.count + c] = value(k, firsts[c]);
  return classes;
}

}  // namespace

std::string make_sampling_plan(const Bases& bases, PlanOptions options, int num_qubits, void (*walsh)(double*, int),
                               SamplingPlan* plan) {
  *plan = SamplingPlan();
  plan->num_observables = bases.num_observables;
  plan->support.assign(bases.support, bases.support + bases.num_terms);
  plan->coefficient.assign(bases.coefficient, bases.coefficient + bases.num_terms);
  plan->offsets.assign(bases.offsets, bases.offsets + bases.num_bases * bases.num_observables + 1);
  const u64 all = (u64{1} << num_qubits) - 1;
  for (u64 support : plan->support)
    if (support & ~all) return "measured support out of range";
  make_tables(num_qubits, walsh, plan);
  if (!plan->tables.empty())
    for (std::size_t g = 0; g < static_cast<std::size_t>(bases.num_bases); ++g)
      plan->classes.push_back(find_classes(*plan, g));
  // The rotations start from the final state of the circuit, which may be spread over everything.
  options.reach = (u64{1} << std::max(num_qubits, options.lanes)) - 1;
  plan->bases.resize(static_cast<std::size_t>(bases.num_bases));
  for (std::size_t g = 0; g < plan->bases.size(); ++g) {
    const u64 x = static_cast<u64>(bases.x[g]), z = static_cast<u64>(bases.z[g]);
    if ((x | z) & ~all) return "basis mask out of range";
    BasisPlan& basis = plan->bases[g];
    NormalForm form;
    const std::string error = basis_rotation(x, z, num_qubits, &form);
    if (!error.empty()) return error;
    make_plan(std::move(form), options, &basis.rotation);
    basis.angles.evaluate(basis.rotation.form, nullptr);
    plan->max_tile_bits = std::max(plan->max_tile_bits, basis.rotation.max_tile_bits);
    plan->rotations += !basis.computational();
    plan->order.push_back(g);
  }
  std::stable_partition(plan->order.begin(), plan->order.end(),
                        [&](std::size_t g) { return plan->bases[g].computational(); });
  return "";
}

}  // namespace qcgrad
