/* check.c - client certificates that are missing or not valid; servers that another handshake was
 * for; early requests that may not be repeated. See check.h. RFC 9110, 15.5.20; RFC 8470, 5.2 */
#include "http/tls/check.h"

#include "http/request/request.h"
#include "net/tls/tls_fact.h"

static int refuse(struct request *r, int status, const char *why)
{
    request_log_doing(r, LEVEL_INFO, 0, "reading client request headers", "%s", why);
    return status;
}

static int check_certificate(struct request *r, int verify)
{
    const struct tls *tls = r->client->tls;
    const char *why = "";
    enum tls_client state = tls_client_state(tls, verify == TLS_VERIFY_ANY, &r->arena, &why);

    if (state == TLS_CLIENT_BAD) {
        const char *line = arena_printf(&r->arena, "client SSL certificate verify error: %s", why ? why : "");
        tls_forget_session(tls);
        return refuse(r, 495, line ? line : "client SSL certificate verify error");
    }
    if (state == TLS_CLIENT_VALID || verify != TLS_VERIFY_ON)
        return 0;
    tls_forget_session(tls);
    return refuse(r, 496, "client sent no required SSL certificate");
}

/* What may be repeated by somebody who has only listened. */
static bool is_repeatable(const struct request *r)
{
    return r->msg.method == METHOD_GET || r->msg.method == METHOD_HEAD;
}

int tls_check(struct request *r)
{
    const struct tls *tls = r->client->tls;
    int verify = r->server->tls->verify_client;

    if (r->client->plain_on_tls)
        return refuse(r, 497, "client sent plain HTTP request to HTTPS port");
    if (!tls)
        return 0;
    if (verify != TLS_VERIFY_OFF && r->server->tls_context && !tls_is_of(tls, r->server->tls_context))
        return refuse(r, 421, "client attempted to request the server name different from the one that was negotiated");
    int status = verify == TLS_VERIFY_OFF ? 0 : check_certificate(r, verify);
    if (status == 0 && !is_repeatable(r) && tls_fact(tls, TLS_EARLY_DATA, &r->arena).at)
        status = refuse(r, 425, "client sent a request that is not safe to repeat as early data");
    return status;
}
