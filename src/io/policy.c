/* policy.c - which way the bytes of one response move. Pure, and tested as a table; asked by
 * http/handle/file_response.c for each response.
 *
 * The base is nginx's: directio beats everything, then sendfile, then reading. Before sendfile
 * comes content that the cache keeps, and what is so little that a copy costs less. With directio auto, residency and demand beat directio. */
#include "io/policy.h"

#include "io/admission.h"

enum { RESIDENT_PERMILLE = 500 };

struct verdict {
    enum io_method method;
    const char *reason;
};

static const char *const names[IO_METHODS] = {
    [IO_AUTO] = "auto",         [IO_NONE] = "-",    [IO_MEMORY] = "memory",
    [IO_SENDFILE] = "sendfile", [IO_MMAP] = "mmap", [IO_BUFFERED] = "buffered",
    [IO_DIRECT] = "direct",
};

const char *io_method_name(enum io_method m)
{
    return (unsigned)m < IO_METHODS ? names[m] : "-";
}

static bool is_large(const struct io_conf *conf, off_t file_size)
{
    return conf->directio >= 0 && file_size >= conf->directio;
}

bool policy_asks_demand(const struct io_conf *conf, off_t file_size)
{
    return conf->method == IO_AUTO && conf->directio_auto && is_large(conf, file_size);
}

int64_t policy_content_most(const struct io_conf *conf, int64_t most)
{
    if (conf->method == IO_MEMORY)
        return most;
    if (conf->method != IO_AUTO)
        return 0;
    if (conf->directio_auto || !is_large(conf, most))
        return most;
    return conf->directio > 0 ? conf->directio - 1 : 0;
}

/* Half of it there: the other half is read into the page cache, too, so that the next answer is the
 * same. */
static bool is_resident(const struct policy_facts *facts)
{
    return facts->resident_permille >= RESIDENT_PERMILLE;
}

static bool is_wanted(const struct policy_facts *facts)
{
    return facts->demand >= (facts->fits ? ADMISSION_STILL : ADMISSION_WANTED);
}

bool policy_admits(const struct policy_facts *facts)
{
    return policy_asks_demand(facts->conf, facts->file_size) &&
           (is_resident(facts) || (is_wanted(facts) && facts->fits));
}

static bool is_little(const struct policy_facts *facts)
{
    return facts->bytes <= POLICY_LITTLE;
}

static struct verdict through_page_cache(const struct policy_facts *facts, const char *reason)
{
    bool sends = facts->conf->sendfile && facts->sink_takes_files && !is_little(facts);
    return (struct verdict){sends ? IO_SENDFILE : IO_BUFFERED, reason};
}

/* directio auto. What is in memory already comes from there; what is wanted again and again, and
 * has room, is let in. */
static struct verdict large_by_demand(const struct policy_facts *facts)
{
    if (facts->content_in_memory)
        return (struct verdict){IO_MEMORY, "small enough for open_file_cache_content: its content is in memory"};
    if (policy_admits(facts))
        return through_page_cache(
            facts, is_resident(facts) ? "as large as directio auto says, but in the page cache already: from there"
                                      : "as large as directio auto says, but asked for again and again, and "
                                        "memory has room for it: kept in the page cache");
    if (facts->direct_refused)
        return (struct verdict){IO_BUFFERED, "as large as directio auto says, but its filesystem refused O_DIRECT "
                                             "before: read through the page cache, leaving nothing there where the "
                                             "kernel can"};
    if (is_wanted(facts))
        return (struct verdict){IO_DIRECT,
                                "as large as directio auto says, not in the page cache, and asked for often, "
                                "but memory has no room for it: read past the page cache"};
    return (struct verdict){IO_DIRECT, "as large as directio auto says, not in the page cache, and not asked for often "
                                       "lately: read past the page cache"};
}

static struct verdict automatic(const struct policy_facts *facts)
{
    const struct io_conf *conf = facts->conf;

    if (policy_asks_demand(conf, facts->file_size))
        return large_by_demand(facts);
    if (is_large(conf, facts->file_size)) {
        if (facts->direct_refused)
            return (struct verdict){IO_BUFFERED,
                                    "as large as directio says, but its filesystem refused O_DIRECT before: "
                                    "read through the page cache, leaving nothing there where the kernel can"};
        return (struct verdict){IO_DIRECT, "as large as directio says: read past the page cache"};
    }
    if (facts->content_in_memory)
        return (struct verdict){IO_MEMORY, "small enough for open_file_cache_content: its content is in memory"};
    if (!conf->sendfile)
        return (struct verdict){IO_BUFFERED, "smaller than directio, and sendfile is off"};
    if (!facts->sink_takes_files)
        return (struct verdict){IO_BUFFERED, "smaller than directio, and needed in memory on its way"};
    if (is_little(facts))
        return (struct verdict){IO_BUFFERED, "smaller than directio, and so little that one read and one send with the "
                                             "head cost less than sendfile"};
    return (struct verdict){IO_SENDFILE, "smaller than directio, and sendfile is on"};
}

static struct verdict judge(const struct policy_facts *facts)
{
    switch (facts->conf->method) {
    case IO_MEMORY:
        if (facts->content_in_memory)
            return (struct verdict){IO_MEMORY, "io_method says memory"};
        return (struct verdict){IO_BUFFERED, "io_method says memory, but its content is not kept there: read"};
    case IO_SENDFILE:
        if (facts->sink_takes_files)
            return (struct verdict){IO_SENDFILE, "io_method says sendfile"};
        return (struct verdict){IO_BUFFERED, "io_method says sendfile, but it is needed in memory on its way: read"};
    case IO_MMAP: /* who looks at a mapping of a file that becomes shorter meanwhile is killed */
        if (facts->sink_takes_files)
            return (struct verdict){IO_MMAP, "io_method says mmap"};
        return (struct verdict){IO_BUFFERED, "io_method says mmap, but it is needed in memory on its way: read"};
    case IO_BUFFERED:
        return (struct verdict){IO_BUFFERED, "io_method says buffered"};
    case IO_DIRECT:
        if (!facts->direct_refused)
            return (struct verdict){IO_DIRECT, "io_method says direct"};
        return (struct verdict){IO_BUFFERED, "io_method says direct, but its filesystem refused O_DIRECT before: read"};
    default:
        return automatic(facts);
    }
}

enum io_method policy_choose(const struct policy_facts *facts)
{
    return judge(facts).method;
}

const char *policy_reason(const struct policy_facts *facts)
{
    return judge(facts).reason;
}
