/* access.c - the access phase: rules for addresses, names and passwords, and what `satisfy` makes
 * of both. See access.h.
 *
 * After an internal redirect the request comes here again, and the new location decides. */
#include "http/access/access.h"

#include "http/access/access_conf.h"
#include "http/access/auth.h"
#include "http/respond/respond.h"
#include "http/variable/climb.h"
#include "http/variable/variable.h"
#include "http/worker/worker.h"

#include <errno.h>

/* What the step remembers while it waits; in the request's arena. */
struct access_wait {
    struct request *request;
    struct auth_job *job; /* NULL: none is under way */
    struct deadline delay;
    bool delayed, over; /* by auth_delay */
    bool asked;
    enum auth_outcome outcome;
};

/* What one of the two says. */
enum verdict { ASIDE, MAY, WAIT, FORBIDDEN = 403, UNAUTHORIZED = 401, FAILED = 500, BUSY = 503 };

/* ---- a name and a password ---- */

static struct access_wait *wait_of(struct request *r)
{
    if (!r->access) {
        r->access = arena_zalloc(&r->arena, sizeof *r->access);
        if (r->access)
            r->access->request = r;
    }
    return r->access;
}

/* WWW-Authenticate: it stays on the response through error_page. */
static enum verdict challenge(struct request *r, struct text realm)
{
    char *text = arena_printf(&r->arena, "Basic realm=\"%.*s\"", TEXT_ARG(realm));

    if (!text)
        return FAILED;
    r->challenge = text_of(text);
    return UNAUTHORIZED;
}

/* Absent: no memory. */
static struct text user_file_of(struct request *r, const struct user_file *f)
{
    struct text path = template_text(f->path, r);

    if (path.at && f->beside && !text_starts(path, TEXT("/")))
        path = text_of(arena_printf(&r->arena, "%s%.*s", f->beside, TEXT_ARG(path)));
    return path;
}

static enum verdict end_auth(struct request *r, const struct access_wait *w, const struct access_conf *a,
                             struct text realm, int error)
{
    struct credentials c = {.user = TEXT("")};

    if (w->outcome == AUTH_GOOD)
        return MAY;
    struct text file = user_file_of(r, &a->user_file);
    auth_credentials(r, &c);
    switch (w->outcome) {
    case AUTH_GOOD:
        break;
    case AUTH_NO_USER:
        request_log(r, LEVEL_ERROR, 0, "user \"%.*s\" was not found in \"%.*s\"", TEXT_ARG(c.user), TEXT_ARG(file));
        return challenge(r, realm);
    case AUTH_UNKNOWN_SCHEME:
        request_log(r, LEVEL_ERROR, 0, "user \"%.*s\": unsupported password hash in \"%.*s\"", TEXT_ARG(c.user),
                    TEXT_ARG(file));
        return challenge(r, realm);
    case AUTH_NO_CREDENTIALS:
    case AUTH_MISMATCH:
        request_log(r, LEVEL_ERROR, 0, "user \"%.*s\": password mismatch", TEXT_ARG(c.user));
        return challenge(r, realm);
    case AUTH_CANNOT_OPEN:
        request_log_open(r, error == ENOENT ? LEVEL_ERROR : LEVEL_CRIT, error, file, NULL);
        return error == ENOENT ? FORBIDDEN : FAILED;
    case AUTH_CANNOT_READ:
        request_log(r, LEVEL_CRIT, error, "read() \"%.*s\" failed", TEXT_ARG(file));
        return FAILED;
    case AUTH_CANNOT_CHECK:
        request_log(r, LEVEL_CRIT, error, "crypt_r() failed");
        return FAILED;
    }
    return FAILED;
}

static enum verdict begin_auth(struct request *r, struct access_wait *w, const struct access_conf *a, struct text realm)
{
    struct credentials c;

    w->asked = true;
    w->outcome = AUTH_NO_CREDENTIALS;
    if (!auth_credentials(r, &c)) {
        request_log(r, LEVEL_INFO, 0, "no user/password was provided for basic authentication");
        return challenge(r, realm);
    }
    struct text file = user_file_of(r, &a->user_file);
    if (template_climbs(a->user_file.path, template_text(a->user_file.path, r))) {
        request_log(r, LEVEL_ERROR, 0, "\"%.*s\" leads out through \"..\" of the request", TEXT_ARG(file));
        w->outcome = AUTH_CANNOT_OPEN;
        return FORBIDDEN;
    }
    if (file.at && auth_at_once(r, file, &c, &w->outcome))
        return end_auth(r, w, a, realm, 0);
    int rc = file.at ? auth_begin(&w->job, r, file, &c) : -ENOMEM;
    if (rc == 0)
        return WAIT;
    w->outcome = AUTH_CANNOT_CHECK;
    request_log(r, LEVEL_ALERT, -rc, "checking the password of user \"%.*s\" failed", TEXT_ARG(c.user));
    return rc == -EAGAIN ? BUSY : FAILED;
}

static enum verdict ask_auth(struct request *r, const struct access_conf *a)
{
    if (!a->realm || !a->user_file.path)
        return ASIDE;
    struct access_wait *w = wait_of(r);
    struct text realm = template_field(a->realm, r);
    int error;

    if (!w || !realm.at)
        return FAILED;
    if (!w->job)
        return text_equal(realm, TEXT("off")) ? ASIDE : begin_auth(r, w, a, realm);
    if (!auth_answer(w->job, &w->outcome, &error))
        return WAIT;
    auth_end(w->job);
    w->job = NULL;
    return end_auth(r, w, a, realm, error);
}

const char *access_auth_words(const struct request *r)
{
    static const char *const words[] = {
        [AUTH_GOOD] = "the password is right",
        [AUTH_NO_CREDENTIALS] = "the request has no name and password",
        [AUTH_NO_USER] = "the user is not in the file",
        [AUTH_MISMATCH] = "the password is another",
        [AUTH_UNKNOWN_SCHEME] = "unsupported password hash in the file",
        [AUTH_CANNOT_OPEN] = "the file of users cannot be opened",
        [AUTH_CANNOT_READ] = "the file of users cannot be read",
        [AUTH_CANNOT_CHECK] = "the password cannot be checked",
    };
    return r->access && r->access->asked ? words[r->access->outcome] : NULL;
}

/* ---- refusing ---- */

static void on_delay_over(struct deadline *d)
{
    struct access_wait *w = container_of(d, struct access_wait, delay);
    w->over = true;
    request_resume(w->request);
}

/* auth_delay: whoever guesses passwords does it slowly. */
static bool refuse_later(struct request *r, int64_t msec)
{
    struct access_wait *w = wait_of(r);

    if (!w)
        return false;
    request_log(r, LEVEL_INFO, 0, "delaying unauthorized request");
    w->delayed = true;
    w->over = false;
    deadline_init(&w->delay, on_delay_over);
    deadline_set(r->worker->deadlines, &w->delay, msec);
    return true;
}

/* As access_step(). */
static bool refuse(struct request *r, const struct access_conf *a, enum verdict verdict)
{
    if (verdict == UNAUTHORIZED && a->auth_delay > 0 && refuse_later(r, a->auth_delay))
        return false;
    respond_error(r, (int)verdict);
    return true;
}

static bool end_delay(struct request *r)
{
    if (!r->access->over)
        return false;
    r->access->delayed = false;
    respond_error(r, UNAUTHORIZED);
    return true;
}

/* ---- the step ---- */

static bool pass(struct request *r)
{
    r->step = STEP_TRY_FILES;
    r->step_at = 0;
    return true;
}

/* satisfy any: one of both is enough. */
static bool end_any(struct request *r, const struct access_conf *a, enum verdict by_rule, enum verdict by_auth)
{
    if (by_auth == MAY) {
        r->challenge = TEXT_NONE;
        return pass(r);
    }
    if (by_auth == UNAUTHORIZED)
        return refuse(r, a, UNAUTHORIZED);
    if (by_rule != FORBIDDEN && by_auth != FORBIDDEN)
        return pass(r);
    request_log(r, LEVEL_ERROR, 0, "access forbidden by rule");
    return refuse(r, a, FORBIDDEN);
}

bool access_step(struct request *r)
{
    const struct access_conf *a = access_chosen(r, r->location->access);

    if (!a)
        return pass(r);
    if (r->access && r->access->delayed)
        return end_delay(r);
    if (r->access && !r->access->job)
        r->access->asked = false;
    const struct access_rule *rule = a->rules ? access_rules_find(a->rules, &r->peer->any) : NULL;
    enum verdict by_rule = !rule ? ASIDE : rule->deny ? FORBIDDEN : MAY;

    if (a->satisfy == SATISFY_ANY && by_rule == MAY) {
        r->challenge = TEXT_NONE;
        return pass(r);
    }
    if (a->satisfy == SATISFY_ALL && by_rule == FORBIDDEN) {
        request_log(r, LEVEL_ERROR, 0, "access forbidden by rule");
        return refuse(r, a, FORBIDDEN);
    }
    enum verdict by_auth = ask_auth(r, a);
    if (by_auth == WAIT)
        return false;
    if (by_auth == FAILED || by_auth == BUSY)
        return refuse(r, a, by_auth);
    if (a->satisfy == SATISFY_ANY)
        return end_any(r, a, by_rule, by_auth);
    return by_auth == ASIDE || by_auth == MAY ? pass(r) : refuse(r, a, by_auth);
}

void access_abandon(struct request *r)
{
    struct access_wait *w = r->access;

    if (!w)
        return;
    if (w->job)
        auth_end(w->job);
    w->job = NULL;
    if (w->delayed)
        deadline_clear(&w->delay);
}
