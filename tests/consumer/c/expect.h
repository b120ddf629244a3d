/* What the programs in C share: conditions that are counted when they do not hold. */
#ifndef EXPECT_H
#define EXPECT_H
#include <jensen/jensen.h>
#include <stdio.h>
#include <string.h>

static int failures = 0;

static void expect(int holds, const char* what, int line) {
  if (holds) return;
  fprintf(stderr, "line %d: %s; last error: %s\n", line, what, jensen_last_error());
  ++failures;
}
#define EXPECT(condition) expect((condition) != 0, #condition, __LINE__)

/* The status, and a message that has the word in it. */
static int refused(int status, int expected, const char* word) {
  return status == expected && strstr(jensen_last_error(), word) != NULL;
}

#endif
