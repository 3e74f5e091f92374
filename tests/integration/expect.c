/* expect.c - what many tests ask and expect: an answer, a configuration that is refused. */
#include "harness.h"

#include <stdio.h>
#include <string.h>

void expect_for(const char *target, const char *fields, const char *body)
{
    struct site_response r;
    site_request(&r, "GET", target, fields);
    ck_assert_msg(r.status == 200 && !strcmp(r.body, body), "%s %s: %d \"%s\", expected \"%s\"", target, fields,
                  r.status, r.body, body);
    site_response_free(&r);
}

void expect_body(const char *target, const char *body)
{
    expect_for(target, "", body);
}

void expect_status(const char *target, int status)
{
    int is = site_status_of(target);
    ck_assert_msg(is == status, "%s: %d, expected %d", target, is, status);
}

void site_check(struct site_run *run)
{
    site_run(run, "-c", site_path("sluice.conf"), "-t", NULL);
}

static void expect_verdict(const char *text, const char *error)
{
    struct site_run run;
    site_check(&run);
    if (error)
        ck_assert_msg(run.status == 1 && strstr(run.err, error), "%s\nsays (status %d) %s\nnot %s", text, run.status,
                      run.err, error);
    else
        ck_assert_msg(run.status == 0, "%s\nsays (status %d) %s", text, run.status, run.err);
}

void expect_conf_http(const char *text, const char *error)
{
    site_conf_http(text);
    expect_verdict(text, error);
}

void expect_conf_server(const char *text, const char *error)
{
    site_conf_server(text);
    expect_verdict(text, error);
}
