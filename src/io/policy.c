/* policy.c - which way the bytes of one response move. Pure, and tested as a table; asked by http/static.c for each
 * response.
 *
 * The base is nginx's: directio beats everything, then sendfile, then reading. Before sendfile comes content that the
 * cache keeps. */
#include "io/policy.h"

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

static struct verdict automatic(const struct policy_facts *facts)
{
    const struct io_conf *conf = facts->conf;

    if (conf->directio >= 0 && facts->file_size >= conf->directio) {
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
        return (struct verdict){IO_BUFFERED, "smaller than directio, and this connection cannot take sendfile"};
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
        return (struct verdict){IO_BUFFERED, "io_method says sendfile, but this connection cannot take it: read"};
    case IO_MMAP:
        return (struct verdict){IO_MMAP, "io_method says mmap"};
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
