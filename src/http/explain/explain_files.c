/* explain_files.c - which file is looked for and what stands there, in words: try_files, index,
 * side files, listings. */
#include "http/explain/explain_private.h"

#include "base/clock.h"
#include "file/open.h"
#include "http/content/variant.h"
#include "http/listing/listing.h"
#include "http/variable/variable.h"

#include <errno.h>

/* What stands at a path, seen as a cold open would see it. */
struct look {
    int rc; /* 0 or -errno */
    enum file_kind kind;
    off_t size;
    char modified[CLOCK_HTTP_LEN + 1];
};

static struct look look_at(struct text path)
{
    const struct open_options options = {.read_ahead = false};
    struct look l = {.rc = -ENOMEM};
    struct file *f;

    if (path.at)
        l.rc = file_open(&f, path.at, &options);
    if (l.rc < 0)
        return l;
    l.kind = f->kind;
    l.size = f->size;
    clock_format_http(l.modified, f->mtime.tv_sec);
    file_release(f);
    return l;
}

static const char *kind_text(enum file_kind kind)
{
    return kind == FILE_DIRECTORY ? "a directory" : kind == FILE_REGULAR ? "a file" : "neither file nor directory";
}

void explain_try_files(struct explain *e, const struct moment *before)
{
    struct request *r = e->request;
    const struct http_conf *h = before->location->http;
    const struct template_list *t = h->try_files.names;

    if (!t || t->count == 0)
        return;
    struct text name = t->items[before->step_at]->text;
    if (before->step_at >= t->count - 1) {
        explain_say(e, "try_files", "%.*s: the last resort", TEXT_ARG(name));
        explain_because(e, "no file of try_files exists");
        return;
    }
    struct look l = look_at(before->path);
    bool directory = h->try_files.directory[before->step_at];
    const char *slash = directory ? "/" : "";
    bool taken = r->step != STEP_TRY_FILES;
    if (taken)
        explain_say(e, "try_files", "%.*s%s is %.*s: there", TEXT_ARG(name), slash, TEXT_ARG(before->path));
    else if (l.rc < 0)
        explain_say(e, "try_files", "%.*s%s is %.*s: %s", TEXT_ARG(name), slash, TEXT_ARG(before->path),
                    strerror(-l.rc));
    else
        explain_say(e, "try_files", "%.*s%s is %.*s: %s, where %s is asked for", TEXT_ARG(name), slash,
                    TEXT_ARG(before->path), kind_text(l.kind), directory ? "a directory" : "a file");
}

static void say_no_index(struct explain *e, const struct moment *before)
{
    struct look l = look_at(before->path);

    if (l.rc < 0) {
        explain_say(e, "file", "%.*s: %s", TEXT_ARG(before->path), strerror(-l.rc));
        explain_because(e, "%s",
                        l.rc == -ENOENT || l.rc == -ENOTDIR ? "there is no such directory"
                                                            : "the directory may not be opened");
    } else if (e->request->step == STEP_LISTING) {
        explain_say(e, "index", "none is there; autoindex is on");
    } else {
        explain_say(e, "index", "none is there; autoindex is %s",
                    before->location->listing->on ? "for GET and HEAD" : "off");
        explain_because(e, "%.*s has no index file, and may not be listed", TEXT_ARG(before->path));
    }
}

void explain_index(struct explain *e, const struct moment *before)
{
    const struct request *r = e->request;
    const struct template_list *names = before->location->http->index;

    if (before->step_at >= names->count) {
        say_no_index(e, before);
        return;
    }
    struct text name = names->items[before->step_at]->text;
    if (!before->path.at) {
        explain_say(e, "index", "%.*s", TEXT_ARG(name));
        return;
    }
    struct look l = look_at(before->path);
    if (l.rc == 0 && r->step != STEP_INDEX)
        explain_say(e, "index", "%.*s is %.*s: there", TEXT_ARG(name), TEXT_ARG(before->path));
    else
        explain_say(e, "index", "%.*s is %.*s: %s", TEXT_ARG(name), TEXT_ARG(before->path), strerror(-l.rc));
    if (r->step != STEP_INDEX && l.rc < 0)
        explain_because(e, "%s may not be opened", before->path.at);
}

void explain_file(struct explain *e, const struct moment *before)
{
    struct look l = look_at(before->path);
    int rc = -l.rc;

    if (rc != 0) {
        explain_say(e, "file", "%.*s: %s", TEXT_ARG(before->path), strerror(rc));
        explain_because(e, "%s",
                        rc == ENOENT || rc == ENOTDIR ? "there is no such file" : "the file may not be opened");
        return;
    }
    if (l.kind != FILE_REGULAR) {
        explain_say(e, "file", "%.*s: %s", TEXT_ARG(before->path), kind_text(l.kind));
        explain_because(e, "%s",
                        l.kind == FILE_DIRECTORY ? "the client is sent to the directory's own URI, which ends with /"
                                                 : "only regular files are served");
        return;
    }
    explain_say(e, "file", "%.*s: %lld bytes, modified %s", TEXT_ARG(before->path), (long long)l.size, l.modified);
    if (e->request->msg.method == METHOD_POST)
        explain_because(e, "a file answers GET and HEAD");
}

static const char *why_not_chosen(struct request *r, const struct variant_look *look)
{
    enum coding c = look->coding;

    if (look->usable)
        return r->out.coding == CODING_NONE ? "it was made with another dictionary" : "a better one is chosen";

    struct accept_encoding accept = accept_encoding_parse(r->msg.fields[FIELD_ACCEPT_ENCODING]);

    if (!r->msg.fields[FIELD_ACCEPT_ENCODING].at)
        return "there is no Accept-Encoding";
    if (accept_encoding_takes(&accept, c))
        return "gzip_http_version, gzip_proxied or gzip_disable say no";
    return accept.q[c] > 0 ? "Accept-Encoding prefers identity" : "Accept-Encoding does not accept it";
}

void explain_variant(struct explain *e, const struct moment *before)
{
    struct request *r = e->request;
    struct variant_look looks[VARIANT_LOOKS];

    if (!before->path.at)
        return;
    const struct variant_look *look = (variant_looks(r, looks), &looks[before->step_at]);
    struct text name = coding_name(look->coding);
    struct look l = look_at(before->path);
    bool there = l.rc == 0 && l.kind == FILE_REGULAR;
    bool chosen = there && look->usable && text_equal(r->path, before->path);
    if (!there)
        explain_say(e, "side file", "%.*s: %.*s: %s", TEXT_ARG(name), TEXT_ARG(before->path),
                    l.rc < 0 ? strerror(-l.rc) : kind_text(l.kind));
    else if (chosen)
        explain_say(e, "side file", "%.*s: %.*s is there, and %s", TEXT_ARG(name), TEXT_ARG(before->path),
                    r->location->variants->mode[look->coding] == VARIANT_ALWAYS ? "is sent to every client"
                                                                                : "the client accepts it");
    else
        explain_say(e, "side file", "%.*s: %.*s is there, so the answer varies; but %s", TEXT_ARG(name),
                    TEXT_ARG(before->path), why_not_chosen(r, look));
}

void explain_listing(struct explain *e, const struct moment *before)
{
    const struct response *o = &e->request->out;

    explain_say(e, "listing", "of %.*s: %llu bytes", TEXT_ARG(before->path), (unsigned long long)o->length);
    explain_because(e, "%s", o->status == 200 ? "the list of the directory" : "the directory cannot be listed");
}
