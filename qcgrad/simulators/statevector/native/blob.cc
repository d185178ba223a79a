#include "blob.h"

namespace qcgrad {
namespace {

class Reader {
 public:
  Reader(const char* data, std::size_t size) : at_(data), left_(size) {}
  template <class T>
  const T* take(std::int64_t count) {
    if (count < 0 || static_cast<std::uint64_t>(count) > left_ / sizeof(T)) {
      ok_ = false;
      return nullptr;
    }
    std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
    const T* p = reinterpret_cast<const T*>(at_);
    bytes = (bytes + 7) & ~std::size_t{7};
    if (bytes > left_) bytes = left_;
    at_ += bytes;
    left_ -= bytes;
    return p;
  }
  bool ok() const { return ok_; }

 private:
  const char* at_;
  std::size_t left_;
  bool ok_ = true;
};

}  // namespace

std::string parse_blob(const void* data, std::size_t size, OpTable* c, PauliSums* o) {
  if (reinterpret_cast<std::uintptr_t>(data) % 8) return "circuit data is not aligned";
  Reader r(static_cast<const char*>(data), size);
  const std::int64_t* h = r.take<std::int64_t>(8);
  if (!h || h[0] != kBlobMagic) return "not a circuit";
  if (h[1] < 1 || h[1] > 62 || h[4] < 0 || h[4] > 62) return "circuit header out of range";
  *c = OpTable();
  *o = PauliSums();
  c->num_qubits = static_cast<int>(h[1]);
  c->num_ops = h[2], c->num_angles = h[3];
  c->max_wires = static_cast<std::int32_t>(h[4]);
  c->matrices_size = h[5];
  o->num_observables = h[6], o->num_terms = h[7];
  c->kind = r.take<std::int32_t>(h[2]);
  c->kappa = r.take<std::int32_t>(h[2]);
  c->slot = r.take<std::int32_t>(h[2]);
  c->wires = r.take<std::int32_t>(r.ok() ? h[2] * h[4] : -1);
  c->x = r.take<std::int64_t>(h[2]);
  c->z = r.take<std::int64_t>(h[2]);
  c->ctrl = r.take<std::int64_t>(h[2]);
  c->matrix_offset = r.take<std::int64_t>(h[2]);
  c->scale = r.take<double>(h[2]);
  c->offset = r.take<double>(h[2]);
  c->matrices = r.take<double>(h[5] < (std::int64_t{1} << 40) ? 2 * h[5] : -1);
  o->x = r.take<std::int64_t>(h[7]);
  o->z = r.take<std::int64_t>(h[7]);
  o->coefficient = r.take<double>(h[7]);
  o->offsets = r.take<std::int64_t>(h[6] >= 0 && h[6] < (std::int64_t{1} << 40) ? h[6] + 1 : -1);
  if (!r.ok() || h[3] < 0) return "circuit data is too short";
  if (o->offsets[0] != 0 || o->offsets[h[6]] != h[7]) return "observable offsets do not fit the terms";
  for (std::int64_t k = 0; k < h[6]; ++k)
    if (o->offsets[k] > o->offsets[k + 1]) return "observable offsets decrease";
  return "";
}

std::string parse_bases(const void* data, std::size_t size, Bases* b) {
  if (reinterpret_cast<std::uintptr_t>(data) % 8) return "bases data is not aligned";
  Reader r(static_cast<const char*>(data), size);
  const std::int64_t* h = r.take<std::int64_t>(4);
  if (!h || h[0] != kBasesMagic) return "not measurement bases";
  constexpr std::int64_t kMany = std::int64_t{1} << 30;
  if (h[1] < 0 || h[1] > kMany || h[2] < 0 || h[2] > kMany) return "bases header out of range";
  b->num_bases = h[1], b->num_observables = h[2], b->num_terms = h[3];
  b->x = r.take<std::int64_t>(h[1]);
  b->z = r.take<std::int64_t>(h[1]);
  b->support = r.take<std::int64_t>(h[3]);
  b->coefficient = r.take<double>(h[3]);
  const std::int64_t sums = h[1] * h[2];
  b->offsets = r.take<std::int64_t>(sums + 1);
  if (!r.ok()) return "bases data is too short";
  if (b->offsets[0] != 0 || b->offsets[sums] != h[3]) return "basis offsets do not fit the terms";
  for (std::int64_t i = 0; i < sums; ++i)
    if (b->offsets[i] > b->offsets[i + 1]) return "basis offsets decrease";
  return "";
}

}  // namespace qcgrad
