/* test_secure_link.c - $secure_link and $secure_link_expires, in both forms. */
#include "harness.h"

#include <stdio.h>
#include <string.h>

static void expect(const char *target, const char *body)
{
    struct site_response r;
    site_get(&r, target);
    ck_assert_msg(!strcmp(r.body, body), "%s: %s, expected %s", target, r.body, body);
    site_response_free(&r);
}

#define GOOD  "WZQOFcpoBuhv7hmE_GhcDA"
#define LATER "aDrYyaoSNxSJKa2gwN5q7g"
#define PAST  "wdepehZyYBsfCIi7sAOK5w"

START_TEST(digests)
{
    site_serve("location / { secure_link $arg_h,$arg_e; secure_link_md5 \"$secure_link_expires$uri key\";\n"
               "return 200 \"[$secure_link|$secure_link_expires]\"; }\n"
               "location /plain/ { secure_link $arg_h; secure_link_md5 \"$arg_u key\"; return 200 [$secure_link]; }\n"
               "location /half { secure_link $arg_h; return 200 [$secure_link]; }\n"
               "location /off { return 200 \"[$secure_link|$secure_link_expires]\"; }\n");
    expect("/a?h=" LATER "&e=4102444800", "[1|4102444800]");
    expect("/a?h=" LATER "==&e=4102444800", "[1|4102444800]");
    expect("/b?h=" LATER "&e=4102444800", "[|4102444800]");
    expect("/a?h=" LATER "&e=4102444801", "[|4102444801]");
    expect("/a?h=" PAST "&e=1000000000", "[0|1000000000]");
    expect("/a?h=" LATER "&e=", "[|]");
    expect("/a?h=" LATER "&e=x", "[|]");
    expect("/a?h=" LATER "&e=0", "[|]");
    expect("/a?h=" LATER "&e=-1", "[|]");
    expect("/a", "[|]");
    expect("/plain/?u=/a&h=" GOOD, "[1]");
    expect("/plain/?u=/c&h=" GOOD, "[]");
    expect("/plain/?u=/a&h=" GOOD "x", "[]");
    expect("/plain/?u=/a&h=", "[]");
    expect("/plain/?u=/a&h=!!!!", "[]");
    expect("/plain/?u=/a&h=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "[]");
    expect("/half?h=" GOOD, "[]");
    expect("/off", "[|]");
}
END_TEST

START_TEST(secret)
{
    site_serve("location /p/ { secure_link_secret key; return 200 [$secure_link]; }");
    expect("/p/d05d91c9ad31ba7e726b2a3c7f24c702/dir/file?x", "[dir/file?x]");
    expect("/p/d05d91c9ad31ba7e726b2a3c7f24c702/dir/file", "[]");
    expect("/p/985dbecd5df85610813f2d18e63cc576/dir/%20file", "[dir/%20file]"); /* as it was sent */
    expect("/p/985dbecd5df85610813f2d18e63cc576/", "[]");
    expect("/p/985dbecd5df85610813f2d18e63cc576", "[]");
    expect("/p/", "[]");
    expect("/p/0123/dir", "[]");
    expect("/p/zz23456789abcdef0123456789abcdef/dir", "[]");
}
END_TEST

/* How it is used, without `if`: what is not signed is not there. */
START_TEST(served_by_the_link)
{
    site_write("html/signed/1", "signed");
    site_serve("location /s/ { secure_link $arg_h; secure_link_md5 \"/a key\"; try_files /signed/$secure_link =403; }");
    ck_assert_int_eq(site_status_of("/s/x?h=" GOOD), 200);
    ck_assert_int_eq(site_status_of("/s/x?h=x"), 403);
}
END_TEST

/* The first answer stays: the page of an error is in another location. */
START_TEST(answer_stays)
{
    site_serve("location /a { secure_link $arg_h,4102444800; secure_link_md5 \"/a key\"; error_page 403 /page;\n"
               "if ($secure_link) { set $e $secure_link_expires; return 403; } return 200 [$secure_link]; }\n"
               "location /unasked { secure_link $arg_h; secure_link_md5 \"/a key\"; error_page 403 /page; "
               "return 403; }\n"
               "location /early { set $first $secure_link; rewrite ^ /a last; }\n"
               "location /page { return 200 \"[$secure_link|$secure_link_expires]\"; }");
    expect("/a?h=" GOOD, "[1|4102444800]");
    expect("/a?h=x", "[]");
    expect("/unasked?h=" GOOD, "[|]");
    expect("/early?h=" GOOD, "[]"); /* it was asked for where there was none */
}
END_TEST

/* Of the two forms the nearer one counts. */
START_TEST(forms_in_nested_locations)
{
    site_serve("location /p/ { secure_link_secret key; return 200 \"[$secure_link]\";\n"
               "location /p/new/ { secure_link $arg_h; secure_link_md5 \"/a key\"; return 200 "
               "\"[$secure_link]\"; }\n"
               "location /p/half/ { secure_link $arg_h; return 200 \"[$secure_link]\"; }\n"
               "location /p/none/ { return 200 \"[$secure_link]\"; } }\n"
               "location /q { secure_link $arg_h; secure_link_md5 \"/a key\"; return 200 \"[$secure_link]\";\n"
               "location /q/old/ { secure_link_secret secret; return 200 \"[$secure_link]\";\n"
               "location /q/old/new/ { secure_link $arg_h; secure_link_md5 \"/a key\"; return 200 "
               "\"[$secure_link]\"; }\n"
               "location /q/old/half/ { secure_link_md5 \"/a key\"; return 200 \"[$secure_link]\"; } } }");
    expect("/p/d05d91c9ad31ba7e726b2a3c7f24c702/dir/file?x", "[dir/file?x]");
    expect("/p/new/x?h=" GOOD, "[1]");
    expect("/p/half/x?h=" GOOD, "[]");
    expect("/q/x?h=" GOOD, "[1]");
    expect("/q/old/new/x?h=" GOOD, "[1]");
    expect("/q/old/half/x?h=" GOOD, "[]");
    expect("/q/old/x?h=" GOOD, "[]");
    expect("/p/none/x?h=" GOOD, "[]");
}
END_TEST

START_TEST(forms_do_not_mix)
{
    struct site_run run;
    site_conf_server("location / { secure_link $arg_x; location /x { secure_link_secret a; secure_link_md5 y; } }");
    site_check(&run);
    ck_assert_int_ne(run.status, 0);
    site_conf_server("location / { secure_link_secret a; secure_link $arg_x; }");
    site_check(&run);
    ck_assert_int_ne(run.status, 0);
    ck_assert_ptr_nonnull(strstr(run.err, "\"secure_link_secret\" cannot be mixed"));
}
END_TEST

Suite *suite_secure_link(void)
{
    Suite *s = suite_create("secure_link");
    TCase *tc = site_case(s, "secure_link", 30);

    tcase_add_test(tc, digests);
    tcase_add_test(tc, secret);
    tcase_add_test(tc, served_by_the_link);
    tcase_add_test(tc, answer_stays);
    tcase_add_test(tc, forms_in_nested_locations);
    tcase_add_test(tc, forms_do_not_mix);
    return s;
}
