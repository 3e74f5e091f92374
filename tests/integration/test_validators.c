/* test_validators.c - entity tags and dates: those of codings, those that add_header sets, those
 * that the calendar or the clock cannot say; and that whatever is sent can be matched. RFC 9110,
 * 8.8, 13.1, 15.4.5. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { MTIME = 1600000000 };

/* The value of a field of the last answer; "" for none. */
static void keep(char out[256], const struct site_response *r, const char *name)
{
    const char *value = site_header(r, name);
    snprintf(out, 256, "%s", value ? value : "");
}

static int ask(struct site_response *r, const char *target, const char *fields, const char *name, const char *value)
{
    char lines[3000];
    snprintf(lines, sizeof lines, "%s%s%s%s%s", fields, name, *name ? ": " : "", value, *name ? "\r\n" : "");
    site_request(r, "GET", target, lines);
    return r->status;
}

static int status(const char *target, const char *fields, const char *name, const char *value)
{
    struct site_response r;
    int got = ask(&r, target, fields, name, value);
    site_response_free(&r);
    return got;
}

/* "foo", by gzip: 23 bytes. */
static const char packed[] = "\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\xcb\xcf\x07\0\x21\x65\x73\x8c\x03\0\0\0";

/* ---- codings ---- */

/* One file and its side files, all of the same size and second. What is made of them, too. */
static const struct coding {
    const char *target, *fields;
    bool ranges;
} codings[] = {
    {"/side/a.txt", "", true},
    {"/side/a.txt", "Accept-Encoding: gzip\r\n", true},
    {"/side/a.txt", "Accept-Encoding: br\r\n", true},
    {"/side/a.txt", "Accept-Encoding: zstd\r\n", true},
    {"/fly/a.txt", "Accept-Encoding: gzip\r\n", false},
    {"/unpacked/a.txt", "", false},
};

enum { CODED = sizeof codings / sizeof *codings };

static void serve_codings(void)
{
    static const char *const names[] = {"html/a.txt", "html/a.txt.gz", "html/a.txt.br", "html/a.txt.zst"};
    for (size_t i = 0; i < 4; i++) {
        if (i == 1)
            site_write_bytes(names[i], packed, sizeof packed - 1);
        else
            site_write(names[i], i == 0 ? "plain: as long as this." : "coded: as long as that.");
        site_set_mtime(names[i], MTIME);
    }
    site_serve("gzip_vary on; types { text/plain txt; } gzip_types text/plain;"
               "location /side/ { alias @DIR@/html/; gzip_static on; brotli_static on; zstd_static on; }"
               "location /fly/ { alias @DIR@/html/; gzip on; }"
               "location /unpacked/ { alias @DIR@/html/; gzip_static always; gunzip on; }"
               "location /own/ { alias @DIR@/html/; gzip_static on; brotli_static on; gzip on;"
               "  add_header ETag '\"v1\"'; }");
}

static const char *opaque(const char *tag)
{
    return strncmp(tag, "W/", 2) == 0 ? tag + 2 : tag;
}

static void check_pair(const struct coding *asked, const char *tag, const char *other, bool same)
{
    char range[600];
    ck_assert_msg((strcmp(opaque(tag), opaque(other)) == 0) == same, "%s %s: %s, and %s", asked->target, asked->fields,
                  tag, other);
    ck_assert_int_eq(status(asked->target, asked->fields, "If-None-Match", other), same ? 304 : 200);
    bool strong = same && tag[0] == '"';
    ck_assert_int_eq(status(asked->target, asked->fields, "If-Match", other), strong ? 200 : 412);
    snprintf(range, sizeof range, "%sRange: bytes=1-2\r\n", asked->fields);
    ck_assert_int_eq(status(asked->target, range, "If-Range", other), strong && asked->ranges ? 206 : 200);
}

START_TEST(tags_of_codings_differ)
{
    char tags[CODED][256];
    struct site_response r;
    if (on_nginx())
        return;
    serve_codings();
    for (size_t i = 0; i < CODED; i++) {
        ck_assert_int_eq(ask(&r, codings[i].target, codings[i].fields, "", ""), 200);
        keep(tags[i], &r, "ETag");
        ck_assert(*tags[i]);
        site_response_free(&r);
        ck_assert_int_eq(ask(&r, codings[i].target, codings[i].fields, "If-None-Match", tags[i]), 304);
        assert_header(&r, "ETag", tags[i]);
        site_response_free(&r);
    }
    for (size_t i = 0; i < CODED; i++)
        for (size_t k = 0; k < CODED; k++)
            check_pair(&codings[i], tags[i], tags[k], i == k);
}
END_TEST

/* One that the configuration names is no better: it is marked by what the file is sent as. */
START_TEST(own_tag_of_codings)
{
    static const char *const accepts[] = {"", "Accept-Encoding: gzip\r\n", "Accept-Encoding: br\r\n"};
    char tags[3][256];
    struct site_response r;
    if (on_nginx())
        return;
    serve_codings();
    for (size_t i = 0; i < 3; i++) {
        ask(&r, "/own/a.txt", accepts[i], "", "");
        keep(tags[i], &r, "ETag");
        site_response_free(&r);
    }
    ck_assert_str_eq(tags[0], "\"v1\"");
    ck_assert_str_eq(tags[1], "\"v1-gz\"");
    ck_assert_str_eq(tags[2], "\"v1-br\"");
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 3; k++)
            ck_assert_int_eq(status("/own/a.txt", accepts[i], "If-None-Match", tags[k]), i == k ? 304 : 200);
}
END_TEST

/* What a charset makes of a file is another representation for each that can be asked for. */
START_TEST(tags_of_charsets_differ)
{
    static const char *const targets[] = {"/k.txt", "/k.txt?c=koi8-r", "/k.txt?c=utf-8", "/k.txt?c=windows-1251"};
    char tags[4][256];
    struct site_response r;
    if (on_nginx())
        return;
    site_write("html/k.txt", "\xc1\n");
    site_conf_http("charset_map koi8-r utf-8 { C1 D0B0; } charset_map koi8-r windows-1251 { C1 E0; }"
                   "server { listen 127.0.0.1:@PORT@; root @DIR@/html; source_charset koi8-r; charset $arg_c; }");
    site_start();
    for (size_t i = 0; i < 4; i++) {
        site_get(&r, targets[i]);
        keep(tags[i], &r, "ETag");
        site_response_free(&r);
    }
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 4; k++) /* the first two are the same bytes */
            ck_assert_int_eq(status(targets[i], "", "If-None-Match", tags[k]), i == k || i + k == 1 ? 304 : 200);
    ck_assert_int_eq(status(targets[3], "Range: bytes=0-0\r\n", "If-Range", tags[3]), 206);
    ck_assert_int_eq(status(targets[3], "Range: bytes=0-0\r\n", "If-Range", tags[0]), 200);
}
END_TEST

/* ---- the fields of a 304 ---- */

static const struct both {
    const char *target, *fields;
} both[] = {
    {"/fly/a.txt", "Accept-Encoding: gzip\r\n"},
    {"/fly/a.txt", ""},
    {"/fly/a.txt", "Accept-Encoding: gzip\r\nVia: 1.1 x\r\n"},
    {"/expired/a.txt", "Accept-Encoding: gzip\r\nVia: 1.1 x\r\n"},
    {"/private/a.txt", "Accept-Encoding: gzip\r\nVia: 1.1 x\r\n"},
    {"/public/a.txt", "Accept-Encoding: gzip\r\nVia: 1.1 x\r\n"},
    {"/own/a.txt", "Accept-Encoding: gzip\r\n"},
    {"/side/a.txt", "Accept-Encoding: gzip\r\n"},
    {"/side/a.txt", ""},
    {"/unpacked/a.txt", ""},
    {"/unpacked/a.txt", "Accept-Encoding: gzip\r\n"},
    {"/recoded/k.txt", "Accept-Encoding: gzip\r\n"}, /* too short, but its length is not known */
    {"/recoded/k.txt", ""},
    {"/recoded/side.txt", "Accept-Encoding: gzip\r\n"},
    {"/recoded/side.txt", ""},
    {"/gif", "Accept-Encoding: gzip\r\n"},
    {"/gif", ""},
};

static void serve_both(void)
{
    site_write("html/a.txt", "plain: thirty bytes in a file.");
    site_write_bytes("html/a.txt.gz", packed, sizeof packed - 1);
    site_write("html/k.txt", "\xcb\xe9\n");
    site_write("html/side.txt", "\xcb\xe9\n");
    site_write_bytes("html/side.txt.gz", packed, sizeof packed - 1);
    site_set_mtime("html/a.txt", MTIME);
    site_set_mtime("html/k.txt", MTIME);
    site_conf_http("charset_map koi8-r utf-8 { CB D0BB; E9 D098; }"
                   "types { text/plain txt; } gzip_types text/plain image/gif; gzip_vary on;"
                   "server { listen 127.0.0.1:@PORT@;"
                   "  expires modified 1h; add_header Content-Location /the/$status; add_header Vary Origin;"
                   "  location /fly/ { alias @DIR@/html/; gzip on; }"
                   "  location /expired/ { alias @DIR@/html/; gzip on; gzip_proxied expired; }"
                   "  location /private/ { alias @DIR@/html/; gzip on; gzip_proxied private; expires off;"
                   "    add_header Cache-Control private; add_header X-A a; }"
                   "  location /public/ { alias @DIR@/html/; gzip on; gzip_proxied private; expires 1h; }"
                   "  location /own/ { alias @DIR@/html/; gzip on; add_header ETag '\"v1\"';"
                   "    add_header Last-Modified 'Sun, 06 Nov 1994 08:49:37 GMT'; }"
                   "  location /side/ { alias @DIR@/html/; gzip_static on; }"
                   "  location /unpacked/ { alias @DIR@/html/; gzip_static always; gunzip on; }"
                   "  location /recoded/ { alias @DIR@/html/; gzip on; source_charset koi8-r; charset utf-8;"
                   "    gzip_static always; gunzip on; }"
                   "  location /gif { empty_gif; gzip on; } }");
    site_start();
}

static time_t time_in(const struct site_response *r, const char *field)
{
    struct tm tm = {0};
    ck_assert_msg(strptime(site_header(r, field), "%a, %d %b %Y %H:%M:%S GMT", &tm), "%s", r->head);
    return timegm(&tm);
}

/* The same moment, or as long after each response's own: a second may begin between the two. */
static void expect_same_expiry(const struct site_response *a, const struct site_response *b)
{
    if (!site_header(a, "Expires")) {
        assert_header(b, "Expires", NULL);
        return;
    }
    time_t first = time_in(a, "Expires"), second = time_in(b, "Expires");
    ck_assert_msg(first == second || first - time_in(a, "Date") == second - time_in(b, "Date"), "%s%s", a->head,
                  b->head);
}

START_TEST(fields_of_a_304)
{
    static const char *const names[] = {"ETag", "Last-Modified", "Cache-Control", "X-A"};
    const struct both *row = &both[_i];
    struct site_response r, same;
    char tag[256], date[256], location[256];
    if (on_nginx())
        return;
    serve_both();
    ck_assert_int_eq(ask(&r, row->target, row->fields, "", ""), 200);
    keep(tag, &r, "ETag");
    keep(date, &r, "Last-Modified");
    if (*tag)
        ck_assert_int_eq(ask(&same, row->target, row->fields, "If-None-Match", tag), 304);
    else
        ck_assert_int_eq(ask(&same, row->target, row->fields, "If-Modified-Since", date), 304);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_header(&same, names[i], site_header(&r, names[i]));
    expect_same_expiry(&r, &same);
    bool varies = strstr(r.head, "Vary: Accept-Encoding\r\n") != NULL;
    ck_assert_msg(varies == (strstr(same.head, "Vary: Accept-Encoding\r\n") != NULL), "%s", same.head);
    if (site_header(&r, "Content-Location"))
        assert_header(&same, "Content-Location", "/the/304");
    keep(location, &same, "Content-Encoding");
    ck_assert_str_eq(location, "");
    assert_header(&same, "Content-Length", NULL);
    ck_assert_uint_eq(same.len, 0);
    site_response_free(&r);
    site_response_free(&same);
}
END_TEST

/* Those that are decided by compression have to be: else the rows above compare nothing. */
START_TEST(compressed_through_a_proxy)
{
    struct site_response r;
    if (on_nginx())
        return;
    serve_both();
    for (size_t i = 0; i < sizeof both / sizeof *both; i++) {
        bool suits = strstr(both[i].fields, "Via") ? strstr(both[i].target, "private") != NULL
                                                   : strstr(both[i].fields, "gzip") != NULL;
        bool expired = strstr(both[i].target, "expired") != NULL; /* an hour after 2020 */
        ask(&r, both[i].target, both[i].fields, "", "");
        assert_header(&r, "Content-Encoding", suits || expired ? "gzip" : NULL);
        site_response_free(&r);
    }
}
END_TEST

/* ---- what add_header sets ---- */

static const struct replaced {
    const char *target, *name, *value;
    int status, on_nginx; /* the latter where it differs */
} replaced[] = {
    {"/tag", "If-Range", "\"v1\"", 206, 0},
    {"/tag", "If-Range", "\"5f5e1000-a\"", 200, 0},
    {"/tag", "If-Range", "Sun, 13 Sep 2020 12:26:40 GMT", 206, 0},
    {"/tag", "If-None-Match", "\"v1\"", 304, 206},
    {"/tag", "If-None-Match", "W/\"v1\"", 304, 206},
    {"/tag", "If-None-Match", "\"5f5e1000-a\"", 206, 304},
    {"/tag", "If-Match", "\"v1\"", 206, 412},
    {"/tag", "If-Match", "\"5f5e1000-a\"", 412, 206},
    {"/weak", "If-Range", "W/\"v1\"", 200, 206},
    {"/weak", "If-None-Match", "\"v1\"", 304, 206},
    {"/weak", "If-Match", "W/\"v1\"", 412, 0},
    {"/date", "If-Range", "Sun, 06 Nov 1994 08:49:37 GMT", 206, 0},
    {"/date", "If-Range", "Sun, 13 Sep 2020 12:26:40 GMT", 200, 0},
    {"/date", "If-Range", "\"5f5e1000-a\"", 206, 0},
    {"/date", "If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT", 304, 206},
    {"/date", "If-Modified-Since", "Sun, 13 Sep 2020 12:26:40 GMT", 206, 304},
    {"/date", "If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT", 206, 412},
    {"/date", "If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:36 GMT", 412, 0},
    {"/variable?n=Sun,%2006", "If-Range", "Sun,%2006", 200, 0}, /* no date is sent: none is matched */
    {"/none", "If-Range", "Sun, 13 Sep 2020 12:26:40 GMT", 200, 0},
    {"/none", "If-Range", "\"5f5e1000-a\"", 200, 0},
    {"/none", "If-None-Match", "\"5f5e1000-a\"", 206, 304},
    {"/none", "If-None-Match", "*", 304, 0},
    {"/none", "If-Modified-Since", "Sun, 13 Sep 2020 12:26:40 GMT", 206, 304},
    {"/gif", "If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT", 304, 200},
    {"/gif", "If-Modified-Since", "Mon, 28 Sep 1970 06:00:00 GMT", 200, 304},
};

START_TEST(set_by_add_header)
{
    const struct replaced *row = &replaced[_i];
    site_write("html/d", "0123456789");
    site_set_mtime("html/d", MTIME);
    site_serve("location /tag { alias @DIR@/html/d; add_header ETag '\"v1\"'; }"
               "location /weak { alias @DIR@/html/d; add_header ETag 'W/\"v1\"'; }"
               "location /date { alias @DIR@/html/d; add_header Last-Modified 'Sun, 06 Nov 1994 08:49:37 GMT'; }"
               "location /variable { alias @DIR@/html/d; add_header Last-Modified $arg_n; }"
               "location /none { alias @DIR@/html/d; add_header Last-Modified ''; add_header ETag ''; }"
               "location /gif { empty_gif; add_header Last-Modified 'Sun, 06 Nov 1994 08:49:37 GMT'; }");
    int expected = on_nginx() && row->on_nginx ? row->on_nginx : row->status;
    ck_assert_msg(status(row->target, "Range: bytes=1-2\r\n", row->name, row->value) == expected, "%s, %s: %s",
                  row->target, row->name, row->value);
}
END_TEST

/* ---- dates ---- */

/* What HTTP can say of `t`. */
static void date_of(char out[30], time_t t)
{
    if (t < -62167219200)
        strcpy(out, "Sat, 01 Jan 0000 00:00:00 GMT");
    else if (t > 253402300799)
        strcpy(out, "Fri, 31 Dec 9999 23:59:59 GMT");
    else
        http_date(out, t);
}

static void expect_matched(const char *target, const char *date)
{
    static const char range[] = "Range: bytes=1-2\r\n";
    ck_assert_msg(status(target, "", "If-Modified-Since", date) == 304, "%s, %s", target, date);
    ck_assert_msg(status(target, range, "If-Range", date) == 206, "%s, %s", target, date);
    ck_assert_msg(status(target, "", "If-Unmodified-Since", date) == 200, "%s, %s", target, date);
    ck_assert_int_eq(status(target, range, "If-Range", "Sun, 06 Nov 1994 08:49:37 GMT"), 200);
}

/* Where files may have any date: in memory, if there is such a place. */
static char dated[64];

static void remove_dated(void)
{
    remove(site_path("%s/d", dated));
    remove(dated);
}

static const char *serve_dated(void)
{
    char conf[256];
    snprintf(dated, sizeof dated, "/dev/shm/sluice-dates-XXXXXX");
    if (!mkdtemp(dated) || chmod(dated, 0755) < 0 || atexit(remove_dated) != 0)
        snprintf(dated, sizeof dated, "%s", site_path("html"));
    snprintf(conf, sizeof conf, "location /d { alias %s/d; } location /m { alias %s/d; expires modified 1h; }", dated,
             dated);
    site_conf_server(conf);
    const char *name = site_write(site_path("%s/d", dated), "0123456789");
    site_start();
    return name;
}

static const time_t past[] = {-1, 0, -2, -2147483648, -2147483649, -62135596800, -62167219200, -62167219201, 1, MTIME};

START_TEST(dates_of_the_past)
{
    char name[128], date[30];
    struct site_response r;
    snprintf(name, sizeof name, "%s", serve_dated());
    for (size_t i = 0; i < sizeof past / sizeof *past && !on_nginx(); i++) {
        site_set_mtime(name, past[i]);
        date_of(date, site_mtime(name));
        site_get(&r, "/d");
        assert_header(&r, "Last-Modified", date);
        site_response_free(&r);
        expect_matched("/d", date);
        site_get(&r, "/m");
        date_of(date, site_mtime(name) < -62167219200 ? -62167219200 + 3600 : site_mtime(name) + 3600);
        assert_header(&r, "Expires", date);
        assert_header(&r, "Cache-Control", "no-cache");
        site_response_free(&r);
    }
}
END_TEST

static const time_t ahead[] = {86400, 2000000000, 1000000000000};

/* Sent as the time of the response; and what was sent stays good while the file stays as it is. */
START_TEST(dates_ahead)
{
    char name[128], first[256], later[30], expires[256];
    struct site_response r;
    if (on_nginx())
        return;
    snprintf(name, sizeof name, "%s", serve_dated());
    for (size_t i = 0; i < sizeof ahead / sizeof *ahead; i++) {
        site_set_mtime(name, time(NULL) + ahead[i]);
        site_get(&r, "/d");
        keep(first, &r, "Last-Modified");
        assert_header(&r, "Date", first);
        site_response_free(&r);
        for (time_t then = time(NULL); time(NULL) == then;) /* another second */
            expect_matched("/d", first);
        expect_matched("/d", first);
        date_of(later, time(NULL) + 3600); /* never sent */
        ck_assert_int_eq(status("/d", "", "If-Modified-Since", later), 200);
        site_get(&r, "/m");
        keep(expires, &r, "Cache-Control");
        ck_assert_str_eq(expires, "max-age=3600");
        site_response_free(&r);
    }
    /* Changed, and ahead again: what was sent before is not good any more. */
    for (time_t then = time(NULL); time(NULL) == then;)
        ;
    site_write(name, "9876543210");
    site_set_mtime(name, time(NULL) + 86400);
    ck_assert_int_eq(status("/d", "", "If-Modified-Since", first), 200);
    ck_assert_int_eq(status("/d", "Range: bytes=1-2\r\n", "If-Range", first), 200);
    ck_assert_int_eq(status("/d", "", "If-Unmodified-Since", first), 412);
}
END_TEST

/* A time that is longer than any calendar. */
START_TEST(expires_past_9999)
{
    struct site_response r;
    site_write("html/d", "0123456789");
    site_serve("location /d { expires 9000y; } location /cookie { alias @DIR@/html/d; userid on;"
               "userid_expires 9000y; } location /max { alias @DIR@/html/d; expires $arg_e; }");
    if (on_nginx())
        return;
    site_get(&r, "/d");
    assert_header(&r, "Expires", "Fri, 31 Dec 9999 23:59:59 GMT");
    site_response_free(&r);
    site_get(&r, "/max?e=9223372036854775807");
    assert_header(&r, "Expires", "Fri, 31 Dec 9999 23:59:59 GMT");
    site_response_free(&r);
    site_get(&r, "/max?e=-9223372036854775807");
    assert_header(&r, "Expires", "Sat, 01 Jan 0000 00:00:00 GMT");
    assert_header(&r, "Cache-Control", "no-cache");
    site_response_free(&r);
    site_get(&r, "/cookie");
    ck_assert_ptr_nonnull(strstr(site_header(&r, "Set-Cookie"), "expires=Fri, 31-Dec-9999 23:59:59 GMT"));
    site_response_free(&r);
}
END_TEST

Suite *suite_validators(void)
{
    Suite *s = suite_create("validators");
    TCase *tc = site_case(s, "validators", 40);
    tcase_add_test(tc, tags_of_codings_differ);
    tcase_add_test(tc, own_tag_of_codings);
    tcase_add_test(tc, tags_of_charsets_differ);
    tcase_add_loop_test(tc, fields_of_a_304, 0, sizeof both / sizeof *both);
    tcase_add_test(tc, compressed_through_a_proxy);
    tcase_add_loop_test(tc, set_by_add_header, 0, sizeof replaced / sizeof *replaced);
    tcase_add_test(tc, dates_of_the_past);
    tcase_add_test(tc, dates_ahead);
    tcase_add_test(tc, expires_past_9999);
    return s;
}
