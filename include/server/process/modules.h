/* modules.h - the one list of tables of directives. https://nginx.org/en/docs/dirindex.html */
#ifndef SERVER_PROCESS_MODULES_H
#define SERVER_PROCESS_MODULES_H

#include "conf/parse.h"

extern struct conf_module *const server_modules[]; /* ends with NULL; in the order of docs/directives.md */

#endif
