/* test_route.c - Host to server and URI to location, by nginx's rules. */
#include "http/configured.h"

#include "http/core/route.h"
#include "http/rewrite/rewrite_private.h"

static struct configured conf;

static void setup(void)
{
    configure(
        &conf,
        "http { access_log off;"
        " server { listen 127.0.0.1:1; server_name first;"
        "  location / { return 200 root; }"
        "  location /a { return 200 a; }"
        "  location /abc/ { return 200 abc; location /abc/d { return 200 abcd; } location ~ \\.in$ { return 200 in; }"
        "   location ^~ /abc/f/ { return 200 abcf; } }"
        "  location ^~ /final/ { return 200 final; location /final/in/ { return 200 finalin; } }"
        "  location /deep/ { location ~ ^/deep/ { return 200 deep; location /deep/x { return 200 deepx; } } }"
        "  location = /a { return 200 exact; }"
        "  location = / { return 200 home; }"
        "  location ~ \\.php$ { return 200 php; }"
        "  location ~* \\.GIF$ { return 200 gif; }"
        "  location ~ ^/user/(?<id>\\d+)/(\\w+)$ { return 200 user; }"
        "  location @named { return 200 named; } }"
        " server { listen 127.0.0.1:1; server_name example.org www.example.*; location / { return 200 x; } }"
        " server { listen 127.0.0.1:1; server_name .wild.org; }"
        " server { listen 127.0.0.1:1; server_name *.only.org; }"
        " server { listen 127.0.0.1:1; server_name *.deep.only.org; }"
        " server { listen 127.0.0.1:1; server_name ~^(?<sub>[a-z]+)\\.re\\.org$; } }");
    ck_assert_msg(conf.http != NULL, "%s", conf.result.error);
}

static void teardown(void)
{
    unconfigure(&conf);
}

static const struct {
    const char *uri, *location; /* text of its return; "-": the server itself */
} locations[] = {
    {"/", "home"},
    {"/x", "root"},
    {"/a", "exact"},
    {"/ab", "a"},
    {"/a/", "a"},
    {"/abc", "a"},
    {"/abc/", "abc"},
    {"/abc/dd", "abcd"},
    {"/abc/x.in", "in"},
    {"/abc/d.in", "in"},
    {"/x.in", "root"},
    {"/x.php", "php"},
    {"/abc/x.php", "php"},
    {"/final/x.php", "final"},
    {"/x.gif", "gif"},
    {"/x.GiF", "gif"},
    {"/x.phpx", "root"},
    {"/user/12/bob", "user"},
    {"/user/x/bob", "root"},
    {"/fina", "root"},
    {"/final/in/x.php", "finalin"}, /* ^~ outside holds off the regexes beside it, whatever is nested */
    {"/abc/f/x", "abcf"},
    {"/abc/f/x.php", "php"}, /* ^~ inside does not */
    {"/deep/y.php", "deep"},
    {"/deep/x.php", "deepx"}, /* inside of a regex that matched: those further out are not asked any more */
};

START_TEST(location_is_found)
{
    struct request r;
    struct client c;
    request_init(&r, &c, &conf, "first", locations[_i].uri);
    const struct location *l = route_location(&r);
    ck_assert_ptr_nonnull(l);
    struct text text = l->rewrite->items[0].action->text->text;
    ck_assert_msg(text_equal(text, text_of(locations[_i].location)), "%s: %.*s", locations[_i].uri, TEXT_ARG(text));
    request_fini(&r);
}
END_TEST

START_TEST(captures_are_kept)
{
    struct request r;
    struct client c;
    request_init(&r, &c, &conf, "first", "/user/12/bob");
    ck_assert_ptr_nonnull(route_location(&r));
    ck_assert_uint_eq(r.captures.count, 3);
    ck_assert(text_equal(r.captures.group[1], TEXT("12")));
    ck_assert(text_equal(r.captures.group[2], TEXT("bob")));
    request_fini(&r);
}
END_TEST

START_TEST(named_location)
{
    const struct server *s = conf.http->addresses[0].dflt;
    ck_assert_ptr_nonnull(route_named(s, TEXT("@named")));
    ck_assert_ptr_null(route_named(s, TEXT("@other")));
}
END_TEST

static const struct {
    const char *host, *server; /* first server_name */
} hosts[] = {
    {"first", "first"},
    {"", "first"},
    {"unknown.org", "first"},
    {"example.org", "example.org"},
    {"www.example.com", "example.org"},
    {"www.example.co.uk", "example.org"},
    {"www.example", "first"},
    {"wild.org", "wild.org"},
    {"a.wild.org", "wild.org"},
    {"a.b.wild.org", "wild.org"},
    {"xwild.org", "first"},
    {"only.org", "first"},
    {"a.only.org", "*.only.org"},
    {"a.deep.only.org", "*.deep.only.org"},
    {"deep.only.org", "*.only.org"},
    {"abc.re.org", "~^(?<sub>[a-z]+)\\.re\\.org$"},
    {"1.re.org", "first"},
};

START_TEST(server_is_found)
{
    struct request r;
    struct client c;
    request_init(&r, &c, &conf, hosts[_i].host, "/");
    const struct server *s = route_server(c.address, &r);
    ck_assert_ptr_eq(route_server_named(c.address, r.host), s); /* as TLS asks */
    ck_assert_msg(text_equal(s->name, text_of(hosts[_i].server)), "%s: %.*s", hosts[_i].host, TEXT_ARG(s->name));
    request_fini(&r);
}
END_TEST

static const struct {
    const char *server, *error;
} errors[] = {
    {"location /a {} location /a {}", "duplicate location \"/a\" in test.conf:1"},
    {"location = /a { location /a/b {} }", "location \"/a/b\" cannot be inside the exact location \"/a\""},
    {"location /a { location /b {} }", "location \"/b\" is outside location \"/a\""},
    {"location /a { location @b {} }", "named location \"@b\" can be on the server level only"},
    {"location ! /a {}", "invalid location modifier \"!\""},
    {"location ~ ( {}", "pcre2_compile() failed"},
    {"return 200 $nothing;", "unknown \"nothing\" variable"},
    {"server_name a*b;", "invalid server name or wildcard \"a*b\""},
    {"listen 127.0.0.1:1; listen 127.0.0.1:1;", "a duplicate listen 127.0.0.1:1"},
    {"listen 127.0.0.1:99999;", "invalid port"},
    {"http2 maybe;", "it must be \"on\" or \"off\""},
    {"listen 127.0.0.1:1 quic;", "let what is in front of it speak HTTP/3"},
    {"listen 127.0.0.1:1 setfib=1;", "the \"setfib=1\" parameter is not supported: Linux has no such thing"},
    {"add_header_inherit maybe;", "maybe"},
    {"listen 127.0.0.1:1 frob;", "invalid parameter \"frob\""},
    {"error_page 200 /x;", "value \"200\" must be between 300 and 599"},
    {"expires 1q;", "invalid value \"1q\" in \"expires\" directive"},
    {"access_log a.log nosuch;", "unknown log format \"nosuch\""},
};

START_TEST(error_is_told)
{
    char bytes[512];
    struct configured c;
    snprintf(bytes, sizeof bytes, "http { access_log off; server { %s } }", errors[_i].server);
    configure(&c, bytes);
    ck_assert_ptr_null(c.http);
    ck_assert_msg(strstr(c.result.error, errors[_i].error) != NULL, "%s", c.result.error);
    ck_assert_msg(strstr(c.result.error, " in test.conf:1") != NULL, "%s", c.result.error);
    unconfigure(&c);
}
END_TEST

Suite *suite_http_route(void);

Suite *suite_http_route(void)
{
    Suite *s = suite_create("http/route");
    TCase *t = tcase_create("lookup");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, location_is_found, 0, sizeof locations / sizeof *locations);
    tcase_add_test(t, captures_are_kept);
    tcase_add_test(t, named_location);
    tcase_add_loop_test(t, server_is_found, 0, sizeof hosts / sizeof *hosts);
    suite_add_tcase(s, t);
    t = tcase_create("errors");
    tcase_add_loop_test(t, error_is_told, 0, sizeof errors / sizeof *errors);
    suite_add_tcase(s, t);
    return s;
}
