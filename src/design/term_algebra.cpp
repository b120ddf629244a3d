#include "design/term_algebra.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace jensen {
namespace {

FormulaTerms sum_of(const FormulaTerms& a, const FormulaTerms& b) {
  FormulaTermSet terms;
  for (const FormulaTerm& term : a) terms.add(term);
  for (const FormulaTerm& term : b) terms.add(term);
  return terms.list();
}

}  // namespace

FormulaTerms FormulaTermSet::list() const {
  std::vector<std::pair<std::size_t, const FormulaTerm*>> order;
  for (const auto& [term, place] : places_) order.emplace_back(place, &term);
  std::sort(order.begin(), order.end());
  FormulaTerms terms;
  for (const auto& [place, term] : order) terms.push_back(*term);
  return terms;
}

FormulaTerm unite(const FormulaTerm& a, const FormulaTerm& b) {
  FormulaTerm both;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

FormulaTerms interact(const FormulaTerms& a, const FormulaTerms& b) {
  FormulaTermSet terms;
  for (const FormulaTerm& left : a) {
    for (const FormulaTerm& right : b) terms.add(unite(left, right));
  }
  return terms.list();
}

FormulaTerms cross(const FormulaTerms& a, const FormulaTerms& b) { return sum_of(sum_of(a, b), interact(a, b)); }

FormulaTerms within(const FormulaTerms& b, const FormulaTerms& a) {
  FormulaTerm all;
  for (const FormulaTerm& term : a) all = unite(all, term);
  return interact(b, {all});
}

FormulaTerms nest(const FormulaTerms& a, const FormulaTerms& b) { return sum_of(a, within(b, a)); }

}  // namespace jensen
