#pragma once
/// \file What a guide computes in closed form: its entropy and the expectation of a quadratic reference.
///
/// Latent coordinates are chosen so that the log joint l(w) is near r(w) = -rho/2 |w|^2 + constant. So
///
///     E_q l = E_q [l - r] + E_q r,      E_q r = -rho/2 (|m|^2 + trace of q's covariance)
///
/// and only the first, small expectation is estimated from draws: a control variate (Miller, Foti, D'Amour & Adams
/// 2017, "Reducing reparameterization gradient variance"). It is exact for any l; rho = 0 turns it off.

#include "host_device.hpp"

namespace jensen {

/// One element of lambda's share of entropy + E_q r, and its derivative.
struct ClosedForm {
  double value, derivative;
};

/// A location coordinate: -rho/2 m^2.
JENSEN_HD ClosedForm closed_form_location(double rho, double m) { return {-0.5 * rho * m * m, -rho * m}; }
/// Log of a scale: its entropy, and -rho/2 size^2 scale^2 where size^2 is the squared length of the scaled direction.
JENSEN_HD ClosedForm closed_form_log_scale(double rho, double log_scale, double scale, double size_squared) {
  const double energy = rho * scale * scale * size_squared;
  return {log_scale - 0.5 * energy, 1 - energy};
}

}  // namespace jensen
