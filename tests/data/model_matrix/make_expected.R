# Writes expected.json: a small table, formulas, and the columns that R's model.matrix makes of them.
# Run: Rscript make_expected.R   (base R only)
invisible(Sys.setlocale("LC_COLLATE", "C"))

table <- data.frame(
  y = c(0.5, 1.25, -2, 3, 0, 7.5, -1, 2.25, 4, 1, 0.75, 6, 2, 3.5),
  x = c(1.5, -0.25, NA, 2, 3.75, -1, 0.5, 4, -2.5, 1, 0, 2.25, -3, 0.125),
  z = c(2, 5, 1, -1, 0.5, 3, NA, 1.5, -2, 4, 0.25, 6, 7, -0.75),
  month = c(12, 2, 7, 2, 10, 12, 7, 10, 2, 12, 7, 10, 2, 7),
  half = c(0.5, 1.5, 0.5, 1.5, 0.5, 1.5, 0.5, 1.5, 0.5, 1.5, 0.5, 1.5, 0.5, 1.5),
  a = c("b", "a", "c", "B", "a", "b", "c", "B", "b", "c", "a", "B", "a", "c"),
  b = c("no", "yes", "no", "no", "yes", "yes", "no", "yes", "no", NA, "yes", "no", "yes", "yes"),
  c = c("u", "v", "w", "w", "v", "u", "u", "w", "v", "u", "w", "v", "u", "v"),
  stringsAsFactors = FALSE)

right_hand_sides <- c(
  "1", "x", "0 + x", "a", "0 + a", "0 + a + b", "0 + x + b + a", "a + b + c", "a:b", "a + a:b", "b + a:b", "a * b",
  "x * a", "a:x", "x + a:x", "0 + a:x", "0 + x + a:x", "a:b:c", "a * b * c", "a * b * c - a:b:c", "a + a:b:c",
  "a:b + a:c", "a:b + b:c + a:c", "x:a + x:b", "0 + x:a + x:b", "0 + a:b", "0 + b:a + a", "b:a + a + b", "x:z",
  "x * z * a", "factor(month)", "0 + factor(month) * x", "factor(month):a", "factor(half) + half", "(a + b):c", "(a + b) * c", "a + b - a + a", "x + 0 + 1", "-1 + b + x:a", "x - (z - a) + z", "a * b - b",
  "0 + a * b - a", "a:a + x:x", "a + b:c + x:a:b", "month + month:a")

quoted <- function(texts) paste0('"', texts, '"', recycle0 = TRUE)
list_of <- function(items) paste0("[", paste(items, collapse = ", "), "]")
cell <- function(values) if (is.character(values)) ifelse(is.na(values), "null", quoted(values)) else
  ifelse(is.na(values), "null", vapply(values, format, "", digits = 17))

one_case <- function(rhs) {
  formula <- as.formula(paste("y ~", rhs))
  frame <- model.frame(formula, table, na.action = na.omit)
  matrix <- model.matrix(formula, frame)
  names <- gsub("factor(", "factor", colnames(matrix), fixed = TRUE)
  names <- gsub(")", "", names, fixed = TRUE)
  keep <- names != "(Intercept"
  rows <- as.integer(rownames(frame)) - 1L
  columns <- vapply(which(keep), function(j) list_of(cell(unname(matrix[, j]))), "")
  sprintf('    {"formula": "y ~ %s", "intercept": %s, "rows": %s,\n     "names": %s,\n     "columns": [%s]}', rhs,
          if (attr(terms(formula), "intercept") == 1) "true" else "false", list_of(rows), list_of(quoted(names[keep])),
          paste(columns, collapse = ",\n                 "))
}

columns <- vapply(names(table), function(name) sprintf('    "%s": %s', name, list_of(cell(table[[name]]))), "")
writeLines(c('{', sprintf('  "made_with": "%s",', R.version.string), '  "table": {', paste(columns, collapse = ",\n"),
             '  },', '  "cases": [', paste(vapply(right_hand_sides, one_case, ""), collapse = ",\n"), '  ]', '}'),
           "expected.json")
