/* turn.h - how much of a response's body goes out now: turns of bulk transfers, limit_rate,
 * sendfile_max_chunk; and a file that is rewritten or cut short meanwhile. Turns are requests', not
 * connections': a carrier may send several responses at a time. Called by the carrier once the body
 * is open (response_open_body()).
 * https://nginx.org/en/docs/http/ngx_http_core_module.html#sendfile_max_chunk, #limit_rate */
#ifndef HTTP_HANDLE_TURN_H
#define HTTP_HANDLE_TURN_H

#include "http/request/request.h"

/* Whether the request may send now, and at most how many bytes of its body (*cap; 0: no limit).
 * False: request_resume() is called when it may: once, from the loop, unless steps_abandon() comes
 * first. */
bool turn_begin(struct request *r, uint64_t *cap);

/* The beginning of the body, or all of it, into the memory behind the head, where that costs less
 * than sending it from where it is: at most `room` bytes. They count as sent; 0 is legal. */
size_t turn_copy(struct request *r, char *to, size_t room);

/* As sink_body() of the request's body, and counted. `cap` is of turn_begin(). */
enum sink_result turn_send(struct request *r, struct sink *k, struct text head, size_t *at, uint64_t cap);

/* After SINK_TURN. True: the request stands in line, and request_resume() is called: once, from the
 * loop, unless steps_abandon() comes first; false: when it goes on is the carrier's to say. */
bool turn_queue(struct request *r);

/* After SINK_SOURCE_FAILED: what was wrong with the file goes to the error log. */
void turn_log_failure(struct request *r);

#endif
