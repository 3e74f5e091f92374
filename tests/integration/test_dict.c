/* test_dict.c - `sluice dict OLD... NEW`: files that zstd(1) and brotli(1) unpack with OLD, and that the
 * server sends to clients which have it. RFC 9842. */
#include "harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HELLO_DIGITS "5891b5b522d5df08" /* of "hello\n" */

enum { MTIME = 1600000000, DCZ_HEAD = 40, DCB_HEAD = 36, LONG = 9 << 20 };

static void dict(struct site_run *run, const char *a, const char *b, const char *c, const char *d)
{
    const char *words[] = {a, b, c, d};
    char *argv[] = {(char *)"sluice", (char *)"dict", NULL, NULL, NULL, NULL, NULL};
    for (int i = 0; i < 4 && words[i]; i++)
        argv[2 + i] = (char *)(*words[i] == '-' ? words[i] : site_path("%s", words[i]));
    site_run_bare(run, argv);
}

/* False, with a line: this build cannot make it. */
static bool can_make(const char *option)
{
    struct site_run run;
    site_write("can", "abc");
    dict(&run, option, "can", "can", NULL);
    if (!strstr(run.err, "built without"))
        return true;
    printf("left out: %s", run.err);
    return false;
}

/* In the site's folder; whether it succeeds. */
__attribute__((format(printf, 1, 2))) static bool shell(const char *format, ...)
{
    char command[2000], line[3000];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    snprintf(line, sizeof line, "cd '%s' && %s", site_dir(), command);
    return system(line) == 0;
}

/* A script with many lines, of which the last differ. */
static void write_script(const char *name, int version)
{
    enum { LINES = 500 };
    char *text = malloc(LINES * 80), *to = text;
    for (unsigned i = 0; i < LINES; i++)
        to += sprintf(to, "function f%u() { return %u; }\n", i, i * 2654435761u);
    sprintf(to, "window.version = %d;\n", version);
    site_write(name, text);
    free(text);
}

/* ---- what is written ---- */

static void expect_unpacked(const char *side, const char *old, const char *plain)
{
    bool brotli = strstr(side, ".dcb");
    const char *program = brotli ? "brotli" : "zstd";
    if (!shell("%s --help 2>&1 | grep -q -e ' -D '", program)) {
        printf("not unpacked again: there is no %s with dictionaries here\n", program);
        return;
    }
    ck_assert(shell("tail -c +%d %s >x && %s -d -c -D %s x >back && cmp back %s", (brotli ? DCB_HEAD : DCZ_HEAD) + 1,
                    side, program, old, plain));
}

static const struct {
    const char *option, *suffix, *magic;
    size_t magic_len, head;
} codings[] = {
    {"--dcz", "dcz", "\x5e\x2a\x4d\x18\x20\0\0\0", 8, DCZ_HEAD},
    {"--dcb", "dcb", "\xff\x44\x43\x42", 4, DCB_HEAD},
};

START_TEST(a_release_and_the_one_before)
{
    struct site_run run;
    struct stat st;
    size_t len;
    if (!can_make(codings[_i].option))
        return;
    write_script("v1.js", 1);
    write_script("v2.js", 2);
    site_set_mtime("v2.js", MTIME);
    ck_assert_int_eq(chmod(site_path("v2.js"), 0640), 0);
    dict(&run, codings[_i].option, "v1.js", "v2.js", NULL);
    ck_assert_msg(run.status == 0, "%s", run.err);
    char *digits = strstr(run.out, "v2.js.");
    ck_assert_ptr_nonnull(digits);
    char side[100];
    snprintf(side, sizeof side, "v2.js.%.16s.%s", digits + 6, codings[_i].suffix);
    ck_assert(shell("test \"$(sha256sum v1.js | head -c 16)\" = \"$(echo %s | cut -d. -f3)\"", side));
    char *bytes = site_read(side, &len);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_lt(len, 200);
    ck_assert_mem_eq(bytes, codings[_i].magic, codings[_i].magic_len);
    free(bytes);
    ck_assert_int_eq(stat(site_path("%s", side), &st), 0);
    ck_assert_int_eq(st.st_mtime, MTIME);
    ck_assert_int_eq(st.st_mode & 0777, 0640);
    expect_unpacked(side, "v1.js", "v2.js");
}
END_TEST

/* With -o, and again; of several OLD each has its own. */
START_TEST(names)
{
    struct site_run run;
    if (!can_make("--dcz"))
        return;
    site_write("old", "hello\n");
    write_script("older", 1);
    write_script("new", 2);
    for (int i = 0; i < 2; i++) {
        dict(&run, "--dcz", "old", "older", "new");
        ck_assert_msg(run.status == 0, "%s", run.err);
    }
    ck_assert_int_eq(access(site_path("new." HELLO_DIGITS ".dcz"), F_OK), 0);
    ck_assert(shell("test $(ls | grep -c '^new[.].*[.]dcz$') = 2 && test $(ls | grep -c new) = 3"));
    char option[300];
    snprintf(option, sizeof option, "-o%s", site_path("new.dcz"));
    dict(&run, "--dcz", option, "older", "new");
    ck_assert_msg(run.status == 0, "%s", run.err);
    expect_unpacked("new.dcz", "older", "new");
    dict(&run, "-q", "--dcz", "old", "new");
    ck_assert_str_eq(run.out, "");
}
END_TEST

#define TRAINED "\x37\xa4\x30\xec" /* so dictionaries of zstd --train begin */

/* A raw dictionary, whatever its bytes mean to the library. */
START_TEST(dictionaries_are_raw)
{
    struct site_run run;
    if (!can_make("--dcz"))
        return;
    site_write("old", TRAINED " which this one is not, although it says so, nor the next one");
    site_write("new", TRAINED
               " which this one is not, although it says so, nor the next one, nor the one behind it: not trained");
    char option[300];
    snprintf(option, sizeof option, "-o%s", site_path("new.dcz"));
    dict(&run, "--dcz", option, "old", "new");
    ck_assert_msg(run.status == 0, "%s", run.err);
    ck_assert_int_eq(access(site_path("new.dcz"), F_OK), 0);
}
END_TEST

/* The frame behind the head wants a window of 8 MiB at most, or what one and a quarter of the
 * dictionary allow (RFC 9842, 5; RFC 8878, 3.1.1.1). */
START_TEST(windows)
{
    struct site_run run;
    size_t len;
    if (!can_make("--dcz"))
        return;
    site_write("old", "hello\n");
    site_pattern("new", LONG);
    dict(&run, "--dcz", "old", "new", NULL);
    ck_assert_msg(run.status == 0, "%s", run.err);
    unsigned char *bytes = (unsigned char *)site_read("new." HELLO_DIGITS ".dcz", &len);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_mem_eq(bytes + DCZ_HEAD, "\x28\xb5\x2f\xfd", 4);
    ck_assert_uint_eq(bytes[DCZ_HEAD + 4] & 0x20, 0); /* not a single segment, which would be as long as the content */
    ck_assert_uint_le(10u + (bytes[DCZ_HEAD + 5] >> 3), 23);
    ck_assert_uint_eq(bytes[DCZ_HEAD + 5] & 7, 0);
    free(bytes);
    expect_unpacked("new." HELLO_DIGITS ".dcz", "old", "new");
}
END_TEST

/* ---- what is refused ---- */

START_TEST(misuse)
{
    struct site_run run;
    site_write("a", "hello\n");
    site_write("empty", "");
    static const struct {
        const char *words[4];
        const char *says;
    } rows[] = {
        {{NULL}, "which files"},
        {{"a"}, "which files"},
        {{"--what", "a", "a"}, "invalid option \"--what\""},
        {{"a", "a", "-o"}, "a value is missing"},
        {{"-oX", "a", "a", "a"}, "-o is for one OLD"},
        {{"gone", "a"}, "gone: No such file"},
        {{"a", "gone"}, "gone: No such file"},
        {{"html", "a"}, "html: Is a directory"},
        {{"empty", "a"}, "empty: is empty"},
    };
    if (!can_make("--dcz"))
        return;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dict(&run, rows[i].words[0], rows[i].words[1], rows[i].words[2], rows[i].words[3]);
        ck_assert_msg(run.status == 1 && strstr(run.err, rows[i].says), "%s: %d %s", rows[i].says, run.status, run.err);
    }
    dict(&run, "--dcz", "a", "a", NULL);
    ck_assert_int_eq(run.status, 0);
    ck_assert_ptr_nonnull(strstr(run.out, "not written"));
    dict(&run, "-h", NULL, NULL, NULL);
    ck_assert_int_eq(run.status, 0);
    ck_assert_ptr_nonnull(strstr(run.out, "Usage: sluice dict"));
}
END_TEST

/* ---- served ---- */

START_TEST(what_is_made_is_sent)
{
    struct site_run run;
    struct site_response r;
    size_t len;
    if (!can_make("--dcz"))
        return;
    site_write("hello.js", "hello\n");
    write_script("html/new.js", 2);
    dict(&run, "--dcz", "hello.js", "html/new.js", NULL);
    ck_assert_msg(run.status == 0, "%s", run.err);
    site_serve("dictionary_static on; assume_secure_transport on;");
    site_request(&r, "GET", "/new.js",
                 "Accept-Encoding: dcz\r\nAvailable-Dictionary: :WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=:\r\n");
    ck_assert_int_eq(r.status, 200);
    assert_header(&r, "Content-Encoding", "dcz");
    char *bytes = site_read("html/new.js." HELLO_DIGITS ".dcz", &len);
    ck_assert_uint_eq(r.len, len);
    ck_assert_mem_eq(r.body, bytes, len);
    free(bytes);
    site_response_free(&r);
}
END_TEST

Suite *suite_dict(void)
{
    Suite *s = suite_create("dict");
    if (on_nginx())
        return s;
    TCase *tc = site_case(s, "dict", 120);
    tcase_add_loop_test(tc, a_release_and_the_one_before, 0, 2);
    tcase_add_test(tc, names);
    tcase_add_test(tc, dictionaries_are_raw);
    tcase_add_test(tc, windows);
    tcase_add_test(tc, misuse);
    tcase_add_test(tc, what_is_made_is_sent);
    return s;
}
