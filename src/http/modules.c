/* modules.c - the one list of tables of variables. The tables of directives are listed by
 * server/process/modules.c. */
#include "http/modules.h"

#include "http/access/auth.h"
#include "http/access/realip.h"
#include "http/access/referer.h"
#include "http/access/secure_link.h"
#include "http/content/gzip.h"
#include "http/files/place.h"
#include "http/limit/limit_rate.h"
#include "http/limit/limits.h"
#include "http/log/monitor.h"
#include "http/respond/digest.h"
#include "http/respond/response.h"
#include "http/respond/userid.h"
#include "http/tls/variables.h"
#include "http/variable/variable_table.h"

const struct variable_row *const http_variables[] = {
    request_variables, client_variables,      response_variables, place_variables,  auth_variables, realip_variables,
    referer_variables, secure_link_variables, userid_variables,   limits_variables, rate_variables, gzip_variables,
    monitor_variables, foreign_variables,     tls_variables,      digest_variables, NULL,
};
