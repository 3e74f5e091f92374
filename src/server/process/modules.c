/* modules.c - the one list of tables of directives. */
#include "server/process/modules.h"

#include "file/cache.h"
#include "http/modules.h"
#include "io/policy.h"
#include "net/tls/tls_conf.h"
#include "server/conf/main_conf.h"
#include "server/confine/sandbox.h"

struct conf_module *const server_modules[] = {
    &server_main_module, &events_module,     &http_module,    &tls_module,           &certificate_module,
    &io_module,          &io_main_module,    &file_module,    &listing_module,       &headers_module,
    &digest_module,      &access_module,     &referer_module, &secure_link_module,   &userid_module,
    &log_module,         &dictionary_module, &variant_module, &gzip_module,          &charset_module,
    &rewrite_module,     &map_module,        &geo_module,     &split_clients_module, &random_index_module,
    &empty_gif_module,   &monitor_module,    &health_module,  &registry_module,      &limits_module,
    &confine_module,     &realip_module,     &h2_module,      &sandbox_module,       NULL,
};
