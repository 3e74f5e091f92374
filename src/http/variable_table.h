/* variable_table.h - the built-in variables by name; only variable.c asks. */
#ifndef HTTP_VARIABLE_TABLE_H
#define HTTP_VARIABLE_TABLE_H

#include "http/variable.h"

#include <stdbool.h>

/* Names are in lower case. */

/* Fills v->get and v->data for v->name, prefixed families ($arg_, $http_, ...) included. */
bool variable_table_find(struct variable *v, struct arena *arena);

/* Whether `name` is a built-in one that the configuration may not make anew. */
bool variable_table_reserves(struct text name);

/* How `set` changes it, in whatever case it is written; NULL: there is no such way. */
variable_set_fn *variable_table_setter(struct text name);

extern const struct variable_row foreign_variables[];

#endif
