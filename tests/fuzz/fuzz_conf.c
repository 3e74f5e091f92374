/* fuzz_conf.c - the configuration language, with sluice's own directives. Nothing outside of this
 * process is changed: logs stay shut, names are not resolved, and only the few files below may be
 * read (the linker puts the wrappers here in place of the system's functions).
 *
 * A configuration that is accepted, printed as -T does and read again is the same configuration;
 * and words written in quotes are read as they were. */
#include "fuzz.h"

#include "base/clock.h"
#include "base/log.h"
#include "conf/lex.h"
#include "conf/parse.h"
#include "server/conf/foreign.h"
#include "server/process/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST = 16 * 1024 };

/* ---- what a configuration may ask the system for ---- */

#define PREFIX "/fuzz/"

static const struct {
    const char *path, *bytes;
} files[] = {
    {PREFIX "mime.types", "types { text/html html; text/plain txt; }"},
    {PREFIX "server.conf", "server { listen 80; include location.conf; }"},
    {PREFIX "location.conf", "location /included { root /srv; }"},
    {PREFIX "self.conf", "include self.conf;"},
    {PREFIX "open.conf", "http {"},
};

int __wrap_open(const char *path, int flags, ...);
int __wrap_glob(const char *pattern, int flags, int (*on_error)(const char *, int), glob_t *found);
struct passwd *__wrap_getpwnam(const char *name);
struct group *__wrap_getgrnam(const char *name);
int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out);

int __wrap_open(const char *path, int flags, ...)
{
    FUZZ_CHECK((flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) == 0, "reading a configuration writes to %s", path);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (strcmp(path, files[i].path) != 0)
            continue;
        int fd = memfd_create("conf", MFD_CLOEXEC);
        size_t len = strlen(files[i].bytes);
        if (fd < 0 || write(fd, files[i].bytes, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) != 0)
            abort();
        return fd;
    }
    errno = ENOENT;
    return -1;
}

int __wrap_glob(const char *pattern, int flags, int (*on_error)(const char *, int), glob_t *found)
{
    (void)pattern, (void)flags, (void)on_error, (void)found;
    return GLOB_NOMATCH;
}

struct passwd *__wrap_getpwnam(const char *name)
{
    static char nobody[] = "nobody";
    static struct passwd account = {.pw_name = nobody, .pw_uid = 65534, .pw_gid = 65534};
    return strcmp(name, nobody) == 0 ? &account : NULL;
}

struct group *__wrap_getgrnam(const char *name)
{
    static char nogroup[] = "nogroup";
    static struct group group = {.gr_name = nogroup, .gr_gid = 65534};
    return strcmp(name, nogroup) == 0 ? &group : NULL;
}

int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    (void)node, (void)service, (void)hints, (void)out;
    return EAI_NONAME;
}

/* ---- a configuration as text, from what was understood ---- */

/* Rows whose value can be compared without knowing the module. */
static void print_value(const struct conf_row *row, const void *slot, struct buffer *out)
{
    if (row->set == conf_set_flag)
        buffer_printf(out, " %d", *(const bool *)slot);
    else if (row->set == conf_set_enum)
        buffer_printf(out, " %d", *(const int *)slot);
    else if (row->set == conf_set_text)
        buffer_printf(out, " \"%.*s\"", TEXT_ARG(*(const struct text *)slot));
    else if (row->set == conf_set_path && *(const char *const *)slot)
        buffer_printf(out, " %s", *(const char *const *)slot);
    else if (row->set == conf_set_bufs)
        buffer_printf(out, " %jd %jd", (intmax_t)((const struct conf_bufs *)slot)->number,
                      (intmax_t)((const struct conf_bufs *)slot)->size);
    else if (row->set == conf_set_number || row->set == conf_set_size || row->set == conf_set_size_or_off ||
             row->set == conf_set_msec || row->set == conf_set_sec)
        buffer_printf(out, " %jd", (intmax_t) * (const int64_t *)slot);
}

static void print_block(const struct conf_block *b, struct buffer *out)
{
    buffer_printf(out, "{%x", (unsigned)b->context);
    for (unsigned m = 0; server_modules[m]; m++) {
        const struct conf_row *rows = server_modules[m]->rows;
        for (unsigned i = 0; rows && rows[i].name; i++) {
            if (b->set[m][i / 64] >> i % 64 & 1)
                buffer_printf(out, "\n%s", rows[i].name);
            if (b->values[m] && rows[i].size > 0)
                print_value(&rows[i], (const char *)b->values[m] + rows[i].offset, out);
        }
    }
    list_each (&b->children, node, tmp) {
        print_block(container_of(node, struct conf_block, node), out);
    }
    buffer_add_str(out, "}\n");
}

/* Reads `bytes`; what was understood goes to `out`, and what -T prints to `dump`. False: it was
 * refused. */
static bool understand(struct text bytes, struct text globals, struct buffer *out, struct buffer *dump)
{
    const struct conf_input input = {
        .bytes = bytes,
        .name = "fuzz.conf",
        .globals = globals,
        .prefix = PREFIX,
        .modules = server_modules,
        .foreign = server_foreign,
        .testing = true,
    };
    struct conf_result result;
    struct arena arena;
    bool alone = false;

    arena_init(&arena, 4096);
    int rc = conf_read(&input, &arena, &result);
    FUZZ_CHECK(rc == 0 ? result.root != NULL : result.error && *result.error, "an error without a text");
    if (rc == 0) {
        print_block(result.root, out);
        conf_dump_files(&result, dump);
        alone = result.files.next->next == &result.files; /* nothing included */
    }
    arena_fini(&arena);
    return rc == 0 && alone;
}

static void check_dump(struct text bytes, struct text globals)
{
    struct buffer first, second, dump, again;

    buffer_init(&first);
    buffer_init(&second);
    buffer_init(&dump);
    buffer_init(&again);
    if (understand(bytes, globals, &first, &dump)) {
        struct text dumped = {dump.data, dump.len};
        FUZZ_CHECK(understand(dumped, globals, &second, &again), "what -T prints is refused");
        FUZZ_CHECK(text_equal((struct text){first.data, first.len}, (struct text){second.data, second.len}),
                   "what -T prints is another configuration:\n%.*s\n%.*s", (int)first.len, first.data, (int)second.len,
                   second.data);
    }
    buffer_fini(&first);
    buffer_fini(&second);
    buffer_fini(&dump);
    buffer_fini(&again);
}

/* ---- words ---- */

static void write_quoted(struct text word, struct buffer *out)
{
    buffer_add_char(out, '"');
    for (size_t i = 0; i < word.len; i++) {
        if (word.at[i] == '"' || word.at[i] == '\\')
            buffer_add_char(out, '\\');
        buffer_add_char(out, word.at[i]);
    }
    buffer_add_str(out, "\" ");
}

/* All tokens, each word written in quotes. Stops at an error. */
static bool rewrite(struct text bytes, struct arena *arena, struct buffer *out)
{
    static const char *const marks[] = {[LEX_SEMICOLON] = "; ", [LEX_OPEN] = "{ ", [LEX_CLOSE] = "} "};
    struct lex lx;
    unsigned line = 1;

    lex_init(&lx, bytes, arena);
    for (;;) {
        struct lex_token t = lex_next(&lx);
        FUZZ_CHECK(lx.at <= lx.end, "read too far");
        FUZZ_CHECK(t.kind == LEX_ERROR || (t.line >= line && t.line <= lx.line), "line %u after %u", t.line, line);
        line = t.kind == LEX_ERROR ? line : t.line;
        if (t.kind == LEX_ERROR)
            return false;
        if (t.kind == LEX_END)
            return true;
        if (t.kind == LEX_WORD) {
            FUZZ_CHECK(strlen(t.word.at) == t.word.len, "NUL inside a word");
            write_quoted(t.word, out);
        } else {
            buffer_add_str(out, marks[t.kind]);
        }
    }
}

static void check_words(struct text bytes)
{
    struct buffer once, twice;
    struct arena arena;

    arena_init(&arena, 4096);
    buffer_init(&once);
    buffer_init(&twice);
    if (rewrite(bytes, &arena, &once)) {
        struct text written = {once.data, once.len};
        if (rewrite(written, &arena, &twice)) /* escapes may make a word too long */
            FUZZ_CHECK(text_equal(written, (struct text){twice.data, twice.len}), "words are read as others");
        else
            FUZZ_CHECK(bytes.len > 2000, "quoted words are refused");
    }
    buffer_fini(&once);
    buffer_fini(&twice);
    arena_fini(&arena);
}

static void silence(void)
{
    static struct log quiet = {.outputs = NULL, .level = LEVEL_EMERG};

    log_main = &quiet;
    log_file_stay_shut();
    clock_update();
}

/* Input: a first line for -g, when it begins with a "!"; then the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    struct text globals = TEXT_NONE;

    silence();
    if (size > MOST)
        return 0;
    if (size > 0 && data[0] == '!')
        globals = text_from(fuzz_line(&in), 1);
    char *bytes = fuzz_copy(in.at, in.left), *parameter = fuzz_copy(globals.at, globals.len);
    check_words((struct text){bytes, in.left});
    check_dump((struct text){bytes, in.left}, (struct text){parameter, globals.len});
    free(bytes);
    free(parameter);
    return 0;
}
