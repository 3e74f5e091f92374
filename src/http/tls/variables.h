/* variables.h - $ssl_...: for modules.c, which lists all tables. */
#ifndef HTTP_TLS_VARIABLES_H
#define HTTP_TLS_VARIABLES_H

#include "http/variable/variable.h"

extern const struct variable_row tls_variables[];

#endif
