/* health.h - what balancers and supervisors ask: `health` and `ready`. */
#ifndef HTTP_LOG_HEALTH_H
#define HTTP_LOG_HEALTH_H

#include "conf/directive.h"

struct location;

extern struct conf_module health_module; /* health, ready */

bool health_is_asked_at(const struct location *l); /* it has `health` */

#endif
