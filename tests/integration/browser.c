/* browser.c - starts Chromium and speaks the DevTools protocol with it. See browser.h.
 *
 * Messages are JSON objects that end with a NUL. Commands have a number and get one answer; all
 * else are events, which are kept for browser_expect_peace(). Chromium ends by itself when its
 * pipes close. */
#include "browser.h"
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MSEC = 30000, EVENTS_MOST = 4096 };

static struct {
    pid_t pid;
    int to, from;
    char *in;
    size_t len, cap;
    unsigned number;
    char session[64];
    char *events[EVENTS_MOST];
    unsigned event_count;
} browser;

static const char *find_chromium(void)
{
    static const char *const paths[] = {"/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"};
    const char *named = getenv("CHROMIUM");
    if (named)
        return *named ? named : NULL;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (access(paths[i], X_OK) == 0)
            return paths[i];
    }
    return NULL;
}

/* Commands come in at 3, answers go out at 4. */
static _Noreturn void become_chromium(const char *path, int commands, int answers)
{
    char profile[512], config[512];
    snprintf(profile, sizeof profile, "--user-data-dir=%s", site_path("chromium"));
    snprintf(config, sizeof config, "%s", site_path("chromium-home"));
    int null = open("/dev/null", O_RDWR), errors = open(site_path("logs/chromium.log"), O_WRONLY | O_CREAT, 0644);
    setenv("HOME", config, 1);
    unsetenv("DBUS_SESSION_BUS_ADDRESS");
    setpgid(0, 0);
    dup2(null, 0);
    dup2(null, 1);
    dup2(errors, 2);
    int high = fcntl(commands, F_DUPFD, 10), higher = fcntl(answers, F_DUPFD, 10);
    dup2(high, 3);
    dup2(higher, 4);
    for (int fd = 5; fd < 64; fd++)
        close(fd);
    execl(path, path, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run",
          "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync",
          "--disable-extensions", "--disable-default-apps", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
          profile, "about:blank", (char *)NULL);
    _exit(127);
}

static void read_more(void)
{
    struct pollfd p = {browser.from, POLLIN, 0};
    if (browser.len + 65536 > browser.cap) {
        browser.cap = 2 * browser.cap + 65536;
        browser.in = realloc(browser.in, browser.cap);
    }
    ck_assert_msg(poll(&p, 1, scaled(PATIENCE_MSEC)) == 1, "chromium does not answer");
    ssize_t n = read(browser.from, browser.in + browser.len, browser.cap - browser.len);
    ck_assert_msg(n > 0, "chromium is gone");
    browser.len += (size_t)n;
}

/* The next message, on the heap. */
static char *next_message(void)
{
    char *end;
    while (!browser.len || !(end = memchr(browser.in, '\0', browser.len)))
        read_more();
    size_t len = (size_t)(end - browser.in) + 1;
    char *message = malloc(len);
    memcpy(message, browser.in, len);
    browser.len -= len;
    memmove(browser.in, browser.in + len, browser.len);
    return message;
}

static void keep_event(char *event)
{
    ck_assert_uint_lt(browser.event_count, EVENTS_MOST);
    browser.events[browser.event_count++] = event;
}

static bool seen_event(const char *method, unsigned from)
{
    for (unsigned i = from; i < browser.event_count; i++) {
        if (strstr(browser.events[i], method))
            return true;
    }
    return false;
}

/* Sends a command with these parameters (JSON), and returns its answer, on the heap. */
static char *command(const char *method, const char *format, ...) __attribute__((format(printf, 2, 3)));
static char *command(const char *method, const char *format, ...)
{
    char *params, *text, mark[32];
    va_list args;
    va_start(args, format);
    ck_assert_int_ge(vasprintf(&params, format, args), 0);
    va_end(args);
    unsigned number = ++browser.number;
    int len =
        asprintf(&text, "{\"id\":%u,\"method\":\"%s\"%s%s%s,\"params\":{%s}}", number, method,
                 *browser.session ? ",\"sessionId\":\"" : "", browser.session, *browser.session ? "\"" : "", params);
    ck_assert_int_ge(len, 0);
    for (int at = 0; at <= len;) {
        ssize_t n = write(browser.to, text + at, (size_t)(len + 1 - at));
        ck_assert_msg(n > 0, "chromium takes no commands: %s", strerror(errno));
        at += (int)n;
    }
    free(text);
    free(params);
    int head = snprintf(mark, sizeof mark, "{\"id\":%u,", number);
    for (;;) {
        char *message = next_message();
        if (strncmp(message, mark, (size_t)head) == 0) {
            ck_assert_msg(!strstr(message, "\"error\":{\"code\""), "%s: %s", method, message);
            return message;
        }
        keep_event(message);
    }
}

/* The text value of a field of an answer. */
static void field(const char *answer, const char *name, char *out, size_t size)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\":\"", name);
    const char *at = strstr(answer, key);
    ck_assert_msg(at, "no %s in %s", name, answer);
    at += strlen(key);
    size_t len = strcspn(at, "\"");
    ck_assert_uint_lt(len, size);
    memcpy(out, at, len);
    out[len] = '\0';
}

static void attach(void)
{
    char target[64];
    char *answer = command("Target.createTarget", "\"url\":\"about:blank\"");
    field(answer, "targetId", target, sizeof target);
    free(answer);
    answer = command("Target.attachToTarget", "\"targetId\":\"%s\",\"flatten\":true", target);
    field(answer, "sessionId", browser.session, sizeof browser.session);
    free(answer);
    static const char *const enabled[] = {"Page.enable", "Runtime.enable", "Network.enable", "Log.enable",
                                          "Accessibility.enable"};
    for (size_t i = 0; i < sizeof enabled / sizeof *enabled; i++)
        free(command(enabled[i], "%s", ""));
}

bool browser_open(void)
{
    int commands[2], answers[2];
    const char *path = find_chromium();
    if (!path) {
        printf("skipped: no Chromium here (Debian's package chromium)\n");
        return false;
    }
    ck_assert_int_eq(pipe2(commands, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(answers, O_CLOEXEC), 0);
    browser.pid = fork();
    ck_assert_int_ge(browser.pid, 0);
    if (browser.pid == 0)
        become_chromium(path, commands[0], answers[1]);
    close(commands[0]);
    close(answers[1]);
    browser.to = commands[1];
    browser.from = answers[0];
    attach();
    return true;
}

void browser_close(void)
{
    browser.session[0] = '\0';
    free(command("Browser.close", "%s", ""));
    close(browser.to);
    ck_assert_int_eq(waitpid(browser.pid, NULL, 0), browser.pid);
    close(browser.from);
}

void browser_size(int width, int height, bool phone)
{
    free(command("Emulation.setDeviceMetricsOverride",
                 "\"width\":%d,\"height\":%d,\"deviceScaleFactor\":%d,\"mobile\":%s", width, height, phone ? 2 : 1,
                 phone ? "true" : "false"));
}

void browser_dark(bool dark)
{
    free(command("Emulation.setEmulatedMedia", "\"features\":[{\"name\":\"prefers-color-scheme\",\"value\":\"%s\"}]",
                 dark ? "dark" : "light"));
}

void browser_without_script(bool without)
{
    free(command("Emulation.setScriptExecutionDisabled", "\"value\":%s", without ? "true" : "false"));
}

void browser_go(const char *url)
{
    unsigned from = browser.event_count;
    char *answer = command("Page.navigate", "\"url\":\"%s\"", url);
    ck_assert_msg(!strstr(answer, "errorText"), "%s", answer);
    free(answer);
    while (!seen_event("\"Page.loadEventFired\"", from))
        keep_event(next_message());
}

/* As a JSON string, without its quotes. */
static char *quoted(const char *text)
{
    char *out = malloc(2 * strlen(text) + 1), *to = out;
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            *to++ = '\\';
        *to++ = *text == '\n' ? ' ' : *text;
    }
    *to = '\0';
    return out;
}

static char *evaluate(const char *expression)
{
    char *text = quoted(expression);
    char *answer =
        command("Runtime.evaluate",
                "\"expression\":\"%s\",\"awaitPromise\":true,\"returnByValue\":true,\"userGesture\":true", text);
    free(text);
    return answer;
}

void browser_run(const char *expression)
{
    char *answer = evaluate(expression);
    ck_assert_msg(!strstr(answer, "\"exceptionDetails\""), "%s\n%s", expression, answer);
    free(answer);
}

void browser_expect(const char *expression)
{
    char *answer = evaluate(expression);
    ck_assert_msg(strstr(answer, "\"value\":true"), "%s\n%s", expression, answer);
    free(answer);
}

void browser_await(const char *expression)
{
    char *text;
    ck_assert_int_ge(asprintf(&text,
                              "new Promise(function(done){var left=%d;(function look(){var is=(%s);"
                              "if(is||!left--)done(is);else setTimeout(look,50)})()})",
                              scaled(PATIENCE_MSEC) * 2 / 3 / 50, expression),
                     0);
    browser_expect(text);
    free(text);
}

static void check_request(const char *event, const char *origin)
{
    const char *url = strstr(event, "\"request\":{\"url\":\"");
    ck_assert_msg(url, "%s", event);
    url += strlen("\"request\":{\"url\":\"");
    size_t len = strlen(origin);
    ck_assert_msg((strncmp(url, origin, len) == 0 && url[len] == '/') || strncmp(url, "data:", 5) == 0,
                  "a request to elsewhere: %s", event);
}

void browser_expect_peace(const char *origin)
{
    static const char *const trouble[] = {"\"Runtime.exceptionThrown\"", "\"Runtime.consoleAPICalled\"",
                                          "\"Log.entryAdded\"", "\"Network.loadingFailed\""};
    unsigned requests = 0;
    browser_expect("true"); /* what was under way has been said */
    for (unsigned i = 0; i < browser.event_count; i++) {
        const char *event = browser.events[i];
        for (size_t k = 0; k < sizeof trouble / sizeof *trouble; k++)
            ck_assert_msg(!strstr(event, trouble[k]), "%s", event);
        if (!strstr(event, "\"method\":\"Network.requestWillBeSent\""))
            continue;
        check_request(event, origin);
        requests++;
    }
    ck_assert_uint_gt(requests, 0);
}

/* Whether the accessibility node that begins here has this role and name. */
static bool is_node(const char *node, const char *role, const char *name)
{
    const char *end = strstr(node + 1, "{\"nodeId\":");
    char text[256];
    size_t len = end ? (size_t)(end - node) : strlen(node);
    snprintf(text, sizeof text, "\"value\":\"%s\"}", role);
    const char *at = memmem(node, len, "\"role\":{", 8);
    const char *value = at ? memmem(at, len - (size_t)(at - node), text, strlen(text)) : NULL;
    if (!value || value > strchr(at, '}'))
        return false;
    snprintf(text, sizeof text, "\"name\":{\"type\":\"computedString\",\"value\":\"%s\"", name);
    return memmem(node, len, text, strlen(text));
}

void browser_expect_accessible(const char *role, const char *name)
{
    char *tree = command("Accessibility.getFullAXTree", "%s", "");
    bool there = false;
    for (const char *node = tree; (node = strstr(node, "{\"nodeId\":")) && !there; node++)
        there = is_node(node, role, name);
    ck_assert_msg(there, "no %s named \"%s\" in %.2000s", role, name, tree);
    free(tree);
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(digits, c);
    return c && at ? (int)(at - digits) : -1;
}

void browser_shoot(const char *name)
{
    const char *folder = getenv("BROWSER_SHOTS");
    char path[512];
    unsigned bits = 0, have = 0;
    if (!folder || !*folder)
        return;
    char *answer = command("Page.captureScreenshot", "\"format\":\"png\",\"captureBeyondViewport\":true");
    const char *at = strstr(answer, "\"data\":\"") + strlen("\"data\":\"");
    snprintf(path, sizeof path, "%s/%s.png", folder, name);
    FILE *f = fopen(path, "w");
    ck_assert_msg(f, "%s: %s", path, strerror(errno));
    for (int digit; (digit = base64_digit(*at)) >= 0; at++) {
        bits = bits << 6 | (unsigned)digit;
        have += 6;
        if (have >= 8) {
            have -= 8;
            fputc((int)(bits >> have & 0xff), f);
        }
    }
    fclose(f);
    free(answer);
}
