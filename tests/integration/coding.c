/* coding.c - see coding.h. */
#include "coding.h"

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct coding codings[CODINGS] = {
    {"br", "brotli", ".br", &coding_has_brotli, brotli_pack, brotli_unpack},
    {"zstd", "zstd", ".zst", &coding_has_zstd, zstd_pack, zstd_unpack},
};

const char *coding_named(const struct coding *k, const char *text)
{
    static char out[4096];
    char *to = out;

    for (; *text; text++) {
        if (strncmp(text, "@X@", 3) == 0) {
            to = stpcpy(to, k->directive);
            text += 2;
        } else {
            *to++ = *text;
        }
    }
    *to = '\0';
    return out;
}

char *coding_page(unsigned mark, size_t size)
{
    char line[32], *text = malloc(size + 1);
    int len = snprintf(line, sizeof line, "<p>page %06u</p>\n", mark);

    for (size_t at = 0; at < size; at++)
        text[at] = line[at % (size_t)len];
    text[size] = '\0';
    return text;
}

void coding_write_page(const char *name, unsigned mark, size_t size)
{
    char *text = coding_page(mark, size);

    site_write_bytes(name, text, size);
    site_set_mtime(name, MTIME);
    free(text);
}

void coding_ask(struct site_response *r, const char *method, const char *target, const char *accepted, const char *more)
{
    char fields[512];

    snprintf(fields, sizeof fields, "%s%s%s%s", accepted ? "Accept-Encoding: " : "", accepted ? accepted : "",
             accepted ? "\r\n" : "", more);
    site_request(r, method, target, fields);
}

void coding_unpack(struct site_response *r, const struct coding *k)
{
    size_t len;

    assert_header(r, "Content-Encoding", k->name);
    char *plain = k->unpack(r->body, r->len, &len);
    ck_assert_msg(plain != NULL, "%zu bytes are not %s", r->len, k->name);
    free(r->body);
    r->body = plain;
    r->len = len;
}

void coding_expect_text(const struct site_response *r, unsigned mark, size_t size)
{
    char *expected = coding_page(mark, size);

    ck_assert_uint_eq(r->len, size);
    ck_assert_msg(memcmp(r->body, expected, size) == 0, "%.16s in place of %06u", r->body, mark);
    free(expected);
}

void coding_expect_page(const char *target, const struct coding *k, unsigned mark, size_t size)
{
    struct site_response r;

    coding_ask(&r, "GET", target, k->name, "");
    ck_assert_int_eq(r.status, 200);
    coding_unpack(&r, k);
    coding_expect_text(&r, mark, size);
    site_response_free(&r);
}

void coding_serve(const struct coding *k, const char *http, const char *server)
{
    char text[4096], *to = stpcpy(text, "location = /status { status; } ");

    stpcpy(to, coding_named(k, server));
    site_serve_http(http, text);
}

unsigned coding_metric(const char *name)
{
    char full[64];

    snprintf(full, sizeof full, "sluice_gzip_cache_%s", name);
    return (unsigned)site_metric(full);
}
