#pragma once
/// \file Columns whose constants are learned from the training rows: poly(x, k) and scale(x).

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "jensen/table.hpp"

namespace jensen {

/// Polynomials orthonormal over the training rows, as R's poly(). With q_0 = 1 / beta_0,
///   beta_k q_k(x) = (x - alpha_k) q_{k-1}(x) - beta_{k-1} q_{k-2}(x)
/// (Kennedy & Gentle 1980, Statistical Computing, 343-4; Forsythe 1957). Coefficients: alpha_1..k, beta_0..k.
/// `x` has numbers in `rows`. Throws InputError if x has at most `degree` distinct values there.
std::vector<double> learn_polynomials(const Column& x, std::span<const std::uint32_t> rows, int degree,
                                      const std::string& label, const std::string& source);
/// q_1(x)..q_k(x) in `rows`; other rows hold NaN.
std::vector<Column> polynomials(const Column& x, std::span<const std::uint32_t> rows,
                                const std::vector<double>& coefficients);

/// Mean and sd (n - 1). Throws InputError if x does not vary.
std::vector<double> learn_scale(const Column& x, std::span<const std::uint32_t> rows, const std::string& label,
                                const std::string& source);
/// (x - mean) / sd in `rows`; other rows hold NaN.
Column scaled(const Column& x, std::span<const std::uint32_t> rows, const std::vector<double>& mean_and_sd);

}  // namespace jensen
