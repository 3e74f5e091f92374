/* keepalive.c - whether a connection may bring another request after this one. Called by connection_send.c and explain.c. */
#include "http/keepalive.h"

#include "base/clock.h"
#include "http/parse.h"
#include "http/request.h"

static bool names(struct text agent, const char *word)
{
    return agent.len > 0 && memmem(agent.at, agent.len, word, strlen(word)) != NULL;
}

/* nginx's way to tell MSIE 4 to 6, without the service pack that mended it. */
static bool is_msie6(struct text agent)
{
    const char *at = agent.len > 0 ? memmem(agent.at, agent.len, "MSIE ", 5) : NULL;

    if (!at || at + 7 >= agent.at + agent.len || at[6] != '.' || names(agent, "Opera"))
        return false;
    return at[5] == '4' || at[5] == '5' || (at[5] == '6' && !names(text_span(at + 8, agent.at + agent.len), "SV1"));
}

static bool is_safari(struct text agent)
{
    return !names(agent, "MSIE ") && !names(agent, "Opera") && !names(agent, "Gecko/") && !names(agent, "Chrome/") &&
           names(agent, "Safari/") && names(agent, "Mac OS X");
}

static bool stays_open_for(const struct request *r, unsigned disabled)
{
    struct text agent = r->msg.fields[FIELD_USER_AGENT];

    if ((disabled & KEEPALIVE_NOT_MSIE6) && r->msg.method == METHOD_POST && is_msie6(agent))
        return false;
    return !(disabled & KEEPALIVE_NOT_SAFARI) || !is_safari(agent);
}

bool keeps_alive(const struct request *r, const struct framing *f)
{
    const struct http_conf *h = r->location->http;

    return f->keep_alive && h->keepalive_timeout.msec > 0 && r->ordinal < h->keepalive_requests &&
           clock_now.msec - r->client->since_msec < h->keepalive_time &&
           (!h->keepalive_disable || stays_open_for(r, h->keepalive_disable));
}
