/* listing.h - a directory as a page: autoindex.
 * https://nginx.org/en/docs/http/ngx_http_autoindex_module.html */
#ifndef HTTP_LISTING_LISTING_H
#define HTTP_LISTING_LISTING_H

#include "base/buffer.h"
#include "conf/directive.h"
#include "file/open.h"

#include <stdatomic.h>

struct listing_conf {
    bool on;
    int format; /* enum listing_format */
    bool exact_size;
    bool localtime;
    int style; /* enum listing_style */
    bool readme;
};

enum listing_format { LISTING_HTML, LISTING_XML, LISTING_JSON, LISTING_JSONP };
enum listing_style { LISTING_PLAIN, LISTING_MODERN };

extern struct conf_module listing_module; /* autoindex, autoindex_format, _exact_size, _localtime, _readme, _style */

/* The function name for JSONP: the value of callback= in `args`; absent: none (plain JSON), or
 * another format. 0; 400: it is not a name. */
int listing_callback(const struct listing_conf *conf, struct text args, struct text *callback);

/* What is to be printed of a directory. */
struct listing_want {
    struct text uri; /* its path: decoded, ends with / */
    const struct listing_conf *conf;
    struct text callback;
    bool utf8; /* the page's charset is UTF-8: names are as wide as they have characters */
};

/* Reads the directory `path` and prints it. Blocks: runs on a pool thread. Names starting with a
 * dot are left out, as nginx does; entries that vanish meanwhile are skipped, and so are links that
 * `guard` (may be NULL) refuses. 0 or -errno (-ENOMEM also where out->failed; -ECANCELED when
 * *stop, which may be NULL, became true). */
int listing_print(const char *path, const struct listing_want *want, const struct open_options *guard,
                  const atomic_bool *stop, struct buffer *out);

/* The Content-Type of what listing_print() prints. */
struct text listing_type(const struct listing_conf *conf, struct text callback);

/* Its Content-Security-Policy: only the page's own script and style, known by their hashes. Absent:
 * none is needed. */
struct text listing_policy(const struct listing_conf *conf);

#endif
