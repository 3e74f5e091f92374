/* test_layout.c - image layouts as they are on a disk, and as somebody hostile would write them. */
#include "unit.h"

#include "base/buffer.h"
#include "http/registry/layout.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INDEX    "application/vnd.oci.image.index.v1+json"
#define MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define VERSION  "{\"imageLayoutVersion\":\"1.0.0\"}"

/* A digest of one letter, in one of a few buffers that take turns. Nobody hashes anything. */
static const char *digest(char letter)
{
    static char texts[8][72];
    static unsigned next;
    char *text = texts[next++ % 8];

    strcpy(text, "sha256:");
    memset(text + 7, letter, 64);
    text[71] = '\0';
    return text;
}

/* A descriptor; `more` is a member with a comma before it, or empty. */
static const char *entry(const char *type, char letter, const char *more)
{
    static char texts[8][1024];
    static unsigned next;
    char *text = texts[next++ % 8];

    snprintf(text, sizeof texts[0], "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":7%s}", type, digest(letter),
             more);
    return text;
}

#define TAG(name) ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"" name "\"}"

static void write_text(const char *name, const char *text)
{
    unit_write(name, text, strlen(text));
}

/* index.json, or the blob of a letter. */
static void write_index(char letter, const char *entries)
{
    char name[128], *text = NULL;

    if (letter)
        snprintf(name, sizeof name, "blobs/sha256/%s", digest(letter) + 7);
    else
        strcpy(name, "index.json");
    ck_assert_int_gt(asprintf(&text, "{\"schemaVersion\":2,\"manifests\":[%s]}", entries), 0);
    write_text(name, text);
    free(text);
}

static void write_blob(char letter, const char *text)
{
    char name[128];

    snprintf(name, sizeof name, "blobs/sha256/%s", digest(letter) + 7);
    write_text(name, text);
}

static struct layout *expect_read(bool referrers)
{
    struct layout *l = NULL;
    int rc = layout_read(&l, unit_dir(), NULL, referrers, NULL);

    ck_assert_msg(rc == 0, "%s", strerror(-rc));
    return l;
}

static int read_fails(void)
{
    struct layout *l = NULL;
    int rc = layout_read(&l, unit_dir(), NULL, true, NULL);

    if (rc == 0)
        layout_free(l);
    return rc;
}

static bool has(const struct layout *l, char letter)
{
    return layout_by_digest(l, text_of(digest(letter))) != NULL;
}

static void expect_tag(const struct layout *l, const char *tag, char letter)
{
    const struct layout_manifest *m = layout_by_tag(l, text_of(tag));

    if (letter == '\0') {
        ck_assert_msg(!m, "%s", tag);
        return;
    }
    ck_assert_msg(m && text_equal(m->digest, text_of(digest(letter))), "%s", tag);
}

/* ---- as it should be ---- */

START_TEST(tags_and_platforms)
{
    char entries[4096];

    write_text("oci-layout", VERSION);
    snprintf(entries, sizeof entries, "%s,%s,%s,%s,%s", entry(INDEX, 'c', TAG("v2")), entry(MANIFEST, 'a', TAG("v1")),
             entry(MANIFEST, 'b', TAG("v1")), entry(MANIFEST, 'f', ""), entry(MANIFEST, 'a', TAG("v10")));
    write_index('\0', entries);
    snprintf(entries, sizeof entries, "%s,%s", entry(MANIFEST, 'd', TAG("inner")), entry(INDEX, 'e', ""));
    write_index('c', entries);
    write_index('e', entry(MANIFEST, '0', ""));
    struct layout *l = expect_read(false);
    ck_assert_uint_eq(l->tag_count, 3);
    ck_assert(text_equal(l->tags[0].name, TEXT("v1")) && text_equal(l->tags[1].name, TEXT("v10")) &&
              text_equal(l->tags[2].name, TEXT("v2")));
    expect_tag(l, "v1", 'a'); /* the first one of two */
    expect_tag(l, "v10", 'a');
    expect_tag(l, "v2", 'c');
    expect_tag(l, "inner", '\0');
    expect_tag(l, "v", '\0');
    ck_assert_uint_eq(l->manifest_count, 7);
    for (const char *c = "abcdef0"; *c; c++)
        ck_assert_msg(has(l, *c), "%c", *c);
    ck_assert(!has(l, '1'));
    ck_assert(text_equal(layout_by_tag(l, TEXT("v2"))->media_type, TEXT(INDEX)));
    ck_assert(l->whole);
    ck_assert_uint_eq(layout_tags_after(l, TEXT("v1")), 1);
    ck_assert_uint_eq(layout_tags_after(l, TEXT("v11")), 2);
    ck_assert_uint_eq(layout_tags_after(l, TEXT("z")), 3);
    layout_free(l);
}
END_TEST

START_TEST(referrers)
{
    char entries[4096], text[1024];

    write_text("oci-layout", VERSION);
    snprintf(entries, sizeof entries, "%s,%s,%s", entry(MANIFEST, 'a', TAG("v1")), entry(MANIFEST, 'b', ""),
             entry(INDEX, 'c', ""));
    write_index('\0', entries);
    write_blob('a', "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/x\"}}");
    snprintf(text, sizeof text,
             "{\"subject\":{\"digest\":\"%s\"},\"config\":{\"mediaType\":\"application/sbom\"},"
             "\"annotations\":{\"k\":\"\\u00e9\\\"\"}}",
             digest('a'));
    write_blob('b', text);
    snprintf(text, sizeof text,
             "{\"manifests\":[],\"artifactType\":\"application/sig\",\"config\":{\"mediaType\":\"no/no\"},"
             "\"subject\":{\"digest\":\"%s\"}}",
             digest('a'));
    write_blob('c', text);
    struct layout *l = expect_read(true);
    ck_assert_uint_eq(l->referrer_count, 2);
    ck_assert(text_equal(l->referrers[0].artifact_type, TEXT("application/sbom")));
    ck_assert(text_equal(l->referrers[1].artifact_type, TEXT("application/sig")));
    snprintf(text, sizeof text,
             "{\"mediaType\":\"" MANIFEST "\",\"digest\":\"%s\",\"size\":7,\"artifactType\":\"application/sbom\","
             "\"annotations\":{\"k\":\"\xc3\xa9\\\"\"}}",
             digest('b'));
    ck_assert_msg(text_equal(l->referrers[0].json, text_of(text)), "%.*s", TEXT_ARG(l->referrers[0].json));
    layout_free(l);
    l = expect_read(false);
    ck_assert_uint_eq(l->referrer_count, 0);
    layout_free(l);
}
END_TEST

/* ---- as it may be ---- */

START_TEST(nothing_there)
{
    ck_assert_int_eq(read_fails(), -ENOENT);
    write_text("oci-layout", VERSION);
    ck_assert_int_eq(read_fails(), -ENOENT);
    write_index('\0', "");
    ck_assert_int_eq(read_fails(), 0);
    write_text("oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}");
    ck_assert_int_eq(read_fails(), -EBADMSG);
}
END_TEST

/* What is missing may come: then it is looked for again. */
START_TEST(missing_blobs)
{
    char entries[4096];

    write_text("oci-layout", VERSION);
    snprintf(entries, sizeof entries, "%s,%s", entry(INDEX, 'a', TAG("gone")), entry(MANIFEST, 'b', TAG("v1")));
    write_index('\0', entries);
    struct layout *l = expect_read(false);
    ck_assert(!l->whole);
    expect_tag(l, "v1", 'b');
    expect_tag(l, "gone", 'a');
    layout_free(l);
    write_index('a', "");
    l = expect_read(false);
    ck_assert(l->whole);
    layout_free(l);
    l = expect_read(true);
    ck_assert(!l->whole);
    layout_free(l);
}
END_TEST

/* ---- as nobody should write it ---- */

static const char *const refused[] = {
    "",
    "{",
    "[]",
    "null",
    "\"manifests\"",
    "{}",
    "{\"manifests\":{}}",
    "{\"manifests\":null}",
    "{\"manifests\":[],}",
    "{\"manifests\":[]}x",
    "{\"manifests\":[],\"manifests\":[]}",
    "{\"manifests\":[\"\\u0000\"]}",
    "{\"manifests\":[\"\xff\"]}",
    "{\"manifests\":[1e999]}",
};

START_TEST(no_index)
{
    write_text("oci-layout", VERSION);
    write_text("index.json", refused[_i]);
    ck_assert_msg(read_fails() == -EBADMSG, "%s", refused[_i]);
}
END_TEST

#define GOOD "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* An entry that is not one is left out, and the next one counts. */
static const char *const left_out[] = {
    "1",
    "null",
    "[]",
    "{}",
    "{\"digest\":\"" GOOD "\",\"size\":1}",
    "{\"mediaType\":\"a/b\",\"size\":1}",
    "{\"mediaType\":\"a/b\",\"digest\":\"" GOOD "\"}",
    "{\"mediaType\":\"a/b\",\"digest\":\"" GOOD "\",\"size\":-1}",
    "{\"mediaType\":\"a/b\",\"digest\":\"" GOOD "\",\"size\":1.5}",
    "{\"mediaType\":\"a/b\",\"digest\":\"" GOOD "\",\"size\":\"1\"}",
    "{\"mediaType\":\"a/b\",\"digest\":\"sha256:../../../../etc/passwd\",\"size\":1}",
    "{\"mediaType\":\"a/b\",\"digest\":\"" GOOD "/\",\"size\":1}",
    "{\"mediaType\":\"a/b\\r\\nX: y\",\"digest\":\"" GOOD "\",\"size\":1}",
    "{\"mediaType\":\"a\",\"digest\":\"" GOOD "\",\"size\":1}",
    "{\"mediaType\":7,\"digest\":\"" GOOD "\",\"size\":1}",
};

START_TEST(no_descriptor)
{
    char entries[4096];

    write_text("oci-layout", VERSION);
    snprintf(entries, sizeof entries, "%s,%s", left_out[_i], entry(MANIFEST, 'b', TAG("v1")));
    write_index('\0', entries);
    struct layout *l = expect_read(false);
    ck_assert_msg(l->manifest_count == 1, "%s", left_out[_i]);
    expect_tag(l, "v1", 'b');
    layout_free(l);
}
END_TEST

START_TEST(no_tag)
{
    char entries[4096];

    write_text("oci-layout", VERSION);
    snprintf(entries, sizeof entries, "%s,%s,%s", entry(MANIFEST, 'a', TAG("../x")), entry(MANIFEST, 'b', TAG("")),
             entry(MANIFEST, 'c', ",\"annotations\":[1]"));
    write_index('\0', entries);
    struct layout *l = expect_read(false);
    ck_assert_uint_eq(l->tag_count, 0);
    ck_assert_uint_eq(l->manifest_count, 3);
    layout_free(l);
}
END_TEST

/* `count` times `text` between a head and a tail. */
static void write_repeated(const char *name, const char *head, const char *text, size_t count, const char *tail)
{
    struct buffer b;

    buffer_init(&b);
    buffer_add_str(&b, head);
    for (size_t i = 0; i < count; i++)
        buffer_add_str(&b, text);
    buffer_add_str(&b, tail);
    unit_write(name, b.data, b.len);
    buffer_fini(&b);
}

START_TEST(too_much)
{
    write_text("oci-layout", VERSION);
    write_repeated("index.json", "{\"manifests\":[", "[", 31, ""); /* deep */
    ck_assert_int_eq(read_fails(), -EBADMSG);
    write_repeated("index.json", "{\"manifests\":[1", ",{}", 200000, "]}"); /* a hundred times as large in memory */
    ck_assert_int_eq(read_fails(), -EBADMSG);
    write_repeated("index.json", "{\"manifests\":[1", ",1", 600000, "]}");
    ck_assert_int_eq(read_fails(), -EBADMSG);
    write_repeated("index.json", "{\"manifests\":[1", ",1", 100000, "]}");
    ck_assert_int_eq(read_fails(), 0);
    write_repeated("index.json", "{\"manifests\":[]}", " ", LAYOUT_JSON_MOST, "");
    ck_assert_int_eq(read_fails(), -E2BIG);
    write_repeated("index.json", "{\"a\":\"", "[{,", 300000, "\\\"[\",\"manifests\":[]}"); /* of a text only */
    ck_assert_int_eq(read_fails(), 0);
}
END_TEST

/* An index whose blob is itself, and a chain of those that is longer than anybody's. */
START_TEST(indexes_in_indexes)
{
    static const char chain[] = "0123456789abcdef";

    write_text("oci-layout", VERSION);
    write_index('\0', entry(INDEX, 'a', TAG("v1")));
    write_index('a', entry(INDEX, 'a', ""));
    struct layout *l = expect_read(true);
    ck_assert_uint_eq(l->manifest_count, 1);
    layout_free(l);
    write_index('\0', entry(INDEX, '0', TAG("v1")));
    for (size_t i = 0; chain[i + 1]; i++)
        write_index(chain[i], entry(INDEX, chain[i + 1], ""));
    l = expect_read(false);
    ck_assert_uint_eq(l->manifest_count, 9);
    layout_free(l);
}
END_TEST

START_TEST(blobs_of_other_kinds)
{
    char entries[4096];

    write_text("oci-layout", VERSION);
    snprintf(entries, sizeof entries, "%s,%s", entry(INDEX, 'a', TAG("v1")), entry(MANIFEST, 'b', TAG("v2")));
    write_index('\0', entries);
    write_blob('a', "no JSON");
    write_repeated("blobs/sha256/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "{}", " ",
                   LAYOUT_JSON_MOST, "");
    struct layout *l = expect_read(true);
    ck_assert(l->whole); /* they will never be others */
    ck_assert_uint_eq(l->manifest_count, 2);
    ck_assert_uint_eq(l->referrer_count, 0);
    layout_free(l);
}
END_TEST

START_TEST(given_up)
{
    atomic_bool stop = true;
    struct layout *l;

    write_text("oci-layout", VERSION);
    write_index('\0', "");
    ck_assert_int_eq(layout_read(&l, unit_dir(), NULL, false, &stop), -ECANCELED);
}
END_TEST

Suite *suite_http_layout(void)
{
    Suite *s = suite_create("http_layout");
    TCase *t = tcase_create("layouts");
    tcase_add_test(t, tags_and_platforms);
    tcase_add_test(t, referrers);
    tcase_add_test(t, nothing_there);
    tcase_add_test(t, missing_blobs);
    tcase_add_test(t, given_up);
    suite_add_tcase(s, t);
    t = tcase_create("hostile");
    tcase_add_loop_test(t, no_index, 0, sizeof refused / sizeof *refused);
    tcase_add_loop_test(t, no_descriptor, 0, sizeof left_out / sizeof *left_out);
    tcase_add_test(t, no_tag);
    tcase_add_test(t, too_much);
    tcase_add_test(t, indexes_in_indexes);
    tcase_add_test(t, blobs_of_other_kinds);
    suite_add_tcase(s, t);
    return s;
}
