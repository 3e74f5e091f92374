/* variable_rows.h - the built-in variables by name, in tables of rows that modules bring; only
 * variable.c asks. */
#ifndef HTTP_VARIABLE_VARIABLE_ROWS_H
#define HTTP_VARIABLE_VARIABLE_ROWS_H

#include "http/variable/variable.h"

/* Names are in lower case. Fills v->get and v->data for v->name, families ($arg_, $http_, ...)
 * included. */
bool variable_rows_find(const struct variable_row *const *tables, struct variable *v, struct arena *arena);

/* Whether `name` is a built-in one that the configuration may not make anew. */
bool variable_rows_reserve(const struct variable_row *const *tables, struct text name);

/* How `set` changes it, in whatever case it is written; NULL: there is no such way. */
variable_set_fn *variable_rows_setter(const struct variable_row *const *tables, struct text name);

#endif
