/* pattern.h - all regular expressions of the configuration. The only door to PCRE2, with its JIT
 * where it has one. pcre2api(3). */
#ifndef HTTP_SYNTAX_PATTERN_H
#define HTTP_SYNTAX_PATTERN_H

#include "base/arena.h"
#include "base/text.h"

#include <stdbool.h>

struct pattern;

enum { PATTERN_CAPTURES = 10 }; /* $0 .. $9 */

struct captures {
    unsigned count; /* groups that may be set, $0 included; 0: no match */
    struct text group[PATTERN_CAPTURES];
};

/* In the arena (freed with it). 0; -EINVAL with *error in the arena, worded as nginx
 * ("pcre2_compile() failed: ... in \"...\" at \"...\""); -ENOMEM. */
int pattern_compile(struct pattern **out, struct text source, bool nocase, struct arena *arena, const char **error);

/* 1: matches, captures (may be NULL) filled with views of `subject`; 0: does not; -ELOOP: gave up
 * at the match limit; -ENOMEM. One thread per process. */
int pattern_match(const struct pattern *p, struct text subject, struct captures *captures);

/* Named groups: how many, and the i-th's name and number. */
unsigned pattern_names(const struct pattern *p);
struct text pattern_name(const struct pattern *p, unsigned i, unsigned *group);

#endif
