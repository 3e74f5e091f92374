/* include.c - configuration files: reading them whole, keeping them for -T, and `include`, which
 * any block may hold. */
#include "conf/parse_private.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 64 };

const char *include_keep(struct conf *cf, const char *path, struct text bytes)
{
    struct conf_result *result = cf->reader->result;
    list_each (&result->files, node, tmp) {
        if (strcmp(container_of(node, struct conf_file, node)->path, path) == 0)
            return NULL;
    }
    struct conf_file *file = arena_alloc(cf->arena, sizeof *file);
    if (!file)
        return conf_error(cf, "out of memory");
    file->path = path;
    file->bytes = bytes;
    list_append(&result->files, &file->node);
    return NULL;
}

static const char *call_failed(struct conf *cf, const char *call, const char *path, int error)
{
    return conf_error(cf, "%s() \"%s\" failed (%d: %s)", call, path, error, strerror(error));
}

/* All bytes that `fd` has, which need not be a regular file's. */
static const char *read_all(struct conf *cf, int fd, const char *path, struct text *bytes)
{
    struct buffer b;
    const char *error = NULL;
    char chunk[16384];
    ssize_t n;

    buffer_init(&b);
    while ((n = read(fd, chunk, sizeof chunk)) != 0) {
        if (n > 0)
            buffer_add(&b, chunk, (size_t)n);
        else if (errno != EINTR)
            break;
    }
    if (n < 0)
        error = call_failed(cf, "pread", path, errno);
    char *copy = b.failed ? NULL : arena_copy(cf->arena, b.data, b.len);
    if (copy)
        *bytes = (struct text){copy, b.len};
    else if (!error)
        error = conf_error(cf, "out of memory");
    buffer_fini(&b);
    return error;
}

static const char *refuse_cycle(struct conf *cf, const struct conf_source *source, const char *path)
{
    for (const struct conf_source *s = source->outer; s; s = s->outer) {
        if (s->is_file && s->device == source->device && s->inode == source->inode)
            return conf_error(cf, "\"%s\" includes itself", path);
    }
    if (source->depth > DEPTH_MAX)
        return conf_error(cf, "too deep nesting of \"include\" directives at \"%s\"", path);
    return NULL;
}

const char *include_file(struct conf *cf, const char *path)
{
    struct conf_source *outer = cf->reader->source;
    struct conf_source source = {.outer = outer, .is_file = true, .depth = outer ? outer->depth + 1 : 1};
    struct text bytes = TEXT("");
    struct stat st;

    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return call_failed(cf, "open", path, errno);
    const char *error = fstat(fd, &st) < 0 ? call_failed(cf, "fstat", path, errno) : NULL;
    source.device = st.st_dev;
    source.inode = st.st_ino;
    if (!error)
        error = refuse_cycle(cf, &source, path);
    if (!error)
        error = read_all(cf, fd, path, &bytes);
    close(fd);
    if (!error)
        bytes = text_without_mark(bytes);
    if (!error)
        error = include_keep(cf, path, bytes);
    if (error)
        return error;

    lex_init(&source.lex, bytes, cf->arena);
    return read_source(cf, &source, path);
}

static const char *include_glob(struct conf *cf, const char *pattern)
{
    glob_t found;
    const char *error = NULL;
    int rc = glob(pattern, 0, NULL, &found);
    if (!conf_watches(cf, pattern))
        return conf_error(cf, "out of memory");
    if (rc == GLOB_NOMATCH)
        return NULL;
    if (rc != 0)
        return conf_error(cf, "glob() \"%s\" failed", pattern);
    for (size_t i = 0; i < found.gl_pathc && !error; i++) {
        const char *path = arena_strdup(cf->arena, found.gl_pathv[i]);
        error = path ? include_file(cf, path) : conf_error(cf, "out of memory");
    }
    globfree(&found);
    return error;
}

const char *include_directive(struct conf *cf)
{
    if (cf->count != 2)
        return conf_error(cf, "invalid number of arguments in \"include\" directive");
    const char *name = cf->args[1].at;
    const char *path = name[0] == '/' ? name : arena_printf(cf->arena, "%s%s", cf->conf_dir, name);
    if (!path)
        return conf_error(cf, "out of memory");
    return strpbrk(path, "*?[") ? include_glob(cf, path) : include_file(cf, path);
}
