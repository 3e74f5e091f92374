/* variable_table.h - variables that no module brings; for modules.c, which lists all. */
#ifndef HTTP_VARIABLE_VARIABLE_TABLE_H
#define HTTP_VARIABLE_VARIABLE_TABLE_H

#include "http/variable/variable.h"

extern const struct variable_row request_variables[]; /* variable_table.c */
extern const struct variable_row client_variables[];  /* variable_client.c */
extern const struct variable_row foreign_variables[]; /* variable_foreign.c */

#endif
