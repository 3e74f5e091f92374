/* test_rewrite.c - the rewrite module: rewrite, if, set, break, return, in their order, and how
 * they turn requests. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void expect_redirect(const char *target, int status, const char *location)
{
    struct site_response r;
    site_get(&r, target);
    ck_assert_msg(r.status == status && site_header(&r, "Location") && !strcmp(site_header(&r, "Location"), location),
                  "%s: %d \"%s\", expected %d \"%s\"", target, r.status, site_header(&r, "Location"), status, location);
    site_response_free(&r);
}

/* Rows of a target and the body of the answer; a body of three digits is a status. */
struct row {
    const char *target, *body;
};

static void expect_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(rows[i].body) == 3 && strspn(rows[i].body, "0123456789") == 3)
            ck_assert_msg(site_status_of(rows[i].target) == atoi(rows[i].body), "%s: not %s", rows[i].target,
                          rows[i].body);
        else
            expect_body(rows[i].target, rows[i].body);
    }
}

#define EXPECT_ROWS(rows) expect_rows(rows, sizeof(rows) / sizeof(*(rows)))

/* ---- rewrite ---- */

START_TEST(rewrites)
{
    static const struct row rows[] = {
        {"/last/x", "show /show/x|"},
        {"/last/x?a=1", "show /show/x|a=1"},
        {"/args/x?o=1", "show /show|a=x&o=1"},
        {"/args/x", "show /show|a=x"},
        {"/drop/x?o=1", "show /show|a=x"},
        {"/drop-all/x?o=1", "show /show/x|"},
        {"/two/x?o=1", "show /show|a=x?b=x&o=1"},
        {"/named/alpha/beta", "show /show/beta/alpha|"},
        {"/chain/x", "show /show/c/b/x|"},
        {"/no-match/x", "as it is /no-match/x"},
        {"/break/x", "from a file"},
        {"/broken/x", "here /show/x"},
        {"/nocase/x", "as it is /nocase/x"},
        /* What came escaped goes into arguments escaped; paths are plain. */
        {"/args/x%20y?o=1", "show /show|a=x%20y&o=1"},
        {"/args/a%26%22%3b%2fb+c", "show /show|a=a%26%22%3B/b%2Bc"},
        {"/args/a\"b", "show /show|a=a\"b"},
        {"/last/a%20b", "show /show/a b|"},
    };
    site_write("html/show/x", "from a file");
    site_serve("location /show { return 200 \"show $uri|$args\"; }\n"
               "location /last/ { rewrite ^/last/(.*) /show/$1 last; return 200 never; }\n"
               "location /args/ { rewrite ^/args/(.*) /show?a=$1 last; }\n"
               "location /drop/ { rewrite ^/drop/(.*) /show?a=$1? last; }\n"
               "location /drop-all/ { rewrite ^/drop-all/(.*) /show/$1? last; }\n"
               "location /two/ { rewrite ^/two/(.*) /show?a=$1?b=$1 last; }\n"
               "location /named/ { rewrite ^/named/(?<first>[a-z]+)/(?<second>[a-z]+)$ /show/$second/$first last; }\n"
               "location /chain/ { rewrite ^/chain/(.*) /b/$1; rewrite ^/b/(.*) /c/b/$1; rewrite ^ /show$uri; }\n"
               "location /no-match/ { rewrite ^/other /show last; return 200 \"as it is $uri\"; }\n"
               "location /break/ { rewrite ^/break/(.*) /show/$1 break; return 200 never; }\n"
               "location /broken/ { rewrite ^/broken/(.*) /show/$1; return 200 \"here $uri\"; }\n"
               "location /nocase/ { rewrite ^/NOCASE /show last; return 200 \"as it is $uri\"; }");
    EXPECT_ROWS(rows);
}
END_TEST

START_TEST(redirects)
{
    site_serve("absolute_redirect off;\n"
               "location /r/ { rewrite ^/r/(.*) /show/$1?z=$1 redirect; }\n"
               "location /p/ { rewrite ^/p/(.*) /show/$1 permanent; }\n"
               "location /d/ { rewrite ^/d/(.*) /show/$1? permanent; }\n"
               "location /h/ { rewrite ^/h/(.*) http://h.x/$1; return 200 never; }\n"
               "location /s/ { rewrite ^/s/(.*) $scheme://h.x/$1 permanent; }\n"
               "location /l/ { rewrite ^/l/(.*) https://h.x/$1 last; }");
    expect_redirect("/r/a%20%26b%3f?o=1", 302, "/show/a%20&b?\?z=a%20%26b%3F&o=1");
    expect_redirect("/r/a+b", 302, "/show/a+b?z=a%2Bb");
    expect_redirect("/r/%c3%a9", 302, "/show/%C3%A9?z=%C3%A9");
    expect_redirect("/p/x%25y?o", 301, "/show/x%25y?o");
    expect_redirect("/p/a", 301, "/show/a");
    expect_redirect("/d/a?b", 301, "/show/a");
    expect_redirect("/h/a%20b?z", 302, "http://h.x/a%20b?z");
    expect_redirect("/s/a", 301, site_text("@SCHEME@://h.x/a"));
    expect_redirect("/l/a", 302, "https://h.x/a");
    /* A line end that was escaped stays so. */
    struct site_response r;
    site_get(&r, "/p/a%0d%0aX-Evil:%201");
    ck_assert_ptr_null(site_header(&r, "X-Evil"));
    site_response_free(&r);
}
END_TEST

/* A URI that was rewritten on the spot need not begin with what the alias stands for. */
START_TEST(alias_after_break)
{
    site_allow_alerts();
    site_write("html/al/x", "x");
    site_serve("location /a/ { alias @DIR@/html/al/; rewrite ^ /a/x break; }\n"
               "location /b/ { alias @DIR@/html/al/; rewrite ^/b/y /b/x last; }\n"
               "location ~ ^/c/(.*)$ { alias @DIR@/html/al/x; rewrite ^ /c/z break; }");
    ck_assert_int_eq(site_status_of("/a/x"), 500);
    expect_body("/b/y", "x");
    ck_assert_int_eq(site_status_of("/c/y"), 500);
}
END_TEST

/* Ten turns, and not an eleventh. */
START_TEST(cycles_end)
{
    site_serve("location /loop { rewrite ^ /loop/again last; }\n"
               "location /count/ { rewrite ^/count/x(.*) /count/$1 last; return 200 $uri; }");
    ck_assert_int_eq(site_status_of("/loop"), 500);
    expect_body("/count/xxxxxxxxxx", "/count/");
    ck_assert_int_eq(site_status_of("/count/xxxxxxxxxxx"), 500);
    free(log_await("logs/error.log", "rewrite or internal redirection cycle while processing \"/count/\""));
}
END_TEST

START_TEST(server_level)
{
    site_write("html/index-of/index.html", "file");
    site_serve("set $x one; rewrite ^/old/(.*) /new/$1; if ($uri = /new/gone) { return 410; }\n"
               "rewrite ^/a$ /b last; rewrite ^/c$ /d last;\n" /* not reached for /b: last ends this round */
               "if ($uri = /b) { rewrite ^ /c break; } if ($uri = /stop/x) { break; }\n"
               "rewrite ^/in$ /inside; rewrite ^/stop/ /never; rewrite ^/index-of/index.html$ /through;\n"
               "location /new/ { return 200 \"new $uri\"; } location /b { return 200 \"b-or-c $uri\"; }\n"
               "location /c { return 200 \"b-or-c $uri\"; } location /set { return 200 \"set $x\"; }\n"
               "location /inside { internal; return 200 inside; } location /stop { return 200 \"stop $uri\"; }\n"
               "location /through { return 200 \"through the index\"; }");
    expect_body("/old/x", "new /new/x");
    ck_assert_int_eq(site_status_of("/old/gone"), 410);
    expect_body("/a", "b-or-c /b");
    expect_body("/set", "set one");
    expect_body("/in", "inside");
    ck_assert_int_eq(site_status_of("/inside"), 404);
    expect_body("/stop/x", "stop /stop/x");
    expect_body("/index-of/", "through the index"); /* an internal redirect begins with the server's instructions */
}
END_TEST

START_TEST(named_locations)
{
    site_serve("location / { try_files /none @app; }\n"
               "location @app { rewrite ^/(.*)$ /index.php?p=$1 last; }\n"
               "location = /index.php { return 200 \"$uri $args\"; }\n"
               "location /b/ { error_page 404 = @b; } location @b { set $v 1; if ($uri ~ x$) { return 418 tea; } "
               "return 200 \"b $uri $v\"; }");
    expect_body("/some/page", "/index.php p=some/page");
    expect_body("/b/y", "b /b/y 1");
    ck_assert_int_eq(site_status_of("/b/x"), 418);
}
END_TEST

/* ---- if ---- */

START_TEST(conditions)
{
    static const struct row rows[] = {
        {"/true", "no"},
        {"/true?a=", "no"},
        {"/true?a=0", "no"},
        {"/true?a=00", "yes"},
        {"/true?a=x", "yes"},
        {"/equal?a=x", "yes"},
        {"/equal?a=X", "no"},
        {"/equal", "no"},
        {"/differs?a=x", "no"},
        {"/differs", "yes"},
        {"/empty", "yes"},
        {"/empty?a=x", "no"},
        {"/other?a=1&b=1", "yes"},
        {"/other?a=1&b=2", "no"},
        {"/match?a=abc", "yes b"},
        {"/match?a=aBc", "no"},
        {"/nocase?a=aBc", "yes B"},
        {"/not?a=abc", "no"},
        {"/not?a=aBc", "yes"},
        {"/not-nocase?a=aBc", "no"},
        {"/not-nocase?a=x", "yes"},
        {"/quoted?a=x", "yes"},
        {"/name?a=q9", "yes 9"},
        {"/lost?a=abc", "no []"},
    };
    site_serve("location /true { if ($arg_a) { return 200 yes; } return 200 no; }\n"
               "location /equal { if ($arg_a = x) { return 200 yes; } return 200 no; }\n"
               "location /differs { if ( $arg_a != x ) { return 200 yes; } return 200 no; }\n"
               "location /empty { if ($arg_a = \"\") { return 200 yes; } return 200 no; }\n"
               "location /other { if ($arg_a = $arg_b) { return 200 yes; } return 200 no; }\n"
               "location /match { if ($arg_a ~ a(b)c) { return 200 \"yes $1\"; } return 200 no; }\n"
               "location /nocase { if ($arg_a ~* \"a(b)c\") { return 200 \"yes $1\"; } return 200 no; }\n"
               "location /not { if ($arg_a !~ abc) { return 200 yes; } return 200 no; }\n"
               "location /not-nocase { if ($arg_a !~* abc) { return 200 yes; } return 200 no; }\n"
               "location /quoted { if ($arg_a ~ \"x|(y z)\") { return 200 yes; } return 200 no; }\n"
               "location /name { if ($arg_a ~ q(?<digit>\\d)) { set $d $digit; } return 200 \"yes $d\"; }\n"
               "location ~ /l(o)st { if ($arg_a ~ zzz) { return 200 yes; } return 200 \"no [$1]\"; }");
    EXPECT_ROWS(rows);
}
END_TEST

START_TEST(file_tests)
{
    static const struct row rows[] = {
        {"/f/file", "f"},
        {"/f/dir", "no"},
        {"/f/none", "no"},
        {"/f/exec", "f"},
        {"/nf/file", "no"},
        {"/nf/dir", "nf"},
        {"/nf/none", "nf"},
        {"/d/dir", "d"},
        {"/d/file", "no"},
        {"/nd/dir", "no"},
        {"/nd/file", "nd"},
        {"/e/file", "e"},
        {"/e/dir", "e"},
        {"/e/none", "no"},
        {"/ne/none", "ne"},
        {"/ne/file", "no"},
        {"/x/exec", "x"},
        {"/x/file", "no"},
        {"/x/dir", "x"},
        {"/x/none", "no"},
        {"/nx/file", "nx"},
        {"/nx/exec", "no"},
        {"/nx/none", "nx"},
        {"/f/file/x", "no"},
        {"/server/file", "server"},
        {"/server/none", "404"},
    };
    site_write("html/t/file", "x");
    site_write("html/t/exec", "x");
    ck_assert_int_eq(chmod(site_path("html/t/exec"), 0755), 0);
    ck_assert_int_eq(chmod(site_path("html/t/file"), 0644), 0);
    site_mkdir("html/t/dir");
    site_serve("set $t \"\"; if ($uri ~ ^/[^/]+(/.*)$) { set $t $1; } if (-f $document_root/t$t) { set $f yes; }\n"
               "location /server/ { if ($f) { return 200 server; } }\n"
               "location /f/ { if (-f $document_root/t$t) { return 200 f; } return 200 no; }\n"
               "location /nf/ { if (!-f $document_root/t$t) { return 200 nf; } return 200 no; }\n"
               "location /d/ { if (-d $document_root/t$t) { return 200 d; } return 200 no; }\n"
               "location /nd/ { if (!-d $document_root/t$t) { return 200 nd; } return 200 no; }\n"
               "location /e/ { if (-e $document_root/t$t) { return 200 e; } return 200 no; }\n"
               "location /ne/ { if (!-e $document_root/t$t) { return 200 ne; } return 200 no; }\n"
               "location /x/ { if (-x $document_root/t$t) { return 200 x; } return 200 no; }\n"
               "location /nx/ { if (!-x $document_root/t$t) { return 200 nx; } return 200 no; }");
    EXPECT_ROWS(rows);
}
END_TEST

/* The block of an `if` that holds becomes the location's settings: the last one of several, and
 * without its try_files. */
START_TEST(if_brings_its_settings)
{
    struct site_response r;

    site_write("html/x.txt", "html");
    site_write("other/x.txt", "other");
    site_write("html/fallback", "fallback");
    site_write("html/no.html", "page");
    site_conf_server(
        "set $root_of other; location / { add_header X-Outer 1; add_header X-Both outer;\n"
        "  if ($arg_a) { add_header X-If a; } if ($arg_b) { add_header X-If b; expires 1h; }\n"
        "  if ($arg_r) { root @DIR@/other; } if ($arg_set) { set $root_of html; } }\n"
        "location /t/ { try_files /none /fallback; if ($arg_a) { set $x 1; } }\n"
        "location /page/ { if ($arg_a) { error_page 404 /no.html; return 404; } return 403; }\n"
        "location /nested/ { add_header X-Outer 1; location /nested/in/ { if ($arg_a) { add_header X-In 1; } } }");
    site_write("html/nested/in/x", "x");
    site_start();
    site_get(&r, "/x.txt");
    assert_header(&r, "X-Outer", "1");
    assert_header(&r, "X-If", NULL);
    site_response_free(&r);
    site_get(&r, "/x.txt?a=1");
    assert_header(&r, "X-Outer", NULL); /* add_header is replaced as a whole */
    assert_header(&r, "X-If", "a");
    assert_header(&r, "Expires", NULL);
    site_response_free(&r);
    site_get(&r, "/x.txt?a=1&b=1");
    assert_header(&r, "X-If", "b");
    ck_assert_uint_eq(site_header_count(&r, "X-If"), 1);
    assert_header(&r, "Cache-Control", "max-age=3600");
    site_response_free(&r);
    site_get(&r, "/x.txt?r=1");
    ck_assert_str_eq(r.body, "other");
    assert_header(&r, "X-Both", "outer"); /* inherited: it has none of its own */
    site_response_free(&r);
    site_get(&r, "/x.txt?a=1&set=1"); /* a block without settings has those of the location */
    assert_header(&r, "X-Both", "outer");
    assert_header(&r, "X-If", NULL);
    site_response_free(&r);
    expect_body("/t/x", "fallback");
    ck_assert_int_eq(site_status_of("/t/x?a=1"), 404);
    site_get(&r, "/page/x?a=1");
    ck_assert_int_eq(r.status, 404);
    ck_assert_str_eq(r.body, "page");
    site_response_free(&r);
    ck_assert_int_eq(site_status_of("/page/x"), 403);
    site_get(&r, "/nested/in/x?a=1");
    assert_header(&r, "X-In", "1");
    assert_header(&r, "X-Outer", NULL);
    site_response_free(&r);
}
END_TEST

/* ---- set, break, return ---- */

START_TEST(sets)
{
    static const struct row rows[] = {
        {"/a?x=1", "b=a1 a=a1"},
        {"/args?x=1&k=no", "k=v|v|k=v|?|/args?x=1&k=no"},
        {"/no-args?x=1", "||/no-args?x=1"},
        {"/field", "bar"},
        {"/later", "[]"},
        {"/order", "one"},
        {"/redirected", "kept yes"},
    };
    site_serve("location = /a { set $a a$arg_x; set $b \"b=$a\"; return 200 \"$b a=$a\"; }\n"
               "location = /args { set $args k=v; return 200 \"$args|$arg_k|$query_string|$is_args|$request_uri\"; }\n"
               "location = /no-args { set $args \"\"; return 200 \"$args|$is_args|$request_uri\"; }\n"
               "location = /field { set $http_foo bar; return 200 $http_foo; }\n"
               "location = /later { return 200 \"[$later]\"; set $later x; }\n"
               "location = /order { set $o one; if ($arg_z) { set $o two; } return 200 $o; }\n"
               "location = /redirected { set $kept yes; rewrite ^ /target last; }\n"
               "location = /target { return 200 \"kept $kept\"; }");
    EXPECT_ROWS(rows);
    free(log_await("logs/error.log", "using uninitialized \"later\" variable"));
}
END_TEST

/* Whatever stands before a return comes first. */
START_TEST(return_takes_its_turn)
{
    struct site_response r;

    site_serve("if ($arg_early) { return 200 server; }\n"
               "location /status { return 201 $status; } location /no-text { return 402 \"\"; }\n"
               "location /nowhere { return 302; } location /untold { return 200; } default_type x/y;\n"
               "location /x { if ($arg_a) { return 200 a; } return 200 b; return 200 never; }\n"
               "location /b { break; return 200 never; }\n"
               "location /typed.html { return 200 html; } location /code { return 204; }\n"
               "location /error { error_page 404 /page; return 404; } location = /page { return 200 page; }");
    expect_body("/x", "b");
    expect_body("/x?a=1", "a");
    expect_body("/x?early=1", "server");
    ck_assert_int_eq(site_status_of("/b"), 404);
    site_get(&r, "/status");
    ck_assert_int_eq(r.status, 201);
    ck_assert_str_eq(r.body, "201");
    site_response_free(&r);
    site_get(&r, "/no-text");
    ck_assert_ptr_nonnull(strstr(r.body, "<title>402 Payment Required</title>"));
    site_response_free(&r);
    expect_redirect("/nowhere", 302, "");
    site_get(&r, "/untold");
    assert_header(&r, "Content-Type", "x/y");
    ck_assert_uint_eq(r.len, 0);
    site_response_free(&r);
    site_get(&r, "/typed.html");
    assert_header(&r, "Content-Type", "text/html");
    site_response_free(&r);
    site_get(&r, "/error");
    ck_assert_int_eq(r.status, 404);
    ck_assert_str_eq(r.body, "page");
    site_response_free(&r);
}
END_TEST

START_TEST(bodies_are_read_before)
{
    struct site_client c;
    struct site_response r;

    site_write("html/t/there", "x");
    site_serve("if (-f $document_root/t/there) { set $there yes; } client_max_body_size 10;\n"
               "location /large { client_max_body_size 20; return 200 \"$there large\"; }\n"
               "location /small { return 200 small; } location /moved { rewrite ^ /large last; }");
    client_open(&c, site_port(0));
    client_say(&c, "POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 15\r\n\r\n123456789012345"
                   "POST /moved HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345"
                   "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 15\r\n\r\n123456789012345");
    ck_assert(client_receive(&c, &r));
    ck_assert_str_eq(r.body, "yes large");
    site_response_free(&r);
    ck_assert(client_receive(&c, &r));
    ck_assert_str_eq(r.body, "yes large");
    site_response_free(&r);
    ck_assert(client_receive(&c, &r));
    ck_assert_int_eq(r.status, 413);
    site_response_free(&r);
    client_close(&c);
}
END_TEST

START_TEST(rewrite_log)
{
    site_conf_http(
        "server { listen 127.0.0.1:@PORT@; error_log logs/notice.log notice; rewrite_log on;\n"
        "location /a/ { rewrite ^/a/(.*) /b/$1?c=$1 last; rewrite ^/no /no; } location /b/ { if ($arg_c ~ z) { "
        "return 403; } return 200 b; } location /r { rewrite ^/r http://a.b/c permanent; } }");
    site_start();
    ck_assert_int_eq(site_status_of("/a/x"), 200);
    ck_assert_int_eq(site_status_of("/r"), 301);
    char *log = log_await("logs/notice.log", "rewritten redirect: \"http://a.b/c\", client: ");
    ck_assert_ptr_nonnull(strstr(log, "\"^/a/(.*)\" matches \"/a/x\", client: "));
    ck_assert_ptr_nonnull(strstr(log, "rewritten data: \"/b/x\", args: \"c=x\", client: "));
    ck_assert_ptr_nonnull(strstr(log, "\"z\" does not match \"x\", client: "));
    free(log);
}
END_TEST

/* ---- errors of the configuration ---- */

static const struct {
    const char *text, *message;
} wrong[] = {
    {"location / { if ($a) { if ($b) { } } }", "\"if\" directive is not allowed here"},
    {"if (a) { }", "invalid condition \"a\""},
    {"if $a { }", "invalid condition \"$a\""},
    {"if ($uri { }", "invalid condition \"$uri\""},
    {"if ($uri ~) { }", "invalid condition \"$uri\""},
    {"if ($uri == a) { }", "unexpected \"==\" in condition"},
    {"if (-z /a) { }", "invalid condition \"-z\""},
    {"if (-f) { }", "invalid condition \"-f\""},
    {"if ($uri ~ \"(\") { }", "pcre2_compile() failed: missing closing parenthesis in \"(\""},
    {"if ($no_such) { }", "unknown \"no_such\" variable"},
    {"rewrite ^ \"\";", "empty replacement"},
    {"rewrite ^ /a first;", "invalid parameter \"first\""},
    {"rewrite \"(\" /a;", "pcre2_compile() failed: missing closing parenthesis in \"(\""},
    {"set a b;", "invalid variable name \"a\""},
    {"set $uri b;", "the duplicate \"uri\" variable"},
    {"set $http_host b;", "the duplicate \"http_host\" variable"},
    {"return abc;", "invalid return code \"abc\""},
    {"return 1000;", "invalid return code \"1000\""},
    {"if ($uri) { location /a { } }", "\"location\" directive is not allowed here"},
    {"if ($uri) { root /a; }", "\"root\" directive is not allowed here"},
    {"location / { if ($uri) { try_files a b; } }", "\"try_files\" directive is not allowed here"},
};

START_TEST(errors)
{
    site_allow_alerts(); /* nginx logs them, too */
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect_conf_server(wrong[i].text, wrong[i].message);
}
END_TEST

Suite *suite_rewrite(void);

Suite *suite_rewrite(void)
{
    Suite *s = suite_create("rewrite");
    TCase *t = site_case(s, "rewrite", 30);
    tcase_add_test(t, rewrites);
    tcase_add_test(t, redirects);
    tcase_add_test(t, alias_after_break);
    tcase_add_test(t, cycles_end);
    tcase_add_test(t, server_level);
    tcase_add_test(t, named_locations);
    t = site_case(s, "if", 30);
    tcase_add_test(t, conditions);
    tcase_add_test(t, file_tests);
    tcase_add_test(t, if_brings_its_settings);
    t = site_case(s, "set, break, return", 30);
    tcase_add_test(t, sets);
    tcase_add_test(t, return_takes_its_turn);
    tcase_add_test(t, bodies_are_read_before);
    tcase_add_test(t, rewrite_log);
    tcase_add_test(t, errors);
    return s;
}
