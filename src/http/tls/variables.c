/* variables.c - $ssl_...: facts of the connection. Not there on a plain one, as in nginx.
 * https://nginx.org/en/docs/http/ngx_http_ssl_module.html#variables */
#include "http/tls/variables.h"

#include "http/request/request.h"
#include "net/tls/tls_fact.h"

static void get_fact(struct request *r, const void *data, struct text *out)
{
    const struct tls *tls = r->client->tls;

    *out = tls ? tls_fact(tls, (enum tls_fact)(uintptr_t)data, &r->arena) : TEXT_NONE;
}

static void get_https(struct request *r, const void *data, struct text *out)
{
    (void)data;
    *out = r->client->tls ? TEXT("on") : TEXT("");
}

const struct variable_row tls_variables[] = {
    {"https", .get = get_https},
    {"ssl_alpn_protocol", .get = get_fact, .data = TLS_ALPN, .flags = VARIABLE_CHANGEABLE},
    {"ssl_cipher", .get = get_fact, .data = TLS_CIPHER, .flags = VARIABLE_CHANGEABLE},
    {"ssl_ciphers", .get = get_fact, .data = TLS_CIPHERS, .flags = VARIABLE_CHANGEABLE},
    {"ssl_client_cert", .get = get_fact, .data = TLS_CLIENT_CERT, .flags = VARIABLE_CHANGEABLE},
    {"ssl_client_escaped_cert", .get = get_fact, .data = TLS_CLIENT_ESCAPED_CERT, .flags = VARIABLE_CHANGEABLE},
    {"ssl_client_fingerprint", .get = get_fact, .data = TLS_CLIENT_FINGERPRINT, .flags = VARIABLE_CHANGEABLE},
    {"ssl_client_i_dn", .get = get_fact, .data = TLS_CLIENT_I_DN, .flags = VARIABLE_CHANGEABLE},
    {"ssl_client_i_dn_legacy", .get = get_fact, .data = TLS_CLIENT_I_DN_LEGACY, .flags = VARIABLE_CHANGEABLE},
    {"ssl_client_raw_cert", .get = get_fact, .data = TLS_CLIENT_RAW_CERT, .flags = VARIABLE_CHANGEABLE},
    {"ssl_client_s_dn", .get = get_fact, .data = TLS_CLIENT_S_DN, .flags = VARIABLE_CHANGEABLE},
    {"ssl_client_s_dn_legacy", .get = get_fact, .data = TLS_CLIENT_S_DN_LEGACY, .flags = VARIABLE_CHANGEABLE},
    {"ssl_client_serial", .get = get_fact, .data = TLS_CLIENT_SERIAL, .flags = VARIABLE_CHANGEABLE},
    {"ssl_client_sigalg", .get = get_fact, .data = TLS_CLIENT_SIGALG, .flags = VARIABLE_CHANGEABLE},
    {"ssl_client_v_end", .get = get_fact, .data = TLS_CLIENT_V_END, .flags = VARIABLE_CHANGEABLE},
    {"ssl_client_v_remain", .get = get_fact, .data = TLS_CLIENT_V_REMAIN, .flags = VARIABLE_CHANGEABLE},
    {"ssl_client_v_start", .get = get_fact, .data = TLS_CLIENT_V_START, .flags = VARIABLE_CHANGEABLE},
    {"ssl_client_verify", .get = get_fact, .data = TLS_CLIENT_VERIFY, .flags = VARIABLE_CHANGEABLE},
    {"ssl_curve", .get = get_fact, .data = TLS_CURVE, .flags = VARIABLE_CHANGEABLE},
    {"ssl_curves", .get = get_fact, .data = TLS_CURVES, .flags = VARIABLE_CHANGEABLE},
    {"ssl_early_data", .get = get_fact, .data = TLS_EARLY_DATA, .flags = VARIABLE_CHANGEABLE},
    {"ssl_protocol", .get = get_fact, .data = TLS_PROTOCOL, .flags = VARIABLE_CHANGEABLE},
    {"ssl_server_name", .get = get_fact, .data = TLS_SERVER_NAME, .flags = VARIABLE_CHANGEABLE},
    {"ssl_session_id", .get = get_fact, .data = TLS_SESSION_ID, .flags = VARIABLE_CHANGEABLE},
    {"ssl_session_reused", .get = get_fact, .data = TLS_SESSION_REUSED, .flags = VARIABLE_CHANGEABLE},
    {"ssl_sigalg", .get = get_fact, .data = TLS_SIGALG, .flags = VARIABLE_CHANGEABLE},
    {.name = NULL},
};
