// The model of problem.py; bernoulli_logit_glm is the form Stan's guide recommends for speed.
data {
  int<lower=1> N;
  int<lower=1> D;
  matrix[N, D] x;
  int<lower=0, upper=1> y[N];
  real<lower=0> prior_sd;
}
parameters {
  vector[D] b;
}
model {
  b ~ normal(0, prior_sd);
  y ~ bernoulli_logit_glm(x, 0, b);
}
