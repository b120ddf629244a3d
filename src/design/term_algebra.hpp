#pragma once
/// \file Terms of a formula as sets of variables, and R's operators on sums of terms.

#include <cstddef>
#include <map>
#include <vector>

namespace jensen {

using FormulaTerm = std::vector<int>;  ///< ascending indices of variables
using FormulaTerms = std::vector<FormulaTerm>;

/// A sum: terms in order of appearance, each once.
class FormulaTermSet {
 public:
  void add(FormulaTerm term) {
    if (places_.try_emplace(std::move(term), next_).second) ++next_;
  }
  void remove(const FormulaTerm& term) { places_.erase(term); }
  FormulaTerms list() const;

 private:
  std::map<FormulaTerm, std::size_t> places_;
  std::size_t next_ = 0;
};

FormulaTerm unite(const FormulaTerm& a, const FormulaTerm& b);

/// a:b, every term of a with every term of b.
FormulaTerms interact(const FormulaTerms& a, const FormulaTerms& b);
/// a*b = a + b + a:b
FormulaTerms cross(const FormulaTerms& a, const FormulaTerms& b);
/// b %in% a: every term of b with all variables of a.
FormulaTerms within(const FormulaTerms& b, const FormulaTerms& a);
/// a/b = a + b %in% a
FormulaTerms nest(const FormulaTerms& a, const FormulaTerms& b);

}  // namespace jensen
