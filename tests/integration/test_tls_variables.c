/* test_tls_variables.c - certificates whose names hold variables: each handshake gets that of the name
 * it asks for, read by the worker while it waits, and kept as ssl_certificate_cache says. */
#include "tls_client.h"

#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(a) (int)(sizeof(a) / sizeof *(a))

#define NAMED  "ssl_certificate certs/$ssl_server_name.crt; ssl_certificate_key certs/$ssl_server_name.key;"
#define SERVER "server { listen 127.0.0.1:@PORT@ ssl; return 200 '$ssl_server_name $ssl_sigalg $ssl_session_reused'; }"

static void make_named(const char *name, const char *options)
{
    char path[100], all[300];

    site_mkdir("certs");
    snprintf(path, sizeof path, "certs/%s", name);
    snprintf(all, sizeof all, "-subj /CN=%s -addext subjectAltName=DNS:%s %s", name, name, options);
    make_certificate(path, all);
    ck_assert(client_shell("chmod 644 %s.key", path)); /* the worker is somebody else than root */
}

/* The subject that a client meets, at most TLS 1.2 or 1.3. */
static void expect_subject(const char *options, const char *name, const char *subject)
{
    bool good = client_shell("openssl s_client %s -servername %s -connect 127.0.0.1:@PORT@ </dev/null | openssl x509 "
                             "-noout -subject",
                             options, name);
    ck_assert_msg(good && strstr(client_said, subject), "%s: %s\n%s", name, subject, client_said);
}

static char *await_error(const char *text)
{
    char *log = log_await("logs/error.log", text);
    return log;
}

/* ---- names ---- */

START_TEST(each_name_its_certificate)
{
    make_named("one.test", "");
    make_named("two.test", "-newkey rsa:2048");
    serve_tls(NAMED SERVER);
    expect_answer("--cacert certs/one.test.crt", "one.test", "one.test ecdsa_secp256r1_sha256 .");
    expect_answer("--cacert certs/two.test.crt", "two.test", "two.test rsa_pss_rsae_sha256 .");
    expect_subject("-tls1_2", "one.test", "CN = one.test");
    expect_subject("-tls1_2", "two.test", "CN = two.test");
    expect_alert("", "three.test", "alert internal error");
    free(await_error("certs/three.test.crt\": open() failed (2: No such file or directory) while SSL handshaking, "
                     "client: 127.0.0.1"));
    make_named("three.test", ""); /* without a reload */
    expect_answer("", "three.test", "three.test");
    expect_alert("", "127.0.0.1", "alert internal error"); /* certs/.crt */
}
END_TEST

/* Of several pairs, the client's kind of key chooses. */
START_TEST(pairs_of_both_kinds)
{
    make_named("one.test", "");
    make_named("one.test-rsa", "-newkey rsa:2048");
    serve_tls(NAMED "ssl_certificate certs/$ssl_server_name-rsa.crt; ssl_certificate_key "
                    "certs/$ssl_server_name-rsa.key; ssl_early_data on;" SERVER);
    expect_answer("--tls-max 1.2 --ciphers ECDHE-RSA-AES128-GCM-SHA256", "one.test", "rsa_pss_rsae_sha256");
    expect_answer("--tls-max 1.2 --ciphers ECDHE-ECDSA-AES128-GCM-SHA256", "one.test", "ecdsa_secp256r1_sha256");
    expect_answer("", "one.test", "ecdsa_secp256r1_sha256");
}
END_TEST

/* A name out of map, the text itself, a constant pair beside, a relative path; a key with a password. */
START_TEST(values_of_all_kinds)
{
    char text[8000], *crt, *key;

    make_named("one.test", "");
    make_named("two.test", "-newkey rsa:2048");
    crt = site_read("certs/one.test.crt", NULL);
    key = site_read("certs/one.test.key", NULL);
    ck_assert(client_shell("openssl pkcs8 -topk8 -in certs/two.test.key -out locked.key -passout pass:third && "
                           "chmod 644 locked.key && printf 'first\\nsecond\\nthird\\n' >words"));
    snprintf(text, sizeof text,
             "@MAIN@ landlock_read @DIR@; events { } http { access_log off; "
             "map $ssl_server_name $crt { one.test 'data:%s'; default @DIR@/certs/two.test.crt; }\n"
             "map $ssl_server_name $key { one.test 'data:%s'; default locked.key; }\n"
             "ssl_certificate $crt; ssl_certificate_key $key; ssl_password_file words;\n"
             "ssl_certificate certs/two.test.crt; ssl_certificate_key certs/two.test.key; " SERVER " }",
             crt, key);
    site_conf(text);
    site_start();
    expect_answer("--cacert certs/one.test.crt", "one.test", "one.test ecdsa");
    expect_answer("--cacert certs/two.test.crt --tlsv1.3", "two.test", "two.test rsa_pss");
    free(crt);
    free(key);
}
END_TEST

/* That of the server that the name leads to; another server's is as it was. A session resumes. */
START_TEST(beside_other_servers)
{
    make_certificate("a", "-subj /CN=constant");
    make_named("x.var.test", "");
    serve_tls("server { listen 127.0.0.1:@PORT@ ssl; " PAIR " return 200 constant; }\n"
              "server { listen 127.0.0.1:@PORT@ ssl; server_name *.var.test; " NAMED
              " return 200 'variable $ssl_session_reused'; }");
    expect_answer("", "localhost", "constant");
    expect_answer("--cacert certs/x.var.test.crt", "x.var.test", "variable .");
    expect_subject("", "other.test", "CN = constant");
    ck_assert(client_shell("printf 'GET / HTTP/1.0\\r\\nHost: x.var.test\\r\\n\\r\\n' >ask; openssl s_client -quiet "
                           "-ign_eof -servername x.var.test -sess_out s -connect 127.0.0.1:@PORT@ <ask"));
    ck_assert(client_shell("rm certs/x.var.test.*; openssl s_client -quiet -ign_eof -servername x.var.test -sess_in s "
                           "-connect 127.0.0.1:@PORT@ <ask") &&
              strstr(client_said, "variable r"));
}
END_TEST

/* ---- what is refused ---- */

static const struct {
    const char *prepare, *error;
} refused[] = {
    {"cp certs/two.test.key certs/one.test.key", "cannot load certificate key \"@DIR@/certs/one.test.key\": it does "
                                                 "not belong to the certificate (SSL: error:05800074:"},
    {"rm certs/one.test.key", "cannot load certificate key \"@DIR@/certs/one.test.key\": open() failed (2: No such"},
    {"echo x >certs/one.test.key",
     "certs/one.test.key\": PEM_read_bio_PrivateKey() failed (SSL: error:1E08010C:DECODER routines::unsupported"},
    {": >certs/one.test.crt", "certs/one.test.crt\": PEM_read_bio_X509_AUX() failed (SSL: error:0480006C:PEM"},
    {"sed -i '$d' certs/one.test.crt; echo x >>certs/one.test.crt", "certs/one.test.crt\": PEM_read_bio_X509"},
    {"rm certs/one.test.crt; mkdir certs/one.test.crt", "certs/one.test.crt\": read() failed (21: Is a directory)"},
    {"rm certs/one.test.crt; mkfifo certs/one.test.crt", "certs/one.test.crt\": read() failed (22: Invalid argument)"},
    {"truncate -s 2M certs/one.test.crt", "certs/one.test.crt\": read() failed (27: File too large)"},
    {"openssl pkcs8 -topk8 -in certs/one.test.key -out k -passout pass:x; cat k >certs/one.test.key",
     "it needs a password, and there is no \"ssl_password_file\""},
};

START_TEST(bad_pairs)
{
    make_named("one.test", "");
    make_named("two.test", "");
    serve_tls("ssl_certificate_cache max=10; " NAMED SERVER);
    ck_assert(client_shell("%s", refused[_i].prepare));
    expect_alert("", "one.test", "alert internal error");
    free(await_error(site_text(refused[_i].error)));
    expect_answer("", "two.test", "two.test");
}
END_TEST

/* What a client says does not lead to other folders. */
START_TEST(names_stay_in_their_folder)
{
    make_certificate("a", "");
    make_named("one.test", "");
    serve_tls("ssl_certificate certs/../certs/$ssl_server_name.crt; ssl_certificate_key "
              "certs/../certs/$ssl_server_name.key; server { listen 127.0.0.1:@PORT@ ssl; }\n"
              "server { listen 127.0.0.1:@PORT1@ ssl; ssl_certificate certs/$ssl_server_name.crt; ssl_certificate_key "
              "certs/$ssl_server_name.key; }");
    expect_subject("", "one.test", "CN = one.test"); /* the configuration's own ".." */
    static const char *const names[] = {"..", "../a", "/etc/x", "./../a"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ck_assert(!client_shell("openssl s_client -servername '%s' -connect 127.0.0.1:@PORT1@ </dev/null | openssl "
                                "x509 -noout",
                                names[i]));
    }
    char *log = await_error("SSL handshaking");
    ck_assert(!strstr(log, "a.crt"));
    free(log);
}
END_TEST

/* Variables of a request are empty, none of them does harm. */
START_TEST(variables_of_no_request)
{
    serve_tls(
        "ssl_certificate '$uri$args$request_uri$request_method$request$host$http_host$status$body_bytes_sent"
        "$request_filename$document_root$cookie_x$arg_y$sent_http_date$request_time$request_id$remote_user"
        "$limit_rate$uid_got$content_length$proxy_protocol_addr$ssl_cipher$ssl_protocol$ssl_session_id"
        "$ssl_client_verify$ssl_client_cert$server_addr$server_port$remote_addr$connection$pipe$msec$upstream_addr"
        "$invalid_referer$gzip_ratio$is_args$query_string$scheme$https$realip_remote_addr$tcpinfo_rtt"
        "$request_length$time_local$hostname$pid$nginx_version$io_method$transport'; ssl_certificate_key "
        "x; " SERVER);
    for (int i = 0; i < 3; i++)
        expect_alert("", "one.test", "alert internal error");
    free(await_error("cannot load certificate \""));
}
END_TEST

/* ---- the cache ---- */

START_TEST(kept_in_memory)
{
    make_named("one.test", "");
    make_named("two.test", "");
    serve_tls("ssl_certificate_cache max=1 valid=1h inactive=1h; " NAMED SERVER);
    expect_subject("", "one.test", "CN = one.test");
    ck_assert(client_shell("mv certs/one.test.crt away.crt; mv certs/one.test.key away.key"));
    expect_subject("", "one.test", "CN = one.test");
    expect_subject("-tls1_2", "one.test", "CN = one.test");
    expect_subject("", "two.test", "CN = two.test"); /* in its place */
    expect_alert("", "one.test", "alert internal error");
    ck_assert(client_shell("mv away.crt certs/one.test.crt; mv away.key certs/one.test.key"));
    expect_subject("", "one.test", "CN = one.test"); /* that there was none is not kept */
}
END_TEST

/* After `valid` the files are looked at: what has changed is read, also one alone of both. */
START_TEST(changes_are_noticed)
{
    make_named("one.test", "");
    make_named("two.test", "");
    serve_tls("ssl_certificate_cache max=10 valid=0 inactive=1h; " NAMED SERVER);
    expect_subject("", "one.test", "CN = one.test");
    ck_assert(client_shell("openssl req -x509 -key certs/one.test.key -subj /CN=renewed -out certs/one.test.crt"));
    expect_subject("", "one.test", "CN = renewed");
    ck_assert(client_shell("cp certs/two.test.crt certs/one.test.crt; cp certs/two.test.key certs/one.test.key"));
    expect_subject("", "one.test", "CN = two.test");
    expect_subject("", "one.test", "CN = two.test");
    ck_assert(client_shell("touch -d '1 hour ago' certs/*"));
    expect_subject("", "one.test", "CN = two.test");
    expect_subject("", "one.test", "CN = two.test");
    ck_assert(client_shell("rm certs/one.test.key"));
    expect_alert("", "one.test", "alert internal error");
}
END_TEST

/* Off, which is the default: each handshake reads. */
START_TEST(not_kept)
{
    make_named("one.test", "");
    serve_tls(NAMED SERVER);
    expect_subject("", "one.test", "CN = one.test");
    ck_assert(client_shell("openssl req -x509 -key certs/one.test.key -subj /CN=renewed -out certs/one.test.crt"));
    expect_subject("", "one.test", "CN = renewed");
}
END_TEST

/* ---- who reads ---- */

/* The worker must be able to: what is root's alone is refused; a folder in the place of the one that
 * was granted is found by the opener. */
START_TEST(read_by_the_worker)
{
    make_named("one.test", "");
    ck_assert(client_shell("chmod 600 certs/one.test.key; chown 0 certs/one.test.key"));
    site_conf("user nobody nogroup; " HEAD NAMED SERVER " }");
    ck_assert(client_shell("chmod 755 . && chmod 777 logs"));
    site_start();
    expect_alert("", "one.test", "alert internal error");
    free(await_error("certs/one.test.key\": open() failed (13: Permission denied)"));
    ck_assert(client_shell("chmod 644 certs/one.test.key"));
    expect_answer("", "one.test", "one.test");
    ck_assert(client_shell("mv certs old && cp -a old certs"));
    expect_answer("", "one.test", "one.test");
}
END_TEST

/* Clients that go away while theirs is read; the worker ends with some under way. */
static void send_hello(struct raw_tls *raw)
{
    char byte;

    records_open(raw, site_port(0));
    SSL_set_tlsext_host_name(raw->ssl, "one.test");
    ck_assert_int_le(SSL_read(raw->ssl, &byte, 1), 0);
    records_flush(raw, 0);
}

START_TEST(clients_go_away)
{
    struct raw_tls waiting[20];

    make_named("one.test", "-newkey rsa:4096");
    serve_tls("ssl_certificate_cache max=2 valid=0; " NAMED SERVER);
    for (int i = 0; i < 200; i++) {
        struct raw_tls raw;
        send_hello(&raw);
        records_close(&raw);
    }
    expect_answer("", "one.test", "one.test");
    for (int i = 0; i < COUNT(waiting); i++) {
        send_hello(&waiting[i]);
        if (i == COUNT(waiting) / 2)
            site_kill(SIGHUP);
    }
    expect_answer("", "one.test", "one.test");
    for (int i = 0; i < COUNT(waiting); i++)
        records_close(&waiting[i]);
}
END_TEST

/* ---- the configuration ---- */

static const struct {
    const char *text, *error; /* NULL: it is taken */
} configurations[] = {
    {NAMED, NULL},
    {"ssl_certificate_cache off; " NAMED, NULL},
    {"ssl_certificate_cache max=1000 inactive=20s valid=1m; " NAMED, NULL},
    {"ssl_certificate_cache max=0;", "invalid parameter \"max=0\""},
    {"ssl_certificate_cache max=x;", "invalid parameter \"max=x\""},
    {"ssl_certificate_cache max=1 valid=x;", "invalid parameter \"valid=x\""},
    {"ssl_certificate_cache max=1 other=1;", "invalid parameter \"other=1\""},
    {"ssl_certificate_cache valid=1m;", "\"ssl_certificate_cache\" must have the \"max\" parameter"},
    {"ssl_certificate_cache max=1; ssl_certificate_cache off;", "\"ssl_certificate_cache\" directive is duplicate"},
    {"ssl_certificate $nothing; ssl_certificate_key x;", "unknown \"nothing\" variable in "},
    {"ssl_certificate a.crt; ssl_certificate_key ${x;", "invalid variable name in \"${x\""},
    {"ssl_certificate $ssl_server_name;", "no \"ssl_certificate_key\" is defined for certificate \"$ssl_server_name\""},
    {"ssl_password_file none; " NAMED, "cannot load passwords \"@DIR@/none\": open() failed"},
};

START_TEST(configurations_are_checked)
{
    char text[1000];
    snprintf(text, sizeof text, HEAD "server { listen 127.0.0.1:@PORT@ ssl; %s } }", configurations[_i].text);
    site_conf(text);
    struct site_run run;
    site_run(&run, "-t", "-c", site_path("sluice.conf"), NULL);
    const char *error = configurations[_i].error ? site_text(configurations[_i].error) : NULL;
    ck_assert_msg(run.status == (error ? 1 : 0) && (!error || strstr(run.err, error)), "%s", run.err);
}
END_TEST

Suite *suite_tls_variables(void)
{
    Suite *s = suite_create("tls_variables");
    if (!has_tls_clients("tls_variables"))
        return s;
    TCase *t = site_case(s, "names", 60);
    tcase_add_test(t, each_name_its_certificate);
    tcase_add_test(t, pairs_of_both_kinds);
    tcase_add_test(t, values_of_all_kinds);
    tcase_add_test(t, beside_other_servers);
    t = site_case(s, "refused", 60);
    tcase_add_loop_test(t, bad_pairs, 0, COUNT(refused));
    tcase_add_test(t, names_stay_in_their_folder);
    tcase_add_test(t, variables_of_no_request);
    t = site_case(s, "cache", 60);
    tcase_add_test(t, kept_in_memory);
    tcase_add_test(t, changes_are_noticed);
    tcase_add_test(t, not_kept);
    t = site_case(s, "worker", 120);
    if (geteuid() == 0)
        tcase_add_test(t, read_by_the_worker);
    else
        printf("  skip read_by_the_worker: only root has workers of another user\n");
    tcase_add_test(t, clients_go_away);
    t = site_case(s, "configuration", 30);
    tcase_add_loop_test(t, configurations_are_checked, 0, COUNT(configurations));
    return s;
}
