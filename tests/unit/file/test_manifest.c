/* test_manifest.c - lists of digests: their lines, and entries found by name. */
#include "unit.h"

#include "file/manifest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEX    "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
#define HEX_UP "5891B5B522D5DF086D0FF0B110FBD9D21BB4FC7163AF34D08286A2E846F6BE03"

static const struct line {
    const char *text;
    enum manifest_line_kind kind;
    const char *name;
} lines[] = {
    {HEX "  a.txt", MANIFEST_ENTRY, "a.txt"},
    {HEX " *a.txt", MANIFEST_ENTRY, "a.txt"},
    {HEX_UP "  a b.txt\r", MANIFEST_ENTRY, "a b.txt"},
    {HEX "   leading", MANIFEST_ENTRY, " leading"},
    {HEX "  ./a/./b", MANIFEST_ENTRY, "a/./b"},
    {HEX "  ././a", MANIFEST_ENTRY, "a"},
    {"\\" HEX "  a\\nb\\\\c\\rd", MANIFEST_ENTRY, "a\nb\\c\rd"},
    {HEX "  a\\nb", MANIFEST_ENTRY, "a\\nb"},
    {"SHA256 (a (1).txt) = " HEX, MANIFEST_ENTRY, "a (1).txt"},
    {"\\SHA256 (a\\nb) = " HEX, MANIFEST_ENTRY, "a\nb"},
    {"", MANIFEST_COMMENT, NULL},
    {"\r", MANIFEST_COMMENT, NULL},
    {"# a comment", MANIFEST_COMMENT, NULL},
    {"# size=12 mtime=3.000000004 inode=5", MANIFEST_FACTS, NULL},
    {"# size=12 mtime=-3.000000004 inode=5", MANIFEST_FACTS, NULL},
    {"# size=12 mtime=3 inode=5", MANIFEST_COMMENT, NULL},
    {"# size=12 mtime=3.000000004 inode=5 ", MANIFEST_COMMENT, NULL},
    {"# size=99999999999999999999 mtime=3.000000004 inode=5", MANIFEST_COMMENT, NULL},
    {HEX, MANIFEST_OTHER, NULL},
    {HEX "  ", MANIFEST_OTHER, NULL},
    {HEX "  ./", MANIFEST_OTHER, NULL},
    {HEX " a.txt", MANIFEST_OTHER, NULL},
    {HEX "0  a.txt", MANIFEST_OTHER, NULL},
    {"x" HEX "  a.txt", MANIFEST_OTHER, NULL},
    {"5891b5b5  a.txt", MANIFEST_OTHER, NULL},
    {"g891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03  a.txt", MANIFEST_OTHER, NULL},
    {"\\" HEX "  a\\tb", MANIFEST_OTHER, NULL},
    {"\\" HEX "  a\\", MANIFEST_OTHER, NULL},
    {"SHA512 (a) = " HEX, MANIFEST_OTHER, NULL},
    {"SHA256 () = " HEX, MANIFEST_OTHER, NULL},
    {"-----BEGIN PGP SIGNED MESSAGE-----", MANIFEST_OTHER, NULL},
};

START_TEST(test_lines)
{
    static char space[MANIFEST_LINE_MOST];
    struct manifest_line out;
    char hex[DIGEST_HEX];

    manifest_parse_line(text_of(lines[_i].text), &out, space);
    ck_assert_msg(out.kind == lines[_i].kind, "%s: %d", lines[_i].text, out.kind);
    if (out.kind == MANIFEST_ENTRY) {
        ck_assert_msg(text_equal(out.name, text_of(lines[_i].name)), "%s: %.*s", lines[_i].text, TEXT_ARG(out.name));
        digest_to_hex(out.digest, hex);
        ck_assert(memcmp(hex, HEX, DIGEST_HEX) == 0);
    }
    if (out.kind == MANIFEST_FACTS) {
        ck_assert_int_eq(out.size, 12);
        ck_assert_int_eq(out.mtime_sec, strchr(lines[_i].text, '-') ? -3 : 3);
        ck_assert_uint_eq(out.mtime_nsec, 4);
        ck_assert_uint_eq(out.inode, 5);
    }
}
END_TEST

static struct manifest *open_text(const char *text, const char *prefix)
{
    static char path[4096];
    struct manifest *m;
    snprintf(path, sizeof path, "%s", unit_write("list", text, strlen(text)));
    int rc = manifest_open(&m, path, text_of(prefix));
    ck_assert_msg(rc == 0, "%s: %s", text, strerror(-rc));
    return m;
}

static const struct manifest_entry *find(const struct manifest *m, const char *name)
{
    struct siphash key = manifest_key(text_of(name));
    return manifest_find(m, &key);
}

/* Each of many is found, and the one that is not there is not. The digest's first bytes say which. */
START_TEST(test_many)
{
    static const unsigned counts[] = {1, 2, 5, 511, 512, 513, 20000};
    unsigned count = counts[_i];
    char *text = calloc(count, 100), *to = text, name[32];

    for (unsigned i = 0; i < count; i++)
        to += sprintf(to, "%08x%s  f/%u\n", i, &HEX[8], i);
    struct manifest *m = open_text(text, "");
    ck_assert_uint_eq(m->count, count);
    for (unsigned i = 0; i < count; i++) {
        snprintf(name, sizeof name, "f/%u", i);
        const struct manifest_entry *e = find(m, name);
        ck_assert_msg(e != NULL, "%s of %u", name, count);
        const unsigned char *d = e->digest;
        ck_assert_uint_eq((unsigned)d[0] << 24 | (unsigned)d[1] << 16 | (unsigned)d[2] << 8 | d[3], i);
        ck_assert_uint_eq(e->line, i + 1);
    }
    snprintf(name, sizeof name, "f/%u", count);
    ck_assert_ptr_null(find(m, name));
    ck_assert_ptr_null(find(m, ""));
    manifest_close(m);
    free(text);
}
END_TEST

/* Of lines with one name the last one counts; facts are about the next line alone. */
START_TEST(test_order)
{
    struct manifest *m =
        open_text(HEX "  a\n"
                      "# size=1 mtime=2.000000003 inode=4\n"
                      "0000b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03  a\n" HEX "  b\n"
                      "what is this\n" HEX "  c",
                  "");

    ck_assert_uint_eq(m->count, 4);
    ck_assert_uint_eq(m->ignored, 1);
    ck_assert_uint_eq(m->first_ignored, 5);
    ck_assert_uint_eq(find(m, "a")->digest[0], 0);
    ck_assert_int_eq(find(m, "a")->size, 1);
    ck_assert_int_eq(find(m, "b")->size, -1);
    ck_assert_uint_eq(find(m, "c")->line, 6);
    manifest_close(m);
}
END_TEST

START_TEST(test_prefix)
{
    struct manifest *m = open_text(HEX "  ./a\n", "pub/iso");

    ck_assert_ptr_nonnull(find(m, "pub/iso/a"));
    ck_assert_ptr_null(find(m, "a"));
    manifest_close(m);
}
END_TEST

static char *long_line(size_t len)
{
    char *text = malloc(len + 200);
    memset(text, 'x', len);
    strcpy(text + len, "\n" HEX "  a\n");
    return text;
}

/* A line longer than any that counts, also than what is read at once. */
START_TEST(test_long_lines)
{
    static const size_t lens[] = {MANIFEST_LINE_MOST - 1, MANIFEST_LINE_MOST, 300 * 1024, 1024 * 1024};
    char *text = long_line(lens[_i]);
    struct manifest *m = open_text(text, "");

    ck_assert_uint_eq(m->count, 1);
    ck_assert_uint_eq(m->ignored, 1);
    ck_assert_uint_eq(find(m, "a")->line, 2);
    manifest_close(m);
    free(text);
}
END_TEST

START_TEST(test_refused)
{
    struct manifest *m = NULL;
    const char *path = unit_write("list", "nothing\nof the kind\n", 20);

    ck_assert_int_eq(manifest_open(&m, path, TEXT("")), -EINVAL);
    ck_assert_int_eq(manifest_open(&m, unit_path("none"), TEXT("")), -ENOENT);
    ck_assert_int_eq(manifest_open(&m, unit_dir(), TEXT("")), -EISDIR);
    ck_assert_int_eq(manifest_open(&m, unit_write("empty", "", 0), TEXT("")), 0);
    ck_assert_uint_eq(m->count, 0);
    ck_assert_ptr_null(find(m, "a"));
    manifest_close(m);
}
END_TEST

static const struct state {
    int64_t size, sec, nsec; /* of the file */
    bool told, holds;
} states[] = {
    {7, 100, 5, true, true},    /* as noted */
    {7, 100, 6, true, true},    /* another time, older than the list */
    {7, 2000, 0, true, false},  /* younger than the list */
    {8, 100, 5, true, false},   /* another size */
    {8, 100, 5, false, true},   /* nothing is noted: older than the list is all that counts */
    {8, 1000, 0, false, true},  /* as old */
    {8, 1000, 1, false, false}, /* younger */
};

START_TEST(test_holds)
{
    const struct state *s = &states[_i];
    const struct timespec mtime = {s->sec, s->nsec}, read = {3000, 5}, later = {3000, 6}, pinned = {100, 5};
    const struct manifest m = {.mtime = {1000, 0}, .read = read};
    const struct manifest_entry e = {.size = s->told ? 7 : -1, .mtime_sec = 100, .mtime_nsec = 5};
    const struct manifest young = {.mtime = {50, 0}, .read = read};

    ck_assert_int_eq(manifest_holds(&m, &e, s->size, mtime, read), s->holds);
    ck_assert_int_eq(manifest_holds(&m, &e, s->size, mtime, pinned), s->holds);
    /* A list that is older than all of them: only what is noted exactly. */
    ck_assert_int_eq(manifest_holds(&young, &e, s->size, mtime, read), _i == 0);
    /* Made or changed after the list was read, whatever its time says. */
    ck_assert(!manifest_holds(&m, &e, s->size, mtime, later));
    ck_assert(!manifest_holds(&m, &e, s->size, mtime, (struct timespec){3001, 0}));
}
END_TEST

Suite *suite_file_manifest(void)
{
    Suite *s = suite_create("file_manifest");
    TCase *tc = tcase_create("manifest");
    tcase_add_loop_test(tc, test_lines, 0, sizeof lines / sizeof *lines);
    tcase_add_loop_test(tc, test_many, 0, 7);
    tcase_add_test(tc, test_order);
    tcase_add_test(tc, test_prefix);
    tcase_add_loop_test(tc, test_long_lines, 0, 4);
    tcase_add_test(tc, test_refused);
    tcase_add_loop_test(tc, test_holds, 0, sizeof states / sizeof *states);
    suite_add_tcase(s, tc);
    return s;
}
