/* validators.h - the entity tag and the date of the file in r->file: what is sent of them, and what
 * conditions compare with. RFC 9110, section 8.8. */
#ifndef HTTP_RESPOND_VALIDATORS_H
#define HTTP_RESPOND_VALIDATORS_H

#include "http/request/request.h"
#include "http/syntax/precondition.h"

/* Puts the file's own into r->out, where the location and the status want them. Returns its date as
 * it is sent. */
time_t validators_set(struct request *r);

/* Those that stand in r->out now, the file's or what add_header has put in their place. */
struct validators validators_of(const struct request *r);

/* `tag` with `mark` inside, so that it is another one: no two codings of a file may share a tag
 * (8.8.3.3). Weak where what is sent is made anew each time, and may come out differently (8.8.1).
 * Absent: `tag` is none. */
struct text validators_mark(struct request *r, struct text tag, const char *mark, bool weak);

/* `tag` as the side file that was chosen has it. */
struct text validators_side_tag(struct request *r, struct text tag);

#endif
