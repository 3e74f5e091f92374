/* empty_gif.c - one transparent pixel from memory. Called by steps.c. See empty_gif.h. */
#include "http/respond/empty_gif.h"

#include "http/core/core.h"
#include "http/respond/headers.h"
#include "http/respond/respond.h"
#include "http/respond/validators.h"

static const char gif[] = "GIF89a\1\0\1\0\x80\1\0\0\0\0\xff\xff\xff!\xf9\4\1\0\0\1\0,\0\0\0\0\1\0\1\0\0\2\2L\1\0;";

static const struct text date = {"Mon, 28 Sep 1970 06:00:00 GMT", CLOCK_HTTP_LEN};

/* Conditions are about what was asked for, not about a page in its place. */
static enum precondition check(struct request *r)
{
    struct response *o = &r->out;

    if (r->error_status > 0 || !precondition_asked(&r->msg))
        return PRECONDITION_PROCEED;
    o->last_modified = date;
    headers_foresee(r, false);
    struct validators v = validators_of(r);
    return precondition_check(&r->msg, &v, r->location->http->if_modified_since);
}

/* With its date (add_header may put another in its place), unless this stands in for something
 * else. A 304 has the fields of its 200, so that both begin alike. */
static void respond(struct request *r, int status)
{
    respond_text(r, status, TEXT("image/gif"), TEXT(gif));
    if (r->out.status == status)
        r->out.last_modified = date;
}

void empty_gif_respond(struct request *r)
{
    switch (check(r)) {
    case PRECONDITION_FAILED:
        respond_error(r, 412);
        break;
    case PRECONDITION_NOT_MODIFIED:
        respond(r, 304);
        break;
    case PRECONDITION_PROCEED:
        respond(r, 200);
        break;
    }
}

static const char *set_empty_gif(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row, (void)slot;
    ((struct empty_gif_conf *)conf_values(cf->block, &empty_gif_module))->on = true;
    return NULL;
}

static const struct conf_row rows[] = {
    {"empty_gif", CONF_LOCATION, CONF_TAKE0, set_empty_gif,
     .help = "Answers with a GIF of one transparent pixel, from memory."},
    {.name = NULL},
};

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    struct location *l = location_of(block);

    const struct empty_gif_conf *conf = values;

    (void)cf;
    if (block->context == CONF_IF) /* it stands in the location around, and holds here too */
        conf = conf_values(block->parent, &empty_gif_module);
    if (l)
        l->empty_gif = conf->on;
    return NULL;
}

struct conf_module empty_gif_module = {
    .name = "Empty GIF",
    .rows = rows,
    .size = sizeof(struct empty_gif_conf),
    .levels = CONF_HTTP_ALL,
    .finish = finish,
};
