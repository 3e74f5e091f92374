/* reply.c - whether a connection may bring another request after this one, and how a body without a
 * length ends. See reply.h. */
#include "http/h1/reply.h"

#include "base/clock.h"
#include "http/content/content.h"
#include "http/h1/parse.h"
#include "http/request/request.h"
#include "http/respond/headers.h"

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

static bool keeps_alive(const struct request *r, const struct framing *f)
{
    const struct http_conf *h = r->location->http;

    return f->keep_alive && h->keepalive_timeout.msec > 0 && r->ordinal < h->keepalive_requests &&
           clock_now.msec - r->client->since_msec < h->keepalive_time &&
           (!h->keepalive_disable || stays_open_for(r, h->keepalive_disable));
}

/* What is too large may still be on its way. */
static void end_after(struct reply *y, int fatal_status)
{
    y->close |= fatal_status != 0;
    y->lingers |= fatal_status == 413 || fatal_status == 414 || fatal_status == 431;
}

static struct text trailers_of(void *arg)
{
    return headers_trailers(arg);
}

static int add_chunks(struct request *r)
{
    struct response *o = &r->out;
    struct source *s = o->file.source;
    struct codec *codec;
    int rc = codec_chunked(&codec, o->plan.trailers ? trailers_of : NULL, r);

    if (rc == 0)
        rc = content_wrap(r, &s, codec, CONTENT_LIGHT, false);
    o->file = (struct sink_body){.source = s, .left = UINT64_MAX, .open_ended = true};
    return rc;
}

/* RFC 9112, 6.3 and 7.1: chunks, where the client knows them; else the end of the connection is
 * that of the body. */
static int frame_body(struct reply *y, struct request *r)
{
    const struct response *o = &r->out;

    if (o->no_length || r->head_only || !(o->unsized || o->plan.trailers))
        return 0;
    y->chunked = r->msg.protocol >= PROTOCOL_1_1 && r->location->http->chunked_transfer_encoding;
    y->close |= o->unsized && !y->chunked;
    return y->chunked ? add_chunks(r) : 0;
}

int reply_begin(struct reply *y, struct request *r, const struct framing *f)
{
    y->close |= !keeps_alive(r, f);
    end_after(y, r->fatal_status);
    int rc = content_begin(r);
    return rc < 0 ? rc : frame_body(y, r);
}
