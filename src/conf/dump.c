/* dump.c - the configuration as text: the files behind -T, and the rows as docs/directives.md. */
#include "conf/parse.h"

void conf_dump_files(const struct conf_result *result, struct buffer *out)
{
    list_each (&result->files, node, tmp) {
        const struct conf_file *file = container_of(node, struct conf_file, node);
        buffer_printf(out, "# configuration file %s:\n", file->path);
        buffer_add_text(out, file->bytes);
        buffer_add_char(out, '\n');
    }
}

static void add_enum(const struct conf_enum *values, struct buffer *out)
{
    for (const struct conf_enum *e = values; e->name; e++)
        buffer_printf(out, "%s%s", e == values ? "" : " | ", e->name);
}

static void add_arguments(const struct conf_row *row, struct buffer *out)
{
    static const struct {
        conf_set_fn *set;
        const char *syntax;
    } known[] = {
        {conf_set_flag, "on | off"},    {conf_set_number, "number"},
        {conf_set_size, "size"},        {conf_set_size_or_off, "size | off"},
        {conf_set_msec, "time"},        {conf_set_sec, "time"},
        {conf_set_text, "string"},      {conf_set_path, "file"},
        {conf_set_bufs, "number size"},
    };
    if (row->syntax) {
        buffer_add_str(out, row->syntax);
        return;
    }
    if (row->set == conf_set_enum) {
        add_enum(row->extra, out);
        return;
    }
    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].set == row->set) {
            buffer_add_str(out, known[i].syntax);
            return;
        }
    }
    if (row->arity & CONF_FLAG)
        buffer_add_str(out, "on | off");
    else if (row->arity & (CONF_ANY | CONF_1MORE | CONF_2MORE))
        buffer_add_str(out, "value ...");
    else if (row->arity & ~(unsigned)(CONF_TAKE0 | CONF_BLOCK | CONF_REPEAT))
        buffer_add_str(out, "value");
}

static void add_syntax(const struct conf_row *row, struct buffer *out)
{
    buffer_printf(out, "- Syntax: `%s", row->name);
    size_t before = out->len;
    buffer_add_char(out, ' ');
    add_arguments(row, out);
    if (out->len == before + 1)
        out->len = before;
    buffer_add_str(out, row->arity & CONF_BLOCK ? " { ... }`\n" : ";`\n");
}

static void add_contexts(unsigned contexts, struct buffer *out)
{
    static const char *const names[] = {"main",  "events",         "http",         "server",      "location",
                                        "types", "if in location", "if in server", "limit_except"};
    const char *separator = "- Context: ";
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!(contexts >> i & 1))
            continue;
        buffer_printf(out, "%s%s", separator, names[i]);
        separator = ", ";
    }
    buffer_add_char(out, '\n');
}

static void add_row(const struct conf_row *row, struct buffer *out)
{
    buffer_printf(out, "\n### %s\n\n", row->name);
    add_syntax(row, out);
    if (row->dflt)
        buffer_printf(out, "- Default: `%s%s%s;`\n", row->name, row->dflt[0] ? " " : "", row->dflt);
    else
        buffer_add_str(out, "- Default: none\n");
    add_contexts(row->contexts, out);
    if (row->help)
        buffer_printf(out, "\n%c%s%s\n", row->help[0] >= 'a' && row->help[0] <= 'z' ? row->help[0] - 32 : row->help[0],
                      row->help[0] ? row->help + 1 : "", text_ends(text_of(row->help), TEXT(".")) ? "" : ".");
    if (row->set == conf_set_accepted)
        buffer_add_str(out, "\nAccepted so that nginx's configurations load; it has no effect.\n");
    if (row->differs)
        buffer_printf(out, "\nUnlike nginx: %s%s\n", row->differs,
                      text_ends(text_of(row->differs), TEXT(".")) ? "" : ".");
}

static void add_index(struct conf_module *const *modules, struct buffer *out)
{
    for (; *modules; modules++) {
        const char *separator = "";
        if (!(*modules)->rows || !(*modules)->rows->name)
            continue;
        buffer_printf(out, "- %s: ", (*modules)->name);
        for (const struct conf_row *row = (*modules)->rows; row->name; row++) {
            buffer_printf(out, "%s[%s](#%s)", separator, row->name, row->name);
            separator = ", ";
        }
        buffer_add_char(out, '\n');
    }
}

static void add_foreign(const struct conf_foreign *foreign, struct buffer *out)
{
    if (!foreign || !foreign->name)
        return;
    buffer_add_str(out, "\n## Directives of nginx that are not here\n\n"
                        "A line with one of them is an error, which says what to do. A name that ends with `*` stands "
                        "for all that begin so.\n\n");
    for (; foreign->name; foreign++)
        buffer_printf(out, "- `%s`: %s.\n", foreign->name, foreign->why);
}

void conf_dump_reference(struct conf_module *const *modules, const struct conf_foreign *foreign, struct buffer *out)
{
    buffer_add_str(out, "# Directives\n\n"
                        "Written by the program from its own tables; do not edit. The language is nginx's: words in "
                        "either kind of quotes, `#` comments, `include file | glob;` in any block; a byte "
                        "order mark at the start of a file is skipped. A size is a number "
                        "of bytes with an optional `k`, `m` or `g`; a time is a number of seconds, or numbers with "
                        "`ms`, `s`, `m`, `h`, `d`, `w` in descending order.\n\n");
    add_index(modules, out);
    for (; *modules; modules++) {
        if (!(*modules)->rows || !(*modules)->rows->name)
            continue;
        buffer_printf(out, "\n## %s\n", (*modules)->name);
        for (const struct conf_row *row = (*modules)->rows; row->name; row++)
            add_row(row, out);
    }
    add_foreign(foreign, out);
}
