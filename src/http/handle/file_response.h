/* file_response.h - a regular file as a response: validators, conditionals, ranges, source. Called
 * by steps.c. RFC 9110, sections 8.8, 13 and 14. */
#ifndef HTTP_HANDLE_FILE_RESPONSE_H
#define HTTP_HANDLE_FILE_RESPONSE_H

#include "http/request/request.h"

/* r->file is the file. Decides what is answered; the fields come next (STEP_FIELDS). */
void file_response_begin(struct request *r);

/* After them, where r->out.of_file: which part, and its source: 200, 206 or 416, or whatever status
 * this stands in for. As in nginx, what is added to the fields has seen the whole: its status and
 * length were not yet those of a range. */
void file_response_content(struct request *r);

/* What the policy would look at for this request's file; for file_response_begin() and `sluice
 * explain`. */
struct policy_facts file_response_facts(const struct request *r);

/* When the head is composed: limit_rate begins to count, a response to HEAD loses its body, and a
 * body made in memory gets a source where it is larger than `room`, or than may go at once. 0 or
 * -errno. */
int response_open_body(struct request *r, size_t room);

#endif
