/* test_tls_sites.c - sites with TLS in operation: keys, renewed certificates, what is said of a
 * configuration that will not do; configurations that others write, conf/examples/tls.conf, and
 * `sluice DIR --tls`. */
#include "tls_client.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- operations ---- */

/* Keys that root alone can read are read by the master; its workers are somebody else. */
START_TEST(keys_of_root)
{
    make_certificate("a", "");
    ck_assert(client_shell("chmod 600 a.key"));
    serve_tls("server { listen 127.0.0.1:@PORT@ ssl; " PAIR " location / { return 200 served; } location /a.key { root "
              "@DIR@; } }");
    expect_answer("", "localhost", "served");
}
END_TEST

static void change_certificate(const char *subject)
{
    make_certificate("a", subject);
}

/* A pair that does not fit changes nothing; a new one is in use after a reload. */
START_TEST(certificates_are_renewed)
{
    site_allow_alerts();
    make_certificate("other", "");
    change_certificate("-subj /CN=first");
    serve_tls("server { listen 127.0.0.1:@PORT@ ssl; " PAIR " return 200 ok; }");
    static const char subject[] =
        "openssl s_client -connect 127.0.0.1:@PORT@ </dev/null | openssl x509 -noout -subject";
    ck_assert(client_shell(subject) && strstr(client_said, "CN = first"));
    ck_assert(client_shell("cp other.key a.key"));
    site_kill(SIGHUP);
    free(log_await("logs/error.log", "a.key\" does not belong to certificate"));
    ck_assert(client_shell(subject) && strstr(client_said, "CN = first"));
    change_certificate("-subj /CN=second");
    site_kill(SIGHUP);
    do {
        ck_assert(client_shell(subject));
    } while (!strstr(client_said, "CN = second"));
}
END_TEST

static const struct {
    const char *text, *error; /* NULL: it is taken; else a part of what is client_said */
} configurations[] = {
    {"server { listen 127.0.0.1:@PORT@ ssl; " PAIR " }", NULL},
    {"server { listen 127.0.0.1:@PORT@ ssl;\n}",
     "no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive"},
    {"server { listen 127.0.0.1:@PORT@ ssl; ssl_reject_handshake on; } server { listen 127.0.0.1:@PORT@ ssl; "
     "server_name b; }",
     "no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive"},
    {"server { listen 127.0.0.1:@PORT@ ssl; " PAIR " } server { listen 127.0.0.1:@PORT@ ssl; server_name b; }", NULL},
    {"server { listen 127.0.0.1:@PORT@ ssl; ssl_certificate none.crt; ssl_certificate_key a.key; }",
     "none.crt\": open() failed (2: No such file or directory) in "},
    {"server { listen 127.0.0.1:@PORT@; ssl_certificate none.crt; ssl_certificate_key a.key; }",
     "none.crt\": open() failed (2: No such file or directory) in "},
    {"server { listen 127.0.0.1:@PORT@ ssl; " PAIR " location / { ssl_protocols TLSv1.2; } }",
     "\"ssl_protocols\" directive is not allowed here"},
    {"server { listen 127.0.0.1:@PORT@ ssl; " PAIR " ssl_engine x; }", "\"ssl_engine\" directive is not supported"},
    {"server { listen 127.0.0.1:@PORT@ ssl; " PAIR " ssl_ech_file x; }", "Encrypted Client Hello is in no OpenSSL"},
    {"server { listen 127.0.0.1:@PORT@ ssl; " PAIR " ssl on; }", "write \"listen ... ssl\""},
};

START_TEST(configurations_are_checked)
{
    char text[2000];
    make_certificate("a", "");
    snprintf(text, sizeof text, HEAD "%s }", configurations[_i].text);
    site_conf(text);
    struct site_run run;
    site_run(&run, "-t", "-c", site_path("sluice.conf"), NULL);
    const char *error = configurations[_i].error;
    ck_assert_msg(run.status == (error ? 1 : 0) && (!error || strstr(run.err, error)), "%s", run.err);
}
END_TEST

static const struct {
    const char *text, *warning;
} warnings[] = {
    {"server_name localhost;", NULL},
    {"server_name localhost www.test;", "a.crt\" is not for the server name \"www.test\" in "},
    {"server_name *.test;", "a.crt\" is not for the server name \"*.test\" in "},
    {"server_name _;", NULL},
    {"server_name \"\" ~^x www.*;", NULL},
    {"server_name www.test; ssl_reject_handshake on;", NULL},
};

START_TEST(names_are_checked)
{
    char text[2000];
    make_certificate("a", "");
    ck_assert(client_shell("chmod 600 a.key"));
    snprintf(text, sizeof text, HEAD "server { listen 127.0.0.1:@PORT@ ssl; " PAIR " %s } }", warnings[_i].text);
    site_conf(text);
    struct site_run run;
    site_run(&run, "-t", "-c", site_path("sluice.conf"), NULL);
    const char *warning = warnings[_i].warning;
    ck_assert_msg(run.status == 0 && !strstr(run.err, "[warn]") == !warning && (!warning || strstr(run.err, warning)),
                  "%s", run.err);
}
END_TEST

/* ---- what others write ---- */

/* A text with every `from` replaced. */
static void replace(char *text, size_t size, const char *from, const char *to)
{
    char *copy = strdup(text), *out = text;
    ck_assert_msg(strstr(copy, from) != NULL, "there is no \"%s\"", from);
    for (const char *at = copy, *next; at; at = next ? next + strlen(from) : NULL) {
        next = strstr(at, from);
        out += snprintf(out, size - (size_t)(out - text), "%.*s%s", next ? (int)(next - at) : (int)strlen(at), at,
                        next ? to : "");
    }
    free(copy);
}

/* As they stand in the packages and generators, but for paths and ports. */
static const struct {
    const char *what, *http, *server;
    const char *protocol; /* that curl and it agree on */
} others[] = {
    {"Debian's nginx.conf and snippets/snakeoil.conf",
     "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; # Dropping SSLv3, ref: POODLE\n\tssl_prefer_server_ciphers on;\n",
     "\tlisten 127.0.0.1:@PORT@ ssl default_server;\n\t# Self signed certificates generated by the ssl-cert package\n"
     "# Don't use them in a production server!\n\nssl_certificate /etc/ssl/certs/ssl-cert-snakeoil.pem;\n"
     "ssl_certificate_key /etc/ssl/private/ssl-cert-snakeoil.key;\n",
     "TLSv1.3"},
    {"Mozilla's intermediate profile", "",
     "    listen 127.0.0.1:@PORT@ ssl http2;\n"
     "    ssl_certificate /etc/ssl/certs/ssl-cert-snakeoil.pem;\n"
     "    ssl_certificate_key /etc/ssl/private/ssl-cert-snakeoil.key;\n"
     "    ssl_session_timeout 1d;\n"
     "    ssl_session_cache shared:MozSSL:10m;  # about 40000 sessions\n"
     "    ssl_session_tickets off;\n\n"
     "    # curl https://ssl-config.mozilla.org/ffdhe2048.txt > /path/to/dhparam\n"
     "    ssl_dhparam /path/to/dhparam;\n\n"
     "    # intermediate configuration\n"
     "    ssl_protocols TLSv1.2 TLSv1.3;\n"
     "    ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
     "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
     "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305;\n"
     "    ssl_prefer_server_ciphers off;\n\n"
     "    # HSTS (ngx_http_headers_module is required) (63072000 seconds)\n"
     "    add_header Strict-Transport-Security \"max-age=63072000\" always;\n\n"
     "    # OCSP stapling\n    ssl_stapling on;\n    ssl_stapling_verify on;\n\n"
     "    # verify chain of trust of OCSP response using Root CA and Intermediate certs\n"
     "    ssl_trusted_certificate /etc/ssl/certs/ssl-cert-snakeoil.pem;\n\n"
     "    # replace with the IP address of your resolver\n    resolver 127.0.0.1;\n",
     "TLSv1.3"},
    {"h5bp's tls/",
     "ssl_protocols TLSv1.2 TLSv1.3;\nssl_ciphers EECDH+CHACHA20:EECDH+AES;\n"
     "ssl_ecdh_curve X25519:prime256v1:secp521r1:secp384r1;\nssl_buffer_size 4k;\nssl_session_timeout 24h;\n"
     "ssl_session_cache shared:SSL:10m;\nssl_session_tickets off;\nssl_early_data off;\nhttp2 on;\n",
     "  listen 127.0.0.1:@PORT@ ssl;\n  resolver\n  # Cloudflare DNS\n  1.1.1.1 1.0.0.1 [2606:4700:4700::1111] "
     "valid=60s;\n  resolver_timeout 2s;\n  ssl_stapling on;\n  ssl_stapling_verify on;\n"
     "  ssl_certificate /etc/ssl/certs/ssl-cert-snakeoil.pem;\n"
     "  ssl_certificate_key /etc/ssl/private/ssl-cert-snakeoil.key;\n",
     "TLSv1.3"},
};

START_TEST(configurations_of_others)
{
    char text[6000];
    make_certificate("a", "");
    openssl(site_dir(), "dhparam -out dh.pem -dsaparam 2048");
    snprintf(text, sizeof text, "%s server { %s return 200 $ssl_protocol; }", others[_i].http, others[_i].server);
    replace(text, sizeof text, "/etc/ssl/certs/ssl-cert-snakeoil.pem", "@DIR@/a.crt");
    replace(text, sizeof text, "/etc/ssl/private/ssl-cert-snakeoil.key", "@DIR@/a.key");
    if (strstr(text, "/path/to/dhparam;"))
        replace(text, sizeof text, " /path/to/dhparam;", " @DIR@/dh.pem;");
    serve_tls(text);
    expect_answer("", "localhost", others[_i].protocol);
    if (strstr(others[_i].server, "Strict"))
        ck_assert(client_shell(
            CURL " -kI https://localhost:@PORT@/ | grep -qi '^strict-transport-security: max-age=63072000'"));
    expect_answer("--tls-max 1.2", "localhost", "TLSv1.2");
}
END_TEST

/* conf/examples/tls.conf, and the client of its authority. */
static void start_recipes(void)
{
    static char text[16384];
    FILE *f = fopen("conf/examples/tls.conf", "r");
    ck_assert_ptr_nonnull(f);
    text[fread(text, 1, sizeof text / 2, f)] = '\0';
    fclose(f);
    replace(text, sizeof text, "worker_processes auto;\nerror_log /var/log/sluice/error.log;\npid /run/sluice.pid;",
            "@MAIN@");
    replace(text, sizeof text, "/var/log/sluice/", "@DIR@/logs/");
    replace(text, sizeof text, "/srv/", "@DIR@/srv/");
    replace(text, sizeof text, "/etc/letsencrypt/live/", "@DIR@/live/");
    replace(text, sizeof text, "/etc/sluice/clients.pem", "@DIR@/ca.crt");
    replace(text, sizeof text, "listen 443", "listen 127.0.0.1:@PORT@");
    replace(text, sizeof text, "listen 80", "listen 127.0.0.1:@PORT1@");
    site_write("mime.types", "types { text/html html; text/plain txt; }");
    site_conf(text);
    site_start();
}

static void make_live(const char *name)
{
    ck_assert(client_shell("mkdir -p live/%s", name));
    openssl(site_dir(),
            "req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout live/%s/privkey.pem -out "
            "live/%s/fullchain.pem -days 60 -subj /CN=%s -addext subjectAltName=DNS:%s",
            name, name, name, name);
}

#define PLAIN                                                                                                          \
    "curl -s --max-time 20 -o /dev/null -w '%%{http_code} %%{redirect_url}' -H 'Host: www.example.org' "               \
    "http://127.0.0.1:@PORT1@%s"

START_TEST(recipes)
{
    make_client_certificates();
    make_live("www.example.org");
    make_live("api.example.org");
    site_write("srv/www/index.html", "www");
    site_write("srv/api/index.html", "api");
    site_write("srv/api/partners/index.html", "partners");
    site_write("srv/acme/.well-known/acme-challenge/token", "proof");
    start_recipes();
    expect_answer("", "www.example.org", "www");
    ck_assert(
        client_shell(CURL " -kI https://www.example.org:@PORT@/none | grep -qi '^strict-transport-security: max-age'"));
    expect_alert("", "other.example.org", "unrecognized name");
    expect_alert("--tls-max 1.2", "api.example.org", "alert protocol version");
    expect_answer("", "api.example.org", "api");
    ck_assert(client_shell(CURL " -k " CLIENT " https://api.example.org:@PORT@/partners/") &&
              strcmp(client_said, "partners") == 0);
    ck_assert(client_shell(CURL " -k https://api.example.org:@PORT@/partners/") &&
              strstr(client_said, "403 Forbidden"));
    ck_assert(client_shell(PLAIN, "/a?b") && strcmp(client_said, "301 https://www.example.org/a?b") == 0);
    ck_assert(client_shell(PLAIN, "/.well-known/acme-challenge/token") && strcmp(client_said, "200 ") == 0);
    /* The deploy hook's reload: a new certificate, and a download that goes on with the old one. */
    make_live("www.example.org");
    site_kill(SIGHUP);
    do {
        ck_assert(client_shell(
            CURL " --cacert live/www.example.org/fullchain.pem https://www.example.org:@PORT@/ || echo old"));
    } while (strcmp(client_said, "www") != 0);
}
END_TEST

/* ---- at once ---- */

/* `sluice DIR --tls`: the fingerprint that is printed is that of the certificate, which is for
 * localhost, and is made anew at each start. */
START_TEST(directory_over_tls)
{
    char port[16], dir[512], log[512], *argv[] = {"sluice", dir, "-l", port, "-e", log, "--tls", NULL};

    site_write("html/f.txt", "text");
    snprintf(port, sizeof port, "%d", site_port(0));
    snprintf(dir, sizeof dir, "%s", site_path("html"));
    snprintf(log, sizeof log, "%s", site_path("logs/error.log"));
    site_start_args(argv);
    site_await_port(site_port(0));
    free(log_await("logs/stderr", "Ctrl-C stops."));
    ck_assert(
        client_shell("openssl s_client -showcerts -connect 127.0.0.1:@PORT@ </dev/null | openssl x509 >self.crt"));
    ck_assert(client_shell(CURL " --cacert self.crt https://localhost:@PORT@/f.txt https://127.0.0.1:@PORT@/f.txt"));
    ck_assert_msg(strcmp(client_said, "texttext") == 0, "%s", client_said);
    ck_assert(
        client_shell("grep -qF \"SHA-256 $(openssl x509 -in self.crt -noout -fingerprint -sha256 | sed 's/.*=//')\" "
                     "logs/stderr && grep -qF ' at https://127.0.0.1:@PORT@/' logs/stderr"));
}
END_TEST

START_TEST(certificates_are_counted)
{
    make_certificate("a", "");
    make_certificate("b", "-days 3 -subj /CN=b.test");
    serve_tls(PAIR
              " server { listen 127.0.0.1:@PORT@ ssl; server_name localhost; location / { status; } } server { listen "
              "127.0.0.1:@PORT@ ssl; server_name b.test; ssl_certificate b.crt; ssl_certificate_key b.key; } server { "
              "listen 127.0.0.1:@PORT1@ ssl; server_name b.test; }");
    for (const char *name = "a"; name; name = *name == 'a' ? "b" : NULL) {
        bool same =
            client_shell("test \"$(" CURL " -k https://localhost:@PORT@/?format=prometheus | sed -n "
                         "'s/^sluice_tls_certificate_not_after_seconds{server=\"%s\"} //p')\" = \"$(date +%%s -d \"$("
                         "openssl x509 -in %s.crt -noout -enddate | sed 's/notAfter=//')\")\"",
                         *name == 'a' ? "localhost" : "b.test", name);
        ck_assert_msg(same, "%s", name);
    }
    expect_answer("", "localhost", "sluice_tls_certificate_not_after_seconds{server=\"b.test\"}");
    ck_assert(client_shell(CURL " -k 'https://localhost:@PORT@/?format=json'") &&
              strstr(client_said, "\"certificates\":{\"localhost\":1"));
}
END_TEST

Suite *suite_tls_sites(void)
{
    Suite *s = suite_create("tls_sites");
    if (!has_tls_clients("tls_sites"))
        return s;
    TCase *t = site_case(s, "operations", 30);
    tcase_add_test(t, keys_of_root);
    tcase_add_test(t, certificates_are_renewed);
    tcase_add_test(t, certificates_are_counted);
    tcase_add_test(t, directory_over_tls);
    tcase_add_loop_test(t, configurations_are_checked, 0, sizeof configurations / sizeof *configurations);
    tcase_add_loop_test(t, names_are_checked, 0, sizeof warnings / sizeof *warnings);
    t = site_case(s, "others", 30);
    tcase_add_loop_test(t, configurations_of_others, 0, sizeof others / sizeof *others);
    tcase_add_test(t, recipes);
    return s;
}
