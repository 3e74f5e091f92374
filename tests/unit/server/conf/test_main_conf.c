/* test_main_conf.c - server/conf/main_conf, events_conf, foreign and quick: values, defaults, error
 * texts. */
#include "unit.h"

#include "base/log.h"
#include "http/core/core.h"
#include "server/command/quick.h"
#include "server/conf/foreign.h"
#include "server/conf/main_conf.h"
#include "server/process/modules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct log silent;
static struct arena arena;
static struct conf_result result;

static void setup(void)
{
    log_main = &silent;
    arena_init(&arena, 4096);
}

static void teardown(void)
{
    arena_fini(&arena);
}

static int read_text(const char *text)
{
    struct conf_input input = {
        .bytes = text_of(text),
        .name = "test",
        .prefix = "/prefix/",
        .modules = server_modules,
        .foreign = server_foreign,
    };

    return conf_read(&input, &arena, &result);
}

static const struct main_conf *read_main(const char *text)
{
    int rc = read_text(text);

    ck_assert_msg(rc == 0, "%s", result.error);
    return conf_values(result.root, &server_main_module);
}

START_TEST(test_defaults)
{
    const struct main_conf *mc = read_main("events { }");

    ck_assert_int_eq(mc->worker_processes, 1);
    ck_assert(mc->daemon && mc->master_process);
    ck_assert(!mc->rlimit_nofile.set && !mc->rlimit_core.set && !mc->priority_set);
    ck_assert_int_eq(mc->shutdown_timeout, 0);
    ck_assert_ptr_null(mc->error_log);
    ck_assert_ptr_nonnull(mc->pid);
    ck_assert_int_eq(mc->events->connections, 512);
    ck_assert_int_eq(mc->events->aio_requests, 32);
    ck_assert(!mc->events->multi_accept);
    ck_assert((geteuid() == 0) == (mc->user.name != NULL));
}
END_TEST

START_TEST(test_values)
{
    const struct main_conf *mc = read_main(
        "worker_processes 3; worker_cpu_affinity 001 010 100; worker_rlimit_nofile 4096; worker_rlimit_core 500m;"
        "worker_shutdown_timeout 90s; worker_priority -5; working_directory /tmp; daemon off; master_process off;"
        "pid run/x.pid; env A; env B=1; error_log stderr info; error_log stderr;"
        "events { worker_connections 10; multi_accept on; worker_aio_requests 7; use epoll; accept_mutex off; }");

    ck_assert_int_eq(mc->worker_processes, 3);
    ck_assert_uint_eq(mc->affinity.count, 3);
    ck_assert(CPU_ISSET(1, &mc->affinity.masks[1]));
    ck_assert_int_eq(mc->rlimit_nofile.value, 4096);
    ck_assert_int_eq(mc->rlimit_core.value, 500 * 1024 * 1024);
    ck_assert_int_eq(mc->shutdown_timeout, 90000);
    ck_assert(mc->priority_set);
    ck_assert_int_eq(mc->priority, -5);
    ck_assert(!mc->daemon && !mc->master_process);
    ck_assert_str_eq(mc->pid, "/prefix/run/x.pid");
    ck_assert_str_eq(mc->env->text, "A");
    ck_assert_str_eq(mc->env->next->text, "B=1");
    ck_assert_int_eq(mc->error_log->level, LEVEL_INFO);
    ck_assert_int_eq(mc->error_log->outputs->level, LEVEL_INFO);
    ck_assert_int_eq(mc->error_log->outputs->next->level, LEVEL_ERROR);
    ck_assert_int_eq(mc->events->connections, 10);
    ck_assert_int_eq(mc->events->aio_requests, 7);
    ck_assert(mc->events->multi_accept);
}
END_TEST

START_TEST(test_auto)
{
    const struct main_conf *mc = read_main("worker_processes auto; worker_cpu_affinity auto; events { }");

    ck_assert_int_ge(mc->worker_processes, 1);
    ck_assert(mc->affinity.automatic);
    ck_assert_int_ge(CPU_COUNT(&mc->affinity.masks[0]), 1);
}
END_TEST

static const struct {
    const char *text, *error;
} refused[] = {
    {"", "no \"events\" section in configuration"},
    {"worker_processes 0; events { }", "invalid value in \"worker_processes\" directive"},
    {"worker_processes many; events { }", "invalid value in \"worker_processes\" directive"},
    {"worker_cpu_affinity 12; events { }", "invalid character in CPU mask \"12\""},
    {"worker_priority 30; events { }", "invalid number \"30\""},
    {"error_log stderr loud; events { }", "invalid log level \"loud\""},
    {"error_log stderr warn info; events { }", "duplicate log level \"info\""},
    {"error_log memory:32m; events { }", "\"memory:\" logs are not supported"},
    {"error_log /nonexistent/e.log; events { }", "open() \"/nonexistent/e.log\" failed (2: No such file or directory)"},
    {"env =x; events { }", "invalid variable \"=x\" in \"env\" directive"},
    {"events { use kqueue; }", "event method \"kqueue\" is not supported"},
    {"events { use carrier_pigeon; }", "invalid event type \"carrier_pigeon\""},
    {"events { worker_aio_requests 0; }", "must be"},
    {"load_module x.so; events { }", "sluice has no loadable modules"},
    {"events { } mail { }", "\"mail\" directive is not supported: sluice serves HTTP only"},
    {"events { } http { server { location / { proxy_pass http://x; } } }", "\"proxy_pass\" directive is not supported"},
    {"events { } http { ssl on; }", "\"ssl\" directive is not supported: "},
    {"events { } http { ssl_engine x; }", "\"ssl_engine\" directive is not supported: "},
    {"events { } http { auth_request /auth; }",
     "\"auth_request\" directive is not supported: sluice does not ask another server for authorization"},
    {"events { } http { keyval $a $b zone=c; }", "use \"map\""},
    {"events { } http { slice 1m; }", "\"slice\" directive is not supported: sluice has no proxy cache to fill"},
    {"mgmt { } events { }", "sluice needs no licence"},
    {"worker_proceses 1; events { }", "unknown directive \"worker_proceses\", did you mean \"worker_processes\"?"},
    {"events { } events { }", "\"events\" directive is duplicate"},
};

START_TEST(test_refused)
{
    ck_assert_int_eq(read_text(refused[_i].text), -EINVAL);
    ck_assert_msg(strstr(result.error, refused[_i].error) != NULL, "\"%s\" gives: %s", refused[_i].text, result.error);
}
END_TEST

/* Rows win over the list of what is foreign, so a name in both would never be refused: none should
 * be. */
START_TEST(test_foreign_is_foreign)
{
    for (const struct conf_foreign *f = server_foreign; f->name; f++) {
        for (struct conf_module *const *m = server_modules; *m; m++) {
            for (const struct conf_row *row = (*m)->rows; row->name; row++)
                ck_assert_msg(strcmp(row->name, f->name) != 0, "\"%s\" is a directive of sluice", f->name);
        }
        for (const struct conf_foreign *other = server_foreign; other < f; other++) {
            size_t len = strlen(other->name) - (other->name[strlen(other->name) - 1] == '*');

            ck_assert_msg(strncmp(other->name, f->name, len) != 0 || (other->name[len] == '\0' && f->name[len] != '\0'),
                          "\"%s\" is behind \"%s\"", f->name, other->name);
        }
    }
}
END_TEST

START_TEST(test_quick)
{
    struct buffer b;
    char *text;

    buffer_init(&b);
    quick_configuration(&b, "/srv/a \"b\" {c}; \\ \xc3\xbc", "127.0.0.1:8080", NULL, NULL);
    text = buffer_steal(&b, NULL);
    ck_assert_ptr_nonnull(text);
    ck_assert_ptr_nonnull(strstr(text, "root \"/srv/a \\\"b\\\" {c}; \\\\ \xc3\xbc\";"));
    ck_assert_int_eq(read_text(text), 0);
    ck_assert_ptr_nonnull(http_main_of(result.root));
    ck_assert_uint_eq(http_main_of(result.root)->address_count, 1);
    free(text);
}
END_TEST

Suite *suite_server_main_conf(void)
{
    Suite *s = suite_create("server/main_conf");
    TCase *tc = tcase_create("main_conf");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_defaults);
    tcase_add_test(tc, test_values);
    tcase_add_test(tc, test_auto);
    tcase_add_loop_test(tc, test_refused, 0, sizeof refused / sizeof refused[0]);
    tcase_add_test(tc, test_foreign_is_foreign);
    tcase_add_test(tc, test_quick);
    suite_add_tcase(s, tc);
    return s;
}
