/* modules.c - the one list of tables of directives. */
#include "server/modules.h"

#include "file/cache.h"
#include "http/access.h"
#include "http/access_log.h"
#include "http/confine.h"
#include "http/core.h"
#include "http/headers.h"
#include "http/listing.h"
#include "http/realip.h"
#include "http/referer.h"
#include "http/secure_link.h"
#include "http/userid.h"
#include "io/policy.h"
#include "server/main_conf.h"
#include "server/sandbox.h"

struct conf_module *const server_modules[] = {
    &server_main_module,
    &events_module,
    &http_module,
    &io_module,
    &io_main_module,
    &file_module,
    &listing_module,
    &headers_module,
    &access_module,
    &referer_module,
    &secure_link_module,
    &userid_module,
    &log_module,
    &confine_module,
    &realip_module,
    &sandbox_module,
    NULL,
};
