/* access_log.h - log_format and access_log: one line per request.
 * https://nginx.org/en/docs/http/ngx_http_log_module.html */
#ifndef HTTP_LOG_ACCESS_LOG_H
#define HTTP_LOG_ACCESS_LOG_H

#include "base/log_file.h"
#include "conf/directive.h"
#include "http/variable/variable.h"

#include <stdbool.h>

struct request;
struct log_format;

struct access_log {
    struct access_log *next;
    struct log_file *file;
    struct template *path;      /* with variables; NULL: that of `file` */
    struct template *condition; /* if=: an empty text or "0" means no line; NULL: always */
    struct log_format *format;
};

/* Values of log_module, http, server and location. */
struct log_conf {
    struct access_log *logs; /* NULL: off */
    bool given;              /* by an access_log in this block or one around it */
    struct log_file *named;  /* takes the lines of logs with variables in their paths; NULL: there are none */
};

extern struct conf_module log_module;

void access_log_write(struct request *r);

#endif
