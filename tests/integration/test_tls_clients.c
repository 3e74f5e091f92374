/* test_tls_clients.c - programs that others wrote, as clients over TLS: each checks the server's
 * certificate by an authority that this test makes, and gets what the server has. `make
 * test-clients` runs these alone; a program that is not here is named and left out. */
#include "tls_client.h"
#include "transport_h2.h"

#include <stdio.h>
#include <string.h>

enum { LARGE = 3000000 };

/* srv.crt of the authority ca.crt, for localhost and 127.0.0.1. */
static void make_authority(void)
{
    make_certificate("ca", "-subj /O=Authority -addext basicConstraints=critical,CA:TRUE");
    openssl(site_dir(), "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout srv.key -out srv.csr "
                        "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 "
                        "-addext basicConstraints=critical,CA:FALSE");
    openssl(site_dir(), "x509 -req -in srv.csr -CA ca.crt -CAkey ca.key -CAcreateserial -copy_extensions copy "
                        "-out srv.crt -days 60");
}

static void serve_with(const char *more)
{
    char conf[512];
    make_authority();
    site_write("html/a.txt", "a page over TLS\n");
    site_pattern("html/large.bin", LARGE);
    snprintf(conf, sizeof conf,
             "server { listen 127.0.0.1:@PORT@ ssl; ssl_certificate srv.crt; ssl_certificate_key srv.key; "
             "root @DIR@/html; directio 1m; %s }",
             more);
    serve_tls(conf);
}

static void serve(void)
{
    serve_with("");
}

static void serve_http2(void)
{
    serve_with("http2 on; add_header X-Protocol $server_protocol;");
}

/* Whether the shell finds it; if not, a line says so. */
static bool has_program(const char *name)
{
    if (client_shell("command -v %s", name))
        return true;
    printf("  skip %s: it is not here\n", name);
    return false;
}

#define GET "printf 'GET /a.txt HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n'"
#define S_CLIENT                                                                                                       \
    "openssl s_client -quiet -CAfile ca.crt -verify_return_error -verify_hostname localhost -servername localhost "    \
    "-connect 127.0.0.1:@PORT@ "

/* The last command's success is what counts; `says`, if there is one, must be in what it prints. */
struct client {
    const char *program, *commands, *says;
};

static const struct client clients[] = {
    {"curl", "curl -sS --cacert ca.crt https://localhost:@PORT@/large.bin | cmp - html/large.bin", NULL},
    {"curl",
     "curl -sS --cacert ca.crt -r 1000001-2000000 https://localhost:@PORT@/large.bin >part; "
     "tail -c +1000002 html/large.bin | head -c 1000000 | cmp - part",
     NULL},
    {"curl", "! curl -sS https://localhost:@PORT@/a.txt", "certificate"},
    {"wget", "wget -q -O - --ca-certificate=ca.crt https://localhost:@PORT@/large.bin | cmp - html/large.bin", NULL},
    {"wget",
     "head -c 1234567 html/large.bin >large.bin; wget -c --ca-certificate=ca.crt https://localhost:@PORT@/large.bin; "
     "cmp large.bin html/large.bin",
     "206 Partial Content"},
    {"openssl", GET " | " S_CLIENT "-tls1_2", "a page over TLS\n"},
    {"openssl", GET " | " S_CLIENT "-tls1_3", "a page over TLS\n"},
    {"openssl", GET " | " S_CLIENT "-tls1_3 -sess_out s.pem >first; " GET " | " S_CLIENT "-sess_in s.pem",
     "a page over TLS\n"},
    {"gnutls-cli", GET " | gnutls-cli --x509cafile=ca.crt -p @PORT@ localhost", "a page over TLS\n"},
    {"gnutls-cli", GET " | gnutls-cli --priority=NORMAL:-VERS-ALL:+VERS-TLS1.2 --x509cafile=ca.crt -p @PORT@ localhost",
     "a page over TLS\n"},
    {"node",
     "NODE_EXTRA_CA_CERTS=ca.crt node -e '"
     "const https = require(\"https\"), fs = require(\"fs\");"
     "const agent = new https.Agent({keepAlive: true, maxSockets: 1}), want = fs.readFileSync(\"html/large.bin\");"
     "const get = then => https.get(\"https://127.0.0.1:@PORT@/large.bin\", {agent}, r => {"
     "  const parts = []; r.on(\"data\", p => parts.push(p));"
     "  r.on(\"end\", () => then(r, Buffer.concat(parts))); });"
     "get((r, body) => setImmediate(() => { const first = body;"
     "  const second = get((r, body) => { agent.destroy();"
     "    console.log(first.equals(want) && body.equals(want) && second.reusedSocket ? \"twice the same\" : \"no\");"
     "  }); }));'",
     "twice the same"},
    {"git",
     "export HOME=$PWD GIT_CONFIG_NOSYSTEM=1; git init -q work; cd work; cp ../html/large.bin .; git add .; "
     "git -c user.name=a -c user.email=a@b commit -q -m one; cd ..; git clone -q --bare work html/repo.git; "
     "git -C html/repo.git update-server-info; "
     "GIT_SSL_CAINFO=$PWD/ca.crt git clone -q https://localhost:@PORT@/repo.git out; "
     "cmp out/large.bin html/large.bin",
     NULL},
    {"apt-get",
     "mkdir -p pkg/DEBIAN html/apt apt/state/lists/partial apt/cache/archives/partial apt/etc/apt.conf.d; "
     "printf 'Package: sluice-trial\\nVersion: 1\\nArchitecture: all\\nMaintainer: a <a@b>\\nDescription: none\\n' "
     ">pkg/DEBIAN/control; cp html/large.bin pkg/; chmod -R u=rwX,go=rX pkg; dpkg-deb -b pkg html/apt/t.deb "
     ">/dev/null; "
     "{ cat pkg/DEBIAN/control; echo Filename: ./t.deb; echo Size: $(stat -c %s html/apt/t.deb); "
     "echo SHA256: $(sha256sum html/apt/t.deb | cut -d' ' -f1); echo; } >html/apt/Packages; : >apt/state/status; "
     "echo \"deb [trusted=yes] https://localhost:@PORT@/apt ./\" >apt/etc/sources.list; "
     "options=\"-o Dir::Etc=$PWD/apt/etc -o Dir::Etc::Parts=apt.conf.d -o Dir::State=$PWD/apt/state "
     "-o Dir::State::status=$PWD/apt/state/status -o Dir::Cache=$PWD/apt/cache -o APT::Sandbox::User=$(id -un) "
     "-o Acquire::https::CaInfo=$PWD/ca.crt -o Acquire::https::Proxy=DIRECT\"; "
     "apt-get $options update && apt-get $options download sluice-trial && cmp html/apt/t.deb sluice-trial_1_all.deb",
     "https://localhost"},
    {"sslscan",
     "sslscan --no-colour --ipv4 localhost:@PORT@ >scan; cat scan; ! grep -qE '^(SSLv[23]|TLSv1.[01]) +enabled|"
     "Insecure session renegotiation|Compression enabled|[^t] vulnerable to heartbleed|Connection failed' scan",
     "TLSv1.3   enabled"},
};

static void try(const struct client *c)
{
    if (!has_program(c->program))
        return;
    bool good = client_shell("export no_proxy='*'; %s", c->commands);
    ck_assert_msg(good && (!c->says || strstr(client_said, c->says)), "%s: %s\n%s", c->program, c->commands,
                  client_said);
}

START_TEST(gets_it)
{
    try(&clients[_i]);
}
END_TEST

/* ---- HTTP/2 ---- */

static const struct client http2_clients[] = {
    {"curl",
     "curl -sS --http2 --cacert ca.crt -o got -w 'by %{http_version}\\n' https://localhost:@PORT@/large.bin && "
     "cmp got html/large.bin",
     "by 2\n"},
    {"curl",
     "curl -sS --http2 --parallel --cacert ca.crt -o 'got#1' -w 'by %{http_version} over %{num_connects}\\n' "
     "'https://localhost:@PORT@/large.bin?[1-8]' && for i in 1 2 3 4 5 6 7 8; do cmp got$i html/large.bin || exit; "
     "done",
     "by 2 over 0\n"},
    {"nghttp", "nghttp https://127.0.0.1:@PORT@/large.bin 2>errors >got; cmp got html/large.bin", NULL},
    {"nghttp", "nghttp -nv -p 32 --trailer 'x: y' -d html/a.txt https://127.0.0.1:@PORT@/a.txt", ":status: 405"},
    {"h2load",
     "h2load -n 400 -c 4 -m 25 https://127.0.0.1:@PORT@/a.txt >out; cat out; grep -q ' 400 succeeded, 0 failed' out",
     "Application protocol: h2"},
    {"node",
     "NODE_EXTRA_CA_CERTS=ca.crt node -e '"
     "const http2 = require(\"http2\"), want = require(\"fs\").readFileSync(\"html/large.bin\");"
     "const session = http2.connect(\"https://localhost:@PORT@\"); let left = 20, right = 0;"
     "for (let i = 0; i < 20; i++) { const parts = [], r = session.request({\":path\": \"/large.bin\"});"
     "  r.on(\"data\", p => parts.push(p)); r.on(\"end\", () => { right += Buffer.concat(parts).equals(want);"
     "    if (--left == 0) { session.close(); console.log(right + \" the same by \" + session.alpnProtocol); } }); }'",
     "20 the same by h2"},
    {"haproxy",
     "printf 'defaults\\n mode http\\n timeout connect 9s\\n timeout client 9s\\n timeout server 9s\\nlisten front\\n "
     "bind unix@%s/front\\n server s 127.0.0.1:@PORT@ ssl verify required verifyhost localhost ca-file %s/ca.crt "
     "alpn h2\\n' \"$PWD\" \"$PWD\" >proxy.cfg; haproxy -db -f proxy.cfg >proxy.log 2>&1 & proxy=$!; "
     "until [ -S front ]; do kill -0 $proxy || { cat proxy.log; exit 1; }; sleep 0.05; done; "
     "curl -sS -D - -o got --unix-socket front http://localhost/large.bin; kill $proxy; cmp got html/large.bin",
     "x-protocol: HTTP/2.0"},
};

START_TEST(gets_it_by_http2)
{
    try(&http2_clients[_i]);
}
END_TEST

/* ---- a browser ---- */

/* That trusts this one key. */
#define CHROMIUM                                                                                                       \
    "key=$(openssl x509 -in srv.crt -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 "         \
    "-binary | openssl base64); HOME=$PWD/home chromium --headless --no-sandbox --disable-gpu --no-first-run "         \
    "--disable-dev-shm-usage --disable-background-networking --user-data-dir=$PWD/profile "                            \
    "--ignore-certificate-errors-spki-list=$key --dump-dom "

START_TEST(browser_shows_a_page)
{
    if (!has_program("chromium"))
        return;
    site_write("html/page.html", "<!doctype html><title>t</title><p id=p>no<script>"
                                 "p.textContent = location.protocol + isSecureContext</script>");
    bool good = client_shell(CHROMIUM "https://localhost:@PORT@/page.html 2>/dev/null");
    ck_assert_msg(good && strstr(client_said, "<p id=\"p\">https:true"), "%s", client_said);
}
END_TEST

/* All of them over HTTP/2, and nothing in its console. */
START_TEST(browser_loads_many_assets)
{
    enum { ASSETS = 60 };
    char page[8192], name[32];
    size_t len = 0;
    if (!has_program("chromium"))
        return;
    len += (size_t)snprintf(page, sizeof page,
                            "<!doctype html><title>t</title><link rel=icon href=data:,><p id=p>no"
                            "<script>n = 0</script>");
    for (int i = 0; i < ASSETS; i++) {
        snprintf(name, sizeof name, "html/%d.js", i);
        site_write(name, "n++;\n");
        len += (size_t)snprintf(page + len, sizeof page - len, "<script src=%d.js></script>", i);
    }
    snprintf(page + len, sizeof page - len,
             "<script>p.textContent = n + ' ran, ' + performance.getEntriesByType('resource')"
             ".filter(e => e.nextHopProtocol == 'h2').length + ' by h2'</script>");
    site_write("html/page.html", page);
    bool good = client_shell(CHROMIUM "--enable-logging=stderr https://localhost:@PORT@/page.html 2>said; "
                                      "! grep CONSOLE said");
    ck_assert_msg(good && strstr(client_said, "<p id=\"p\">60 ran, 60 by h2"), "%s", client_said);
}
END_TEST

Suite *suite_tls_clients(void)
{
    Suite *s = suite_create("tls_clients");
    if (!has_tls_clients("tls_clients"))
        return s;
    TCase *t = site_case_with(s, "programs", 60, serve);
    tcase_add_loop_test(t, gets_it, 0, sizeof clients / sizeof *clients);
    tcase_add_test(t, browser_shows_a_page);
    if (!transport_h2())
        return s;
    t = site_case_with(s, "http2", 60, serve_http2);
    tcase_add_loop_test(t, gets_it_by_http2, 0, sizeof http2_clients / sizeof *http2_clients);
    tcase_add_test(t, browser_loads_many_assets);
    return s;
}
