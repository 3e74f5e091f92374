/* tune_show.c - the results of `sluice tune` for people: a plot, tables, a block of configuration.
 * Pure. */
#include "server/tune/tune.h"

#include <stdio.h>
#include <string.h>

enum { ROWS = 12, COLUMN = 8, COMMENT_WIDTH = 100, NAME_WIDTH = 25 };

const char *tune_size_text(uint64_t bytes)
{
    static char texts[8][24];
    static unsigned turn;
    char *text = texts[turn++ % 8];
    uint64_t k = 1024, m = k * k, g = m * k;

    if (bytes > 0 && bytes % g == 0)
        snprintf(text, sizeof texts[0], "%llug", (unsigned long long)(bytes / g));
    else if (bytes > 0 && bytes % m == 0)
        snprintf(text, sizeof texts[0], "%llum", (unsigned long long)(bytes / m));
    else if (bytes > 0 && bytes % k == 0)
        snprintf(text, sizeof texts[0], "%lluk", (unsigned long long)(bytes / k));
    else
        snprintf(text, sizeof texts[0], "%llu", (unsigned long long)bytes);
    return text;
}

/* ---- the plot: speed over size, a mark per depth ---- */

/* A round number not below `n`: 1, 2, 2.5 or 5 with zeros. */
static double round_up(double n)
{
    static const double steps[] = {1, 2, 2.5, 5};
    double unit = 1;

    while (unit * 10 <= n)
        unit *= 10;
    for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (steps[i] * unit >= n)
            return steps[i] * unit;
    }
    return 10 * unit;
}

static double highest(const struct tune_results *r)
{
    double most = 0;

    for (unsigned i = 0; i < TUNE_SIZES * TUNE_DEPTHS; i++) {
        if (r->grid[i / TUNE_DEPTHS][i % TUNE_DEPTHS].rate > most)
            most = r->grid[i / TUNE_DEPTHS][i % TUNE_DEPTHS].rate;
    }
    return most;
}

/* Which row of the plot: what just reaches a row's upper edge belongs to it. */
static int row_of(double rate, double top)
{
    int row = (int)(rate / 1e6 / top * ROWS - 1e-6);

    return row < ROWS ? row : ROWS - 1;
}

/* Marks of one cell stand side by side, so that none hides another. */
static void plot_row(const struct tune_results *r, int row, double top, struct buffer *out)
{
    char line[TUNE_SIZES * COLUMN];
    size_t len = sizeof line;

    memset(line, ' ', len);
    for (unsigned size = 0; size < TUNE_SIZES; size++) {
        for (unsigned depth = 0; depth < TUNE_DEPTHS; depth++) {
            double rate = r->grid[size][depth].rate;
            if (rate > 0 && row_of(rate, top) == row)
                line[size * COLUMN + 2 + depth] = (char)('0' + tune_depths[depth]);
        }
    }
    while (len > 0 && line[len - 1] == ' ')
        len--;
    buffer_add(out, line, len);
    buffer_add_char(out, '\n');
}

void tune_show_plot(const struct tune_results *r, struct buffer *out)
{
    double most = highest(r) / 1e6, top;

    if (most <= 0)
        return;
    top = round_up(most);
    buffer_add_str(out, "O_DIRECT reads: speed over the size of a read; the marks are reads in flight\n\n   MB/s\n");
    for (int row = ROWS - 1; row >= 0; row--) {
        if ((row + 1) % 3 == 0)
            buffer_printf(out, "%7.0f |", top * (row + 1) / ROWS);
        else
            buffer_add_str(out, "        |");
        plot_row(r, row, top, out);
    }
    buffer_add_str(out, "      0 +");
    for (unsigned i = 0; i < TUNE_SIZES * COLUMN; i++)
        buffer_add_char(out, '-');
    buffer_add_str(out, "\n         ");
    for (unsigned i = 0; i < TUNE_SIZES; i++)
        buffer_printf(out, i + 1 < TUNE_SIZES ? "  %-6s" : "  %s\n", tune_size_text(tune_sizes[i]));
}

/* ---- tables ---- */

static void show_readers(const struct tune_results *r, struct buffer *out)
{
    buffer_add_str(out, "\nDisk readers, 512k x 4\n\n");
    for (unsigned i = 0; i < TUNE_READERS; i++) {
        const struct tune_reader *reader = &r->readers[i];
        if (reader->speed.rate > 0)
            buffer_printf(out, "  %-9s %6.0f MB/s  %5.2f s of CPU per GiB\n", reader->name, reader->speed.rate / 1e6,
                          reader->speed.cpu_gib);
        else if (reader->note)
            buffer_printf(out, "  %-9s %s\n", reader->name, reader->note);
    }
}

static void show_disk(const struct tune_results *r, struct buffer *out)
{
    if (r->direct == TUNE_DIRECT_REFUSED) {
        buffer_add_str(out, "O_DIRECT is refused here.\n");
    } else if (r->direct == TUNE_DIRECT_CACHED) {
        buffer_add_str(out, "O_DIRECT is accepted here, but reads go through memory all the same.\n");
    } else {
        tune_show_plot(r, out);
        show_readers(r, out);
        buffer_printf(out, "\nAlignment of O_DIRECT   %u bytes (%s)\n", r->align_offset,
                      r->align_told ? "the kernel says so" : "found by trying");
    }
    if (r->latency_usec > 0)
        buffer_printf(out, "Random 4 KiB read       %.0f us (median)\n", r->latency_usec);
    if (r->cold.rate > 0)
        buffer_printf(out, "Cold, by page cache     %.0f MB/s, %.2f s of CPU per GiB\n", r->cold.rate / 1e6,
                      r->cold.cpu_gib);
    if (r->opens.cold > 0)
        buffer_printf(out, "Opening, cold           %.1f us (mean of %u files), at worst %.0f us\n", r->opens.cold_usec,
                      r->opens.cold, r->opens.cold_worst);
    if (r->opens.warm > 0)
        buffer_printf(out, "Opening, warm           %.1f us (mean of %u files)\n", r->opens.warm_usec, r->opens.warm);
}

static void show_sends(const struct tune_results *r, struct buffer *out)
{
    if (r->sends[0][TUNE_MEMORY].usec <= 0)
        return;
    buffer_add_str(out, "\nA response from memory, over loopback: us of CPU, and MB/s one after another\n\n"
                        "   size    one write         sendfile          read and write\n");
    for (unsigned i = 0; i < TUNE_BODIES; i++) {
        buffer_printf(out, "  %5s", tune_size_text(tune_bodies[i]));
        for (unsigned way = 0; way < TUNE_WAYS; way++) {
            const struct tune_send *s = &r->sends[i][way];
            if (s->usec > 0)
                buffer_printf(out, " %8.1f %6.0f  ", s->usec, s->rate / 1e6);
            else
                buffer_printf(out, " %8s %6s  ", "-", "-");
        }
        while (out->len > 0 && out->data[out->len - 1] == ' ')
            out->len--;
        buffer_add_char(out, '\n');
    }
}

static void show_seals(const struct tune_results *r, struct buffer *out)
{
    bool any = false;

    for (unsigned i = 0; i < TLS_SEALS; i++) {
        if (r->seals[i].rate <= 0)
            continue;
        if (!any)
            buffer_add_str(out, "\nEncryption for TLS 1.3, full records, one core\n\n");
        any = true;
        buffer_printf(out, "  %-28s %6.0f MB/s  %5.2f s of CPU per GiB\n", tls_seal_suites[i], r->seals[i].rate / 1e6,
                      r->seals[i].cpu_gib);
    }
}

/* ---- the block of configuration ---- */

static void add_comment(const char *text, struct buffer *out)
{
    while (*text) {
        size_t len = strlen(text);
        if (len > COMMENT_WIDTH) {
            len = COMMENT_WIDTH;
            while (len > 1 && text[len] != ' ')
                len--;
            if (len <= 1)
                len = COMMENT_WIDTH;
        }
        buffer_printf(out, "# %.*s\n", (int)len, text);
        text += len;
        while (*text == ' ')
            text++;
    }
}

/* The directory stands in a comment: a line break in its name must not end that. */
static void add_printable(const char *text, struct buffer *out)
{
    for (; *text; text++)
        buffer_add_char(out, (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

void tune_show_configuration(const struct tune_results *r, const struct tune_advice *a, struct buffer *out)
{
    buffer_add_str(out, "# sluice tune ");
    add_printable(r->dir, out);
    buffer_printf(out, "%s%s: for http, a server or a location\n", r->filesystem[0] ? ", " : "", r->filesystem);
    for (unsigned i = 0; i < a->count; i++) {
        buffer_add_char(out, '\n');
        add_comment(a->lines[i].reason, out);
        buffer_printf(out, "%-*s %s;\n", NAME_WIDTH, a->lines[i].name, a->lines[i].value);
    }
}

void tune_show(const struct tune_results *r, const struct tune_advice *a, struct buffer *out)
{
    add_printable(r->dir, out);
    buffer_printf(out, "%s%s: measured with a temporary file of %s in %.0f s\n\n", r->filesystem[0] ? ", " : "",
                  r->filesystem, tune_size_text(r->file_bytes), r->seconds);
    show_disk(r, out);
    show_sends(r, out);
    show_seals(r, out);
    buffer_add_char(out, '\n');
    tune_show_configuration(r, a, out);
}
