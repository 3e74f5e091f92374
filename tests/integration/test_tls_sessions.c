/* test_tls_sessions.c - TLS sessions outlive what the server does meanwhile: another worker, a
 * reload with another certificate, a new binary. And no request fails over it. */
#include "harness.h"

#include "../certificate.h"
#include "load.h"
#include "transport_tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SMALL = 1000, LARGE = 300000, RELOADS = 20 };

/* ---- the server ---- */

/* %d: workers, %s: of the listening socket, %s: in the server, %d: the answer at /generation. */
static const char conf[] =
    "daemon off; worker_processes %d; pid logs/sluice.pid; error_log logs/error.log info; "
    "events { worker_connections 512; }\n"
    "http { @HTTP@ server { listen 127.0.0.1:@PORT@ %s; root @DIR@/html; add_header X-Pid $pid; %s "
    "location = /generation { return 200 %d; } location = /pid { return 200 $pid; } } }";

static void configure(int workers, const char *more, int generation)
{
    char whole[4096];
    snprintf(whole, sizeof whole, conf, workers, "reuseport", more, generation);
    site_conf(whole);
}

static void setup(void)
{
    site_choose_transport("tls");
    site_setup();
}

static pid_t pid_in_file(void)
{
    char *text = site_read("logs/sluice.pid", NULL);
    pid_t pid = text ? atoi(text) : 0;
    free(text);
    return pid;
}

static void end_master(pid_t pid)
{
    int status;
    ck_assert_int_eq(kill(pid, SIGQUIT), 0);
    for (int64_t deadline = now_msec() + scaled(15000); waitpid(pid, &status, WNOHANG) != pid; sleep_msec(5))
        ck_assert_int_lt(now_msec(), deadline);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "master %d ended with %x", (int)pid, (unsigned)status);
}

/* The new master, after the old one has gone. */
static pid_t upgrade(pid_t old, bool first)
{
    pid_t pid;
    ck_assert_int_eq(kill(old, SIGUSR2), 0);
    for (int64_t deadline = now_msec() + scaled(15000); (pid = pid_in_file()) == old || pid <= 0; sleep_msec(5))
        ck_assert_int_lt(now_msec(), deadline);
    end_master(old);
    if (first)
        site_forget();
    return pid;
}

/* ---- a client that comes again ---- */

struct client {
    int version;
    char *name;           /* of the server; NULL: localhost */
    SSL_SESSION *session; /* the newest that it got */
    bool resumed;
    char body[64];
    long serial; /* of the certificate that it saw last */
};

static void note_certificate(struct client *c, SSL *ssl)
{
    X509 *certificate = SSL_get1_peer_certificate(ssl);
    if (!c->resumed && certificate)
        c->serial = ASN1_INTEGER_get(X509_get0_serialNumber(certificate));
    X509_free(certificate);
}

static void read_body(struct client *c, SSL *ssl)
{
    char answer[4096];
    int len = 0, n;
    while ((n = SSL_read(ssl, answer + len, (int)sizeof answer - 1 - len)) > 0)
        len += n;
    ck_assert_int_eq(SSL_get_error(ssl, n), SSL_ERROR_ZERO_RETURN);
    answer[len] = '\0';
    char *body = strstr(answer, "\r\n\r\n");
    ck_assert_msg(!strncmp(answer, "HTTP/1.1 200 ", 13) && body, "%s", answer);
    snprintf(c->body, sizeof c->body, "%s", body + 4);
}

/* A connection of its own, which resumes where it can. */
static void visit(struct client *c, const char *target)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    struct channel ch = {.fd = -1};
    char request[256];
    SSL_CTX_set_max_proto_version(ctx, c->version);
    SSL *ssl = SSL_new(ctx);
    ck_assert_int_eq(channel_connect_tcp(&ch, site_port(0), 0), 0);
    SSL_set_fd(ssl, ch.fd);
    SSL_set_tlsext_host_name(ssl, c->name ? c->name : (char *)"localhost");
    if (c->session)
        ck_assert_int_eq(SSL_set_session(ssl, c->session), 1);
    ck_assert_msg(SSL_connect(ssl) == 1, "%s", ERR_error_string(ERR_peek_error(), NULL));
    c->resumed = SSL_session_reused(ssl);
    note_certificate(c, ssl);
    int len = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", target,
                       c->name ? c->name : (char *)"localhost");
    ck_assert_int_eq(SSL_write(ssl, request, len), len);
    read_body(c, ssl);
    SSL_SESSION_free(c->session);
    c->session = SSL_get1_session(ssl);
    SSL_shutdown(ssl);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(ch.fd);
}

static void leave(struct client *c)
{
    SSL_SESSION_free(c->session);
}

static const struct {
    const char *what, *directives;
    int version;
    bool outlives_binary;
} ways[] = {
    {"tickets, TLS 1.2", "", TLS1_2_VERSION, true},
    {"tickets, TLS 1.3", "", TLS1_3_VERSION, true},
    {"cache, TLS 1.2", "ssl_session_tickets off; ssl_session_cache shared:s:1m;", TLS1_2_VERSION, false},
    {"cache, TLS 1.3", "ssl_session_tickets off; ssl_session_cache shared:s:1m;", TLS1_3_VERSION, false},
};
enum { WAYS = sizeof ways / sizeof *ways };

/* Until this configuration answers. */
static void await_generation(int generation)
{
    struct client c = {.version = TLS1_3_VERSION};
    for (int64_t deadline = now_msec() + scaled(20000);; sleep_msec(5)) {
        visit(&c, "/generation");
        if (atoi(c.body) == generation)
            break;
        ck_assert_msg(now_msec() < deadline, "generation %d does not come", generation);
    }
    leave(&c);
}

static void expect_resumed(struct client *c, const char *after)
{
    visit(c, "/pid");
    ck_assert_msg(c->resumed, "not resumed %s", after);
}

/* The written configuration, by new workers alone: the old ones may still take a connection after the new ones
 * have begun to. */
static void reload_to(int generation)
{
    pid_t before[16];
    unsigned count = site_workers(before, 16);
    site_kill(SIGHUP);
    await_generation(generation);
    for (unsigned i = 0; i < count; i++)
        for (int64_t deadline = now_msec() + scaled(20000); kill(before[i], 0) == 0; sleep_msec(5))
            ck_assert_int_lt(now_msec(), deadline);
}

/* ---- sessions ---- */

START_TEST(other_workers)
{
    enum { WORKERS = 3 };
    struct client c = {.version = ways[_i].version};
    int seen[WORKERS] = {0}, count = 0;
    configure(WORKERS, ways[_i].directives, 0);
    site_start();
    site_await_workers(WORKERS);
    visit(&c, "/pid");
    ck_assert(!c.resumed);
    seen[count++] = atoi(c.body);
    for (int64_t deadline = now_msec() + scaled(20000); count < WORKERS;) {
        expect_resumed(&c, ways[_i].what);
        int pid = atoi(c.body), i = 0;
        while (i < count && seen[i] != pid)
            i++;
        if (i == count)
            seen[count++] = pid;
        ck_assert_int_lt(now_msec(), deadline);
    }
    leave(&c);
}
END_TEST

/* With another certificate each time, which others see at once. */
START_TEST(reload)
{
    struct client c = {.version = ways[_i].version};
    configure(2, ways[_i].directives, 0);
    site_start();
    visit(&c, "/pid");
    for (int i = 1; i <= 3; i++) {
        struct client other = {.version = ways[_i].version};
        long before = c.serial;
        transport_tls_renew();
        configure(2, ways[_i].directives, i);
        reload_to(i);
        expect_resumed(&c, "after a reload");
        visit(&other, "/pid");
        ck_assert(!other.resumed);
        ck_assert_int_ne(other.serial, before);
        c.serial = other.serial;
        leave(&other);
    }
    leave(&c);
}
END_TEST

START_TEST(new_binary)
{
    struct client c = {.version = ways[_i].version};
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    configure(2, ways[_i].directives, 0);
    site_start();
    visit(&c, "/pid");
    pid_t master = site_pid();
    for (int i = 1; i <= 2; i++) {
        transport_tls_renew();
        configure(2, ways[_i].directives, i);
        master = upgrade(master, i == 1);
        await_generation(i);
        if (ways[_i].outlives_binary) {
            expect_resumed(&c, "by the new binary");
        } else {
            visit(&c, "/pid"); /* no more than a full handshake */
            ck_assert(!c.resumed);
        }
    }
    end_master(master);
    char *log = site_read("logs/error.log", NULL);
    ck_assert_uint_eq(count_text(log, "ticket keys"), 0);
    free(log);
    leave(&c);
}
END_TEST

/* What the environment says is not believed. */
START_TEST(keys_of_nobody)
{
    static char *const values[] = {(char *)"SLUICE_TICKET_KEYS=1", (char *)"SLUICE_TICKET_KEYS=77",
                                   (char *)"SLUICE_TICKET_KEYS=x", (char *)"SLUICE_TICKET_KEYS="};
    struct client c = {.version = TLS1_3_VERSION};
    configure(1, "", 0);
    site_start_with((char *[]){values[_i], NULL}, -1);
    site_await_port(site_port(0));
    visit(&c, "/pid");
    expect_resumed(&c, "with keys of its own");
    free(log_await("logs/error.log", "the ticket keys of the old binary cannot be used, sessions end with it"));
    leave(&c);
}
END_TEST

START_TEST(one_process)
{
    struct client c = {.version = ways[_i].version};
    char more[256];
    snprintf(more, sizeof more, "%s", ways[_i].directives);
    configure(1, more, 0);
    char *text = site_read("sluice.conf", NULL), all[8192];
    snprintf(all, sizeof all, "master_process off; %s", text);
    free(text);
    site_conf(all);
    site_start();
    visit(&c, "/pid");
    expect_resumed(&c, "by the same process");
    site_kill(SIGHUP);
    free(log_await("logs/error.log", "reconfiguring"));
    expect_resumed(&c, "after a reload");
    leave(&c);
}
END_TEST

/* A key file is exchanged: a reload, and what it encrypted is of no use any more. */
START_TEST(key_files)
{
    struct client c = {.version = ways[_i].version};
    const char *with = "ssl_session_ticket_key @DIR@/new.key; ssl_session_ticket_key @DIR@/old.key;";
    site_pattern("old.key", 80);
    configure(2, "ssl_session_ticket_key @DIR@/old.key;", 0);
    site_start();
    visit(&c, "/pid");
    expect_resumed(&c, "with the key of a file");
    site_pattern_at("new.key", 0, 48);
    site_write("new.key", "123456789012345678901234567890123456789012345678");
    configure(2, with, 1);
    reload_to(1);
    expect_resumed(&c, "with the second key"); /* and has a ticket of the first one */
    configure(2, "ssl_session_ticket_key @DIR@/new.key;", 2);
    reload_to(2);
    expect_resumed(&c, "with a renewed ticket");
    configure(2, "ssl_session_ticket_key @DIR@/old.key;", 3);
    reload_to(3);
    visit(&c, "/pid");
    ck_assert(!c.resumed);
    leave(&c);
}
END_TEST

/* ---- who may resume whose ---- */

/* What a client was asked for once is not asked again where it resumes. */
static const char *const rules[] = {
    "",
    "ssl_verify_client optional_no_ca;",
    "ssl_verify_client optional; ssl_client_certificate @DIR@/one.crt;",
    "ssl_verify_client optional; ssl_client_certificate @DIR@/two.crt;",
    "ssl_verify_client optional; ssl_trusted_certificate @DIR@/one.crt;",
    "ssl_verify_client optional; ssl_client_certificate @DIR@/one.crt; ssl_verify_depth 3;",
    "ssl_verify_client optional; ssl_client_certificate @DIR@/one.crt; ssl_session_timeout 1h;", /* as the third */
};
enum { RULES = sizeof rules / sizeof *rules, SAME_A = 2, SAME_B = 6 };

START_TEST(client_certificate_rules)
{
    char text[8192];
    size_t len = (size_t)snprintf(text, sizeof text, "ssl_session_cache shared:s:1m; ");
    certificate_make(site_dir(), "one", "");
    certificate_make(site_dir(), "two", "");
    for (int i = 0; i < RULES; i++)
        len += (size_t)snprintf(
            text + len, sizeof text - len,
            "server { listen 127.0.0.1:@PORT@; server_name s%d; %s location = /x { return 200 %d; } }\n", i, rules[i],
            i);
    site_conf_http(text);
    site_start();
    for (int from = 0; from < RULES; from++) {
        for (int to = 0; to < RULES; to++) {
            char name[16], other[16];
            snprintf(name, sizeof name, "s%d", from);
            snprintf(other, sizeof other, "s%d", to);
            struct client c = {.version = ways[_i].version, .name = name};
            visit(&c, "/x");
            ck_assert_int_eq(atoi(c.body), from);
            c.name = other;
            visit(&c, "/x");
            ck_assert_int_eq(atoi(c.body), to);
            bool same = from == to || (from == SAME_A && to == SAME_B) || (from == SAME_B && to == SAME_A);
            ck_assert_msg(c.resumed == same, "from \"%s\" to \"%s\": %d", rules[from], rules[to], c.resumed);
            leave(&c);
        }
    }
}
END_TEST

/* ---- under load ---- */

enum { LOADERS = 5 };
static void start_loaders(struct loader *loaders)
{
    static const struct load_requests kinds[LOADERS] = {
        {.target = "/f", .fields = "", .len = SMALL, .keep = true},
        {.target = "/f", .fields = "", .len = SMALL},
        {.target = "/large", .fields = "", .len = LARGE, .keep = true},
        {.target = "/large", .fields = "Range: bytes=7-100006\r\n", .first = 7, .len = 100000},
        {.target = "/f", .fields = "", .len = SMALL, .keep = true, .pause_msec = 300},
    };
    static struct load_requests with_port[LOADERS];
    for (unsigned i = 0; i < LOADERS; i++) {
        with_port[i] = kinds[i];
        with_port[i].port = site_port(0);
        loader_start(&loaders[i], load_requests, &with_port[i]);
    }
}

/* Twenty reloads and a new binary, each with another certificate. */
START_TEST(under_load)
{
    struct client c = {.version = ways[_i].version};
    struct loader loaders[LOADERS];
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    site_pattern("html/f", SMALL);
    site_pattern("html/large", LARGE);
    configure(2, "", 0);
    site_start();
    visit(&c, "/pid");
    start_loaders(loaders);
    for (int i = 1; i <= RELOADS; i++) {
        transport_tls_renew();
        configure(2, "", i);
        site_kill(SIGHUP);
        await_generation(i);
        expect_resumed(&c, "after a reload");
    }
    transport_tls_renew();
    configure(2, "", RELOADS + 1);
    pid_t master = upgrade(site_pid(), true);
    await_generation(RELOADS + 1);
    expect_resumed(&c, "by the new binary");
    struct counts done = loaders_stop_well(loaders, LOADERS);
    printf("%d reloads and a new binary over TLS (%s): %ju requests, none failed\n", RELOADS, ways[_i].what,
           (uintmax_t)done.done);
    end_master(master);
    leave(&c);
}
END_TEST

Suite *suite_tls_sessions(void)
{
    Suite *s = suite_create("tls_sessions");
    TCase *tc = tcase_create("sessions");
    tcase_set_timeout(tc, scaled(60000) / 1000.0);
    tcase_add_checked_fixture(tc, setup, site_teardown);
    tcase_add_loop_test(tc, other_workers, 0, WAYS);
    tcase_add_loop_test(tc, reload, 0, WAYS);
    tcase_add_loop_test(tc, new_binary, 0, WAYS);
    tcase_add_loop_test(tc, one_process, 0, WAYS);
    tcase_add_loop_test(tc, key_files, 0, 2);
    tcase_add_loop_test(tc, client_certificate_rules, 0, 2);
    tcase_add_loop_test(tc, keys_of_nobody, 0, 4);
    suite_add_tcase(s, tc);
    tc = tcase_create("load");
    tcase_set_timeout(tc, scaled(120000) / 1000.0);
    tcase_add_checked_fixture(tc, setup, site_teardown);
    tcase_add_loop_test(tc, under_load, 0, 2);
    suite_add_tcase(s, tc);
    return s;
}
