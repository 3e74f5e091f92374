/* fuzz_uri.c - request targets: splitting, normalising, escaping. What comes out never leaves the
 * root.
 *
 * Input: one byte of options, then the target. */
#include "fuzz.h"

#include "http/syntax/uri.h"

enum { MERGE = 1 };

/* A decoded path, as it would be appended to a root: no segment goes up, nothing ends a C string
 * early. */
static void check_path(struct text path, bool merge)
{
    FUZZ_CHECK(path.len > 0 && path.at[0] == '/', "a path begins with /");
    FUZZ_CHECK(!memchr(path.at, '\0', path.len), "NUL in a path");
    for (size_t at = 0; at < path.len;) {
        struct text rest = text_from(path, at + 1);
        struct text segment = {rest.at, text_find(rest, '/')};

        FUZZ_CHECK(!text_equal(segment, TEXT(".")) && !text_equal(segment, TEXT("..")), "a dot segment is left");
        if (merge)
            FUZZ_CHECK(segment.len > 0 || at + 1 == path.len, "slashes are left unmerged");
        at += 1 + segment.len;
    }
}

static void check_escape(struct text path, size_t (*escape)(struct text, char *), bool merge)
{
    char *escaped = malloc(3 * path.len + 1), *again = malloc(3 * path.len + 1);
    size_t len, again_len = 0;

    if (!escaped || !again)
        abort();
    len = escape(path, escaped);
    FUZZ_CHECK(len <= 3 * path.len, "escaping writes three bytes for one at most");
    for (size_t i = 0; i < len; i++)
        FUZZ_CHECK(escaped[i] > ' ' && escaped[i] < 0x7f && !strchr("\"<>\\^`{|}?#", escaped[i]),
                   "an escaped path has byte %02x", (unsigned)escaped[i] & 0xff);
    FUZZ_CHECK(uri_normalise((struct text){escaped, len}, merge, again, &again_len) == 0, "its own escape is refused");
    FUZZ_CHECK(text_equal(path, (struct text){again, again_len}), "escape and normalise are not inverse");
    free(escaped);
    free(again);
}

static void check_normalise(struct text path, bool merge)
{
    char *out = fuzz_copy(path.at, path.len), *in_place = fuzz_copy(path.at, path.len);
    size_t len = 0, in_place_len = 0;
    int status = uri_normalise(path, merge, out, &len);

    FUZZ_CHECK(uri_normalise((struct text){in_place, path.len}, merge, in_place, &in_place_len) == status,
               "in place: another answer");
    FUZZ_CHECK(status == 0 || status == 400, "status %d", status);
    if (status == 0) {
        struct text normal = {out, len};
        FUZZ_CHECK(len <= path.len, "longer than before");
        FUZZ_CHECK(text_equal(normal, (struct text){in_place, in_place_len}), "in place: another path");
        check_path(normal, merge);
        check_escape(normal, uri_escape, merge);
        check_escape(normal, uri_escape_href, merge);
    }
    if (uri_is_plain(path) && !memchr(path.at, '\0', path.len))
        FUZZ_CHECK(status == 0 && text_equal(path, (struct text){out, len}), "a plain path is changed");
    free(out);
    free(in_place);
}

static void check_authority(struct text authority)
{
    struct text host = TEXT_NONE;

    if (!uri_authority(authority, &host))
        return;
    fuzz_inside(host, authority.at, authority.len);
    FUZZ_CHECK(host.len > 0, "an empty host");
    for (size_t i = 0; i < host.len; i++)
        FUZZ_CHECK(host.at[i] > ' ' && host.at[i] < 0x7f && !strchr("/?#@\"<>\\", host.at[i]), "byte in a host");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    bool merge = fuzz_byte(&in) & MERGE;
    char *bytes = fuzz_copy(in.at, in.left);
    struct text target = {bytes, in.left};
    struct uri uri;

    if (uri_split(target, &uri) == 0) {
        fuzz_inside(uri.host, bytes, in.left);
        fuzz_inside(uri.args, bytes, in.left);
        FUZZ_CHECK(uri.path.len > 0 && (uri.path.at[0] == '/' || text_equal(uri.path, TEXT("*"))), "no path");
        if (uri.path.at[0] == '/')
            check_normalise(uri.path, merge);
    }
    check_normalise(target, merge);
    check_authority(target);
    free(bytes);
    return 0;
}
