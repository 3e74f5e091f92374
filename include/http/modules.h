/* modules.h - what the modules of http/ bring besides directives. */
#ifndef HTTP_MODULES_H
#define HTTP_MODULES_H

#include "http/variable.h"

extern const struct variable_row *const http_variables[]; /* tables of built-in variables; ends with NULL */

#endif
