/* digest.c - stored digests: which manifests a location has, and the fields that digests make. See
 * digest.h; called by steps.c and validators.c. */
#include "http/respond/digest.h"

#include "http/core/core.h"
#include "http/request/request.h"
#include "http/syntax/field.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

/* ---- what is stale is told once ---- */

enum { TOLD = 1024 };

/* Shared by the workers of a configuration. */
struct digest_told {
    _Atomic uint64_t files[TOLD]; /* by a hash; the latest one of each place */
};

static uint64_t hash_state(const struct file *f)
{
    const uint64_t of[] = {(uint64_t)f->dev, (uint64_t)f->ino, (uint64_t)f->size, (uint64_t)f->mtime.tv_sec,
                           (uint64_t)f->mtime.tv_nsec};
    uint64_t h = UINT64_C(0x9e3779b97f4a7c15);

    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        h = (h ^ of[i]) * UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 32;
    }
    return h | 1; /* 0: nobody */
}

static bool is_news(struct digest_told *told, const struct file *f)
{
    uint64_t h = hash_state(f);

    return !told || atomic_exchange_explicit(&told->files[h / 2 % TOLD], h, memory_order_relaxed) != h;
}

static const char *name_of(enum identity_source source)
{
    return source == IDENTITY_BY_MANIFEST    ? "the manifest"
           : source == IDENTITY_BY_ATTRIBUTE ? "the attribute " IDENTITY_ATTRIBUTE
                                             : "the sidecar";
}

void digest_tell_stale(struct request *r)
{
    const struct file_identity *id = r->file->identity;

    if (!is_news(r->location->digests->told, r->file))
        return;
    request_log(r, LEVEL_WARN, 0, "\"%s\" is not as %s%s%s%s says: the digest that is recorded there is not used",
                r->file->path, name_of(id->stale), id->stale == IDENTITY_BY_MANIFEST ? " \"" : "",
                id->stale == IDENTITY_BY_MANIFEST ? id->from : "", id->stale == IDENTITY_BY_MANIFEST ? "\"" : "");
}

/* ---- Repr-Digest ---- */

/* The weight of "sha-256" in Want-Repr-Digest, a dictionary of integers (RFC 9530, 4; RFC 8941, 3.2);
 * below 0: it does not name it, or is malformed. The last one of several counts. */
static int weight_of(struct text wanted)
{
    static const struct text key = {"sha-256", 7};
    struct text element;
    int weight = -1;

    while (text_list_next(&wanted, &element)) {
        element.len = text_find(element, ';'); /* parameters */
        size_t equals = text_find(element, '=');
        if (!text_equal((struct text){element.at, equals}, key))
            continue;
        struct text value = text_trim(text_from(element, equals < element.len ? equals + 1 : equals));
        if (value.len == 1 && value.at[0] >= '0' && value.at[0] <= '9')
            weight = value.at[0] - '0';
        else if (text_equal(value, TEXT("10")))
            weight = 10;
    }
    return weight;
}

/* Of a client that says nothing about SHA-256 all is well: what it would rather have is not there. */
static bool is_wanted(const struct request *r)
{
    struct text name = TEXT("want-repr-digest");
    int weight = -1;

    for (unsigned i = 0; i < r->msg.count; i++) {
        const struct header *h = &r->msg.headers[i];
        if (h->name.len != name.len || !text_equal_nocase(h->name, name))
            continue;
        int told = weight_of(h->value); /* several lines are one list */
        weight = told >= 0 ? told : weight;
    }
    return weight != 0;
}

/* The bytes of the file are the representation: nothing of it is made anew. */
static bool is_as_stored(const struct response *o)
{
    return !o->plan.decoded && !o->plan.encoded && !o->plan.recode;
}

static bool has_status(const struct request *r)
{
    int status = r->out.status;
    return (r->error_status == 0 || r->error_status == 200) && (status == 200 || status == 206 || status == 304);
}

void digest_apply(struct request *r)
{
    const struct file_identity *id = r->file ? r->file->identity : NULL;
    struct response *o = &r->out;

    if (!id || !id->digested || !has_status(r) || !is_as_stored(o) || !is_wanted(r))
        return;
    struct field_line *f = arena_alloc(&r->arena, sizeof *f);
    if (!f)
        return;
    *f = (struct field_line){NULL, TEXT("Repr-Digest"), {id->field, sizeof id->field}};
    *o->fields_end = f;
    o->fields_end = &f->next;
}

/* ---- $file_digest ---- */

static void get_file_digest(struct request *r, const void *data, struct text *out)
{
    const struct file_identity *id = r->file ? r->file->identity : NULL;
    char *hex = id && id->digested ? arena_alloc(&r->arena, DIGEST_HEX) : NULL;

    (void)data;
    *out = TEXT_NONE;
    if (!hex)
        return;
    digest_to_hex(id->digest, hex);
    *out = (struct text){hex, DIGEST_HEX};
}

const struct variable_row digest_variables[] = {
    {"file_digest", .get = get_file_digest},
    {.name = NULL},
};

/* ---- words ---- */

const char *digest_explain(struct request *r)
{
    const struct file_identity *id = r->file->identity;
    int kind = r->location->http->etag;

    if (kind != ETAG_CONTENT || !id)
        return "made of the file's time and size";
    const char *behind = "";
    if (id->stale != IDENTITY_NONE)
        behind = arena_printf(&r->arena, "; %s%s%s has one of the file as it was", name_of(id->stale),
                              id->stale == IDENTITY_BY_MANIFEST ? " " : "",
                              id->stale == IDENTITY_BY_MANIFEST ? id->from : "");
    const char *text = NULL;
    switch (id->source) {
    case IDENTITY_BY_MANIFEST:
        text = arena_printf(&r->arena, "the content's digest, from the manifest %s", id->from);
        break;
    case IDENTITY_BY_ATTRIBUTE:
        text = arena_printf(&r->arena, "the content's digest, from the attribute %s%s", IDENTITY_ATTRIBUTE,
                            behind ? behind : "");
        break;
    case IDENTITY_BY_SIDECAR:
        text =
            arena_printf(&r->arena, "from the sidecar %s%s%s", r->file->path, IDENTITY_SIDECAR, behind ? behind : "");
        break;
    case IDENTITY_NONE:
        text = arena_printf(&r->arena, "made of the file's time and size: no digest is recorded of it as it is%s",
                            behind ? behind : "");
        break;
    }
    return text ? text : "";
}

/* ---- directives ---- */

/* What the digest_manifest lines of a block come to. */
struct digest_manifests {
    unsigned id;
    struct identity_manifest *first, **end; /* `first` NULL: off */
};

static void close_manifest(void *arg)
{
    manifest_close(arg);
}

static const char *explain_error(int rc)
{
    return rc == -EINVAL ? "it has no line of a SHA-256 digest and a name, as sha256sum writes them" : strerror(-rc);
}

/* Lines that are none are common: signatures around a list. */
static void warn_of_lines(struct conf *cf, const struct manifest *m)
{
    if (m->ignored > 0)
        conf_warn(cf, "\"%s\": %u lines are no SHA-256 digest and name, the first one is line %u", m->path, m->ignored,
                  m->first_ignored);
    if (m->count == 0)
        conf_warn(cf, "\"%s\" is empty", m->path);
}

static const char *add_manifest(struct conf *cf, struct digest_manifests *list, struct text file, struct text prefix)
{
    struct identity_manifest *item = arena_zalloc(cf->arena, sizeof *item);
    const char *path = conf_full_path(cf, file);

    if (!item || !path)
        return conf_error(cf, "no memory");
    int rc = manifest_open(&item->manifest, path, prefix);
    if (rc < 0)
        return conf_error(cf, "the manifest \"%s\" cannot be read: %s", path, explain_error(rc));
    if (arena_at_fini(cf->arena, close_manifest, item->manifest) < 0) {
        manifest_close(item->manifest);
        return conf_error(cf, "no memory");
    }
    warn_of_lines(cf, item->manifest);
    *list->end = item;
    list->end = &item->next;
    return NULL;
}

/* Behind the root, without slashes at its ends. */
static struct text trim_prefix(struct text prefix)
{
    while (text_starts(prefix, TEXT("/")))
        prefix = text_from(prefix, 1);
    while (text_ends(prefix, TEXT("/")))
        prefix.len--;
    return prefix;
}

static struct digest_manifests *new_list(struct conf *cf)
{
    static unsigned last_id;
    struct digest_manifests *list = arena_zalloc(cf->arena, sizeof *list);

    if (!list)
        return NULL;
    list->id = ++last_id;
    list->end = &list->first;
    return list;
}

/* file ... [prefix=path] | off */
static const char *set_manifest(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct digest_manifests **list = slot;
    struct text last = cf->args[cf->count - 1], prefix = TEXT("");
    unsigned files = cf->count - 1;
    const char *error = NULL;

    if (!*list)
        *list = new_list(cf);
    if (!*list)
        return conf_error(cf, "no memory");
    if (files == 1 && text_equal(last, TEXT("off")))
        return (*list)->first ? conf_error(cf, "\"%s off\" stands beside manifests", row->name) : NULL;
    if (text_starts(last, TEXT("prefix="))) {
        prefix = trim_prefix(text_from(last, sizeof "prefix=" - 1));
        files--;
    }
    if (files == 0)
        return conf_error(cf, "\"%s\" must name a file before \"prefix=\"", row->name);
    for (unsigned i = 1; i <= files && !error; i++)
        error = add_manifest(cf, *list, cf->args[i], prefix);
    return error;
}

static const struct conf_row rows[] = {
    {"digest_manifest", CONF_HTTP_ALL, CONF_1MORE | CONF_REPEAT, set_manifest, CONF_SLOT(struct digest_conf, manifests),
     .dflt = "off", .syntax = "file ... [prefix=path] | off",
     .help =
         "Lists of SHA-256 digests, as sha256sum writes them; names are below the root or alias, or below this path "
         "in it. Read at start and reload. An entry counts while the file's size and time are "
         "those that a comment before it notes (docs/scale.md), or the list is not older than the file, and its inode "
         "has not changed since the list was read. For etag content, repr_digest and $file_digest; files that no list "
         "has are looked up in their extended attribute " IDENTITY_ATTRIBUTE "."},
    {"repr_digest", CONF_HTTP_ALL, CONF_FLAG, conf_set_flag, CONF_SLOT(struct digest_conf, repr_digest), .dflt = "off",
     .help =
         "Send Repr-Digest (RFC 9530) with the stored digest of the file that is sent, if there is one; not of what "
         "is made on the fly. A client's Want-Repr-Digest with sha-256=0 leaves it out."},
    {.name = NULL},
};

static void unmap_told(void *arg)
{
    munmap(arg, sizeof(struct digest_told));
}

/* Made once, in the first level that asks for it. */
static struct digest_told *told_of(struct conf *cf, const struct conf_block *block)
{
    const struct digest_conf *outer = NULL;

    for (const struct conf_block *b = block->parent; b && !outer; b = b->parent)
        outer = conf_values(b, &digest_module);
    if (outer && outer->told)
        return outer->told;
    struct digest_told *told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (told == MAP_FAILED)
        return NULL;
    if (arena_at_fini(cf->arena, unmap_told, told) < 0) {
        unmap_told(told);
        return NULL;
    }
    return told;
}

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    struct digest_conf *conf = values;
    struct location *l = location_of(block);
    const struct http_conf *http = conf_values_around(block, &http_module);
    bool by_tag = http->etag == ETAG_CONTENT, listed = conf->manifests && conf->manifests->first;

    if (!by_tag && !listed && !conf->repr_digest)
        return NULL;
    conf->identity = (struct identity_conf){
        .id = (listed ? conf->manifests->id : 0) * IDENTITY_IDS + by_tag + 1,
        .manifests = listed ? conf->manifests->first : NULL,
        .sidecar = by_tag,
    };
    conf->told = told_of(cf, block);
    if (l) {
        l->identity = &conf->identity;
        l->digests = conf;
    }
    return NULL;
}

struct conf_module digest_module = {
    .name = "Content identity",
    .rows = rows,
    .size = sizeof(struct digest_conf),
    .levels = CONF_HTTP_ALL,
    .finish = finish,
};
