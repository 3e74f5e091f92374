/* tls_conf_session.h - setters that tls_conf.c's rows name. */
#ifndef NET_TLS_TLS_CONF_SESSION_H
#define NET_TLS_TLS_CONF_SESSION_H

#include "conf/directive.h"

conf_set_fn tls_conf_set_session_cache; /* struct tls_session_cache */

#endif
