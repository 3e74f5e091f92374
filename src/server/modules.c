/* modules.c - the one list of tables of directives. */
#include "server/modules.h"

#include "file/cache.h"
#include "http/access.h"
#include "http/access_log.h"
#include "http/charset.h"
#include "http/confine.h"
#include "http/core.h"
#include "http/empty_gif.h"
#include "http/gzip.h"
#include "http/headers.h"
#include "http/limits.h"
#include "http/listing.h"
#include "http/map.h"
#include "http/monitor.h"
#include "http/random_index.h"
#include "http/realip.h"
#include "http/referer.h"
#include "http/rewrite.h"
#include "http/secure_link.h"
#include "http/userid.h"
#include "http/variant.h"
#include "io/policy.h"
#include "server/main_conf.h"
#include "server/sandbox.h"

struct conf_module *const server_modules[] = {
    &server_main_module,  &events_module,    &http_module,        &io_module,
    &io_main_module,      &file_module,      &listing_module,     &headers_module,
    &access_module,       &referer_module,   &secure_link_module, &userid_module,
    &log_module,          &variant_module,   &gzip_module,        &charset_module,
    &rewrite_module,      &map_module,       &geo_module,         &split_clients_module,
    &random_index_module, &empty_gif_module, &monitor_module,     &limits_module,
    &confine_module,      &realip_module,    &sandbox_module,     NULL,
};
