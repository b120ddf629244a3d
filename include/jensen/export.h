#pragma once
/* \file What the shared libraries export: the public names, and nothing else. Static libraries do not need it. */

#define JENSEN_API __attribute__((visibility("default")))
/* For what a class with JENSEN_API has within it, but keeps to itself. */
#define JENSEN_LOCAL __attribute__((visibility("hidden")))
