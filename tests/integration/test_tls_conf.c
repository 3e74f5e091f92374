/* test_tls_conf.c - the directives ssl_*: which certificate, protocol and cipher a client meets, and
 * what becomes of its own certificate. What the clients ask for is answered with the connection's
 * variables. */
#include "tls_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL "$ssl_protocol $ssl_cipher $ssl_curve $ssl_sigalg $ssl_server_name $server_name"

/* ---- which server ---- */

static void serve_names(void)
{
    make_certificate("a", "");
    make_certificate("b", "-newkey rsa:2048 -subj /CN=b.test -addext subjectAltName=DNS:b.test,DNS:*.b.test");
    serve_tls(PAIR " server { listen 127.0.0.1:@PORT@ ssl; server_name localhost; return 200 '" ALL "'; }\n"
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
    ck_assert(client_shell(CURL " --cacert b.crt https://b.test:@PORT@/ https://y.b.test:@PORT@/ && " CURL
                                " --cacert a.crt https://localhost:@PORT@/"));
    char *log = log_await("logs/error.log", "unrecognized name) while SSL handshaking");
    free(log);
}
END_TEST

START_TEST(unknown_names_are_rejected)
{
    make_certificate("a", "");
    serve_tls("server { listen 127.0.0.1:@PORT@ ssl default_server; ssl_reject_handshake on; }\n"
              "server { listen 127.0.0.1:@PORT@ ssl; server_name localhost; " PAIR " return 200 here; }");
    expect_answer("", "localhost", "here");
    expect_alert("", "other.test", "unrecognized name");
    expect_alert("", "127.0.0.1", "unrecognized name");
}
END_TEST

/* A client that knows one kind of key alone gets the certificate with such a key. */
START_TEST(certificates_of_both_kinds)
{
    make_certificate("a", "");
    make_certificate("r", "-newkey rsa:2048");
    serve_tls("ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256; " PAIR
              " ssl_certificate r.crt; ssl_certificate_key r.key; ssl_protocols TLSv1.2 TLSv1.3; "
              "server { listen 127.0.0.1:@PORT@ ssl; return 200 '" ALL "'; }");
    expect_answer("--tls-max 1.2 --ciphers ECDHE-RSA-AES128-GCM-SHA256", "localhost", "TLSv1.2 ECDHE-RSA-AES128");
    expect_answer("--tls-max 1.2 --ciphers ECDHE-ECDSA-AES128-GCM-SHA256", "localhost", "TLSv1.2 ECDHE-ECDSA-AES128");
    expect_answer("", "localhost", "ecdsa_secp256r1_sha256");
    ck_assert_msg(
        client_shell("printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -sigalgs RSA-PSS+SHA256 -connect "
                     "127.0.0.1:@PORT@") &&
            strstr(client_said, "rsa_pss_rsae_sha256"),
        "%s", client_said);
}
END_TEST

/* What no transport here does is said, and does no harm. */
START_TEST(kernel_tls_is_not_used)
{
    make_certificate("a", "");
    serve_tls(PAIR " ssl_conf_command Options KTLS; server { listen 127.0.0.1:@PORT@ ssl; return 200 '$transport'; }");
    expect_answer("", "localhost", "tls");
    char *log = log_await("logs/error.log", "kernel TLS is not used, \"Options KTLS\" is without effect in ");
    free(log);
}
END_TEST

START_TEST(keys_with_passwords)
{
    make_certificate("a", "");
    openssl(site_dir(), "pkey -in a.key -aes128 -passout pass:secret -out locked.key");
    site_write("passwords", "first\nsecret\nthird");
    serve_tls("server { listen 127.0.0.1:@PORT@ ssl; ssl_certificate a.crt; ssl_certificate_key locked.key; "
              "ssl_password_file passwords; return 200 opened; }");
    expect_answer("", "localhost", "opened");
}
END_TEST

/* The order of ciphers: the client's, unless the server's is preferred. */
START_TEST(order_of_ciphers)
{
    make_certificate("a", "");
    serve_tls(PAIR
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
    make_certificate("a", "-newkey rsa:2048");
    openssl(site_dir(), "dhparam -out dh.pem -dsaparam 2048");
    serve_tls(PAIR " ssl_protocols TLSv1.2; ssl_dhparam dh.pem; ssl_ciphers DHE-RSA-AES128-GCM-SHA256; server { listen "
                   "127.0.0.1:@PORT@ ssl; return 200 $ssl_cipher; }");
    expect_answer("", "localhost", "DHE-RSA-AES128-GCM-SHA256");
}
END_TEST

START_TEST(protocols_of_applications)
{
    make_certificate("a", "");
    serve_tls(PAIR " server { listen 127.0.0.1:@PORT@ ssl; return 200 \"<$ssl_alpn_protocol>\"; }");
    expect_answer("--http1.1", "localhost", "<http/1.1>");
    expect_answer("--no-alpn", "localhost", "<>");
    ck_assert(!client_shell("openssl s_client -alpn spdy/1 -connect 127.0.0.1:@PORT@ </dev/null"));
    ck_assert_msg(strstr(client_said, "no application protocol"), "%s", client_said);
}
END_TEST

/* ---- early data ---- */

/* A request that comes with the first message of a resumed handshake. */
static void ask_early(const char *request)
{
    client_shell(
        "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -connect 127.0.0.1:@PORT@ -sess_out session");
    site_write("early", request);
    /* Its input ends when the answer is there. */
    client_shell(
        "mkfifo -m 600 hold 2>/dev/null; (exec 3<>hold; timeout 20 openssl s_client -quiet -connect 127.0.0.1:@PORT@ "
        "-sess_in session -early_data early <&3 >answer 2>&1 & pid=$!; until grep -q '>\\|425' answer 2>/dev/null; "
        "do sleep "
        "0.05; done; kill $pid; wait) ; cat answer; rm -f answer");
}

static void serve_early(const char *more)
{
    char text[1000];
    make_certificate("a", "");
    site_write("html/f", "<f>");
    snprintf(text, sizeof text,
             PAIR " server { listen 127.0.0.1:@PORT@ ssl; %s root html; location / { return 200 "
                  "\"<early:$ssl_early_data $ssl_session_reused>\"; } location = /f { } }",
             more);
    serve_tls(text);
}

START_TEST(early_requests)
{
    serve_early("ssl_early_data on;");
    ask_early("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert_msg(strstr(client_said, "<early:1 r>"), "%s", client_said);
    ask_early("GET /f HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert_msg(strstr(client_said, "<f>"), "%s", client_said);
    ask_early("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: b\r\n\r\n");
    ck_assert_msg(strstr(client_said, "<early:1 r>"), "%s", client_said);
    ask_early("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    ck_assert_msg(strstr(client_said, "HTTP/1.1 425 Too Early\r\n") && !strstr(client_said, "<early"), "%s",
                  client_said);
    expect_answer("", "localhost", "<early: .>");
    free(log_await("logs/error.log", "client sent a request that is not safe to repeat as early data"));
}
END_TEST

/* Without the directive it is thrown away, and what is asked again is answered. */
START_TEST(early_requests_are_off)
{
    serve_early("");
    client_shell(
        "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -connect 127.0.0.1:@PORT@ -sess_out session");
    ck_assert(client_shell("openssl sess_id -in session -noout -text") &&
              !strstr(client_said, "Max Early Data: 16384"));
}
END_TEST

/* ---- client certificates ---- */

static void serve_clients(void)
{
    make_client_certificates();
    site_write("index.txt", "");
    site_write("crl.cnf", "[ca]\ndefault_ca=a\n[a]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=30\n");
    openssl(site_dir(), "ca -config crl.cnf -revoke gone.crt -keyfile ca.key -cert ca.crt");
    openssl(site_dir(), "ca -config crl.cnf -gencrl -keyfile ca.key -cert ca.crt -out crl.pem");
    serve_tls(
        PAIR " ssl_client_certificate ca.crt; server { listen 127.0.0.1:@PORT@ ssl; server_name plain.test; return 200 "
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
    ck_assert_ptr_nonnull(strstr(client_said, "</html>\r\n400"));
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
    make_client_certificates();
    serve_tls(PAIR " ssl_session_cache builtin; ssl_client_certificate ca.crt; server { listen 127.0.0.1:@PORT@ ssl; "
                   "server_name one.test; return 200 '<$server_name $ssl_session_reused>'; } server { listen "
                   "127.0.0.1:@PORT@ ssl; server_name two.test; ssl_verify_client on; return 200 '<$server_name "
                   "$ssl_session_reused>'; }");
    client_shell(ask, "one.test", protocol, "one.test", "out");
    ck_assert_msg(strstr(client_said, "<one.test .>"), "%s", client_said);
    client_shell(ask, "one.test", protocol, "one.test", "in");
    ck_assert_msg(strstr(client_said, "<one.test r>"), "%s", client_said);
    client_shell(ask, "two.test", protocol, "two.test", "in");
    ck_assert_msg(strstr(client_said, "<two.test .>"), "%s", client_said);
    client_shell(ask, "two.test", protocol, "two.test", "out");
    client_shell(ask, "two.test", protocol, "two.test", "in");
    ck_assert_msg(strstr(client_said, "<two.test r>"), "%s", client_said);
    client_shell(ask, "one.test", protocol, "one.test", "in");
    ck_assert_msg(strstr(client_said, "<one.test .>"), "%s", client_said);
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
    make_client_certificates();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), " location = /%s { return 200 $%s; }",
                 all[i].variable, all[i].variable);
    strcat(text, " location = /escaped { return 200 $ssl_client_escaped_cert; } }");
    serve_tls(text);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        /* All of its 60 days remain in the second in which it was made. */
        bool same = client_shell("test \"$(" CURL " -k " CLIENT
                                 " https://localhost:@PORT@/%s | sed 's/^60$/59/')\" = \"$(%s)\"",
                                 all[i].variable, all[i].command);
        ck_assert_msg(same, "%s", all[i].variable);
    }
    ck_assert(client_shell(CURL " -k " CLIENT " https://localhost:@PORT@/escaped"));
    char *pem = site_read("client.crt", NULL), *decoded = decode(client_said);
    ck_assert_str_eq(decoded, strstr(pem, "-----BEGIN"));
    free(decoded);
    free(pem);
}
END_TEST

Suite *suite_tls_conf(void)
{
    Suite *s = suite_create("tls_conf");
    if (!has_tls_clients("tls_conf"))
        return s;
    TCase *t = site_case(s, "servers", 30);
    tcase_add_test(t, names_choose_servers);
    tcase_add_test(t, unknown_names_are_rejected);
    tcase_add_test(t, certificates_of_both_kinds);
    tcase_add_test(t, kernel_tls_is_not_used);
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
    return s;
}
