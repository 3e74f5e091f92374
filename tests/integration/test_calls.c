/* test_calls.c - how many system calls a request may cost: those that were saved stay saved. */
#include "faulty.h"
#include "harness.h"

#include <signal.h>

static bool start(void)
{
    if (!faulty_setup())
        return false;
    site_conf("@MAIN@\nevents { worker_connections 64; }\nhttp {\n@HTTP@\nserver {\n"
              "listen 127.0.0.1:@PORT@;\nroot @DISK@/data; open_file_cache max=9; open_file_cache_content 8k;\n}\n}\n");
    site_start_with(faulty_env(), -1);
    site_await_port(site_port(0));
    faulty_follow_worker();
    return true;
}

static void receive(struct site_client *c)
{
    struct site_response r;

    ck_assert(client_receive(c, &r));
    ck_assert_int_eq(r.status, 200);
    ck_assert_uint_eq(r.len, 3000);
    assert_pattern(r.body, r.len, 0);
    site_response_free(&r);
}

static void ask_once(struct site_client *c)
{
    client_open(c, site_port(0));
    client_say(c, "GET /small HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
}

/* Until the worker has closed it. */
static void take_all(struct site_client *c)
{
    receive(c);
    ck_assert(client_ends(c));
    client_close(c);
}

/* What only the first requests do is over then, and the file is in memory. */
static void warm_up(void)
{
    struct site_client c;

    for (int i = 0; i < 3; i++) {
        ask_once(&c);
        take_all(&c);
    }
}

/* The worker stands still until the requests are there, so that none has to be waited for. */
START_TEST(connection_without_a_wait_is_not_watched)
{
    enum { CONNECTIONS = 8 };
    struct site_client c[CONNECTIONS];

    site_pattern(site_data("small"), 3000);
    if (!start())
        return;
    pid_t worker = faulty_follow_worker();
    warm_up();
    faulty_count(FAULTY_WATCH);
    ck_assert_int_eq(kill(worker, SIGSTOP), 0);
    for (int i = 0; i < CONNECTIONS; i++)
        ask_once(&c[i]);
    ck_assert_int_eq(kill(worker, SIGCONT), 0);
    for (int i = 0; i < CONNECTIONS; i++)
        take_all(&c[i]);
    ck_assert_int_eq(faulty_seen(), 0);
    faulty_disarm();
}
END_TEST

/* One that has to wait is watched, and told of what came before: here the end of a request whose
 * beginning was there when it was accepted. */
START_TEST(connection_that_waits_is_watched_once)
{
    struct site_client c;

    site_pattern(site_data("small"), 3000);
    if (!start())
        return;
    warm_up();
    faulty_count(FAULTY_WATCH);
    client_open(&c, site_port(0));
    client_say(&c, "GET /small HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 5; i++) {
        sleep_msec(20);
        client_say(&c, i < 4 ? "X-More: b\r\n" : "\r\n");
    }
    receive(&c);
    for (int i = 0; i < 3; i++) {
        client_say(&c, "GET /small HTTP/1.1\r\nHost: a\r\n\r\n");
        receive(&c);
    }
    ck_assert_int_eq(faulty_seen(), 1);
    client_close(&c);
    faulty_disarm();
}
END_TEST

Suite *suite_calls(void)
{
    Suite *s = suite_create("calls");

    if (on_nginx())
        return s;
    TCase *connections = site_case(s, "connections", 60);

    tcase_add_test(connections, connection_without_a_wait_is_not_watched);
    tcase_add_test(connections, connection_that_waits_is_watched_once);
    return s;
}
