/* registry_answer.c - see registry_answer.h. */
#include "http/registry/registry_answer.h"

#include "base/buffer.h"
#include "base/number.h"
#include "http/registry/registry_name.h"
#include "http/respond/respond.h"
#include "http/respond/response.h"

/* ---- errors ---- */

void registry_refuse(struct request *r, enum registry_error error)
{
    static const struct {
        int status;
        struct text body;
    } errors[] = {
#define ERROR(status, code, message)                                                                                   \
    {status,                                                                                                           \
     {"{\"errors\":[{\"code\":\"" code "\",\"message\":\"" message "\"}]}\n",                                          \
      sizeof "{\"errors\":[{\"code\":\"" code "\",\"message\":\"" message "\"}]}\n" - 1}}
        [REGISTRY_UNSUPPORTED] = ERROR(405, "UNSUPPORTED", "this registry is read-only"),
        [REGISTRY_NAME_INVALID] = ERROR(404, "NAME_INVALID", "invalid repository name"),
        [REGISTRY_NAME_UNKNOWN] = ERROR(404, "NAME_UNKNOWN", "repository name not known to registry"),
        [REGISTRY_MANIFEST_UNKNOWN] = ERROR(404, "MANIFEST_UNKNOWN", "manifest unknown to registry"),
        [REGISTRY_BLOB_UNKNOWN] = ERROR(404, "BLOB_UNKNOWN", "blob unknown to registry"),
        [REGISTRY_DIGEST_INVALID] = ERROR(400, "DIGEST_INVALID", "invalid digest"),
        [REGISTRY_PAGE_INVALID] = ERROR(400, "PAGINATION_NUMBER_INVALID", "invalid number of results"),
        [REGISTRY_DENIED] = ERROR(403, "DENIED", "requested access to the resource is denied"),
    };
#undef ERROR
    respond_text(r, errors[error].status, TEXT("application/json"), errors[error].body);
    if (error == REGISTRY_UNSUPPORTED)
        r->out.allow = TEXT("GET, HEAD");
}

/* ---- bodies ---- */

static void give_back(void *arg)
{
    struct buffer *body = arg;

    buffer_fini(body);
}

/* That goes with the request; NULL: no memory. */
static struct buffer *new_body(struct request *r)
{
    struct buffer *body = arena_alloc(&r->arena, sizeof *body);

    if (!body)
        return NULL;
    buffer_init(body);
    return arena_at_fini(&r->arena, give_back, body) < 0 ? NULL : body;
}

/* False: there is another response. */
static bool respond(struct request *r, struct text type, const struct buffer *body)
{
    if (!body || body->failed) {
        respond_error(r, 500);
        return false;
    }
    respond_text(r, 200, type, (struct text){body->data, body->len});
    if (r->out.status != 200)
        return false;
    response_add(r, TEXT("Cache-Control"), TEXT("no-cache"));
    return true;
}

static struct text argument(struct request *r, const char *name)
{
    char *space = arena_alloc(&r->arena, r->args.len + 1);

    return space ? registry_argument(r->args, text_of(name), space) : TEXT_NONE;
}

void registry_answer_base(struct request *r)
{
    respond_text(r, 200, TEXT("application/json"), TEXT("{}\n"));
    response_add(r, TEXT("Docker-Distribution-API-Version"), TEXT("registry/2.0"));
}

/* ---- tags ---- */

static void add_link(struct request *r, struct text name, uint64_t count, struct text last)
{
    struct text link = text_of(arena_printf(&r->arena, "</v2/%.*s/tags/list?n=%llu&last=%.*s>; rel=\"next\"",
                                            TEXT_ARG(name), (unsigned long long)count, TEXT_ARG(last)));

    if (link.at)
        response_add(r, TEXT("Link"), link);
}

/* Neither names nor tags have anything that JSON would have escaped. */
static void print_tags(struct buffer *body, struct text name, const struct layout *l, size_t from, size_t to)
{
    buffer_printf(body, "{\"name\":\"%.*s\",\"tags\":[", TEXT_ARG(name));
    for (size_t i = from; i < to; i++) {
        buffer_add_str(body, i > from ? ",\"" : "\"");
        buffer_add_text(body, l->tags[i].name);
        buffer_add_char(body, '"');
    }
    buffer_add_str(body, "]}\n");
}

void registry_answer_tags(struct request *r, struct text name, const struct layout *l)
{
    struct text n = argument(r, "n"), last = argument(r, "last");
    uint64_t most = l->tag_count;
    size_t from = last.len > 0 ? layout_tags_after(l, last) : 0;

    if (n.at && number_parse(n, &most) < 0) {
        registry_refuse(r, REGISTRY_PAGE_INVALID);
        return;
    }
    size_t to = most < l->tag_count - from ? from + (size_t)most : l->tag_count;
    struct buffer *body = new_body(r);
    if (body)
        print_tags(body, name, l, from, to);
    bool answered = respond(r, TEXT("application/json"), body);
    if (answered && to > from && to < l->tag_count)
        add_link(r, name, most, l->tags[to - 1].name);
}

/* ---- referrers ---- */

static void print_referrers(struct buffer *body, struct text digest, struct text type, const struct layout *l)
{
    const char *comma = "";

    buffer_add_str(body, "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
                         "\"manifests\":[");
    for (size_t i = 0; i < l->referrer_count; i++) {
        const struct referrer *f = &l->referrers[i];
        if (!text_equal(f->subject, digest) || (type.len > 0 && !text_equal(f->artifact_type, type)))
            continue;
        buffer_add_str(body, comma);
        buffer_add_text(body, f->json);
        comma = ",";
    }
    buffer_add_str(body, "]}\n");
}

void registry_answer_referrers(struct request *r, struct text digest, const struct layout *l)
{
    struct text type = argument(r, "artifactType");
    struct buffer *body = new_body(r);

    if (body)
        print_referrers(body, digest, type, l);
    bool answered = respond(r, TEXT("application/vnd.oci.image.index.v1+json"), body);
    if (answered && type.len > 0)
        response_add(r, TEXT("OCI-Filters-Applied"), TEXT("artifactType"));
}
