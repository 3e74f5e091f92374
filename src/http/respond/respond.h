/* respond.h - responses without a file: error pages, redirects, fixed texts. They fill r->out.
 * RFC 9110, section 15. */
#ifndef HTTP_RESPOND_RESPOND_H
#define HTTP_RESPOND_RESPOND_H

#include "http/request/request.h"

/* An error or another status with a short page; obeys error_page. r->step is STEP_FIELDS after,
 * or the first step of an internal redirect, which steps_run() takes next. */
void respond_error(struct request *r, int status);

/* The same for a status that the configuration names: 444 (408, 499) closes the connection without
 * a response. */
void respond_status(struct request *r, int status);

/* The short page itself, error_page or not. */
void respond_page(struct request *r, int status);

/* A request that its carrier refuses, whose message may be known in part only. */
void respond_refusal(struct request *r, int status);

/* 301, 302, 303, 307, 308 to `target`, a field's value: a path (made absolute by absolute_redirect)
 * or a URL. Obeys error_page. */
void respond_redirect(struct request *r, int status, struct text target);
/* The same to a path that the server made of the request's own, and not the configuration: it never
 * names another host. */
void respond_redirect_self(struct request *r, int status, struct text target);

/* `body` must live as long as the request. */
void respond_text(struct request *r, int status, struct text type, struct text body);

/* What `return` says. */
void respond_return(struct request *r, const struct return_action *a);

/* One more turn to another URI or location: whether there have been too many, and 500 is the
 * answer. */
bool respond_too_many(struct request *r, const char *doing);

/* r->uri and r->args become these, and the request starts its way again; too many of that: 500. */
void respond_internally(struct request *r, struct text uri, struct text args);
/* The same for "path?args", which is the text of `source`. */
void respond_internally_to(struct request *r, struct text target, const struct template *source);
/* The same through @name, uri kept. */
void respond_named(struct request *r, struct text name);

#endif
