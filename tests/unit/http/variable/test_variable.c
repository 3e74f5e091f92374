/* test_variable.c - templates and the values of variables. */
#include "http/configured.h"

#include "http/respond/response.h"
#include "http/rewrite/rewrite_private.h"
#include "http/variable/variable.h"

static const struct {
    const char *text, *value; /* NULL: an error, held in text's stead */
} values[] = {
    {"plain", "plain"},
    {"$uri", "/dir/a b"},
    {"$request_uri", "/dir/a b?x=1&Y=two&x=3&empty=&z"},
    {"$args|$query_string|$is_args", "x=1&Y=two&x=3&empty=&z|x=1&Y=two&x=3&empty=&z|?"},
    {"$arg_x,$arg_y,$arg_empty,$arg_z,$arg_no", "1,two,,,"},
    {"${uri}x", "/dir/a bx"},
    {"$https$http2$request_body$upstream_addr$ssl_protocol$sent_trailer_x|$nginx_version", "|1.22.1"},
    {"$proxy_add_x_forwarded_for", "192.0.2.1"},
    {"$host:$server_port", "example.org:1"},
    {"$remote_addr $binary_remote_addr", "192.0.2.1 \xc0\x00\x02\x01"},
    {"$http_x_one/$http_x_two/$http_no", "1/2, 3/"},
    {"$cookie_a;$cookie_b;$cookie_c", "1;x=y;"},
    {"$request_method $scheme $server_protocol", "GET http HTTP/1.1"},
    {"$status $connection $connection_requests $pipe", "206 7 3 ."},
    {"$request_filename", "/srv/www/dir/a b"},
    {"$document_root", "/srv/www"},
    {"$sent_http_content_type $sent_http_x_added", "text/x added"},
    {"$io_method", "direct"},
    {"$1$2", ""},
    {"a$uri-$host.", "a/dir/a b-example.org."},
    {"$remote_user", ""},
};

static struct header headers[] = {
    {{"X-One", 5}, {"1", 1}},
    {{"X-TWO", 5}, {"2", 1}},
    {{"Cookie", 6}, {"a=1; b=x=y", 10}},
    {{"x-two", 5}, {"3", 1}},
};

START_TEST(value_is_right)
{
    struct configured conf;
    struct request r;
    struct client c;
    char bytes[512];
    snprintf(bytes, sizeof bytes,
             "http { access_log off; server { listen 127.0.0.1:1; root /srv/www/; return 200 \"%s\"; } }",
             values[_i].text);
    configure(&conf, bytes);
    ck_assert_msg(conf.http != NULL, "%s", conf.result.error);
    request_init(&r, &c, &conf, "example.org", "/dir/a b?x=1&Y=two&x=3&empty=&z");
    r.msg.line = TEXT("GET / HTTP/1.1");
    r.msg.version = TEXT("HTTP/1.1");
    r.msg.headers = headers;
    r.msg.count = 4;
    r.out.status = 206;
    r.out.type = TEXT("text/x");
    r.out.method = IO_DIRECT;
    response_add(&r, TEXT("X-Added"), TEXT("added"));
    struct text got = template_text(r.location->rewrite->items[0].action->text, &r);
    const char *want = values[_i].value;
    size_t len = strstr(values[_i].text, "binary") ? strlen("192.0.2.1 ") + 4 : strlen(want);
    ck_assert_msg(got.len == len && memcmp(got.at, want, len) == 0, "%s: %.*s", values[_i].text, TEXT_ARG(got));
    request_fini(&r);
    unconfigure(&conf);
}
END_TEST

static const struct {
    const char *text, *error;
} errors[] = {
    {"$", "invalid variable name"},
    {"a$-", "invalid variable name"},
    {"${uri", "invalid variable name"},
    {"${}", "invalid variable name"},
    {"$nothing_known", "unknown \"nothing_known\" variable"},
};

START_TEST(error_is_told)
{
    struct configured conf;
    char bytes[512];
    snprintf(bytes, sizeof bytes, "http { access_log off; server { return 200 \"%s\"; } }", errors[_i].text);
    configure(&conf, bytes);
    ck_assert_ptr_null(conf.http);
    ck_assert_msg(strstr(conf.result.error, errors[_i].error) != NULL, "%s", conf.result.error);
    unconfigure(&conf);
}
END_TEST

/* A variable may bring a line end into a header field: it must not end the field there. */
START_TEST(field_cannot_be_split)
{
    struct configured conf;
    struct request r;
    struct client c;
    configure(&conf, "http { access_log off; server { listen 127.0.0.1:1; } }");
    ck_assert_ptr_nonnull(conf.http);
    request_init(&r, &c, &conf, "a", "/");
    ck_assert(response_add(&r, TEXT("X"), TEXT("a\r\nSet-Cookie: b")));
    ck_assert_ptr_null(memchr(r.out.fields->value.at, '\n', r.out.fields->value.len));
    request_fini(&r);
    unconfigure(&conf);
}
END_TEST

Suite *suite_http_variable(void);

Suite *suite_http_variable(void)
{
    Suite *s = suite_create("http/variable");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, value_is_right, 0, sizeof values / sizeof *values);
    tcase_add_loop_test(t, error_is_told, 0, sizeof errors / sizeof *errors);
    tcase_add_test(t, field_cannot_be_split);
    suite_add_tcase(s, t);
    return s;
}
