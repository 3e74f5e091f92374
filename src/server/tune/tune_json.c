/* tune_json.c - the results of `sluice tune` for programs (RFC 8259). Pure. What was not measured
 * is null. */
#include "server/tune/tune.h"

#include "base/utf8.h"

#include <stdlib.h>

static void add_string(const char *text, struct buffer *out)
{
    struct text rest = text_of(text);

    buffer_add_char(out, '"');
    while (rest.len > 0) {
        unsigned char c = (unsigned char)rest.at[0];
        size_t len = utf8_first(rest, NULL);
        if (len == 0)
            buffer_add_str(out, "\\ufffd"); /* a name need not be text */
        else if (c < 0x20)
            buffer_printf(out, "\\u%04x", c);
        else if (c == '"' || c == '\\')
            buffer_printf(out, "\\%c", c);
        else
            buffer_add(out, rest.at, len);
        rest = text_from(rest, len ? len : 1);
    }
    buffer_add_char(out, '"');
}

static void add_string_or_null(const char *name, const char *text, struct buffer *out)
{
    buffer_printf(out, "\"%s\": ", name);
    if (text && *text)
        add_string(text, out);
    else
        buffer_add_str(out, "null");
}

static void add_number(const char *name, double value, struct buffer *out)
{
    if (value > 0)
        buffer_printf(out, "\"%s\": %.6g", name, value);
    else
        buffer_printf(out, "\"%s\": null", name);
}

static void add_speed(const struct tune_speed *s, struct buffer *out)
{
    add_number("bytes_per_second", s->rate, out);
    buffer_add_str(out, ", ");
    add_number("cpu_seconds_per_gib", s->cpu_gib, out);
}

static const char *comma(bool first)
{
    return first ? "" : ",";
}

static void add_grid(const struct tune_results *r, struct buffer *out)
{
    bool first = true;

    buffer_add_str(out, "    \"reads\": [");
    for (unsigned i = 0; i < TUNE_SIZES * TUNE_DEPTHS; i++) {
        const struct tune_speed *s = &r->grid[i / TUNE_DEPTHS][i % TUNE_DEPTHS];
        if (s->rate <= 0)
            continue;
        buffer_printf(out, "%s\n      {\"size\": %u, \"depth\": %u, ", comma(first), tune_sizes[i / TUNE_DEPTHS],
                      tune_depths[i % TUNE_DEPTHS]);
        add_speed(s, out);
        buffer_add_char(out, '}');
        first = false;
    }
    buffer_add_str(out, "],\n");
}

static void add_readers(const struct tune_results *r, struct buffer *out)
{
    bool first = true;

    buffer_add_str(out, "    \"readers\": [");
    for (unsigned i = 0; i < TUNE_READERS; i++) {
        if (!r->readers[i].name)
            continue;
        buffer_printf(out, "%s\n      {\"name\": \"%s\", ", comma(first), r->readers[i].name);
        add_speed(&r->readers[i].speed, out);
        buffer_add_str(out, ", ");
        add_string_or_null("note", r->readers[i].note, out);
        buffer_add_char(out, '}');
        first = false;
    }
    buffer_add_str(out, "]\n");
}

static void add_direct(const struct tune_results *r, struct buffer *out)
{
    static const char *const states[] = {
        [TUNE_DIRECT_WORKS] = "works", [TUNE_DIRECT_REFUSED] = "refused", [TUNE_DIRECT_CACHED] = "cached"};

    buffer_printf(out, "  \"direct\": {\n    \"state\": \"%s\",\n    ", states[r->direct]);
    add_number("alignment", r->align_offset, out);
    buffer_printf(out, ",\n    \"alignment_told\": %s,\n    ", r->align_told ? "true" : "false");
    add_string_or_null("reader", r->reader, out);
    buffer_add_str(out, ",\n    ");
    add_number("random_4k_microseconds", r->latency_usec, out);
    buffer_add_str(out, ",\n");
    add_grid(r, out);
    add_readers(r, out);
    buffer_add_str(out, "  },\n");
}

static void add_sends(const struct tune_results *r, struct buffer *out)
{
    static const char *const ways[] = {[TUNE_MEMORY] = "memory", [TUNE_SENDFILE] = "sendfile", [TUNE_COPY] = "copy"};
    bool first = true;

    buffer_add_str(out, "  \"responses\": [");
    for (unsigned i = 0; i < TUNE_BODIES * TUNE_WAYS; i++) {
        const struct tune_send *s = &r->sends[i / TUNE_WAYS][i % TUNE_WAYS];
        if (s->usec <= 0)
            continue;
        buffer_printf(out, "%s\n    {\"size\": %u, \"way\": \"%s\", ", comma(first), tune_bodies[i / TUNE_WAYS],
                      ways[i % TUNE_WAYS]);
        add_number("cpu_microseconds", s->usec, out);
        buffer_add_str(out, ", ");
        add_number("bytes_per_second", s->rate, out);
        buffer_add_char(out, '}');
        first = false;
    }
    buffer_add_str(out, "],\n");
}

static void add_opens(const struct tune_opens *o, struct buffer *out)
{
    buffer_printf(out, "  \"open\": {\"cold\": %u, ", o->cold);
    add_number("cold_microseconds", o->cold_usec, out);
    buffer_add_str(out, ", ");
    add_number("cold_worst_microseconds", o->cold_worst, out);
    buffer_printf(out, ", \"warm\": %u, ", o->warm);
    add_number("warm_microseconds", o->warm_usec, out);
    buffer_add_str(out, "},\n");
}

static void add_seals(const struct tune_results *r, struct buffer *out)
{
    bool first = true;

    buffer_add_str(out, "  \"encryption\": [");
    for (unsigned i = 0; i < TLS_SEALS; i++) {
        if (r->seals[i].rate <= 0)
            continue;
        buffer_printf(out, "%s\n    {\"suite\": \"%s\", ", comma(first), tls_seal_suites[i]);
        add_speed(&r->seals[i], out);
        buffer_add_char(out, '}');
        first = false;
    }
    buffer_add_str(out, "],\n");
}

static void add_advice(const struct tune_results *r, const struct tune_advice *a, struct buffer *out)
{
    struct buffer block;
    char *text;

    buffer_add_str(out, "  \"advice\": [");
    for (unsigned i = 0; i < a->count; i++) {
        buffer_printf(out, "%s\n    {\"name\": \"%s\", \"value\": ", comma(i == 0), a->lines[i].name);
        add_string(a->lines[i].value, out);
        buffer_add_str(out, ", \"reason\": ");
        add_string(a->lines[i].reason, out);
        buffer_add_char(out, '}');
    }
    buffer_add_str(out, "],\n  \"configuration\": ");
    buffer_init(&block);
    tune_show_configuration(r, a, &block);
    text = buffer_steal(&block, NULL);
    if (text)
        add_string(text, out);
    else
        out->failed = true;
    free(text);
    buffer_add_char(out, '\n');
}

void tune_show_json(const struct tune_results *r, const struct tune_advice *a, struct buffer *out)
{
    buffer_add_str(out, "{\n  \"directory\": ");
    add_string(r->dir, out);
    buffer_add_str(out, ",\n  ");
    add_string_or_null("filesystem", r->filesystem, out);
    buffer_printf(out, ",\n  \"file_bytes\": %llu,\n  \"memory_bytes\": %llu,\n  \"seconds\": %.3f,\n",
                  (unsigned long long)r->file_bytes, (unsigned long long)r->memory, r->seconds);
    add_direct(r, out);
    buffer_add_str(out, "  \"cold_page_cache\": {");
    add_speed(&r->cold, out);
    buffer_add_str(out, "},\n");
    add_sends(r, out);
    add_opens(&r->opens, out);
    add_seals(r, out);
    add_advice(r, a, out);
    buffer_add_str(out, "}\n");
}
