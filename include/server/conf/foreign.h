/* foreign.h - directives that this program knows of, and does not have.
 * https://nginx.org/en/docs/dirindex.html */
#ifndef SERVER_CONF_FOREIGN_H
#define SERVER_CONF_FOREIGN_H

#include "conf/parse.h"

extern const struct conf_foreign server_foreign[]; /* ends with a NULL name; rows of modules win */

#endif
