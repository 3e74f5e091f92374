/* test_config.c - the configuration language as the command line shows it: every error's text with
 * its place, -t -T -q -v -V -s -g -p -c, includes, units, and the configuration that Debian's nginx
 * package brings. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What programs call themselves in their messages. */
static const char *self(void)
{
    return on_nginx() ? "nginx" : "sluice";
}

#define MAIN   "daemon off; pid logs/sluice.pid; error_log logs/error.log;"
#define EVENTS MAIN " events { }"
#define HTTP   EVENTS " http { access_log logs/access.log;"
#define SERVER HTTP " server { listen 127.0.0.1:@PORT@;"

/* Each row's text begins on line 2; `line` is where the error is said to be. */
static const struct wrong {
    const char *before, *text, *after;
    unsigned line;
    const char *message;
    bool only_sluice;
} wrong[] = {
    /* The language. */
    {MAIN, "foo bar;", "events { }", 2, "unknown directive \"foo\"", false},
    {SERVER, "\nlisten_ 80;", "} }", 3, "unknown directive \"listen_\"", false},
    {SERVER, "root x\n", "} }", 4, "unexpected \"}\"", false},
    {SERVER, "root x { }", "} }", 2, "directive \"root\" is not terminated by \";\"", false},
    {HTTP, "server;", "}", 2, "directive \"server\" has no opening \"{\"", false},
    {SERVER, "root x;", "}", 3, "unexpected end of file, expecting \"}\"", false},
    {EVENTS, "http", "", 3, "unexpected end of file, expecting \";\" or \"}\"", false},
    {SERVER, "root \"x;", "} }", 3, "unexpected end of file, expecting \";\" or \"}\"", false},
    {SERVER, "} } }", "", 2, "unexpected \"}\"", false},
    {SERVER, ";", "} }", 2, "unexpected \";\"", false},
    {SERVER, "{ }", "} }", 2, "unexpected \"{\"", false},
    {SERVER, "root \"a\"b;", "} }", 2, "unexpected \"b\"", false},
    {SERVER, "root;", "} }", 2, "invalid number of arguments in \"root\" directive", false},
    {SERVER, "root a b;", "} }", 2, "invalid number of arguments in \"root\" directive", false},
    {MAIN, "listen 80;", "events { }", 2, "\"listen\" directive is not allowed here", false},
    {SERVER, "server { }", "} }", 2, "\"server\" directive is not allowed here", false},
    {SERVER, "events { }", "} }", 2, "\"events\" directive is not allowed here", false},
    {SERVER, "root a;\nroot b;", "} }", 3, "\"root\" directive is duplicate", false},
    {EVENTS, "events { }", "", 2, "\"events\" directive is duplicate", false},
    {SERVER, "sendfile on; sendfile off;", "} }", 2, "\"sendfile\" directive is duplicate", false},
    {SERVER, "include none.conf;", "} }", 2, "open() \"@DIR@/none.conf\" failed (2: No such file or directory)", false},
    /* Values. */
    {SERVER, "sendfile maybe;", "} }", 2,
     "invalid value \"maybe\" in \"sendfile\" directive, it must be \"on\" or \"off\"", false},
    {SERVER, "etag 1;", "} }", 2,
     "invalid value \"1\" in \"etag\" directive, it must be \"on\", \"mtime\", \"content\" or \"off\"", false},
    {SERVER, "client_max_body_size 1x;", "} }", 2, "\"client_max_body_size\" directive invalid value", false},
    {SERVER, "client_max_body_size -1;", "} }", 2, "\"client_max_body_size\" directive invalid value", false},
    {SERVER, "client_max_body_size 1.5m;", "} }", 2, "\"client_max_body_size\" directive invalid value", false},
    {SERVER, "client_max_body_size 99999999999999999999;", "} }", 2, "\"client_max_body_size\" directive invalid value",
     false},
    {SERVER, "client_max_body_size 9999999999999g;", "} }", 2, "\"client_max_body_size\" directive invalid value",
     false},
    {SERVER, "send_timeout 1q;", "} }", 2, "\"send_timeout\" directive invalid value", false},
    {SERVER, "send_timeout 1s1h;", "} }", 2, "\"send_timeout\" directive invalid value", false},
    {SERVER, "keepalive_requests many;", "} }", 2, "\"keepalive_requests\" directive invalid number", false},
    {SERVER, "if_modified_since sometimes;", "} }", 2, "invalid value \"sometimes\"", false},
    {MAIN, "worker_processes none;", "events { }", 2, "invalid", false},
    {MAIN, "error_log x loud;", "events { }", 2, "invalid log level \"loud\"", false},
    {MAIN, "user no-such-user-here;", "events { }", 2, "getpwnam(\"no-such-user-here\") failed", false},
    {SERVER, "directio never;", "} }", 2, "invalid value", false},
    {SERVER, "aio sometimes;", "} }", 2, "invalid value", false},
    {SERVER, "output_buffers 1;", "} }", 2, "invalid number of arguments in \"output_buffers\" directive", false},
    {SERVER, "directio_alignment 1000;", "} }", 2, "power of two", true},
    {SERVER, "io_method magic;", "} }", 2, "\"magic\"", true},
    {SERVER, "aio threads=none;", "} }", 2, "unknown thread pool \"none\"", false},
    {MAIN, "thread_pool a threads=0;", "events { }", 2, "invalid threads value", false},
    {MAIN, "thread_pool a threads=1; thread_pool a threads=2;", "events { }", 2, "duplicate thread pool \"a\"", true},
    {SERVER, "open_file_cache max=x;", "} }", 2, "\"open_file_cache\"", false},
    {SERVER, "open_file_cache inactive=1m;", "} }", 2, "\"open_file_cache\" must have the \"max\" parameter", false},
    {SERVER, "expires whenever;", "} }", 2, "invalid value", false},
    {SERVER, "add_header a;", "} }", 2, "invalid number of arguments in \"add_header\" directive", false},
    {SERVER, "add_header a b sometimes;", "} }", 2, "invalid parameter \"sometimes\"", false},
    {SERVER, "return abc;", "} }", 2, "invalid return code \"abc\"", false},
    {SERVER, "return 1000;", "} }", 2, "invalid return code \"1000\"", false},
    {SERVER, "error_page 200 /x;", "} }", 2, "value \"200\" must be between 300 and 599", false},
    {SERVER, "error_page abc /x;", "} }", 2, "invalid value \"abc\"", false},
    {SERVER, "error_page 499 /x;", "} }", 2, "value \"499\"", false},
    {SERVER, "error_page 404 =abc /x;", "} }", 2, "invalid value \"=abc\"", false},
    {SERVER, "try_files /x;", "} }", 2, "invalid number of arguments in \"try_files\" directive", false},
    {SERVER, "try_files /x =abc;", "} }", 2, "invalid code \"=abc\"", true},
    {SERVER, "return 200 $nothing_of_that_name;", "} }", 2, "unknown \"nothing_of_that_name\" variable", false},
    {SERVER, "keepalive_timeout x;", "} }", 2, "invalid value", false},
    {SERVER, "autoindex_format yaml;", "} }", 2, "invalid value \"yaml\"", false},
    /* listen and server_name. */
    {SERVER, "listen 127.0.0.1:99999;", "} }", 2, "invalid port in \"127.0.0.1:99999\" of the \"listen\" directive",
     false},
    {SERVER, "listen 127.0.0.1:@PORT1@ sometimes;", "} }", 2, "invalid parameter \"sometimes\"", false},
    {SERVER, "listen 127.0.0.1:@PORT@;", "} }", 2, "a duplicate listen 127.0.0.1:@PORT@", false},
    {HTTP, "server { listen 127.0.0.1:@PORT@ default_server; }\nserver { listen 127.0.0.1:@PORT@ default_server; }",
     "}", 3, "a duplicate default server for 127.0.0.1:@PORT@", false},
    {HTTP, "server { listen 127.0.0.1:@PORT@ backlog=5; }\nserver { listen 127.0.0.1:@PORT@ backlog=6; }", "}", 3,
     "duplicate listen options for 127.0.0.1:@PORT@", false},
    {SERVER, "listen [::1;", "} }", 2, "in \"[::1\" of the \"listen\" directive", false},
    {SERVER, "server_name ~(;", "} }", 2, "pcre2_compile() failed", false},
    {SERVER, "server_name a.*.b;", "} }", 2, "invalid server name or wildcard \"a.*.b\"", true},
    /* Locations. */
    {SERVER, "location / { }\nlocation / { }", "} }", 3, "duplicate location \"/\"", false},
    {SERVER, "location = /a { }\nlocation = /a { }", "} }", 3, "duplicate location \"/a\"", false},
    {SERVER, "location ~ ( { }", "} }", 2, "pcre2_compile() failed", false},
    {SERVER, "location ! /a { }", "} }", 2, "invalid location modifier \"!\"", false},
    {SERVER, "location /a { location /b { } }", "} }", 2, "location \"/b\" is outside location \"/a\"", false},
    {SERVER, "location = /a { location /a/b { } }", "} }", 2,
     "location \"/a/b\" cannot be inside the exact location \"/a\"", false},
    {SERVER, "location @a { location /a/b { } }", "} }", 2,
     "location \"/a/b\" cannot be inside the named location \"@a\"", false},
    {SERVER, "location /a { location @b { } }", "} }", 2, "named location \"@b\" can be on the server level only",
     false},
    {SERVER, "location /a { root x; alias y; }", "} }", 2,
     "\"alias\" directive is duplicate, \"root\" directive was specified earlier", false},
    {SERVER, "location /a { alias y; root x; }", "} }", 2,
     "\"root\" directive is duplicate, \"alias\" directive was specified earlier", false},
    {SERVER, "alias x;", "} }", 2, "\"alias\" directive is not allowed here", false},
    /* Logs. */
    {SERVER, "access_log logs/x none;", "} }", 2, "unknown log format \"none\"", false},
    {HTTP, "log_format a b; log_format a c;", "}", 2, "duplicate \"log_format\" name \"a\"", false},
    {HTTP, "log_format a '$nothing_of_that_name'; server { access_log logs/x a; }", "}", 2,
     "unknown \"nothing_of_that_name\" variable", false},
    {SERVER, "access_log logs/x combined buffer=x;", "} }", 2, "invalid buffer size \"x\"", false},
    {SERVER, "access_log logs/x combined flush=x;", "} }", 2, "invalid flush time \"x\"", false},
    {SERVER, "access_log logs/x combined flush=1s;", "} }", 2, "no buffer is defined for access_log \"logs/x\"", false},
    {SERVER, "access_log logs/x combined buffer=1k;", "access_log logs/x combined buffer=2k; } }", 3,
     "access_log \"logs/x\" already defined with conflicting parameters", false},
    {SERVER, "access_log logs/x;", "access_log logs/x combined gzip; } }", 3,
     "access_log \"logs/x\" already defined with conflicting parameters", false},
    {SERVER, "access_log logs/$host combined buffer=1k;", "} }", 2, "buffered logs cannot have variables in name",
     false},
    {SERVER, "access_log logs/$no_such_variable;", "} }", 2, "unknown \"no_such_variable\" variable", false},
    {SERVER, "open_log_file_cache inactive=1s;", "} }", 2, "\"open_log_file_cache\" must have \"max\" parameter",
     false},
    {SERVER, "open_log_file_cache max=1 min=2;", "} }", 2, "invalid \"open_log_file_cache\" parameter \"min=2\"",
     false},
    {SERVER, "access_log none/such/folder/x;", "} }", 0,
     "open() \"@DIR@/none/such/folder/x\" failed (2: No such file or directory)", false},
    {"daemon off;", "pid logs/sluice.pid; error_log logs/error.log;", "", 0, "no \"events\" section in configuration",
     false},
};

static char *expand_names(const char *text)
{
    char *out = malloc(8192);
    size_t len = 0;
    for (; *text; text++) {
        if (!strncmp(text, "@DIR@", 5)) {
            len += (size_t)sprintf(out + len, "%s", site_dir());
            text += 4;
        } else if (!strncmp(text, "@PORT@", 6)) {
            len += (size_t)sprintf(out + len, "%d", site_port(0));
            text += 5;
        } else {
            out[len++] = *text;
        }
    }
    out[len] = '\0';
    return out;
}

static void test_file(struct site_run *run, const char *option)
{
    site_run(run, "-c", site_path("sluice.conf"), option, NULL);
}

/* nginx names no line for what it finds after it has read the file; sluice does. */
static bool line_is_named(const char *err, unsigned line)
{
    char place[4200];
    snprintf(place, sizeof place, " in %s:%u\n", site_path("sluice.conf"), line);
    return line == 0 || strstr(err, place) || (on_nginx() && !strstr(err, "sluice.conf:"));
}

START_TEST(every_error)
{
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const struct wrong *w = &wrong[i];
        char text[4096], end[4200];
        struct site_run run;
        if ((w->only_sluice && on_nginx()) || (geteuid() != 0 && !strncmp(w->text, "user ", 5)))
            continue;
        snprintf(text, sizeof text, "%s\n%s\n%s", w->before, w->text, w->after);
        site_conf(text);
        test_file(&run, "-t");
        char *message = expand_names(w->message);
        ck_assert_msg(run.status == 1, "\"%s\": status %d\n%s", w->text, run.status, run.err);
        ck_assert_msg(strstr(run.err, "[emerg] ") && strstr(run.err, message), "\"%s\" says\n%snot \"%s\"", w->text,
                      run.err, message);
        ck_assert_msg(line_is_named(run.err, w->line), "\"%s\" says\n%snot line %u", w->text, run.err, w->line);
        ck_assert_msg(!strncmp(run.err, self(), strlen(self())), "%s", run.err);
        snprintf(end, sizeof end, "%s: configuration file %s test failed\n", self(), site_path("sluice.conf"));
        ck_assert_msg(strstr(run.err, end), "\"%s\" says\n%s", w->text, run.err);
        ck_assert_str_eq(run.out, "");
        free(message);
    }
}
END_TEST

/* A real start says the same, and ends. */
START_TEST(start_with_an_error)
{
    site_conf(SERVER "\nfoo;\n} }");
    struct site_run run;
    site_run(&run, "-c", site_path("sluice.conf"), NULL);
    ck_assert_int_eq(run.status, 1);
    ck_assert_ptr_nonnull(strstr(run.err, "[emerg] "));
    ck_assert_ptr_nonnull(strstr(run.err, "unknown directive \"foo\""));
    ck_assert(line_is_named(run.err, 2));
    ck_assert_ptr_null(strstr(run.err, "test failed"));
    site_allow_alerts();
}
END_TEST

START_TEST(missing_file)
{
    struct site_run run;
    site_run(&run, "-t", "-c", site_path("none.conf"), NULL);
    ck_assert_int_eq(run.status, 1);
    char message[4400];
    snprintf(message, sizeof message, "[emerg] open() \"%s\" failed (2: No such file or directory)",
             site_path("none.conf"));
    ck_assert_ptr_nonnull(strstr(run.err, message));
    site_allow_alerts();
}
END_TEST

START_TEST(suggestions)
{
    static const struct {
        const char *text, *suggestion;
    } rows[] = {{"lisen 80;", "listen"},
                {"sendflie on;", "sendfile"},
                {"direct_io 4m;", "directio"},
                {"server_nam a;", "server_name"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        struct site_run run;
        snprintf(text, sizeof text, SERVER "\n%s\n} }", rows[i].text);
        site_conf(text);
        test_file(&run, "-t");
        ck_assert_int_eq(run.status, 1);
        ck_assert_msg(strstr(run.err, rows[i].suggestion), "%s", run.err);
    }
}
END_TEST

/* What nginx knows and sluice does not do is told apart from what nobody knows; what has no meaning
 * here is taken. */
START_TEST(directives_of_nginx)
{
    static const char *const outside[] = {"proxy_pass http://a;", "fastcgi_pass a:1;", "auth_request /x;",
                                          "upstream x { }",       "sub_filter a b;",   "ssl_ech_file x;"};
    struct site_run run;
    char text[1024];
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        snprintf(text, sizeof text, "%s\n%s\n%s", strchr(outside[i], '{') ? HTTP : SERVER, outside[i],
                 strchr(outside[i], '{') ? "}" : "} }");
        site_conf(text);
        test_file(&run, "-t");
        ck_assert_msg(run.status == 1, "%s", outside[i]);
        ck_assert_msg(!strstr(run.err, "unknown directive"), "%s", run.err);
        ck_assert_msg(line_is_named(run.err, 2), "%s", run.err);
    }
    site_conf(
        MAIN
        " pcre_jit on; events { use epoll; accept_mutex on; accept_mutex_delay 10ms; }\n"
        "http { access_log off; types_hash_max_size 2048; types_hash_bucket_size 64; server_names_hash_bucket_size 64; "
        "variables_hash_max_size 1024;\n"
        "client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; server { listen 127.0.0.1:@PORT@; } }");
    test_file(&run, "-t");
    ck_assert_msg(run.status == 0, "%s", run.err);
}
END_TEST

/* ---- good ones ---- */

START_TEST(test_is_successful)
{
    site_conf(SERVER "} }");
    struct site_run run;
    char expected[9000];
    const char *path = site_path("sluice.conf");
    snprintf(expected, sizeof expected,
             "%s: the configuration file %s syntax is ok\n%s: configuration file %s test is successful\n", self(), path,
             self(), path);
    test_file(&run, "-t");
    ck_assert_int_eq(run.status, 0);
    ck_assert_str_eq(run.err, expected);
    ck_assert_str_eq(run.out, "");
    test_file(&run, "-tq");
    ck_assert_int_eq(run.status, 0);
    ck_assert_str_eq(run.err, "");
    /* -t changes nothing. */
    ck_assert_int_ne(access(site_path("logs/sluice.pid"), F_OK), on_nginx() ? 2 : 0);
}
END_TEST

static const char *const good[] = {
    "root 'a b'; index \"x y\" 'it\\'s';",
    "root a\\ b; # comment } ; \"\n",
    "#\n  # only comments\n\n",
    "client_max_body_size 0; directio 1g; output_buffers 4 64k; postpone_output 0; read_ahead 1m;",
    "directio 4M; directio_alignment 4K; sendfile_max_chunk 0;",
    "send_timeout 1h30m; keepalive_timeout 1d 2h; client_header_timeout 500ms; client_body_timeout 1m 0s;",
    "open_file_cache max=10 inactive=20s; open_file_cache_valid 1m; open_file_cache_min_uses 2; open_file_cache_errors "
    "on;",
    "expires 1M; expires_ off;",
    "location /a { location /a/b { location /a/b/c { } } }",
    "location ~ \"^/(?<name>x{2,3}){1}\" { } location ~* \"\\.(gif|jpg){1,2}$\" { }",
    "error_page 404 /404.html; error_page 500 502 503 504 =200 /50x.html; error_page 403 @x; location @x { return 403; "
    "}",
    "return 200 \"a;b{c}\\\"d\";",
    "add_header A $uri; add_header B \"x ${host}y\" always;",
    "types { text/html html; image/png png; } default_type a/b;",
    "types { } default_type a/b;",
    "server_name a.b *.a.b a.* .c.d ~^x(?<n>.+)$ \"\" _;",
    "access_log off; error_log logs/error.log debug;",
    "access_log logs/access.log combined buffer=4k flush=1s if=$http_x;",
    "listen [::1]:@PORT1@ ipv6only=on; listen @PORT2@ backlog=64 rcvbuf=64k sndbuf=64k so_keepalive=30s::5;",
    "listen unix:@DIR@/s.sock; lingering_close always; lingering_time 1s; lingering_timeout 1s; "
    "reset_timedout_connection on;",
    "try_files $uri $uri/ =404; autoindex on; autoindex_exact_size off; autoindex_localtime on;",
    "if_modified_since before; etag off; max_ranges 1; merge_slashes off; absolute_redirect off; server_tokens off;",
};

START_TEST(good_ones)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char text[2048];
        struct site_run run;
        bool bad = strstr(good[i], "expires_") || strstr(good[i], "1m 0s");
        snprintf(text, sizeof text, SERVER "\n%s\n} }", good[i]);
        site_conf(text);
        test_file(&run, "-t");
        ck_assert_msg(run.status == (bad ? 1 : 0), "%s\n%s", good[i], run.err);
    }
}
END_TEST

START_TEST(dump)
{
    site_write("extra/b.conf", "# bee\nserver { listen 127.0.0.1:@PORT1@; }\n");
    site_conf(SERVER "} include extra/*.conf; include extra/b.con?; include none/*.conf; }\n# end\n");
    char b[128], expected[12000];
    snprintf(b, sizeof b, "# bee\nserver { listen 127.0.0.1:%d; }\n", site_port(1));
    site_write("extra/a.conf", "# ay\n");
    site_write("extra/b.conf", b);
    site_write("extra/c.txt", "not this");
    struct site_run run;
    test_file(&run, "-T");
    ck_assert_msg(run.status == 0, "%s", run.err);
    char *conf = site_read("sluice.conf", NULL);
    snprintf(expected, sizeof expected,
             "# configuration file %s:\n%s\n# configuration file %s:\n%s\n# configuration file %s:\n%s\n",
             site_path("sluice.conf"), conf, site_path("extra/a.conf"), "# ay\n", site_path("extra/b.conf"), b);
    free(conf);
    ck_assert_str_eq(run.out, expected);
    ck_assert_ptr_nonnull(strstr(run.err, "test is successful"));
}
END_TEST

#define MARK "\xEF\xBB\xBF"

/* What some editors put before the first byte of a file is no part of its first word. */
START_TEST(byte_order_marks)
{
    struct site_response r;
    struct site_run run;
    site_write("html/b.x", "b\n");
    site_write("server.conf", MARK "location = /included { return 200 $g$m; }\n");
    site_write("types.conf", MARK "text/x-mark x;\n");
    site_write("geo.conf", MARK "127.0.0.0/8 near;\n");
    site_write("map.conf", MARK "/included mapped;\n");
    site_conf(MARK "daemon off; pid @DIR@/logs/sluice.pid; error_log @DIR@/logs/error.log;\nevents { }\nhttp {\n"
                   "access_log off; geo $g { default far; include geo.conf; } map $uri $m { include map.conf; }\n"
                   "types { include types.conf; } server { listen 127.0.0.1:@PORT@; root @DIR@/html;\n"
                   "include server.conf;\n} }\n");
    site_start();
    site_get(&r, "/included");
    ck_assert_str_eq(r.body, "nearmapped");
    site_response_free(&r);
    site_get(&r, "/b.x");
    assert_header(&r, "Content-Type", "text/x-mark");
    site_response_free(&r);
    test_file(&run, "-T");
    ck_assert_msg(run.status == 0 && !strstr(run.out, MARK), "%s", run.out); /* files in a row are one configuration */

    /* Anywhere else it is a word's. */
    site_conf(SERVER "\n" MARK "etag off;\n} }");
    test_file(&run, "-t");
    ck_assert_msg(run.status == 1 && strstr(run.err, "unknown directive \"" MARK "etag\""), "%s", run.err);
}
END_TEST

START_TEST(include_errors_name_the_included_file)
{
    site_write("sub/bad.conf", "\n\nfoo 1;\n");
    site_conf(SERVER "\ninclude sub/bad.conf;\n} }");
    struct site_run run;
    char place[4400];
    test_file(&run, "-t");
    snprintf(place, sizeof place, "unknown directive \"foo\" in %s:3\n", site_path("sub/bad.conf"));
    ck_assert_msg(strstr(run.err, place), "%s", run.err);
    /* Relative to the folder of the main file, wherever the include stands. */
    site_write("sub/ok.conf", "include sub/deep.conf;");
    site_write("sub/deep.conf", "etag off;");
    site_conf(SERVER "\ninclude sub/ok.conf;\n} }");
    test_file(&run, "-t");
    ck_assert_msg(run.status == 0, "%s", run.err);
}
END_TEST

START_TEST(relative_paths)
{
    /* include against the folder of the file, root against the prefix. */
    site_write("etc/sluice.conf",
               "daemon off; pid logs/sluice.pid; error_log logs/error.log; events { } http { include here.conf; }");
    site_write("html/a.txt", "hello\n");
    char here[200];
    snprintf(here, sizeof here, "access_log logs/access.log; server { listen 127.0.0.1:%d; root html; }", site_port(0));
    site_write("etc/here.conf", here);
    struct site_run run;
    site_run(&run, "-c", "etc/sluice.conf", "-t", NULL);
    ck_assert_msg(run.status == 0, "%s", run.err);
    ck_assert_msg(strstr(run.err, site_path("etc/sluice.conf")), "%s", run.err);
    site_conf_http("server { listen 127.0.0.1:@PORT@; root html; }");
    site_start();
    ck_assert_int_eq(site_status_of("/a.txt"), 200);
}
END_TEST

START_TEST(versions)
{
    struct site_run run;
    char line[64];
    snprintf(line, sizeof line, "%s version: %s/", self(), self());
    site_run(&run, "-v", NULL);
    ck_assert_int_eq(run.status, 0);
    ck_assert_msg(!strncmp(run.err, line, strlen(line)), "%s", run.err);
    site_run(&run, "-V", NULL);
    ck_assert_int_eq(run.status, 0);
    ck_assert_msg(!strncmp(run.err, line, strlen(line)) && count_text(run.err, "\n") > 1, "%s", run.err);
    site_run(&run, "-h", NULL);
    ck_assert_int_eq(run.status, 0);
    ck_assert(strstr(run.err, "  -t") || strstr(run.out, "  -t"));
    if (!on_nginx())
        ck_assert_uint_lt(count_text(run.err, "\n") + count_text(run.out, "\n"), 24); /* a screen */
}
END_TEST

START_TEST(bad_options)
{
    struct site_run run;
    site_run(&run, "-x", NULL);
    ck_assert_int_eq(run.status, 1);
    ck_assert_msg(strstr(run.err, "invalid option: \"x\""), "%s", run.err);
    site_run(&run, "-s", "dance", NULL);
    ck_assert_int_eq(run.status, 1);
    ck_assert_msg(strstr(run.err, "invalid option: \"-s dance\""), "%s", run.err);
    site_run(&run, "-c", NULL);
    ck_assert_int_eq(run.status, 1);
    ck_assert_msg(strstr(run.err, "option \"-c\" requires file name"), "%s", run.err);
}
END_TEST

START_TEST(signal_without_a_server)
{
    site_conf(SERVER "} }");
    struct site_run run;
    char message[4400];
    snprintf(message, sizeof message, "[error] open() \"%s\" failed (2: No such file or directory)\n",
             site_path("logs/sluice.pid"));
    site_run(&run, "-c", site_path("sluice.conf"), "-s", "reload", NULL);
    ck_assert_int_eq(run.status, 1);
    ck_assert_msg(strstr(run.err, message), "%s", run.err);
    site_write("logs/sluice.pid", "nonsense\n");
    site_run(&run, "-c", site_path("sluice.conf"), "-s", "stop", NULL);
    ck_assert_int_eq(run.status, 1);
    ck_assert_msg(strstr(run.err, "invalid PID number \"nonsense\" in \""), "%s", run.err);
    site_write("logs/sluice.pid", "4194304\n"); /* above the largest there can be */
    site_run(&run, "-c", site_path("sluice.conf"), "-s", "stop", NULL);
    ck_assert_int_eq(run.status, 1);
    ck_assert_msg(strstr(run.err, "(3: No such process)"), "%s", run.err);
    site_allow_alerts();
}
END_TEST

START_TEST(globals_on_the_command_line)
{
    site_conf("pid logs/sluice.pid; error_log logs/error.log; events { } http { access_log off; server { listen "
              "127.0.0.1:@PORT@; } }");
    struct site_run run;
    site_run(&run, "-c", site_path("sluice.conf"), "-t", "-g", "daemon off; worker_processes 2;", NULL);
    ck_assert_msg(run.status == 0, "%s", run.err);
    site_run(&run, "-c", site_path("sluice.conf"), "-t", "-g", "daemon maybe;", NULL);
    ck_assert_int_eq(run.status, 1);
    ck_assert_msg(strstr(run.err, "in command line"), "%s", run.err);
    site_run(&run, "-c", site_path("sluice.conf"), "-t", "-g", "pid x;", NULL);
    ck_assert_int_eq(run.status, 1);
    ck_assert_msg(strstr(run.err, "\"pid\" directive is duplicate"), "%s", run.err);
    site_allow_alerts();
}
END_TEST

START_TEST(warnings)
{
    site_conf(SERVER "\nserver_name a; }\nserver { listen 127.0.0.1:@PORT@; server_name a; }\n}");
    struct site_run run;
    char message[128];
    snprintf(message, sizeof message, "[warn] conflicting server name \"a\" on 127.0.0.1:%d, ignored", site_port(0));
    test_file(&run, "-t");
    ck_assert_msg(run.status == 0, "%s", run.err);
    ck_assert_msg(strstr(run.err, message), "%s", run.err);
    if (on_nginx()) /* 1.22 does not know it */
        return;
    site_conf(SERVER "\nlisten 127.0.0.1:@PORT1@ multipath;\n} }");
    test_file(&run, "-t");
    ck_assert_msg(run.status == 0, "%s", run.err);
    ck_assert_msg(strstr(run.err, "[warn] \"multipath\" has no effect") && line_is_named(run.err, 2), "%s", run.err);
}
END_TEST

/* The nginx.conf of Debian 12 with its sites-enabled/default, without comments; the lines about
 * TLS, gzip and modules aside. */
static const char debian[] =
    "user www-data;\nworker_processes auto;\npid @DIR@/logs/sluice.pid;\nerror_log @DIR@/logs/error.log;\n"
    "include @DIR@/modules-enabled/*.conf;\n\nevents {\n\tworker_connections 768;\n\t# multi_accept on;\n}\n\n"
    "http {\n\n\t##\n\t# Basic Settings\n\t##\n\n\tsendfile on;\n\ttcp_nopush on;\n\ttypes_hash_max_size 2048;\n"
    "\t# server_tokens off;\n\n\tinclude @DIR@/mime.types;\n\tdefault_type application/octet-stream;\n\n"
    "\taccess_log @DIR@/logs/access.log;\n\n\tinclude @DIR@/conf.d/*.conf;\n\tinclude @DIR@/sites-enabled/*;\n}\n";

static const char debian_site[] =
    "server {\n\tlisten %d default_server;\n\tlisten [::]:%d default_server;\n\n\troot %s/html;\n\n"
    "\t# Add index.php to the list if you are using PHP\n\tindex index.html index.htm "
    "index.nginx-debian.html;\n\n\tserver_name _;\n\n"
    "\tlocation / {\n\t\t# First attempt to serve request as file, then\n\t\t# as directory, then fall back to "
    "displaying a 404.\n"
    "\t\ttry_files $uri $uri/ =404;\n\t}\n}\n";

START_TEST(configuration_of_debian)
{
    char site_text[6000];
    site_write("html/index.nginx-debian.html", "<p>welcome</p>");
    site_write("html/sub/index.html", "<p>sub</p>");
    site_write("mime.types",
               "\ntypes {\n    text/html                             html htm shtml;\n    text/css    css;\n"
               "    application/javascript                js;\n}\n");
    site_write("html/x.css", "p{}");
    snprintf(site_text, sizeof site_text, debian_site, site_port(0), site_port(0), site_dir());
    site_write("sites-enabled/default", site_text);
    char text[2000];
    snprintf(text, sizeof text, "daemon off;\n%s", debian);
    site_conf(text);
    site_start();
    struct site_response r;
    site_get(&r, "/");
    ck_assert_str_eq(r.body, "<p>welcome</p>");
    site_response_free(&r);
    site_get(&r, "/sub/");
    ck_assert_str_eq(r.body, "<p>sub</p>");
    site_response_free(&r);
    site_get(&r, "/x.css");
    assert_header(&r, "Content-Type", "text/css");
    site_response_free(&r);
    ck_assert_int_eq(site_status_of("/sub"), 301);
    ck_assert_int_eq(site_status_of("/none"), 404);
}
END_TEST

Suite *suite_config(void)
{
    Suite *s = suite_create("config");
    TCase *tc = site_case(s, "config", 60);
    tcase_add_tcp_test(tc, every_error, "messages name the address");
    tcase_add_test(tc, start_with_an_error);
    tcase_add_test(tc, missing_file);
    if (!on_nginx()) {
        tcase_add_tcp_test(tc, byte_order_marks, "geo knows IP addresses");
        tcase_add_test(tc, suggestions);
        tcase_add_test(tc, directives_of_nginx);
    }
    tcase_add_test(tc, test_is_successful);
    tcase_add_test(tc, good_ones);
    tcase_add_test(tc, dump);
    tcase_add_test(tc, include_errors_name_the_included_file);
    tcase_add_test(tc, relative_paths);
    tcase_add_test(tc, versions);
    tcase_add_test(tc, bad_options);
    tcase_add_test(tc, signal_without_a_server);
    tcase_add_test(tc, globals_on_the_command_line);
    tcase_add_tcp_test(tc, warnings, "messages name the address");
    if (needs_plain("configuration_of_debian", "it writes its own listen"))
        tcase_add_tcp_test(tc, configuration_of_debian, "listens on a port");
    return s;
}
