/* test_uri.c - targets, paths and hosts. The table of paths is what nginx 1.22 makes of them. */
#include "unit.h"

#include "http/syntax/uri.h"

#include <stdio.h>
#include <stdlib.h>

static void is_text(struct text t, const char *expected)
{
    if (!expected) {
        ck_assert_msg(t.at == NULL, "\"%.*s\", not absent", TEXT_ARG(t));
        return;
    }
    ck_assert_msg(t.at != NULL, "absent, not \"%s\"", expected);
    ck_assert_msg(text_equal(t, text_of(expected)), "\"%.*s\", not \"%s\"", TEXT_ARG(t), expected);
}

/* $uri of a location of nginx with merge_slashes on and off; NULL: 400. */
static const struct {
    const char *target, *merged, *unmerged;
} paths[] = {
    {"/", "/", "/"},
    {"//", "/", "//"},
    {"///a", "/a", "///a"},
    {"/a/b", "/a/b", "/a/b"},
    {"/a//b", "/a/b", "/a//b"},
    {"/a/./b", "/a/b", "/a/b"},
    {"/./a", "/a", "/a"},
    {"/a/.", "/a/", "/a/"},
    {"/a/./", "/a/", "/a/"},
    {"/a/..", "/", "/"},
    {"/a/../", "/", "/"},
    {"/a/b/..", "/a/", "/a/"},
    {"/a/b/../", "/a/", "/a/"},
    {"/a/b/../c", "/a/c", "/a/c"},
    {"/a/b/../../c", "/c", "/c"},
    {"/a/b/../../../c", NULL, NULL},
    {"/..", NULL, NULL},
    {"/../", NULL, NULL},
    {"/../a", NULL, NULL},
    {"/a/../..", NULL, NULL},
    {"/a/../../b", NULL, NULL},
    {"/.", "/", "/"},
    {"/./", "/", "/"},
    {"/...", "/...", "/..."},
    {"/a/.../b", "/a/.../b", "/a/.../b"},
    {"/.a", "/.a", "/.a"},
    {"/..a", "/..a", "/..a"},
    {"/a/.b", "/a/.b", "/a/.b"},
    {"/a/..b", "/a/..b", "/a/..b"},
    {"/a/..b/../c", "/a/c", "/a/c"},
    {"/a./b", "/a./b", "/a./b"},
    {"/a../b", "/a../b", "/a../b"},
    {"/a/b.", "/a/b.", "/a/b."},
    {"/a/b..", "/a/b..", "/a/b.."},
    {"/a/.;b", "/a/.;b", "/a/.;b"},
    {"/a/..;/b", "/a/..;/b", "/a/..;/b"},
    {"/a;b=c/../d", "/d", "/d"},
    {"/%2e", "/", "/"},
    {"/%2e%2e", NULL, NULL},
    {"/%2E%2e/a", NULL, NULL},
    {"/a/%2e%2e", "/", "/"},
    {"/a/%2e%2e/b", "/b", "/b"},
    {"/a/.%2e/b", "/b", "/b"},
    {"/a/%2e./b", "/b", "/b"},
    {"/a/%2e/b", "/a/b", "/a/b"},
    {"/a/b/%2e%2e%2fc", "/a/c", "/a/c"},
    {"/a%2fb", "/a/b", "/a/b"},
    {"/a%2Fb%2F", "/a/b/", "/a/b/"},
    {"/a%2f%2e%2e%2fb", "/b", "/b"},
    {"/a%2f..%2fb", "/b", "/b"},
    {"/a/..%2fb", "/b", "/b"},
    {"/a/..%2f..%2fb", NULL, NULL},
    {"/%2f", "/", "//"},
    {"/%2f%2fa", "/a", "///a"},
    {"/%2fa", "/a", "//a"},
    {"/a%2f/b", "/a/b", "/a//b"},
    {"/a/%2fb", "/a/b", "/a//b"},
    {"/%252e%252e", "/%2e%2e", "/%2e%2e"},
    {"/%25", "/%", "/%"},
    {"/%2525", "/%25", "/%25"},
    {"/%00", NULL, NULL},
    {"/a%00b", NULL, NULL},
    {"/%", NULL, NULL},
    {"/a%", NULL, NULL},
    {"/%2", NULL, NULL},
    {"/%2g", NULL, NULL},
    {"/%g2", NULL, NULL},
    {"/a%zz", NULL, NULL},
    {"/%20", "/ ", "/ "},
    {"/a%20b", "/a b", "/a b"},
    {"/a+b", "/a+b", "/a+b"},
    {"/a%2Bb", "/a+b", "/a+b"},
    {"/%3F", "/?", "/?"},
    {"/a%3fb", "/a?b", "/a?b"},
    {"/a%3Fb?c", "/a?b", "/a?b"},
    {"/%23a", "/#a", "/#a"},
    {"/a%0Ab", "/a\nb", "/a\nb"},
    {"/a%0d%0a", "/a\r\n", "/a\r\n"},
    {"/%7f", "/\x7f", "/\x7f"},
    {"/%c3%a9", "/\xc3\xa9", "/\xc3\xa9"},
    {"/%C3%A9/..", "/", "/"},
    {"/%ff%fe", "/\xff\xfe", "/\xff\xfe"},
    {"/%c0%ae%c0%ae/", "/\xc0\xae\xc0\xae/", "/\xc0\xae\xc0\xae/"},
    {"/a\\b", "/a\\b", "/a\\b"},
    {"/a\\..\\b", "/a\\..\\b", "/a\\..\\b"},
    {"/a/%5c../b", "/a/\\../b", "/a/\\../b"},
    {"/%5c..%5c", "/\\..\\", "/\\..\\"},
    {"/a?b", "/a", "/a"},
    {"/a/..?b", "/", "/"},
    {"/a?../..", "/a", "/a"},
    {"/a/../?b", "/", "/"},
    {"/?", "/", "/"},
    {"/?a?b", "/", "/"},
    {"/a??b", "/a", "/a"},
    {"/a?b%zz", "/a", "/a"},
    {"/a%3", NULL, NULL},
    {"/a%2e", "/a.", "/a."},
    {"/a%2e%2e", "/a..", "/a.."},
    {"/a/b%2e%2e/c", "/a/b../c", "/a/b../c"},
    {"//a//..//b", "/b", "//a//b"},
    {"//..", NULL, "/"},
    {"//../a", NULL, "/a"},
    {"/a//..", "/", "/a/"},
    {"/a//../b", "/b", "/a/b"},
    {"/a/b//../c", "/a/c", "/a/b/c"},
    {"/a//./b", "/a/b", "/a//b"},
    {"/./.", "/", "/"},
    {"/././", "/", "/"},
    {"/././..", NULL, NULL},
    {"/a/./..", "/", "/"},
    {"/a/./../..", NULL, NULL},
    {"/a/.//b", "/a/b", "/a//b"},
    {"/a/..//b", "/b", "//b"},
    {"/a///b///", "/a/b/", "/a///b///"},
    {"/a/b/c/../../..", "/", "/"},
    {"/a/b/c/../../../", "/", "/"},
    {"/a/b/c/../../../..", NULL, NULL},
    {"/~user/", "/~user/", "/~user/"},
    {"/a\"b", "/a\"b", "/a\"b"},
    {"/a<b>", "/a<b>", "/a<b>"},
    {"/a|b", "/a|b", "/a|b"},
    {"/a`b", "/a`b", "/a`b"},
    {"/a{b}", "/a{b}", "/a{b}"},
    {"/a^b", "/a^b", "/a^b"},
    {"/a'b", "/a'b", "/a'b"},
    {"/a(b)", "/a(b)", "/a(b)"},
    {"/a*b", "/a*b", "/a*b"},
    {"/a,b", "/a,b", "/a,b"},
    {"/a:b", "/a:b", "/a:b"},
    {"/a@b", "/a@b", "/a@b"},
    {"/a=b", "/a=b", "/a=b"},
    {"/a&b", "/a&b", "/a&b"},
    {"/a!b", "/a!b", "/a!b"},
    {"/a$b", "/a$b", "/a$b"},
    {"/a[b]", "/a[b]", "/a[b]"},
    {"/:", "/:", "/:"},
    {"/a/:80", "/a/:80", "/a/:80"},
    {"/%41%42", "/AB", "/AB"},
    {"/%61%2f%2E%2E", "/", "/"},
    {"/%2e%2e%2f", NULL, NULL},
    {"/a%2f%2e%2e", "/", "/"},
    {"/a%2f%2e%2e%2f%2e%2e", NULL, NULL},
    {"/.%00", NULL, NULL},
    {"/..%2f", NULL, NULL},
    {"/%2e.", NULL, NULL},
    {"/a/%2e%2e%2e", "/a/...", "/a/..."},
    {"/a/%2e%2eb", "/a/..b", "/a/..b"},
    {"/a/.%2eb", "/a/..b", "/a/..b"},
    {"/x/%2e%2e/%2e%2e", NULL, NULL},
    {"/a/b/%2e%2e/%2e%2e/c", "/c", "/c"},
    {"/a/b/..%2f%2e%2e/c", "/c", "/c"},
};

/* Normalises an exact copy on the heap, so that a sanitizer sees reads and writes past the end. */
static void check_path(struct text path, bool merge, const char *expected)
{
    char *from = malloc(path.len + 1), *out = malloc(path.len + 1);
    size_t len = 0;
    memcpy(from, path.at, path.len);
    char *exact = realloc(from, path.len);
    int rc = uri_normalise((struct text){exact, path.len}, merge, out, &len);
    ck_assert_msg(rc == (expected ? 0 : 400), "%d for %.*s", rc, TEXT_ARG(path));
    if (expected) {
        ck_assert_uint_le(len, path.len);
        is_text((struct text){out, len}, expected);
        bool same = len == path.len && memcmp(out, path.at, len) == 0;
        if (merge)
            ck_assert_msg(uri_is_plain(path) == same || memchr(path.at, '%', path.len), "%.*s", TEXT_ARG(path));
        ck_assert(!uri_is_plain(path) || same);
        /* In place, too. */
        ck_assert_int_eq(uri_normalise((struct text){exact, path.len}, merge, exact, &len), 0);
        is_text((struct text){exact, len}, expected);
    } else {
        ck_assert(!uri_is_plain(path));
    }
    free(exact);
    free(out);
}

START_TEST(test_paths)
{
    struct uri uri;
    ck_assert_int_eq(uri_split(text_of(paths[_i].target), &uri), 0);
    ck_assert_ptr_null(uri.host.at);
    check_path(uri.path, true, paths[_i].merged);
    check_path(uri.path, false, paths[_i].unmerged);
}
END_TEST

START_TEST(test_not_a_path)
{
    char out[8];
    size_t len;
    ck_assert_int_eq(uri_normalise(TEXT(""), true, out, &len), 400);
    ck_assert_int_eq(uri_normalise(TEXT("a"), true, out, &len), 400);
    ck_assert_int_eq(uri_normalise(TEXT("%2fa"), true, out, &len), 400);
    ck_assert_int_eq(uri_normalise(TEXT("*"), true, out, &len), 400);
    ck_assert(!uri_is_plain(TEXT("")));
    ck_assert(!uri_is_plain(TEXT("a")));
}
END_TEST

/* Whatever goes in, no . or .. segment comes out. */
START_TEST(test_random_paths)
{
    static const char alphabet[] = "//..%2e%2FaA?";
    unsigned seed = 3;
    for (int round = 0; round < 100000; round++) {
        char path[24] = "/", out[24];
        size_t len, n = 1 + (seed >> 4) % 20;
        for (size_t i = 1; i < n; i++) {
            seed = seed * 1103515245 + 12345;
            path[i] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
        }
        seed = seed * 1103515245 + 12345;
        if (uri_normalise((struct text){path, n}, round & 1, out, &len) != 0)
            continue;
        ck_assert(len >= 1 && len <= n && out[0] == '/');
        for (size_t at = 1, end; at <= len; at = end + 1) {
            for (end = at; end < len && out[end] != '/';)
                end++;
            struct text segment = {out + at, end - at};
            ck_assert(!text_equal(segment, TEXT(".")) && !text_equal(segment, TEXT("..")));
            ck_assert(!(round & 1) || segment.len > 0 || end == len);
        }
    }
}
END_TEST

static const struct {
    const char *target, *host, *path, *args; /* path NULL: 400 */
} targets[] = {
    {"/", NULL, "/", NULL},
    {"/a?", NULL, "/a", ""},
    {"/a?b?c=d/../e", NULL, "/a", "b?c=d/../e"},
    {"/?b", NULL, "/", "b"},
    {"//a/b", NULL, "//a/b", NULL},
    {"/http://b/", NULL, "/http://b/", NULL},
    {"*", NULL, "*", NULL},
    {"http://b/c", "b", "/c", NULL},
    {"http://b", "b", "/", NULL},
    {"http://b?c", "b", "/", "c"},
    {"http://b/?c", "b", "/", "c"},
    {"http://b:80/c", "b", "/c", NULL},
    {"http://b:/c", "b", "/c", NULL},
    {"HTTPS://B.Example.:443/c?d", "B.Example", "/c", "d"},
    {"http://[::1]:80/c", "[::1]", "/c", NULL},
    {"http://1.2.3.4/", "1.2.3.4", "/", NULL},
    {"", NULL, NULL, NULL},
    {"a", NULL, NULL, NULL},
    {"a/b", NULL, NULL, NULL},
    {"?a", NULL, NULL, NULL},
    {"a:80", NULL, NULL, NULL},
    {"**", NULL, NULL, NULL},
    {"*/a", NULL, NULL, NULL},
    {"/a#b", NULL, NULL, NULL},
    {"/a?b#c", NULL, NULL, NULL},
    {"http:", NULL, NULL, NULL},
    {"http:/b/", NULL, NULL, NULL},
    {"http://", NULL, NULL, NULL},
    {"http:///a", NULL, NULL, NULL},
    {"http://?a", NULL, NULL, NULL},
    {"http://u@b/", NULL, NULL, NULL},
    {"http://u:p@b/", NULL, NULL, NULL},
    {"http://b:x/", NULL, NULL, NULL},
    {"http://b:65536/", NULL, NULL, NULL},
    {"ftp://b/", NULL, NULL, NULL},
    {"http://[::1/", NULL, NULL, NULL},
    {"http://b#c", NULL, NULL, NULL},
};

START_TEST(test_targets)
{
    struct uri uri;
    int rc = uri_split(text_of(targets[_i].target), &uri);
    ck_assert_msg(rc == (targets[_i].path ? 0 : 400), "%s: %d", targets[_i].target, rc);
    if (rc)
        return;
    is_text(uri.host, targets[_i].host);
    is_text(uri.path, targets[_i].path);
    is_text(uri.args, targets[_i].args);
}
END_TEST

static const struct {
    const char *authority, *host; /* NULL: malformed */
} hosts[] = {
    {"a", "a"},
    {"A.b-c_d~e", "A.b-c_d~e"},
    {"a:80", "a"},
    {"a:", "a"},
    {"a:0", "a"},
    {"a:65535", "a"},
    {"a.", "a"},
    {"a.:8080", "a"},
    {"127.0.0.1:8080", "127.0.0.1"},
    {"[::1]", "[::1]"},
    {"[::1]:80", "[::1]"},
    {"[2001:db8::ffff:1.2.3.4]", "[2001:db8::ffff:1.2.3.4]"},
    {"[v1.x]", "[v1.x]"},
    {"[V1fA.a:b!$&'()*+,;=~._-9]:80", "[V1fA.a:b!$&'()*+,;=~._-9]"},
    {"[v0.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]",
     "[v0.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]"},
    {"%41%c3%a9", "%41%c3%a9"},
    {"a!$&'()*+,;=b", "a!$&'()*+,;=b"},
    {"-", "-"},
    {"", NULL},
    {":80", NULL},
    {".", NULL},
    {"..", NULL},
    {".a", NULL},
    {"a..", NULL},
    {"a..b", NULL},
    {"a b", NULL},
    {"a/b", NULL},
    {"a\\b", NULL},
    {"a?b", NULL},
    {"a#b", NULL},
    {"a@b", NULL},
    {"a\"b", NULL},
    {"a<b", NULL},
    {"a|b", NULL},
    {"a\x80", NULL},
    {"a\tb", NULL},
    {"a%", NULL},
    {"a%4", NULL},
    {"a%zz", NULL},
    {"a%00b", NULL},
    {"a:65536", NULL},
    {"a:99999999999999999999", NULL},
    {"a:x", NULL},
    {"a:+80", NULL},
    {"a: 80", NULL},
    {"a:80:80", NULL},
    {"::1", NULL},
    {"[::1", NULL},
    {"[]", NULL},
    {"[", NULL},
    {"[zz]", NULL},
    {"[::1]x", NULL},
    {"[::1%25eth0]", NULL},
    {"[1.2.3.4]", NULL},
    {"[v]", NULL},
    {"[v1]", NULL},
    {"[v1.]", NULL},
    {"[v.x]", NULL},
    {"[vg.x]", NULL},
    {"[x1.x]", NULL},
    {"[v1.x", NULL},
    {"[v1.x]y", NULL},
    {"[v1.x/y]", NULL},
    {"[v1.x%20]", NULL},
    {"[v1.[x]", NULL},
    {"[v1.x@y]", NULL},
    {"[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]", NULL},
};

/* What CONNECT asks for. */
START_TEST(test_tunnel)
{
    static const char *const cases[][2] = {{"a:80", "a"},
                                           {"A.b:443", "A.b"},
                                           {"a.:80", "a"},
                                           {"[::1]:80", "[::1]"},
                                           {"1.2.3.4:1", "1.2.3.4"},
                                           {"[v1.x]:80", "[v1.x]"},
                                           {"a", NULL},
                                           {"a:", NULL},
                                           {"a.", NULL},
                                           {"a.:", NULL},
                                           {"[::1]", NULL},
                                           {"[::1]:", NULL},
                                           {":80", NULL},
                                           {"a:65536", NULL},
                                           {"/x", NULL},
                                           {"*", NULL},
                                           {"http://a:80/", NULL},
                                           {"http://a:80", NULL},
                                           {"a:80/x", NULL},
                                           {"u@a:80", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text host;
        bool ok = uri_tunnel(text_of(cases[i][0]), &host);
        ck_assert_msg(ok == (cases[i][1] != NULL), "%s", cases[i][0]);
        if (ok)
            is_text(host, cases[i][1]);
    }
}
END_TEST

START_TEST(test_raw)
{
    static const char *const cases[][2] = {{"/a?b", "/a?b"},
                                           {"/a", "/a"},
                                           {"/?", "/?"},
                                           {"http://b/a?c", "/a?c"},
                                           {"*", "*"},
                                           {"http://b?c", "?c"},
                                           {"http://b:80/%41", "/%41"},
                                           {"http://b", "/"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct uri uri;
        ck_assert_int_eq(uri_split(text_of(cases[i][0]), &uri), 0);
        is_text(uri.raw, cases[i][1]);
    }
}
END_TEST

/* A caller that has not looked for NUL itself. */
START_TEST(test_nul)
{
    static const char path[] = "/a/\0/../b", host[] = "[::1\0\0]:80";
    char out[sizeof path];
    size_t len;
    struct text name;
    ck_assert_int_eq(uri_normalise((struct text){path, sizeof path - 1}, true, out, &len), 400);
    ck_assert(!uri_authority((struct text){host, sizeof host - 1}, &name));
}
END_TEST

START_TEST(test_hosts)
{
    struct text host;
    bool ok = uri_authority(text_of(hosts[_i].authority), &host);
    ck_assert_msg(ok == (hosts[_i].host != NULL), "%s", hosts[_i].authority);
    if (ok)
        is_text(host, hosts[_i].host);
}
END_TEST

START_TEST(test_escape)
{
    char all[256], out[768];
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    struct text path = {all, sizeof all};

    static const char plain[] = "-._~!$&'()*+,;=:@/";
    for (int href = 0; href < 2; href++) {
        for (int c = 0; c < 256; c++) {
            struct text one = {all + c, 1};
            bool letter = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
            bool kept = letter || (c && strchr(href ? "-._~/" : plain, c));
            size_t len = href ? uri_escape_href(one, out) : uri_escape(one, out);
            ck_assert_msg(len == (kept ? 1 : 3), "byte %d", c);
            char expected[4] = {(char)c, '\0'};
            if (!kept)
                sprintf(expected, "%%%02X", c);
            ck_assert(memcmp(out, expected, len) == 0);
        }
    }
    size_t len = uri_escape(path, out);
    char *back = malloc(len + 1);
    back[0] = '/';
    size_t n;
    /* All but NUL comes back; . and .. are segments of their own nowhere in it. */
    len = uri_escape(text_from(path, 1), out);
    memmove(out + 1, out, len);
    out[0] = '/';
    ck_assert_int_eq(uri_normalise((struct text){out, len + 1}, true, back, &n), 0);
    ck_assert_uint_eq(n, 256);
    ck_assert(memcmp(back + 1, all + 1, 255) == 0);
    free(back);
}
END_TEST

Suite *suite_http_uri(void)
{
    Suite *s = suite_create("http/uri");
    TCase *t = tcase_create("uri");
    tcase_add_loop_test(t, test_paths, 0, sizeof paths / sizeof paths[0]);
    tcase_add_test(t, test_not_a_path);
    tcase_add_test(t, test_random_paths);
    tcase_add_loop_test(t, test_targets, 0, sizeof targets / sizeof targets[0]);
    tcase_add_test(t, test_tunnel);
    tcase_add_test(t, test_raw);
    tcase_add_test(t, test_nul);
    tcase_add_loop_test(t, test_hosts, 0, sizeof hosts / sizeof hosts[0]);
    tcase_add_test(t, test_escape);
    suite_add_tcase(s, t);
    return s;
}
