/* test_tls_clients.c - programs that others wrote, as clients over TLS: each checks the server's
 * certificate by an authority that this test makes, and gets what the server has. `make
 * test-clients` runs these alone; a program that is not here is named and left out. */
#include "tls_client.h"

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

static void serve(void)
{
    make_authority();
    site_write("html/a.txt", "a page over TLS\n");
    site_pattern("html/large.bin", LARGE);
    serve_tls("server { listen 127.0.0.1:@PORT@ ssl; ssl_certificate srv.crt; ssl_certificate_key srv.key; "
              "root @DIR@/html; directio 1m; }");
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
static const struct {
    const char *program, *commands, *says;
} clients[] = {
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

START_TEST(gets_it)
{
    if (!has_program(clients[_i].program))
        return;
    bool good = client_shell("export no_proxy='*'; %s", clients[_i].commands);
    ck_assert_msg(good && (!clients[_i].says || strstr(client_said, clients[_i].says)), "%s: %s\n%s",
                  clients[_i].program, clients[_i].commands, client_said);
}
END_TEST

/* A browser that trusts this one key. */
START_TEST(browser_shows_a_page)
{
    if (!has_program("chromium"))
        return;
    site_write("html/page.html", "<!doctype html><title>t</title><p id=p>no<script>"
                                 "p.textContent = location.protocol + isSecureContext</script>");
    bool good = client_shell(
        "key=$(openssl x509 -in srv.crt -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 "
        "-binary | openssl base64); HOME=$PWD/home chromium --headless --no-sandbox --disable-gpu --no-first-run "
        "--disable-dev-shm-usage --disable-background-networking --user-data-dir=$PWD/profile "
        "--ignore-certificate-errors-spki-list=$key --dump-dom https://localhost:@PORT@/page.html 2>/dev/null");
    ck_assert_msg(good && strstr(client_said, "<p id=\"p\">https:true"), "%s", client_said);
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
    return s;
}
