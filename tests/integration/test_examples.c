/* test_examples.c - the configurations in conf/examples, conf/kubernetes and README.md are started as they stand,
 * but for paths and the port, and asked for what their comments promise. */
#include "harness.h"
#include "pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `text` with every `from` replaced; frees it. */
static char *replaced(char *text, const char *from, const char *to)
{
    unsigned count = count_text(text, from);
    char *out = malloc(strlen(text) + count * strlen(to) + 1), *end = out;
    ck_assert_ptr_nonnull(out);
    ck_assert_msg(count > 0, "the example has no \"%s\"", from);
    for (const char *at = text, *next; at; at = next ? next + strlen(from) : NULL) {
        next = strstr(at, from);
        size_t len = next ? (size_t)(next - at) : strlen(at);
        memcpy(end, at, len);
        end += len;
        if (next)
            end = stpcpy(end, to);
    }
    *end = '\0';
    free(text);
    return out;
}

static char *read_source(const char *path)
{
    static char bytes[256 * 1024];
    FILE *f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s", path);
    size_t len = fread(bytes, 1, sizeof bytes - 1, f);
    fclose(f);
    bytes[len] = '\0';
    return strdup(bytes);
}

/* Beside the configuration, as an example includes it. */
static void write_types(void)
{
    char *types = read_source("conf/mime.types");
    site_write("mime.types", types);
    free(types);
}

/* sluice.conf of conf/kubernetes/configmap.yaml: the lines of the block, which are indented by 4. */
static char *read_config_map(void)
{
    static const char name[] = "  sluice.conf: |\n";
    char *text = read_source("conf/kubernetes/configmap.yaml"), *from = strstr(text, name), *end = text;
    ck_assert_ptr_nonnull(from);
    for (char *line = from + strlen(name), *next; *line; line = next) {
        next = line + strcspn(line, "\n") + 1;
        if (*line != '\n' && strncmp(line, "    ", 4) != 0)
            break;
        if (*line != '\n')
            line += 4;
        memmove(end, line, (size_t)(next - line));
        end += next - line;
    }
    *end = '\0';
    return text;
}

/* Its /srv/ is `srv`. */
static void start_example_in(const char *name, const char *srv)
{
    char path[256];
    snprintf(path, sizeof path, "conf/examples/%s.conf", name);
    write_types();
    char *text = read_source(path);
    text = replaced(text, "worker_processes auto;", "@MAIN@");
    text = replaced(text, "error_log /var/log/sluice/error.log;", "");
    text = replaced(text, "pid /run/sluice.pid;", "");
    text = replaced(text, "/var/log/sluice/", "@DIR@/logs/");
    text = replaced(text, "/srv/", srv);
    text = replaced(text, "listen 8080", "listen 127.0.0.1:@PORT@");
    site_conf(text);
    free(text);
    site_start();
}

static void start_example(const char *name)
{
    start_example_in(name, "@DIR@/srv/");
}

static void expect(const char *host, const char *target, int status, const char *field, const char *value)
{
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", target, host);
    ck_assert(client_receive(&c, &r));
    ck_assert_msg(r.status == status, "%s: %d, not %d", target, r.status, status);
    if (field)
        assert_header(&r, field, value);
    site_response_free(&r);
    client_close(&c);
}

static void expect_text(const char *target, const char *text)
{
    struct site_response r;
    site_get(&r, target);
    ck_assert_int_eq(r.status, 200);
    ck_assert_msg(strstr(r.body, text) != NULL, "%s: %s", target, r.body);
    site_response_free(&r);
}

START_TEST(kubernetes)
{
    site_write("srv/index.html", "hello\n");
    write_types();
    char *text = read_config_map();
    text = replaced(text, "daemon            off;", "@MAIN@");
    text = replaced(text, "pid               off;", "");
    text = replaced(text, "worker_processes  auto;", "");
    text = replaced(text, "error_log         stderr notice;", "");
    text = replaced(text, "/etc/sluice/", "@DIR@/");
    text = replaced(text, "/dev/stdout", "@DIR@/logs/access.log");
    text = replaced(text, "/srv", "@DIR@/srv");
    text = replaced(text, "listen       8080", "listen 127.0.0.1:@PORT@");
    site_conf(text);
    free(text);
    site_start();
    expect_text("/", "hello");
    expect_text("/healthz", "ok");
    expect_text("/readyz", "ready");
    expect("www.example.org", "/none", 404, NULL, NULL);
}
END_TEST

START_TEST(single_page_application)
{
    const char *host = "app.example.org";
    site_write("srv/app/index.html", "<p>the page\n");
    site_write("srv/app/favicon.ico", "icon");
    site_write("srv/app/assets/main.4f2a91.js", "js\n");
    start_example("spa");
    expect_text("/", "the page");
    expect_text("/users/7", "the page");
    expect_text("/favicon.ico", "icon");
    expect(host, "/users/7", 200, "Cache-Control", "no-cache");
    expect(host, "/assets/main.4f2a91.js", 200, "Content-Type", "text/javascript");
    expect(host, "/assets/main.000000.js", 404, NULL, NULL);
}
END_TEST

START_TEST(documentation)
{
    const char *host = "docs.example.org";
    site_write("srv/docs/404.html", "no such page\n");
    site_write("srv/docs/docs/1.0/index.html", "one\n");
    site_write("srv/docs/docs/2.0/index.html", "two\n");
    site_write("srv/docs/docs/2.0/guide.html", "guide\n");
    start_example("docs");
    expect_text("/docs/1.0/", "one");
    expect_text("/docs/2.0/guide", "guide");
    expect(host, "/docs/2.0/guide", 200, "Cache-Control", "max-age=3600");
    const char *to = site_text("@SCHEME@://docs.example.org@:PORT@/docs/2.0/guide");
    expect(host, "/docs/stable/guide", 302, "Location", to);
    expect(host, "/manual/guide.php", 301, "Location", to);
    expect("documentation.example.org", "/docs/1.0/?q=1", 301, "Location", "http://docs.example.org/docs/1.0/?q=1");
    expect(host, "/docs/0.9/", 410, NULL, NULL);
    expect(host, "/404.html", 404, NULL, NULL);
    struct site_response r;
    site_get(&r, "/docs/2.0/none");
    ck_assert_int_eq(r.status, 404);
    ck_assert_str_eq(r.body, "no such page\n");
    site_response_free(&r);
}
END_TEST

START_TEST(mirror)
{
    enum { LARGE = 9 << 20 };
    struct site_response r;
    site_pattern("srv/mirror/debian/disk.iso", LARGE);
    site_write("srv/mirror/debian/Release", "Suite: x\n");
    site_write("srv/mirror/debian/.tmp", "half\n");
    site_write("srv/mirror/debian/.new.deb", "half\n");
    start_example("mirror");
    expect_text("/debian/", "disk.iso");
    expect_text("/json/debian/", "\"name\":\"disk.iso\"");
    expect("mirror.example.org", "/debian/Release", 200, "Cache-Control", "no-cache");
    expect("mirror.example.org", "/debian/.tmp", 404, NULL, NULL);
    expect("mirror.example.org", "/debian/.new.deb", 404, NULL, NULL);
    site_get(&r, "/debian/disk.iso");
    ck_assert_uint_eq(r.len, LARGE);
    assert_pattern(r.body, r.len, 0);
    site_response_free(&r);
    site_request(&r, "GET", "/debian/disk.iso", "Range: bytes=9000000-9000099\r\n");
    ck_assert_int_eq(r.status, 206);
    assert_pattern(r.body, r.len, 9000000);
    site_response_free(&r);
}
END_TEST

START_TEST(video)
{
    enum { LENGTH = 3 << 20 };
    struct site_response r;
    site_pattern("srv/video/film.mp4", LENGTH);
    site_write("srv/video/live.m3u8", "#EXTM3U\n");
    start_example("video");
    site_request(&r, "GET", "/film.mp4", "Range: bytes=1000000-1999999\r\n");
    ck_assert_int_eq(r.status, 206);
    ck_assert_uint_eq(r.len, 1000000);
    assert_pattern(r.body, r.len, 1000000);
    assert_header(&r, "Access-Control-Allow-Origin", "*");
    assert_header(&r, "Content-Type", "video/mp4");
    site_response_free(&r);
    site_request(&r, "GET", "/film.mp4",
                 "Range: bytes=0-1,4-5,8-9,12-13,16-17\r\n"); /* more than max_ranges: the whole */
    ck_assert_int_eq(r.status, 200);
    ck_assert_uint_eq(r.len, LENGTH);
    site_response_free(&r);
    expect("video.example.org", "/live.m3u8", 200, "Cache-Control", "no-cache");
}
END_TEST

static int status_for(const char *target, const char *forwarded)
{
    struct site_response r;
    char field[128];
    snprintf(field, sizeof field, "X-Forwarded-For: %s\r\n", forwarded);
    site_request(&r, "GET", target, field);
    int status = r.status;
    site_response_free(&r);
    return status;
}

START_TEST(behind_a_proxy)
{
    site_write("srv/www/index.html", "home\n");
    site_write("srv/www/internal/plan.txt", "plan\n");
    start_example("behind-proxy");
    expect_text("/", "home");
    expect_text("/healthz", "ok");
    expect_text("/readyz", "ready");
    ck_assert_int_eq(status_for("/internal/plan.txt", "192.0.2.7"), 200);
    ck_assert_int_eq(status_for("/internal/plan.txt", "198.51.100.7"), 403);
    ck_assert_int_eq(status_for("/internal/plan.txt", "192.0.2.7, 198.51.100.7, 10.0.0.1"),
                     403); /* the first one lied */
    expect("www.example.org", "/internal", 301, "Location", "/internal/");
    char *log = log_await("logs/access.log", "198.51.100.7 via 127.0.0.1");
    ck_assert_ptr_null(strstr(log, "/healthz"));
    ck_assert_ptr_null(strstr(log, "/readyz"));
    free(log);
}
END_TEST

/* ---- a model hub ---- */

#define COMMIT "8a1b0c3d4e5f60718293a4b5c6d7e8f901234567"

/* Weights of 16 MiB, on a disk where there is one. */
enum { WEIGHTS = 16 << 20 };

static const char *model(const char *file)
{
    return site_path("%s/" COMMIT "%s", site_data("srv/models/org/name"), file);
}

static void make_models(void)
{
    char command[1024];

    site_pattern(model("/model.safetensors"), WEIGHTS);
    site_write(model("/config.json"), "{}\n");
    site_write(model(".json"), "{\"sha\":\"" COMMIT "\",\"siblings\":[{\"rfilename\":\"config.json\"}]}\n");
    snprintf(command, sizeof command, "cd '%s' && sha256sum org/name/*/model.safetensors >SHA256SUMS",
             site_data("srv/models"));
    ck_assert_int_eq(system(command), 0);
    site_write(site_path("%s", site_data("srv/models/refs.conf")), "\"org/name main\" " COMMIT ";\n");
    start_example_in("model-hub", *site_disk() ? "@DISK@/data/srv/" : "@DIR@/data/srv/");
}

static void expect_linked(const char *method, const char *range, int status, const char *tag)
{
    struct site_response r;

    site_request(&r, method, "/org/name/resolve/main/model.safetensors", range);
    ck_assert_int_eq(r.status, status);
    assert_header(&r, "X-Repo-Commit", COMMIT);
    assert_header(&r, "X-Linked-Etag", tag);
    assert_header(&r, "X-Linked-Size", "16777216");
    site_response_free(&r);
}

START_TEST(model_hub)
{
    struct site_response r;
    char tag[70] = "\"";
    size_t len;

    make_models();
    char *sums = site_read(site_data("srv/models/SHA256SUMS"), &len);
    snprintf(tag + 1, sizeof tag - 1, "%.64s\"", sums);
    free(sums);
    expect_linked("HEAD", "", 200, tag);
    expect_linked("GET", "Range: bytes=0-7\r\n", 206, tag);
    site_get(&r, "/org/name/resolve/" COMMIT "/config.json");
    ck_assert_str_eq(r.body, "{}\n");
    assert_header(&r, "X-Repo-Commit", COMMIT);
    assert_header(&r, "X-Linked-Etag", NULL); /* the list does not have it */
    ck_assert_ptr_nonnull(site_header(&r, "ETag"));
    site_response_free(&r);
    expect_text("/api/models/org/name/revision/main", "\"sha\":\"" COMMIT "\"");
    expect("models.example.org", "/org/name/resolve/other/config.json", 404, NULL, NULL);
    expect("models.example.org", "/org/name/resolve/main/../../../../SHA256SUMS", 404, NULL, NULL);
    expect("models.example.org", "/SHA256SUMS", 404, NULL, NULL);
}
END_TEST

/* As readers of safetensors do: the length of the header, the header, then a tensor here and there. */
START_TEST(model_hub_ranges)
{
    struct site_client c;
    char path[512];

    make_models();
    snprintf(path, sizeof path, "%s", model("/model.safetensors"));
    if (!*site_disk() || !pages_evict(path)) {
        printf("  skip model_hub_ranges: no disk here whose files can be out of the page cache\n");
        return;
    }
    client_open(&c, site_port(0));
    for (int i = 0; i < 100; i++) {
        struct site_response r;
        int from = i % 4 == 0 ? 0 : i % 4 == 1 ? 8 : i * 100001, to = i % 4 == 0 ? 7 : from + 4000;
        client_say(&c, "GET /org/name/resolve/main/model.safetensors HTTP/1.1\r\nHost: h\r\nRange: bytes=%d-%d\r\n\r\n",
                   from, to);
        ck_assert(client_head(&c, &r));
        ck_assert_int_eq(r.status, 206);
        site_response_free(&r);
        client_expect_pattern(&c, from, to - from + 1);
    }
    client_close(&c);
    ck_assert_uint_eq(pages_resident(path), 0);
    ck_assert_uint_eq(pages_brought_in(path), 0);
}
END_TEST

START_TEST(registry)
{
    site_write("srv/images/team/app/oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
    site_write("srv/images/team/app/index.json", "{\"manifests\":[]}");
    start_example("registry");
    expect_text("/v2/team/app/tags/list", "{\"name\":\"team/app\",\"tags\":[]}");
    expect("registry.example.org", "/v2/", 200, "Content-Type", "application/json");
    expect("registry.example.org", "/team/app/index.json", 404, NULL, NULL);
}
END_TEST

START_TEST(readme)
{
    enum { LARGE = 9 << 20 };
    struct site_response r;
    char *all = read_source("README.md"), *from = strstr(all, "```nginx\n"),
         *to = from ? strstr(from, "\n```\n") : NULL;
    ck_assert_ptr_nonnull(to);
    char *text = strndup(from + strlen("```nginx\n"), (size_t)(to - from) + 1 - strlen("```nginx\n"));
    free(all);
    text = replaced(text, "events { }", "@MAIN@ events { }");
    text = replaced(text, "http {", "http { access_log @DIR@/logs/access.log;");
    text = replaced(text, "/srv/", "@DIR@/srv/");
    text = replaced(text, "listen       8080", "listen 127.0.0.1:@PORT@");
    write_types();
    site_write("srv/files/a.txt", "text\n");
    site_write("srv/files/pub/b.txt", "text\n");
    site_pattern("srv/files/large", LARGE);
    site_conf(text);
    free(text);
    site_start();
    expect_text("/a.txt", "text");
    expect_text("/pub/", "b.txt");
    expect("files.example.org", "/none", 404, NULL, NULL);
    site_get(&r, "/large");
    ck_assert_uint_eq(r.len, LARGE);
    site_response_free(&r);
}
END_TEST

Suite *suite_examples(void)
{
    Suite *s = suite_create("examples");
    TCase *t = site_case(s, "examples", 30);
    tcase_add_test(t, kubernetes);
    tcase_add_test(t, single_page_application);
    tcase_add_test(t, documentation);
    tcase_add_test(t, mirror);
    tcase_add_test(t, readme);
    tcase_add_test(t, video);
    tcase_add_test(t, registry);
    tcase_add_test(t, model_hub);
    tcase_add_test(t, model_hub_ranges);
    tcase_add_tcp_test(t, behind_a_proxy, "the example trusts an IP address");
    return s;
}
