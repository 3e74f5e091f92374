/* modules.h - the tables of directives that this program knows, and those it knows of. */
#ifndef SERVER_MODULES_H
#define SERVER_MODULES_H

#include "conf/parse.h"

extern struct conf_module *const server_modules[]; /* ends with NULL; in the order of docs/directives.md */
extern const struct conf_foreign server_foreign[]; /* ends with a NULL name; the rows above win */

#endif
