/* layout.c - see layout.h.
 *
 * Nothing is taken for true that a layout says of itself: every text has a bound, and so has their
 * sum, and an index that names itself is read once. */
#include "http/registry/layout.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MANIFESTS_MOST = 64 * 1024,        /* of a layout */
    READ_MOST = 256 * 1024 * 1024,     /* bytes of JSON of all of it */
    REFERRERS_MOST = 16 * 1024 * 1024, /* bytes of their list */
    NESTED_MOST = 8,                   /* indexes inside of indexes */
    TEXTS_CHUNK = 16 * 1024
};

struct reader {
    struct layout *l;
    const char *folder;
    const struct open_options *guard;
    const atomic_bool *stop; /* or NULL */
    size_t manifest_room, tag_room, referrer_room;
    size_t read, referrers; /* bytes so far */
    bool tagged;            /* what is read is index.json, whose entries may have tags */
    int failed;             /* -errno where a callback could not go on */
};

/* ---- files ---- */

static ssize_t read_whole(int fd, char *to, size_t len)
{
    size_t got = 0;

    for (ssize_t n; got < len && (n = read(fd, to + got, len - got)) != 0;) {
        if (n < 0 && errno != EINTR)
            return -errno;
        got += n > 0 ? (size_t)n : 0;
    }
    return (ssize_t)got;
}

static int read_text(struct reader *r, int fd, struct stat *st, struct text *out)
{
    if (fstat(fd, st) < 0)
        return -errno;
    if (!S_ISREG(st->st_mode))
        return -EBADMSG;
    if (st->st_size > LAYOUT_JSON_MOST || r->read + (size_t)st->st_size > READ_MOST)
        return -E2BIG;
    char *bytes = malloc((size_t)st->st_size + 1);
    if (!bytes)
        return -ENOMEM;
    ssize_t len = read_whole(fd, bytes, (size_t)st->st_size);
    if (len < 0) {
        free(bytes);
        return (int)len;
    }
    r->read += (size_t)len;
    *out = (struct text){bytes, (size_t)len};
    return 0;
}

/* The file `name` of the layout, on the heap. 0 or -errno. */
static int read_file(struct reader *r, const char *name, struct stat *st, struct text *out)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s%s", r->folder, name);

    *out = TEXT_NONE;
    if (r->stop && atomic_load_explicit(r->stop, memory_order_relaxed))
        return -ECANCELED;
    if (len < 0 || (size_t)len >= sizeof path)
        return -ENAMETOOLONG;
    int fd = file_open_descriptor(path, r->guard);
    if (fd < 0)
        return fd;
    int rc = read_text(r, fd, st, out);
    close(fd);
    return rc;
}

struct text layout_blob(struct text digest, char to[LAYOUT_BLOB_MOST])
{
    size_t colon = text_find(digest, ':');
    int len = snprintf(to, LAYOUT_BLOB_MOST, "/blobs/%.*s/%.*s", (int)colon, digest.at, (int)(digest.len - colon - 1),
                       digest.at + colon + 1);

    return (struct text){to, (size_t)len};
}

static int read_blob(struct reader *r, struct text digest, struct text *out)
{
    char name[LAYOUT_BLOB_MOST];
    struct stat st;

    layout_blob(digest, name);
    return read_file(r, name, &st, out);
}

/* Of a file that `failed` to be read, the layout may be served without: it is not there now, or will
 * never be good, since a blob does not change. */
static int forgive(struct reader *r, int failed)
{
    if (failed == -ENOMEM || failed == -ECANCELED || (failed == -E2BIG && r->read > READ_MOST - LAYOUT_JSON_MOST))
        return failed;
    if (failed != -EBADMSG && failed != -E2BIG)
        r->l->whole = false;
    return 0;
}

/* ---- lists that grow ---- */

/* Room for one more; NULL: no memory. */
static void *grown(void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return items;
    size_t more = *room > 0 ? 2 * *room : 16;
    void *bigger = realloc(items, more * size);
    if (bigger)
        *room = more;
    return bigger;
}

static struct text keep(struct reader *r, struct text t)
{
    r->l->bytes += t.len + ARENA_ALIGN;
    return arena_text(&r->l->arena, t);
}

static int add_tag(struct reader *r, const struct descriptor *d, struct text digest)
{
    struct layout *l = r->l;
    struct layout_tag *tags = grown(l->tags, l->tag_count, &r->tag_room, sizeof *tags);

    if (!tags)
        return -ENOMEM;
    l->tags = tags;
    tags[l->tag_count] = (struct layout_tag){keep(r, d->tag), digest, l->tag_count};
    return tags[l->tag_count++].name.at ? 0 : -ENOMEM;
}

static int on_descriptor(void *arg, const struct descriptor *d)
{
    struct reader *r = arg;
    struct layout *l = r->l;

    if (l->manifest_count >= MANIFESTS_MOST)
        return -E2BIG;
    struct layout_manifest *all = grown(l->manifests, l->manifest_count, &r->manifest_room, sizeof *all);
    if (!all)
        return -ENOMEM;
    l->manifests = all;
    struct layout_manifest *m = &all[l->manifest_count];
    *m = (struct layout_manifest){keep(r, d->digest), keep(r, d->media_type), d->size, false};
    if (!m->digest.at || !m->media_type.at)
        return -ENOMEM;
    l->manifest_count++;
    return r->tagged && d->tag.at ? add_tag(r, d, m->digest) : 0;
}

/* ---- order ---- */

static int compare_texts(struct text a, struct text b)
{
    int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_digest(const void *one, const void *other)
{
    const struct layout_manifest *a = one, *b = other;
    int order = compare_texts(a->digest, b->digest);

    return order != 0 ? order : (int)b->opened - (int)a->opened;
}

static int by_tag(const void *one, const void *other)
{
    const struct layout_tag *a = one, *b = other;
    int order = compare_texts(a->name, b->name);

    return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

static void sort_manifests(struct layout *l)
{
    size_t kept = 0;

    if (l->manifest_count > 1)
        qsort(l->manifests, l->manifest_count, sizeof *l->manifests, by_digest);
    for (size_t i = 0; i < l->manifest_count; i++) {
        if (kept == 0 || !text_equal(l->manifests[kept - 1].digest, l->manifests[i].digest))
            l->manifests[kept++] = l->manifests[i];
    }
    l->manifest_count = kept;
}

static void sort_tags(struct layout *l)
{
    size_t kept = 0;

    if (l->tag_count > 1)
        qsort(l->tags, l->tag_count, sizeof *l->tags, by_tag);
    for (size_t i = 0; i < l->tag_count; i++) {
        if (kept == 0 || !text_equal(l->tags[kept - 1].name, l->tags[i].name))
            l->tags[kept++] = l->tags[i];
    }
    l->tag_count = kept;
}

/* ---- the layout ---- */

static int read_index(struct reader *r)
{
    struct text bytes;
    struct stat st;
    int rc = read_file(r, LAYOUT_MARK, &st, &bytes);

    if (rc < 0)
        return rc;
    rc = layout_json_version(bytes);
    free((char *)bytes.at);
    if (rc == 0)
        rc = read_file(r, LAYOUT_INDEX, &r->l->status, &bytes);
    if (rc < 0)
        return rc;
    r->tagged = true;
    rc = layout_json_index(bytes, on_descriptor, r);
    r->tagged = false;
    free((char *)bytes.at);
    return rc;
}

static bool is_index(const struct layout_manifest *m)
{
    return text_equal(m->media_type, TEXT("application/vnd.oci.image.index.v1+json")) ||
           text_equal(m->media_type, TEXT("application/vnd.docker.distribution.manifest.list.v2+json"));
}

static int open_index(struct reader *r, struct text digest)
{
    struct text bytes;
    int rc = read_blob(r, digest, &bytes);

    if (rc == 0) {
        rc = layout_json_index(bytes, on_descriptor, r);
        free((char *)bytes.at);
        if (rc == -E2BIG)
            return rc;
    }
    return rc < 0 ? forgive(r, rc) : 0;
}

/* The indexes that are known and not yet open; how many there were, or -errno. */
static int open_indexes(struct reader *r)
{
    struct layout *l = r->l;
    int opened = 0;

    for (size_t i = 0, count = l->manifest_count; i < count; i++) { /* what is added comes behind */
        if (l->manifests[i].opened || !is_index(&l->manifests[i]))
            continue;
        l->manifests[i].opened = true;
        int rc = open_index(r, l->manifests[i].digest);
        if (rc < 0)
            return rc;
        opened++;
    }
    return opened;
}

static int open_all(struct reader *r)
{
    int rc = 1;

    for (unsigned depth = 0; depth < NESTED_MOST && rc > 0; depth++) {
        sort_manifests(r->l);
        rc = open_indexes(r);
    }
    sort_manifests(r->l);
    return rc < 0 ? rc : 0;
}

/* ---- referrers ---- */

static void on_referrer(void *arg, const struct referrer *f)
{
    struct reader *r = arg;
    struct layout *l = r->l;
    struct referrer *all = grown(l->referrers, l->referrer_count, &r->referrer_room, sizeof *all);

    r->failed = -ENOMEM;
    if (!all)
        return;
    l->referrers = all;
    r->referrers += f->json.len;
    struct referrer *to = &all[l->referrer_count];
    *to = (struct referrer){keep(r, f->subject), keep(r, f->artifact_type), keep(r, f->json)};
    if (!to->subject.at || (f->artifact_type.at && !to->artifact_type.at) || !to->json.at)
        return;
    l->referrer_count++;
    r->failed = r->referrers > REFERRERS_MOST ? -E2BIG : 0;
}

static int read_referrers(struct reader *r)
{
    struct layout *l = r->l;

    for (size_t i = 0; i < l->manifest_count; i++) {
        const struct layout_manifest *m = &l->manifests[i];
        const struct descriptor d = {m->media_type, m->digest, TEXT_NONE, m->size};
        struct text bytes;
        int rc = read_blob(r, m->digest, &bytes);
        if (rc == 0) {
            rc = layout_json_referrer(bytes, &d, on_referrer, r);
            free((char *)bytes.at);
        }
        rc = r->failed < 0 ? r->failed : rc < 0 ? forgive(r, rc) : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

int layout_read(struct layout **out, const char *folder, const struct open_options *guard, bool referrers,
                const atomic_bool *stop)
{
    struct layout *l = calloc(1, sizeof *l);
    struct reader r = {.l = l, .folder = folder, .guard = guard, .stop = stop};

    if (!l)
        return -ENOMEM;
    arena_init(&l->arena, TEXTS_CHUNK);
    l->whole = true;
    int rc = read_index(&r);
    if (rc == 0)
        rc = open_all(&r);
    if (rc == 0 && referrers)
        rc = read_referrers(&r);
    if (rc < 0) {
        layout_free(l);
        return rc;
    }
    sort_tags(l);
    l->bytes += sizeof *l + r.manifest_room * sizeof *l->manifests + r.tag_room * sizeof *l->tags +
                r.referrer_room * sizeof *l->referrers;
    *out = l;
    return 0;
}

void layout_free(struct layout *l)
{
    if (!l)
        return;
    free(l->manifests);
    free(l->tags);
    free(l->referrers);
    arena_fini(&l->arena);
    free(l);
}

/* ---- questions ---- */

const struct layout_manifest *layout_by_digest(const struct layout *l, struct text digest)
{
    size_t from = 0, to = l->manifest_count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = compare_texts(l->manifests[middle].digest, digest);
        if (order == 0)
            return &l->manifests[middle];
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

size_t layout_tags_after(const struct layout *l, struct text tag)
{
    size_t from = 0, to = l->tag_count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (compare_texts(l->tags[middle].name, tag) <= 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

const struct layout_manifest *layout_by_tag(const struct layout *l, struct text tag)
{
    size_t after = layout_tags_after(l, tag);

    if (after == 0 || !text_equal(l->tags[after - 1].name, tag))
        return NULL;
    return layout_by_digest(l, l->tags[after - 1].digest);
}
