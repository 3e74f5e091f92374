/* rewrite.c - runs the instructions of the rewrite module. Called by steps_route.c, before and
 * after the location is found. See rewrite.h. */
#include "http/rewrite/rewrite.h"

#include "http/files/place.h"
#include "http/respond/respond.h"
#include "http/rewrite/rewrite_private.h"
#include "http/syntax/field.h"
#include "http/variable/climb.h"

#include <errno.h>
#include <sys/stat.h>

/* ---- conditions ---- */

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_WAITS, ANSWER_FAILED };

static void log_match(struct request *r, const struct rewrite_conf *conf, struct text source, const char *verb,
                      struct text subject)
{
    if (conf->log)
        request_log(r, LEVEL_NOTICE, 0, "\"%.*s\" %s \"%.*s\"", TEXT_ARG(source), verb, TEXT_ARG(subject));
}

/* 1, 0, or -errno; without a match there is no $1 any more, as in nginx. */
static int match(struct request *r, const struct rewrite_conf *conf, const struct pattern *p, unsigned names_base,
                 struct text source, struct text subject)
{
    struct captures c;
    int rc = pattern_match(p, subject, &c);

    if (rc < 0) {
        request_log(r, LEVEL_ALERT, -rc, "matching \"%.*s\" on \"%.*s\" failed", TEXT_ARG(source), TEXT_ARG(subject));
        return rc;
    }
    log_match(r, conf, source, rc == 1 ? "matches" : "does not match", subject);
    if (rc == 1)
        variables_capture(r, p, names_base, &c);
    else
        r->captures.count = 0;
    return rc;
}

static bool fits(char test, mode_t mode)
{
    switch (test) {
    case 'f':
        return S_ISREG(mode);
    case 'd':
        return S_ISDIR(mode);
    case 'e':
        return S_ISREG(mode) || S_ISDIR(mode);
    default:
        return (mode & S_IXUSR) != 0;
    }
}

/* Whether a ".." in the path comes of the request. Behind the root, the root's own do not count. */
static bool leads_out(struct request *r, const struct condition *c, struct text path)
{
    if (!template_climbs(c->subject, path))
        return false;
    struct text root = place_root(r);
    if (!c->subject->parts[0].variable || !text_starts(path, root))
        return true;
    struct text rest = text_from(path, root.len);
    return place_leads_out(r, rest, true) || template_climbs(c->subject, rest);
}

static enum answer test_file(struct request *r, const struct condition *c)
{
    struct text path = template_text(c->subject, r);
    struct file *f = NULL;
    mode_t mode = 0;

    int rc = path.at && leads_out(r, c, path) ? -ENOENT : place_find_named(r, path, c->subject, &f);
    if (rc == -EINPROGRESS)
        return ANSWER_WAITS;
    if (rc == -ENOMEM)
        return ANSWER_FAILED;
    struct stat st;
    bool there = rc == 0;
    if (there)
        mode = f->mode;
    else if (rc == -EACCES && place_stat(r, path, c->subject, &st)) { /* what may not be opened can still be there */
        there = true;
        mode = st.st_mode;
    }
    file_release(f);
    if (!there && rc != -ENOENT && rc != -ENOTDIR && rc != -ENAMETOOLONG)
        request_log(r, LEVEL_CRIT, -rc, "open() \"%.*s\" failed", TEXT_ARG(path));
    return there && fits(c->file, mode) ? ANSWER_YES : ANSWER_NO;
}

static enum answer test(struct request *r, const struct rewrite_conf *conf, const struct condition *c)
{
    if (c->kind == CONDITION_FILE)
        return test_file(r, c);
    struct text subject = template_text(c->subject, r);
    if (!subject.at)
        return ANSWER_FAILED;
    if (c->kind == CONDITION_TRUE)
        return subject.len > 0 && !text_equal(subject, TEXT("0")) ? ANSWER_YES : ANSWER_NO;
    if (c->kind == CONDITION_EQUAL)
        return text_equal(subject, template_text(c->value, r)) ? ANSWER_YES : ANSWER_NO;
    int rc = match(r, conf, c->pattern, c->names_base, c->source, subject);
    return rc < 0 ? ANSWER_FAILED : rc == 1 ? ANSWER_YES : ANSWER_NO;
}

static enum answer ask(struct request *r, const struct rewrite_conf *conf, const struct condition *c)
{
    enum answer a = test(r, conf, c);
    if (!c->negative || a > ANSWER_YES)
        return a;
    return a == ANSWER_YES ? ANSWER_NO : ANSWER_YES;
}

/* ---- rewrite ---- */

/* `a` + mark + `b`; absent: no memory. */
static struct text join(struct request *r, struct text a, char mark, struct text b)
{
    char *s = arena_alloc(&r->arena, a.len + b.len + 2);
    if (!s || !a.at)
        return TEXT_NONE;
    memcpy(s, a.at, a.len);
    s[a.len] = mark;
    if (b.len > 0)
        memcpy(s + a.len + 1, b.at, b.len);
    s[a.len + 1 + b.len] = '\0';
    return (struct text){s, a.len + 1 + b.len};
}

/* Captured pieces of a URI that came escaped (or with a +, which is a space in arguments) are
 * escaped again in arguments. */
static bool came_escaped(const struct request *r)
{
    struct text path = {r->raw_uri.at, text_find(r->raw_uri, '?')};
    return text_find(path, '%') < path.len || text_find(path, '+') < path.len;
}

static struct text replace_args(struct request *r, const struct template *t, unsigned how)
{
    return template_make(t, r, came_escaped(r) ? how | TEMPLATE_ARGS : how);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = text_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Up to its ?, takes the escapes off that need not be there. */
static struct text unescape_redirect(struct request *r, struct text t)
{
    char *out = arena_copy(&r->arena, t.at, t.len), *to = out;
    size_t i = 0;

    for (; out && i < t.len && t.at[i] != '?'; i++) {
        int high = i + 2 < t.len && t.at[i] == '%' ? hex_value(t.at[i + 1]) : -1;
        int low = high >= 0 ? hex_value(t.at[i + 2]) : -1, c = low >= 0 ? 16 * high + low : -1;
        *to++ = t.at[i];
        if (low < 0 || c <= '%' || c >= 0x7f)
            continue;
        to[-1] = (char)c;
        i += 2;
        if (c == '?') {
            i++;
            break;
        }
    }
    if (!out)
        return TEXT_NONE;
    memcpy(to, t.at + i, t.len - i);
    return (struct text){out, (size_t)(to - out) + t.len - i};
}

static enum rewrite_outcome fail(struct request *r)
{
    respond_error(r, 500);
    return REWRITE_ANSWERS;
}

static enum rewrite_outcome redirect(struct request *r, const struct rewrite_conf *conf,
                                     const struct rewrite_rule *rule)
{
    struct text target = unescape_redirect(r, replace_args(r, rule->path, TEMPLATE_FIELD));

    if (target.at && rule->keeps_args && r->args.len > 0)
        target = join(r, target, rule->has_args ? '&' : '?', field_encode(r->args, &r->arena));
    if (!target.at)
        return fail(r);
    r->uri_changed = false; /* an error page of the redirect begins anew */
    if (conf->log)
        request_log(r, LEVEL_NOTICE, 0, "rewritten redirect: \"%.*s\"", TEXT_ARG(target));
    respond_redirect(r, rule->redirect, target);
    return REWRITE_ANSWERS;
}

/* False: it cannot be done. */
static bool change_uri(struct request *r, const struct rewrite_conf *conf, const struct rewrite_rule *rule)
{
    struct text path = template_text(rule->path, r), args = r->args;

    if (rule->args) {
        args = replace_args(r, rule->args, 0);
        if (rule->keeps_args && r->args.len > 0)
            args = join(r, args, '&', r->args);
    } else if (!rule->keeps_args) {
        args = TEXT_NONE;
    }
    if (!path.at || (rule->args && !args.at))
        return false;
    if (conf->log)
        request_log(r, LEVEL_NOTICE, 0, "rewritten data: \"%.*s\", args: \"%.*s\"", TEXT_ARG(path), TEXT_ARG(args));
    r->uri = path;
    r->climbs_by_conf = !template_climbs(rule->path, path);
    r->args = args;
    r->path = TEXT_NONE;
    if (path.len == 0)
        request_log(r, LEVEL_ERROR, 0, "the rewritten URI has a zero length");
    return path.len > 0;
}

/* *ends: no instruction comes after it. */
static enum rewrite_outcome run_rule(struct request *r, const struct rewrite_conf *conf,
                                     const struct rewrite_rule *rule, bool *ends)
{
    int rc = match(r, conf, rule->pattern, rule->names_base, rule->source, r->uri);

    *ends = rc == 1 && rule->ends;
    if (rc < 0)
        return fail(r);
    if (rc == 0)
        return REWRITE_ENDS;
    r->internal = true;
    r->uri_changed = !rule->breaks;
    r->uri_broken = r->uri_broken || rule->breaks;
    if (rule->redirect)
        return redirect(r, conf, rule);
    return change_uri(r, conf, rule) ? REWRITE_ENDS : fail(r);
}

/* ---- one after another ---- */

static enum rewrite_outcome run_if(struct request *r, const struct rewrite_conf *conf, const struct instruction *i)
{
    switch (ask(r, conf, i->branch.condition)) {
    case ANSWER_YES:
        if (i->branch.location)
            r->location = i->branch.location;
        break;
    case ANSWER_NO:
        r->rewrite_at = i->branch.otherwise;
        break;
    case ANSWER_WAITS:
        r->rewrite_at--; /* the same one again */
        return REWRITE_WAITS;
    case ANSWER_FAILED:
        return fail(r);
    }
    return REWRITE_ENDS;
}

static void run_set(struct request *r, const struct instruction *i)
{
    struct text value = template_text(i->set.value, r);

    if (i->set.setter)
        i->set.setter(r, value);
    else
        variable_put(r, i->set.variable, value);
}

static enum rewrite_outcome run(struct request *r, const struct rewrite_program *p)
{
    while (r->rewrite_at < p->count) {
        const struct instruction *i = &p->items[r->rewrite_at++];
        enum rewrite_outcome outcome = REWRITE_ENDS;
        bool ends = false;

        switch (i->op) {
        case OP_IF:
            outcome = run_if(r, p->conf, i);
            break;
        case OP_REWRITE:
            outcome = run_rule(r, p->conf, i->rule, &ends);
            break;
        case OP_SET:
            run_set(r, i);
            break;
        case OP_BREAK:
            r->uri_broken = r->uri_broken || r->uri_changed;
            r->uri_changed = false;
            return REWRITE_ENDS;
        case OP_RETURN:
            r->returned = i->action;
            respond_return(r, i->action);
            return REWRITE_ANSWERS;
        }
        if (outcome != REWRITE_ENDS || ends)
            return outcome;
    }
    return REWRITE_ENDS;
}

enum rewrite_outcome rewrite_run(struct request *r, const struct rewrite_program *p)
{
    enum rewrite_outcome outcome = run(r, p);
    if (outcome != REWRITE_WAITS)
        r->rewrite_at = 0;
    return outcome;
}
