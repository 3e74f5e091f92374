/* variable_text.h - the texts that variables are made of: numbers, addresses, fields. They live as
 * long as the request, or are absent where there is no memory. */
#ifndef HTTP_VARIABLE_VARIABLE_TEXT_H
#define HTTP_VARIABLE_VARIABLE_TEXT_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct request;
union peer;

void variable_number(struct request *r, uint64_t value, struct text *out);

/* Seconds with three decimals, as $request_time; what is below zero is zero. */
void variable_msec(struct request *r, int64_t msec, struct text *out);

/* The address, or the port; of a port that it does not have: empty. */
void variable_peer(struct request *r, const union peer *peer, bool port, struct text *out);

/* Whether `user_agent`, as in $http_user_agent and $sent_http_..., is the field User-Agent: case
 * and - are one. */
bool variable_names_field(struct text variable, struct text field);

/* The values of several fields of a name in one text, as RFC 9110, 5.3 allows: adds `value` to
 * *all, which is absent before the first, with `between` before each but the first. */
void variable_join(struct request *r, const char *between, struct text value, struct text *all);

/* The value of a cookie of the request; absent: none. */
struct text variable_cookie(const struct request *r, struct text name);

/* All X-Forwarded-For fields in one; absent: there is none. */
struct text variable_forwarded_for(struct request *r);

#endif
