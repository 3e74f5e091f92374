/* error_log.h - the setter of `error_log`, which stands in main, http, server and location.
 * https://nginx.org/en/docs/ngx_core_module.html#error_log */
#ifndef CONF_ERROR_LOG_H
#define CONF_ERROR_LOG_H

#include "base/log.h"
#include "conf/directive.h"

/* error_log FILE|stderr|syslog:... [level]; the slot is a struct log *, NULL until the first line
 * of a block; every further line of the block adds an output. Files are opened (with -t too, as
 * nginx does) and closed with the configuration's arena. */
conf_set_fn conf_set_error_log;

/* The same from code: adds an output to *log, which is made on first use. NULL or an error text in
 * `arena`, without a place. */
const char *error_log_add(struct arena *arena, struct log **log, const char *path, enum log_level level);

#endif
