/* test_variables.c - what variables are called, what they mean until they are given a value, and
 * what they say. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The lines of logs/v.log, of which there are `count`. */
static void expect_log(unsigned count, const char *lines)
{
    char *log = log_await_count("logs/v.log", "\n", count);
    ck_assert_str_eq(log, lines);
    free(log);
}

/* ---- names and what they mean ---- */

START_TEST(families_keep_their_meaning)
{
    site_serve_http(
        "",
        "location /arg { if ($arg_x = \"\") { set $arg_x d; } return 200 \"[$arg_x]\"; }\n"
        "location /field { return 200 \"[$http_y]\"; } location /set/field { set $http_y z; return 200 \"[$http_y]\"; "
        "}\n"
        "location /cookie { return 200 \"[$cookie_c]\"; } location /set/cookie { set $cookie_c z; return 200 "
        "[$cookie_c]; }\n"
        "location /sent { add_header X-S s; add_header X-T \"[$sent_http_x_s]\"; return 200 s; }\n"
        "location /set/sent { set $sent_http_x_s z; return 200 \"[$sent_http_x_s]\"; }\n"
        "location /set/trailer { set $sent_trailer_x z; return 200 \"[$sent_trailer_x]\"; }\n"
        "location ~ ^/group/(?<arg_g>.+) { return 200 \"[$arg_g]\"; } location = /group { return 200 \"[$arg_g]\"; }");
    expect_body("/arg?x=1", "[1]");
    expect_body("/arg", "[d]");
    expect_body("/arg?x=0", "[0]");
    expect_for("/field", "Y: yes\r\n", "[yes]");
    expect_for("/set/field", "Y: yes\r\n", "[z]");
    expect_for("/cookie", "Cookie: c=1\r\n", "[1]");
    expect_for("/set/cookie", "Cookie: c=1\r\n", "[z]");
    expect_body("/set/sent", "[z]");
    expect_body("/set/trailer", "[z]");
    expect_body("/group/a?g=b", "[a]");
    if (!on_nginx()) /* there the group takes the name for the whole configuration */
        expect_body("/group?g=b", "[b]");
    struct site_response r;
    site_get(&r, "/sent");
    assert_header(&r, "X-T", "[s]");
    site_response_free(&r);
}
END_TEST

/* Those that nginx marks changeable. */
START_TEST(changeable_names)
{
    struct site_response r;

    site_serve_http(
        "map $arg_m $uid_reset { default \"\"; 1 log; } map $arg_m $args { volatile; default made; }\n"
        "geo $limit_rate { default 7; } split_clients $uri $invalid_referer { * split; }\n"
        "map $arg_m $msie { default m; } map $arg_m $ssl_protocol { default s; } map $arg_m $proxy_port { default p; "
        "}\n"
        "map $arg_m $cookie_q { default \"of $uri\"; } map $arg_m $ancient_browser { default a; }",
        "location / { return 200 "
        "\"$uid_reset|$limit_rate|$invalid_referer|$msie$ssl_protocol$proxy_port|$cookie_q\"; }\n"
        "location /args { return 200 \"$args\"; } location /id { userid on; userid_name u; }\n"
        "location /set { set $invalid_referer mine; set $uid_reset 0; set $modern_browser now; return 200 "
        "\"$invalid_referer $uid_reset $modern_browser\"; }");
    site_write("html/id", "id");
    expect_body("/?m=1", "log|7|split|msp|of /");
    expect_body("/?m=2", "|7|split|msp|of /");
    expect_body("/args?x", "made");
    expect_body("/set", "mine 0 now");
    site_request(&r, "GET", "/id?m=2", "Cookie: u=fwAAAWsL4LcarjH3AwMDAg==\r\n");
    ck_assert_int_eq((int)site_header_count(&r, "Set-Cookie"), 0);
    site_response_free(&r);
    site_request(&r, "GET", "/id?m=1", "Cookie: u=fwAAAWsL4LcarjH3AwMDAg==\r\n");
    ck_assert_int_eq((int)site_header_count(&r, "Set-Cookie"), 1);
    site_response_free(&r);
}
END_TEST

/* Whether the configuration loads, and the first complaint. */
static void expect_test(const char *http, const char *message)
{
    char *text = NULL;

    ck_assert_int_gt(asprintf(&text, "%s\nserver { listen 127.0.0.1:@PORT@; }", http), 0);
    expect_conf_http(text, message);
    free(text);
}

/* What nginx 1.22 says of each name that a configuration may not make, of some that it may, and of
 * names that are none. */
START_TEST(names_that_are_taken)
{
    static const char *const fixed[] = {"uri",
                                        "request_uri",
                                        "query_string",
                                        "document_uri",
                                        "host",
                                        "status",
                                        "http_host",
                                        "http_cookie",
                                        "http_referer",
                                        "http_user_agent",
                                        "http_via",
                                        "http_x_forwarded_for",
                                        "sent_http_content_type",
                                        "sent_http_location",
                                        "content_type",
                                        "content_length",
                                        "uid_got",
                                        "uid_set",
                                        "date_local",
                                        "date_gmt",
                                        "slice_range",
                                        "fastcgi_script_name",
                                        "fastcgi_path_info",
                                        "proxy_internal_body_length",
                                        "proxy_add_x_forwarded_for",
                                        "upstream_addr",
                                        "upstream_cache_etag",
                                        "tcpinfo_rtt",
                                        "https",
                                        "secure_link",
                                        "URI",
                                        "Status"};
    char text[256], message[128];

    site_allow_alerts();
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        snprintf(text, sizeof text, "map $arg_a $%s { default x; }", fixed[i]);
        snprintf(message, sizeof message, "the duplicate \"%s\" variable", fixed[i]);
        expect_test(text, message);
    }
    expect_test("map $arg_a $ { default x; }", "invalid variable name");
    expect_test("map $arg_a name { default x; }", "invalid variable name");
    expect_test("geo 10.0.0.1 $g { default x; }", "invalid variable name");
    expect_test("server { listen 127.0.0.1:@PORT1@; set name x; }", "invalid variable name");
    expect_test("server { listen 127.0.0.1:@PORT1@; if ($no-such) { } }", "unknown \"no-such\" variable");
    expect_test("log_format x '$http_y-$no_such';", "unknown \"no_such\" variable");
    expect_test(
        "map $arg_a $request_port { default x; } map $arg_a $is_request_port { default x; } map $arg_a $io_wait "
        "{ default x; } map $arg_a $http3 { default x; }",
        NULL); /* which nginx 1.22 does not know */
    expect_test("map $arg_a $upstream_http_x { default x; } map $arg_a $http_via_x { default y; }", NULL);
}
END_TEST

START_TEST(whole_words)
{
    site_serve_http(
        "map $arg_m $a-b { default ab; 1 one; } map $arg_m $0abc { default zero; } split_clients x $sp-l { * all; }\n"
        "geo $arg_a-b $g-x { default no; 10.0.0.0/8 ten; }",
        "location /get { if ($arg_go-get = \"1\") { return 200 go; } return 200 no; }\n"
        "location /map { if ($a-b = one) { return 200 one; } if ($0abc = zero) { return 200 zero; } }\n"
        "location /geo { if ($g-x = ten) { return 200 ten; } return 200 no; }\n"
        "location /split { if ($sp-l = all) { return 200 all; } }\n"
        "location /set { set $my-var 1; set $v[0] 2; set $3 3; if ($my-var = 1) { set $s a; } if ($v[0] = 2) { set $s "
        "\"${s}b\"; } if ($3 = 3) { set $s \"${s}c\"; } return 200 $s; }\n"
        "location /index { if ($arg_a[0]) { return 200 yes; } return 200 no; }\n"
        "location /cookie { if ($cookie_a-b ~ ^x) { return 200 yes; } return 200 no; }\n"
        "location /text { return 200 $arg_a-$arg_b[0]$arg_a.$uri; }");
    expect_body("/get?go-get=1", "go");
    expect_body("/get?go=1", "no");
    expect_body("/map?m=1", "one");
    expect_body("/map", "zero");
    expect_body("/geo?a-b=10.1.2.3", "ten");
    expect_body("/geo?a=10.1.2.3", "no");
    expect_body("/split", "all");
    expect_body("/set", "abc");
    expect_body("/index?a[0]=5", "yes");
    expect_body("/index?a=5", "no");
    expect_for("/cookie", "Cookie: a=x; a-b=xy\r\n", "yes");
    expect_for("/cookie", "Cookie: a=x\r\n", "no");
    expect_body("/text?a=1&b=2", "1-2[0]1./text");
}
END_TEST

START_TEST(names_are_case_insensitive)
{
    site_serve_http(
        "map $ARG_M $Made { default d; 1 one; } log_format v '$Remote_Addr $STATUS'; access_log logs/v.log v;",
        "location / { set $Foo $made; set $ARGS x=2; return 200 \"$foo $FOO $Arg_X\"; }\n"
        "location ~ ^/g/(?<Name>.*) { if ($HTTP_X = y) { return 200 \"$name $NAME\"; } }");
    expect_body("/?M=1", "one one 2");
    expect_for("/g/abc", "X: y\r\n", "abc abc");
    expect_log(2, site_text("@PEER@ 200\n@PEER@ 200\n"));
}
END_TEST

/* ---- what they say ---- */

/* Of now, as the default of config_timefmt has it. */
static void expect_date(const char *text, bool gmt)
{
    struct tm tm = {.tm_isdst = -1};
    const char *zone = strptime(text, "%A, %d-%b-%Y %H:%M:%S ", &tm);

    ck_assert_msg(zone && *zone, "%s", text);
    if (gmt)
        ck_assert_str_eq(zone, "GMT");
    time_t at = gmt ? timegm(&tm) : mktime(&tm), now = time(NULL);
    ck_assert_msg(at > now - 600 && at < now + 600, "%s", text);
}

/* As nginx without any directive of the modules that make them. */
START_TEST(names_of_other_modules)
{
    site_serve_http(
        "log_format v '$upstream_http_x,$upstream_cookie_x,$upstream_trailer_x,$proxy_host,$proxy_port,"
        "$proxy_internal_body_length,$slice_range,$upstream_addr,$upstream_cache_etag,$upstream_cache_last_modified,[$"
        "msie][$modern_browser][$ancient_browser]"
        "[$fastcgi_script_name][$fastcgi_path_info]'; access_log logs/v.log v;",
        "location / { return 200 ok; } location /date { access_log off; return 200 \"$date_local|$date_gmt\"; }");
    expect_body("/a.php", "ok");
    expect_for("/b/", "User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows)\r\n", "ok");
    expect_for("/c", "User-Agent: Mozilla/4.0 (compatible; MSIE 6.0) Opera 9\r\n", "ok");
    expect_for("/d", "User-Agent: MSIE 6\r\n", "ok");
    expect_log(4, "-,-,-,-,-,-,-,-,-,-,[][][1][/a.php][]\n-,-,-,-,-,-,-,-,-,-,[1][][1][/b/][]\n"
                  "-,-,-,-,-,-,-,-,-,-,[][][1][/c][]\n-,-,-,-,-,-,-,-,-,-,[][][1][/d][]\n");
    struct site_response r;
    site_get(&r, "/date");
    char *gmt = strchr(r.body, '|');
    ck_assert_ptr_nonnull(gmt);
    *gmt++ = '\0';
    expect_date(gmt, true);
    expect_date(r.body, false);
    site_response_free(&r);
}
END_TEST

/* Known to newer versions than the nginx that this is compared with. */
START_TEST(newer_names)
{
    static const char *const ports[][2] = {{"h:8080", ":8080"},   {"h", ""},        {"[::1]", ""},
                                           {"[::1]:443", ":443"}, {"h:080", ":80"}, {"h:", ""}};
    char request_text[128];

    site_serve_http(
        "log_format v '$http3,$ssl_sigalg,$ssl_client_sigalg,$upstream_last_server_name'; access_log logs/v.log v;",
        "location / { return 200 \"$is_request_port$request_port\"; }");
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        struct site_client c;
        struct site_response r;
        client_open(&c, site_port(0));
        snprintf(request_text, sizeof request_text, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", ports[i][0]);
        client_say(&c, "%s", request_text);
        client_say(&c, "GET http://%s/x:5?y HTTP/1.1\r\nHost: h:7\r\n\r\n", ports[i][0]);
        for (int n = 0; n < 2; n++) {
            ck_assert(client_receive(&c, &r));
            ck_assert_msg(!strcmp(r.body, ports[i][1]), "%s: %s", ports[i][0], r.body);
            site_response_free(&r);
        }
        client_close(&c);
    }
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "GET / HTTP/1.0\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    ck_assert_str_eq(r.body, "");
    site_response_free(&r);
    client_close(&c);
}
END_TEST

START_TEST(volatile_geo)
{
    site_serve_http(
        "geo $arg_a $kept { default none; 10.0.0.0/8 ten; } geo $arg_a $fresh { volatile; default none; 10.0.0.0/8 "
        "ten; }",
        "location / { set $was \"$kept $fresh\"; set $args a=10.0.0.1; return 200 \"$was, $kept $fresh\"; }");
    expect_body("/", "none none, none ten");
}
END_TEST

#define V2(len) "\r\n\r\n\0\r\nQUIT\n\x21\x11" len "\x0a\0\0\1\xc0\0\2\5\xdc\4\0\x50"
#define GET     "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
#define SHORT   "\x01\0\2h2\x02\0\5a.org\xe0\0\1e"
#define SECURE  "\x20\0\x17\1\0\0\1\2\x21\0\7TLSv1.3\x22\0\5c.org"

static const struct tlv_sample {
    const char *bytes;
    size_t len;
    const char *answer;
} tlvs[] = {
#define BYTES(text, answer)                                                                                            \
    {                                                                                                                  \
        text, sizeof(text) - 1, answer                                                                                 \
    }
    BYTES(V2("\0\x0c") GET, "|||||"),
    BYTES(V2("\0\x1d") SHORT GET, "h2|a.org|e|||"),
    BYTES(V2("\0\x37") SHORT SECURE GET, "h2|a.org|e|TLSv1.3|c.org|258"),
    BYTES(V2("\0\x12") "\x01\0\x7fxyz" GET, "|||||"), /* longer than the header */
    BYTES("PROXY TCP4 10.0.0.1 192.0.2.5 56324 80\r\n" GET, "|||||"),
};

/* At once, and byte by byte. */
START_TEST(tlvs_of_the_proxy_protocol)
{
    const struct tlv_sample *t = &tlvs[_i];

    site_conf_http("server { listen 127.0.0.1:@PORT1@ proxy_protocol; listen 127.0.0.1:@PORT@;\n"
                   "location / { return 200 \"$proxy_protocol_tlv_alpn|$proxy_protocol_tlv_authority|"
                   "$proxy_protocol_tlv_0xE0|$proxy_protocol_tlv_ssl_version|$proxy_protocol_tlv_ssl_cn|"
                   "$proxy_protocol_tlv_ssl_verify$proxy_protocol_tlv_nothing\"; } }");
    site_start();
    expect_body("/", "|||||");
    for (size_t step = t->len; step > 0; step = step == 1 ? 0 : 1) {
        struct site_client c;
        struct site_response r;
        client_open(&c, site_port(1));
        for (size_t at = 0; at < t->len; at += step) {
            ck_assert_uint_eq(client_send(&c, t->bytes + at, step), step);
            if (step == 1 && at % 16 == 0)
                sleep_msec(1);
        }
        ck_assert(client_receive(&c, &r));
        ck_assert_str_eq(r.body, t->answer);
        site_response_free(&r);
        client_say(&c, GET); /* they are the connection's */
        ck_assert(client_receive(&c, &r));
        ck_assert_str_eq(r.body, t->answer);
        site_response_free(&r);
        client_close(&c);
    }
}
END_TEST

/* What may be joined is; of User-Agent and Referer, which are no lists, there is the first. */
START_TEST(repeated_request_fields)
{
    site_serve_http(
        "", "location / { return 200 \"$http_x|$http_accept|$http_via|$http_x_forwarded_for|$http_accept_language|"
            "$http_cookie|$http_user_agent|$http_referer\"; }");
    expect_for("/",
               "X: 1\r\nAccept: a\r\nVia: 1 a\r\nX-Forwarded-For: 1\r\nAccept-Language: de\r\nCookie: a=1\r\n"
               "User-Agent: u\r\nReferer: r\r\nX: 2\r\nAccept: b\r\nVia: 1 b\r\nX-Forwarded-For: 2, 3\r\n"
               "Accept-Language: en\r\nCookie: b=2\r\nUser-Agent: v\r\nReferer: s\r\nx: 3\r\n",
               "1, 2, 3|a, b|1 a, 1 b|1, 2, 3|de, en|a=1; b=2|u|r");
}
END_TEST

START_TEST(repeated_response_fields)
{
    site_serve_http(
        "log_format v '$sent_http_x|$sent_http_set_cookie|$sent_http_cache_control|$sent_http_vary|"
        "$sent_http_keep_alive|$sent_http_none'; access_log logs/v.log v;",
        "keepalive_timeout 60 50; gzip on; gzip_vary on; gzip_types text/plain; gzip_min_length 1; location / { "
        "expires "
        "5; add_header X 1; add_header x 2; add_header X \"$sent_http_x, 3\"; add_header Set-Cookie a=1; "
        "add_header Set-Cookie b=2; add_header Cache-Control public; add_header Vary Origin; }");
    site_write("html/a.txt", "some text");
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    for (int i = 0; i < 2; i++) {
        client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: h\r\n%s\r\n", i == 0 ? "" : "Connection: close\r\n");
        ck_assert(client_receive(&c, &r));
        ck_assert_str_eq(r.body, "some text");
        site_response_free(&r);
    }
    client_close(&c);
    expect_log(2, "1, 2, 1, 2, 3|a=1, b=2|max-age=5, public|Accept-Encoding, Origin|timeout=50|-\n"
                  "1, 2, 1, 2, 3|a=1, b=2|max-age=5, public|Accept-Encoding, Origin|-|-\n");
}
END_TEST

START_TEST(sent_trailers)
{
    site_serve_http(
        "log_format v '$sent_trailer_x|$sent_trailer_x_y|$sent_trailer_z'; access_log logs/v.log v;",
        "add_trailer X 1; add_trailer x $uri; add_trailer X-Y \"$sent_trailer_x\"; add_trailer Empty \"\";\n"
        "location /none/ { }");
    site_write("html/a.txt", "some text");
    for (int i = 0; i < 2; i++) {
        struct site_client c;
        client_open(&c, site_port(0));
        client_say(&c, "GET /%s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", i == 0 ? "a.txt" : "none/x");
        while (client_fill(&c))
            ;
        client_close(&c);
    }
    expect_log(2, "1, /a.txt|1, /a.txt|-\n-|-|-\n");
}
END_TEST

/* In the log as it went out; what is added beside it sees it as it was given. */
START_TEST(sent_location)
{
    static const char *const targets[] = {"/return", "/url", "/rewrite", "/dir", "/none", "/page", "/relative"};
    char expected[1024] = "";
    struct site_response r;

    site_serve_http(
        "log_format v '$sent_http_location'; access_log logs/v.log v;",
        "location /return { return 301 /x; } location /url { return 302 http://h/y; }\n"
        "location /rewrite { rewrite ^ /z permanent; } location /none { error_page 404 http://e/; }\n"
        "location /page { error_page 302 /a.txt; return 302 /w; }\n"
        "location /relative { absolute_redirect off; return 307 /x; }\n"
        "location /added { access_log off; add_header X-Added $sent_http_location always; return 308 /x; }");
    site_write("html/a.txt", "a");
    site_mkdir("html/dir");
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        site_get(&r, targets[i]);
        const char *location = site_header(&r, "Location");
        ck_assert_msg(location != NULL, "%s: no Location", targets[i]);
        size_t len = strlen(expected);
        snprintf(expected + len, sizeof expected - len, "%s\n", location);
        site_response_free(&r);
    }
    expect_log(sizeof targets / sizeof *targets, expected);
    site_get(&r, "/added");
    assert_header(&r, "X-Added", "/x");
    site_response_free(&r);
}
END_TEST

/* What is decided by it holds for what the client has already. */
START_TEST(type_of_what_is_not_modified)
{
    struct site_response r;
    char fields[128], tag[64];

    site_serve_http(
        "map $sent_http_content_type $age { default 30d; ~^text/html epoch; }\n"
        "log_format v '$status $sent_http_content_type $sent_http_content_length'; access_log logs/v.log v;",
        "charset utf-8; expires $age; add_header X-Type \"$sent_http_content_type\"; location /204/ { return 204; }");
    site_write("html/a.html", "text");
    site_write("html/a.gif", "image");
    for (int i = 0; i < 2; i++) {
        const char *name = i == 0 ? "/a.html" : "/a.gif", *control = i == 0 ? "no-cache" : "max-age=2592000";
        const char *type = i == 0 ? "text/html" : "image/gif";
        site_get(&r, name);
        ck_assert_int_eq(r.status, 200);
        assert_header(&r, "Cache-Control", control);
        assert_header(&r, "X-Type", type);
        snprintf(tag, sizeof tag, "%s", site_header(&r, "ETag"));
        site_response_free(&r);
        snprintf(fields, sizeof fields, "If-None-Match: %s\r\n", tag);
        site_request(&r, "GET", name, fields);
        ck_assert_int_eq(r.status, 304);
        assert_header(&r, "Content-Type", NULL);
        assert_header(&r, "Cache-Control", control);
        assert_header(&r, "X-Type", type);
        site_response_free(&r);
    }
    site_get(&r, "/204/x.html");
    ck_assert_int_eq(r.status, 204);
    assert_header(&r, "Content-Type", NULL);
    assert_header(&r, "Cache-Control", "no-cache");
    site_response_free(&r);
    expect_log(5, "200 text/html; charset=utf-8 4\n304 text/html; charset=utf-8 -\n200 image/gif 5\n304 image/gif -\n"
                  "204 text/html -\n");
}
END_TEST

START_TEST(server_names_with_a_dot)
{
    struct site_response r;

    site_serve_http("log_format v '$server_name|$host'; access_log logs/v.log v;",
                    "server_name .Example.org other; server_name_in_redirect on; port_in_redirect off;\n"
                    "location /name { return 200 $server_name; }");
    site_mkdir("html/dir");
    expect_body("/name", "example.org");
    site_get(&r, "/dir");
    assert_header(&r, "Location", site_text("@SCHEME@://example.org/dir/"));
    site_response_free(&r);
    struct site_client c;
    client_open(&c, site_port(0));
    client_say(&c, "GET /none HTTP/1.0\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    ck_assert_int_eq(r.status, 404);
    site_response_free(&r);
    client_close(&c);
    char *log = log_await("logs/error.log", ", server: example.org,");
    free(log);
    log = log_await("logs/v.log", "example.org|example.org\n");
    free(log);
}
END_TEST

START_TEST(uri_of_refused_targets)
{
    static const char *const refused[] = {"/../x", "/%zz", "/a%00b", "/..%2f", "/a/%", "*"};
    char bytes[128];

    site_serve_http(
        "map $uri $what { default other; \"\" empty; } log_format v '[$uri][$document_uri]$what'; access_log "
        "logs/v.log v;",
        "");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        int len = snprintf(bytes, sizeof bytes, "GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", refused[i]);
        ck_assert_int_eq(site_status_of_bytes(bytes, (size_t)len), 400);
    }
    if (on_nginx()) /* which has not begun to read the target when it sees the * */
        return;
    expect_log(6, "[][]empty\n[][]empty\n[][]empty\n[][]empty\n[][]empty\n[][]empty\n");
}
END_TEST

Suite *suite_variables(void);

Suite *suite_variables(void)
{
    Suite *s = suite_create("variables");
    TCase *t = site_case(s, "names", 30);
    tcase_add_test(t, families_keep_their_meaning);
    tcase_add_test(t, changeable_names);
    tcase_add_test(t, names_that_are_taken);
    tcase_add_test(t, whole_words);
    tcase_add_test(t, names_are_case_insensitive);
    t = site_case(s, "values", 30);
    tcase_add_test(t, names_of_other_modules);
    tcase_add_test(t, newer_names);
    tcase_add_test(t, volatile_geo);
    tcase_add_plain_loop_test(t, tlvs_of_the_proxy_protocol, 0, sizeof tlvs / sizeof *tlvs,
                              "the header comes before TLS: suite tls_handshake");
    if (!on_nginx()) { /* 1.22 takes the first of several */
        tcase_add_test(t, repeated_request_fields);
        tcase_add_test(t, repeated_response_fields);
        tcase_add_test(t, sent_trailers);
    }
    tcase_add_test(t, sent_location);
    tcase_add_test(t, type_of_what_is_not_modified);
    tcase_add_test(t, server_names_with_a_dot);
    tcase_add_test(t, uri_of_refused_targets);
    return s;
}
