/* test_monitor.c - what the counters look like in each form, and which form Accept prefers. */
#include "http/log/monitor.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct monitor_view view;
static struct buffer out;

/* Every number is another one. */
static void setup(void)
{
    uint64_t *words = (uint64_t *)(void *)&view.counters;
    for (size_t i = 0; i < sizeof view.counters / sizeof *words; i++)
        words[i] = 1000 + i;
    view.counters.states[CONN_HANDSHAKE] = 2;
    view.counters.states[CONN_IDLE] = 3;
    view.counters.states[CONN_READING] = 3;
    view.counters.states[CONN_BODY] = view.counters.states[CONN_HANDLING] = 0;
    view.counters.states[CONN_SENDING] = view.counters.states[CONN_LINGERING] = 1;
    view.started = 1700000000;
    view.now = 1700000100042;
    buffer_init(&out);
}

static void teardown(void)
{
    buffer_fini(&out);
}

static const char *printed(void)
{
    buffer_add_char(&out, '\0');
    ck_assert(!out.failed);
    return out.data;
}

START_TEST(test_stub_is_nginx)
{
    view.counters.accepted = 11;
    view.counters.handled = 10;
    view.counters.requests = 18446744073709551615ULL;
    monitor_print_stub(&view.counters, &out);
    ck_assert_str_eq(printed(), "Active connections: 10 \nserver accepts handled requests\n"
                                " 11 10 18446744073709551615 \nReading: 3 Writing: 2 Waiting: 5 \n");
}
END_TEST

/* HELP and TYPE of a name come once, before its samples, which follow at once. Returns the number
 * of samples. */
static unsigned check_metrics(const char *text, bool openmetrics)
{
    char name[128] = "", type[16] = "", seen[8192] = "";
    unsigned samples = 0;
    char *copy = strdup(text), *rest = copy, *line;
    while ((line = strsep(&rest, "\n")) && *line) {
        char here[128], key[160];
        if (strcmp(line, "# EOF") == 0) {
            ck_assert(openmetrics && rest && !*rest);
            break;
        }
        if (strncmp(line, "# HELP ", 7) == 0) {
            ck_assert_int_eq(sscanf(line + 7, "%127s", name), 1);
            snprintf(key, sizeof key, " %s ", name);
            ck_assert_msg(!strstr(seen, key), "%s twice", name);
            ck_assert_uint_lt(strlen(seen) + strlen(key), sizeof seen);
            strcat(seen, key);
            ck_assert_int_eq(strncmp(name, "sluice_", 7), 0);
            continue;
        }
        if (strncmp(line, "# TYPE ", 7) == 0) {
            ck_assert_int_eq(sscanf(line + 7, "%127s %15s", here, type), 2);
            ck_assert_str_eq(here, name);
            ck_assert(!strcmp(type, "counter") || !strcmp(type, "gauge"));
            continue;
        }
        size_t len = strcspn(line, "{ ");
        ck_assert_uint_lt(len, sizeof here);
        memcpy(here, line, len);
        here[len] = '\0';
        bool total = len > 6 && strcmp(here + len - 6, "_total") == 0;
        ck_assert_msg(total == !strcmp(type, "counter"), "%s", line);
        if (openmetrics && total)
            here[len - 6] = '\0';
        ck_assert_str_eq(here, name);
        const char *space = strrchr(line, ' ');
        char *end;
        strtod(space + 1, &end);
        ck_assert_msg(end > space + 1 && !*end, "%s", line);
        samples++;
    }
    free(copy);
    return samples;
}

#define EXPECT(line) ck_assert_msg(strstr(text, "\n" line "\n"), "%s is not in\n%s", line, text)

START_TEST(test_metrics)
{
    view.counters.io.wait_msec = 12034;
    view.counters.io.bytes[IO_DIRECT] = 7;
    view.counters.statuses[5] = 9;
    view.counters.statuses[0] = 4;
    monitor_print_metrics(&view, _i == 1, &out);
    const char *text = printed();
    ck_assert_uint_gt(check_metrics(text, _i == 1), 40);
    EXPECT("sluice_disk_wait_seconds_total 12.034");
    EXPECT("sluice_io_bytes_total{method=\"direct\"} 7");
    EXPECT("sluice_http_responses_total{class=\"5xx\"} 9");
    EXPECT("sluice_http_responses_total{class=\"none\"} 4");
    EXPECT("sluice_connections{state=\"writing\"} 2");
    EXPECT("sluice_start_time_seconds 1700000000");
    ck_assert_ptr_null(strstr(text, "auto"));
    if (_i == 1) {
        EXPECT("# TYPE sluice_http_requests counter");
        EXPECT("# EOF");
    } else {
        EXPECT("# TYPE sluice_http_requests_total counter");
        ck_assert_ptr_null(strstr(text, "# EOF"));
    }
}
END_TEST

START_TEST(test_json)
{
    view.counters.io.wait_msec = 7;
    monitor_print_json(&view, &out);
    const char *text = printed();
    int depth = 0;
    for (const char *at = text; *at; at++)
        depth += (*at == '{') - (*at == '}');
    ck_assert_int_eq(depth, 0);
    ck_assert_ptr_nonnull(strstr(text, "\"started\":1700000000,\"now\":1700000100.042,"));
    ck_assert_ptr_nonnull(strstr(text, "\"active\":10,\"reading\":3,\"writing\":2,\"waiting\":5}"));
    ck_assert_ptr_nonnull(strstr(text, "\"wait_seconds\":0.007}"));
}
END_TEST

/* Two numbers of every counter: no field is forgotten, none is shown in another's place. */
START_TEST(test_every_counter_is_in_metrics_and_json)
{
    struct buffer json;
    buffer_init(&json);
    monitor_print_metrics(&view, false, &out);
    monitor_print_json(&view, &json);
    buffer_add_char(&json, '\0');
    const char *text = printed();
    uint64_t *words = (uint64_t *)(void *)&view.counters;
    for (size_t i = 0; i < sizeof view.counters / sizeof *words; i++) {
        bool msec = &words[i] == &view.counters.io.wait_msec;
        bool state = &words[i] >= view.counters.states && &words[i] <= &view.counters.states[CONN_CLOSED];
        bool automatic =
            &words[i] == &view.counters.io.responses[IO_AUTO] || &words[i] == &view.counters.io.bytes[IO_AUTO];
        char number[32];
        if (state || automatic)
            continue;
        snprintf(number, sizeof number, msec ? " 1.%03u\n" : " %u\n", msec ? (unsigned)i : (unsigned)(1000 + i));
        ck_assert_msg(strstr(text, number), "word %zu", i);
        number[strlen(number) - 1] = '\0';
        number[0] = ':';
        ck_assert_msg(strstr(json.data, number), "word %zu", i);
    }
    buffer_fini(&json);
}
END_TEST

START_TEST(test_page)
{
    monitor_print_page(&view, "0123abc", &out);
    const char *text = printed();
    ck_assert_ptr_nonnull(strstr(text, "<style nonce=\"0123abc\">"));
    ck_assert_ptr_nonnull(strstr(text, "<script nonce=\"0123abc\">"));
    ck_assert_ptr_null(strstr(text, " style="));
    ck_assert_ptr_null(strstr(text, " src="));
    ck_assert_ptr_null(strstr(text, "https://"));
    ck_assert_ptr_nonnull(strstr(text, "</html>"));
}
END_TEST

static const enum monitor_format all[] = {MONITOR_PROMETHEUS, MONITOR_HTML, MONITOR_OPENMETRICS, MONITOR_JSON,
                                          MONITOR_FORMATS};

static const struct {
    const char *accept;
    enum monitor_format format;
} accepts[] = {
    {NULL, MONITOR_PROMETHEUS},
    {"", MONITOR_PROMETHEUS},
    {" ", MONITOR_PROMETHEUS},
    {"*/*", MONITOR_PROMETHEUS},
    {"text/plain", MONITOR_PROMETHEUS},
    {"text/*", MONITOR_PROMETHEUS},
    {"TEXT/HTML", MONITOR_HTML},
    {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", MONITOR_HTML},
    {"application/json", MONITOR_JSON},
    {"application/json, text/plain, */*", MONITOR_PROMETHEUS},
    {"application/json;q=0.9,text/html;q=0.95", MONITOR_HTML},
    {"application/json;charset=x;q=0.9 , text/html ; q=0.1", MONITOR_JSON},
    {"application/*", MONITOR_OPENMETRICS},
    {"application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
     "text/plain;version=0.0.4;q=0.3,*/*;q=0.1",
     MONITOR_OPENMETRICS},
    {"text/plain;version=0.0.4;q=0.5,*/*;q=0.1", MONITOR_PROMETHEUS},
    {"text/plain;q=0,*/*;q=0.5", MONITOR_HTML},
    {"*/*;q=0", MONITOR_FORMATS},
    {"image/png", MONITOR_FORMATS},
    {"text/html;q=0.001", MONITOR_HTML},
    {"text/html;q=0.000,application/json;q=.5", MONITOR_JSON},
    {",,;;,;q=,/,text/", MONITOR_FORMATS},
    {"text/html;q=2", MONITOR_HTML},
};

START_TEST(test_negotiate)
{
    struct text accept = accepts[_i].accept ? text_of(accepts[_i].accept) : TEXT_NONE;
    ck_assert_msg(monitor_negotiate(accept, all) == accepts[_i].format, "%s", accepts[_i].accept);
}
END_TEST

Suite *suite_http_monitor(void)
{
    Suite *s = suite_create("http/monitor");
    TCase *t = tcase_create("monitor");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_stub_is_nginx);
    tcase_add_loop_test(t, test_metrics, 0, 2);
    tcase_add_test(t, test_json);
    tcase_add_test(t, test_every_counter_is_in_metrics_and_json);
    tcase_add_test(t, test_page);
    tcase_add_loop_test(t, test_negotiate, 0, sizeof accepts / sizeof *accepts);
    suite_add_tcase(s, t);
    return s;
}
