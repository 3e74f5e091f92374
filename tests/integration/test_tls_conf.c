/* test_tls_conf.c - the directives ssl_*: which certificate, protocol and cipher a client meets, what
 * becomes of its own certificate, and what is said of a configuration that will not do. The clients
 * are curl and openssl(1); what they ask for is answered with the connection's variables. */
#include "../certificate.h"
#include "harness.h"
#include "transport_tls.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- clients ---- */

static char said[64 * 1024];

/* What a command prints, in the site's folder. @PORT@ is the port. Whether it succeeds. */
static bool shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static bool shell(const char *format, ...)
{
    char command[4000], all[8500];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    snprintf(all, sizeof all, "cd '%s' && { %s; } 2>&1", site_dir(), site_text(command));
    FILE *f = popen(all, "r");
    ck_assert_ptr_nonnull(f);
    size_t len = fread(said, 1, sizeof said - 1, f);
    said[len] = '\0';
    return pclose(f) == 0;
}

/* https://NAME:@PORT@/ by curl, with further options; what it prints is the body. */
#define CURL "curl -s --max-time 20 --resolve '*:@PORT@:127.0.0.1'"

static void expect_answer(const char *options, const char *name, const char *text)
{
    bool good = shell(CURL " -k %s https://%s:@PORT@/", options, name);
    ck_assert_msg(good && strstr(said, text), "%s %s: %s\n%s", options, name, text, said);
}

/* The handshake fails; curl names the alert. */
static void expect_alert(const char *options, const char *name, const char *alert)
{
    bool good = shell(CURL " -kS %s https://%s:@PORT@/", options, name);
    ck_assert_msg(!good && strstr(said, alert), "%s %s: %s\n%s", options, name, alert, said);
}

/* ---- certificates ---- */

static void make(const char *name, const char *options)
{
    certificate_make(site_dir(), name, options);
}

/* Signed by the authority ca.crt. */
static void make_client(const char *name, const char *subject)
{
    openssl(site_dir(), "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout %s.key -out %s.csr -subj '%s'",
            name, name, subject);
    openssl(site_dir(), "x509 -req -in %s.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out %s.crt -days 60", name,
            name);
}

static void make_clients(void)
{
    make("a", "");
    make("ca", "-subj /O=Authority -addext basicConstraints=critical,CA:TRUE");
    make("stranger", "-subj /CN=stranger");
    make_client("client", "/O=House/CN=Client, the first");
    make_client("gone", "/CN=gone");
}

#define PAIR "ssl_certificate a.crt; ssl_certificate_key a.key;"
#define HEAD "@MAIN@ events { } http { access_log off; "
#define ALL  "$ssl_protocol $ssl_cipher $ssl_curve $ssl_sigalg $ssl_server_name $server_name"

static void serve(const char *http)
{
    char text[8000];
    snprintf(text, sizeof text, HEAD "%s }", http);
    site_conf(text);
    site_start();
}

/* ---- which server ---- */

static void serve_names(void)
{
    make("a", "");
    make("b", "-newkey rsa:2048 -subj /CN=b.test -addext subjectAltName=DNS:b.test,DNS:*.b.test");
    serve(PAIR " server { listen 127.0.0.1:@PORT@ ssl; server_name localhost; return 200 '" ALL "'; }\n"
               "server { listen 127.0.0.1:@PORT@ ssl; server_name b.test *.b.test; ssl_certificate b.crt; "
               "ssl_certificate_key b.key; ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-CHACHA20-POLY1305; "
               "ssl_ecdh_curve P-384; return 200 '" ALL "'; }\n"
               "server { listen 127.0.0.1:@PORT@ ssl; server_name ~^re(?<n>\\d+)\\.test$; ssl_protocols TLSv1.3; "
               "ssl_conf_command Ciphersuites TLS_CHACHA20_POLY1305_SHA256; ssl_conf_command Groups P-521; "
               "return 200 '" ALL " $n'; }\n"
               "server { listen 127.0.0.1:@PORT@ ssl; server_name no.test; ssl_reject_handshake on; }");
}

/* Protocols, ciphers, groups and certificate are those of the server that is named, before anything
 * is agreed on. */
START_TEST(names_choose_servers)
{
    serve_names();
    expect_answer("", "localhost", "TLSv1.3 TLS_AES_256_GCM_SHA384 X25519 ecdsa_secp256r1_sha256 localhost localhost");
    expect_answer("", "other.test", "X25519 ecdsa_secp256r1_sha256 other.test localhost");
    expect_answer("", "127.0.0.1", "X25519 ecdsa_secp256r1_sha256  localhost");
    expect_answer("", "b.test", "TLSv1.2 ECDHE-RSA-CHACHA20-POLY1305 secp384r1 rsa_pss_rsae_sha256 b.test b.test");
    expect_answer("", "X.B.test", "TLSv1.2 ECDHE-RSA-CHACHA20-POLY1305 secp384r1");
    expect_answer("", "re7.test", "TLSv1.3 TLS_CHACHA20_POLY1305_SHA256 secp521r1 ecdsa_secp256r1_sha256 re7.test");
    expect_answer("-H 'Host: re8.test'", "localhost", "X25519 ecdsa_secp256r1_sha256 localhost ~^re");
    expect_alert("", "no.test", "unrecognized name");
    expect_alert("--tls-max 1.2", "re7.test", "alert protocol version");
    expect_alert("--tlsv1.3", "b.test", "alert protocol version");
    ck_assert(shell(CURL " --cacert b.crt https://b.test:@PORT@/ https://y.b.test:@PORT@/ && " CURL
                         " --cacert a.crt https://localhost:@PORT@/"));
    char *log = log_await("logs/error.log", "unrecognized name) while SSL handshaking");
    free(log);
}
END_TEST

START_TEST(unknown_names_are_rejected)
{
    make("a", "");
    serve("server { listen 127.0.0.1:@PORT@ ssl default_server; ssl_reject_handshake on; }\n"
          "server { listen 127.0.0.1:@PORT@ ssl; server_name localhost; " PAIR " return 200 here; }");
    expect_answer("", "localhost", "here");
    expect_alert("", "other.test", "unrecognized name");
    expect_alert("", "127.0.0.1", "unrecognized name");
}
END_TEST

/* A client that knows one kind of key alone gets the certificate with such a key. */
START_TEST(certificates_of_both_kinds)
{
    make("a", "");
    make("r", "-newkey rsa:2048");
    serve("ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256; " PAIR
          " ssl_certificate r.crt; ssl_certificate_key r.key; ssl_protocols TLSv1.2 TLSv1.3; "
          "server { listen 127.0.0.1:@PORT@ ssl; return 200 '" ALL "'; }");
    expect_answer("--tls-max 1.2 --ciphers ECDHE-RSA-AES128-GCM-SHA256", "localhost", "TLSv1.2 ECDHE-RSA-AES128");
    expect_answer("--tls-max 1.2 --ciphers ECDHE-ECDSA-AES128-GCM-SHA256", "localhost", "TLSv1.2 ECDHE-ECDSA-AES128");
    expect_answer("", "localhost", "ecdsa_secp256r1_sha256");
    ck_assert_msg(
        shell("printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -sigalgs RSA-PSS+SHA256 -connect "
              "127.0.0.1:@PORT@") &&
            strstr(said, "rsa_pss_rsae_sha256"),
        "%s", said);
}
END_TEST

START_TEST(keys_with_passwords)
{
    make("a", "");
    openssl(site_dir(), "pkey -in a.key -aes128 -passout pass:secret -out locked.key");
    site_write("passwords", "first\nsecret\nthird");
    serve("server { listen 127.0.0.1:@PORT@ ssl; ssl_certificate a.crt; ssl_certificate_key locked.key; "
          "ssl_password_file passwords; return 200 opened; }");
    expect_answer("", "localhost", "opened");
}
END_TEST

/* The order of ciphers: the client's, unless the server's is preferred. */
START_TEST(order_of_ciphers)
{
    make("a", "");
    serve(PAIR
          " ssl_protocols TLSv1.2; ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256; server "
          "{ listen 127.0.0.1:@PORT@ ssl; server_name client.test; return 200 $ssl_cipher; } server { listen "
          "127.0.0.1:@PORT@ ssl; server_name server.test; ssl_prefer_server_ciphers on; return 200 $ssl_cipher; }");
    const char *options = "--ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384";
    expect_answer(options, "client.test", "ECDHE-ECDSA-AES128-GCM-SHA256");
    expect_answer(options, "server.test", "ECDHE-ECDSA-AES256-GCM-SHA384");
}
END_TEST

START_TEST(ephemeral_dh)
{
    make("a", "-newkey rsa:2048");
    openssl(site_dir(), "dhparam -out dh.pem -dsaparam 2048");
    serve(PAIR " ssl_protocols TLSv1.2; ssl_dhparam dh.pem; ssl_ciphers DHE-RSA-AES128-GCM-SHA256; server { listen "
               "127.0.0.1:@PORT@ ssl; return 200 $ssl_cipher; }");
    expect_answer("", "localhost", "DHE-RSA-AES128-GCM-SHA256");
}
END_TEST

START_TEST(protocols_of_applications)
{
    make("a", "");
    serve(PAIR " server { listen 127.0.0.1:@PORT@ ssl; return 200 \"<$ssl_alpn_protocol>\"; }");
    expect_answer("--http1.1", "localhost", "<http/1.1>");
    expect_answer("--no-alpn", "localhost", "<>");
    ck_assert(!shell("openssl s_client -alpn spdy/1 -connect 127.0.0.1:@PORT@ </dev/null"));
    ck_assert_msg(strstr(said, "no application protocol"), "%s", said);
}
END_TEST

/* ---- early data ---- */

/* A request that comes with the first message of a resumed handshake. */
static void ask_early(const char *request)
{
    shell("printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -connect 127.0.0.1:@PORT@ -sess_out session");
    site_write("early", request);
    /* Its input ends when the answer is there. */
    shell("mkfifo -m 600 hold 2>/dev/null; (exec 3<>hold; timeout 20 openssl s_client -quiet -connect 127.0.0.1:@PORT@ "
          "-sess_in session -early_data early <&3 >answer 2>&1 & pid=$!; until grep -q '>\\|425' answer 2>/dev/null; "
          "do sleep "
          "0.05; done; kill $pid; wait) ; cat answer; rm -f answer");
}

static void serve_early(const char *more)
{
    char text[1000];
    make("a", "");
    site_write("html/f", "<f>");
    snprintf(text, sizeof text,
             PAIR " server { listen 127.0.0.1:@PORT@ ssl; %s root html; location / { return 200 "
                  "\"<early:$ssl_early_data $ssl_session_reused>\"; } location = /f { } }",
             more);
    serve(text);
}

START_TEST(early_requests)
{
    serve_early("ssl_early_data on;");
    ask_early("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert_msg(strstr(said, "<early:1 r>"), "%s", said);
    ask_early("GET /f HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert_msg(strstr(said, "<f>"), "%s", said);
    ask_early("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: b\r\n\r\n");
    ck_assert_msg(strstr(said, "<early:1 r>"), "%s", said);
    ask_early("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    ck_assert_msg(strstr(said, "HTTP/1.1 425") && !strstr(said, "<early"), "%s", said);
    expect_answer("", "localhost", "<early: .>");
    free(log_await("logs/error.log", "client sent a request that is not safe to repeat as early data"));
}
END_TEST

/* Without the directive it is thrown away, and what is asked again is answered. */
START_TEST(early_requests_are_off)
{
    serve_early("");
    shell("printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -connect 127.0.0.1:@PORT@ -sess_out session");
    ck_assert(shell("openssl sess_id -in session -noout -text") && !strstr(said, "Max Early Data: 16384"));
}
END_TEST

/* ---- client certificates ---- */

#define CLIENT "--cert client.crt --key client.key"

static void serve_clients(void)
{
    make_clients();
    site_write("index.txt", "");
    site_write("crl.cnf", "[ca]\ndefault_ca=a\n[a]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=30\n");
    openssl(site_dir(), "ca -config crl.cnf -revoke gone.crt -keyfile ca.key -cert ca.crt");
    openssl(site_dir(), "ca -config crl.cnf -gencrl -keyfile ca.key -cert ca.crt -out crl.pem");
    serve(PAIR
          " ssl_client_certificate ca.crt; server { listen 127.0.0.1:@PORT@ ssl; server_name plain.test; return 200 "
          "\"plain $ssl_client_verify\"; }\n"
          "server { listen 127.0.0.1:@PORT@ ssl; server_name on.test; ssl_verify_client on; ssl_crl crl.pem; "
          "return 200 \"on $ssl_client_verify $ssl_client_s_dn\"; }\n"
          "server { listen 127.0.0.1:@PORT@ ssl; server_name optional.test; ssl_verify_client optional; "
          "return 200 \"optional $ssl_client_verify\"; }\n"
          "server { listen 127.0.0.1:@PORT@ ssl; server_name any.test; ssl_verify_client optional_no_ca; "
          "return 200 \"any $ssl_client_verify $ssl_client_i_dn\"; }\n"
          "server { listen 127.0.0.1:@PORT@ ssl; server_name page.test; ssl_verify_client on; "
          "error_page 495 /bad; error_page 496 =403 /none; location = /bad { return 200 'bad $status'; } "
          "location = /none { return 200 none; } location / { return 200 in; } }");
}

START_TEST(client_certificates)
{
    serve_clients();
    expect_answer("", "plain.test", "plain NONE");
    expect_answer(CLIENT, "on.test", "on SUCCESS CN=Client\\, the first,O=House");
    expect_answer("-w '%{http_code}'", "on.test", "<center>No required SSL certificate was sent</center>");
    ck_assert_ptr_nonnull(strstr(said, "</html>\r\n400"));
    expect_answer("--cert gone.crt --key gone.key", "on.test", "<center>The SSL certificate error</center>");
    expect_answer("--cert stranger.crt --key stranger.key", "on.test", "<center>The SSL certificate error</center>");
    expect_answer("", "optional.test", "optional NONE");
    expect_answer(CLIENT, "optional.test", "optional SUCCESS");
    expect_answer("--cert stranger.crt --key stranger.key", "optional.test", "400 The SSL certificate error");
    expect_answer("", "any.test", "any NONE");
    expect_answer("--cert stranger.crt --key stranger.key", "any.test",
                  "any FAILED:self-signed certificate CN=stranger");
    expect_answer("--cert stranger.crt --key stranger.key", "page.test", "bad");
    expect_answer("-w ' %{http_code}'", "page.test", "none 403");
    expect_answer(CLIENT, "page.test", "in");
    char *log =
        log_await("logs/error.log", "client sent no required SSL certificate while reading client request headers");
    ck_assert_ptr_nonnull(strstr(log, "client SSL certificate verify error: (23:certificate revoked) while"));
    ck_assert_ptr_nonnull(strstr(log, "client SSL certificate verify error: (18:self-signed certificate) while"));
    free(log);
}
END_TEST

/* Nobody reaches a server with client certificates over the handshake of another one; the other way
 * is open. */
START_TEST(host_of_another_server)
{
    serve_clients();
    expect_answer("-w ' %{http_code}' -H 'Host: on.test'", "plain.test", "421 Misdirected Request");
    expect_answer("-w ' %{http_code}' -H 'Host: on.test' " CLIENT, "optional.test", "421 Misdirected Request");
    expect_answer("-w ' %{http_code}' -H 'Host: on.test'", "127.0.0.1", "421 Misdirected Request");
    expect_answer("-H 'Host: plain.test' " CLIENT, "on.test", "plain SUCCESS");
    expect_answer("-H 'Host: on.test' " CLIENT, "on.test", "on SUCCESS");
}
END_TEST

/* A session of one server is none of another. */
START_TEST(sessions_stay_with_their_server)
{
    const char *protocol = _i == 0 ? "-tls1_2" : "-tls1_3";
    static const char ask[] =
        "printf 'GET / HTTP/1.0\\r\\nHost: %s\\r\\n\\r\\n' | openssl s_client -quiet %s -servername %s "
        "-connect 127.0.0.1:@PORT@ -cert client.crt -key client.key -sess_%s session";
    make_clients();
    serve(PAIR " ssl_session_cache builtin; ssl_client_certificate ca.crt; server { listen 127.0.0.1:@PORT@ ssl; "
               "server_name one.test; return 200 '<$server_name $ssl_session_reused>'; } server { listen "
               "127.0.0.1:@PORT@ ssl; server_name two.test; ssl_verify_client on; return 200 '<$server_name "
               "$ssl_session_reused>'; }");
    shell(ask, "one.test", protocol, "one.test", "out");
    ck_assert_msg(strstr(said, "<one.test .>"), "%s", said);
    shell(ask, "one.test", protocol, "one.test", "in");
    ck_assert_msg(strstr(said, "<one.test r>"), "%s", said);
    shell(ask, "two.test", protocol, "two.test", "in");
    ck_assert_msg(strstr(said, "<two.test .>"), "%s", said);
    shell(ask, "two.test", protocol, "two.test", "out");
    shell(ask, "two.test", protocol, "two.test", "in");
    ck_assert_msg(strstr(said, "<two.test r>"), "%s", said);
    shell(ask, "one.test", protocol, "one.test", "in");
    ck_assert_msg(strstr(said, "<one.test .>"), "%s", said);
}
END_TEST

static char *decode(const char *text)
{
    char *out = malloc(strlen(text) + 1), *to = out;
    ck_assert_ptr_nonnull(out);
    for (; *text; text++) {
        unsigned byte;
        if (*text == '%' && sscanf(text + 1, "%2x", &byte) == 1) {
            *to++ = (char)byte;
            text += 2;
        } else {
            *to++ = *text;
        }
    }
    *to = '\0';
    return out;
}

/* What openssl(1) says of the same certificate. */
START_TEST(variables_of_a_client)
{
    static const struct {
        const char *variable, *command;
    } all[] = {
        {"ssl_client_serial", "openssl x509 -in client.crt -noout -serial | sed 's/serial=//'"},
        {"ssl_client_fingerprint",
         "openssl x509 -in client.crt -noout -fingerprint -sha1 | sed 's/.*=//; s/://g' | tr A-F a-f"},
        {"ssl_client_s_dn", "openssl x509 -in client.crt -noout -subject -nameopt RFC2253 | sed 's/subject=//'"},
        {"ssl_client_i_dn", "openssl x509 -in client.crt -noout -issuer -nameopt RFC2253 | sed 's/issuer=//'"},
        {"ssl_client_s_dn_legacy", "echo '/O=House/CN=Client, the first'"},
        {"ssl_client_i_dn_legacy", "echo '/O=Authority'"},
        {"ssl_client_v_start", "openssl x509 -in client.crt -noout -startdate | sed 's/notBefore=//'"},
        {"ssl_client_v_end", "openssl x509 -in client.crt -noout -enddate | sed 's/notAfter=//'"},
        {"ssl_client_raw_cert", "openssl x509 -in client.crt"},
        {"ssl_client_cert", "openssl x509 -in client.crt | sed '2,$s/^/\\t/'"},
        {"ssl_client_verify", "echo SUCCESS"},
        {"ssl_client_v_remain", "echo 59"},
        {"ssl_client_sigalg", "echo ecdsa_secp256r1_sha256"},
    };
    char text[3000] =
        PAIR " ssl_client_certificate ca.crt; ssl_verify_client on; server { listen 127.0.0.1:@PORT@ ssl;";
    make_clients();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), " location = /%s { return 200 $%s; }",
                 all[i].variable, all[i].variable);
    strcat(text, " location = /escaped { return 200 $ssl_client_escaped_cert; } }");
    serve(text);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        bool same = shell("test \"$(" CURL " -k " CLIENT " https://localhost:@PORT@/%s)\" = \"$(%s)\"", all[i].variable,
                          all[i].command);
        ck_assert_msg(same, "%s", all[i].variable);
    }
    ck_assert(shell(CURL " -k " CLIENT " https://localhost:@PORT@/escaped"));
    char *pem = site_read("client.crt", NULL), *decoded = decode(said);
    ck_assert_str_eq(decoded, strstr(pem, "-----BEGIN"));
    free(decoded);
    free(pem);
}
END_TEST

/* ---- operations ---- */

/* Keys that root alone can read are read by the master; its workers are somebody else. */
START_TEST(keys_of_root)
{
    make("a", "");
    ck_assert(shell("chmod 600 a.key"));
    serve("server { listen 127.0.0.1:@PORT@ ssl; " PAIR " location / { return 200 served; } location /a.key { root "
          "@DIR@; } }");
    expect_answer("", "localhost", "served");
}
END_TEST

static void change_certificate(const char *subject)
{
    make("a", subject);
}

/* A pair that does not fit changes nothing; a new one is in use after a reload. */
START_TEST(certificates_are_renewed)
{
    site_allow_alerts();
    make("other", "");
    change_certificate("-subj /CN=first");
    serve("server { listen 127.0.0.1:@PORT@ ssl; " PAIR " return 200 ok; }");
    static const char subject[] =
        "openssl s_client -connect 127.0.0.1:@PORT@ </dev/null | openssl x509 -noout -subject";
    ck_assert(shell(subject) && strstr(said, "CN = first"));
    ck_assert(shell("cp other.key a.key"));
    site_kill(SIGHUP);
    free(log_await("logs/error.log", "a.key\" does not belong to certificate"));
    ck_assert(shell(subject) && strstr(said, "CN = first"));
    change_certificate("-subj /CN=second");
    site_kill(SIGHUP);
    do {
        ck_assert(shell(subject));
    } while (!strstr(said, "CN = second"));
}
END_TEST

static const struct {
    const char *text, *error; /* NULL: it is taken; else a part of what is said */
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
    make("a", "");
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
    make("a", "");
    ck_assert(shell("chmod 600 a.key"));
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
    make("a", "");
    openssl(site_dir(), "dhparam -out dh.pem -dsaparam 2048");
    snprintf(text, sizeof text, "%s server { %s return 200 $ssl_protocol; }", others[_i].http, others[_i].server);
    replace(text, sizeof text, "/etc/ssl/certs/ssl-cert-snakeoil.pem", "@DIR@/a.crt");
    replace(text, sizeof text, "/etc/ssl/private/ssl-cert-snakeoil.key", "@DIR@/a.key");
    if (strstr(text, "/path/to/dhparam;"))
        replace(text, sizeof text, " /path/to/dhparam;", " @DIR@/dh.pem;");
    serve(text);
    expect_answer("", "localhost", others[_i].protocol);
    if (strstr(others[_i].server, "Strict"))
        ck_assert(
            shell(CURL " -kI https://localhost:@PORT@/ | grep -qi '^strict-transport-security: max-age=63072000'"));
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
    ck_assert(shell("mkdir -p live/%s", name));
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
    make_clients();
    make_live("www.example.org");
    make_live("api.example.org");
    site_write("srv/www/index.html", "www");
    site_write("srv/api/index.html", "api");
    site_write("srv/api/partners/index.html", "partners");
    site_write("srv/acme/.well-known/acme-challenge/token", "proof");
    start_recipes();
    expect_answer("", "www.example.org", "www");
    ck_assert(shell(CURL " -kI https://www.example.org:@PORT@/none | grep -qi '^strict-transport-security: max-age'"));
    expect_alert("", "other.example.org", "unrecognized name");
    expect_alert("--tls-max 1.2", "api.example.org", "alert protocol version");
    expect_answer("", "api.example.org", "api");
    ck_assert(shell(CURL " -k " CLIENT " https://api.example.org:@PORT@/partners/") && strcmp(said, "partners") == 0);
    ck_assert(shell(CURL " -k https://api.example.org:@PORT@/partners/") && strstr(said, "403 Forbidden"));
    ck_assert(shell(PLAIN, "/a?b") && strcmp(said, "301 https://www.example.org/a?b") == 0);
    ck_assert(shell(PLAIN, "/.well-known/acme-challenge/token") && strcmp(said, "200 ") == 0);
    /* The deploy hook's reload: a new certificate, and a download that goes on with the old one. */
    make_live("www.example.org");
    site_kill(SIGHUP);
    do {
        ck_assert(
            shell(CURL " --cacert live/www.example.org/fullchain.pem https://www.example.org:@PORT@/ || echo old"));
    } while (strcmp(said, "www") != 0);
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
    ck_assert(shell("openssl s_client -showcerts -connect 127.0.0.1:@PORT@ </dev/null | openssl x509 >self.crt"));
    ck_assert(shell(CURL " --cacert self.crt https://localhost:@PORT@/f.txt https://127.0.0.1:@PORT@/f.txt"));
    ck_assert_msg(strcmp(said, "texttext") == 0, "%s", said);
    ck_assert(shell("grep -qF \"SHA-256 $(openssl x509 -in self.crt -noout -fingerprint -sha256 | sed 's/.*=//')\" "
                    "logs/stderr && grep -qF ' at https://127.0.0.1:@PORT@/' logs/stderr"));
}
END_TEST

START_TEST(certificates_are_counted)
{
    make("a", "");
    make("b", "-days 3 -subj /CN=b.test");
    serve(PAIR " server { listen 127.0.0.1:@PORT@ ssl; server_name localhost; location / { status; } } server { listen "
               "127.0.0.1:@PORT@ ssl; server_name b.test; ssl_certificate b.crt; ssl_certificate_key b.key; } server { "
               "listen 127.0.0.1:@PORT1@ ssl; server_name b.test; }");
    for (const char *name = "a"; name; name = *name == 'a' ? "b" : NULL) {
        bool same = shell("test \"$(" CURL " -k https://localhost:@PORT@/?format=prometheus | sed -n "
                          "'s/^sluice_tls_certificate_not_after_seconds{server=\"%s\"} //p')\" = \"$(date +%%s -d \"$("
                          "openssl x509 -in %s.crt -noout -enddate | sed 's/notAfter=//')\")\"",
                          *name == 'a' ? "localhost" : "b.test", name);
        ck_assert_msg(same, "%s", name);
    }
    expect_answer("", "localhost", "sluice_tls_certificate_not_after_seconds{server=\"b.test\"}");
    ck_assert(shell(CURL " -k 'https://localhost:@PORT@/?format=json'") &&
              strstr(said, "\"certificates\":{\"localhost\":1"));
}
END_TEST

Suite *suite_tls_conf(void)
{
    Suite *s = suite_create("tls_conf");
    bool plain = strcmp(site_transport()->name, "plain") == 0;
    if (on_nginx() || !plain || !transport_tls()) {
        printf("  skip tls_conf: its clients are of its own, for a sluice with TLS\n");
        return s;
    }
    TCase *t = site_case(s, "servers", 30);
    tcase_add_test(t, names_choose_servers);
    tcase_add_test(t, unknown_names_are_rejected);
    tcase_add_test(t, certificates_of_both_kinds);
    tcase_add_test(t, keys_with_passwords);
    tcase_add_test(t, order_of_ciphers);
    tcase_add_test(t, ephemeral_dh);
    tcase_add_test(t, protocols_of_applications);
    t = site_case(s, "early", 60);
    tcase_add_test(t, early_requests);
    tcase_add_test(t, early_requests_are_off);
    t = site_case(s, "clients", 30);
    tcase_add_test(t, client_certificates);
    tcase_add_test(t, host_of_another_server);
    tcase_add_loop_test(t, sessions_stay_with_their_server, 0, 2);
    tcase_add_test(t, variables_of_a_client);
    t = site_case(s, "operations", 30);
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
