/* account.c - see account.h. Called by connection.c and connection_send.c. */
#include "http/log/account.h"

#include "http/log/access_log.h"
#include "http/request/request.h"
#include "http/worker/worker.h"

/* `return 444` has a status for the log, and no response. */
static unsigned status_class(const struct request *r)
{
    unsigned class = (unsigned)r->out.status / 100;

    return class < STATUS_CLASSES && !r->silent ? class : 0;
}

static void tell(struct request *r)
{
    struct counters *n = r->worker->counters;
    struct source *source = r->out.file.source;

    r->logged = true;
    if (source) {
        r->out.method = source->method;
        r->io_wait_msec = source_waited_msec(source);
    }
    n->io.responses[r->out.method]++;
    n->io.bytes[r->out.method] += r->body_sent;
    n->io.wait_msec += (uint64_t)r->io_wait_msec;
    n->statuses[status_class(r)]++;
    n->received += r->received;
    n->sent += r->head_len + r->body_sent;
    access_log_write(r);
}

void account_complete(struct request *r)
{
    r->complete = !r->silent;
    r->body_sent = r->out.file.source ? r->out.file.sent : r->out.body.len;
    tell(r);
}

void account_cut(struct request *r, int status)
{
    if (r->logged)
        return;
    if (r->step == STEP_READY)
        r->body_sent = r->out.file.source ? r->out.file.sent : 0;
    else if (r->out.status == 0)
        r->out.status = status;
    tell(r);
}
