/* test_browser.c - the pages for people, as a browser sees them: the status page and the modern
 * listing; and files that a browser decodes with what it has. */
#include "browser.h"
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *origin(void)
{
    static char text[64];
    snprintf(text, sizeof text, "http://127.0.0.1:%d", site_port(0));
    return text;
}

static void go(const char *path)
{
    char url[256];
    snprintf(url, sizeof url, "%s%s", origin(), path);
    browser_go(url);
}

#define NO_SIDEWAYS "document.documentElement.scrollWidth<=innerWidth"

/* ---- status ---- */

#define STATUS_CONF                                                                                                    \
    "open_file_cache max=100; location = /status { status; } location = /page { status html; } "                       \
    "location = /silent { return 444; }"

/* Traffic for the plots, from inside the page. */
static void make_traffic(unsigned requests)
{
    char text[256];
    snprintf(text, sizeof text,
             "(async function(){for(var i=0;i<%u;i++){await fetch('/f.txt?'+i);await fetch('/big.bin')}"
             "return true})()",
             requests);
    browser_run(text);
}

static void serve_status(void)
{
    site_write("html/f.txt", "hello\n");
    site_pattern("html/big.bin", 300000);
    site_serve(STATUS_CONF);
}

START_TEST(status_page_is_alive)
{
    serve_status();
    if (!browser_open())
        return;
    browser_size(1280, 900, false);
    go("/status");
    browser_expect("document.title.startsWith('sluice on 127.0.0.1')");
    browser_expect("document.querySelectorAll('#plots section').length===6");
    browser_expect("document.querySelectorAll('#tiles .tile').length===9");
    browser_await("document.getElementById('live').textContent==='live'");
    make_traffic(20);
    browser_await("[].some.call(document.querySelectorAll('#plots path.edge'),function(p){"
                  "return p.getAttribute('d').length>10})");
    browser_await("+/^(\\d+)/.exec(document.querySelector('.tile small').textContent)[1]>=40");
    browser_run("document.getElementById('all').open=true");
    browser_await("document.querySelectorAll('#totals dl').length>40");
    browser_expect(NO_SIDEWAYS);
    browser_shoot("status-light");
    browser_dark(true);
    browser_expect("getComputedStyle(document.body).backgroundColor!=='rgb(246, 247, 249)'");
    browser_shoot("status-dark");
    browser_expect_peace(origin());
    browser_close();
}
END_TEST

START_TEST(status_page_fits_a_phone)
{
    serve_status();
    if (!browser_open())
        return;
    browser_size(360, 740, true);
    go("/page");
    browser_await("document.getElementById('live').textContent==='live'");
    make_traffic(5);
    browser_run("document.getElementById('all').open=true");
    browser_await("document.querySelectorAll('#totals dl').length>40");
    browser_expect(NO_SIDEWAYS);
    browser_expect("innerWidth===360");
    browser_shoot("status-phone");
    browser_expect_peace(origin());
    browser_close();
}
END_TEST

/* The policy is real: what is not of the page does not run. */
START_TEST(status_page_runs_nothing_else)
{
    serve_status();
    if (!browser_open())
        return;
    go("/status");
    browser_expect("(function(){var s=document.createElement('script');s.textContent='window.evil=1';"
                   "document.body.append(s);return window.evil===undefined})()");
    browser_expect("fetch('http://127.0.0.2:1/').then(function(){return false},function(){return true})");
    browser_close();
}
END_TEST

START_TEST(status_page_says_when_the_server_is_gone)
{
    serve_status();
    if (!browser_open())
        return;
    go("/status");
    browser_await("document.getElementById('live').textContent==='live'");
    site_stop(SIGTERM);
    browser_await("document.getElementById('live').className==='off'");
    browser_close();
}
END_TEST

/* ---- listing ---- */

#define NASTY "<img src=x onerror=alert(1)>&amp;\"'`${1}%2e%00\\u0041 \xe2\x80\xae\xf0\x9f\x92\xa9 \xc3\xa9.html"
#define BAD   "bytes-\xff\xfe-that-are-no-utf8"

static void make_file(const char *name, size_t size, time_t t)
{
    char path[512];
    snprintf(path, sizeof path, "html/dir/%s", name);
    site_pattern(path, (off_t)size);
    site_set_mtime(path, t);
}

static void serve_listing(void)
{
    make_file("b10.txt", 5, 1000000000);
    make_file("b9.txt", 2000000, 1100000000);
    make_file("Alpha.iso", 300, 1200000000);
    make_file(NASTY, 77, 900000000);
    make_file(BAD, 78, 900000001);
    make_file("a-very-long-name-without-any-space-in-it-as-downloads-often-have-them-2.3.4-rc1-linux-x86_64.tar.zst", 9,
              950000000);
    for (int i = 0; i < 12; i++) {
        char name[32];
        snprintf(name, sizeof name, "photo-%02d.jpg", i);
        make_file(name, (size_t)(1000 * i + 100000), 1300000000 + i);
    }
    site_write("html/dir/README.md", "# <b>Photos</b>\n\nAll of them.\n");
    site_mkdir("html/dir/zoo");
    site_mkdir("html/dir/Music");
    site_serve("location / { autoindex on; autoindex_style modern; autoindex_exact_size off; autoindex_readme on; }");
}

/* The names in the order of the page, cut off, folders' slashes kept. */
#define NAMES                                                                                                          \
    "[].map.call(document.querySelectorAll('tbody tr:not([hidden])'),function(r){return r.cells[0].textContent})"
#define CLICK(n) "document.querySelectorAll('th button')[" #n "].click()"
#define ORDERED(f)                                                                                                     \
    "(function(){var v=[].map.call(document.querySelectorAll('tbody tr:not(.p):not(.g)'),function(r){return " f "});"  \
    "return v.length>10&&v.every(function(x,i){return i===0||v[i-1]<=x})})()"

START_TEST(listing_sorts_and_filters)
{
    serve_listing();
    if (!browser_open())
        return;
    browser_size(1100, 900, false);
    go("/dir/");
    browser_expect(NAMES "[0]==='../'");
    browser_expect(NAMES ".slice(1,3).join()==='Music/,zoo/'");
    browser_expect(NAMES ".indexOf('b9.txt')+1===" NAMES ".indexOf('b10.txt')"); /* as people count */
    browser_shoot("listing-light");

    browser_run(CLICK(1));
    browser_expect(ORDERED("+r.cells[1].getAttribute('data-k')"));
    browser_expect("document.querySelectorAll('th')[1].getAttribute('aria-sort')==='ascending'");
    browser_run(CLICK(1));
    browser_expect(ORDERED("-r.cells[1].getAttribute('data-k')"));
    browser_expect("document.querySelectorAll('th')[1].getAttribute('aria-sort')==='descending'");
    browser_run(CLICK(2));
    browser_expect(ORDERED("+r.cells[2].getAttribute('data-k')"));
    browser_expect(NAMES "[0]==='../'&&" NAMES ".slice(1,3).sort().join()==='Music/,zoo/'");
    browser_run(CLICK(0));
    browser_expect(NAMES ".slice(1,3).join()==='Music/,zoo/'");
    browser_run(CLICK(0));
    browser_expect(NAMES ".slice(1,3).join()==='zoo/,Music/'");

    browser_run("var q=document.querySelector('input');q.value='PHOTO-1';q.dispatchEvent(new Event('input'))");
    browser_expect(NAMES ".sort().join()==='../,photo-10.jpg,photo-11.jpg'");
    browser_run("q.value='';q.dispatchEvent(new Event('input'))");
    browser_expect(NAMES ".length===22");
    browser_expect("document.querySelector('pre').textContent==='# <b>Photos</b>\\n\\nAll of them.\\n'");
    browser_expect("document.querySelectorAll('tbody tr')[1].cells[2].textContent!==''");
    browser_dark(true);
    browser_expect("getComputedStyle(document.body).backgroundColor==='rgb(20, 23, 28)'");
    browser_shoot("listing-dark");
    browser_expect_peace(origin());
    browser_close();
}
END_TEST

/* Who hears the page, or works it by keys, finds what the others see. */
START_TEST(listing_is_accessible)
{
    static const struct {
        const char *role, *name;
    } nodes[] = {
        {"RootWebArea", "Index of /dir/"},
        {"heading", "/dir/"},
        {"table", "Files and folders"},
        {"columnheader", "Name"},
        {"button", "Name"},
        {"button", "Size"},
        {"button", "Modified"},
        {"searchbox", "Search by name"},
        {"link", "Parent folder"},
        {"link", "Alpha.iso"},
        {"link", "Music/"},
        {"region", "README.md"},
    };
    serve_listing();
    if (!browser_open())
        return;
    go("/dir/");
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        browser_expect_accessible(nodes[i].role, nodes[i].name);
    browser_close();
}
END_TEST

#define PRESS(key)                                                                                                     \
    "document.activeElement.dispatchEvent(new KeyboardEvent('keydown',{key:'" key "',bubbles:true,cancelable:true}));"
#define AT(name) "document.activeElement.textContent==='" name "'"

/* / and Escape: into the search box and out of it; up and down: from name to name, the hidden ones left out. */
START_TEST(listing_is_worked_by_keys)
{
    serve_listing();
    if (!browser_open())
        return;
    go("/dir/");
    browser_run(PRESS("ArrowDown"));
    browser_expect(AT("../"));
    browser_run(PRESS("ArrowDown") PRESS("ArrowDown"));
    browser_expect(AT("zoo/"));
    browser_run(PRESS("ArrowUp"));
    browser_expect(AT("Music/"));
    browser_run(PRESS("/"));
    browser_expect("document.activeElement===document.querySelector('input')");
    browser_run("var q=document.activeElement;q.value='alpha';q.dispatchEvent(new Event('input'))");
    browser_expect("document.querySelector('output').textContent==='1 found'");
    browser_run(PRESS("ArrowDown") PRESS("ArrowDown"));
    browser_expect(AT("Alpha.iso"));
    browser_run(PRESS("ArrowDown"));
    browser_expect(AT("Alpha.iso")); /* the last one */
    browser_run(PRESS("/") PRESS("Escape"));
    browser_expect("q.value===''&&document.activeElement===document.body&&" NAMES ".length===22");
    browser_expect_peace(origin());
    browser_close();
}
END_TEST

START_TEST(listing_shows_names_as_they_are)
{
    serve_listing();
    if (!browser_open())
        return;
    go("/dir/");
    /* The text is the name, nothing of it became an element, and the link leads to the file. */
    browser_expect("document.querySelectorAll('img,b,script[src]').length===0");
    browser_expect(NAMES ".indexOf('<img src=x onerror=alert(1)>&amp;\"\\'`${1}%2e%00\\\\u0041 "
                         "\\u202e\\ud83d\\udca9 \\u00e9.html')>0");
    browser_expect("[].filter.call(document.links,function(a){return a.textContent.indexOf('<img')===0}).length===1");
    /* From a page that may ask: the listing's policy lets it fetch nothing. */
    browser_expect("fetch('/dir/b10.txt').then(function(){return false},function(){return true})");
    browser_run("window.name=JSON.stringify(['<img','bytes-'].map(function(n){return "
                "[].filter.call(document.links,function(a){return a.textContent.indexOf(n)===0})[0].href}))");
    go("/nothing");
    browser_expect("Promise.all(JSON.parse(window.name).map(function(u){return fetch(u).then(function(r){"
                   "return r.ok&&r.headers.get('content-length')})})).then(function(l){return l.join()==='77,78'})");
    browser_close();
}
END_TEST

START_TEST(listing_fits_a_phone)
{
    serve_listing();
    if (!browser_open())
        return;
    browser_size(360, 740, true);
    go("/dir/");
    browser_expect(NO_SIDEWAYS);
    browser_expect("innerWidth===360");
    browser_run(CLICK(1));
    browser_expect(ORDERED("+r.cells[1].getAttribute('data-k')"));
    browser_shoot("listing-phone");
    browser_expect_peace(origin());
    browser_close();
}
END_TEST

START_TEST(listing_works_without_script)
{
    serve_listing();
    if (!browser_open())
        return;
    browser_without_script(true);
    go("/dir/");
    browser_expect("document.querySelectorAll('tbody a[href]').length===22");
    browser_expect("document.querySelectorAll('th button,input').length===0");
    browser_close();
}
END_TEST

/* ---- compression dictionaries ---- */

/* What the second version is, for a browser that has the first one: RFC 9842. */
static const struct {
    const char *suffix, *bytes;
    size_t len;
} deltas[] = {
#define DELTA(suffix, bytes)                                                                                           \
    {                                                                                                                  \
        suffix, bytes, sizeof(bytes) - 1                                                                               \
    }
    DELTA("dcz",
          "\x5e\x2a\x4d\x18\x20\x00\x00\x00\xcf\xda\x66\x22\xc9\xf8\x2d\xe0\x5b\x24\x76\x32\x52\x65\xf6\xf2\x30\xc9\x71"
          "\x9b\xce\x9a\xd6\xef\x47\x8d\xe8\x54\xa0\x70\xc4\x20\x28\xb5\x2f\xfd\x60\xe4\x1c\x6d\x00\x00\x20\x66\x32\x3b"
          "\x0a\x01\x00\xdd\x7d\xde\xfd\x11\x02"),
    DELTA("dcb",
          "\xff\x44\x43\x42\xcf\xda\x66\x22\xc9\xf8\x2d\xe0\x5b\x24\x76\x32\x52\x65\xf6\xf2\x30\xc9\x71\x9b\xce\x9a\xd6"
          "\xef\x47\x8d\xe8\x54\xa0\x70\xc4\x20\x1f\xe3\x1d\xf8\xa5\x15\x64\x76\xcc\xe4\x22\x9a\x1c\x56\x4a\x0c\x64\x57"
          "\x56\x00\x8c\xcd\x00"),
};

static void write_version(int version)
{
    static char text[16384];
    char *to = text;
    for (unsigned i = 0; i < 200; i++)
        to += sprintf(to, "function f%u() { return %u; }\n", i, i * 2654435761u);
    sprintf(to, "window.version = %d;\n", version);
    site_write(site_path("html/app.v%d.js", version), text);
}

START_TEST(a_new_version_comes_by_the_old_one)
{
    char log[200];
    write_version(1);
    write_version(2);
    site_write_bytes(site_path("html/app.v2.js.cfda6622c9f82de0.%s", deltas[_i].suffix), deltas[_i].bytes,
                     deltas[_i].len);
    site_write("html/page.html", "<!DOCTYPE html><title>page</title><script src=\"/app.v1.js\"></script>");
    site_serve_http(
        "log_format coded '$uri $status $sent_http_content_encoding $body_bytes_sent';",
        "access_log logs/coded.log coded; location / { types { text/html html; } }"
        "location ~ v[0-9][.]js$ { types { text/javascript js; } assume_secure_transport on; expires 1h; "
        "compression_dictionary /app.*.js match-dest=script; dictionary_static on; }"
        "location /app.probe { default_type text/javascript; return 200 'offered=\"$http_available_dictionary\"'; }");
    if (!browser_open())
        return;
    go("/page.html");
    browser_expect("window.version===1");
    free(log_await("logs/coded.log", "/app.v1.js 200 - "));
    /* The dictionary is stored behind the page's back: a script that says what was offered for it, until something is. */
    browser_expect("(async function(){function load(url){return new Promise(function(done){"
                   "var s=document.createElement('script');s.src=url;s.onload=done;document.head.append(s)})}"
                   "for(var i=0;i<500&&!window.offered;i++){await load('/app.probe'+i+'.js');"
                   "await new Promise(function(done){setTimeout(done,20)})}"
                   "await load('/app.v2.js');return window.version===2&&f199()===4246706327})()");
    snprintf(log, sizeof log, "/app.v2.js 200 %s %zu", deltas[_i].suffix, deltas[_i].len);
    free(log_await("logs/coded.log", log));
    browser_close();
}
END_TEST

Suite *suite_browser(void)
{
    Suite *s = suite_create("browser");
    if (on_nginx())
        return s;
    TCase *t = site_case(s, "browser", 120);
    tcase_add_test(t, status_page_is_alive);
    tcase_add_test(t, status_page_fits_a_phone);
    tcase_add_test(t, status_page_runs_nothing_else);
    tcase_add_test(t, status_page_says_when_the_server_is_gone);
    tcase_add_test(t, listing_sorts_and_filters);
    tcase_add_test(t, listing_is_accessible);
    tcase_add_test(t, listing_is_worked_by_keys);
    tcase_add_test(t, listing_shows_names_as_they_are);
    tcase_add_test(t, listing_fits_a_phone);
    tcase_add_test(t, listing_works_without_script);
    tcase_add_loop_test(t, a_new_version_comes_by_the_old_one, 0, sizeof deltas / sizeof *deltas);
    return s;
}
