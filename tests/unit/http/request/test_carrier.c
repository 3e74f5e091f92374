/* test_carrier.c - two requests of one client at the same time, by a carrier that is not HTTP/1:
 * each has its own answer, log line, limits and waits. */
#include "http/request/scripted.h"

#include "http/limit/limit_rate.h"
#include "http/limit/min_rate.h"
#include "http/respond/response.h"

enum { K = 1024, A_SIZE = 40 * K, B_SIZE = 50 * K, LARGE = 3 * 512 * K };

static struct scene scene;
static struct stream a, b, c;

static bool got_text(const struct stream *st, const char *text)
{
    return text_equal((struct text){st->got.data, st->got.len}, text_of(text));
}

/* The value of a response field while the request lives. */
static bool field_is(const struct stream *st, const char *name, const char *value)
{
    return text_equal(response_field(st->request, text_of(name)), text_of(value));
}

static void end(void)
{
    stream_free(&a);
    stream_free(&b);
    scene_close(&scene);
}

/* ---- all at once ---- */

/* One waits for a password file, the other for the disk, with other addresses, rates and rules. */
START_TEST(each_has_its_own)
{
    static const char users[] = "ann:{PLAIN}secret\n";

    unit_write("users", users, sizeof users - 1);
    scene_write("%/guarded", A_SIZE);
    scene_write("%/cold", B_SIZE);
    scene_open(&scene, LOGGED SERVER("add_header X-Client $remote_addr;"
                                     "location /guarded { allow 198.51.100.1; deny all; auth_basic x;"
                                     "  auth_basic_user_file @/users; limit_rate 160k; }"
                                     "location /cold { deny 198.51.100.1; allow 198.51.100.2; deny all;"
                                     "  directio 4k; limit_rate 100k; }"));
    stream_begin(&scene, &a, "/guarded", "x-forwarded-for", "198.51.100.1", "authorization",
                 "Basic YW5uOnNlY3JldA==", NULL);
    stream_begin(&scene, &b, "/cold", "x-forwarded-for", "198.51.100.2", NULL);
    streams_step(&a, &b);
    ck_assert(a.waits && a.request->step == STEP_ACCESS);
    ck_assert(b.waits && b.sends);
    ck_assert(field_is(&b, "x_client", "198.51.100.2"));
    ck_assert_uint_eq(rate_of(b.request), 100 * K);
    a.window = b.window = 5000;
    scene_run(&scene);
    ck_assert_int_eq(a.status, 200);
    ck_assert_int_eq(b.status, 200);
    ck_assert_uint_ge(a.resumed, 1);
    ck_assert_uint_ge(b.resumed, 1);
    stream_check(&a, A_SIZE);
    stream_check(&b, B_SIZE);
    scene_check_logged("7.1 198.51.100.1 192.0.2.1 /guarded 200 40960 ann 163840 A OK\n");
    scene_check_logged("7.2 198.51.100.2 192.0.2.1 /cold 200 51200 - 102400 B OK\n");
    ck_assert_uint_eq(scene_lines_logged(), 2);
    ck_assert_uint_eq(scene.worker.counters->requests, 2);
    ck_assert_uint_eq(scene.worker.counters->statuses[2], 2);
    ck_assert_uint_eq(scene.worker.counters->sent, A_SIZE + B_SIZE);
    end();
}
END_TEST

/* What lets one of them in does not let in the other. */
START_TEST(rules_are_asked_of_each)
{
    scene_write("%/file", 100);
    scene_open(&scene, LOGGED SERVER("add_header X-Client $remote_addr always; allow 198.51.100.1; deny all;"));
    stream_begin(&scene, &a, "/file", "x-forwarded-for", "198.51.100.1", NULL);
    stream_begin(&scene, &b, "/file", NULL);
    streams_step(&a, &b);
    scene_run(&scene);
    ck_assert_int_eq(a.status, 200);
    ck_assert_int_eq(b.status, 403);
    stream_check(&a, 100);
    scene_check_logged("7.1 198.51.100.1 192.0.2.1 /file 200 100 - 0 A OK\n");
    scene_check_logged("7.2 192.0.2.1 192.0.2.1 /file 403 ");
    scene_check_file("errors", "forbidden by rule, client: 192.0.2.1,");
    end();
}
END_TEST

/* ---- limits ---- */

#define TEN "0123456789"
#define CEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* The clock stands still outside of the loop: what may go at first is the rate's alone. */
START_TEST(each_has_its_rate)
{
    scene_open(&scene, LOGGED SERVER("location / { set $limit_rate $arg_rate; return 200 " CEN CEN CEN CEN "; }"));
    stream_begin(&scene, &a, "/a?rate=300", NULL);
    stream_begin(&scene, &b, "/b?rate=200", NULL);
    streams_step(&a, &b);
    ck_assert(a.waits && b.waits);
    ck_assert_uint_eq(a.got.len, 300);
    ck_assert_uint_eq(b.got.len, 200);
    scene_run(&scene);
    ck_assert(got_text(&a, CEN CEN CEN CEN));
    ck_assert(got_text(&b, CEN CEN CEN CEN));
    scene_check_logged("/a?rate=300 200 400 - 300 A OK\n");
    scene_check_logged("/b?rate=200 200 400 - 200 B OK\n");
    end();
}
END_TEST

/* Only one of two has a rate. */
START_TEST(a_rate_is_not_the_clients)
{
    scene_open(&scene, LOGGED SERVER("location /slow { set $limit_rate 300; return 200 " CEN CEN CEN CEN "; }"
                                     "location /fast { return 200 " CEN CEN CEN CEN "; }"));
    stream_begin(&scene, &a, "/slow", NULL);
    stream_begin(&scene, &b, "/fast", NULL);
    streams_step(&a, &b);
    ck_assert(a.request && a.waits);
    ck_assert_ptr_null(b.request);
    ck_assert(got_text(&b, CEN CEN CEN CEN));
    scene_run(&scene);
    scene_check_logged("/slow 200 400 - 300 A OK\n");
    scene_check_logged("/fast 200 400 - 0 B OK\n");
    end();
}
END_TEST

/* It counts requests, also those of one connection, and each gives back what it had itself. */
START_TEST(limit_conn_counts_each)
{
    scene_write("%/file", 2 * K);
    scene_open(&scene, LOGGED
               "limit_conn_zone $connection zone=one:1m;" SERVER("location / { limit_conn one 1; limit_rate 1k; }"));
    stream_begin(&scene, &a, "/file", NULL);
    stream_begin(&scene, &b, "/file", NULL);
    streams_step(&a, &b);
    ck_assert(a.request && a.waits);
    ck_assert_int_eq(a.request->limits.conn, LIMIT_PASSED);
    ck_assert_ptr_null(b.request);
    ck_assert_int_eq(b.status, 503);
    stream_cut(&a);
    stream_begin(&scene, &c, "/file", NULL);
    streams_step(&c, &c);
    ck_assert_int_eq(c.request->limits.conn, LIMIT_PASSED);
    stream_cut(&c);
    stream_free(&c);
    ck_assert_uint_eq(scene.worker.counters->statuses[5], 1);
    end();
}
END_TEST

/* The key is the request's own address. */
START_TEST(limits_know_each)
{
    scene_write("%/file", 100);
    scene_open(&scene, LOGGED
               "limit_req_zone $remote_addr zone=req:1m rate=1r/m;" SERVER("location / { limit_req zone=req; }"));
    stream_begin(&scene, &a, "/file", "x-forwarded-for", "198.51.100.1", NULL);
    stream_begin(&scene, &b, "/file", "x-forwarded-for", "198.51.100.2", NULL);
    stream_begin(&scene, &c, "/file", "x-forwarded-for", "198.51.100.1", NULL);
    scene_run(&scene);
    ck_assert_int_eq(a.status, 200);
    ck_assert_int_eq(b.status, 200);
    ck_assert_int_eq(c.status, 503);
    stream_free(&c);
    end();
}
END_TEST

/* Time in which the client takes nothing: of each response, by what its own location asks for. */
START_TEST(each_has_its_min_rate)
{
    scene_write("%/a", 100);
    scene_write("%/b", 100);
    scene_open(&scene, LOGGED SERVER("location /a { send_min_rate 100 1s; } location /b { send_min_rate 200 1s; }"));
    stream_begin(&scene, &a, "/a", NULL);
    stream_begin(&scene, &b, "/b", NULL);
    while (!a.request->location->min_rate || !b.request->location->min_rate) {
        stream_step(&a);
        stream_step(&b);
    }
    min_rate_wait(a.request, 0);
    clock_now.msec += 600;
    min_rate_wait(b.request, 1000);
    clock_now.msec += 600;
    ck_assert(!min_rate_is_missed(a.request, 150));
    ck_assert(!min_rate_is_missed(b.request, 1000)); /* its time is not over */
    clock_now.msec += 600;
    ck_assert(!min_rate_is_missed(a.request, 150));
    ck_assert(min_rate_is_missed(b.request, 1150));
    scene_check_file("errors", "client took 150 bytes in 1200 ms, which is less than send_min_rate");
    stream_cut(&a);
    stream_cut(&b);
    end();
}
END_TEST

/* Neither waits until the other has all, and none of both stands in line for its client. */
START_TEST(large_ones_take_turns)
{
    scene_write("%/large", LARGE);
    scene_open(
        &scene, LOGGED
        "open_file_cache max=10; open_file_cache_content 2m cap=8m; sendfile_max_chunk 256k;" SERVER("location / { }"));
    stream_begin(&scene, &a, "/large", NULL);
    stream_begin(&scene, &b, "/large", NULL);
    streams_step(&a, &b);
    ck_assert(a.waits && b.waits);
    scene_run(&scene);
    stream_check(&a, LARGE);
    stream_check(&b, LARGE);
    ck_assert_str_eq((buffer_add_char(&scene.order, '\0'), scene.order.data), "ABABABABABAB");
    end();
}
END_TEST

/* ---- what each is about ---- */

START_TEST(error_pages_are_apart)
{
    scene_write("%/file", 100);
    unit_write_pattern(scene_text("%/gone.html"), 70);
    unit_write_pattern(scene_text("%/404.html"), 80);
    scene_open(&scene, LOGGED SERVER("location / { error_page 404 /404.html; }"
                                     "location /old/ { error_page 404 =410 /gone.html; }"));
    stream_begin(&scene, &a, "/old/x", "x-forwarded-for", "198.51.100.1", NULL);
    stream_begin(&scene, &b, "/none", "x-forwarded-for", "198.51.100.2", NULL);
    stream_begin(&scene, &c, "/file", NULL);
    scene_run(&scene);
    ck_assert_int_eq(a.status, 410);
    ck_assert_int_eq(b.status, 404);
    ck_assert_int_eq(c.status, 200);
    stream_check(&a, 70);
    stream_check(&b, 80);
    stream_check(&c, 100);
    scene_check_logged("198.51.100.1 192.0.2.1 /old/x 410 70 - 0 A OK\n");
    scene_check_logged("198.51.100.2 192.0.2.1 /none 404 80 - 0 B OK\n");
    scene_check_file("errors", "client: 198.51.100.1, server: , request: \"GET /old/x HTTP/2.0\"");
    scene_check_file("errors", "client: 198.51.100.2, server: , request: \"GET /none HTTP/2.0\"");
    stream_free(&c);
    end();
}
END_TEST

/* Captures, variables of the configuration's own, identifiers. */
START_TEST(variables_are_apart)
{
    scene_open(&scene, LOGGED "map $arg_m $mapped { one first; two second; }" SERVER(
                           "location ~ ^/v/(?<name>[a-z]+)/(.*)$ { set $mine $arg_m; set $rest $2; userid on;"
                           "  add_header X-All '$name $rest $mine $mapped $host'; add_header X-Id $request_id;"
                           "  if ($arg_m ~ ^(t)wo) { set $mine $1; }"
                           "  return 200 '$name $rest $mine $mapped'; }"));
    stream_begin(&scene, &a, "/v/ann/1?m=one", NULL);
    stream_begin(&scene, &b, "/v/bob/2?m=two", NULL);
    while (a.request->step != STEP_READY || b.request->step != STEP_READY) {
        if (a.request->step != STEP_READY)
            stream_step(&a);
        if (b.request->step != STEP_READY)
            stream_step(&b);
    }
    ck_assert(field_is(&a, "x_all", "ann 1 one first h"));
    ck_assert(field_is(&b, "x_all", "bob 2 t second h"));
    struct text id_a = response_field(a.request, TEXT("x_id")), id_b = response_field(b.request, TEXT("x_id"));
    ck_assert_uint_eq(id_a.len, 32);
    ck_assert(!text_equal(id_a, id_b));
    struct text uid_a = response_field(a.request, TEXT("set_cookie"));
    struct text uid_b = response_field(b.request, TEXT("set_cookie"));
    ck_assert(uid_a.len > 0 && !text_equal(uid_a, uid_b));
    scene_run(&scene);
    ck_assert(got_text(&a, "ann 1 one first"));
    end();
}
END_TEST

/* Whether a transport takes files is asked of each carrier. */
START_TEST(ways_of_sending_are_apart)
{
    scene_write("%/file", A_SIZE);
    scene_open(&scene, "log_format how '$sent_http_stream $io_method'; access_log @/log how;" SERVER(""));
    stream_begin(&scene, &a, "/file", NULL);
    scene.memory_only = true;
    stream_begin(&scene, &b, "/file", NULL);
    streams_step(&a, &b);
    scene_run(&scene);
    stream_check(&a, A_SIZE);
    stream_check(&b, A_SIZE);
    scene_check_logged("A sendfile\n");
    scene_check_logged("B buffered\n");
    end();
}
END_TEST

Suite *suite_http_carrier(void);

Suite *suite_http_carrier(void)
{
    Suite *s = suite_create("http/carrier");
    TCase *t = tcase_create("two at a time");
    tcase_add_test(t, each_has_its_own);
    tcase_add_test(t, rules_are_asked_of_each);
    tcase_add_test(t, each_has_its_rate);
    tcase_add_test(t, a_rate_is_not_the_clients);
    tcase_add_test(t, limit_conn_counts_each);
    tcase_add_test(t, limits_know_each);
    tcase_add_test(t, each_has_its_min_rate);
    tcase_add_test(t, large_ones_take_turns);
    tcase_add_test(t, error_pages_are_apart);
    tcase_add_test(t, variables_are_apart);
    tcase_add_test(t, ways_of_sending_are_apart);
    suite_add_tcase(s, t);
    return s;
}
