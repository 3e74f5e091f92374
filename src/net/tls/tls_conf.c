/* tls_conf.c - the directives ssl_*. See tls_conf.h. */
#include "net/tls/tls_conf.h"

#include "net/tls/tls_conf_session.h"

#include <strings.h>

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
    const char *full = path_of(cf, path);
    return full && conf_watches(cf, full) ? add_word(cf, slot, full) : conf_error(cf, "no memory");
}

static struct tls_word *last_of(struct tls_word *w)
{
    while (w->next)
        w = w->next;
    return w;
}

/* A pair's half: a file, or the PEM text itself; with variables, either is known at the handshake. */
static const char *add_half(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct text word = cf->args[1];
    bool is_data = text_starts(word, TEXT("data:")), varies = text_find(word, '$') < word.len;
    const char *error = is_data || varies ? set_word(cf, row, slot) : add_path(cf, row, slot);

    if (error)
        return error;
    struct tls_word *w = last_of(*(struct tls_word **)slot);
    const char *path = varies && word.at[0] != '$' ? path_of(cf, word) : w->word;
    w->varies = varies;
    w->folder = cf->conf_dir;
    w->noted = is_data || !path ? NULL : conf_note(cf, path);
    return is_data || w->noted ? NULL : conf_error(cf, "no memory");
}

bool tls_conf_varies(const struct tls_conf *c)
{
    bool varies = false;

    for (const struct tls_word *w = c->certificates; w; w = w->next)
        varies = varies || w->varies;
    for (const struct tls_word *w = c->keys; w; w = w->next)
        varies = varies || w->varies;
    return varies;
}

static const char *add_command(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct tls_word **end = slot;
    (void)row;

    while (*end)
        end = &(*end)->next;
    const char *error = add_word(cf, end, cf->args[2].at);
    if (!error) {
        (*end)->name = cf->args[1].at;
        (*end)->folder = cf->conf_dir;
    }
    return error;
}

/* nginx takes keys of engines by such names. */
static const char *add_key(struct conf *cf, const struct conf_row *row, void *slot)
{
    static const char *const others[] = {"engine:", "store:"};

    for (unsigned i = 0; i < sizeof others / sizeof *others; i++) {
        if (text_starts(cf->args[1], text_of(others[i])))
            return conf_error(cf, "\"%s\" keys are not supported: name a file with the key", others[i]);
    }
    return add_half(cf, row, slot);
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

/* ---- what is accepted ---- */

/* The values that are there once for all of the configuration. */
static struct tls_conf *outermost(struct conf *cf)
{
    struct tls_conf *found = NULL;

    for (struct conf_block *b = cf->block; b; b = b->parent)
        found = b->values[tls_module.index] ? b->values[tls_module.index] : found;
    return found;
}

/* Asking an authority for the state of a certificate would take a client for HTTP inside of a
 * sandbox; most authorities no longer answer. Said once. */
static const char *accept_ocsp(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct tls_conf *all = outermost(cf);
    bool off = cf->count > 1 && strcmp(cf->args[1].at, "off") == 0;
    (void)slot;

    if (off || all->told_ocsp)
        return NULL;
    all->told_ocsp = true;
    if (text_starts(text_of(row->name), TEXT("ssl_ocsp")))
        conf_warn(cf, "\"%s\" ignored: OCSP is not asked; revoked client certificates are known by ssl_crl", row->name);
    else
        conf_warn(cf, "\"%s\" ignored: OCSP is not asked, and nothing is stapled", row->name);
    return NULL;
}

static const char *accept_compression(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)slot;
    if (strcasecmp(cf->args[1].at, "on") == 0)
        conf_warn(cf, "\"%s\" ignored: certificates are sent as they are", row->name);
    return NULL;
}

/* ---- the rows ---- */

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    const struct tls_conf *c = values;

    if (block->context == CONF_SERVER &&
        (c->verify_client == TLS_VERIFY_ON || c->verify_client == TLS_VERIFY_OPTIONAL) && !c->client_certificate &&
        !c->trusted_certificate && c->certificates)
        return conf_error(cf, "no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client");
    return NULL;
}

static const struct conf_enum verify_words[] = {
    {"off", TLS_VERIFY_OFF},
    {"on", TLS_VERIFY_ON},
    {"optional", TLS_VERIFY_OPTIONAL},
    {"optional_no_ca", TLS_VERIFY_ANY},
    {.name = NULL},
};

/* A record holds at most 16 KiB; libssl sends none with less than 512 bytes. */
static const struct conf_bounds record_bounds = {.least = 512, .most = INT32_MAX};
static const struct conf_bounds depth_bounds = {.least = 0, .most = 100};

#define HTTP_SERVER (CONF_HTTP | CONF_SERVER)
#define SLOT(field) CONF_SLOT(struct tls_conf, field)

#define OCSP(name, arity, syntax_)                                                                                     \
    {                                                                                                                  \
        name, HTTP_SERVER, arity, accept_ocsp,                                                                         \
            .syntax = syntax_, .help = "Accepted, with a warning; sluice asks no OCSP responder, and staples nothing." \
    }

static const struct conf_row rows[] = {
    {"ssl_certificate", HTTP_SERVER, CONF_TAKE1 | CONF_REPEAT, add_half, SLOT(certificates),
     .syntax = "file | data:text",
     .help = "PEM file with a certificate and, behind it, those that lead to its authority. Several lines, each with "
             "its key: for example one RSA and one ECDSA certificate. A relative path is below the folder of the "
             "configuration file. With variables in its name, it is read at the handshake: by a thread of the worker, "
             "which must be able to read it; see ssl_certificate_cache. What the client says cannot lead out of the "
             "folder (no `..`)."},
    {"ssl_certificate_key", HTTP_SERVER, CONF_TAKE1 | CONF_REPEAT, add_key, SLOT(keys), .syntax = "file | data:text",
     .help = "PEM file with the secret key of the certificate. It is read before privileges are dropped: root alone "
             "needs to be able to read it. A key that others can read is warned of. With variables in its name, or in "
             "that of the certificate, it is read at the handshake, and the worker must be able to read it.",
     .differs = "Keys of engines (`engine:`, `store:`) are refused."},
    {"ssl_password_file", HTTP_SERVER, CONF_TAKE1, add_path, SLOT(password_file), .syntax = "file",
     .help = "File with the passwords of secret keys, one on each line, which are tried in turn."},
    {"ssl_protocols", HTTP_SERVER, CONF_1MORE | CONF_REPEAT, set_protocols, SLOT(protocols), .dflt = "TLSv1.2 TLSv1.3",
     .syntax = "[TLSv1] [TLSv1.1] [TLSv1.2] [TLSv1.3]",
     .help = "The versions of TLS that are spoken, by each server its own. The first two need `ssl_ciphers "
             "...@SECLEVEL=0` as well.",
     .differs = "the default of nginx before 1.23.4 includes TLSv1 and TLSv1.1; SSLv2 and SSLv3 are ignored with a "
                "warning; before 1.29 nginx takes the protocols of the address' default server."},
    {"ssl_ciphers", HTTP_SERVER, CONF_TAKE1, set_word, SLOT(ciphers), .dflt = "HIGH:!aNULL:!MD5", .syntax = "ciphers",
     .help = "Ciphers of TLS 1.2 and older, as openssl-ciphers(1) has them. Those of TLS 1.3 are set by "
             "`ssl_conf_command Ciphersuites`."},
    {"ssl_prefer_server_ciphers", HTTP_SERVER, CONF_FLAG, conf_set_flag, SLOT(prefer_server_ciphers), .dflt = "off",
     .help = "Whether the order of ssl_ciphers counts, or that of the client."},
    {"ssl_ecdh_curve", HTTP_SERVER, CONF_TAKE1, set_word, SLOT(ecdh_curve), .dflt = "auto",
     .syntax = "curve[:curve]...",
     .help = "Groups for the exchange of keys, as `openssl ecparam -list_curves` names them; auto: those of OpenSSL."},
    {"ssl_dhparam", HTTP_SERVER, CONF_TAKE1, add_path, SLOT(dhparam), .syntax = "file",
     .help = "PEM file with parameters for DHE ciphers; without one there are none of these ciphers."},
    {"ssl_conf_command", HTTP_SERVER, CONF_TAKE2 | CONF_REPEAT, add_command, SLOT(commands), .syntax = "name value",
     .help = "A setting of OpenSSL by its name in SSL_CONF_cmd(3), applied last; it overrides the other directives.",
     .differs = "`Options KTLS` is taken back with a warning: records are encrypted by OpenSSL, not by the kernel."},

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
    {"ssl_buffer_size", HTTP_SERVER, CONF_TAKE1, conf_set_size, SLOT(buffer_size), .extra = &record_bounds,
     .dflt = "16k", .help = "Most bytes of a response in one record; 16k at most have an effect."},
    {"ssl_early_data", HTTP_SERVER, CONF_FLAG, conf_set_flag, SLOT(early_data), .dflt = "off",
     .help = "Take requests that come with the first bytes of a resumed handshake of TLS 1.3: GET and HEAD alone, "
             "which may be replayed; others get 425. See $ssl_early_data.",
     .differs =
         "nginx takes all methods. As there, the value of the address' default server decides whether early data "
         "is taken at all"},
    {"ssl_reject_handshake", HTTP_SERVER, CONF_FLAG, conf_set_flag, SLOT(reject_handshake), .dflt = "off",
     .help = "Refuse all handshakes for this server (alert unrecognized_name): for a default server, those for names "
             "that no server has. It needs no certificate."},

    {"ssl_verify_client", HTTP_SERVER, CONF_TAKE1, conf_set_enum, SLOT(verify_client), .extra = verify_words,
     .dflt = "off",
     .help = "Whether clients are asked for a certificate: on, without one status 496, with one that is not valid 495; "
             "optional, one may be missing; optional_no_ca, one of any authority will do. $ssl_client_verify tells.",
     .differs = "a request for such a server that comes over the handshake of another one gets 421 also where the "
                "client gave no name"},
    {"ssl_verify_depth", HTTP_SERVER, CONF_TAKE1, conf_set_number, SLOT(verify_depth), .extra = &depth_bounds,
     .dflt = "1", .help = "Most certificates between that of a client and its authority."},
    {"ssl_client_certificate", HTTP_SERVER, CONF_TAKE1, add_path, SLOT(client_certificate), .syntax = "file",
     .help = "PEM file with the authorities of client certificates; their names are told to the clients."},
    {"ssl_trusted_certificate", HTTP_SERVER, CONF_TAKE1, add_path, SLOT(trusted_certificate), .syntax = "file",
     .help = "The same, without telling their names."},
    {"ssl_crl", HTTP_SERVER, CONF_TAKE1, add_path, SLOT(crl), .syntax = "file",
     .help = "PEM file with lists of revoked client certificates: one of each authority."},

    {"ssl_certificate_compression", HTTP_SERVER, CONF_FLAG, accept_compression,
     .help = "Accepted; certificates are sent as they are."},
    OCSP("ssl_stapling", CONF_FLAG, "on | off"),
    OCSP("ssl_stapling_file", CONF_TAKE1, "file"),
    OCSP("ssl_stapling_responder", CONF_TAKE1, "url"),
    OCSP("ssl_stapling_verify", CONF_FLAG, "on | off"),
    OCSP("ssl_ocsp", CONF_TAKE1, "on | off | leaf"),
    OCSP("ssl_ocsp_cache", CONF_TAKE1, "off | shared:name:size"),
    OCSP("ssl_ocsp_responder", CONF_TAKE1, "url"),
    {.name = NULL},
};

struct conf_module tls_module = {
    .name = "TLS",
    .rows = rows,
    .size = sizeof(struct tls_conf),
    .levels = HTTP_SERVER,
    .finish = finish,
};
