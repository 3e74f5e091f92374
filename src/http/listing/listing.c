/* listing.c - reads a directory and has it printed: the autoindex directives. Runs on a pool
 * thread, started by listing_job.c. */
#include "http/listing/listing.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "http/core/core.h"
#include "http/listing/listing_private.h"
#include "http/syntax/uri.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENTRIES_AT_FIRST = 64, NAMES_CHUNK = 16 * 1024, CALLBACK_MOST = 128 };

/* ---- directives ---- */

static const struct conf_enum formats[] = {
    {"html", LISTING_HTML}, {"json", LISTING_JSON}, {"jsonp", LISTING_JSONP}, {"xml", LISTING_XML}, {NULL, 0}};

static const struct conf_enum styles[] = {{"plain", LISTING_PLAIN}, {"modern", LISTING_MODERN}, {NULL, 0}};

static const struct conf_row rows[] = {
    {"autoindex", CONF_HTTP_ALL, CONF_FLAG, conf_set_flag, CONF_SLOT(struct listing_conf, on), .dflt = "off",
     .help = "List a directory that has no index file.",
     .differs = "Times before 1970 are listed as such, not as 1970; links that disable_symlinks refuses are left out."},
    {"autoindex_exact_size", CONF_HTTP_ALL, CONF_FLAG, conf_set_flag, CONF_SLOT(struct listing_conf, exact_size),
     .dflt = "on", .help = "Sizes in bytes, or rounded to kilobytes, megabytes and gigabytes. For the html format."},
    {"autoindex_format", CONF_HTTP_ALL, CONF_TAKE1, conf_set_enum, CONF_SLOT(struct listing_conf, format),
     .extra = formats, .dflt = "html", .help = "Format of listings.", .syntax = "html | xml | json | jsonp",
     .differs = "XML and JSON are well-formed for any file name: bytes that cannot stand there become U+FFFD."},
    {"autoindex_localtime", CONF_HTTP_ALL, CONF_FLAG, conf_set_flag, CONF_SLOT(struct listing_conf, localtime),
     .dflt = "off", .help = "Times in the server's time zone instead of UTC. For the html format."},
    {"autoindex_readme", CONF_HTTP_ALL, CONF_FLAG, conf_set_flag, CONF_SLOT(struct listing_conf, readme), .dflt = "off",
     .help = "The modern style shows a README, README.md or README.txt (in any case) below the list, as text: up to "
             "64 KiB of UTF-8. It is shown to whoever may see the listing, also where another location would deny it.",
     .differs = "Not in nginx."},
    {"autoindex_style", CONF_HTTP_ALL, CONF_TAKE1, conf_set_enum, CONF_SLOT(struct listing_conf, style),
     .extra = styles, .dflt = "plain",
     .help = "Look of listings in the html format: nginx's own, or a page that can be sorted and fits small screens.",
     .syntax = "plain | modern", .differs = "Not in nginx."},
    {.name = NULL},
};

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    struct location *l = location_of(block);

    (void)cf;
    if (l)
        l->listing = values;
    return NULL;
}

struct conf_module listing_module = {
    .name = "Directory listings",
    .rows = rows,
    .size = sizeof(struct listing_conf),
    .levels = CONF_HTTP_ALL,
    .finish = finish,
};

/* ---- JSONP ---- */

/* The value of callback= (in any case), which is not decoded: no escape is part of a name. */
static struct text callback_of(struct text args)
{
    static const struct text key = {"callback=", 9};
    while (args.len > 0) {
        struct text arg = {args.at, text_find(args, '&')};
        if (arg.len >= key.len && text_equal_nocase((struct text){arg.at, key.len}, key))
            return text_from(arg, key.len);
        args = text_from(args, arg.len < args.len ? arg.len + 1 : arg.len);
    }
    return TEXT_NONE;
}

static bool is_name_char(char c)
{
    char letter = text_lower(c);
    return (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

int listing_callback(const struct listing_conf *conf, struct text args, struct text *callback)
{
    *callback = TEXT_NONE;
    if (conf->format != LISTING_JSONP)
        return 0;
    struct text name = callback_of(args);
    if (name.len == 0)
        return 0;
    if (name.len > CALLBACK_MOST)
        return 400;
    for (size_t i = 0; i < name.len; i++) {
        if (!is_name_char(name.at[i]))
            return 400;
    }
    *callback = name;
    return 0;
}

/* ---- reading ---- */

struct reader {
    const char *path;
    const struct open_options *guard; /* NULL: links are followed */
    const atomic_bool *stop;          /* or NULL */
    struct arena names;
    struct listing_entry *entries;
    size_t count, room;
};

static struct listing_entry *next_entry(struct reader *r)
{
    if (r->count == r->room) {
        size_t room = r->room ? r->room * 2 : ENTRIES_AT_FIRST;
        struct listing_entry *entries = realloc(r->entries, room * sizeof *entries);
        if (!entries)
            return NULL;
        r->entries = entries;
        r->room = room;
    }
    return &r->entries[r->count];
}

/* Only a link can lead elsewhere: what it leads to is looked at by the rules for the whole path. */
static bool look_guarded(const struct reader *r, int dir, const char *name, struct stat *st)
{
    if (fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    if (!S_ISLNK(st->st_mode))
        return true;
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/%s", r->path, name);
    return len > 0 && (size_t)len < sizeof path && file_stat(path, r->guard, st) == 0;
}

static bool look_at(const struct reader *r, int dir, const char *name, struct stat *st)
{
    if (r->guard)
        return look_guarded(r, dir, name, st);
    if (fstatat(dir, name, st, 0) == 0)
        return true;
    /* A symbolic link to nowhere or to itself is listed as such. */
    return (errno == ENOENT || errno == ELOOP) && fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int read_entry(struct reader *r, int dir, const char *name)
{
    struct stat st;
    if (!look_at(r, dir, name, &st))
        return 0;
    struct listing_entry *e = next_entry(r);
    size_t len = strlen(name);
    char *copy = e ? arena_copy(&r->names, name, len) : NULL;
    if (!copy)
        return -ENOMEM;
    *e = (struct listing_entry){
        .name = {copy, len},
        .size = st.st_size,
        .mtime = clock_within_http(st.st_mtime),
        .kind = S_ISDIR(st.st_mode)   ? ENTRY_DIRECTORY
                : S_ISREG(st.st_mode) ? ENTRY_FILE
                                      : ENTRY_OTHER,
    };
    r->count++;
    return 0;
}

static int read_all(struct reader *r, DIR *dir)
{
    for (;;) {
        if (r->stop && atomic_load_explicit(r->stop, memory_order_relaxed))
            return -ECANCELED;
        errno = 0;
        struct dirent *d = readdir(dir);
        if (!d)
            return -errno;
        if (d->d_name[0] == '.')
            continue;
        int rc = read_entry(r, dirfd(dir), d->d_name);
        if (rc < 0)
            return rc;
    }
}

static int compare(const void *one, const void *other)
{
    const struct listing_entry *a = one, *b = other;
    bool a_first = a->kind == ENTRY_DIRECTORY, b_first = b->kind == ENTRY_DIRECTORY;
    if (a_first != b_first)
        return a_first ? -1 : 1;
    return strcmp(a->name.at, b->name.at);
}

/* ---- the README ---- */

static bool wants_readme(const struct listing_conf *conf)
{
    return conf->readme && conf->format == LISTING_HTML && conf->style == LISTING_MODERN;
}

/* The best of these that there are; of the same in other cases, the first in byte order. */
static const struct listing_entry *find_readme(const struct reader *r)
{
    static const struct text names[] = {{"README.md", 9}, {"README.txt", 10}, {"README", 6}, {"README.markdown", 15}};

    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        for (size_t i = 0; i < r->count; i++) {
            const struct listing_entry *e = &r->entries[i];
            if (e->kind == ENTRY_FILE && e->size > 0 && text_equal_nocase(e->name, names[n]))
                return e;
        }
    }
    return NULL;
}

/* How much of `t` is text; 0: none of it. A character that the end cuts in two is left out. */
static size_t text_part(struct text t, bool cut)
{
    enum { CHARACTER_MOST = 4 };
    uint32_t code;
    size_t at = 0;

    for (size_t len; at < t.len; at += len) {
        len = utf8_first(text_from(t, at), &code);
        if (len == 0)
            return cut && t.len - at < CHARACTER_MOST ? at : 0;
        if (code < ' ' && code != '\n' && code != '\r' && code != '\t' && code != '\f')
            return 0;
    }
    return at;
}

static size_t read_up_to(int fd, char *to, size_t most)
{
    size_t len = 0;

    for (ssize_t n; len < most && (n = read(fd, to + len, most - len)) > 0;)
        len += (size_t)n;
    return len;
}

/* One that cannot be read, or is no text, is not shown. */
static void read_readme(struct reader *r, struct listing *l)
{
    enum { SHOWN_MOST = 64 * 1024 };
    const struct listing_entry *e = find_readme(r);
    char path[PATH_MAX];
    struct stat st;

    int len = e ? snprintf(path, sizeof path, "%s/%s", r->path, e->name.at) : -1;
    int fd = len > 0 && (size_t)len < sizeof path ? file_open_descriptor(path, r->guard) : -1;
    if (fd < 0)
        return;
    char *bytes = arena_alloc(&r->names, SHOWN_MOST + 1);
    if (bytes && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        size_t got = read_up_to(fd, bytes, SHOWN_MOST + 1);
        l->readme.cut = got > SHOWN_MOST;
        struct text all = {bytes, l->readme.cut ? SHOWN_MOST : got};
        l->readme.content = (struct text){bytes, text_part(all, l->readme.cut)};
        l->readme.name = l->readme.content.len > 0 ? e->name : TEXT_NONE;
    }
    close(fd);
}

/* ---- printing ---- */

/* Of now, for all entries alike: as nginx. */
static time_t zone_offset(void)
{
    time_t now = time(NULL);
    struct tm tm;
    return localtime_r(&now, &tm) ? tm.tm_gmtoff : 0;
}

static void print(const struct listing *l, struct buffer *out)
{
    switch (l->want->conf->format) {
    case LISTING_XML:
        listing_print_xml(l, out);
        break;
    case LISTING_JSON:
    case LISTING_JSONP:
        listing_print_json(l, out);
        break;
    default:
        if (l->want->conf->style == LISTING_MODERN)
            listing_print_modern(l, out);
        else
            listing_print_plain(l, out);
    }
}

static int open_directory(const char *path, const struct open_options *guard, DIR **dir)
{
    int fd = file_open_directory(path, guard);
    if (fd < 0)
        return fd;
    *dir = fdopendir(fd);
    if (*dir)
        return 0;
    int rc = -errno;
    close(fd);
    return rc;
}

int listing_print(const char *path, const struct listing_want *want, const struct open_options *guard,
                  const atomic_bool *stop, struct buffer *out)
{
    struct reader r = {.path = path, .guard = guard, .stop = stop};
    DIR *dir;
    int rc = open_directory(path, guard, &dir);
    if (rc < 0)
        return rc;
    arena_init(&r.names, NAMES_CHUNK);
    rc = read_all(&r, dir);
    closedir(dir);
    if (rc == 0) {
        if (r.count > 1)
            qsort(r.entries, r.count, sizeof *r.entries, compare);
        struct listing l = {.want = want, .entries = r.entries, .count = r.count};
        l.offset = want->conf->localtime ? zone_offset() : 0;
        if (wants_readme(want->conf))
            read_readme(&r, &l);
        print(&l, out);
        rc = out->failed ? -ENOMEM : 0;
    }
    free(r.entries);
    arena_fini(&r.names);
    return rc;
}

struct text listing_type(const struct listing_conf *conf, struct text callback)
{
    switch (conf->format) {
    case LISTING_XML:
        return TEXT("text/xml; charset=utf-8");
    case LISTING_JSON:
        return TEXT("application/json");
    case LISTING_JSONP:
        return callback.at ? TEXT("application/javascript") : TEXT("application/json");
    default:
        return TEXT("text/html");
    }
}

/* ---- what the printers share ---- */

void listing_add_html(struct buffer *out, struct text t)
{
    size_t from = 0;
    for (size_t i = 0; i < t.len; i++) {
        char c = t.at[i];
        if (c != '&' && c != '<' && c != '>' && c != '"')
            continue;
        buffer_add(out, t.at + from, i - from);
        buffer_add_str(out, c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : "&quot;");
        from = i + 1;
    }
    if (from < t.len)
        buffer_add(out, t.at + from, t.len - from);
}

void listing_add_href(struct buffer *out, struct text name)
{
    char href[3 * NAME_MAX];
    if (name.len <= NAME_MAX)
        buffer_add(out, href, uri_escape_href(name, href));
}

off_t listing_round(off_t size, char *unit)
{
    static const struct {
        off_t least, bytes;
        char unit;
    } units[] = {{1 << 30, 1 << 30, 'G'}, {1 << 20, 1 << 20, 'M'}, {10000, 1 << 10, 'K'}};
    *unit = '\0';
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (size < units[i].least)
            continue;
        *unit = units[i].unit;
        return size / units[i].bytes + (size % units[i].bytes >= units[i].bytes / 2);
    }
    return size;
}
