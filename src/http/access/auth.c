/* auth.c - checks names and passwords: in the loop what is known already or quickly found out, else
 * on a small pool of threads. See auth.h.
 *
 * The file is looked at for every request, so that whoever is taken out of it is out at once: it is
 * read, or kept (users.c) and found to be the same. What may be spared is a slow hash: that a
 * password once went with a stored hash stays true, and is remembered by a keyed digest of both. No
 * password is kept. */
#include "http/access/auth.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/threads.h"
#include "http/access/htpasswd.h"
#include "http/access/users.h"
#include "http/request/request.h"
#include "http/request/request_job.h"
#include "http/worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

enum {
    THREADS = 4, /* per worker: enough for a file that comes slowly, too few to take the machine from those who know */
    QUEUE_MOST = 1024, /* jobs */
    CACHE_SLOTS = 1024,
    KEPT_FILES = 16,
    LOOP_PASSWORD_MOST = 1024, /* bytes of a password that is hashed in the loop */
    READ_SIZE = 16 * 1024
};

struct tag {
    unsigned char bytes[16];
};

struct auth {
    struct worker_part part;
    struct pool *pool;
    struct watch *watch;
    pthread_mutex_t lock; /* of the cache */
    bool remembers;
    unsigned char key[32];
    struct tag cache[CACHE_SLOTS];  /* of checks that went well; one that is zero is free */
    struct users *kept[KEPT_FILES]; /* the loop's; NULL: free */
    unsigned kept_next;             /* to be replaced */
};

struct auth_job {
    struct request_job job;
    struct auth *auth;
    enum auth_outcome outcome;
    int error;
    const char *file;
    struct users_time asked;
    struct users *users; /* what was read, if it may be kept; else NULL */
    struct text user, password;
    size_t size; /* of the texts */
    char texts[];
};

/* ---- what a request says ---- */

bool auth_credentials(struct request *r, struct credentials *out)
{
    struct text field = r->msg.fields[FIELD_AUTHORIZATION];

    if (field.len < 6 || !text_equal_nocase((struct text){field.at, 6}, TEXT("Basic ")))
        return false;
    field = text_trim(text_from(field, 6));
    char *text = arena_alloc(&r->arena, BASE64_DECODED(field.len) + 1);
    ssize_t len = text ? base64_decode(field, BASE64_USUAL, text) : -ENOMEM;
    if (len < 0)
        return false;
    text[len] = '\0';
    size_t colon = text_find((struct text){text, (size_t)len}, ':');
    if (colon == 0 || colon == (size_t)len)
        return false;
    text[colon] = '\0';
    out->user = (struct text){text, colon};
    out->password = (struct text){text + colon + 1, (size_t)len - colon - 1};
    return true;
}

/* ---- what went well before ---- */

static bool tag_of(const struct auth *a, struct text password, const char *stored, struct tag *tag)
{
    unsigned char digest[HASH_SHA256_LEN];
    struct text parts[] = {
        {(const char *)a->key, sizeof a->key},
        {password.at, password.len + 1}, /* with its NUL: where it ends is part of it */
        text_of(stored),
    };
    if (!a->remembers || hash_of(HASH_SHA256, parts, 3, digest) < 0)
        return false;
    memcpy(tag->bytes, digest, sizeof tag->bytes);
    return true;
}

static struct tag *slot_of(struct auth *a, const struct tag *tag)
{
    return &a->cache[(tag->bytes[0] | (unsigned)tag->bytes[1] << 8) % CACHE_SLOTS];
}

static bool remembered(struct auth *a, const struct tag *tag)
{
    pthread_mutex_lock(&a->lock);
    bool hit = memcmp(slot_of(a, tag), tag, sizeof *tag) == 0;
    pthread_mutex_unlock(&a->lock);
    return hit;
}

static void remember(struct auth *a, const struct tag *tag)
{
    pthread_mutex_lock(&a->lock);
    *slot_of(a, tag) = *tag;
    pthread_mutex_unlock(&a->lock);
}

/* ---- comparing ---- */

/* As htpasswd_check(). C strings from here on: no stored password can contain NUL, so one that does
 * never matches. */
static int compare(struct text password, const char *stored)
{
    return strlen(password.at) == password.len ? htpasswd_check(stored, password.at) : 0;
}

/* ---- on a thread ---- */

static void fail(struct auth_job *j, enum auth_outcome outcome, int error)
{
    j->outcome = outcome;
    j->error = error;
}

static void check(struct auth_job *j, const char *stored)
{
    struct tag tag;
    bool tagged = htpasswd_is_slow(stored) && tag_of(j->auth, j->password, stored, &tag);

    if (tagged && remembered(j->auth, &tag)) {
        j->outcome = AUTH_GOOD;
        return;
    }
    int rc = compare(j->password, stored);
    if (rc == 1 && tagged)
        remember(j->auth, &tag);
    if (rc == -ENOSYS)
        j->outcome = AUTH_UNKNOWN_SCHEME;
    else if (rc < 0)
        fail(j, AUTH_CANNOT_CHECK, -rc);
    else
        j->outcome = rc ? AUTH_GOOD : AUTH_MISMATCH;
}

/* As read(2), but EINTR. */
static ssize_t read_some(int fd, char *to, size_t len)
{
    ssize_t n;
    do
        n = read(fd, to, len);
    while (n < 0 && errno == EINTR);
    return n;
}

/* Whether the user is there; -errno. */
static int search_file(int fd, struct htpasswd_search *search)
{
    char bytes[READ_SIZE];
    ssize_t n = 0;
    bool found = false;

    while (!found && (n = read_some(fd, bytes, sizeof bytes)) > 0)
        found = htpasswd_feed(search, bytes, (size_t)n);
    int error = errno;
    explicit_bzero(bytes, sizeof bytes);
    return n < 0 ? -error : found || htpasswd_end(search);
}

static void on_run(struct request_job *job)
{
    struct auth_job *j = container_of(job, struct auth_job, job);
    struct htpasswd_search search;

    int fd = file_open_descriptor(j->file, NULL);
    if (fd < 0) {
        fail(j, AUTH_CANNOT_OPEN, -fd);
        return;
    }
    htpasswd_begin(&search, j->user);
    j->users = users_read(fd, j->file, j->asked);
    int rc = j->users ? users_find(j->users, &search) : search_file(fd, &search);
    close(fd);
    if (rc < 0)
        fail(j, AUTH_CANNOT_READ, -rc);
    else if (rc > 0)
        check(j, search.stored);
    else
        j->outcome = AUTH_NO_USER;
    explicit_bzero(&search, sizeof search);
}

/* ---- in the loop ---- */

/* The place of what was read at `path`, or NULL. */
static struct users **kept_of(struct auth *a, struct text path)
{
    for (unsigned i = 0; i < KEPT_FILES; i++)
        if (a->kept[i] && users_are_at(a->kept[i], path))
            return &a->kept[i];
    return NULL;
}

static void keep(struct auth *a, struct users *u, struct text path)
{
    struct users **place = kept_of(a, path);

    if (!place)
        place = &a->kept[a->kept_next++ % KEPT_FILES];
    users_free(*place);
    *place = u;
}

/* What needs neither a thread nor a disk. True: *outcome says it. */
static bool check_at_once(struct auth *a, struct text password, const char *stored, enum auth_outcome *outcome)
{
    struct tag tag;
    bool slow = htpasswd_is_slow(stored);

    if (password.len > LOOP_PASSWORD_MOST)
        return false;
    int rc = slow ? tag_of(a, password, stored, &tag) && remembered(a, &tag) : compare(password, stored);
    *outcome = rc == 1 ? AUTH_GOOD : AUTH_MISMATCH;
    return rc == 1 || (rc == 0 && !slow);
}

bool auth_at_once(struct request *r, struct text file, const struct credentials *c, enum auth_outcome *outcome)
{
    struct auth *a = r->worker->auth;
    struct users **kept = a ? kept_of(a, file) : NULL;
    struct htpasswd_search search;

    if (!kept)
        return false;
    if (!users_are_current(*kept)) {
        users_free(*kept);
        *kept = NULL;
        return false;
    }
    htpasswd_begin(&search, c->user);
    bool there = users_find(*kept, &search);
    if (!there)
        *outcome = AUTH_NO_USER;
    bool answered = !there || check_at_once(a, c->password, search.stored, outcome);
    explicit_bzero(&search, sizeof search);
    return answered;
}

static void job_free(struct auth_job *j)
{
    if (j->users)
        keep(j->auth, j->users, text_of(j->file));
    explicit_bzero(j->texts, j->size);
    free(j);
}

static void on_orphan(struct request_job *job)
{
    job_free(container_of(job, struct auth_job, job));
}

static void on_pool(void *arg, unsigned what)
{
    struct auth *a = arg;
    (void)what;
    pool_reap(a->pool);
}

static void destroy(struct auth *a)
{
    watch_destroy(a->watch);
    if (a->pool)
        pool_destroy(a->pool);
    for (unsigned i = 0; i < KEPT_FILES; i++)
        users_free(a->kept[i]);
    pthread_mutex_destroy(&a->lock);
    explicit_bzero(a, sizeof *a);
    free(a);
}

static void on_end(struct worker_part *p)
{
    destroy(container_of(p, struct auth, part));
}

static int create(struct worker *w)
{
    struct auth *a = calloc(1, sizeof *a);
    if (!a)
        return -ENOMEM;
    pthread_mutex_init(&a->lock, NULL);
    a->remembers = hash_available() && getrandom(a->key, sizeof a->key, 0) == sizeof a->key;
    int rc = pool_create(&a->pool, "auth", THREADS, QUEUE_MOST);
    if (rc == 0) {
        a->watch = watch_create(w->loop, pool_eventfd(a->pool), LOOP_READ, false, on_pool, a);
        rc = a->watch ? 0 : -ENOMEM;
    }
    if (rc < 0) {
        destroy(a);
        return rc;
    }
    worker_keep(w, &a->part, on_end);
    w->auth = a;
    return 0;
}

int auth_begin(struct auth_job **out, struct request *r, struct text file, const struct credentials *c)
{
    struct worker *w = r->worker;
    int rc = w->auth ? 0 : create(w);
    if (rc < 0)
        return rc;
    size_t size = file.len + c->user.len + c->password.len + 3;
    struct auth_job *j = malloc(sizeof *j + size);
    if (!j)
        return -ENOMEM;
    memset(j, 0, sizeof *j);
    j->auth = w->auth;
    j->asked = (struct users_time){clock_now.sec, clock_now.msec};
    j->size = size;
    char *to = j->texts;
    j->file = text_put(&to, file);
    j->user = (struct text){text_put(&to, c->user), c->user.len};
    j->password = (struct text){text_put(&to, c->password), c->password.len};
    j->job.run = on_run;
    j->job.orphan = on_orphan;
    rc = request_job_begin(&j->job, r, w->auth->pool, pool_submit);
    if (rc < 0) {
        job_free(j);
        return rc;
    }
    *out = j;
    return 0;
}

bool auth_answer(const struct auth_job *j, enum auth_outcome *outcome, int *error)
{
    *outcome = j->outcome;
    *error = j->error;
    return j->job.done;
}

void auth_end(struct auth_job *j)
{
    request_job_leave(&j->job);
}

/* The name in `Authorization: Basic base64(name:password)`, whether or not anybody checks it;
 * absent: none. */
static void get_remote_user(struct request *r, const void *data, struct text *out)
{
    (void)data;
    struct credentials c;
    *out = auth_credentials(r, &c) ? c.user : TEXT_NONE;
}

const struct variable_row auth_variables[] = {
    {"remote_user", .get = get_remote_user},
    {.name = NULL},
};
