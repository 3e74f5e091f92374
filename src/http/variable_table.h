/* variable_table.h - the built-in variables by name; only variable.c asks. */
#ifndef HTTP_VARIABLE_TABLE_H
#define HTTP_VARIABLE_TABLE_H

#include "http/variable.h"

#include <stdbool.h>

/* Fills v->get and v->data for v->name, prefixed families ($arg_, $http_, $sent_http_, $cookie_) included. */
bool variable_table_find(struct variable *v, struct arena *arena);

/* Whether `name` is a built-in one that the configuration may not make anew. */
bool variable_table_reserves(struct text name);

/* How `set` changes it; NULL: it does not. */
variable_set_fn *variable_table_setter(struct text name);

/* variable_foreign.c: those that nginx fills in for what sluice does not do. */
bool variable_foreign_find(struct variable *v);
bool variable_foreign_knows(struct text name);

/* All X-Forwarded-For fields in one; absent: there is none. */
struct text variable_forwarded_for(struct request *r);

#endif
