/* directive.c - what setters use: errors, warnings, paths, and the generic setters of single
 * values. */
#include "conf/directive.h"
#include "base/log.h"
#include "base/number.h"
#include "conf/parse_private.h"

#include <strings.h>

const char *conf_error(struct conf *cf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(cf->arena, format, args);
    va_end(args);
    return text ? text : "out of memory";
}

void conf_warn(struct conf *cf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(cf->arena, format, args);
    va_end(args);
    if (!text)
        return;
    if (cf->reader && cf->reader->source && cf->reader->source->is_parameter)
        log_warn(0, "%s in command line", text);
    else
        log_warn(0, "%s in %s:%u", text, cf->file, cf->line);
}

const char *conf_full_path(struct conf *cf, struct text path)
{
    if (path.len > 0 && path.at[0] == '/')
        return arena_copy(cf->arena, path.at, path.len);
    return arena_printf(cf->arena, "%s%.*s", cf->prefix, TEXT_ARG(path));
}

struct conf_noted_path *conf_note(struct conf *cf, const char *path)
{
    struct conf_noted_path *noted = arena_zalloc(cf->arena, sizeof *noted);
    if (!noted)
        return NULL;
    *noted = (struct conf_noted_path){.path = path, .directive = cf->args[0].at, .file = cf->file, .line = cf->line};
    list_init(&noted->node);
    return noted;
}

void conf_reads_noted(struct conf *cf, struct conf_noted_path *noted)
{
    if (cf->reader && list_empty(&noted->node))
        list_append(&cf->reader->result->reads, &noted->node);
}

static bool note_path(struct conf *cf, struct list *paths, const char *path)
{
    struct conf_noted_path *noted = conf_note(cf, path);
    if (noted)
        list_append(paths, &noted->node);
    return noted;
}

bool conf_path_is_open(const char *path)
{
    size_t len = strcspn(path, "$"), slash = len;

    while (slash > 0 && path[slash - 1] != '/')
        slash--;
    return path[len] == '$' && slash <= 1;
}

bool conf_reads(struct conf *cf, const char *path)
{
    return !cf->reader || note_path(cf, &cf->reader->result->reads, path);
}

bool conf_writes(struct conf *cf, const char *path)
{
    return !cf->reader || note_path(cf, &cf->reader->result->writes, path);
}

bool conf_watches(struct conf *cf, const char *path)
{
    return !cf->reader || note_path(cf, &cf->reader->result->watched, path);
}

const char *conf_path(struct conf *cf, struct text path)
{
    const char *full = conf_full_path(cf, path);
    return full && conf_reads(cf, full) ? full : NULL;
}

static const char *invalid_value(struct conf *cf, const struct conf_row *row)
{
    return conf_error(cf, "\"%s\" directive invalid value", row->name);
}

/* ---- bounds ---- */

/* As one would write it: 65536 bytes are 64k. */
static const char *write_value(struct conf *cf, int64_t value, bool is_size)
{
    static const char suffixes[] = {'k', 'm', 'g'};
    char suffix[2] = "";
    for (unsigned i = 0; is_size && i < sizeof suffixes && value > 0 && value % 1024 == 0; i++) {
        value /= 1024;
        suffix[0] = suffixes[i];
    }
    return conf_error(cf, "%lld%s", (long long)value, suffix);
}

/* "between 1 and 8", "equal to or greater than 1" ... */
static const char *write_range(struct conf *cf, const struct conf_bounds *b, bool is_size)
{
    const char *least = write_value(cf, b->least, is_size);
    if (b->most == INT64_MAX)
        return conf_error(cf, "equal to or greater than %s", least);
    return conf_error(cf, "between %s and %s", least, write_value(cf, b->most, is_size));
}

static const char *check_bounds(struct conf *cf, const struct conf_row *row, const char *word, int64_t value,
                                bool is_size)
{
    const struct conf_bounds *b = row->extra;
    if (!b)
        return NULL;
    bool power = value > 0 && (value & (value - 1)) == 0;
    if (value >= b->least && value <= b->most && (!b->power_of_two || power))
        return NULL;
    bool range = b->least > (b->power_of_two ? 1 : 0) || b->most < INT64_MAX || !b->power_of_two;
    return conf_error(cf, "invalid value \"%s\" in \"%s\" directive, it must be %s%s%s", word, row->name,
                      b->power_of_two ? "a power of two" : "", b->power_of_two && range ? " " : "",
                      range ? write_range(cf, b, is_size) : "");
}

/* ---- setters ---- */

const char *conf_set_flag(struct conf *cf, const struct conf_row *row, void *slot)
{
    const char *word = cf->args[1].at;
    bool on = strcasecmp(word, "on") == 0;
    if (!on && strcasecmp(word, "off") != 0)
        return conf_error(cf, "invalid value \"%s\" in \"%s\" directive, it must be \"on\" or \"off\"", word,
                          row->name);
    *(bool *)slot = on;
    return NULL;
}

const char *conf_set_number(struct conf *cf, const struct conf_row *row, void *slot)
{
    uint64_t value;
    if (number_parse(cf->args[1], &value) < 0 || value > INT64_MAX)
        return conf_error(cf, "\"%s\" directive invalid number", row->name);
    *(int64_t *)slot = (int64_t)value;
    return check_bounds(cf, row, cf->args[1].at, (int64_t)value, false);
}

static const char *set_size(struct conf *cf, const struct conf_row *row, struct text word, int64_t *size)
{
    uint64_t value;
    if (number_parse_size(word, &value) < 0 || value > INT64_MAX)
        return invalid_value(cf, row);
    *size = (int64_t)value;
    return check_bounds(cf, row, word.at, *size, true);
}

const char *conf_set_size(struct conf *cf, const struct conf_row *row, void *slot)
{
    return set_size(cf, row, cf->args[1], slot);
}

const char *conf_set_size_or_off(struct conf *cf, const struct conf_row *row, void *slot)
{
    if (text_equal(cf->args[1], TEXT("off"))) {
        *(int64_t *)slot = -1;
        return NULL;
    }
    return set_size(cf, row, cf->args[1], slot);
}

const char *conf_set_msec(struct conf *cf, const struct conf_row *row, void *slot)
{
    return number_parse_msec(cf->args[1], slot) < 0 ? invalid_value(cf, row) : NULL;
}

const char *conf_set_sec(struct conf *cf, const struct conf_row *row, void *slot)
{
    return number_parse_sec(cf->args[1], slot) < 0 ? invalid_value(cf, row) : NULL;
}

const char *conf_set_text(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row;
    *(struct text *)slot = cf->args[1];
    return NULL;
}

int64_t conf_fit(const struct conf *cf, int64_t bytes, unsigned part)
{
    const int64_t least = INT64_C(1) << 20;
    unsigned workers = cf->workers && *cf->workers > 0 ? *cf->workers : 1;
    int64_t most = cf->memory > 0 ? (int64_t)(cf->memory / workers / part) : bytes;

    if (most >= bytes)
        return bytes;
    return most > least ? most : bytes < least ? bytes : least;
}

const char *conf_set_path(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row;
    bool is_main = cf->block->context == CONF_MAIN; /* the master's own */
    const char *path = is_main ? conf_full_path(cf, cf->args[1]) : conf_path(cf, cf->args[1]);
    *(const char **)slot = path;
    return path ? NULL : conf_error(cf, "out of memory");
}

/* "\"on\", \"off\" or \"build\"" */
static const char *choices(struct conf *cf, const struct conf_enum *e)
{
    const char *all = arena_printf(cf->arena, "\"%s\"", e->name);
    for (e++; e->name && all; e++)
        all = arena_printf(cf->arena, "%s%s \"%s\"", all, e[1].name ? "," : " or", e->name);
    return all ? all : "another";
}

const char *conf_set_enum(struct conf *cf, const struct conf_row *row, void *slot)
{
    for (const struct conf_enum *e = row->extra; e->name; e++) {
        if (strcasecmp(cf->args[1].at, e->name) == 0) {
            *(int *)slot = e->value;
            return NULL;
        }
    }
    return conf_error(cf, "invalid value \"%s\" in \"%s\" directive, it must be %s", cf->args[1].at, row->name,
                      choices(cf, row->extra));
}

const char *conf_set_bufs(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct conf_bufs *bufs = slot;
    uint64_t number;
    if (number_parse(cf->args[1], &number) < 0 || number == 0 || number > INT64_MAX)
        return invalid_value(cf, row);
    bufs->number = (int64_t)number;
    const char *error = set_size(cf, row, cf->args[2], &bufs->size);
    if (error)
        return error;
    return bufs->size == 0 ? invalid_value(cf, row) : NULL;
}

const char *conf_set_accepted(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)cf;
    (void)row;
    (void)slot;
    return NULL;
}
