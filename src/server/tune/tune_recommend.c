/* tune_recommend.c - from what was measured to settings, each with its reason. Pure. */
#include "server/tune/tune.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    MIB = 1024 * 1024,
    DIRECTIO_LEAST = 1 * MIB,
    DIRECTIO_MOST = 64 * MIB,
    PART_OF_MEMORY = 256,     /* a file that is kept in the page cache takes no more of it */
    TRANSFERS_PER_WAIT = 10,  /* a file is large when reading it takes that many times the wait for its first byte */
    BUFFERS_MOST = 16 * MIB,  /* of one response */
    CONTENT_MOST = 64 * 1024, /* of a file that is kept in memory whole */
    DIRECTIO_MEMORY = 64      /* MiB: directio_memory, unless it is set */
};

static const double near_best = 0.95; /* of the best speed: not worth more memory */
static const double cpu_factor = 1.2; /* of the least CPU time, and a little for what cannot be measured that finely */
static const double cpu_slack = 0.01;
static const double clearly_faster = 1.15; /* than the reader that `aio on` takes */
static const double worth_memory = 0.95;   /* of the CPU time: content that is kept stands in memory a second time */
static const double worth_suite = 0.9;     /* of the CPU time of the suite that clients would take */
static const double far_slower = 0.5;      /* O_DIRECT than the page cache, on cold files */

__attribute__((format(printf, 4, 5))) static void add(struct tune_advice *a, const char *name, const char *value,
                                                      const char *reason, ...)
{
    struct tune_line *line = &a->lines[a->count++];
    va_list args;

    line->name = name;
    snprintf(line->value, sizeof line->value, "%s", value);
    va_start(args, reason);
    vsnprintf(line->reason, sizeof line->reason, reason, args);
    va_end(args);
}

static double mb(double rate)
{
    return rate / 1e6;
}

/* ---- aio ---- */

static const struct tune_reader *find_reader(const struct tune_results *r, const char *name)
{
    for (unsigned i = 0; i < TUNE_READERS; i++) {
        if (name && r->readers[i].name && strcmp(r->readers[i].name, name) == 0 && r->readers[i].speed.rate > 0)
            return &r->readers[i];
    }
    return NULL;
}

static const struct tune_reader *fastest_reader(const struct tune_results *r)
{
    const struct tune_reader *best = NULL;

    for (unsigned i = 0; i < TUNE_READERS; i++) {
        if (r->readers[i].speed.rate > 0 && (!best || r->readers[i].speed.rate > best->speed.rate))
            best = &r->readers[i];
    }
    return best;
}

static void advise_aio(const struct tune_results *r, struct tune_advice *a)
{
    const struct tune_reader *usual = find_reader(r, r->reader), *fastest = fastest_reader(r);

    if (!usual || !fastest)
        add(a, "aio", "on",
            "parts of files that are not in memory are read before they are sent, so that nobody else waits");
    else if (fastest->speed.rate > usual->speed.rate * clearly_faster)
        add(a, "aio", fastest->value, "%s reads %.0f MB/s, %s %.0f MB/s, which \"aio on\" would take", fastest->name,
            mb(fastest->speed.rate), usual->name, mb(usual->speed.rate));
    else
        add(a, "aio", "on", "takes %s: %.0f MB/s at %.2f s of CPU per GiB; no other reader is clearly faster",
            usual->name, mb(usual->speed.rate), usual->speed.cpu_gib);
}

/* ---- directio, output_buffers ---- */

struct choice {
    unsigned size, depth;
    struct tune_speed speed;
};

/* With one buffer nothing is read while it is being sent, so there are at least two. */
static bool candidate(const struct tune_results *r, unsigned i, struct choice *c)
{
    c->size = tune_sizes[i / TUNE_DEPTHS];
    c->depth = tune_depths[i % TUNE_DEPTHS];
    c->speed = r->grid[i / TUNE_DEPTHS][i % TUNE_DEPTHS];
    return c->depth > 1 && (uint64_t)c->size * c->depth <= BUFFERS_MOST && c->speed.rate > 0;
}

static double best_rate(const struct tune_results *r)
{
    struct choice c;
    double best = 0;

    for (unsigned i = 0; i < TUNE_SIZES * TUNE_DEPTHS; i++) {
        if (candidate(r, i, &c) && c.speed.rate > best)
            best = c.speed.rate;
    }
    return best;
}

static double least_cpu(const struct tune_results *r, double rate)
{
    struct choice c;
    double least = -1;

    for (unsigned i = 0; i < TUNE_SIZES * TUNE_DEPTHS; i++) {
        if (candidate(r, i, &c) && c.speed.rate >= rate && (least < 0 || c.speed.cpu_gib < least))
            least = c.speed.cpu_gib;
    }
    return least;
}

static bool better(const struct choice *a, const struct choice *b)
{
    uint64_t x = (uint64_t)a->size * a->depth, y = (uint64_t)b->size * b->depth;

    return x != y ? x < y : a->speed.cpu_gib < b->speed.cpu_gib;
}

/* The least memory that comes close to the best speed at about the least CPU time; best_rate() >
 * 0. */
static struct choice choose_buffers(const struct tune_results *r)
{
    double rate = best_rate(r) * near_best, cpu = least_cpu(r, rate) * cpu_factor + cpu_slack;
    struct choice c, best = {0};

    for (unsigned i = 0; i < TUNE_SIZES * TUNE_DEPTHS; i++) {
        if (candidate(r, i, &c) && c.speed.rate >= rate && c.speed.cpu_gib <= cpu && (!best.size || better(&c, &best)))
            best = c;
    }
    return best;
}

static uint64_t power_of_two(double at_least)
{
    uint64_t n = 1;

    while ((double)n < at_least && n < UINT64_MAX / 2)
        n *= 2;
    return n;
}

/* The largest power of two that is no more than a part of the memory, within bounds. */
static uint64_t largest_threshold(uint64_t memory)
{
    uint64_t most = DIRECTIO_LEAST;

    while (most < DIRECTIO_MOST && most * 2 <= memory / PART_OF_MEMORY)
        most *= 2;
    return most;
}

static void advise_threshold(const struct tune_results *r, double rate, struct tune_advice *a)
{
    uint64_t size = power_of_two(r->latency_usec / 1e6 * rate * TRANSFERS_PER_WAIT),
             most = largest_threshold(r->memory);

    if (size > most)
        add(a, "directio", tune_size_text(most),
            "at %.0f MB/s, the wait for a first byte (%.0f us) is a tenth of the transfer only from %s on; but in the "
            "page cache "
            "such files would take too much of the memory",
            mb(rate), r->latency_usec, tune_size_text(size));
    else if (size < DIRECTIO_LEAST)
        add(a, "directio", tune_size_text(DIRECTIO_LEAST),
            "at %.0f MB/s, the wait for a first byte (%.0f us) does not count from %s on; but files below 1m have "
            "their place in "
            "the page cache",
            mb(rate), r->latency_usec, tune_size_text(size));
    else
        add(a, "directio", tune_size_text(size),
            "at %.0f MB/s, the wait for a first byte (%.0f us) is less than a tenth of the transfer from here on; "
            "smaller files "
            "have their place in the page cache",
            mb(rate), r->latency_usec);
}

static void advise_buffers(const struct tune_results *r, double rate, struct tune_advice *a)
{
    struct choice c = choose_buffers(r);
    uint64_t bytes = (uint64_t)c.size * c.depth;
    char value[48];

    snprintf(value, sizeof value, "%u %s", c.depth, tune_size_text(c.size));
    add(a, "output_buffers", value,
        "%.0f MB/s at %.2f s of CPU per GiB; the best of all was %.0f MB/s. %s for a download at full speed: the "
        "default of "
        "directio_memory, %dm where memory allows it, has room for %u of those at a time in a worker",
        mb(c.speed.rate), c.speed.cpu_gib, mb(rate), tune_size_text(bytes), DIRECTIO_MEMORY,
        (unsigned)((uint64_t)DIRECTIO_MEMORY * MIB / bytes));
}

/* Why O_DIRECT is of no use here; false: it is. */
static bool refuse_direct(const struct tune_results *r, double rate, struct tune_advice *a)
{
    const char *name = r->filesystem[0] ? r->filesystem : "this filesystem";

    if (r->direct == TUNE_DIRECT_REFUSED)
        add(a, "directio", "off", "%s refuses O_DIRECT: %s", name,
            r->direct_error ? strerror(-r->direct_error) : "no alignment will do");
    else if (r->direct == TUNE_DIRECT_CACHED)
        add(a, "directio", "off", "%s accepts O_DIRECT, and keeps the file in memory all the same", name);
    else if (rate <= 0)
        add(a, "directio", "off", "nothing could be measured; give it more time");
    else if (r->cold.rate > 0 && rate < r->cold.rate * far_slower)
        add(a, "directio", "off", "O_DIRECT reaches %.0f MB/s here, reading through the page cache %.0f MB/s", mb(rate),
            mb(r->cold.rate));
    else
        return false;
    return true;
}

static void advise_alignment(const struct tune_results *r, struct tune_advice *a)
{
    if (r->align_told || r->align_offset <= 512)
        return;
    add(a, "directio_alignment", tune_size_text(r->align_offset),
        "this kernel does not tell the alignment that O_DIRECT needs here; reads of %u bytes are the smallest it takes",
        r->align_offset);
}

/* ---- open_file_cache_content ---- */

/* The largest size up to which one write from memory is cheaper than head and sendfile; 0: none. */
static unsigned content_size(const struct tune_results *r, unsigned *at)
{
    unsigned size = 0;

    for (unsigned i = 0; i < TUNE_BODIES && tune_bodies[i] <= CONTENT_MOST; i++) {
        const struct tune_send *way = r->sends[i];
        if (way[TUNE_MEMORY].usec <= 0 || way[TUNE_SENDFILE].usec <= 0)
            break;
        if (way[TUNE_MEMORY].usec > way[TUNE_SENDFILE].usec * worth_memory)
            break;
        size = tune_bodies[i];
        *at = i;
    }
    return size;
}

static void advise_cache(const struct tune_opens *o, struct tune_advice *a)
{
    static const char name[] = "open_file_cache", value[] = "max=10000 inactive=60s";

    if (o->cold_usec > 0 && o->warm_usec > 0)
        add(a, name, value,
            "opening a file that the kernel does not know yet took %.0f us (at worst %.0f us), one that it knows %.1f "
            "us; found "
            "in this cache, it takes nothing",
            o->cold_usec, o->cold_worst, o->warm_usec);
    else if (o->cold_usec > 0)
        add(a, name, value, "opening a file took %.0f us (at worst %.0f us); found in this cache, it takes nothing",
            o->cold_usec, o->cold_worst);
    else if (o->warm_usec > 0)
        add(a, name, value, "opening a file that the kernel knows took %.1f us; found in this cache, it takes nothing",
            o->warm_usec);
    else
        add(a, name, value, "a file found in this cache need not be opened, and may be kept whole");
}

static void advise_content(const struct tune_results *r, struct tune_advice *a)
{
    unsigned at = 0, size = content_size(r, &at);
    const struct tune_send *way = r->sends[at];

    if (way[TUNE_MEMORY].usec <= 0 || way[TUNE_SENDFILE].usec <= 0)
        return;
    advise_cache(&r->opens, a);
    if (size == 0)
        add(a, "open_file_cache_content", "off",
            "at %s, head and sendfile cost %.1f us of CPU, one write from memory %.1f us",
            tune_size_text(tune_bodies[0]), way[TUNE_SENDFILE].usec, way[TUNE_MEMORY].usec);
    else
        add(a, "open_file_cache_content", tune_size_text(size),
            "up to here one write from memory is cheaper than head and sendfile (%.1f us of CPU to %.1f us); larger "
            "files are "
            "better left to the page cache",
            way[TUNE_MEMORY].usec, way[TUNE_SENDFILE].usec);
}

/* ---- ssl_conf_command ---- */

static const char *order_of(unsigned first)
{
    static char order[3 * sizeof "TLS_CHACHA20_POLY1305_SHA256"];
    size_t len = (size_t)snprintf(order, sizeof order, "%s", tls_seal_suites[first]);

    for (unsigned i = 0; i < TLS_SEALS; i++) {
        if (i != first)
            len += (size_t)snprintf(order + len, sizeof order - len, ":%s", tls_seal_suites[i]);
    }
    return order;
}

/* Most clients name AES-256 first, as libcrypto does, and get it unless the server insists. */
static void advise_suite(const struct tune_results *r, struct tune_advice *a)
{
    const struct tune_speed *aes128 = &r->seals[TLS_SEAL_AES_128], *chacha20 = &r->seals[TLS_SEAL_CHACHA20];
    const struct tune_speed *usual = &r->seals[TLS_SEAL_AES_256];
    char value[sizeof a->lines->value];

    if (usual->rate <= 0 || aes128->rate <= 0 || chacha20->rate <= 0)
        return;
    unsigned best = chacha20->cpu_gib < aes128->cpu_gib * worth_suite ? TLS_SEAL_CHACHA20 : TLS_SEAL_AES_128;
    if (r->seals[best].cpu_gib > usual->cpu_gib * worth_suite)
        return;
    snprintf(value, sizeof value, "Ciphersuites %s", order_of(best));
    add(a, "ssl_conf_command", value, "over TLS every byte is encrypted: %.2f s of CPU per GiB by %s, %.2f s by %s",
        r->seals[best].cpu_gib, tls_seal_suites[best], usual->cpu_gib, tls_seal_suites[TLS_SEAL_AES_256]);
    add(a, "ssl_prefer_server_ciphers", "on", "else the client's order counts, and most name %s first",
        tls_seal_suites[TLS_SEAL_AES_256]);
}

void tune_recommend(const struct tune_results *results, struct tune_advice *advice)
{
    double rate = best_rate(results);

    advice->count = 0;
    advise_aio(results, advice);
    if (!refuse_direct(results, rate, advice)) {
        advise_threshold(results, rate, advice);
        advise_buffers(results, rate, advice);
        advise_alignment(results, advice);
    }
    advise_content(results, advice);
    advise_suite(results, advice);
}
