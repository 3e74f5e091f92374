/* tls_conf.c - the directives ssl_*. See tls_conf.h. */
#include "net/tls_conf.h"

#include "net/tls_conf_session.h"

/* ---- words that are used later ---- */

static struct tls_word *word_of(struct conf *cf, const char *word)
{
    struct tls_word *w = word ? arena_alloc(cf->arena, sizeof *w) : NULL;
    if (w)
        *w = (struct tls_word){.word = word, .directive = cf->args[0].at, .file = cf->file, .line = cf->line};
    return w;
}

static const char *add_word(struct conf *cf, struct tls_word **list, const char *word)
{
    struct tls_word *w = word_of(cf, word);
    if (!w)
        return conf_error(cf, "no memory");
    while (*list)
        list = &(*list)->next;
    *list = w;
    return NULL;
}

static const char *set_word(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row;
    return add_word(cf, slot, cf->args[1].at);
}

/* As nginx: below the folder of the main file, not below the prefix. */
static const char *path_of(struct conf *cf, struct text path)
{
    return path.at[0] == '/' ? path.at : arena_printf(cf->arena, "%s%s", cf->conf_dir, path.at);
}

static const char *add_path(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct text path = cf->args[1];

    if (path.len == 0)
        return conf_error(cf, "\"%s\" needs the path of a file", row->name);
    return add_word(cf, slot, path_of(cf, path));
}

/* nginx takes keys of engines by such names. */
static const char *add_key(struct conf *cf, const struct conf_row *row, void *slot)
{
    static const char *const others[] = {"engine:", "store:"};

    for (unsigned i = 0; i < sizeof others / sizeof *others; i++) {
        if (text_starts(cf->args[1], text_of(others[i])))
            return conf_error(cf, "\"%s\" keys are not supported: name a file with the key", others[i]);
    }
    return add_path(cf, row, slot);
}

/* ---- protocols ---- */

static const struct {
    const char *name;
    unsigned bit; /* 0: OpenSSL has it no more */
} protocols[] = {
    {"SSLv2", 0}, {"SSLv3", 0}, {"TLSv1", TLS_1_0}, {"TLSv1.1", TLS_1_1}, {"TLSv1.2", TLS_1_2}, {"TLSv1.3", TLS_1_3},
};

static const char *add_protocol(struct conf *cf, const char *word, unsigned *bits)
{
    for (unsigned i = 0; i < sizeof protocols / sizeof *protocols; i++) {
        if (strcmp(word, protocols[i].name) != 0)
            continue;
        if (protocols[i].bit == 0)
            conf_warn(cf, "protocol \"%s\" is not available, ignored", word);
        else if (*bits & protocols[i].bit)
            conf_warn(cf, "duplicate value \"%s\"", word);
        *bits |= protocols[i].bit;
        return NULL;
    }
    return conf_error(cf, "invalid value \"%s\"", word);
}

static const char *set_protocols(struct conf *cf, const struct conf_row *row, void *slot)
{
    unsigned *bits = slot;
    const char *error = NULL;

    for (unsigned i = 1; i < cf->count && !error; i++)
        error = add_protocol(cf, cf->args[i].at, bits);
    return error || *bits ? error : conf_error(cf, "\"%s\" names no protocol that is available", row->name);
}

/* ---- the rows ---- */

#define HTTP_SERVER (CONF_HTTP | CONF_SERVER)
#define SLOT(field) CONF_SLOT(struct tls_conf, field)

static const struct conf_row rows[] = {
    {"ssl_certificate", HTTP_SERVER, CONF_TAKE1 | CONF_REPEAT, add_path, SLOT(certificates), .syntax = "file",
     .help = "PEM file with a certificate and, behind it, those that lead to its authority. Several lines, each with "
             "its key: for example one RSA and one ECDSA certificate. A relative path is below the folder of the "
             "configuration file."},
    {"ssl_certificate_key", HTTP_SERVER, CONF_TAKE1 | CONF_REPEAT, add_key, SLOT(keys), .syntax = "file",
     .help = "PEM file with the secret key of the certificate. It is read before privileges are dropped: root alone "
             "needs to be able to read it.",
     .differs = "Keys of engines (`engine:`, `store:`) are refused."},
    {"ssl_protocols", HTTP_SERVER, CONF_1MORE | CONF_REPEAT, set_protocols, SLOT(protocols), .dflt = "TLSv1.2 TLSv1.3",
     .syntax = "[TLSv1] [TLSv1.1] [TLSv1.2] [TLSv1.3]",
     .help = "The versions of TLS that are spoken. The first two need `ssl_ciphers ...@SECLEVEL=0` as well.",
     .differs = "the default of nginx before 1.23.4 includes TLSv1 and TLSv1.1; SSLv2 and SSLv3 are ignored with a "
                "warning."},
    {"ssl_ciphers", HTTP_SERVER, CONF_TAKE1, set_word, SLOT(ciphers), .dflt = "HIGH:!aNULL:!MD5", .syntax = "ciphers",
     .help = "Ciphers of TLS 1.2 and older, as openssl-ciphers(1) has them. Those of TLS 1.3 are set by "
             "`ssl_conf_command Ciphersuites`."},
    {"ssl_session_cache", HTTP_SERVER, CONF_1MORE, tls_conf_set_session_cache, SLOT(session_cache), .dflt = "none",
     .syntax = "off | none | [builtin[:sessions]] [shared:name:size]",
     .help = "Where sessions are kept that no ticket holds: those of clients without tickets, and all where "
             "`ssl_session_tickets` is off. One of 1 MiB holds about 4000. All workers share it, and it is kept across "
             "a reload that leaves its size.",
     .differs = "`builtin` is shared by the workers, too; `off` is as `none`: nothing is kept, and a client that asks "
                "gets a full handshake."},
    {"ssl_session_timeout", HTTP_SERVER, CONF_TAKE1, conf_set_sec, SLOT(session_timeout), .dflt = "5m",
     .help = "For how long a session may be resumed, whether from a ticket or from the cache."},
    {"ssl_session_tickets", HTTP_SERVER, CONF_FLAG, conf_set_flag, SLOT(session_tickets), .dflt = "on",
     .help = "Whether clients keep their sessions themselves, in encrypted tickets. Without `ssl_session_ticket_key` "
             "the keys "
             "are made by the master process, in memory only: a new one every hour, old ones wiped when their last "
             "ticket has ended, kept across reloads and a new binary.",
     .differs = "nginx changes its key every hour only where there is a shared cache, and loses it with a new binary."},
    {"ssl_session_ticket_key", HTTP_SERVER, CONF_TAKE1 | CONF_REPEAT, add_path, SLOT(ticket_keys), .syntax = "file",
     .help =
         "File of 48 or 80 random bytes with a ticket key, for several servers that resume each other's sessions. "
         "Of several lines the first encrypts, and all decrypt: a new key is put first everywhere after it was second "
         "everywhere. These keys are not changed by the hour: whoever makes the files does that, with a reload."},
    {.name = NULL},
};

struct conf_module tls_module = {
    .name = "TLS",
    .rows = rows,
    .size = sizeof(struct tls_conf),
    .levels = HTTP_SERVER,
};
