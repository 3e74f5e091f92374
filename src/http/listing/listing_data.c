/* listing_data.c - a directory as XML, JSON and JSONP, as nginx prints it. Called by listing.c. */
#include "http/listing/listing_private.h"

#include "base/clock.h"
#include "base/utf8.h"

/* Characters that XML has: production 2 of XML 1.0. */
static bool is_xml_char(uint32_t c)
{
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c != 0xfffe && c != 0xffff);
}

/* Whatever a name is made of, the page is well-formed: what is no character of XML, or no UTF-8,
 * becomes U+FFFD. A carriage return is written as a reference, since a parser would make a line
 * feed of it. */
static void add_xml(struct buffer *out, struct text t)
{
    uint32_t code = 0;

    for (size_t i = 0, len; i < t.len; i += len ? len : 1) {
        len = utf8_first(text_from(t, i), &code);
        if (len == 0 || !is_xml_char(code))
            buffer_add_str(out, "\xef\xbf\xbd");
        else if (code == '\r')
            buffer_add_str(out, "&#13;");
        else
            listing_add_html(out, (struct text){t.at + i, len});
    }
}

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
    add_xml(out, e->name);
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

/* What a JSON string cannot have becomes an escape: control bytes, and bytes that are no UTF-8
 * become U+FFFD. U+2028 and U+2029 end a line in the JavaScript that JSONP is read as. */
static void add_json(struct buffer *out, struct text t)
{
    uint32_t code = 0;

    for (size_t i = 0, len; i < t.len; i += len ? len : 1) {
        char letter = short_escape(t.at[i]);
        len = utf8_first(text_from(t, i), &code);
        if (letter)
            buffer_printf(out, "\\%c", letter);
        else if (len == 0)
            buffer_add_str(out, "\\uFFFD");
        else if (code < 0x20 || code == 0x2028 || code == 0x2029)
            buffer_printf(out, "\\u%04X", (unsigned)code);
        else
            buffer_add(out, t.at + i, len);
    }
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
    /* The comment keeps the name from being the first bytes of the answer, which some plugins would
     * take for a file of theirs. */
    if (l->want->callback.at)
        buffer_printf(out, "/* callback */\r\n%.*s(", TEXT_ARG(l->want->callback));
    buffer_add_str(out, "[\r\n");
    for (size_t i = 0; i < l->count; i++) {
        print_json_entry(&l->entries[i], out);
        buffer_add_str(out, i + 1 < l->count ? ",\r\n" : "\r\n");
    }
    buffer_add_str(out, l->want->callback.at ? "]);" : "]");
}
