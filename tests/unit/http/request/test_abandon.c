/* test_abandon.c - of two requests of one client at the same time, one goes away in the middle of
 * any kind of wait: the other one is what it would have been. */
#include "http/request/scripted.h"

#include <sys/stat.h>
#include <unistd.h>

enum { K = 1024, OTHER = 40 * K, SIZE = 50 * K, LARGE = 3 * 512 * K };

static struct scene scene;
static struct stream a, b, c;

static void end(void)
{
    stream_free(&a);
    stream_free(&b);
    scene_close(&scene);
}

/* Each is a wait of its own kind, that both are in. */
static const struct {
    const char *settings; /* of the location */
    const char *target;
    int status;
    size_t size; /* of the body; 0: not looked at */
    bool second; /* the wait that is meant comes after another one */
} waits[] = {
    {"auth_basic x; auth_basic_user_file @/users;", "/w/cold", 200, SIZE, false},
    {"auth_basic x; auth_basic_user_file @/others; auth_delay 1s;", "/w/cold", 401, 0, true},
    {"directio 4k;", "/w/cold", 200, SIZE, false},
    {"set $limit_rate 100k;", "/w/cold", 200, SIZE, false},
    {"limit_req zone=slow burst=9;", "/w/cold", 200, SIZE, false},
    {"limit_conn one 9; limit_rate 100k;", "/w/cold", 200, SIZE, false},
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
    scene_write("%/w/cold", SIZE);
    scene_write("%/w/large", LARGE);
    scene_write("%/w/dir/x", 300);
}

#define ZONES                                                                                                          \
    "limit_req_zone $host zone=slow:1m rate=20r/s; limit_conn_zone $host zone=one:1m;\n"                               \
    "server { listen 127.0.0.1:1; root %; location /w/ { "

static void ask(struct stream *st, const char *target)
{
    stream_begin(&scene, st, target, "authorization", "Basic YW5uOnNlY3JldA==", "accept-encoding", "gzip", NULL);
}

/* Names are known that nobody looked up before; and one has just asked limit_req, while the clock
 * stands still. */
static void prepare(const char *target)
{
    ask(&c, target);
    scene_run(&scene);
    stream_free(&c);
    ask(&c, target);
    while (c.request->step <= STEP_LIMIT && !c.waits)
        stream_step(&c);
    stream_cut(&c);
    stream_free(&c);
}

START_TEST(one_goes_away)
{
    char conf[1024], end_of_a[8], end_of_b[8];

    if (strstr(waits[_i].settings, "directio") && !unit_disk_dir())
        return; /* memory is not waited for */
    make_files();
    snprintf(conf, sizeof conf, "%s%s%s", LOGGED ZONES, waits[_i].settings, "} }");
    scene_open(&scene, conf);
    if (!waits[_i].second)
        prepare(waits[_i].target);
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
        stream_check(&b, waits[_i].size);
    ck_assert_uint_gt(b.got.len, 0);
    snprintf(end_of_a, sizeof end_of_a, " %c \n", a.letter);
    scene_check_logged(end_of_a);
    snprintf(end_of_b, sizeof end_of_b, " %c OK\n", b.letter);
    scene_check_logged(end_of_b);
    ck_assert_uint_eq(scene_lines_logged(), scene.begun);
    end();
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
    ck_assert_uint_lt(a.got.len, SIZE);
    stream_cut(&a);
    b.window = 0;
    scene_run(&scene);
    stream_check(&b, LARGE);
    ck_assert_uint_eq(scene.worker.counters->statuses[2], 2);
    ck_assert_uint_eq(scene.worker.counters->sent, a.got.len + LARGE);
    end();
}
END_TEST

/* What is wrong with one file ends one response. */
START_TEST(one_file_is_truncated)
{
    make_files();
    scene_write("%/w/other", OTHER);
    scene_open(&scene, LOGGED SERVER("location /w/ { limit_rate 20k; } location = /w/other { }"));
    stream_begin(&scene, &a, "/w/cold", NULL);
    stream_begin(&scene, &b, "/w/other", NULL);
    b.window = 1000;
    while (a.got.len == 0)
        scene_turn(&scene);
    ck_assert_int_eq(truncate(scene_text("%/w/cold"), 100), 0);
    scene_run(&scene);
    ck_assert(a.failed && !b.failed);
    ck_assert_uint_lt(a.got.len, SIZE);
    stream_check(&b, OTHER);
    scene_check_file("errors", "/w/cold\" was truncated while it was sent");
    scene_check_logged(" A \n");
    scene_check_logged(" B OK\n");
    ck_assert_uint_eq(scene.worker.counters->io.cut, 1);
    end();
}
END_TEST

Suite *suite_http_abandon(void);

Suite *suite_http_abandon(void)
{
    Suite *s = suite_create("http/abandon");
    TCase *t = tcase_create("one goes away");
    tcase_add_loop_test(t, one_goes_away, 0, sizeof waits / sizeof *waits);
    tcase_add_test(t, one_goes_away_while_sending);
    tcase_add_test(t, one_file_is_truncated);
    suite_add_tcase(s, t);
    return s;
}
