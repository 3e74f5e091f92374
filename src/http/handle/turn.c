/* turn.c - see turn.h. Called by connection_send.c. */
#include "http/handle/turn.h"

#include "http/limit/limit_rate.h"
#include "http/worker/worker.h"

#include <errno.h>

static bool is_bulk(const struct request *r)
{
    return r->out.file.source && r->out.length >= BULK_LEAST;
}

/* Bytes of body that may go now: 0: no limit. False: not before others. */
static bool has_its_turn(struct request *r, uint64_t *cap)
{
    *cap = (uint64_t)r->location->io->sendfile_max_chunk;
    if (!is_bulk(r))
        return true;
    uint64_t share = bulk_share(&r->worker->bulk, &r->turn);
    if (*cap == 0 || share < *cap)
        *cap = share;
    return share > 0;
}

/* limit_rate lets some bytes go. */
static bool is_in_time(struct request *r)
{
    if (!r->paced || rate_may(r))
        return true;
    source_rest(r->out.file.source);
    return false;
}

bool turn_begin(struct request *r, uint64_t *cap)
{
    return is_in_time(r) && has_its_turn(r, cap);
}

/* A file may be rewritten in place while its response is under way, and what was sent of it before
 * is not part of what it is now. A client that got all bytes would not know, so that the last ones
 * are held back: it will see a response that was cut. Responses of one turn leave no time for
 * it. */
static bool is_mixture(const struct request *r, uint64_t cap)
{
    const struct response *o = &r->out;

    return o->stamped && (cap == 0 || o->file.left <= cap) && file_rewritten(r->file, &o->stamp);
}

/* Before its first bytes where it is large: a turn may be long enough for a rewrite. Else when the
 * first turn is over and there is more to come of what it began. */
static void stamp(struct request *r)
{
    struct response *o = &r->out;

    if (!o->stamped && o->file.source && o->file.source->method != IO_MEMORY && r->file)
        o->stamped = file_stamp(r->file, &o->stamp) == 0;
}

size_t turn_copy(struct request *r, char *to, size_t room)
{
    struct sink_body *body = &r->out.file;
    uint64_t most = (uint64_t)r->location->io->sendfile_max_chunk;
    bool ended;

    if (!body->source->ops->copy || r->paced)
        return 0;
    if (is_bulk(r))
        stamp(r);
    size_t n = source_copy(body->source, to, most > 0 && most < room ? (size_t)most : room, &ended);
    body->left -= n;
    body->sent += n;
    body->copied = n;
    return n;
}

static bool is_all_to_come(const struct request *r)
{
    const struct source *s = r->out.file.source;

    return r->out.file.sent == 0 && s && s->coherent;
}

enum sink_result turn_send(struct request *r, struct sink *k, struct text head, size_t *at, uint64_t cap)
{
    struct bulk *b = &r->worker->bulk;
    uint64_t before = k->sent, body = r->out.file.sent;

    if (r->paced)
        cap = rate_cap(r, cap);
    if (is_mixture(r, cap)) {
        r->out.file.source->error = -ESTALE;
        r->out.file.source->error_offset = -1; /* not a read error: no offset to report */
        return SINK_SOURCE_FAILED;
    }
    if (is_bulk(r))
        stamp(r);
    enum sink_result result = sink_body(k, head, at, &r->out.file, cap);
    if (r->paced)
        rate_took(r, r->out.file.sent - body);
    if (is_bulk(r))
        bulk_used(b, k->sent - before);
    else
        bulk_small_sent(b, k->sent - before);
    if (result != SINK_DONE && !is_all_to_come(r))
        stamp(r);
    return result;
}

bool turn_queue(struct request *r)
{
    if (is_bulk(r))
        bulk_queue(&r->worker->bulk, &r->turn);
    return is_bulk(r);
}

void turn_log_failure(struct request *r)
{
    const struct source *s = r->out.file.source;

    io_counters(r->worker->io)->cut++;
    if (s->error == -ESTALE && r->out.stamped && s->error_offset < 0)
        request_log(r, LEVEL_ALERT, 0, "file \"%s\" was rewritten while it was sent", r->file->path);
    else if (s->error == -ENODATA)
        request_log(r, LEVEL_ALERT, 0, "file \"%s\" was truncated while it was sent, at offset %lld",
                    r->file ? r->file->path : "", (long long)s->error_offset);
    else {
        if (r->worker->scoreboard)
            scoreboard_read_failed(r->worker->scoreboard, clock_now.msec);
        request_log(r, LEVEL_CRIT, -s->error, "reading \"%s\" at offset %lld failed", r->file ? r->file->path : "",
                    (long long)s->error_offset);
    }
}
