# Writes expected.json: a small table, formulas, and the columns that R's model.matrix makes of them; for some also the
# columns of new rows, and for group terms what lme4 makes of them.
# Run: Rscript make_expected.R   (base R and lme4)
invisible(Sys.setlocale("LC_COLLATE", "C"))

table <- data.frame(
  y = c(0.5, 1.25, -2, 3, 0, 7.5, -1, 2.25, 4, 1, 0.75, 6, 2, 3.5),
  x = c(1.5, -0.25, NA, 2, 3.75, -1, 0.5, 4, -2.5, 1, 0, 2.25, -3, 0.125),
  z = c(2, 5, 1, -1, 0.5, 3, NA, 1.5, -2, 4, 0.25, 6, 7, -0.75),
  p = c(1, 20.5, 3, 0.125, 7, 2, 1e-3, 11, 5, 8, 150, 2.5, NA, 30),
  month = c(12, 2, 7, 2, 10, 12, 7, 10, 2, 12, 7, 10, 2, 7),
  half = c(0.5, 1.5, 0.5, 1.5, 0.5, 1.5, 0.5, 1.5, 0.5, 1.5, 0.5, 1.5, 0.5, 1.5),
  year = c(2011, 2003, 2020, 1999, 2005, 2011, 2016, 2001, 2007, 2013, 2019, 2003, 2009, 2022),
  a = c("b", "a", "c", "B", "a", "b", "c", "B", "b", "c", "a", "B", "a", "c"),
  b = c("no", "yes", "no", "no", "yes", "yes", "no", "yes", "no", NA, "yes", "no", "yes", "yes"),
  c = c("u", "v", "w", "w", "v", "u", "u", "w", "v", "u", "w", "v", "u", "v"),
  stringsAsFactors = FALSE)

# Rows that did not train: other orders, other ranges, levels that occur above.
new <- data.frame(
  x = c(10, -7.5, 0.25, NA, 1), z = c(0.75, 1, -3, 2, 12), p = c(0.5, 400, 3, 3, 1), month = c(7, 12, 2, 10, 7),
  half = c(1.5, 1.5, 0.5, 0.5, 1.5), year = c(2030, 1990, 2010, 2000, 2011), a = c("c", "B", "a", "b", "b"),
  b = c("yes", "no", "no", "yes", "no"), c = c("w", "w", "u", "v", "u"), stringsAsFactors = FALSE)

plain <- c(
  "1", "x", "0 + x", "a", "0 + a", "0 + a + b", "0 + x + b + a", "a + b + c", "a:b", "a + a:b", "b + a:b", "a * b",
  "x * a", "a:x", "x + a:x", "0 + a:x", "0 + x + a:x", "a:b:c", "a * b * c", "a * b * c - a:b:c", "a + a:b:c",
  "a:b + a:c", "a:b + b:c + a:c", "x:a + x:b", "0 + x:a + x:b", "0 + a:b", "0 + b:a + a", "b:a + a + b", "x:z",
  "x * z * a", "factor(month)", "0 + factor(month) * x", "factor(month):a", "factor(half) + half", "(a + b):c",
  "(a + b) * c", "a + b - a + a", "x + 0 + 1", "-1 + b + x:a", "x - (z - a) + z", "a * b - b", "0 + a * b - a",
  "a:a + x:x", "a + b:c + x:a:b", "month + month:a", "a/b", "a/x", "0 + a/x", "(a + b)/x", "a/b/c", "x + a %in% b",
  "(a + b + c)^2", "(a + b + c)^3", "(a + x)^2 - a", "0 + (a + b)^2", "(a * x)^2", "a * x %in% b", "b %in% a")

computed <- c(
  "I(x^2)", "x + I(x^2) + I(x^3)", "0 + I(x * 2)", "log(p)", "log(p):a + z", "a * log(p)", "log2(p) + log10(p)",
  "log1p(p)", "exp(x)", "expm1(-x/3)", "sqrt(p)", "abs(z)", "sin(2 * pi * month/12) + cos(2 * pi * month/12)",
  "tan(x/10)", "I(x/p - z)", "I((x + z)/2)", "I(-x^2)", "I(2^-x)", "I(x^2^2 - 1e5 * x)", "I(x - 0.5 - 1)",
  "I(p/2/z)", "I(-(x + 1e-5) * 123456.789)", "sqrt(abs(x)) + offset(log(p))", "log(abs(x) + 1):log(p)", "I(exp(x) - 1)",
  "poly(x, 1)", "poly(x, 3)", "poly(x)", "poly(year, 4)", "poly(x, degree = 2)", "0 + poly(x, 2)", "poly(x, 2) * a",
  "a:poly(x, 2)", "0 + a:poly(x, 2)", "poly(x, 2):poly(z, 2)", "a:poly(x, 2):poly(z, 3)", "poly(log(p), 2)",
  "poly(x, 2) + poly(x, 3)", "scale(x)", "scale(year) + x", "0 + scale(log(p))", "scale(x) * a", "scale(x):scale(z)",
  "poly(x, 2):scale(z):b", "a/poly(x, 2)", "(scale(x) + a + log(p))^2", "factor(month) * scale(x)",
  "poly(x, 2) %in% b", "I(x^2) * (a + b)", "poly(year, 2) + poly(month, 3)")

groups <- c(
  "x + (1 | a)", "(x | a)", "(0 + x | a) + (1 | a)", "(1 + x + z | month)", "(1 | a/b)", "(x | a/b)", "(1 | a:b)",
  "(1 + b | c)", "(0 + b | a)", "(b * x | c)", "(1 | a) + (log(p) | c)", "(poly(x, 2) | b)", "(0 + a:x | b)")

quoted <- function(texts) paste0('"', texts, '"', recycle0 = TRUE)
list_of <- function(items) paste0("[", paste(items, collapse = ", "), "]")
cell <- function(values) if (is.character(values)) ifelse(is.na(values), "null", quoted(values)) else
  ifelse(is.na(values), "null", vapply(values, format, "", digits = 17))
columns_of <- function(matrix) {
  columns <- vapply(seq_len(ncol(matrix)), function(j) list_of(cell(unname(matrix[, j]))), "")
  list_of(paste(columns, collapse = ",\n                 "))
}
table_of <- function(name, data) {
  columns <- vapply(names(data), function(name) sprintf('    "%s": %s', name, list_of(cell(data[[name]]))), "")
  c(sprintf('  "%s": {', name), paste(columns, collapse = ",\n"), "  },")
}
# poly() and scale() learn from the rows that are complete in all columns.
complete <- function(formula, data) data[complete.cases(data[intersect(all.vars(formula), names(data))]), ]
without_intercept <- function(matrix) matrix[, colnames(matrix) != "(Intercept)", drop = FALSE]

one_case <- function(rhs) {
  formula <- as.formula(paste("y ~", rhs))
  frame <- model.frame(formula, complete(formula, table))
  matrix <- without_intercept(model.matrix(formula, frame))
  used <- delete.response(terms(frame))
  new_frame <- model.frame(used, complete(used, new), xlev = .getXlevels(terms(frame), frame))
  new_matrix <- without_intercept(model.matrix(used, new_frame))
  names <- gsub("factor\\((\\w+)\\)", "factor\\1", colnames(matrix))
  sprintf(paste0('    {"formula": "y ~ %s", "intercept": %s, "rows": %s,\n     "names": %s,\n     "columns": %s,\n',
                 '     "new_rows": %s,\n     "new_columns": %s}'), rhs,
          if (attr(terms(formula), "intercept") == 1) "true" else "false", list_of(as.integer(rownames(frame)) - 1L),
          list_of(quoted(names)), columns_of(matrix), list_of(as.integer(rownames(new_frame)) - 1L),
          columns_of(new_matrix))
}

# For each group term, in each row: the level's label (of a group g:h the parts in the alphabet's order, joined by _)
# and the effects' values, which are what the row of lme4's Z has at that level.
one_group_term <- function(t, terms, rows) {
  name <- names(terms$cnms)[t]
  level <- terms$flist[[attr(terms$flist, "assign")[t]]]
  effects <- sub("(Intercept)", "Intercept", terms$cnms[[t]], fixed = TRUE)
  q <- length(effects)
  z <- as.matrix(terms$Ztlist[[t]])
  parts <- strsplit(name, ":", fixed = TRUE)[[1]]
  labels <- vapply(strsplit(as.character(level), ":", fixed = TRUE),
                   function(label) paste(label[order(parts)], collapse = "_"), "")
  values <- t(vapply(rows, function(i) z[(as.integer(level)[i] - 1) * q + seq_len(q), i], numeric(q)))
  if (q == 1) values <- matrix(values, ncol = 1)
  sprintf('      {"group": "%s", "effects": %s, "labels": %s,\n       "columns": %s}',
          paste(sort(parts), collapse = ":"), list_of(quoted(effects)), list_of(quoted(labels)), columns_of(values))
}
one_group_case <- function(rhs) {
  formula <- as.formula(paste("y ~", rhs))
  data <- complete(formula, table)
  control <- lme4::lmerControl(check.nobs.vs.nlev = "ignore", check.nobs.vs.nRE = "ignore", check.rankX = "ignore",
                               check.nlev.gtr.1 = "ignore", check.nobs.vs.rankZ = "ignore")
  terms <- lme4::lFormula(formula, data, control = control)$reTrms
  text <- vapply(seq_along(terms$cnms), one_group_term, "", terms = terms, rows = seq_len(nrow(data)))
  sprintf('    {"formula": "y ~ %s", "rows": %s, "groups": [\n%s]}', rhs, list_of(as.integer(rownames(data)) - 1L),
          paste(text, collapse = ",\n"))
}

writeLines(c('{', sprintf('  "made_with": "%s, lme4 %s",', R.version.string, packageVersion("lme4")),
             table_of("table", table), table_of("new", new),
             '  "cases": [', paste(vapply(c(plain, computed), one_case, ""), collapse = ",\n"), "  ],",
             '  "group_cases": [', paste(vapply(groups, one_group_case, ""), collapse = ",\n"), '  ]', '}'),
           "expected.json")
