/* listing_modern.c - a directory as a page for people: sortable, at home on small and dark screens,
 * nothing from elsewhere. Called by listing.c.
 *
 * The page works without its script, src/http/listing/pages/listing.js, which adds sorting, the
 * search box, keys, and the reader's own way of writing numbers and times. Cells carry what they
 * sort by in data-k. */
#include "http/listing/listing_private.h"

#include "base/number.h"

static const char style[] =
#include "http/listing/pages/listing.css.inc"
    ;
static const char script[] =
#include "http/listing/pages/listing.js.inc"
    ;

static const char policy[] = "default-src 'none'; script-src "
#include "http/listing/pages/listing.js.csp"
                             "; style-src "
#include "http/listing/pages/listing.css.csp"
                             "; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

struct text listing_policy(const struct listing_conf *conf)
{
    bool page = conf->format == LISTING_HTML && conf->style == LISTING_MODERN;

    return page ? (struct text){policy, sizeof policy - 1} : TEXT_NONE;
}

static bool is_root(struct text uri)
{
    return uri.len <= 1;
}

/* "/ a / b /" with links upwards: relative ones, true behind any proxy. */
static void print_crumbs(struct text uri, struct buffer *out)
{
    size_t depth = 0;
    for (size_t i = 1; i < uri.len; i++)
        depth += uri.at[i] == '/';
    for (size_t at = 0; at < uri.len;) {
        struct text rest = text_from(uri, at);
        size_t end = text_find(rest, '/');
        struct text name = {rest.at, end < rest.len ? end + 1 : end};
        if (depth > 0) {
            buffer_add_str(out, "<a href=\"");
            for (size_t up = 0; up < depth; up++)
                buffer_add_str(out, "../");
            buffer_add_str(out, "\">");
        }
        listing_add_html(out, name);
        buffer_add_str(out, depth > 0 ? "</a>" : "");
        depth -= depth > 0;
        at += name.len;
    }
}

/* "12.3 MiB": three digits are enough to choose by. */
static void print_human(off_t size, struct buffer *out)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (size < 1024) {
        buffer_printf(out, "%lld B", (long long)size);
        return;
    }
    double value = (double)size / 1024;
    size_t unit = 0;
    for (; value >= 999.5 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        value /= 1024;
    buffer_printf(out, "%.*f %s", value < 9.95 ? 2 : value < 99.5 ? 1 : 0, value, units[unit]);
}

static void add_number(struct buffer *out, int64_t n)
{
    char digits[24];
    size_t len = 0;

    if (n < 0)
        digits[len++] = '-';
    len += number_format(digits + len, n < 0 ? -(uint64_t)n : (uint64_t)n);
    buffer_add(out, digits, len);
}

static void print_size(const struct listing *l, const struct listing_entry *e, struct buffer *out)
{
    if (e->kind == ENTRY_DIRECTORY) {
        buffer_add_str(out, "<td data-k=\"-1\"></td>");
        return;
    }
    buffer_add_str(out, "<td data-k=\"");
    add_number(out, e->size);
    if (l->want->conf->exact_size) {
        buffer_add_str(out, "\">");
        add_number(out, e->size);
    } else {
        buffer_add_str(out, "\" title=\"");
        add_number(out, e->size);
        buffer_add_str(out, " B\">");
        print_human(e->size, out);
    }
    buffer_add_str(out, "</td>");
}

static char *put_two(char *to, int n)
{
    *to++ = (char)('0' + n / 10);
    *to++ = (char)('0' + n % 10);
    return to;
}

/* "2023-11-14 22:13" */
static void print_time(time_t t, struct buffer *out)
{
    struct tm tm = {.tm_year = 70, .tm_mday = 1};
    char text[20], *to = text;

    gmtime_r(&t, &tm);
    int year = tm.tm_year + 1900; /* of four digits: clock_within_http() */
    to = put_two(to, year / 100);
    to = put_two(to, year % 100);
    *to++ = '-';
    to = put_two(to, tm.tm_mon + 1);
    *to++ = '-';
    to = put_two(to, tm.tm_mday);
    *to++ = ' ';
    to = put_two(to, tm.tm_hour);
    *to++ = ':';
    to = put_two(to, tm.tm_min);
    buffer_add(out, text, (size_t)(to - text));
}

static void print_entry(const struct listing *l, const struct listing_entry *e, struct buffer *out)
{
    bool directory = e->kind == ENTRY_DIRECTORY;

    buffer_add_str(out, directory ? "<tr class=\"g\"><td><a href=\"" : "<tr><td><a href=\"");
    listing_add_href(out, e->name);
    buffer_add_str(out, directory ? "/\">" : "\">");
    listing_add_html(out, e->name);
    buffer_add_str(out, directory ? "/</a></td>" : "</a></td>");
    print_size(l, e, out);
    buffer_add_str(out, "<td data-k=\"");
    add_number(out, e->mtime);
    buffer_add_str(out, "\">");
    print_time(e->mtime + l->offset, out);
    buffer_add_str(out, "</td></tr>\n");
}

static void print_summary(const struct listing *l, struct buffer *out)
{
    size_t folders = 0;
    off_t bytes = 0;
    for (size_t i = 0; i < l->count; i++) {
        folders += l->entries[i].kind == ENTRY_DIRECTORY;
        if (l->entries[i].kind == ENTRY_FILE && bytes <= INT64_MAX - l->entries[i].size)
            bytes += l->entries[i].size;
    }
    size_t files = l->count - folders;
    buffer_printf(out, "<footer>%zu folder%s, %zu file%s, ", folders, folders == 1 ? "" : "s", files,
                  files == 1 ? "" : "s");
    print_human(bytes, out);
    buffer_add_str(out, l->want->conf->localtime ? "<i></i></footer>\n" : "<i>. Times are UTC.</i></footer>\n");
}

/* As it is, whatever it is written in: text in its place. */
static void print_readme(const struct listing *l, struct buffer *out)
{
    if (!l->readme.name.at)
        return;
    buffer_add_str(out, "<section class=\"r\" aria-labelledby=\"r\">\n<h2 id=\"r\">");
    listing_add_html(out, l->readme.name);
    buffer_add_str(out, "</h2>\n<pre>\n");
    listing_add_html(out, l->readme.content);
    buffer_add_str(out, l->readme.cut ? "\n\342\200\246</pre>\n</section>\n" : "</pre>\n</section>\n");
}

/* A gate with water below it. */
#define ICON                                                                                                           \
    "data:image/svg+xml,%3Csvg xmlns='http:%2F%2Fwww.w3.org/2000/svg' viewBox='0 0 48 48' fill='none' "                \
    "stroke='%230b6bcb' stroke-width='4' stroke-linecap='round'%3E%3Cpath d='M7 5v38M41 5v38M7 12h34M15 "              \
    "12v12h18V12M14 31c3-3 7-3 10 0s7 3 10 0M14 40c3-3 7-3 10 0s7 3 10 0'/%3E%3C/svg%3E"

static void print_head(struct text uri, struct buffer *out)
{
    buffer_add_str(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>Index of ");
    listing_add_html(out, uri);
    buffer_add_str(out, "</title>\n<link rel=\"icon\" href=\"" ICON "\">\n<style>");
    buffer_add(out, style, sizeof style - 1);
    buffer_add_str(out, "</style>\n</head>\n<body>\n<header>\n<h1>");
    print_crumbs(uri, out);
    buffer_add_str(out, "</h1>\n</header>\n<main>\n<table>\n<caption>Files and folders</caption>\n"
                        "<thead><tr><th scope=\"col\" aria-sort=\"ascending\">Name</th><th scope=\"col\">Size</th>"
                        "<th scope=\"col\">Modified</th></tr></thead>\n<tbody>\n");
}

void listing_print_modern(const struct listing *l, struct buffer *out)
{
    print_head(l->want->uri, out);
    if (!is_root(l->want->uri))
        buffer_add_str(out, "<tr class=\"p\"><td><a href=\"../\" aria-label=\"Parent folder\">../</a></td>"
                            "<td data-k=\"-2\"></td><td></td></tr>\n");
    for (size_t i = 0; i < l->count; i++)
        print_entry(l, &l->entries[i], out);
    buffer_add_str(out, "</tbody>\n</table>\n");
    print_readme(l, out);
    buffer_add_str(out, "</main>\n");
    print_summary(l, out);
    buffer_add_str(out, "<script>");
    buffer_add(out, script, sizeof script - 1);
    buffer_add_str(out, "</script>\n</body>\n</html>\n");
}
