/* userid.c - the cookie of userid: read, made and sent as nginx does it, so that logs of both go
 * together. See userid.h.
 *
 * An identifier is four numbers: a service or the server's address, the time, where the process
 * began, and a count. */
#include "http/respond/userid.h"

#include "base/base64.h"
#include "base/clock.h"
#include "http/request/request.h"
#include "http/respond/response.h"
#include "http/syntax/field.h"
#include "http/variable/variable_text.h"
#include "net/socket.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

enum userid_mode { USERID_OFF, USERID_LOG, USERID_V1, USERID_ON };

enum { EXPIRES_MAX = INT32_MAX, CODED = 22 /* base64 of 16 bytes, without padding */ };

/* Values of userid_module. */
struct userid_conf {
    struct userid_use {
        int mode;               /* enum userid_mode */
        struct template *reset; /* $uid_reset; NULL: mode is off */
    } use;
    struct text name;
    struct text domain, path, p3p; /* domain and path as they stand in the cookie; p3p absent: none */
    int64_t expires;               /* s; 0: with the session; EXPIRES_MAX: never */
    char mark;                     /* '\0': none */
    struct userid_service {
        bool set;
        uint32_t number;
    } service;
    struct text flags; /* as they stand in the cookie */
};

struct userid {
    uint32_t got[4], set[4]; /* [3] 0: none */
    struct text cookie;      /* as it came */
    bool reset;
};

/* ---- what the client sent ---- */

static void read_cookie(struct request *r, const struct userid_conf *c, struct userid *u)
{
    unsigned char bytes[BASE64_DECODED(CODED)];

    u->cookie = variable_cookie(r, c->name);
    if (!u->cookie.at)
        return;
    if (u->cookie.len < CODED) {
        request_log(r, LEVEL_ERROR, 0, "client sent too short userid cookie \"%.*s\"", TEXT_ARG(u->cookie));
        return;
    }
    if (base64_decode((struct text){u->cookie.at, CODED}, BASE64_USUAL, bytes) != sizeof u->got) {
        request_log(r, LEVEL_ERROR, 0, "client sent invalid userid cookie \"%.*s\"", TEXT_ARG(u->cookie));
        return;
    }
    memcpy(u->got, bytes, sizeof u->got);
}

static struct userid *userid_of(struct request *r, const struct userid_conf *c)
{
    if (!r->userid) {
        r->userid = arena_zalloc(&r->arena, sizeof *r->userid);
        if (r->userid)
            read_cookie(r, c, r->userid);
    }
    return r->userid;
}

/* ---- a new one ---- */

/* The same for all identifiers of a process. */
static uint32_t start_value(void)
{
    static uint32_t value;
    struct timeval now;

    if (value == 0) {
        gettimeofday(&now, NULL);
        value = (uint32_t)(now.tv_usec / 20) << 16 | ((uint32_t)getpid() & 0xffff);
    }
    return value;
}

static uint32_t own_address(const struct request *r)
{
    struct address a;
    uint32_t value = 0;

    if (r->carrier->ops->local(r, &a) < 0)
        return 0;
    if (a.any.sa_family == AF_INET)
        return a.in4.sin_addr.s_addr;
    if (a.any.sa_family == AF_INET6)
        memcpy(&value, &a.in6.sin6_addr.s6_addr[12], sizeof value);
    return value;
}

static void make_v1(const struct userid_conf *c, struct userid *u)
{
    static uint32_t count = 1;

    u->set[0] = c->service.set ? c->service.number : 0;
    u->set[1] = (uint32_t)clock_now.sec;
    u->set[2] = start_value();
    u->set[3] = count;
    count += 0x100;
}

static void make(const struct request *r, const struct userid_conf *c, struct userid *u)
{
    enum { FIRST = 0x03030302 };
    static uint32_t count = FIRST;

    u->set[0] = c->service.set ? htonl(c->service.number) : own_address(r);
    u->set[1] = htonl((uint32_t)clock_now.sec);
    u->set[2] = htonl(start_value());
    u->set[3] = htonl(count);
    count += 0x100;
    if (count < FIRST)
        count = FIRST;
}

static bool has_mark(const struct userid_conf *c, const struct userid *u)
{
    return c->mark == '\0' ||
           (u->cookie.len > CODED + 1 && u->cookie.at[CODED] == c->mark && u->cookie.at[CODED + 1] == '=');
}

/* u->set is what the client is to get; [3] 0: it has what it needs. */
static void decide(struct request *r, const struct userid_conf *c, struct userid *u)
{
    if (u->set[3] != 0)
        return;
    if (u->got[3] != 0) {
        struct text reset = template_text(c->use.reset, r);
        if (reset.len == 0 || text_equal(reset, TEXT("0"))) {
            if (!has_mark(c, u))
                memcpy(u->set, u->got, sizeof u->set);
            return;
        }
        u->reset = true;
        if (text_equal(reset, TEXT("log")))
            request_log(r, LEVEL_NOTICE, 0, "userid cookie \"%.*s=%08X%08X%08X%08X\" was reset", TEXT_ARG(c->name),
                        u->got[0], u->got[1], u->got[2], u->got[3]);
    }
    if (c->use.mode == USERID_V1)
        make_v1(c, u);
    else
        make(r, c, u);
}

/* ---- the fields ---- */

static const char *value_of(struct request *r, const struct userid_conf *c, const struct userid *u)
{
    char text[BASE64_LEN(sizeof u->set)];

    if (u->got[3] != 0 && !u->reset) /* only the mark is new */
        return arena_printf(&r->arena, "%.*s%c=", CODED, u->cookie.at, c->mark);
    base64_encode(u->set, sizeof u->set, text);
    if (c->mark != '\0')
        text[CODED] = c->mark;
    return arena_copy(&r->arena, text, sizeof text);
}

/* As cookies have always had it: two digits for the year, while they are enough. */
static const char *expires_of(struct request *r, const struct userid_conf *c)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm tm;

    if (c->expires == 0)
        return "";
    if (c->expires == EXPIRES_MAX)
        return "; expires=Thu, 31-Dec-37 23:55:55 GMT";
    time_t at = clock_add((time_t)clock_now.sec, c->expires);
    gmtime_r(&at, &tm);
    int year = tm.tm_year + 1900;
    return arena_printf(&r->arena, "; expires=%s, %02d-%s-%02d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday,
                        months[tm.tm_mon], year > 2037 ? year : year % 100, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void userid_apply(struct request *r, const struct userid_conf *c)
{
    struct userid *u = userid_of(r, c);

    if (!u)
        return;
    decide(r, c, u);
    if (u->set[3] == 0)
        return;
    const char *value = value_of(r, c, u), *expires = expires_of(r, c);
    if (!value || !expires)
        return;
    char *cookie = arena_printf(&r->arena, "%.*s=%s%s%.*s%.*s%.*s", TEXT_ARG(c->name), value, expires,
                                TEXT_ARG(c->domain), TEXT_ARG(c->path), TEXT_ARG(c->flags));
    if (!cookie)
        return;
    response_add(r, TEXT("Set-Cookie"), text_of(cookie));
    if (c->p3p.len > 0)
        response_add(r, TEXT("P3P"), c->p3p);
}

/* ---- the variables ---- */

static const struct userid_conf *conf_of(const struct request *r)
{
    const struct conf_block *block = r->location && r->location->block ? r->location->block : r->server->block;
    return conf_values_around(block, &userid_module);
}

static void print(struct request *r, const struct userid_conf *c, const uint32_t id[4], struct text *out)
{
    if (id[3] != 0)
        *out = text_of(arena_printf(&r->arena, "%.*s=%08X%08X%08X%08X", TEXT_ARG(c->name), id[0], id[1], id[2], id[3]));
}

static void get_got(struct request *r, const void *data, struct text *out)
{
    (void)data;
    const struct userid_conf *c = conf_of(r);
    struct userid *u = c->use.mode == USERID_OFF ? NULL : userid_of(r, c);

    *out = TEXT_NONE;
    if (u)
        print(r, c, u->got, out);
}

static void get_set(struct request *r, const void *data, struct text *out)
{
    (void)data;
    const struct userid_conf *c = conf_of(r);
    struct userid *u = c->use.mode < USERID_V1 ? NULL : userid_of(r, c);

    *out = TEXT_NONE;
    if (!u)
        return;
    decide(r, c, u);
    print(r, c, u->set, out);
}

static void get_reset(struct request *r, const void *data, struct text *out)
{
    (void)r, (void)data;
    *out = TEXT("");
}

const struct variable_row userid_variables[] = {
    {"uid_got", .get = get_got},
    {"uid_reset", .get = get_reset, .flags = VARIABLE_CHANGEABLE},
    {"uid_set", .get = get_set},
    {.name = NULL},
};

/* ---- the directives ---- */

static const struct conf_enum mode_words[] = {
    {"off", USERID_OFF}, {"log", USERID_LOG}, {"v1", USERID_V1}, {"on", USERID_ON}, {NULL, 0}};

static const char *set_userid(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct userid_use *use = slot;
    const char *error = conf_set_enum(cf, row, &use->mode);

    if (error || use->mode < USERID_V1)
        return error;
    return template_compile(cf, http_main_at(cf)->variables, TEXT("$uid_reset"), &use->reset);
}

/* "; domain=" and "; path=" stand before the value already, and "none" is no value. */
static const char *set_attribute(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct text *value = slot;
    bool domain = text_equal(text_of(row->name), TEXT("userid_domain"));

    *value = TEXT("");
    if (domain && text_equal(cf->args[1], TEXT("none")))
        return NULL;
    *value = text_of(arena_printf(cf->arena, "; %s=%s", domain ? "domain" : "path", cf->args[1].at));
    *value = value->at ? field_fold(*value, cf->arena) : TEXT_NONE;
    return value->at ? NULL : conf_error(cf, "no memory");
}

static const char *set_p3p(struct conf *cf, const struct conf_row *row, void *slot)
{
    if (!text_equal(cf->args[1], TEXT("none")))
        return field_set_text(cf, row, slot);
    *(struct text *)slot = TEXT_NONE;
    return NULL;
}

static const char *set_expires(struct conf *cf, const struct conf_row *row, void *slot)
{
    int64_t *expires = slot;

    if (text_equal(cf->args[1], TEXT("max")))
        *expires = EXPIRES_MAX;
    else if (text_equal(cf->args[1], TEXT("off")))
        *expires = 0;
    else
        return conf_set_sec(cf, row, slot);
    return NULL;
}

static const char *set_mark(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct text word = cf->args[1];
    char *mark = slot, c = word.len == 1 ? text_lower(word.at[0]) : '\0';

    (void)row;
    *mark = '\0';
    if (text_equal(word, TEXT("off")))
        return NULL;
    if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '=')
        return conf_error(cf, "value must be \"off\" or a single letter, digit or \"=\"");
    *mark = word.at[0];
    return NULL;
}

static const char *set_service(struct conf *cf, const struct conf_row *row, void *slot)
{
    static const struct conf_bounds bounds = {.least = 0, .most = UINT32_MAX};
    struct conf_row bounded = *row;
    struct userid_service *service = slot;
    int64_t number;

    bounded.extra = &bounds;
    const char *error = conf_set_number(cf, &bounded, &number);
    if (!error)
        *service = (struct userid_service){true, (uint32_t)number};
    return error;
}

static const char *set_flags(struct conf *cf, const struct conf_row *row, void *slot)
{
    static const char *const known[] = {"secure", "httponly", "samesite=strict", "samesite=lax", "samesite=none", NULL};
    struct text *flags = slot;
    const char *text = "";

    (void)row;
    *flags = TEXT("");
    if (cf->count == 2 && text_equal(cf->args[1], TEXT("off")))
        return NULL;
    for (unsigned i = 1; i < cf->count && text; i++) {
        unsigned k = 0;
        while (known[k] && strcmp(known[k], cf->args[i].at) != 0)
            k++;
        if (!known[k])
            return conf_error(cf, "invalid value \"%.*s\"", TEXT_ARG(cf->args[i]));
        text = arena_printf(cf->arena, "%s; %s", text, known[k]);
    }
    *flags = text_of(text);
    return text ? NULL : conf_error(cf, "no memory");
}

#define ALL         CONF_HTTP_ALL
#define SLOT(field) CONF_SLOT(struct userid_conf, field)

static const struct conf_row rows[] = {
    {"userid", ALL, CONF_TAKE1, set_userid, SLOT(use), .extra = mode_words, .dflt = "off",
     .help = "Gives visitors a cookie that tells them apart; log: only reads it, for $uid_got."},
    {"userid_name", ALL, CONF_TAKE1, field_set_text, SLOT(name), .dflt = "uid", .syntax = "string",
     .help = "Name of the cookie."},
    {"userid_domain", ALL, CONF_TAKE1, set_attribute, SLOT(domain), .dflt = "none", .syntax = "name | none",
     .help = "Domain of the cookie."},
    {"userid_path", ALL, CONF_TAKE1, set_attribute, SLOT(path), .dflt = "/", .syntax = "path",
     .help = "Path of the cookie."},
    {"userid_expires", ALL, CONF_TAKE1, set_expires, SLOT(expires), .dflt = "off", .syntax = "time | max | off",
     .help = "How long browsers keep the cookie; off: until they are closed."},
    {"userid_p3p", ALL, CONF_TAKE1, set_p3p, SLOT(p3p), .dflt = "none", .syntax = "string | none",
     .help = "The field P3P, sent with the cookie."},
    {"userid_mark", ALL, CONF_TAKE1, set_mark, SLOT(mark), .dflt = "off", .syntax = "letter | digit | = | off",
     .help = "A mark in the cookie's padding; a client whose cookie has another mark gets its own cookie again, with "
             "this one."},
    {"userid_service", ALL, CONF_TAKE1, set_service, SLOT(service), .syntax = "number",
     .help = "Number of the server in the identifiers; without it, the last four bytes of its address."},
    {"userid_flags", ALL, CONF_1MORE, set_flags, SLOT(flags), .dflt = "off",
     .syntax = "off | secure | httponly | samesite=strict | samesite=lax | samesite=none ...",
     .help = "Attributes of the cookie."},
    {.name = NULL},
};

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    const struct userid_conf *conf = values;
    struct location *l = location_of(block);

    (void)cf;
    if (l)
        l->userid = conf->use.mode >= USERID_V1 ? conf : NULL;
    return NULL;
}

struct conf_module userid_module = {
    .name = "User identifiers",
    .rows = rows,
    .size = sizeof(struct userid_conf),
    .levels = ALL,
    .finish = finish,
};
