# The same in Stan, through rstan; one thread.   Rscript stan_peer.R steps|train PROBLEM CACHE [name=value ...]
#
# steps: S gradients of the log joint at draws of q, pulled back to q (Stan has no entry for its ELBO's gradient alone).
# train: rstan::vb, meanfield. It keeps no parameters along the way, so each entry of `iterations` is a run of its own.
suppressMessages({
  library(rstan)
  library(jsonlite)
})
command <- commandArgs(trailingOnly = TRUE)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
mode <- command[1]
cache <- command[3]
options <- list(samples = 1, steps = 1, iterations = "10000", eta = 0, tol_rel_obj = 0.01, eval_elbo = 100,
                elbo_samples = 100)
for (pair in strsplit(command[-(1:3)], "=")) options[[pair[1]]] <- pair[2]
number <- function(name) as.numeric(options[[name]])

file <- file(command[2], "rb")
stopifnot(readChar(file, 8, useBytes = TRUE) == "JENSENP1")
sizes <- readBin(file, "integer", 4, size = 4, endian = "little") # low and high words of two 64-bit integers
n <- sizes[1]
d <- sizes[3]
prior_sd <- readBin(file, "double", 1, size = 8, endian = "little")
floats <- function(count) readBin(file, "numeric", count, size = 4, endian = "little")
y <- floats(n)
x <- matrix(floats(n * d), n, d, byrow = TRUE)
mean <- floats(d)
log_sd <- floats(d)
close(file)
data <- list(N = n, D = d, x = x, y = as.integer(y), prior_sd = prior_sd)

# Compiled once and kept in CACHE, tuned for this processor.
dir.create(cache, showWarnings = FALSE, recursive = TRUE)
makevars <- file.path(cache, "Makevars")
writeLines(c("CXX14 = g++", "CXX14STD = -std=gnu++14", "CXX14PICFLAGS = -fPIC",
             "CXX14FLAGS = -O3 -march=native -mtune=native -w"), makevars)
Sys.setenv(R_MAKEVARS_USER = makevars)
kept <- file.path(cache, "logistic.rds")
begin <- proc.time()[["elapsed"]]
if (file.exists(kept)) {
  model <- readRDS(kept)
} else {
  # Debian keeps Boost and Eigen outside R's own folders.
  elsewhere <- function(package, folder) if (nzchar(system.file("include", package = package))) NULL else folder
  model <- stan_model(file.path(here, "logistic.stan"), save_dso = TRUE,
                      boost_lib = elsewhere("BH", "/usr/include"), eigen_lib = elsewhere("RcppEigen", "/usr/include/eigen3"))
  saveRDS(model, kept)
}
compile_s <- proc.time()[["elapsed"]] - begin

answer <- function(value) {
  cat(toJSON(value, auto_unbox = TRUE, digits = NA), "\n", sep = "")
  flush(stdout())
}
quiet <- function(code) {
  invisible(capture.output(result <- suppressWarnings(suppressMessages(code))))
  result
}
versions <- list(rstan = as.character(packageVersion("rstan")), stan = stan_version(), device = "cpu, one thread")

if (mode == "steps") {
  handle <- quiet(sampling(model, data = data, chains = 0))
  samples <- number("samples")
  set.seed(1)
  entropy <- sum(log_sd) + d / 2 * (1 + log(2 * pi))
  log_prior_constant <- -d * (log(prior_sd) + log(2 * pi) / 2) # grad_log_prob leaves constants out
  estimate <- function() {
    value <- 0
    gradient <- numeric(2 * d)
    for (s in seq_len(samples)) {
      eps <- rnorm(d)
      g <- grad_log_prob(handle, mean + exp(log_sd) * eps)
      value <- value + attr(g, "log_prob") / samples
      gradient <- gradient + c(g, g * exp(log_sd) * eps) / samples
    }
    list(value = value + entropy + log_prior_constant, gradient = gradient + rep(c(0, 1), each = d))
  }
  count <- max(2, 64 / samples)
  estimates <- lapply(seq_len(count), function(k) estimate())
  ready <- list(compile_s = compile_s, versions = versions,
                elbo = base::mean(sapply(estimates, `[[`, "value")),
                gradient = rowMeans(sapply(estimates, `[[`, "gradient")), draws = samples * count)
  run <- function() {
    begin <- proc.time()[["elapsed"]]
    clock <- Sys.time()
    for (i in seq_len(number("steps"))) estimate()
    list(seconds = as.numeric(difftime(Sys.time(), clock, units = "secs")) / number("steps"))
  }
} else {
  ready <- list(compile_s = compile_s, versions = versions)
  adapt <- number("eta") == 0
  run <- function() {
    result <- list(seconds = c(), mean = list(), sd = list())
    for (iterations in as.numeric(strsplit(options$iterations, ",")[[1]])) {
      fitted <- function(draws) {
        quiet(vb(model, data = data, algorithm = "meanfield", seed = 1, iter = iterations, init = 0,
                 adapt_engaged = adapt, eta = if (adapt) 1 else number("eta"), tol_rel_obj = number("tol_rel_obj"),
                 grad_samples = number("samples"), eval_elbo = number("eval_elbo"),
                 elbo_samples = number("elbo_samples"), output_samples = draws, importance_resampling = FALSE))
      }
      clock <- Sys.time()
      fitted(10)
      result$seconds <- c(result$seconds, as.numeric(difftime(Sys.time(), clock, units = "secs")))
      fit <- fitted(2000) # the same q again, untimed, with draws enough for its sds
      result$mean <- c(result$mean, list(unname(get_posterior_mean(fit, pars = "b")[, 1])))
      result$sd <- c(result$sd, list(unname(apply(as.matrix(fit, pars = "b"), 2, stats::sd))))
    }
    lapply(result, function(part) if (is.list(part)) part else I(part))
  }
}

answer(ready)
input <- file("stdin", "r")
while (length(readLines(input, 1)) > 0) answer(run())
