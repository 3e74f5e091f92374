/* modules.c - the one list of tables of variables. */
#include "http/modules.h"

#include "http/auth.h"
#include "http/gzip.h"
#include "http/limit_rate.h"
#include "http/limits.h"
#include "http/monitor.h"
#include "http/place.h"
#include "http/realip.h"
#include "http/referer.h"
#include "http/response.h"
#include "http/secure_link.h"
#include "http/userid.h"
#include "http/variable_table.h"

const struct variable_row *const http_variables[] = {
    request_variables, client_variables,  response_variables,    place_variables,   auth_variables,
    realip_variables,  referer_variables, secure_link_variables, userid_variables,  limits_variables,
    rate_variables,    gzip_variables,    monitor_variables,     foreign_variables, NULL,
};
