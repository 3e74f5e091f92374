/* test_map.c - variables that are looked up: map, geo, split_clients, in the places that take
 * variables. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows of an argument's value and the body of the answer. */
static void expect_values(const char *argument, const char *const (*rows)[2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char target[128];
        snprintf(target, sizeof target, "/?%s=%s", argument, rows[i][0]);
        expect_body(target, rows[i][1]);
    }
}

/* ---- map ---- */

START_TEST(map)
{
    static const char *const rows[][2] = {
        {"one", "1"},      {"ONE", "1"},         {"Two", "2"},        {"three", "none"},   {"", "empty"},
        {"x99y", "re:99"}, {"X99y", "none"},     {"abC", "ABC"},      {"~literal", "esc"}, {"default", "word"},
        {"var", "v=var"},  {"pair-7", "7/pair"}, {"inc", "included"},
    };
    site_write("more.map", "inc included;\n");
    site_serve_http(
        "map_hash_max_size 2048; map_hash_bucket_size 64;\n"
        "map $arg_k $m { default none; one 1; TWO 2; \"\" empty; ~^x(\\d+)y$ re:$1; ~*^abc$ ABC; \\~literal esc;\n"
        "\\default word; var v=$arg_k; ~^(?<word>[a-z]+)-(?<number>\\d)$ $number/$word; include @DIR@/more.map; }",
        "location / { return 200 $m; }");
    expect_values("k", rows, sizeof rows / sizeof *rows);
}
END_TEST

START_TEST(map_of_hostnames)
{
    static const char *const rows[][2] = {
        {"example.com", "exact"}, {"www.example.com", "dot"},       {"a.b.example.com", "dot"},
        {"example.org", "none"},  {"www.example.org", "star"},      {"www.example.net", "end"},
        {"www.example.", "none"}, {"sub.long.example.org", "long"}, {"example.com.", "exact"},
        {"xexample.com", "none"},
    };
    site_serve_http(
        "map $arg_k $m { hostnames; default none; example.com exact; *.example.com dot; *.example.org star;\n"
        "*.long.example.org long; www.example.* end; .dotted.io dotted; }",
        "location / { return 200 $m; }");
    expect_values("k", rows, sizeof rows / sizeof *rows);
    expect_body("/?k=dotted.io", "dotted");
    expect_body("/?k=a.dotted.io", "dotted");
}
END_TEST

/* Asked once per request, unless it is volatile; `set` may have the last word. */
START_TEST(map_is_kept)
{
    site_serve_http(
        "map $arg_k $kept { default none; one 1; two 2; } map $arg_k $fresh { volatile; default none; one 1; two 2; }\n"
        "map $kept $second { 1 first; } map $cycle_a $cycle_b { default b; } map $cycle_b $cycle_a { default a; }",
        "location /k { set $was $kept; set $args k=two; return 200 \"$was $kept\"; }\n"
        "location /f { set $was $fresh; set $args k=two; return 200 \"$was $fresh\"; }\n"
        "location /s { set $kept mine; return 200 $kept; } location /n { return 200 \"[$second]\"; }\n"
        "location /c { return 200 \"[$cycle_a]\"; }");
    expect_body("/k?k=one", "1 1");
    expect_body("/f?k=one", "1 2");
    expect_body("/s?k=one", "mine");
    expect_body("/n?k=one", "[first]");
    expect_body("/n?k=two", "[]");
    struct site_response r;
    site_get(&r, "/c"); /* ends somehow, and the server goes on */
    site_response_free(&r);
    expect_body("/n?k=one", "[first]");
}
END_TEST

/* A large one: hashed, and read in time. */
START_TEST(map_of_many)
{
    size_t cap = 4 * 1024 * 1024, len = 0;
    char *text = malloc(cap);
    for (int i = 0; i < 50000; i++)
        len += (size_t)snprintf(text + len, cap - len, "/old/page-%d.html /new/%d;\n", i, i);
    site_write_bytes("many.map", text, len);
    free(text);
    site_serve_http("map $uri $to { default \"\"; include @DIR@/many.map; }",
                    "if ($to) { return 301 $to; } location / { return 200 plain; } absolute_redirect off;");
    for (int i = 0; i < 50000; i += 7919) {
        struct site_response r;
        char target[64], to[64];
        snprintf(target, sizeof target, "/old/page-%d.html", i);
        snprintf(to, sizeof to, "/new/%d", i);
        site_get(&r, target);
        ck_assert_int_eq(r.status, 301);
        assert_header(&r, "Location", to);
        site_response_free(&r);
    }
    expect_body("/old/page-50000.html", "plain");
}
END_TEST

/* Variables of all kinds in the directives that take them. */
START_TEST(places_of_variables)
{
    struct site_response r;

    site_write("html/en/x.txt", "english");
    site_write("html/de/x.txt", "deutsch");
    site_write("html/de/start.html", "Anfang");
    site_write("html/en/en.html", "Beginning");
    site_write("html/de/404.html", "nicht da");
    site_serve_http(
        "map $arg_l $lang { default en; de de; } map $status $bad { ~^4 1; default 0; }\n"
        "log_format short '$lang $status'; access_log logs/bad.log short if=$bad;",
        "location / { root @DIR@/html/$lang; index $lang.html start.html; error_page 404 /$lang/404.html; }\n"
        "location /de/404.html { } location /al/ { alias @DIR@/html/$lang/; add_header X-Lang $lang always; expires "
        "$age; }\n"
        "location /try/ { try_files /$lang/x.txt =404; } set $age 1h;");
    expect_body("/x.txt", "english");
    expect_body("/x.txt?l=de", "deutsch");
    expect_body("/?l=de", "Anfang");
    expect_body("/?l=en", "Beginning");
    site_get(&r, "/nothing?l=de");
    ck_assert_int_eq(r.status, 404);
    ck_assert_str_eq(r.body, "nicht da");
    site_response_free(&r);
    site_get(&r, "/al/x.txt?l=de");
    ck_assert_str_eq(r.body, "deutsch");
    assert_header(&r, "X-Lang", "de");
    assert_header(&r, "Cache-Control", "max-age=3600");
    site_response_free(&r);
    expect_body("/try/?l=de", "deutsch");
    char *log = log_await("logs/bad.log", "de 404\n");
    ck_assert_str_eq(log, "de 404\n");
    free(log);
}
END_TEST

/* ---- geo ---- */

START_TEST(geo)
{
    static const char *const rows[][2] = {
        {"10.0.0.1", "ten"},
        {"10.1.0.1", "ten-one"},
        {"10.1.2.3", "host"},
        {"10.1.2.4", "ten-one"},
        {"10.2.0.0", "ten"},
        {"9.255.255.255", "none"},
        {"11.0.0.0", "none"},
        {"192.168.1.1", "none"},
        {"255.255.255.255", "last"},
        {"nonsense", "last"},
        {"", "last"},
        {"2001:db8::1", "doc"},
        {"2001:db8:1::1", "doc-one"},
        {"2001:db9::", "none"},
        {"::ffff:10.1.2.3", "host"},
        {"::1", "loop"},
        {"172.16.0.1", "inc"},
    };
    site_write("more.geo", "172.16.0.0/12 inc;\n");
    site_serve_http(
        "geo $arg_a $g { default none; 10.0.0.0/8 ten; 10.1.2.3 host; 10.1.0.0/16 ten-one; 192.168.0.0/16 gone;\n"
        "delete 192.168.0.0/16; 255.255.255.255 last; 2001:db8::/32 doc; 2001:db8:1::/48 doc-one; ::1 loop;\n"
        "include @DIR@/more.geo; } geo $mine { default no; 127.0.0.0/8 yes; }",
        "location / { return 200 $g; } location /mine { return 200 $mine; }");
    expect_values("a", rows, sizeof rows / sizeof *rows);
    expect_body("/mine", "yes");
}
END_TEST

START_TEST(geo_of_ranges)
{
    static const char *const rows[][2] = {
        {"10.0.0.0", "a"},   {"10.0.0.99", "a"},         {"10.0.0.100", "b"},  {"10.0.0.150", "b"},
        {"10.0.0.151", "a"}, {"10.0.1.0", "none"},       {"9.9.9.9", "none"},  {"1.1.1.1", "none"},
        {"::1", "none"},     {"255.255.255.254", "end"}, {"nonsense", "none"}, {"0.0.0.0", "zero"},
    };
    site_serve_http(
        "geo $arg_a $g { ranges; default none; 10.0.0.0-10.0.0.255 a; 10.0.0.100-10.0.0.150 b; 1.1.1.1-1.1.1.2 x;\n"
        "delete 1.1.1.1-1.1.1.2; 255.255.255.0-255.255.255.254 end; 0.0.0.0-0.0.0.0 zero; }",
        "location / { return 200 $g; }");
    expect_values("a", rows, sizeof rows / sizeof *rows);
}
END_TEST

/* A part of a range, and one inside of another, which is not uncovered by it. */
START_TEST(geo_deletes_parts)
{
    static const char *const rows[][2] = {
        {"10.0.255.255", "a"}, {"10.1.0.0", "none"},  {"10.1.255.255", "none"}, {"10.2.0.0", "a"}, {"10.4.0.2", "b"},
        {"10.4.0.3", "none"},  {"10.4.0.5", "none"},  {"10.4.0.6", "b"},        {"10.5.0.2", "c"}, {"10.5.0.4", "none"},
        {"10.5.0.6", "c"},     {"10.6.0.2", "none"},  {"10.6.0.4", "e"},        {"10.7.0.2", "f"}, {"10.7.0.3", "none"},
        {"10.9.0.9", "none"},  {"10.9.0.13", "none"}, {"10.9.0.14", "k"},
    };
    if (on_nginx())
        return;
    site_serve_http(
        "geo $arg_a $g { ranges; default none; 10.0.0.0-10.3.255.255 a; delete 10.1.0.0-10.1.255.255;\n"
        "10.4.0.0-10.4.0.255 b; delete 10.4.0.3-10.4.0.5; 10.5.0.0-10.5.0.255 c; 10.5.0.3-10.5.0.5 inner;\n"
        "delete 10.5.0.3-10.5.0.5; 10.6.0.0-10.6.0.255 e; delete 10.6.0.0-10.6.0.3; 10.7.0.0-10.7.0.255 f;\n"
        "delete 10.7.0.3-10.8.0.0; 10.9.0.0-10.9.0.9 g; 10.9.0.10-10.9.0.20 h; delete 10.9.0.0-10.9.0.20;\n"
        "10.9.0.14-10.9.0.15 k; }",
        "location / { return 200 $g; }");
    expect_values("a", rows, sizeof rows / sizeof *rows);
}
END_TEST

START_TEST(geo_behind_proxies)
{
    site_serve_http(
        "geo $one { default none; proxy 127.0.0.0/8; 192.0.2.1 client; 198.51.100.7 middle; 127.0.0.0/8 here; }\n"
        "geo $all { default none; proxy 127.0.0.0/8; proxy 198.51.100.0/24; proxy_recursive; 192.0.2.1 client;\n"
        "198.51.100.0/24 middle; 127.0.0.0/8 here; }\n"
        "geo $none { default none; proxy 203.0.113.0/24; 127.0.0.0/8 here; 192.0.2.1 client; }",
        "location / { return 200 \"$one $all $none\"; }");
    expect_for("/", "", "here here here");
    expect_for("/", "X-Forwarded-For: 192.0.2.1\r\n", "client client here");
    expect_for("/", "X-Forwarded-For: 192.0.2.1, 198.51.100.7\r\n", "middle client here");
    expect_for("/", "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 198.51.100.7\r\n", "middle client here");
    expect_for("/", "X-Forwarded-For: 203.0.113.1, 192.0.2.1:80\r\n", "client client here");
    expect_for("/", "X-Forwarded-For: rubbish\r\n", "here here here");
    expect_for("/", "X-Forwarded-For: rubbish, 198.51.100.7\r\n", "middle middle here");
    expect_for("/", "X-Forwarded-For: , ,\r\n", "here here here");
}
END_TEST

/* ---- split_clients ---- */

START_TEST(split_clients)
{
    /* As nginx parts them. */
    static const char *const rows[][2] = {
        {"1", "half"},   {"bb", "tenth"},   {"ccc", "rest"}, {"dddd", "half"}, {"eeeee", "rest"}, {"", "tenth"},
        {"123", "half"}, {"%20x", "tenth"}, {"7", "rest"},   {"8", "tenth"},   {"zz", "rest"},
    };
    site_serve_http("split_clients $arg_a $part { 10% tenth; 50.25% half; * rest; }",
                    "location / { return 200 $part; }");
    expect_values("a", rows, sizeof rows / sizeof *rows);
}
END_TEST

/* ---- errors of the configuration ---- */

static const struct {
    const char *text, *message;
} wrong[] = {
    {"map $uri uri { }", "invalid variable name \"uri\""},
    {"map $uri $host { }", "the duplicate \"host\" variable"},
    {"map $uri $m { a; }", "invalid number of the map parameters"},
    {"map $uri $m { default a; default b; }", "duplicate default map parameter"},
    {"map $uri $m { a 1; A 2; }", "conflicting parameter \"a\""},
    {"map $uri $m { ~( 1; }", "pcre2_compile() failed: missing closing parenthesis in \"(\""},
    {"map $uri $m { hostnames; a.*.b 1; }", "invalid hostname or wildcard \"a.*.b\""},
    {"map $nothing_here $m { default 1; } log_format x $m;", "unknown \"nothing_here\" variable"},
    {"geo $g { 1.2.3.4/33 a; }", "invalid network \"1.2.3.4/33\""},
    {"geo $g { x a; }", "invalid network \"x\""},
    {"geo $g { a b c; }", "invalid number of the geo parameters"},
    {"geo $g { 1.2.3.4 a; ranges; }", "the \"ranges\" directive must be the first directive inside \"geo\" block"},
    {"geo $g { ranges; 1.2.3.4-1.2.3.3 a; }", "invalid range \"1.2.3.4-1.2.3.3\""},
    {"geo $g { ranges; 1.2.3.0-1.2.3.9 a; 1.2.3.5-1.2.3.20 b; }", "overlaps"},
    {"split_clients $uri $s { 0% a; }", "invalid percent value \"0%\""},
    {"split_clients $uri $s { 5 a; }", "invalid percent value \"5\""},
    {"split_clients $uri $s { 60% a; 50% b; }", "percent total is greater than 100%"},
};

START_TEST(errors)
{
    site_allow_alerts(); /* nginx logs them, too */
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect_conf_http(wrong[i].text, wrong[i].message);
}
END_TEST

Suite *suite_map(void);

Suite *suite_map(void)
{
    Suite *s = suite_create("map");
    TCase *t = site_case(s, "map", 30);
    tcase_add_test(t, map);
    tcase_add_test(t, map_of_hostnames);
    tcase_add_test(t, map_is_kept);
    tcase_add_test(t, map_of_many);
    tcase_add_test(t, places_of_variables);
    t = site_case(s, "geo", 30);
    tcase_add_tcp_test(t, geo, "geo knows IP addresses");
    tcase_add_test(t, geo_of_ranges);
    tcase_add_test(t, geo_deletes_parts);
    tcase_add_tcp_test(t, geo_behind_proxies, "geo knows IP addresses");
    t = site_case(s, "split_clients", 30);
    tcase_add_test(t, split_clients);
    tcase_add_test(t, errors);
    return s;
}
