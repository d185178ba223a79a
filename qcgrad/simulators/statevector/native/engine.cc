// Building engines and remembering them.
#include "engine.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <list>
#include <mutex>
#include <vector>

namespace qcgrad {
namespace {

// psi and lambda, both halves, fill half of a 512 KiB second-level cache. Runs of two cache lines: processors fetch lines in
// pairs.
template <class R>
constexpr int kTileBits = sizeof(R) == 4 ? 14 : 13;

int setting(const char* name, int fallback) {
  const char* text = std::getenv(name);
  return text && *text ? std::atoi(text) : fallback;
}

class Key {
 public:
  void add(const void* data, std::size_t bytes) {
    const char* p = static_cast<const char*>(data);
    bytes_.insert(bytes_.end(), p, p + bytes);
  }
  template <class T>
  void value(T v) {
    add(&v, sizeof v);
  }
  u64 hash() const {
    u64 h = 0x9e3779b97f4a7c15u ^ bytes_.size();
    std::size_t i = 0;
    for (; i + 8 <= bytes_.size(); i += 8) {
      u64 w;
      std::memcpy(&w, bytes_.data() + i, 8);
      h = (h ^ w) * 0xff51afd7ed558ccdu;
      h ^= h >> 32;
    }
    for (; i < bytes_.size(); ++i) h = (h ^ static_cast<unsigned char>(bytes_[i])) * 0x100000001b3u;
    return h;
  }
  bool operator==(const Key& other) const { return bytes_ == other.bytes_; }

 private:
  std::vector<char> bytes_;
};

Key make_key(const OpTable& c, const Measured& measured, int isa) {
  Key key;
  const std::size_t n = static_cast<std::size_t>(c.num_ops);
  key.value(c.num_qubits), key.value(c.num_ops), key.value(c.num_angles), key.value(isa);
  key.value(c.max_wires), key.value(c.matrices_size);
  key.add(c.kind, n * 4), key.add(c.x, n * 8), key.add(c.z, n * 8), key.add(c.ctrl, n * 8);
  key.add(c.kappa, n * 4), key.add(c.slot, n * 4), key.add(c.scale, n * 8), key.add(c.offset, n * 8);
  if (c.max_wires) key.add(c.wires, n * 4 * c.max_wires);
  if (c.matrix_offset) key.add(c.matrix_offset, n * 8);
  if (c.matrices_size) key.add(c.matrices, static_cast<std::size_t>(c.matrices_size) * 16);
  if (const PauliSums* o = measured.observables) {
    const std::size_t t = static_cast<std::size_t>(o->num_terms);
    key.value(o->num_observables), key.value(o->num_terms);
    key.add(o->x, t * 8), key.add(o->z, t * 8), key.add(o->coefficient, t * 8);
    key.add(o->offsets, static_cast<std::size_t>(o->num_observables + 1) * 8);
  }
  key.value(measured.from_anywhere), key.value(measured.shifts);
  key.value(measured.observables != nullptr);  // the two lists of numbers must not be taken for each other
  if (const Bases* b = measured.bases) {
    const std::size_t g = static_cast<std::size_t>(b->num_bases), t = static_cast<std::size_t>(b->num_terms);
    key.value(b->num_bases), key.value(b->num_observables), key.value(b->num_terms);
    key.add(b->x, g * 8), key.add(b->z, g * 8);
    key.add(b->support, t * 8), key.add(b->coefficient, t * 8);
    key.add(b->offsets, (g * static_cast<std::size_t>(b->num_observables) + 1) * 8);
  }
  return key;
}

}  // namespace

template <class R>
std::shared_ptr<const Engine<R>> make_engine(const OpTable& circuit, const Measured& measured, int isa,
                                             std::string* error) {
  auto engine = std::make_shared<Engine<R>>();
  engine->kernels = kernels_for<R>(static_cast<InstructionSet>(isa));
  if (!engine->kernels) {
    *error = "instruction set not available";
    return nullptr;
  }
  NormalForm form;
  *error = normalise(circuit, &form);
  if (!error->empty()) return nullptr;
  PlanOptions options;
  options.lanes = engine->kernels->lanes;
  const bool whole = measured.shifts && circuit.num_qubits <= kLaneQubits;
  options.tile_bits = setting("QCGRAD_TILE_BITS", whole ? kLaneQubits : kTileBits<R>);
  options.run_bits = setting("QCGRAD_RUN_BITS", sizeof(R) == 4 ? 5 : 4);
  if (measured.observables) {
    const AffineMap final_map = strip_final_permutation(&form);
    *error = make_observable_plan(*measured.observables, options, circuit.num_qubits, final_map, &engine->observables);
    if (!error->empty()) return nullptr;
  }
  if (measured.bases) {
    *error = make_sampling_plan(*measured.bases, options, circuit.num_qubits, engine->kernels->walsh,
                                &engine->sampling);
    if (!error->empty()) return nullptr;
  }
  if (measured.from_anywhere) options.reach = (u64{1} << std::max(circuit.num_qubits, options.lanes)) - 1;
  make_plan(std::move(form), options, &engine->plan);
  if (measured.bases) engine->fork = make_fork_plan(engine->plan);
  return engine;
}

template <class R>
std::shared_ptr<const Engine<R>> cached_engine(const OpTable& circuit, const Measured& measured, int isa,
                                               std::string* error) {
  struct Entry {
    u64 hash;
    Key key;
    std::shared_ptr<const Engine<R>> engine;
  };
  constexpr std::size_t kEntries = 64;
  static auto* entries = new std::list<Entry>();
  static std::mutex mutex;
  if (isa < 0) isa = static_cast<int>(instruction_set());
  Key key = make_key(circuit, measured, isa);
  const u64 hash = key.hash();
  {
    std::lock_guard<std::mutex> lock(mutex);
    for (auto it = entries->begin(); it != entries->end(); ++it)
      if (it->hash == hash && it->key == key) {
        entries->splice(entries->begin(), *entries, it);
        return it->engine;
      }
  }
  auto engine = make_engine<R>(circuit, measured, isa, error);
  if (!engine) return nullptr;
  std::lock_guard<std::mutex> lock(mutex);
  entries->push_front({hash, std::move(key), engine});
  if (entries->size() > kEntries) entries->pop_back();
  return engine;
}

template <class R>
std::size_t memory_estimate(int num_qubits, bool two_states) {
  const std::size_t state = padded<R>(u64{2} << num_qubits) * sizeof(R);
  return (two_states ? 2 : 1) * state + (std::size_t{8} << kTileBits<R>) * 16;
}

#define QCGRAD_INSTANTIATE(R)                                                                              \
  template std::shared_ptr<const Engine<R>> make_engine<R>(const OpTable&, const Measured&, int, std::string*);   \
  template std::shared_ptr<const Engine<R>> cached_engine<R>(const OpTable&, const Measured&, int, std::string*); \
  template std::size_t memory_estimate<R>(int, bool);
QCGRAD_INSTANTIATE(float)
QCGRAD_INSTANTIATE(double)
#undef QCGRAD_INSTANTIATE

}  // namespace qcgrad
