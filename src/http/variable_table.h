/* variable_table.h - the built-in variables by name; only variable.c asks. */
#ifndef HTTP_VARIABLE_TABLE_H
#define HTTP_VARIABLE_TABLE_H

#include "http/variable.h"

#include <stdbool.h>

/* Fills v->get and v->data for v->name, prefixed families ($arg_, $http_, $sent_http_, $cookie_) included. */
bool variable_table_find(struct variable *v, struct arena *arena);

#endif
