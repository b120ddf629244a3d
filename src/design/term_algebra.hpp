#pragma once
/// \file Terms of a formula as sets of variables, and R's operators on sums of terms.

#include <cstddef>
#include <map>
#include <vector>

namespace jensen {

using Term = std::vector<int>;  ///< ascending indices of variables
using Terms = std::vector<Term>;

/// A sum: terms in order of appearance, each once.
class TermSet {
 public:
  void add(Term term) {
    if (places_.try_emplace(std::move(term), next_).second) ++next_;
  }
  void remove(const Term& term) { places_.erase(term); }
  Terms list() const;

 private:
  std::map<Term, std::size_t> places_;
  std::size_t next_ = 0;
};

Term unite(const Term& a, const Term& b);

/// a:b, every term of a with every term of b.
Terms interact(const Terms& a, const Terms& b);
/// a*b = a + b + a:b
Terms cross(const Terms& a, const Terms& b);
/// b %in% a: every term of b with all variables of a.
Terms within(const Terms& b, const Terms& a);
/// a/b = a + b %in% a
Terms nest(const Terms& a, const Terms& b);

}  // namespace jensen
