/* test_carrier.c - two requests of one client at the same time, by a carrier that is not HTTP/1: each
 * has its own answer, log line, limits and waits. */
#include "http/request/scripted.h"

#include "http/limit/limit_rate.h"
#include "http/limit/min_rate.h"
#include "http/respond/response.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOGGED                                                                                                         \
    "log_format each '$connection.$connection_requests $remote_addr $realip_remote_addr $request_uri $status '\n"      \
    "                '$body_bytes_sent $remote_user $limit_rate $sent_http_stream $request_completion';\n"             \
    "access_log @/log each; error_log @/errors info;\n"                                                                \
    "set_real_ip_from 192.0.2.0/24; real_ip_header X-Forwarded-For;\n"

#define SERVER(text) "server { listen 127.0.0.1:1; root %; " text "}"

enum { K = 1024, A_SIZE = 40 * K, B_SIZE = 50 * K, LARGE = 3 * 512 * K };

static struct scene scene;
static struct stream a, b, c;

static void write_file(const char *name, off_t size)
{
    unit_write_pattern(scene_text(name), size);
}

static void check_body(const struct stream *st, size_t size)
{
    ck_assert_uint_eq(st->got.len, size);
    assert_pattern(st->got.data, size, 0);
}

static bool got_text(const struct stream *st, const char *text)
{
    return text_equal((struct text){st->got.data, st->got.len}, text_of(text));
}

static void check_file(const char *name, const char *part)
{
    char *log = unit_read(unit_path(name), NULL);

    ck_assert_msg(strstr(log, part) != NULL, "\"%s\" is not in:\n%s", part, log);
    free(log);
}

static void check_logged(const char *part)
{
    check_file("log", part);
}

static unsigned lines_logged(void)
{
    char *log = unit_read(unit_path("log"), NULL);
    unsigned count = 0;

    for (const char *at = log; (at = strchr(at, '\n')) != NULL; at++)
        count++;
    free(log);
    return count;
}

/* The value of a response field while the request lives. */
static bool field_is(const struct stream *st, const char *name, const char *value)
{
    return text_equal(response_field(st->request, text_of(name)), text_of(value));
}

static void free_both(void)
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
    write_file("%/guarded", A_SIZE);
    write_file("%/cold", B_SIZE);
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
    check_body(&a, A_SIZE);
    check_body(&b, B_SIZE);
    check_logged("7.1 198.51.100.1 192.0.2.1 /guarded 200 40960 ann 163840 A OK\n");
    check_logged("7.2 198.51.100.2 192.0.2.1 /cold 200 51200 - 102400 B OK\n");
    ck_assert_uint_eq(lines_logged(), 2);
    ck_assert_uint_eq(scene.worker.counters->requests, 2);
    ck_assert_uint_eq(scene.worker.counters->statuses[2], 2);
    ck_assert_uint_eq(scene.worker.counters->sent, A_SIZE + B_SIZE);
    free_both();
}
END_TEST

/* What lets one of them in does not let in the other. */
START_TEST(rules_are_asked_of_each)
{
    write_file("%/file", 100);
    scene_open(&scene, LOGGED SERVER("add_header X-Client $remote_addr always; allow 198.51.100.1; deny all;"));
    stream_begin(&scene, &a, "/file", "x-forwarded-for", "198.51.100.1", NULL);
    stream_begin(&scene, &b, "/file", NULL);
    streams_step(&a, &b);
    scene_run(&scene);
    ck_assert_int_eq(a.status, 200);
    ck_assert_int_eq(b.status, 403);
    check_body(&a, 100);
    check_logged("7.1 198.51.100.1 192.0.2.1 /file 200 100 - 0 A OK\n");
    check_logged("7.2 192.0.2.1 192.0.2.1 /file 403 ");
    check_file("errors", "forbidden by rule, client: 192.0.2.1,");
    free_both();
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
    check_logged("/a?rate=300 200 400 - 300 A OK\n");
    check_logged("/b?rate=200 200 400 - 200 B OK\n");
    free_both();
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
    check_logged("/slow 200 400 - 300 A OK\n");
    check_logged("/fast 200 400 - 0 B OK\n");
    free_both();
}
END_TEST

/* It counts requests, also those of one connection, and each gives back what it had itself. */
START_TEST(limit_conn_counts_each)
{
    write_file("%/file", 2 * K);
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
    free_both();
}
END_TEST

/* The key is the request's own address. */
START_TEST(limits_know_each)
{
    write_file("%/file", 100);
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
    free_both();
}
END_TEST

/* Time in which the client takes nothing: of each response, by what its own location asks for. */
START_TEST(each_has_its_min_rate)
{
    write_file("%/a", 100);
    write_file("%/b", 100);
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
    check_file("errors", "client took 150 bytes in 1200 ms, which is less than send_min_rate");
    stream_cut(&a);
    stream_cut(&b);
    free_both();
}
END_TEST

/* Neither waits until the other has all, and none of both stands in line for its client. */
START_TEST(large_ones_take_turns)
{
    write_file("%/large", LARGE);
    scene_open(
        &scene, LOGGED
        "open_file_cache max=10; open_file_cache_content 2m cap=8m; sendfile_max_chunk 256k;" SERVER("location / { }"));
    stream_begin(&scene, &a, "/large", NULL);
    stream_begin(&scene, &b, "/large", NULL);
    streams_step(&a, &b);
    ck_assert(a.waits && b.waits);
    scene_run(&scene);
    check_body(&a, LARGE);
    check_body(&b, LARGE);
    ck_assert_str_eq((buffer_add_char(&scene.order, '\0'), scene.order.data), "ABABABABABAB");
    free_both();
}
END_TEST

/* ---- what each is about ---- */

START_TEST(error_pages_are_apart)
{
    write_file("%/file", 100);
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
    check_body(&a, 70);
    check_body(&b, 80);
    check_body(&c, 100);
    check_logged("198.51.100.1 192.0.2.1 /old/x 410 70 - 0 A OK\n");
    check_logged("198.51.100.2 192.0.2.1 /none 404 80 - 0 B OK\n");
    check_file("errors", "client: 198.51.100.1, server: , request: \"GET /old/x HTTP/2.0\"");
    check_file("errors", "client: 198.51.100.2, server: , request: \"GET /none HTTP/2.0\"");
    stream_free(&c);
    free_both();
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
    free_both();
}
END_TEST

/* Whether a transport takes files is asked of each carrier. */
START_TEST(ways_of_sending_are_apart)
{
    write_file("%/file", A_SIZE);
    scene_open(&scene, "log_format how '$sent_http_stream $io_method'; access_log @/log how;" SERVER(""));
    stream_begin(&scene, &a, "/file", NULL);
    scene.memory_only = true;
    stream_begin(&scene, &b, "/file", NULL);
    streams_step(&a, &b);
    scene_run(&scene);
    check_body(&a, A_SIZE);
    check_body(&b, A_SIZE);
    check_logged("A sendfile\n");
    check_logged("B buffered\n");
    free_both();
}
END_TEST

/* ---- one goes away ---- */

/* Each is a wait of its own kind, that both are in. */
static const struct {
    const char *settings; /* of the location */
    const char *target;
    int status;
    size_t size; /* of the body; 0: not looked at */
    bool second; /* the wait that is meant comes after another one */
} waits[] = {
    {"auth_basic x; auth_basic_user_file @/users;", "/w/cold", 200, B_SIZE, false},
    {"auth_basic x; auth_basic_user_file @/others; auth_delay 1s;", "/w/cold", 401, 0, true},
    {"directio 4k;", "/w/cold", 200, B_SIZE, false},
    {"set $limit_rate 100k;", "/w/cold", 200, B_SIZE, false},
    {"limit_req zone=slow burst=9;", "/w/cold", 200, B_SIZE, false},
    {"limit_conn one 9; limit_rate 100k;", "/w/cold", 200, B_SIZE, false},
    {"autoindex on;", "/w/dir/", 200, 0, false},
    {"random_index on;", "/w/dir/", 200, 300, false},
    {"sendfile_max_chunk 256k;", "/w/large", 200, LARGE, false},
    {"gzip on; gzip_types *; gzip_min_length 1;", "/w/large", 200, 0, false},
};

static void make_files(void)
{
    static const char users[] = "ann:{PLAIN}secret\n", others[] = "ann:{PLAIN}other\n";

    unit_write("users", users, sizeof users - 1);
    unit_write("others", others, sizeof others - 1);
    ck_assert_int_eq(mkdir(scene_text("%/w"), 0755), 0);
    ck_assert_int_eq(mkdir(scene_text("%/w/dir"), 0755), 0);
    write_file("%/w/cold", B_SIZE);
    write_file("%/w/large", LARGE);
    write_file("%/w/dir/x", 300);
}

#define ZONES                                                                                                          \
    "limit_req_zone $host zone=slow:1m rate=20r/s; limit_conn_zone $host zone=one:1m;\n"                               \
    "server { listen 127.0.0.1:1; root %; location /w/ { "

static void ask(struct stream *st, const char *target)
{
    stream_begin(&scene, st, target, "authorization", "Basic YW5uOnNlY3JldA==", "accept-encoding", "gzip", NULL);
}

START_TEST(one_goes_away)
{
    char conf[1024], end_of_a[8], end_of_b[8];

    if (strstr(waits[_i].settings, "directio") && !unit_disk_dir())
        return; /* memory is not waited for */
    make_files();
    snprintf(conf, sizeof conf, "%s%s%s", LOGGED ZONES, waits[_i].settings, "} }");
    scene_open(&scene, conf);
    if (!waits[_i].second) { /* the first one passes limit_req, and finds names that nobody knew yet */
        ask(&c, waits[_i].target);
        scene_run(&scene);
        stream_free(&c);
    }
    ask(&a, waits[_i].target);
    ask(&b, waits[_i].target);
    streams_step(&a, &b);
    while (waits[_i].second && (a.resumed == 0 || b.resumed == 0))
        scene_turn(&scene);
    ck_assert(a.request && a.waits);
    ck_assert(b.request && b.waits);
    stream_cut(&a);
    scene_run(&scene);
    ck_assert_int_eq(b.status, waits[_i].status);
    if (waits[_i].size > 0)
        check_body(&b, waits[_i].size);
    ck_assert_uint_gt(b.got.len, 0);
    snprintf(end_of_a, sizeof end_of_a, " %c \n", a.letter);
    check_logged(end_of_a);
    snprintf(end_of_b, sizeof end_of_b, " %c OK\n", b.letter);
    check_logged(end_of_b);
    ck_assert_uint_eq(lines_logged(), scene.begun);
    free_both();
}
END_TEST

/* Both are in the middle of their bodies. */
START_TEST(one_goes_away_while_sending)
{
    make_files();
    scene_open(&scene, LOGGED SERVER("location /w/ { directio 4k; }"));
    stream_begin(&scene, &a, "/w/cold", NULL);
    stream_begin(&scene, &b, "/w/large", NULL);
    a.window = b.window = 1000;
    streams_step(&a, &b);
    while (a.got.len < 5000)
        scene_turn(&scene);
    ck_assert_uint_lt(a.got.len, B_SIZE);
    stream_cut(&a);
    b.window = 0;
    scene_run(&scene);
    check_body(&b, LARGE);
    ck_assert_uint_eq(scene.worker.counters->statuses[2], 2);
    ck_assert_uint_eq(scene.worker.counters->sent, a.got.len + LARGE);
    free_both();
}
END_TEST

/* What is wrong with one file ends one response. */
START_TEST(one_file_is_truncated)
{
    make_files();
    write_file("%/w/other", A_SIZE);
    scene_open(&scene, LOGGED SERVER("location /w/ { limit_rate 20k; } location = /w/other { }"));
    stream_begin(&scene, &a, "/w/cold", NULL);
    stream_begin(&scene, &b, "/w/other", NULL);
    b.window = 1000;
    while (a.got.len == 0)
        scene_turn(&scene);
    ck_assert_int_eq(truncate(scene_text("%/w/cold"), 100), 0);
    scene_run(&scene);
    ck_assert(a.failed && !b.failed);
    ck_assert_uint_lt(a.got.len, B_SIZE);
    check_body(&b, A_SIZE);
    check_file("errors", "/w/cold\" was truncated while it was sent");
    check_logged(" A \n");
    check_logged(" B OK\n");
    ck_assert_uint_eq(scene.worker.counters->io.cut, 1);
    free_both();
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
    TCase *away = tcase_create("one goes away");
    tcase_add_loop_test(away, one_goes_away, 0, sizeof waits / sizeof *waits);
    tcase_add_test(away, one_goes_away_while_sending);
    tcase_add_test(away, one_file_is_truncated);
    suite_add_tcase(s, away);
    return s;
}
