/* test_place.c - names of files from root and alias, and which ".." in them comes of the
 * request. */
#include "http/configured.h"

#include "http/core/route.h"
#include "http/files/place.h"
#include "http/rewrite/rewrite_private.h"
#include "http/variable/climb.h"
#include "http/variable/variable.h"

static const struct {
    const char *text, *args;
    bool climbs;
} climbs[] = {
    {"/a/../b", "", false},
    {"/a/$arg_x", "x=b", false},
    {"/a/$arg_x", "x=..", true},
    {"/a/$arg_x", "x=../b", true},
    {"/a/$arg_x", "x=b/..", true},
    {"/a/$arg_x", "x=b/../c", true},
    {"/a/$arg_x", "x=...", false},
    {"/a/$arg_x", "x=..b", false},
    {"/a/$arg_x", "x=b..", false},
    {"/a/$arg_x", "x=.", false},
    {"/a$arg_x", "x=..", false},
    {"/a$arg_x", "x=/..", true},
    {"/a/.$arg_x", "x=.", true},
    {"/a/.$arg_x", "x=./b", true},
    {"/a/$arg_x$arg_y", "x=.&y=.", true},
    {"/a/$arg_x.", "x=.", true},
    {"$arg_x/b", "x=..", true},
    {"$arg_x", "", false},
    {"/a/../$arg_x", "x=b", false},
    {"/a/../$arg_x", "x=../b", true},
    {"/a/../b$arg_x", "x=/..", true},
    {"../$arg_x", "x=b", false},
    {"../$arg_x", "x=..", true},
    {"/$arg_x/..", "x=b", false},
    {"/$arg_x/..", "x=..", true},
    {"/a/..$arg_x", "x=b", false}, /* "..b": neither is one */
    {"/a/..$arg_x", "x=/b", true}, /* it takes both to make it one */
    {"/a..$arg_x..b", "x=/../", true},
};

START_TEST(climbing_is_seen)
{
    struct configured conf;
    struct request r;
    struct client c;
    char bytes[256], uri[64];

    snprintf(bytes, sizeof bytes, "http { access_log off; server { listen 127.0.0.1:1; return 200 \"%s\"; } }",
             climbs[_i].text);
    configure(&conf, bytes);
    ck_assert_msg(conf.http != NULL, "%s", conf.result.error);
    snprintf(uri, sizeof uri, "/?%s", climbs[_i].args);
    request_init(&r, &c, &conf, "h", uri);
    const struct template *t = r.location->rewrite->items[0].action->text;
    struct text value = template_text(t, &r);
    ck_assert_msg(template_climbs(t, value) == climbs[_i].climbs, "%s: %.*s", climbs[_i].text, TEXT_ARG(value));
    request_fini(&r);
    unconfigure(&conf);
}
END_TEST

static const struct {
    const char *conf, *uri, *path;
    bool by_conf; /* the URI is the configuration's own */
    bool leads_out;
} paths[] = {
    {"root /d;", "/x", "/d/x", false, false},
    {"root /d/;", "/x", "/d/x", false, false},
    {"root /d/../e;", "/x", "/d/../e/x", false, false},
    {"root /d;", "/../x", "/d/../x", false, true}, /* after a rewrite */
    {"root /d;", "/../x", "/d/../x", true, false},
    {"root $arg_r;", "/x?r=/d", "/d/x", false, false},
    {"root $arg_r;", "/x?r=d", "/srv/d/x", false, false}, /* to the prefix */
    {"root $arg_r;", "/x", "/srv/x", false, false},
    {"root /d/$arg_r;", "/x?r=..", "/d/../x", false, true},
    {"root /d/$arg_r/;", "/x?r=a/../b", "/d/a/../b/x", false, true},
    {"location /x { alias /d/; }", "/x/y", "/d//y", false, false},
    {"location /x { alias /d/; }", "/x..", "/d/..", false, true},
    {"location /x { alias /d/; }", "/x../y", "/d/../y", false, true},
    {"location /x { alias /d/; }", "/x../y", "/d/../y", true, true}, /* what is cut off makes it one */
    {"location /x { alias /d/; }", "/x.../y", "/d/.../y", false, false},
    {"location /x { alias /d/; }", "/x", "/d/", false, false},
    {"location /x { alias /d; }", "/x../y", "/d../y", false, false},
    {"location /x { alias /d/.; }", "/x./y", "/d/../y", false, true},
    {"location /x { alias /d/..; }", "/x/y", "/d/../y", false, false},
    {"location /x { alias /d/..; }", "/x/../y", "/d/../../y", false, true},
    {"location /x/ { alias /d/; }", "/x/../y", "/d/../y", true, false},
    {"location /x/ { alias /d/; }", "/x/../y", "/d/../y", false, true},
    {"location ~ ^/x(.*)$ { alias /d/$1; }", "/x../y", "/d/../y", false, true},
    {"location ~ ^/x(.*)$ { alias /d/$1; }", "/x/y", "/d//y", false, false},
    {"location ~ ^/x(?<r>.*)$ { alias $r; }", "/xy", "/srv/y", false, false},
};

START_TEST(path_is_made)
{
    struct configured conf;
    struct request r;
    struct client c;
    char bytes[256];

    snprintf(bytes, sizeof bytes, "http { access_log off; server { listen 127.0.0.1:1; %s } }", paths[_i].conf);
    configure(&conf, bytes);
    ck_assert_msg(conf.http != NULL, "%s", conf.result.error);
    request_init(&r, &c, &conf, "h", paths[_i].uri);
    r.location = route_location(&r);
    r.internal = true; /* such a URI comes of a rewrite, or of what an alias cuts off */
    r.climbs_by_conf = paths[_i].by_conf;
    struct text path = place_path(&r, r.uri);
    ck_assert_msg(text_equal(path, text_of(paths[_i].path)), "%s %s: %.*s", paths[_i].conf, paths[_i].uri,
                  TEXT_ARG(path));
    ck_assert_msg(place_uri_leads_out(&r) == paths[_i].leads_out, "%s %s", paths[_i].conf, paths[_i].uri);
    request_fini(&r);
    unconfigure(&conf);
}
END_TEST

Suite *suite_http_place(void);

Suite *suite_http_place(void)
{
    Suite *s = suite_create("http/place");
    TCase *t = tcase_create("paths");
    tcase_add_loop_test(t, climbing_is_seen, 0, sizeof climbs / sizeof *climbs);
    tcase_add_loop_test(t, path_is_made, 0, sizeof paths / sizeof *paths);
    suite_add_tcase(s, t);
    return s;
}
