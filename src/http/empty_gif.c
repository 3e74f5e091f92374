/* empty_gif.c - one transparent pixel from memory. Called by static.c. See empty_gif.h. */
#include "http/empty_gif.h"

#include "http/core.h"
#include "http/precondition.h"
#include "http/respond.h"

enum { MTIME = 23349600 };

static const char gif[] = "GIF89a\1\0\1\0\x80\1\0\0\0\0\xff\xff\xff!\xf9\4\1\0\0\1\0,\0\0\0\0\1\0\1\0\0\2\2L\1\0;";

void empty_gif_respond(struct request *r)
{
    struct validators v = {TEXT_NONE, MTIME};

    /* Conditions are about what was asked for, not about a page in its place. */
    switch (r->error_status > 0 ? PRECONDITION_PROCEED
                                : precondition_check(&r->msg, &v, r->location->http->if_modified_since)) {
    case PRECONDITION_FAILED:
        respond_error(r, 412);
        return;
    case PRECONDITION_NOT_MODIFIED:
        respond_text(r, 304, TEXT_NONE, TEXT(""));
        break;
    case PRECONDITION_PROCEED:
        respond_text(r, 200, TEXT("image/gif"), TEXT(gif));
        break;
    }
    if (r->out.status != 200 && r->out.status != 304) /* in the place of something else: nothing to validate */
        return;
    if (!r->out.last_modified.at) /* add_header may have put its own there */
        r->out.last_modified = TEXT("Mon, 28 Sep 1970 06:00:00 GMT");
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

    (void)cf;
    if (l)
        l->empty_gif = ((const struct empty_gif_conf *)values)->on;
    return NULL;
}

struct conf_module empty_gif_module = {
    .name = "Empty GIF",
    .rows = rows,
    .size = sizeof(struct empty_gif_conf),
    .levels = CONF_HTTP_ALL,
    .finish = finish,
};
