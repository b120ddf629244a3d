#include "design/formula.hpp"
#include "jensen/train.hpp"

namespace jensen {

std::vector<std::string> formula_columns(std::string_view formula) { return parse_formula(formula).columns(); }

}  // namespace jensen
