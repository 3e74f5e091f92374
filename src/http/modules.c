/* modules.c - the one list of tables of variables. */
#include "http/modules.h"

#include "http/variable_table.h"

const struct variable_row *const http_variables[] = {
    request_variables,
    foreign_variables,
    NULL,
};
