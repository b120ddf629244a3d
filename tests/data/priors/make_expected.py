"""Writes densities.csv, horseshoe.csv and lkj.csv beside this file: what tests/prior_density_test.cpp compares with.

Densities are the textbooks' formulas, on the parameter's own scale, in 60 digits, with Jacobian and normalising
constant; slopes are mpmath's numerical derivatives. scipy's densities are asserted to agree where it has them.
Needs mpmath and scipy:  python3 make_expected.py
"""

import csv
import pathlib

import mpmath as mp
from scipy import special, stats

mp.mp.dps = 60
inf = mp.inf


def number(text):
    return mp.mpf(text)


def normal(x, m, s):
    return -mp.log(2 * mp.pi) / 2 - mp.log(s) - ((x - m) / s) ** 2 / 2


def student_t(x, df, m, s):
    constant = mp.loggamma((df + 1) / 2) - mp.loggamma(df / 2) - mp.log(df * mp.pi) / 2 - mp.log(s)
    return constant - (df + 1) / 2 * mp.log(1 + ((x - m) / s) ** 2 / df)


def logistic(x, m, s):
    r = (x - m) / s
    return -r - 2 * mp.log(1 + mp.exp(-r)) - mp.log(s)


def uniform(x, lower, upper):
    return -mp.log(upper - lower) if lower <= x <= upper else -inf


def beta(x, rest, a, b):  # rest = 1 - x, given apart since it is what cancels
    return (a - 1) * mp.log(x) + (b - 1) * mp.log(rest) - mp.log(mp.beta(a, b))


# Log density of the parameter x; the half distributions twice their whole ones.
real = {
    "normal": normal,
    "student_t": student_t,
    "cauchy": lambda x, m, s: -mp.log(mp.pi * s) - mp.log(1 + ((x - m) / s) ** 2),
    "laplace": lambda x, m, s: -mp.log(2 * s) - abs(x - m) / s,
    "logistic": logistic,
    "uniform": uniform,
}
positive = {
    "half_normal": lambda x, s: mp.log(2) + normal(x, 0, s),
    "half_student_t": lambda x, df, s: mp.log(2) + student_t(x, df, 0, s),
    "half_cauchy": lambda x, s: mp.log(2 / (mp.pi * s)) - mp.log(1 + (x / s) ** 2),
    "exponential": lambda x, rate: mp.log(rate) - rate * x,
    "gamma": lambda x, k, rate: k * mp.log(rate) - mp.loggamma(k) + (k - 1) * mp.log(x) - rate * x,
    "inverse_gamma": lambda x, k, s: k * mp.log(s) - mp.loggamma(k) - (k + 1) * mp.log(x) - s / x,
    "lognormal": lambda x, m, s: normal(mp.log(x), m, s) - mp.log(x),
    "uniform": uniform,
    "flat": lambda x: mp.mpf(0),
}

# Multiples of 1/64: exact in single precision.
near = ["-12", "-7.5", "-3", "-1.5", "-0.90625", "-0.296875", "-0.109375", "-0.015625"]
coordinates = ["-80", "-30"] + near + ["0"] + [a[1:] for a in reversed(near)] + ["30", "80"]


def on_real(name, arguments):
    return lambda a: real[name](a, *arguments)


def on_positive(name, arguments):
    return lambda a: positive[name](mp.exp(a), *arguments) + a


def on_unit(name, arguments):
    def density(a):
        x, rest = 1 / (1 + mp.exp(-a)), 1 / (1 + mp.exp(a))
        f = uniform(x, *arguments) if name == "uniform" else beta(x, rest, *(arguments or [1, 1]))
        return f + mp.log(x) + mp.log(rest)

    return density


def on_correlation(name, arguments):  # of a 2 x 2 matrix: (1 - r^2)^(eta - 1), r = tanh a
    (eta,) = arguments or [mp.mpf(1)]

    def density(a):
        sech_square = 1 / mp.cosh(a) ** 2
        return eta * mp.log(sech_square) - mp.log(2 ** (2 * eta - 1) * mp.beta(eta, eta))

    return density


priors = [
    (on_real, "real", ["normal(0, 1)", "normal(-3, 0.5)", "normal(50, 0.001)", "normal(0.1, 1000)"]),
    (on_real, "real", ["student_t(3, 0, 2.5)", "student_t(1, -3, 0.001)", "student_t(100, 0.1, 1000)"]),
    (on_real, "real", ["cauchy(0, 2.5)", "cauchy(0.1, 0.01)"]),
    (on_real, "real", ["laplace(0, 1)", "laplace(-3, 0.1)", "laplace(0.1, 100)"]),
    (on_real, "real", ["logistic(0, 1)", "logistic(-3, 0.1)", "logistic(0.1, 100)"]),
    (on_real, "real", ["uniform(-1, 1)", "uniform(-100, 10.1)", "uniform(2, 1e6)"]),
    (on_positive, "positive", ["half_normal(0, 1)", "half_normal(0, 0.01)", "half_normal(0, 1000)"]),
    (on_positive, "positive", ["half_student_t(3, 0, 2.5)", "half_student_t(7.5, 0, 0.01)"]),
    (on_positive, "positive", ["half_cauchy(0, 1)", "half_cauchy(0, 0.01)", "half_cauchy(0, 100)"]),
    (on_positive, "positive", ["exponential(1)", "exponential(0.01)", "exponential(300)"]),
    (on_positive, "positive", ["gamma(1, 1)", "gamma(0.01, 0.01)", "gamma(2, 0.1)", "gamma(1000, 900)"]),
    (on_positive, "positive", ["inverse_gamma(3, 2)", "inverse_gamma(0.4, 0.3)", "inverse_gamma(1000, 900)"]),
    (on_positive, "positive", ["lognormal(0, 1)", "lognormal(-3, 0.1)"]),
    (on_positive, "positive", ["uniform(0, 10)", "uniform(0.5, 1000)", "flat()"]),
    (on_unit, "unit", ["beta(1, 1)", "beta(0.5, 0.5)", "beta(2, 30)", "beta(1000, 900)", "flat()", "uniform(0, 1)"]),
    (on_unit, "unit", ["uniform(0, 0.4)", "uniform(0.1, 0.9)", "uniform(0.3, 1)"]),
    (on_correlation, "correlation", ["lkj(1)", "lkj(2)", "lkj(0.5)", "lkj(50)", "flat()"]),
]


def read(text):
    name, rest = text.rstrip(")").split("(")
    arguments = [number(t) for t in rest.split(",") if t.strip()]
    if name.startswith("half_"):
        del arguments[-2]
    return name, arguments


def slope(f, a):
    """The derivative; 0 at the kink of laplace, and where f is -infinity."""
    if f(a) == -inf:
        return mp.mpf(0)
    h = mp.mpf(10) ** -14
    if abs((f(a + h) - f(a)) / h - (f(a) - f(a - h)) / h) > mp.mpf(10) ** -6 * (1 + abs(f(a + h) - f(a - h)) / h):
        return mp.mpf(0)
    return (8 * (f(a + h) - f(a - h)) - (f(a + 2 * h) - f(a - 2 * h))) / (12 * h)


def text(x):
    return "-inf" if x == -inf else mp.nstr(x, 19, strip_zeros=True, min_fixed=-5, max_fixed=25)


def agrees(a, b):
    return abs(float(a) - b) <= 1e-9 * (1 + abs(b))


def check_against_scipy():
    x = 0.7
    pairs = [
        (real["normal"](number(x), 1, 2), stats.norm(1, 2)),
        (real["student_t"](number(x), number(3), 1, 2), stats.t(3, 1, 2)),
        (real["cauchy"](number(x), 1, 2), stats.cauchy(1, 2)),
        (real["laplace"](number(x), 1, 2), stats.laplace(1, 2)),
        (real["logistic"](number(x), 1, 2), stats.logistic(1, 2)),
        (positive["half_normal"](number(x), 2), stats.halfnorm(scale=2)),
        (positive["half_cauchy"](number(x), 2), stats.halfcauchy(scale=2)),
        (positive["exponential"](number(x), 2), stats.expon(scale=1 / 2)),
        (positive["gamma"](number(x), number(3), number(2)), stats.gamma(3, scale=1 / 2)),
        (positive["inverse_gamma"](number(x), number(3), number(2)), stats.invgamma(3, scale=2)),
        (positive["lognormal"](number(x), 1, 2), stats.lognorm(2, scale=float(mp.e))),
        (beta(number(x), 1 - number(x), number(3), number(2)), stats.beta(3, 2)),
    ]
    for ours, scipys in pairs:
        assert agrees(ours, float(scipys.logpdf(x))), scipys.dist.name


def write_densities(path):
    with open(path, "w", newline="") as file:
        file.write("support,coordinate,log_density,slope,prior\n")
        for make, support, texts in priors:
            for prior in texts:
                f = make(*read(prior))
                for a in coordinates:
                    file.write(f"{support},{a},{text(f(number(a)))},{text(slope(f, number(a)))},{prior}\n")


def horseshoe(beta_, log_lambda, log_tau, log_c):
    lam2, tau2, c2 = (mp.exp(2 * v) for v in (log_lambda, log_tau, log_c))
    variance = tau2 * c2 * lam2 / (c2 + tau2 * lam2)
    return normal(beta_, 0, mp.sqrt(variance))


def write_horseshoe(path):
    scales = [("0", "0", "0"), ("1.5", "-3", "0.75"), ("-2", "-4.5", "1"), ("5", "-1", "0.5"), ("0.25", "2", "-7.5"),
              ("12", "-12", "3"), ("80", "-80", "0.5"), ("-80", "80", "-0.5"), ("80", "80", "1"), ("-80", "-80", "1"),
              ("3", "2", "80"), ("3", "2", "-80"), ("-80", "-80", "-80"), ("80", "80", "80")]
    with open(path, "w", newline="") as file, mp.workdps(600):  # exp(320) and exp(-320) meet in one sum
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["beta", "log_lambda", "log_tau", "log_c", "log_density", "d0", "d1", "d2", "d3"])
        for scale in scales:
            for beta_ in ["0", "0.015625", "-0.296875", "1.5", "-12"]:
                at = [number(t) for t in (beta_, *scale)]
                slopes = [mp.diff(horseshoe, tuple(at), tuple(int(i == k) for i in range(4))) for k in range(4)]
                out.writerow([beta_, *scale, text(horseshoe(*at)), *(text(s) for s in slopes)])


def write_lkj(path):
    """log of the integral of det(R)^(eta - 1), from the law of the correlations of a Wishart matrix with identity
    scale: Gamma_q(alpha) / Gamma(alpha)^q, alpha = eta + (q - 1) / 2 (Gupta & Nagar 2000, theorem 3.3.24)."""
    volumes = {2: mp.mpf(2), 3: mp.pi**2 / 2, 4: 32 * mp.pi**2 / 27}  # of all correlation matrices: eta = 1
    with open(path, "w", newline="") as file:
        file.write("eta,size,log_integral\n")
        for eta in [1, 0.5, 2, 3.25, 40]:
            for q in [2, 3, 4, 10]:
                alpha = eta + (q - 1) / 2
                value = float(special.multigammaln(alpha, q) - q * special.gammaln(alpha))
                assert eta != 1 or q not in volumes or agrees(mp.log(volumes[q]), value)
                file.write(f"{eta},{q},{value:.15g}\n")


here = pathlib.Path(__file__).parent
check_against_scipy()
write_densities(here / "densities.csv")
write_horseshoe(here / "horseshoe.csv")
write_lkj(here / "lkj.csv")
