/* tls_client.c - runs curl and openssl(1). See tls_client.h. */
#include "tls_client.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- clients ---- */

char client_said[CLIENT_SAID];

bool client_shell(const char *format, ...)
{
    char command[4000], all[8500];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    snprintf(all, sizeof all, "cd '%s' && { %s; } 2>&1", site_dir(), site_text(command));
    FILE *f = popen(all, "r");
    ck_assert_ptr_nonnull(f);
    size_t len = fread(client_said, 1, sizeof client_said - 1, f);
    client_said[len] = '\0';
    return pclose(f) == 0;
}

void expect_answer(const char *options, const char *name, const char *text)
{
    bool good = client_shell(CURL " -k %s https://%s:@PORT@/", options, name);
    ck_assert_msg(good && strstr(client_said, text), "%s %s: %s\n%s", options, name, text, client_said);
}

void expect_alert(const char *options, const char *name, const char *alert)
{
    bool good = client_shell(CURL " -kS %s https://%s:@PORT@/", options, name);
    ck_assert_msg(!good && strstr(client_said, alert), "%s %s: %s\n%s", options, name, alert, client_said);
}

/* ---- certificates ---- */

void make_certificate(const char *name, const char *options)
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

void make_client_certificates(void)
{
    make_certificate("a", "");
    make_certificate("ca", "-subj /O=Authority -addext basicConstraints=critical,CA:TRUE");
    make_certificate("stranger", "-subj /CN=stranger");
    make_client("client", "/O=House/CN=Client, the first");
    make_client("gone", "/CN=gone");
}

void serve_tls(const char *http)
{
    char text[8000];
    snprintf(text, sizeof text, HEAD "%s }", http);
    site_conf(text);
    site_start();
}

bool has_tls_clients(const char *suite)
{
    bool plain = strcmp(site_transport()->name, "plain") == 0;

    if (!on_nginx() && plain && transport_tls())
        return true;
    printf("  skip %s: its clients are of its own, for a sluice with TLS\n", suite);
    return false;
}
