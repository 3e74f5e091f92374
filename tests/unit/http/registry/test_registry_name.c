/* test_registry_name.c - what is a name, a tag, a digest; and what a URI of a registry asks for. */
#include "http/registry/registry_name.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define HEX64  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define COMP50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
    const char *text;
    bool name, tag;
} words[] = {
    {"a", true, true},
    {"app", true, true},
    {"team/app", true, false},
    {"a/b/c/d", true, false},
    {"a.b", true, true},
    {"a_b", true, true},
    {"a__b", true, true},
    {"a___b", false, true},
    {"a-b", true, true},
    {"a---b", true, true},
    {"a.-b", false, true},
    {"a..b", false, true},
    {"0", true, true},
    {"1.2.3-rc_4", true, true},
    {"", false, false},
    {"App", false, true},
    {"_a", false, true},
    {"-a", false, false},
    {".a", false, false},
    {"a.", false, true},
    {"a-", false, true},
    {"/a", false, false},
    {"a/", false, false},
    {"a//b", false, false},
    {"..", false, false},
    {"../a", false, false},
    {"a/../b", false, false},
    {"a/.", false, false},
    {"a b", false, false},
    {"a%2f", false, false},
    {"caf\xc3\xa9", false, false},
    {"a\\b", false, false},
    {"a:b", false, false},
    {"a+b", false, false},
    {COMP50 "/" COMP50 "/" COMP50 "/" COMP50 "/" COMP50, true, false}, /* 254 */
    {COMP50 "/" COMP50 "/" COMP50 "/" COMP50 "/" COMP50 "/a", false, false},
    {COMP50 COMP50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", true, true}, /* 128 */
    {COMP50 COMP50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true, false},
};

START_TEST(word)
{
    ck_assert_msg(registry_is_name(text_of(words[_i].text)) == words[_i].name, "name \"%s\"", words[_i].text);
    ck_assert_msg(registry_is_tag(text_of(words[_i].text)) == words[_i].tag, "tag \"%s\"", words[_i].text);
}
END_TEST

START_TEST(nul_is_no_letter)
{
    ck_assert(!registry_is_name((struct text){"a\0b", 3}));
    ck_assert(!registry_is_tag((struct text){"a\0b", 3}));
    ck_assert(!registry_is_media_type((struct text){"a/b\0", 4}));
}
END_TEST

static const struct {
    const char *text;
    bool good;
} digests[] = {
    {"sha256:" HEX64, true},
    {"sha512:" HEX64 HEX64, true},
    {"sha256:" HEX64 "0", false},
    {"sha256:" HEX64 HEX64, false},
    {"sha512:" HEX64, false},
    {"sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", false},
    {"sha256:g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", false},
    {"sha256:../../../../../../../../../../../../../../../../../etc/passwd000", false},
    {"sha256/" HEX64, false},
    {"SHA256:" HEX64, false},
    {"sha1:0123456789abcdef0123456789abcdef01234567", false},
    {"sha256:", false},
    {"sha256", false},
    {HEX64, false},
    {"", false},
};

START_TEST(digest)
{
    ck_assert_msg(registry_is_digest(text_of(digests[_i].text)) == digests[_i].good, "\"%s\"", digests[_i].text);
}
END_TEST

static const struct {
    const char *text;
    bool good;
} types[] = {
    {"application/vnd.oci.image.manifest.v1+json", true},
    {"a/b", true},
    {"application/x!#$&-^_.+y", true},
    {"application", false},
    {"/b", false},
    {"a/", false},
    {"a/b/c", false},
    {"a/b; charset=utf-8", false},
    {"a/b\r\nX: y", false},
    {"a/b\"", false},
    {".a/b", false},
    {"", false},
};

START_TEST(media_type)
{
    ck_assert_msg(registry_is_media_type(text_of(types[_i].text)) == types[_i].good, "\"%s\"", types[_i].text);
}
END_TEST

static const struct {
    const char *path;
    enum registry_kind kind;
    const char *name, *reference;
} paths[] = {
    {"/v2/", REGISTRY_BASE, "", ""},
    {"/v2", REGISTRY_UNKNOWN, "", ""},
    {"/", REGISTRY_UNKNOWN, "", ""},
    {"/v1/a/tags/list", REGISTRY_UNKNOWN, "", ""},
    {"/v2/a/manifests/v1", REGISTRY_MANIFEST, "a", "v1"},
    {"/v2/a/b/manifests/sha256:x", REGISTRY_MANIFEST, "a/b", "sha256:x"},
    {"/v2/a/blobs/sha256:x", REGISTRY_BLOB, "a", "sha256:x"},
    {"/v2/a/tags/list", REGISTRY_TAGS, "a", "list"},
    {"/v2/a/tags/other", REGISTRY_UNKNOWN, "a", "other"},
    {"/v2/a/referrers/sha256:x", REGISTRY_REFERRERS, "a", "sha256:x"},
    {"/v2/manifests/manifests/v1", REGISTRY_MANIFEST, "manifests", "v1"},
    {"/v2/blobs/blobs/manifests/manifests", REGISTRY_MANIFEST, "blobs/blobs", "manifests"},
    {"/v2/a/blobs/uploads/", REGISTRY_UNKNOWN, "a/blobs", ""},
    {"/v2/manifests/v1", REGISTRY_MANIFEST, "", "v1"},
    {"/v2/_catalog", REGISTRY_UNKNOWN, "", "_catalog"},
    {"/v2//manifests/v1", REGISTRY_MANIFEST, "", "v1"},
};

START_TEST(path)
{
    struct registry_path p = registry_path_parse(text_of(paths[_i].path));

    ck_assert_msg(p.kind == paths[_i].kind, "%s: %d", paths[_i].path, p.kind);
    if (p.kind == REGISTRY_UNKNOWN || p.kind == REGISTRY_BASE)
        return;
    ck_assert_msg(text_equal(p.name, text_of(paths[_i].name)), "%s: %.*s", paths[_i].path, TEXT_ARG(p.name));
    ck_assert_msg(text_equal(p.reference, text_of(paths[_i].reference)), "%s: %.*s", paths[_i].path,
                  TEXT_ARG(p.reference));
}
END_TEST

static const struct {
    const char *args, *value; /* NULL: absent */
} arguments[] = {
    {"n=5", "5"},       {"last=a&n=5", "5"}, {"n=", ""},       {"n", NULL},    {"", NULL},     {"nn=1", NULL},
    {"n=a%2Bb", "a+b"}, {"n=a+b", "a+b"},    {"n=%61", "a"},   {"n=%6", NULL}, {"n=%", NULL},  {"n=%zz", NULL},
    {"n=1&n=2", "1"},   {"&&n=1", "1"},      {"n=a=b", "a=b"}, {"N=1", NULL},  {"n=%2F", "/"},
};

START_TEST(argument)
{
    char space[64];
    struct text value = registry_argument(text_of(arguments[_i].args), TEXT("n"), space);

    ck_assert_msg((value.at != NULL) == (arguments[_i].value != NULL), "%s", arguments[_i].args);
    if (value.at)
        ck_assert_msg(text_equal(value, text_of(arguments[_i].value)), "%s: %.*s", arguments[_i].args, TEXT_ARG(value));
}
END_TEST

Suite *suite_http_registry_name(void)
{
    Suite *s = suite_create("http_registry_name");
    TCase *t = tcase_create("grammar");
    tcase_add_loop_test(t, word, 0, sizeof words / sizeof *words);
    tcase_add_test(t, nul_is_no_letter);
    tcase_add_loop_test(t, digest, 0, sizeof digests / sizeof *digests);
    tcase_add_loop_test(t, media_type, 0, sizeof types / sizeof *types);
    tcase_add_loop_test(t, path, 0, sizeof paths / sizeof *paths);
    tcase_add_loop_test(t, argument, 0, sizeof arguments / sizeof *arguments);
    suite_add_tcase(s, t);
    return s;
}
