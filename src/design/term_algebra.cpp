#include "design/term_algebra.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace jensen {
namespace {

Terms sum_of(const Terms& a, const Terms& b) {
  TermSet terms;
  for (const Term& term : a) terms.add(term);
  for (const Term& term : b) terms.add(term);
  return terms.list();
}

}  // namespace

Terms TermSet::list() const {
  std::vector<std::pair<std::size_t, const Term*>> order;
  for (const auto& [term, place] : places_) order.emplace_back(place, &term);
  std::sort(order.begin(), order.end());
  Terms terms;
  for (const auto& [place, term] : order) terms.push_back(*term);
  return terms;
}

Term unite(const Term& a, const Term& b) {
  Term both;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

Terms interact(const Terms& a, const Terms& b) {
  TermSet terms;
  for (const Term& left : a) {
    for (const Term& right : b) terms.add(unite(left, right));
  }
  return terms.list();
}

Terms cross(const Terms& a, const Terms& b) { return sum_of(sum_of(a, b), interact(a, b)); }

Terms within(const Terms& b, const Terms& a) {
  Term all;
  for (const Term& term : a) all = unite(all, term);
  return interact(b, {all});
}

Terms nest(const Terms& a, const Terms& b) { return sum_of(a, within(b, a)); }

}  // namespace jensen
