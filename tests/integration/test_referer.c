/* test_referer.c - valid_referers and $invalid_referer. */
#include "harness.h"

#include <stdio.h>
#include <string.h>

/* NULL: none is sent. `invalid`: "1" or "". */
static void expect(const char *target, const char *referer, const char *invalid)
{
    struct site_response r;
    char field[600] = "", want[16];

    if (referer)
        snprintf(field, sizeof field, "Referer: %s\r\n", referer);
    snprintf(want, sizeof want, "[%s]", invalid);
    site_request(&r, "GET", target, field);
    ck_assert_msg(!strcmp(r.body, want), "%s, Referer \"%s\": %s, expected %s", target, referer, r.body, want);
    site_response_free(&r);
}

static const struct {
    const char *referer;
    bool valid;
} names[] = {
    {"http://exact.org", true},
    {"https://EXACT.org/", true},
    {"HTTP://exact.org:8080/path", true},
    {"http://exact.org.evil/", false},
    {"http://www.exact.org/", false},
    {"http://a.star.org/", true},
    {"http://a.b.star.org/x", true},
    {"http://star.org/", false},
    {"http://xstar.org/", false},
    {"http://dot.org/", true},
    {"http://a.dot.org/", true},
    {"http://end.com/", true},
    {"http://end.co.uk/", true},
    {"http://end/longer/path", false},
    {"http://path.org/galleries/x", true},
    {"http://path.org/galleries", false},
    {"http://path.org/gal", false},
    {"http://path.org", false},
    {"http://path.org:80/galleries/", true},
    {"http://images.google.de/x", true},
    {"http://GOOGLE.de/x", true},
    {"http://x.org/?u=.google.x", true}, /* a regular expression sees all behind the scheme */
    {"ftp://exact.org/", false},
    {"exact.org/long/enough", false},
    {"", false},
    {"-", false},
    {"http://", false},
    {"http://x.y", false},
    {"http:///exact.org/", false},
};

START_TEST(names_and_expressions)
{
    site_serve("location / { valid_referers exact.org *.star.org .dot.org end.* path.org/galleries/ ~google\\.;\n"
               "return 200 \"[$invalid_referer]\"; }");
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        expect("/", names[i].referer, names[i].valid ? "" : "1");
    expect("/", NULL, "1");
}
END_TEST

START_TEST(none_and_blocked)
{
    site_serve("location /none { valid_referers none a.org; return 200 \"[$invalid_referer]\"; }\n"
               "location /blocked { valid_referers blocked a.org; return 200 \"[$invalid_referer]\"; }\n"
               "location /off { return 200 \"[$invalid_referer]\"; }\n");
    expect("/none", NULL, "");
    expect("/none", "gone by a proxy", "1");
    expect("/none", "http://a.org/xyz", "");
    expect("/blocked", NULL, "1");
    expect("/blocked", "gone by a proxy", "");
    expect("/blocked", "", "");
    expect("/blocked", "short", "");
    expect("/blocked", "http://b.org/xyz", "1");
    expect("/off", NULL, "");
    expect("/off", "http://b.org/xyz", "");
}
END_TEST

/* The first answer stays: the page of an error is in another location. */
START_TEST(answer_stays)
{
    site_serve("location /a { valid_referers good.org; error_page 403 = /page; if ($invalid_referer) { return 403; }\n"
               "return 200 \"[$invalid_referer]\"; }\n"
               "location /b { valid_referers good.org; error_page 403 = /bad; if ($invalid_referer) { return 403; }\n"
               "return 200 \"[$invalid_referer]\"; }\n"
               "location /unasked { valid_referers good.org; error_page 403 = /page; return 403; }\n"
               "location /early { set $first $invalid_referer; rewrite ^ /a last; }\n"
               "location /bad { valid_referers bad.org; return 200 \"[$invalid_referer]\"; }\n"
               "location /page { return 200 \"[$invalid_referer]\"; }");
    expect("/a", "http://bad.org/", "1");
    expect("/a", "http://good.org/", "");
    expect("/b", "http://bad.org/", "1");
    expect("/unasked", "http://bad.org/", "");
    expect("/early", "http://bad.org/", "");
}
END_TEST

START_TEST(server_names)
{
    site_conf_http("server { listen 127.0.0.1:@PORT@; root @DIR@/html; server_name me.org *.wild.org ~^re\\d+\\.org$;\n"
                   "valid_referers server_names other.org; location / { return 200 \"[$invalid_referer]\"; }\n"
                   "location /own { valid_referers own.org; return 200 \"[$invalid_referer]\"; } }");
    site_start();
    expect("/", "http://me.org/x", "");
    expect("/", "http://a.wild.org/x", "");
    expect("/", "http://re12.org/x", "");
    expect("/", "http://re.org/xyz", "1");
    expect("/", "http://other.org/x", "");
    expect("/own", "http://own.org/x", "");
    expect("/own", "http://me.org/x", "1");
}
END_TEST

START_TEST(long_hosts)
{
    char referer[500] = "http://";
    site_serve("location / { valid_referers ~.; return 200 \"[$invalid_referer]\"; }");
    memset(referer + 7, 'a', 256);
    expect("/", referer, "");
    memset(referer + 7, 'a', 257);
    expect("/", referer, "1");
}
END_TEST

static const struct {
    const char *line, *error;
} wrong[] = {
    {"valid_referers;", "invalid number of arguments"},
    {"valid_referers none;", "without any valid referer"},
    {"valid_referers none blocked;", "without any valid referer"},
    {"valid_referers a.*.org;", "invalid hostname or wildcard"},
    {"valid_referers *a.org;", "invalid hostname or wildcard"},
    {"valid_referers a..org;", "invalid hostname or wildcard"},
    {"valid_referers ~;", "empty regex"},
    {"valid_referers ~(;", "pcre2_compile() failed"},
    {"valid_referers a.org/x a.org/y;", "conflicting parameter"},
};

START_TEST(what_is_refused)
{
    char text[256];
    snprintf(text, sizeof text, "location / { %s }", wrong[_i].line);
    expect_conf_server(text, wrong[_i].error);
}
END_TEST

Suite *suite_referer(void)
{
    Suite *s = suite_create("referer");
    TCase *tc = site_case(s, "referer", 30);

    tcase_add_test(tc, names_and_expressions);
    tcase_add_test(tc, none_and_blocked);
    tcase_add_test(tc, answer_stays);
    tcase_add_test(tc, server_names);
    tcase_add_test(tc, long_hosts);
    tcase_add_loop_test(tc, what_is_refused, 0, sizeof wrong / sizeof *wrong);
    return s;
}
