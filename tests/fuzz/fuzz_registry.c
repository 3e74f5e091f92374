/* fuzz_registry.c - what a registry reads: URIs of clients, and the JSON of image layouts.
 *
 * Input: a byte that chooses; then a URI's path, a query, or a JSON text. */
#include "fuzz.h"

#include "base/buffer.h"
#include "http/registry/layout.h"
#include "http/registry/registry_name.h"

#include <errno.h>

/* What gets to the disk stays below its folder. */
static void check_path(struct text path)
{
    struct registry_path p = registry_path_parse(path);

    fuzz_inside(p.name, path.at, path.len);
    fuzz_inside(p.reference, path.at, path.len);
    if (registry_is_name(p.name)) {
        FUZZ_CHECK(p.name.len > 0 && p.name.at[0] != '/' && p.name.at[0] != '.', "a name");
        FUZZ_CHECK(!memmem(p.name.at, p.name.len, "..", 2) && !memmem(p.name.at, p.name.len, "//", 2), "a name");
        FUZZ_CHECK(!memchr(p.name.at, '\0', p.name.len), "a NUL in a name");
    }
    if (registry_is_digest(p.reference)) {
        char to[LAYOUT_BLOB_MOST];
        struct text blob = layout_blob(p.reference, to);
        FUZZ_CHECK(blob.len == p.reference.len + sizeof "/blobs/" - 1 && strlen(to) == blob.len, "%s", to);
        FUZZ_CHECK(!strchr(to, '.') && text_starts(blob, TEXT("/blobs/sha")), "%s", to);
    }
    if (registry_is_tag(p.reference))
        FUZZ_CHECK(!memchr(p.reference.at, '/', p.reference.len) && p.reference.at[0] != '.', "a tag");
}

static void check_query(struct text args)
{
    char *space = malloc(args.len + 1);

    if (!space)
        abort();
    struct text value = registry_argument(args, TEXT("n"), space);
    FUZZ_CHECK(!value.at || (value.at == space && value.len <= args.len), "%zu bytes", value.len);
    free(space);
}

static int on_descriptor(void *arg, const struct descriptor *d)
{
    unsigned *count = arg;

    FUZZ_CHECK(registry_is_digest(d->digest) && registry_is_media_type(d->media_type), "a descriptor");
    FUZZ_CHECK(!d->tag.at || registry_is_tag(d->tag), "a tag");
    ++*count;
    return 0;
}

static const struct descriptor described = {
    {"a/b", 3}, {"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 71}, {NULL, 0}, 7};

static int on_again(void *arg, const struct descriptor *d)
{
    FUZZ_CHECK(text_equal(d->digest, described.digest) && text_equal(d->media_type, described.media_type) &&
                   d->size == described.size,
               "another descriptor");
    return on_descriptor(arg, d);
}

/* What is printed of it is an entry of an index. */
static void on_referrer(void *arg, const struct referrer *f)
{
    struct buffer b;
    unsigned count = 0;

    (void)arg;
    buffer_init(&b);
    buffer_printf(&b, "{\"manifests\":[%.*s]}", TEXT_ARG(f->json));
    int rc = layout_json_index((struct text){b.data, b.len}, on_again, &count);
    FUZZ_CHECK(registry_is_digest(f->subject), "a subject");
    FUZZ_CHECK((rc == 0 && count == 1) || b.len > LAYOUT_JSON_MOST || rc == -EBADMSG, "%d, %u entries", rc, count);
    buffer_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    unsigned kind = fuzz_byte(&in) % 4, count = 0;
    char *bytes = fuzz_copy(in.at, in.left);
    struct text t = {bytes, in.left};

    if (kind == 0) {
        check_path(t);
    } else if (kind == 1) {
        check_query(t);
    } else if (kind == 2) {
        int rc = layout_json_index(t, on_descriptor, &count);
        FUZZ_CHECK(rc == 0 || rc == -EBADMSG, "%d", rc);
    } else {
        int rc = layout_json_referrer(t, &described, on_referrer, NULL);
        FUZZ_CHECK(rc == 0 || rc == 1 || rc == -EBADMSG, "%d", rc);
    }
    free(bytes);
    return 0;
}
