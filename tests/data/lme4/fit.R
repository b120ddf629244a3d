# Maximum-likelihood fits of mixed models as JSON, for comparison with posteriors of the same models.
#
#   Rscript fit.R MODEL DATA OUT.json
#
# MODEL is a name in `models` below; DATA is the table that it says (csv, csv.gz, json). Needs lme4, jsonlite, and glmmTMB
# for the negative binomial. `conditional` holds modes of the group effects given the estimates, and their standard
# deviations: given the estimates for lme4's fits (so without the uncertainty of coefficients and variances), with the
# uncertainty of all estimates (delta method) for glmmTMB's. `seconds` is the time of a fit with default settings; lme4's
# numbers are of a second fit that starts there and stops later, for the default stops at three digits of a small sd.

suppressMessages({
  library(lme4)
  library(jsonlite)
})

# `keep`: so many levels of a group are stored, all where it names none.
conditional <- function(fit, keep = list()) {
  effects <- ranef(fit, condVar = TRUE)
  if (inherits(fit, "glmmTMB")) effects <- effects$cond
  out <- lapply(names(effects), function(group) {
    levels <- rownames(effects[[group]])
    variance <- attr(effects[[group]], if (inherits(fit, "glmmTMB")) "condVar" else "postVar")
    n <- min(length(levels), if (is.null(keep[[group]])) Inf else keep[[group]])
    rows <- seq_len(n)
    list(
      levels_in_all = length(levels), level = I(levels[rows]),
      mode = I(effects[[group]][rows, 1]), sd = I(sqrt(as.numeric(variance[1, 1, ])[rows]))
    )
  })
  names(out) <- names(effects)
  out
}

fixed_effects <- function(estimates, covariance) {
  list(name = I(names(estimates)), estimate = I(unname(estimates)), se = I(unname(sqrt(diag(as.matrix(covariance))))))
}

group_sds <- function(variances) lapply(variances, function(v) unname(attr(v, "stddev")))

merged <- function(fit, seconds, keep = list()) {
  gradient <- fit@optinfo$derivs$gradient # of the deviance, by finite differences
  list(
    formula = deparse1(formula(fit)), rows = nobs(fit), estimation = if (isREML(fit)) "REML" else "ML",
    fixed = fixed_effects(fixef(fit), vcov(fit)), sd = group_sds(VarCorr(fit)),
    sigma = if (isLMM(fit)) sigma(fit) else NULL,
    log_likelihood = as.numeric(logLik(fit)), largest_gradient = max(abs(gradient)),
    messages = I(as.character(unlist(fit@optinfo$conv$lme4$messages))),
    conditional = conditional(fit, keep), seconds = seconds
  )
}

timed <- function(make) {
  seconds <- system.time(fit <- make())[["elapsed"]]
  list(fit = fit, seconds = seconds)
}

linear <- function(formula, data, keep = list()) {
  fits <- lapply(c(ML = FALSE, REML = TRUE), function(restricted) {
    run <- timed(function() lmer(formula, data, REML = restricted))
    tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.01, rhoend = 1e-9))
    merged(update(run$fit, start = getME(run$fit, "theta"), control = tight), run$seconds, keep)
  })
  names(fits) <- c("ML", "REML")
  fits
}

# Sum over rows of log of the integral of binomial(hits | at_bats, logistic(intercept + r)) normal(r | 0, sd) dr. The
# log likelihood that glmer reports with more than one quadrature point lacks a constant; this one is whole.
binomial_log_likelihood <- function(hits, at_bats, intercept, sd) {
  one <- function(y, n) {
    log_joint <- function(r) dbinom(y, n, plogis(intercept + r), log = TRUE) + dnorm(r, 0, sd, log = TRUE)
    top <- optimize(log_joint, c(-8, 8) * sd, maximum = TRUE, tol = 1e-10)
    peak <- function(r) exp(log_joint(r) - top$objective)
    halves <- list(c(-12 * sd, top$maximum), c(top$maximum, 12 * sd))
    parts <- sapply(halves, function(h) integrate(peak, h[1], h[2], rel.tol = 1e-11, subdivisions = 1000)$value)
    top$objective + log(sum(parts))
  }
  sum(mapply(one, hits, at_bats))
}

batting <- function(data) {
  quadrature <- function(points) {
    run <- timed(function() {
      glmer(cbind(H, AB - H) ~ 1 + (1 | player), data, family = binomial, nAGQ = points)
    })
    start <- list(theta = getME(run$fit, "theta"), fixef = fixef(run$fit))
    tight <- glmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.001, rhoend = 1e-9), tolPwrss = 1e-12)
    fit <- update(run$fit, start = start, control = tight)
    out <- merged(fit, run$seconds)
    sd <- unname(attr(VarCorr(fit)$player, "stddev"))
    out$log_likelihood_by_integration <- binomial_log_likelihood(data$H, data$AB, fixef(fit)[[1]], sd)
    out
  }
  list(laplace = quadrature(1), quadrature_25 = quadrature(25))
}

# Predictors standardised over all rows of DATA, as in a fit of the same formula by MCMC to a part of them.
motor_claims <- function(data) {
  suppressMessages(library(glmmTMB))
  predictors <- data.frame(
    driv_age = data$DrivAge, log_density = log(data$Density), bonus_malus = data$BonusMalus, veh_power = data$VehPower
  )
  table <- data.frame(
    claims = data$ClaimNb_corrected, exposure = data$Exposure, scale(predictors), Region = data$Region
  )
  run <- timed(function() {
    glmmTMB(
      claims ~ 1 + driv_age + log_density + bonus_malus + veh_power + offset(log(exposure)) + (1 | Region),
      table, family = nbinom2
    )
  })
  fit <- run$fit
  list(
    formula = deparse1(formula(fit)), rows = nobs(fit), estimation = "ML (Laplace)",
    predictors = list(name = I(names(predictors)), mean = I(unname(colMeans(predictors))),
                      sd = I(unname(sapply(predictors, sd)))),
    fixed = fixed_effects(fixef(fit)$cond, vcov(fit)$cond), sd = group_sds(VarCorr(fit)$cond),
    shape = sigma(fit), log_shape_se = unname(sqrt(fit$sdr$cov.fixed["betad", "betad"])),
    log_likelihood = as.numeric(logLik(fit)), largest_gradient = max(abs(fit$sdr$gradient.fixed)),
    positive_definite_hessian = fit$sdr$pdHess, messages = I(fit$fit$message),
    conditional = conditional(fit), seconds = run$seconds
  )
}

models <- list(
  # InstEval of lme4: 73,421 lecture evaluations
  insteval = function(data) {
    linear(y ~ 1 + service + (1 | s) + (1 | d) + (1 | dept:service), data, keep = list(s = 50, d = 50))
  },
  # columns log_radon, floor, log_uppm, county
  radon = function(data) linear(log_radon ~ 1 + floor + log_uppm + (1 | county), data),
  # posteriordb's radon_all.json; floor 9 stands for an unknown floor
  radon_all = function(data) {
    linear(log_radon ~ 1 + floor_measure + log_uppm + (1 | county_idx), subset(data, floor_measure != 9),
      keep = list(county_idx = 50))
  },
  # columns H (hits), AB (at bats), player
  batting = batting,
  # freMTPL2freq with the column ClaimNb_corrected
  motor_claims = motor_claims
)

arguments <- commandArgs(TRUE)
if (length(arguments) != 3 || !arguments[1] %in% names(models)) {
  stop("usage: Rscript fit.R ", paste(names(models), collapse = "|"), " DATA OUT.json")
}
table <- if (endsWith(arguments[2], ".json")) {
  contents <- fromJSON(arguments[2])
  as.data.frame(contents[lengths(contents) > 1])
} else {
  read.csv(arguments[2])
}
result <- models[[arguments[1]]](table)
result$software <- list(
  R = paste(R.version$major, R.version$minor, sep = "."), lme4 = as.character(packageVersion("lme4")),
  glmmTMB = if (arguments[1] == "motor_claims") as.character(packageVersion("glmmTMB")) else NULL
)
write_json(result, arguments[3], digits = NA, auto_unbox = TRUE, pretty = TRUE, null = "null")
