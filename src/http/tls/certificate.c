/* certificate.c - see certificate.h. Called by http/h1/connection_handshake.c.
 *
 * Names are made out in the loop, by a request that nobody has sent; files are opened, read and
 * parsed by threads, as the worker's user, through its opener where Landlock asks for that. */
#include "http/tls/certificate.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/threads.h"
#include "file/elsewhere.h"
#include "file/open.h"
#include "http/request/request.h"
#include "http/site/site.h"
#include "http/tls/certificate_cache.h"
#include "http/variable/climb.h"
#include "net/tls/tls_context.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    THREADS = 2,            /* per worker; a pair takes some 100 us */
    PEM_MOST = 1024 * 1024, /* bytes of a file */
    DATA_LEN = 5            /* "data:" */
};

#define BY_LANDLOCK "open() failed (13: Permission denied), by Landlock: \"landlock_read\" names further paths"

static const char doing[] = "SSL handshaking";

/* Of a worker, made when the first handshake asks. */
struct certificates {
    struct worker_part part;
    struct pool *pool;
    struct watch *watch;
    struct certificate_cache **caches; /* one for each directive that was needed so far */
    unsigned count;
};

/* A pair of a handshake. */
struct wanted {
    struct text certificate, key; /* paths, or "data:" and PEM; NUL-terminated, on the heap */
    struct tls_pair *pair;        /* NULL: it is to be read */
    bool read;                    /* and now it was, or its files are found to be what they were */
    struct tls_pair *before;      /* what was kept of it, with: */
    struct pair_marks marks;
};

struct certificate_wait {
    struct job job;
    struct certificates *all;
    struct certificate_client client; /* .tls NULL: the connection has gone away */
    struct tls_context *context;      /* held */
    struct certificate_cache *cache;  /* NULL: none */
    int64_t asked_sec;
    int error;         /* why there is none: errno, 0: what `why` says is enough */
    struct buffer why; /* its text; empty: there are all */
    unsigned count;
    struct wanted pairs[];
};

static bool is_data(struct text name)
{
    return text_starts(name, TEXT("data:"));
}

/* What the log says of it: what data: holds may be a secret. */
static struct text shown(struct text name)
{
    return is_data(name) ? TEXT("data:") : name;
}

static void fail(struct certificate_wait *w, bool key, struct text name, const char *why, int error)
{
    struct text t = shown(name);

    if (w->why.len > 0)
        return;
    buffer_printf(&w->why, "cannot load certificate %s\"%.*s\": %s", key ? "key " : "", TEXT_ARG(t), why);
    w->error = error;
}

/* ---- on a thread ---- */

struct pem {
    char *bytes; /* on the heap, wiped when freed; NULL: none */
    struct text text;
    struct stat mark; /* of the file */
};

static void pem_free(struct pem *p)
{
    if (p->bytes)
        explicit_bzero(p->bytes, p->text.len);
    free(p->bytes);
}

static ssize_t read_some(int fd, char *to, size_t len)
{
    ssize_t n;

    do
        n = read(fd, to, len);
    while (n < 0 && errno == EINTR);
    return n;
}

/* 0 or -errno. */
static int read_all(int fd, struct pem *p)
{
    size_t size = (size_t)p->mark.st_size;
    ssize_t n = 0;

    p->bytes = malloc(size + 1);
    if (!p->bytes)
        return -ENOMEM;
    p->text.at = p->bytes;
    while (p->text.len < size && (n = read_some(fd, p->bytes + p->text.len, size - p->text.len)) > 0)
        p->text.len += (size_t)n;
    return n < 0 ? -errno : 0;
}

/* -errno, and what was tried. */
static int open_file(int *fd, struct pem *p, struct text name, const char **what)
{
    *what = "open() failed";
    *fd = file_open_descriptor(name.at, NULL);
    if (*fd < 0)
        return *fd;
    *what = "read() failed";
    if (fstat(*fd, &p->mark) < 0)
        return -errno;
    if (S_ISDIR(p->mark.st_mode))
        return -EISDIR;
    return !S_ISREG(p->mark.st_mode) ? -EINVAL : p->mark.st_size > PEM_MOST ? -EFBIG : 0;
}

static bool is_same(const struct stat *a, const struct stat *b, int64_t asked_sec)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           clock_same(a->st_mtim, b->st_mtim) && clock_same(a->st_ctim, b->st_ctim) &&
           !file_times_are_doubtful(a->st_mtim, a->st_ctim, asked_sec);
}

/* The text of a file; only its mark, where that is still `before`. False: it is logged why. */
static bool load(struct certificate_wait *w, struct pem *p, bool key, struct text name, const struct stat *before)
{
    const char *what;
    int fd = -1;

    if (is_data(name)) {
        p->text = text_from(name, DATA_LEN);
        return true;
    }
    int rc = open_file(&fd, p, name, &what);
    if (rc == 0 && !(before && is_same(before, &p->mark, w->asked_sec)))
        rc = read_all(fd, p);
    if (fd >= 0)
        close(fd);
    if (rc == -EACCES && elsewhere_refused(name.at, NULL))
        fail(w, key, name, BY_LANDLOCK, 0);
    else if (rc < 0)
        fail(w, key, name, what, -rc);
    return rc == 0;
}

static void parse(struct certificate_wait *w, struct wanted *p, struct text certificate, struct text key)
{
    struct buffer why;
    bool of_key = false;

    buffer_init(&why);
    int rc = tls_pair_read(&p->pair, certificate, key, tls_context_passwords(w->context), &why, &of_key);
    buffer_add_char(&why, '\0');
    if (rc < 0)
        fail(w, of_key, of_key ? p->key : p->certificate, why.failed || rc == -ENOMEM ? "no memory" : why.data, 0);
    buffer_fini(&why);
}

static void read_pair(struct certificate_wait *w, struct wanted *p)
{
    struct pem certificate = {.bytes = NULL}, key = {.bytes = NULL};
    const struct pair_marks *before = p->before ? &p->marks : NULL;
    bool loaded = load(w, &certificate, false, p->certificate, before ? &before->certificate : NULL) &&
                  load(w, &key, true, p->key, before ? &before->key : NULL);

    if (loaded && before && !certificate.bytes && !key.bytes) {
        p->pair = p->before;
        p->before = NULL;
    } else if (loaded && before) { /* one of them has changed: both are read */
        p->marks = (struct pair_marks){{0}, {0}};
        pem_free(&certificate);
        pem_free(&key);
        certificate = key = (struct pem){.bytes = NULL};
        loaded = load(w, &certificate, false, p->certificate, NULL) && load(w, &key, true, p->key, NULL);
    }
    if (loaded && !p->pair)
        parse(w, p, certificate.text, key.text);
    p->marks = (struct pair_marks){certificate.mark, key.mark};
    p->read = p->pair != NULL;
    pem_free(&certificate);
    pem_free(&key);
}

static void on_run(struct job *job)
{
    struct certificate_wait *w = container_of(job, struct certificate_wait, job);

    for (unsigned i = 0; i < w->count && w->why.len == 0; i++)
        if (!w->pairs[i].pair)
            read_pair(w, &w->pairs[i]);
}

/* ---- in the loop: the end of a wait ---- */

static void wait_free(struct certificate_wait *w)
{
    for (unsigned i = 0; i < w->count; i++) {
        struct wanted *p = &w->pairs[i];
        tls_pair_release(p->pair);
        tls_pair_release(p->before);
        if (p->key.at)
            explicit_bzero((char *)(uintptr_t)p->key.at, p->key.len); /* data: is a secret */
        free((char *)(uintptr_t)p->certificate.at);
        free((char *)(uintptr_t)p->key.at);
    }
    buffer_fini(&w->why);
    tls_context_release(w->context);
    free(w);
}

static void keep(struct certificate_wait *w)
{
    for (unsigned i = 0; w->cache && i < w->count; i++) {
        const struct wanted *p = &w->pairs[i];
        if (p->read && !is_data(p->certificate) && !is_data(p->key))
            certificate_cache_put(w->cache, p->certificate, p->key, p->pair, &p->marks, w->asked_sec);
    }
}

static void refuse(struct certificate_wait *w)
{
    bool told = w->why.len > 0 && !w->why.failed;

    buffer_add_char(&w->why, '\0');
    client_log(w->client.client, LEVEL_ERROR, told ? w->error : 0, doing,
               told && !w->why.failed ? w->why.data : "no memory for certificates");
    (void)tls_pair_give(w->client.tls, NULL);
}

/* To the handshake. */
static void give(struct certificate_wait *w)
{
    bool there = w->why.len == 0 && !w->why.failed;

    for (unsigned i = 0; i < w->count; i++)
        there = there && w->pairs[i].pair;
    if (!there) {
        refuse(w);
        return;
    }
    for (unsigned i = 0; i < w->count; i++) {
        if (tls_pair_give(w->client.tls, w->pairs[i].pair) < 0) {
            fail(w, false, w->pairs[i].certificate, "SSL_use_cert_and_key() failed", 0);
            refuse(w);
            return;
        }
    }
}

static void on_done(struct job *job)
{
    struct certificate_wait *w = container_of(job, struct certificate_wait, job);
    struct certificate_client client = w->client;

    keep(w);
    if (client.tls)
        give(w);
    wait_free(w);
    if (client.tls)
        client.resume(client.arg);
}

void certificate_leave(struct certificate_wait *w)
{
    w->client.tls = NULL;
}

/* ---- in the loop: of a worker ---- */

static void on_pool(void *arg, unsigned what)
{
    struct certificates *all = arg;
    (void)what;
    pool_reap(all->pool);
}

static void destroy(struct certificates *all)
{
    watch_destroy(all->watch);
    if (all->pool)
        pool_destroy(all->pool);
    for (unsigned i = 0; i < all->count; i++)
        certificate_cache_destroy(all->caches[i]);
    free(all->caches);
    free(all);
}

static void on_end(struct worker_part *p)
{
    destroy(container_of(p, struct certificates, part));
}

static int create(struct worker *w)
{
    struct certificates *all = calloc(1, sizeof *all);

    if (!all)
        return -ENOMEM;
    int rc = pool_create(&all->pool, "certificates", THREADS, 1);
    if (rc == 0) {
        all->watch = watch_create(w->loop, pool_eventfd(all->pool), LOOP_READ, false, on_pool, all);
        rc = all->watch ? 0 : -ENOMEM;
    }
    if (rc < 0) {
        destroy(all);
        return rc;
    }
    worker_keep(w, &all->part, on_end);
    w->certificates = all;
    return 0;
}

static struct certificate_cache *cache_of(struct certificates *all, const struct certificate_cache_conf *conf)
{
    for (unsigned i = 0; i < all->count; i++)
        if (certificate_cache_conf_of(all->caches[i]) == conf)
            return all->caches[i];
    struct certificate_cache **more = realloc(all->caches, (all->count + 1) * sizeof(struct certificate_cache *));
    if (!more)
        return NULL;
    all->caches = more;
    struct certificate_cache *fresh = certificate_cache_create(conf);
    if (fresh)
        all->caches[all->count++] = fresh;
    return fresh;
}

/* ---- in the loop: names ---- */

static bool take_name(struct certificate_wait *w, struct text *name, struct text value, const char *folder)
{
    bool whole = value.at[0] == '/' || is_data(value) || !folder;
    struct text before = whole ? TEXT("") : text_of(folder);
    char *all = malloc(before.len + value.len + 1);

    if (!all) {
        w->why.failed = true;
        return false;
    }
    memcpy(all, before.at, before.len);
    memcpy(all + before.len, value.at, value.len);
    all[before.len + value.len] = '\0';
    name->at = all;
    name->len = before.len + value.len;
    return true;
}

/* False: it is no name, and logged as such, or there is no memory. */
static bool make_name(struct certificate_wait *w, struct request *r, const struct tls_word *word, bool key,
                      struct text *name)
{
    const struct template *t = word->value;

    if (!t)
        return take_name(w, name, text_of(word->word), NULL);
    struct text value = template_text(t, r);
    if (!value.at) {
        w->why.failed = true;
        return false;
    }
    if (is_data(value) || (!template_climbs(t, value) && text_find(value, '\0') == value.len))
        return take_name(w, name, value, word->folder);
    fail(w, key, value, "what the client says leads out of its folder", 0);
    return false;
}

/* What is kept of it. */
static void find_kept(struct certificate_wait *w, struct wanted *p)
{
    struct kept_pair *k = w->cache ? certificate_cache_find(w->cache, p->certificate, p->key, w->asked_sec) : NULL;

    if (!k)
        return;
    tls_pair_acquire(k->pair);
    if (w->asked_sec - k->checked_sec < certificate_cache_conf_of(w->cache)->valid_sec) {
        p->pair = k->pair;
        return;
    }
    p->before = k->pair;
    p->marks = k->marks;
}

/* Whether all are there. */
static bool find_all(struct certificate_wait *w, struct request *r)
{
    const struct tls_conf *conf = tls_context_conf(w->context);
    const struct tls_word *certificate = conf->certificates, *key = conf->keys;
    bool there = true, named = true;

    for (unsigned i = 0; named && i < w->count; i++, certificate = certificate->next, key = key->next) {
        struct wanted *p = &w->pairs[i];
        named = make_name(w, r, certificate, false, &p->certificate) && make_name(w, r, key, true, &p->key);
        if (named)
            find_kept(w, p);
        there = there && p->pair;
    }
    return there || !named;
}

/* Variables see the client as it will be, in the server that it has asked for. */
static int find_by_request(struct certificate_wait *w, const struct server *server)
{
    struct client client = *w->client.client;

    client.tls = w->client.tls;
    client.scheme = &scheme_https;
    struct request *r = request_create_unseen(w->client.worker, w->client.carrier, &client);
    if (!r)
        return -ENOMEM;
    r->server = server;
    r->location = &server->base;
    r->start_msec = clock_now.msec;
    bool there = find_all(w, r);
    request_destroy(r);
    return there ? 0 : -EINPROGRESS;
}

static struct certificate_wait *make_wait(const struct certificate_client *c)
{
    struct tls_context *context = tls_pairs_awaited(c->tls);
    unsigned count = 0;

    for (const struct tls_word *w = tls_context_conf(context)->certificates; w; w = w->next)
        count++;
    struct certificate_wait *w = calloc(1, sizeof *w + count * sizeof *w->pairs);
    if (!w)
        return NULL;
    w->job.run = on_run;
    w->job.done = on_done;
    w->all = c->worker->certificates;
    w->client = *c;
    w->context = context;
    w->asked_sec = clock_now.sec;
    w->count = count;
    buffer_init(&w->why);
    tls_context_acquire(context);
    return w;
}

int certificate_begin(struct certificate_wait **out, const struct certificate_client *c)
{
    int rc = c->worker->certificates ? 0 : create(c->worker);
    struct certificate_wait *w = rc == 0 ? make_wait(c) : NULL;

    if (!w)
        return -ENOMEM;
    const struct server *server = tls_context_owner(w->context);
    const struct certificate_conf *conf = conf_values(server->block, &certificate_module);
    w->cache = conf->cache ? cache_of(w->all, conf->cache) : NULL;
    rc = find_by_request(w, server);
    if (rc == 0)
        give(w);
    else if (rc == -EINPROGRESS && pool_append(w->all->pool, &w->job) < 0)
        rc = -ENOMEM;
    *out = rc == -EINPROGRESS ? w : NULL;
    if (rc != -EINPROGRESS)
        wait_free(w);
    return rc;
}
