/* test_realip.c - who the client is, as a proxy in front tells it: set_real_ip_from and its kin,
 * and the PROXY protocol. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHOW "return 200 \"$remote_addr:$remote_port $realip_remote_addr\";"

/* The answer up to the port of the socket, which is anybody's guess. */
static void expect(const char *fields, const char *remote, bool replaced)
{
    struct site_response r;
    char start[128];

    site_request(&r, "GET", "/", fields);
    ck_assert_int_eq(r.status, 200);
    snprintf(start, sizeof start, replaced ? "%s 127.0.0.1" : "%s:", remote);
    if (replaced)
        ck_assert_msg(!strcmp(r.body, start), "%s: %s", fields, r.body);
    else
        ck_assert_msg(!strncmp(r.body, start, strlen(start)) && !strstr(r.body, ": "), "%s: %s", fields, r.body);
    site_response_free(&r);
}

static const struct told {
    const char *conf, *fields;
    const char *remote; /* with its port; NULL: 127.0.0.1, as it is */
} told[] = {
    {"set_real_ip_from 127.0.0.1;", "X-Real-IP: 192.0.2.1\r\n", "192.0.2.1:"},
    {"set_real_ip_from 127.0.0.0/8;", "x-real-ip: 192.0.2.1\r\n", "192.0.2.1:"},
    {"set_real_ip_from 0.0.0.0/0;", "X-Real-IP: 192.0.2.1\r\n", "192.0.2.1:"},
    {"set_real_ip_from localhost;", "X-Real-IP: 192.0.2.1\r\n", "192.0.2.1:"},
    {"set_real_ip_from 10.0.0.0/8; set_real_ip_from 127.0.0.1;", "X-Real-IP: 192.0.2.1\r\n", "192.0.2.1:"},
    {"set_real_ip_from 127.0.0.1;", "X-Real-IP: 192.0.2.1:8080\r\n", "192.0.2.1:8080"},
    {"set_real_ip_from 127.0.0.1;", "X-Real-IP: 2001:db8::1\r\n", "2001:db8::1:"},
    {"set_real_ip_from 127.0.0.1;", "X-Real-IP: [2001:db8::1]:8080\r\n", "2001:db8::1:8080"},
    {"set_real_ip_from 127.0.0.1;", "X-Real-IP: 2001:DB8:0::1\r\n", "2001:db8::1:"},
    {"set_real_ip_from 127.0.0.1;", "X-Real-IP: [2001:db8::1]\r\n", NULL},
    {"set_real_ip_from 127.0.0.1;", "X-Real-IP: 192.0.2.256\r\n", NULL},
    {"set_real_ip_from 127.0.0.1;", "X-Real-IP: 192.0.2.1:0\r\n", NULL},
    {"set_real_ip_from 127.0.0.1;", "X-Real-IP: 192.0.2.1:65536\r\n", NULL},
    {"set_real_ip_from 127.0.0.1;", "X-Real-IP: unix:\r\n", NULL},
    {"set_real_ip_from 127.0.0.1;", "X-Real-IP: \r\n", NULL},
    {"set_real_ip_from 127.0.0.1;", "", NULL},
    {"set_real_ip_from 127.0.0.1;", "X-Forwarded-For: 192.0.2.1\r\n", NULL},
    {"set_real_ip_from 127.0.0.2;", "X-Real-IP: 192.0.2.1\r\n", NULL},
    {"set_real_ip_from 127.0.0.2/31;", "X-Real-IP: 192.0.2.1\r\n", NULL},
    {"set_real_ip_from 127.0.0.0/31;", "X-Real-IP: 192.0.2.1\r\n", "192.0.2.1:"},
    {"set_real_ip_from unix:;", "X-Real-IP: 192.0.2.1\r\n", NULL},
    {"set_real_ip_from ::/0;", "X-Real-IP: 192.0.2.1\r\n", NULL},
    {"real_ip_header X-Client;", "X-Client: 192.0.2.1\r\n", NULL},
    {"set_real_ip_from 127.0.0.1; real_ip_header X-Client;", "X-Client: 192.0.2.1\r\n", "192.0.2.1:"},
    {"set_real_ip_from 127.0.0.1; real_ip_header X-Client;", "X-Client: 192.0.2.1, 192.0.2.2\r\n", "192.0.2.2:"},
    {"set_real_ip_from 127.0.0.1; real_ip_header X-Client;", "X-Client: 192.0.2.1\r\nX-Client: 192.0.2.2\r\n",
     "192.0.2.1:"},
#define FORWARDED "set_real_ip_from 127.0.0.1; set_real_ip_from 10.0.0.0/8; real_ip_header X-Forwarded-For;"
    {FORWARDED, "X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1:"},
    {FORWARDED, "X-Forwarded-For: 192.0.2.1, 10.0.0.1\r\n", "10.0.0.1:"},
    {FORWARDED, "X-Forwarded-For: 192.0.2.1, 10.0.0.1 , \r\n", "10.0.0.1:"},
    {FORWARDED, "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 10.0.0.2\r\n", "10.0.0.2:"},
    {FORWARDED, "X-Forwarded-For: 192.0.2.1,nonsense\r\n", NULL},
    {FORWARDED " real_ip_recursive on;", "X-Forwarded-For: 192.0.2.1, 10.0.0.1\r\n", "192.0.2.1:"},
    {FORWARDED " real_ip_recursive on;", "X-Forwarded-For: 198.51.100.1, 192.0.2.1, 10.0.0.1,10.0.0.2\r\n",
     "192.0.2.1:"},
    {FORWARDED " real_ip_recursive on;", "X-Forwarded-For: 10.0.0.3, 10.0.0.1\r\n", "10.0.0.3:"},
    {FORWARDED " real_ip_recursive on;", "X-Forwarded-For: nonsense, 10.0.0.1\r\n", "10.0.0.1:"},
    {FORWARDED " real_ip_recursive on;", "X-Forwarded-For: 192.0.2.9, nonsense, 10.0.0.1\r\n", "10.0.0.1:"},
    {FORWARDED " real_ip_recursive on;", "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 10.0.0.2\r\n", "192.0.2.1:"},
    {FORWARDED " real_ip_recursive on;", "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 198.51.100.1\r\n",
     "198.51.100.1:"},
    {FORWARDED " real_ip_recursive on;", "X-Forwarded-For: 192.0.2.1 10.0.0.1:99\r\n", "192.0.2.1:"},
};

START_TEST(told_by_a_header)
{
    char conf[512];

    snprintf(conf, sizeof conf, "%s location / { " SHOW " }", told[_i].conf);
    site_serve(conf);
    expect(told[_i].fields, told[_i].remote ? told[_i].remote : "127.0.0.1", told[_i].remote != NULL);
}
END_TEST

/* Location by location; and over when the request is, on the same connection. */
START_TEST(per_request)
{
    site_write("html/f", "f");
    site_conf_http("log_format who '$remote_addr $realip_remote_addr $request_uri';\n"
                   "server { listen 127.0.0.1:@PORT@; root @DIR@/html; access_log @DIR@/logs/who.log who;\n"
                   "location /trusting/ { set_real_ip_from @PEER@; alias @DIR@/html/; }\n"
                   "location / { } }");
    site_start();
    struct site_client c;
    client_open(&c, site_port(0));
    static const char *const targets[] = {"/trusting/f", "/f", "/trusting/none", "/f", "/trusting/f"};
    for (int pass = 0; pass < 2; pass++) { /* one by one, then pipelined */
        for (size_t i = 0; i < 5; i++) {
            client_say(&c, "GET %s HTTP/1.1\r\nHost: h\r\n%s\r\n", targets[i], i < 4 ? "X-Real-IP: 192.0.2.1\r\n" : "");
            struct site_response r;
            if (pass == 0) {
                ck_assert(client_receive(&c, &r));
                site_response_free(&r);
            }
        }
        for (size_t i = 0; pass == 1 && i < 5; i++) {
            struct site_response r;
            ck_assert(client_receive(&c, &r));
            site_response_free(&r);
        }
    }
    client_close(&c);
    char *log = log_await_count("logs/who.log", "\n", 10);
    static const char once[] = "192.0.2.1 @PEER@ /trusting/f\n@PEER@ @PEER@ /f\n192.0.2.1 @PEER@ /trusting/none\n"
                               "@PEER@ @PEER@ /f\n@PEER@ @PEER@ /trusting/f\n";
    char both[sizeof once * 2];
    snprintf(both, sizeof both, "%s%s", once, once);
    ck_assert_str_eq(log, site_text(both));
    free(log);
    free(log_await("logs/error.log", "none\" failed (2: No such file or directory), client: 192.0.2.1,"));
}
END_TEST

/* A named location is entered by another way than the others. */
START_TEST(named_locations)
{
    site_conf_server("location / { try_files /none @named; }\n"
                     "location @named { set_real_ip_from @PEER@; deny 192.0.2.1; try_files /f =404; }");
    site_write("html/f", "f");
    site_start();
    struct site_response r;
    site_request(&r, "GET", "/", "X-Real-IP: 192.0.2.1\r\n");
    ck_assert_int_eq(r.status, 403);
    site_response_free(&r);
    site_request(&r, "GET", "/", "X-Real-IP: 192.0.2.2\r\n");
    ck_assert_int_eq(r.status, 200);
    site_response_free(&r);
}
END_TEST

START_TEST(unix_peers)
{
    struct site_client c;
    struct site_response r;

    site_conf_http("server { listen 127.0.0.1:@PORT@; listen unix:@DIR@/s; set_real_ip_from unix:;\n"
                   "location / { return 200 \"$remote_addr $realip_remote_addr\"; } }");
    site_start();
    client_open_unix(&c, site_path("s"));
    client_say(&c, "GET / HTTP/1.1\r\nHost: h\r\nX-Real-IP: 192.0.2.1\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    ck_assert_str_eq(r.body, "192.0.2.1 unix:");
    site_response_free(&r);
    client_say(&c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    ck_assert_str_eq(r.body, "unix: unix:");
    site_response_free(&r);
    client_close(&c);
}
END_TEST

static const struct broken {
    const char *row, *error;
} broken[] = {
    {"set_real_ip_from nowhere.invalid;", "host not found in set_real_ip_from \"nowhere.invalid\""},
    {"set_real_ip_from 1.2.3.4/33;", "in set_real_ip_from"},
    {"set_real_ip_from ::1/129;", "in set_real_ip_from"},
    {"real_ip_recursive 1;", "it must be \"on\" or \"off\""},
};

START_TEST(configuration_errors)
{
    struct site_run run;

    site_conf_server(broken[_i].row);
    site_check(&run);
    ck_assert_int_ne(run.status, 0);
    ck_assert_msg(strstr(run.err, broken[_i].error), "%s", run.err);
}
END_TEST

/* ---- PROXY protocol ---- */

#define ADDRESSES                                                                                                      \
    "$remote_addr|$proxy_protocol_addr|$proxy_protocol_port|$proxy_protocol_server_addr|$proxy_protocol_server_port"
#define V2(command, family, len) "\r\n\r\n\0\r\nQUIT\n" command family len
#define IN4                      "\x0a\x00\x00\x01\xc0\x00\x02\x05\xdc\x04\x00\x50"
#define GET                      "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

static void serve_proxied(const char *more)
{
    char conf[1024];

    site_write("html/f", "f");
    snprintf(conf, sizeof conf,
             "server { listen 127.0.0.1:@PORT1@ proxy_protocol; listen 127.0.0.1:@PORT@; root @DIR@/html; %s\n"
             "location = / { return 200 \"" ADDRESSES "\"; } }",
             more);
    site_conf_http(conf);
    site_start();
}

static const struct proxied {
    const char *bytes;
    size_t len;
    const char *answer; /* NULL: closed */
} proxied[] = {
#define BYTES(text, answer)                                                                                            \
    {                                                                                                                  \
        text, sizeof(text) - 1, answer                                                                                 \
    }
    BYTES("PROXY TCP4 10.0.0.1 192.0.2.5 56324 80\r\n" GET, "@PEER@|10.0.0.1|56324|192.0.2.5|80"),
    BYTES("PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n" GET, "@PEER@|2001:db8::1|56324|2001:db8::2|443"),
    BYTES("PROXY UNKNOWN\r\n" GET, "@PEER@||||"),
    BYTES("PROXY UNKNOWN foo bar\r\n" GET, "@PEER@||||"),
    BYTES(V2("\x21", "\x11", "\0\x0c") IN4 GET, "@PEER@|10.0.0.1|56324|192.0.2.5|80"),
    BYTES(V2("\x21", "\x11", "\0\x13") IN4 "\x04\0\x04junk" GET, "@PEER@|10.0.0.1|56324|192.0.2.5|80"),
    BYTES(V2("\x20", "\x00", "\0\0") GET, "@PEER@||||"),
    BYTES(GET, NULL),
    BYTES("PROXY TCP4 10.0.0.1 192.0.2.5 56324\r\n" GET, NULL),
    BYTES("PROXY TCP9 10.0.0.1 192.0.2.5 56324 80\r\n" GET, NULL),
    BYTES(V2("\x31", "\x11", "\0\x0c") IN4 GET, NULL),
};

/* At once, and byte by byte. */
START_TEST(proxy_header)
{
    const struct proxied *p = &proxied[_i];

    serve_proxied("");
    for (int split = 0; split < 2; split++) {
        struct site_client c;
        struct site_response r;
        client_open(&c, site_port(1));
        if (split && !on_nginx()) /* which wants it in one piece */
            for (size_t i = 0; i < p->len && client_send(&c, p->bytes + i, 1) == 1; i++)
                ;
        else
            client_send(&c, p->bytes, p->len);
        bool answered = client_head(&c, &r);
        ck_assert_msg(answered == (p->answer != NULL), "%d, split %d", _i, split);
        if (answered) {
            client_body(&c, &r);
            ck_assert_str_eq(r.body, site_text(p->answer));
            site_response_free(&r);
            client_say(&c, "GET /f HTTP/1.1\r\nHost: h\r\n\r\n"); /* no second header */
            ck_assert(client_receive(&c, &r));
            ck_assert_int_eq(r.status, 200);
            site_response_free(&r);
        }
        client_close(&c);
    }
    if (!p->answer)
        free(log_await("logs/error.log", site_text("while reading PROXY protocol, client: @PEER@, server: @LISTEN1@")));
}
END_TEST

/* As long as it can be, in a buffer that is shorter. */
START_TEST(long_tlvs)
{
    struct site_client c;
    struct site_response r;
    char *tlvs = calloc(1, 65535);

    serve_proxied("client_header_buffer_size 64;");
    memcpy(tlvs, IN4, 12);
    client_open(&c, site_port(1));
    client_send(&c, V2("\x21", "\x11", "\xff\xff"), 16);
    ck_assert_uint_eq(client_send(&c, tlvs, 65535), 65535);
    client_say(&c, GET);
    ck_assert(client_receive(&c, &r));
    ck_assert_str_eq(r.body, site_text("@PEER@|10.0.0.1|56324|192.0.2.5|80"));
    site_response_free(&r);
    client_close(&c);
    free(tlvs);
}
END_TEST

START_TEST(real_ip_of_the_protocol)
{
    struct site_client c;
    struct site_response r;

    serve_proxied("set_real_ip_from @PEER@; real_ip_header proxy_protocol;"
                  "location = /port { return 200 \"$remote_addr:$remote_port\"; }");
    client_open(&c, site_port(1));
    client_say(&c, "PROXY TCP4 10.0.0.1 192.0.2.5 56324 80\r\nGET /port HTTP/1.1\r\nHost: h\r\n\r\n" GET);
    ck_assert(client_receive(&c, &r));
    ck_assert_str_eq(r.body, "10.0.0.1:56324");
    site_response_free(&r);
    ck_assert(client_receive(&c, &r));
    ck_assert_str_eq(r.body, "10.0.0.1|10.0.0.1|56324|192.0.2.5|80");
    site_response_free(&r);
    client_close(&c);
    site_get(&r, "/"); /* on the plain address: nobody says anything */
    ck_assert_str_eq(r.body, site_text("@PEER@||||"));
    site_response_free(&r);
}
END_TEST

/* One time for the whole header, from the first moment; then it closes without a word. */
START_TEST(proxy_deadline)
{
    struct site_client silent, slow;

    serve_proxied("client_header_timeout 1s;");
    client_open(&silent, site_port(1));
    client_open(&slow, site_port(1));
    client_say(&slow, "PROXY TCP4 10.0");
    ck_assert(client_ends(&slow));
    ck_assert(client_ends(&silent));
    client_close(&slow);
    client_close(&silent);
}
END_TEST

/* A part of it is no part of a request, and nothing that the access log tells of. */
START_TEST(proxy_header_without_an_end)
{
    struct site_client c;
    struct site_response r;

    serve_proxied("");
    client_open(&c, site_port(1));
    client_say(&c, "PROXY TCP4 10.0");
    client_close(&c);
    site_get(&r, "/");
    site_response_free(&r);
    site_stop(SIGQUIT);
    char *log = site_read("logs/access.log", NULL);
    ck_assert_uint_eq(count_text(log, "\n"), 1);
    free(log);
}
END_TEST

Suite *suite_realip(void)
{
    Suite *s = suite_create("realip");
    TCase *t = site_case(s, "headers", 30);
    tcase_add_tcp_loop_test(t, told_by_a_header, 0, sizeof told / sizeof *told, "networks are of IP addresses");
    tcase_add_test(t, per_request);
    tcase_add_test(t, named_locations);
    tcase_add_test(t, unix_peers);
    tcase_add_loop_test(t, configuration_errors, 0, sizeof broken / sizeof *broken);
    t = site_case(s, "proxy_protocol", 30);
    tcase_add_plain_loop_test(t, proxy_header, 0, sizeof proxied / sizeof *proxied,
                              "the header comes before TLS: suite tls_handshake");
    tcase_add_plain_test(t, long_tlvs, "the header comes before TLS: suite tls_handshake");
    tcase_add_plain_test(t, real_ip_of_the_protocol, "the header comes before TLS: suite tls_handshake");
    tcase_add_test(t, proxy_deadline);
    tcase_add_test(t, proxy_header_without_an_end);
    return s;
}
