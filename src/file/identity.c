/* identity.c - the sources of a file's digest, in their order. See identity.h; called by open.c
 * (memory) and by the cache's threads (the rest). */
#include "file/identity.h"

#include "base/base64.h"
#include "base/number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { TAG_CHARS = 22 /* of base64url: 132 bits */ };

/* RFC 4648, 5. */
static char url_safe(char c)
{
    return c == '+' ? '-' : c == '/' ? '_' : c;
}

static void set_digest(struct file_identity *id, const unsigned char digest[DIGEST_LEN], enum identity_source source)
{
    static const char begin[] = "sha-256=:";
    char *base64 = id->field + sizeof begin - 1;

    id->source = source;
    id->digested = true;
    memcpy(id->digest, digest, DIGEST_LEN);
    memcpy(id->field, begin, sizeof begin - 1);
    base64_encode(digest, DIGEST_LEN, base64);
    id->field[sizeof id->field - 1] = ':';
    id->tag[0] = '"';
    for (unsigned i = 0; i < TAG_CHARS; i++)
        id->tag[1 + i] = url_safe(base64[i]);
    id->tag[1 + TAG_CHARS] = '"';
    id->tag_len = TAG_CHARS + 2;
}

/* ---- manifests ---- */

void identity_look(struct file *f, const struct identity_conf *conf, struct text name)
{
    struct file_identity *id = f->identity;

    id->pending = true;
    if (!conf->manifests || name.len == 0)
        return;
    struct siphash key = manifest_key(name);
    for (const struct identity_manifest *m = conf->manifests; m; m = m->next) {
        const struct manifest_entry *e = manifest_find(m->manifest, &key);
        if (!e)
            continue;
        id->from = m->manifest->path;
        if (manifest_holds(m->manifest, e, f->size, f->mtime, f->ctime)) {
            set_digest(id, e->digest, IDENTITY_BY_MANIFEST);
            id->pending = conf->dictionary;
            return;
        }
        id->stale = IDENTITY_BY_MANIFEST;
    }
}

/* ---- the attribute ---- */

/* Takes what stands before the next space off *rest. */
static struct text next_word(struct text *rest)
{
    size_t end = text_find(*rest, ' ');
    struct text word = {rest->at, end};

    *rest = text_from(*rest, end < rest->len ? end + 1 : end);
    return word;
}

/* Seconds, or seconds and nine digits: whole seconds say nothing of the rest. */
static bool is_time(struct text word, struct timespec mtime)
{
    bool before = text_starts(word, TEXT("-"));
    size_t point = text_find(word, '.');
    uint64_t sec, nsec = 0;
    struct text whole = {word.at + before, point - before};

    if (point < (size_t)before || number_parse(whole, &sec) < 0 || (int64_t)sec < 0)
        return false;
    if (point < word.len && (word.len - point != 10 || number_parse(text_from(word, point + 1), &nsec) < 0))
        return false;
    return (before ? -(int64_t)sec : (int64_t)sec) == mtime.tv_sec &&
           (point == word.len || (long)nsec == mtime.tv_nsec);
}

bool identity_parse(struct text value, off_t size, struct timespec mtime, unsigned char digest[DIGEST_LEN], bool *stale)
{
    struct text rest = text_trim(value), hex = next_word(&rest), bytes = next_word(&rest);
    uint64_t told;

    *stale = false;
    if (!digest_from_hex(hex, digest) || number_parse(bytes, &told) < 0)
        return false;
    *stale = told != (uint64_t)size || !is_time(rest, mtime);
    return !*stale;
}

/* Whether it tells the digest. */
static bool read_attribute(struct file *f)
{
    unsigned char digest[DIGEST_LEN];
    char value[IDENTITY_VALUE_MOST];
    bool stale;
    ssize_t n = fgetxattr(f->fd, IDENTITY_ATTRIBUTE, value, sizeof value);

    if (n <= 0)
        return false;
    if (identity_parse((struct text){value, (size_t)n}, f->size, f->mtime, digest, &stale)) {
        set_digest(f->identity, digest, IDENTITY_BY_ATTRIBUTE);
        return true;
    }
    if (stale && f->identity->stale == IDENTITY_NONE)
        f->identity->stale = IDENTITY_BY_ATTRIBUTE;
    return false;
}

/* ---- the sidecar ---- */

/* RFC 9110, 8.8.3: etagc. */
static bool is_tag(struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.at[i];
        if (c <= ' ' || c == '"' || c == 0x7f)
            return false;
    }
    return t.len > 0;
}

size_t identity_parse_tag(struct text bytes, char out[IDENTITY_TAG_MOST])
{
    while (bytes.len > 0 && strchr("\r\n\t ", bytes.at[bytes.len - 1]))
        bytes.len--;
    bytes = text_trim(bytes);
    bool weak = text_starts(bytes, TEXT("W/\""));
    struct text tag = text_from(bytes, weak ? 2 : 0);
    if (tag.len >= 2 && tag.at[0] == '"' && tag.at[tag.len - 1] == '"')
        tag = (struct text){tag.at + 1, tag.len - 2};
    if (!is_tag(tag) || tag.len + 4 > IDENTITY_TAG_MOST)
        return 0;
    int n = snprintf(out, IDENTITY_TAG_MOST, "%s\"%.*s\"", weak ? "W/" : "", TEXT_ARG(tag));
    return n > 0 && n < IDENTITY_TAG_MOST ? (size_t)n : 0;
}

static bool is_older(struct timespec a, struct timespec b)
{
    return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

static void take_sidecar(struct file *f, int fd)
{
    char bytes[2 * IDENTITY_TAG_MOST];
    struct stat st;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    ssize_t n = read(fd, bytes, sizeof bytes);
    size_t len = n > 0 ? identity_parse_tag((struct text){bytes, (size_t)n}, f->identity->tag) : 0;
    if (len == 0)
        return;
    if (is_older(st.st_mtim, f->mtime)) {
        if (f->identity->stale == IDENTITY_NONE)
            f->identity->stale = IDENTITY_BY_SIDECAR;
        return;
    }
    f->identity->source = IDENTITY_BY_SIDECAR;
    f->identity->tag_len = (uint8_t)len;
}

static void read_sidecar(struct file *f, const struct open_options *options)
{
    char *path = NULL;

    if (asprintf(&path, "%s" IDENTITY_SIDECAR, f->path) < 0)
        return;
    int fd = file_open_descriptor(path, options);
    free(path);
    if (fd < 0)
        return;
    take_sidecar(f, fd);
    close(fd);
}

/* ---- the head ---- */

enum dictionary_format identity_parse_head(struct text head, unsigned char dictionary[DIGEST_LEN])
{
    static const struct {
        struct text magic;
        enum dictionary_format format;
    } known[] = {{{IDENTITY_DCB_MAGIC, sizeof IDENTITY_DCB_MAGIC - 1}, DICTIONARY_DCB},
                 {{IDENTITY_DCZ_MAGIC, sizeof IDENTITY_DCZ_MAGIC - 1}, DICTIONARY_DCZ}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!text_starts(head, known[i].magic) || head.len < known[i].magic.len + DIGEST_LEN)
            continue;
        memcpy(dictionary, head.at + known[i].magic.len, DIGEST_LEN);
        return known[i].format;
    }
    return DICTIONARY_NONE;
}

static void read_head(struct file *f)
{
    char head[sizeof IDENTITY_DCZ_MAGIC - 1 + DIGEST_LEN];
    ssize_t n = f->fd >= 0 ? pread(f->fd, head, sizeof head, 0) : -1;

    if (n > 0)
        f->identity->format = identity_parse_head((struct text){head, (size_t)n}, f->identity->dictionary);
}

void identity_read(struct file *f, const struct open_options *options)
{
    if (!identity_is_pending(f))
        return;
    f->identity->pending = false;
    if (options && options->identity && options->identity->dictionary)
        read_head(f);
    if (f->identity->source != IDENTITY_NONE)
        return;
    if (f->fd >= 0 && read_attribute(f))
        return;
    if (options && options->identity && options->identity->sidecar)
        read_sidecar(f, options);
}

bool identity_same(const struct file_identity *a, const struct file_identity *b)
{
    if (!a || !b)
        return a == b;
    return a->source == b->source && a->stale == b->stale && a->tag_len == b->tag_len &&
           memcmp(a->tag, b->tag, a->tag_len) == 0 && a->digested == b->digested &&
           (!a->digested || memcmp(a->digest, b->digest, DIGEST_LEN) == 0) && a->format == b->format &&
           memcmp(a->dictionary, b->dictionary, DIGEST_LEN) == 0;
}
