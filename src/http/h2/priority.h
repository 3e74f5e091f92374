/* priority.h - the field that says how urgent a response is. Pure. RFC 9218, sections 4 and 5. */
#ifndef HTTP_H2_PRIORITY_H
#define HTTP_H2_PRIORITY_H

#include "base/text.h"

struct priority {
    unsigned urgency; /* 0: the first ... 7: when nothing else is to do */
    bool incremental; /* parts of it are of use: it shares with others of its urgency */
};

enum { PRIORITY_USUAL = 3 };

/* A dictionary of RFC 8941; members that are not known, or of another type or range than they may
 * have, are skipped. False: malformed, and *p is as it was. */
bool priority_parse(struct text value, struct priority *p);

#endif
