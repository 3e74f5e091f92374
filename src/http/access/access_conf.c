/* access_conf.c - the directives of access.c, and the block limit_except. */
#include "http/access/access_conf.h"

#include "http/core/core.h"
#include "http/request/request.h"
#include "http/variable/variable.h"

#include <errno.h>
#include <strings.h>

/* ---- allow, deny ---- */

static const char *set_rule(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct access_rules **rules = slot;
    struct access_rule *rule = arena_zalloc(cf->arena, sizeof *rule);

    if (!*rules)
        *rules = access_rules_create(cf->arena);
    if (!*rules || !rule)
        return conf_error(cf, "no memory");
    *rule = (struct access_rule){.deny = row->name[0] == 'd', .text = cf->args[1], .file = cf->file, .line = cf->line};
    int rc = access_rules_add(*rules, rule, cf->arena);
    if (rc == 1)
        conf_warn(cf, "low address bits of %.*s are meaningless", TEXT_ARG(rule->text));
    if (rc == -EINVAL)
        return conf_error(cf,
                          "invalid parameter \"%.*s\", expected an address, a network as 192.0.2.0/24, unix:, or all",
                          TEXT_ARG(rule->text));
    return rc < 0 ? conf_error(cf, "no memory") : NULL;
}

/* ---- auth_basic ---- */

static const char *set_realm(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row;
    struct template **realm = slot;

    if (!text_equal(cf->args[1], TEXT("off")))
        return template_compile_field(cf, http_main_at(cf)->variables, cf->args[1], realm);
    *realm = NULL; /* and the level around is not asked */
    return NULL;
}

/* Relative to the folder of the configuration, as nginx has it. */
static const char *set_user_file(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row;
    struct user_file *file = slot;
    struct text path = cf->args[1];

    if (text_starts(path, TEXT("$"))) {
        file->beside = cf->conf_dir;
    } else if (!text_starts(path, TEXT("/"))) {
        const char *full = arena_printf(cf->arena, "%s%.*s", cf->conf_dir, TEXT_ARG(path));
        if (!full)
            return conf_error(cf, "no memory");
        path = text_of(full);
    }
    if (!conf_reads(cf, path.at))
        return conf_error(cf, "no memory");
    return template_compile(cf, http_main_at(cf)->variables, path, &file->path);
}

/* ---- limit_except ---- */

/* In the order of their bits; enum method has only some of them. */
static const char *const methods[] = {"GET",  "HEAD",    "POST",     "PUT",       "DELETE", "MKCOL",  "COPY",
                                      "MOVE", "OPTIONS", "PROPFIND", "PROPPATCH", "LOCK",   "UNLOCK", "PATCH"};
enum { METHODS = sizeof methods / sizeof *methods, GET_BIT = 1, HEAD_BIT = 2 };

/* 0: unknown. Names in a configuration may be of either case, those of requests are as they are. */
static unsigned method_bit(struct text name, bool any_case)
{
    for (unsigned i = 0; i < METHODS; i++) {
        struct text known = text_of(methods[i]);
        if (any_case ? text_equal_nocase(known, name) : text_equal(known, name))
            return 1U << i;
    }
    return 0;
}

static const char *begin_except(struct conf *cf, struct conf_block *child)
{
    struct limit_except *e = child->owner;
    (void)cf;
    e->block = child;
    return NULL;
}

static const char *set_limit_except(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row, (void)slot;
    struct access_conf *a = conf_values(cf->block, &access_module);
    struct limit_except *e = arena_zalloc(cf->arena, sizeof *e);
    struct conf_block *block;

    if (!e)
        return conf_error(cf, "no memory");
    for (unsigned i = 1; i < cf->count; i++) {
        unsigned bit = method_bit(cf->args[i], true);
        if (bit == 0)
            return conf_error(cf, "invalid method \"%.*s\"", TEXT_ARG(cf->args[i]));
        e->excepted |= bit;
    }
    if (e->excepted & GET_BIT)
        e->excepted |= HEAD_BIT;
    a->except = e;
    return conf_block(cf, CONF_LIMIT_EXCEPT, e, &block, begin_except);
}

/* ---- what counts ---- */

const struct access_conf *access_chosen(const struct request *r, const struct access_conf *a)
{
    if (!a || !a->except || method_bit(r->msg.method_name, false) & a->except->excepted)
        return a;
    return conf_values(a->except->block, &access_module);
}

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    struct access_conf *a = values;
    struct location *l = location_of(block);

    if (l)
        l->access = a->rules || (a->realm && a->user_file.path) || a->except ? a : NULL;
    if (a->rules && access_rules_finish(a->rules, cf->arena) < 0)
        return conf_error(cf, "no memory");
    return NULL;
}

#define ALL         CONF_HTTP_ALL
#define SLOT(field) CONF_SLOT(struct access_conf, field)

static const struct conf_enum satisfy_words[] = {{"all", SATISFY_ALL}, {"any", SATISFY_ANY}, {NULL, 0}};

static const struct conf_row rows[] = {
    {"allow", ALL | CONF_LIMIT_EXCEPT, CONF_TAKE1 | CONF_REPEAT, set_rule, SLOT(rules),
     .syntax = "address | network/bits | unix: | all",
     .help = "Admits these clients. The first rule of a level that matches decides; a level with rules of its own "
             "inherits none. Thousands of rules cost no more than a few."},
    {"deny", ALL | CONF_LIMIT_EXCEPT, CONF_TAKE1 | CONF_REPEAT, set_rule, SLOT(rules),
     .syntax = "address | network/bits | unix: | all", .help = "Answers these clients with 403."},
    {"satisfy", ALL, CONF_TAKE1, conf_set_enum, SLOT(satisfy), .extra = satisfy_words, .dflt = "all",
     .help = "Whether both the address and the password must be accepted, or one of them is enough."},
    {"limit_except", CONF_LOCATION, CONF_1MORE | CONF_BLOCK, set_limit_except, .syntax = "method ... { ... }",
     .help = "Access rules for all methods except these; GET includes HEAD.",
     .differs = "access_log may not stand inside."},
    {"auth_basic", ALL | CONF_LIMIT_EXCEPT, CONF_TAKE1, set_realm, SLOT(realm), .dflt = "off", .syntax = "string | off",
     .help = "Asks for a name and a password; browsers show the string, which may have variables."},
    {"auth_basic_user_file", ALL | CONF_LIMIT_EXCEPT, CONF_TAKE1, set_user_file, SLOT(user_file), .syntax = "file",
     .help = "Lines of user:password[:comment]; a change counts from the next request on. Passwords as crypt(3) has "
             "them (bcrypt, yescrypt, SHA-512 ...), $apr1$, {SSHA}, {SHA}, {PLAIN}. A relative path is relative to the "
             "folder of the configuration, also where a variable brings it."},
    {"auth_delay", ALL, CONF_TAKE1, conf_set_msec, SLOT(auth_delay), .dflt = "0s",
     .help = "Waits before it answers 401, so that passwords are guessed slowly."},
    {.name = NULL},
};

struct conf_module access_module = {
    .name = "Access",
    .rows = rows,
    .size = sizeof(struct access_conf),
    .levels = ALL | CONF_LIMIT_EXCEPT,
    .finish = finish,
};
