/* climb.h - components ".." in paths that are made of a template. */
#ifndef HTTP_VARIABLE_CLIMB_H
#define HTTP_VARIABLE_CLIMB_H

#include "http/variable/variable.h"

/* How many components of `t` are ".."; `open_start`, `open_end`: its beginning, its end may lie
 * within one, so that those do not count. */
size_t climbs_in(struct text t, bool open_start, bool open_end);

/* Whether `value`, which is the text of `t`, has a component ".." that `t` does not write itself:
 * it comes of the request. */
bool template_climbs(const struct template *t, struct text value);

#endif
