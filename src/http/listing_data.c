/* listing_data.c - a directory as XML, JSON and JSONP, as nginx prints it. Called by listing.c. */
#include "http/listing_entry.h"

#include "base/clock.h"

static void print_xml_entry(const struct listing_entry *e, struct buffer *out)
{
    static const char *const kinds[] = {
        [ENTRY_DIRECTORY] = "directory", [ENTRY_FILE] = "file", [ENTRY_OTHER] = "other"};
    struct tm tm = {.tm_year = 70, .tm_mday = 1};
    gmtime_r(&e->mtime, &tm);
    buffer_printf(out, "<%s mtime=\"%04d-%02d-%02dT%02d:%02d:%02dZ\"", kinds[e->kind], tm.tm_year + 1900, tm.tm_mon + 1,
                  tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    if (e->kind == ENTRY_FILE)
        buffer_printf(out, " size=\"%lld\"", (long long)e->size);
    buffer_add_char(out, '>');
    listing_add_html(out, e->name);
    buffer_printf(out, "</%s>\r\n", kinds[e->kind]);
}

void listing_print_xml(const struct listing *l, struct buffer *out)
{
    buffer_add_str(out, "<?xml version=\"1.0\"?>\r\n<list>\r\n");
    for (size_t i = 0; i < l->count; i++)
        print_xml_entry(&l->entries[i], out);
    buffer_add_str(out, "</list>\r\n");
}

/* The letter of a short escape, or 0. */
static char short_escape(char c)
{
    static const char from[] = "\"\\\n\r\t\b\f", to[] = "\"\\nrtbf";
    const char *at = c ? strchr(from, c) : NULL;
    return at ? to[at - from] : '\0';
}

static void add_json(struct buffer *out, struct text t)
{
    size_t from = 0;
    for (size_t i = 0; i < t.len; i++) {
        char c = t.at[i], letter = short_escape(c);
        if (!letter && (unsigned char)c >= 0x20)
            continue;
        buffer_add(out, t.at + from, i - from);
        if (letter)
            buffer_printf(out, "\\%c", letter);
        else
            buffer_printf(out, "\\u%04X", (unsigned)(unsigned char)c);
        from = i + 1;
    }
    buffer_add(out, t.at + from, t.len - from);
}

static void print_json_entry(const struct listing_entry *e, struct buffer *out)
{
    static const char *const kinds[] = {
        [ENTRY_DIRECTORY] = "directory", [ENTRY_FILE] = "file", [ENTRY_OTHER] = "other"};
    char date[CLOCK_HTTP_LEN + 1];
    clock_format_http(date, e->mtime);
    buffer_add_str(out, "{ \"name\":\"");
    add_json(out, e->name);
    buffer_printf(out, "\", \"type\":\"%s\", \"mtime\":\"%s\"", kinds[e->kind], date);
    if (e->kind == ENTRY_FILE)
        buffer_printf(out, ", \"size\":%lld", (long long)e->size);
    buffer_add_str(out, " }");
}

void listing_print_json(const struct listing *l, struct buffer *out)
{
    /* The comment keeps the name from being the first bytes of the answer, which some plugins would take for a file
     * of theirs. */
    if (l->callback.at)
        buffer_printf(out, "/* callback */\r\n%.*s(", TEXT_ARG(l->callback));
    buffer_add_str(out, "[\r\n");
    for (size_t i = 0; i < l->count; i++) {
        print_json_entry(&l->entries[i], out);
        buffer_add_str(out, i + 1 < l->count ? ",\r\n" : "\r\n");
    }
    buffer_add_str(out, l->callback.at ? "]);" : "]");
}
