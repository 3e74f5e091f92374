/* layout_json.c - see layout_json.h. */
#include "http/registry/layout_json.h"

#include "http/registry/registry_name.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

bool layout_json_works(void)
{
    return true;
}

/* ---- texts to values ---- */

/* Whether `t` is small as a tree, too; a text of 4 MiB could be one of a gigabyte. Says nothing of
 * its form. */
static bool is_modest(struct text t)
{
    enum { DEEPEST = 32, BRACKETS_MOST = 128 * 1024, COMMAS_MOST = 512 * 1024 };
    unsigned depth = 0, brackets = 0, commas = 0;
    bool quoted = false;

    for (size_t i = 0; i < t.len; i++) {
        char c = t.at[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (quoted)
            continue;
        else if ((c == '{' || c == '[') && (++depth > DEEPEST || ++brackets > BRACKETS_MOST))
            return false;
        else if ((c == '}' || c == ']') && depth > 0)
            depth--;
        else if (c == ',' && ++commas > COMMAS_MOST)
            return false;
    }
    return true;
}

/* An object, to be given back by json_decref(); NULL: it is none. */
static json_t *load(struct text bytes)
{
    json_error_t error;

    if (bytes.len > LAYOUT_JSON_MOST || !is_modest(bytes))
        return NULL;
    json_t *root = json_loadb(bytes.at ? bytes.at : "", bytes.len, JSON_REJECT_DUPLICATES, &error);
    if (root && !json_is_object(root)) {
        json_decref(root);
        return NULL;
    }
    return root;
}

static struct text text_at(const json_t *object, const char *key)
{
    const json_t *s = json_object_get(object, key);

    return s && json_is_string(s) ? (struct text){json_string_value(s), json_string_length(s)} : TEXT_NONE;
}

/* ---- the file oci-layout ---- */

int layout_json_version(struct text bytes)
{
    json_t *root = load(bytes);
    bool known = root && text_starts(text_at(root, "imageLayoutVersion"), TEXT("1."));

    json_decref(root);
    return known ? 0 : -EBADMSG;
}

/* ---- indexes ---- */

static bool read_descriptor(const json_t *entry, struct descriptor *d)
{
    const json_t *size = json_object_get(entry, "size");

    d->media_type = text_at(entry, "mediaType");
    d->digest = text_at(entry, "digest");
    d->tag = text_at(json_object_get(entry, "annotations"), "org.opencontainers.image.ref.name");
    if (!json_is_integer(size) || json_integer_value(size) < 0)
        return false;
    d->size = (uint64_t)json_integer_value(size);
    if (d->tag.at && !registry_is_tag(d->tag))
        d->tag = TEXT_NONE;
    return registry_is_digest(d->digest) && registry_is_media_type(d->media_type);
}

int layout_json_index(struct text bytes, layout_descriptor_fn *each, void *arg)
{
    json_t *root = load(bytes), *entry;
    const json_t *manifests = json_object_get(root, "manifests");
    int rc = json_is_array(manifests) ? 0 : -EBADMSG;
    size_t i;

    json_array_foreach(manifests, i, entry)
    {
        struct descriptor d;
        if (read_descriptor(entry, &d))
            rc = each(arg, &d);
        if (rc != 0)
            break;
    }
    json_decref(root);
    return rc;
}

/* ---- referrers ---- */

/* An image without a type of its own has that of its config. */
static struct text artifact_type(const json_t *manifest)
{
    struct text type = text_at(manifest, "artifactType");

    if (type.len == 0)
        type = text_at(json_object_get(manifest, "config"), "mediaType");
    return type.len > 0 ? type : TEXT_NONE;
}

/* On the heap; NULL: no memory. */
static char *print_referrer(json_t *manifest, const struct descriptor *d, struct text type)
{
    json_t *annotations = json_object_get(manifest, "annotations");
    json_t *out = json_pack("{s:s%, s:s%, s:I}", "mediaType", d->media_type.at, d->media_type.len, "digest",
                            d->digest.at, d->digest.len, "size", (json_int_t)d->size);
    bool whole = out != NULL;

    if (whole && type.at)
        whole = json_object_set_new(out, "artifactType", json_stringn(type.at, type.len)) == 0;
    if (whole && json_is_object(annotations))
        whole = json_object_set(out, "annotations", annotations) == 0;
    char *text = whole ? json_dumps(out, JSON_COMPACT) : NULL;
    json_decref(out);
    return text;
}

int layout_json_referrer(struct text bytes, const struct descriptor *d, layout_referrer_fn *each, void *arg)
{
    json_t *root = load(bytes);
    struct referrer f = {.subject = text_at(json_object_get(root, "subject"), "digest")};
    int rc = root ? 0 : -EBADMSG;

    if (registry_is_digest(f.subject)) {
        f.artifact_type = artifact_type(root);
        char *text = print_referrer(root, d, f.artifact_type);
        f.json = text_of(text);
        rc = text ? 1 : -ENOMEM;
        if (text)
            each(arg, &f);
        free(text);
    }
    json_decref(root);
    return rc;
}
