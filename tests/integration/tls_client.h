/* tls_client.h - what the suites about TLS share: curl and openssl(1) as clients, certificates, and a
 * server for them. */
#ifndef TLS_CLIENT_H
#define TLS_CLIENT_H

#include "../certificate.h"
#include "harness.h"
#include "transport_tls.h"

/* What a command prints, in the site's folder; @PORT@ is the port. Whether it succeeds. */
enum { CLIENT_SAID = 64 * 1024 };
extern char client_said[CLIENT_SAID];
bool client_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* https://NAME:@PORT@/ by curl, with further options: the body holds `text`; or the handshake fails,
 * and curl names the alert. */
#define CURL "curl -s --max-time 20 --resolve '*:@PORT@:127.0.0.1'"
void expect_answer(const char *options, const char *name, const char *text);
void expect_alert(const char *options, const char *name, const char *alert);

/* NAME.crt and NAME.key in the site's folder; options as for certificate_make(). */
void make_certificate(const char *name, const char *options);

/* a.crt for the server; client.crt and gone.crt of the authority ca.crt, and stranger.crt of none. */
void make_client_certificates(void);

#define PAIR   "ssl_certificate a.crt; ssl_certificate_key a.key;"
#define CLIENT "--cert client.crt --key client.key"
#define HEAD   "@MAIN@ events { } http { access_log off; "

void serve_tls(const char *http); /* HEAD, this and a brace; started */

/* False, with a line that says so: these suites are for a sluice with TLS, with clients of their
 * own. */
bool has_tls_clients(const char *suite);

#endif
