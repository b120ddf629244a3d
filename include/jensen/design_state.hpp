#pragma once
/// \file What the columns of a design owe to the training table; predict needs it to rebuild them.

#include <string>
#include <vector>

namespace jensen {

/// Levels of one factor of the formula, as learned from the training table; the first is the reference.
struct FactorLevels {
  std::string column;
  std::vector<std::string> levels;
  bool text = false;  ///< the column was text in training; false: numbers, made a factor by factor(column)
};

/// Constants of one function that learns them: of `poly(x, k)` alpha_1..k, then beta_0..k of the three-term recurrence
/// of its orthonormal polynomials; of `scale(x)` mean and sd.
struct LearnedColumns {
  std::string expression;  ///< as the coefficients' names have it: poly(x, 2), scale(log(x))
  std::vector<double> values;
};

/// Levels of one grouping factor. Those of `g:h` are the pairs that occur, written a_b.
struct GroupLevels {
  std::string group;                      ///< g or g:h
  std::vector<std::string> levels;        ///< text by bytes, numbers ascending; of g:h by g, then by h
  std::vector<std::string> text_columns;  ///< those of g, h that were text in training
};

struct DesignState {
  std::vector<FactorLevels> factors;
  std::vector<LearnedColumns> learned;
  std::vector<GroupLevels> groups;
};

}  // namespace jensen
