/* test_quick.c - `sluice DIR`: what a browser sees in the first minutes, also through another port
 * than the server's own. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void serve(void)
{
    char port[16], dir[512], log[512], *argv[] = {"sluice", dir, "-l", port, "-e", log, NULL};

    snprintf(port, sizeof port, "%d", site_port(0));
    snprintf(dir, sizeof dir, "%s", site_path("html"));
    snprintf(log, sizeof log, "%s", site_path("logs/error.log"));
    site_start_args(argv);
    site_await_port(site_port(0));
}

static const struct redirect {
    const char *target, *location;
} redirects[] = {
    {"/dir", "/dir/"},  {"/dir?a=b", "/dir/?a=b"}, {"/dir/sub", "/dir/sub/"}, {"/%C3%BC%20x", "/%C3%BC%20x/"},
    {"//dir", "/dir/"}, {"/link", "/link/"},
};

START_TEST(redirects_name_no_port)
{
    site_write("html/dir/sub/f", "x");
    site_write("html/\xc3\xbc x/f", "x");
    ck_assert_int_eq(symlink("dir", site_path("html/link")), 0);
    serve();
    for (size_t i = 0; i < sizeof redirects / sizeof *redirects; i++) {
        struct site_response r;
        site_request(&r, "GET", redirects[i].target, "X: y\r\n");
        ck_assert_int_eq(r.status, 301);
        assert_header(&r, "Location", redirects[i].location);
        site_response_free(&r);
    }
}
END_TEST

static const struct typed {
    const char *name, *type;
} types[] = {
    {"a.html", "text/html; charset=utf-8"},
    {"a.txt", "text/plain; charset=utf-8"},
    {"a.css", "text/css; charset=utf-8"},
    {"a.js", "text/javascript; charset=utf-8"},
    {"a.md", "text/markdown; charset=utf-8"},
    {"a.csv", "text/csv; charset=utf-8"},
    {"a.vtt", "text/vtt; charset=utf-8"},
    {"a.json", "application/json"},
    {"a.xml", "text/xml"}, /* says it itself */
    {"a.png", "image/png"},
    {"a.bin", "application/octet-stream"},
    {"a", "application/octet-stream"},
};

START_TEST(texts_are_utf_8)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        site_write(site_path("html/%s", types[i].name), "\xc3\xbc\n");
    serve();
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char target[64];
        struct site_response r;
        snprintf(target, sizeof target, "/%s", types[i].name);
        site_get(&r, target);
        ck_assert_int_eq(r.status, 200);
        ck_assert_str_eq(r.body, "\xc3\xbc\n");
        assert_header(&r, "Content-Type", types[i].type);
        site_response_free(&r);
    }
}
END_TEST

START_TEST(listing)
{
    struct site_response r;

    site_write("html/stra\xc3\x9fzz.txt", "x");
    serve();
    site_get(&r, "/");
    ck_assert_int_eq(r.status, 200);
    assert_header(&r, "Content-Type", "text/html; charset=utf-8");
    ck_assert_ptr_nonnull(strstr(r.body, "stra\xc3\x9fzz.txt"));
    ck_assert_ptr_nonnull(strstr(r.body, "<!DOCTYPE html>")); /* of the modern one alone */
    site_response_free(&r);
}
END_TEST

/* No line of the log: nobody asked for it. What somebody asked for has one. */
START_TEST(missing_favicon)
{
    site_write("html/f", "x");
    serve();
    ck_assert_int_eq(site_status_of("/favicon.ico"), 404);
    ck_assert_int_eq(site_status_of("/dir/favicon.ico"), 404);
    char *log = log_await("logs/error.log", "html/dir/favicon.ico\" failed");
    ck_assert_ptr_null(strstr(log, "html/favicon.ico\""));
    free(log);
    site_write("html/favicon.ico", "icon");
    sleep_msec(1100); /* open_file_cache_valid */
    struct site_response r;
    site_get(&r, "/favicon.ico");
    ck_assert_int_eq(r.status, 200);
    assert_header(&r, "Content-Type", "image/x-icon");
    site_response_free(&r);
    site_request(&r, "PUT", "/favicon.ico", "");
    ck_assert_int_eq(r.status, 405);
    site_response_free(&r);
}
END_TEST

/* A port alone means every address then; the URL stands below the code. */
START_TEST(qr_code)
{
    char port[16], dir[512], *argv[] = {"sluice", dir, "-l", port, "--qr", NULL};

    snprintf(port, sizeof port, "%d", site_port(0));
    snprintf(dir, sizeof dir, "%s", site_path("html"));
    site_write("html/f", "x");
    site_start_args(argv);
    site_await_port(site_port(0));
    char *said = log_await("logs/stderr", "Ctrl-C stops.");
    ck_assert_msg(strstr(said, "(and on every other address of this machine)"), "%s", said);
    if (strstr(said, "no QR code")) /* nor is there a network here, or it is built without */
        ck_assert_msg(strstr(said, "no QR code: no other machine reaches this address\n") ||
                          strstr(said, ": Function not implemented\n"),
                      "%s", said);
    else
        ck_assert_msg(strstr(said, "\u2588\nhttp://"), "%s", said);
    free(said);
}
END_TEST

START_TEST(no_qr_code_of_loopback)
{
    char address[64], dir[512], *argv[] = {"sluice", dir, "-l", address, "--qr", NULL};

    snprintf(address, sizeof address, "127.0.0.1:%d", site_port(0));
    snprintf(dir, sizeof dir, "%s", site_path("html"));
    site_write("html/f", "x");
    site_start_args(argv);
    site_await_port(site_port(0));
    free(log_await("logs/stderr", "no QR code: no other machine reaches this address"));
}
END_TEST

/* A download is no reason to stay. */
START_TEST(interrupt_ends_at_once)
{
    struct site_client c;
    const off_t size = 64 << 20;

    site_pattern_at("html/large", size - 1, 1);
    serve();
    client_open(&c, site_port(0));
    client_say(&c, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    struct site_response r;
    ck_assert(client_head(&c, &r));
    ck_assert_int_eq(r.status, 200);
    site_response_free(&r);
    site_stop(SIGINT);
    client_close(&c);
}
END_TEST

Suite *suite_quick(void)
{
    Suite *s = suite_create("quick");
    TCase *t = site_case(s, "quick", 30);

    if (on_nginx())
        return s;
    if (needs_plain("redirects_name_no_port", "it writes its own listen"))
        tcase_add_tcp_test(t, redirects_name_no_port, "starts with a port");
    if (needs_plain("texts_are_utf_8", "it writes its own listen"))
        tcase_add_tcp_test(t, texts_are_utf_8, "starts with a port");
    if (needs_plain("listing", "it writes its own listen"))
        tcase_add_tcp_test(t, listing, "starts with a port");
    if (needs_plain("missing_favicon", "it writes its own listen"))
        tcase_add_tcp_test(t, missing_favicon, "starts with a port");
    if (needs_plain("qr_code", "it writes its own listen")) {
        tcase_add_tcp_test(t, qr_code, "starts with a port");
        tcase_add_tcp_test(t, no_qr_code_of_loopback, "starts with a port");
        tcase_add_tcp_test(t, interrupt_ends_at_once, "starts with a port");
    }
    return s;
}
