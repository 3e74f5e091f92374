/* listing_plain.c - a directory as nginx prints it in HTML, byte for byte (but for times before
 * 1970, which are what they are). Called by listing.c. */
#include "http/listing/listing_private.h"

#include "base/utf8.h"

enum { NAME_WIDTH = 50, CUT_WIDTH = NAME_WIDTH - 3 }; /* characters, or bytes */

static void print_name(const struct listing *l, const struct listing_entry *e, struct buffer *out)
{
    static const char spaces[NAME_WIDTH + 1] = "                                                  ";
    bool directory = e->kind == ENTRY_DIRECTORY;
    size_t width = l->want->utf8 ? utf8_count(e->name) : e->name.len;
    buffer_add_str(out, "<a href=\"");
    listing_add_href(out, e->name);
    buffer_add_str(out, directory ? "/\">" : "\">");

    if (width > NAME_WIDTH) {
        size_t len = l->want->utf8 ? utf8_head(e->name, CUT_WIDTH) : CUT_WIDTH;
        listing_add_html(out, (struct text){e->name.at, len});
        buffer_add_str(out, "..&gt;</a> ");
        return;
    }
    listing_add_html(out, e->name);
    if (directory && width < NAME_WIDTH) {
        buffer_add_char(out, '/');
        width++;
    }
    buffer_add_str(out, "</a>");
    buffer_add(out, spaces, NAME_WIDTH - width);
    buffer_add_char(out, ' ');
}

static void print_date(const struct listing *l, time_t mtime, struct buffer *out)
{
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm tm = {.tm_year = 70, .tm_mday = 1};
    time_t t = mtime + l->offset;
    gmtime_r(&t, &tm);
    buffer_printf(out, "%02d-%s-%04d %02d:%02d ", tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
                  tm.tm_min);
}

static void print_size(const struct listing *l, const struct listing_entry *e, struct buffer *out)
{
    if (e->kind == ENTRY_DIRECTORY) {
        buffer_printf(out, "%*s\r\n", l->want->conf->exact_size ? 19 : 7, "-");
        return;
    }
    if (l->want->conf->exact_size) {
        buffer_printf(out, "%19lld\r\n", (long long)e->size);
        return;
    }
    char unit;
    long long size = (long long)listing_round(e->size, &unit);
    if (unit)
        buffer_printf(out, "%6lld%c\r\n", size, unit);
    else
        buffer_printf(out, "%7lld\r\n", size);
}

void listing_print_plain(const struct listing *l, struct buffer *out)
{
    buffer_add_str(out, "<html>\r\n<head><title>Index of ");
    listing_add_html(out, l->want->uri);
    buffer_add_str(out, "</title></head>\r\n<body>\r\n<h1>Index of ");
    listing_add_html(out, l->want->uri);
    buffer_add_str(out, "</h1><hr><pre><a href=\"../\">../</a>\r\n");
    for (size_t i = 0; i < l->count; i++) {
        const struct listing_entry *e = &l->entries[i];
        print_name(l, e, out);
        print_date(l, e->mtime, out);
        print_size(l, e, out);
    }
    buffer_add_str(out, "</pre><hr></body>\r\n</html>\r\n");
}
