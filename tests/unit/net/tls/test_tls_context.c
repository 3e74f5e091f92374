/* test_tls_context.c - the directives ssl_* to contexts: what is read, checked, refused, and where
 * the error is said to be. */
#include "unit.h"

#include "../../../certificate.h"
#include "base/log.h"
#include "conf/error_log.h"
#include "conf/parse.h"
#include "net/tls/tls_context.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct log silent;
static struct arena arena;
static struct conf_result result;

static const char *set_block(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct conf_block *block;
    (void)slot;
    return conf_block(cf, row->name[0] == 'h' ? CONF_HTTP : CONF_SERVER, NULL, &block, NULL);
}

static const struct conf_row block_rows[] = {
    {"http", CONF_MAIN, CONF_TAKE0 | CONF_BLOCK, set_block, .help = ""},
    {"server", CONF_HTTP, CONF_TAKE0 | CONF_BLOCK | CONF_REPEAT, set_block, .help = ""},
    {.name = NULL},
};
static struct conf_module block_module = {.name = "Blocks", .rows = block_rows};

static void setup(void)
{
    log_main = &silent;
    arena_init(&arena, 4096);
}

static void teardown(void)
{
    arena_fini(&arena);
}

/* The rows in a server, whose file is in unit_dir(). */
static int read_rows(const char *text)
{
    static struct conf_module *const modules[] = {&block_module, &tls_module, NULL};
    char all[4000];
    snprintf(all, sizeof all, "http {\n%s\n}\n", text);
    const struct conf_input input = {
        .file = unit_write("t.conf", all, strlen(all)), .prefix = "/p/", .modules = modules};
    return conf_read(&input, &arena, &result);
}

/* Of the last server. */
static const struct tls_conf *values(void)
{
    const struct conf_block *http = container_of(result.root->children.next, struct conf_block, node);
    const struct conf_block *server = container_of(http->children.prev, struct conf_block, node);
    return conf_values(server, &tls_module);
}

static const char *create(struct tls_context **c, const char *text)
{
    ck_assert_msg(read_rows(text) == 0, "%s", result.error);
    return tls_context_create(c, values(), &arena);
}

START_TEST(test_values)
{
    ck_assert_int_eq(read_rows("ssl_certificate a.crt; ssl_certificate_key /k; server { }"
                               "server { ssl_certificate b; ssl_certificate_key kb;\n ssl_certificate c; "
                               "ssl_certificate_key kc; ssl_protocols TLSv1.3; ssl_ciphers X; }"),
                     0);
    const struct tls_conf *last = values();
    ck_assert_str_eq(last->certificates->word, unit_path("b"));
    ck_assert_uint_eq(last->certificates->line, 2);
    ck_assert_str_eq(last->certificates->next->word, unit_path("c"));
    ck_assert_uint_eq(last->certificates->next->line, 3);
    ck_assert_ptr_null(last->certificates->next->next);
    ck_assert_str_eq(last->keys->next->word, unit_path("kc"));
    ck_assert_uint_eq(last->protocols, TLS_1_3);
    ck_assert_str_eq(last->ciphers->word, "X");
    ck_assert_int_eq(read_rows("ssl_certificate a.crt; ssl_certificate_key /k; server { }"), 0);
    ck_assert_str_eq(values()->certificates->word, unit_path("a.crt"));
    ck_assert_str_eq(values()->keys->word, "/k");
    ck_assert_uint_eq(values()->protocols, TLS_1_2 | TLS_1_3);
    ck_assert_str_eq(values()->ciphers->word, "HIGH:!aNULL:!MD5");
    ck_assert_int_eq(values()->buffer_size, 16384);
    ck_assert_int_eq(values()->verify_depth, 1);
    ck_assert(!values()->early_data && !values()->reject_handshake);
}
END_TEST

#define PAIR "server { ssl_certificate e.crt; ssl_certificate_key e.key;"

static const struct {
    const char *text, *error;
} refused[] = {
    {"ssl_protocols TLSv1.4;", "invalid value \"TLSv1.4\" in"},
    {"ssl_protocols SSLv3;", "names no protocol that is available"},
    {"ssl_certificate \"\";", "needs the path of a file"},
    {"ssl_certificate_key engine:pkcs11:x;", "\"engine:\" keys are not supported"},
    {"ssl_certificate_key store:x;", "\"store:\" keys are not supported"},
    {"ssl_ciphers a; ssl_ciphers b;", "\"ssl_ciphers\" directive is duplicate"},
    {"ssl_verify_client maybe;", "invalid value \"maybe\""},
    {"ssl_buffer_size 100;", "must be"},
    {"ssl_certificate_compression maybe;", "it must be \"on\" or \"off\""},
    {"server { ssl_certificate a; ssl_certificate_key b; ssl_verify_client on; }",
     "no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client"},
    {"server { ssl_certificate a; ssl_certificate_key b; ssl_verify_client optional; }",
     "no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client"},
};

START_TEST(test_refused)
{
    ck_assert_int_eq(read_rows(refused[_i].text), -EINVAL);
    ck_assert_msg(strstr(result.error, refused[_i].error) != NULL, "\"%s\" gives: %s", refused[_i].text, result.error);
}
END_TEST

/* What the settings of a site may be. */
static const char *const good[] = {
    PAIR
    " ssl_ecdh_curve X25519:P-256:P-384; ssl_prefer_server_ciphers on; ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256; }",
    PAIR " ssl_dhparam dh.pem; ssl_protocols TLSv1.2; }",
    PAIR " ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256; ssl_conf_command Options PrioritizeChaCha; }",
    PAIR " ssl_conf_command Groups P-256; ssl_conf_command ChainCAFile e.crt; }",
    PAIR " ssl_verify_client on; ssl_client_certificate ca.crt; ssl_verify_depth 3; ssl_crl crl.pem; }",
    PAIR " ssl_verify_client optional; ssl_trusted_certificate ca.crt; }",
    PAIR " ssl_verify_client optional_no_ca; ssl_early_data on; }",
    "server { ssl_certificate e.crt; ssl_certificate_key locked.key; ssl_password_file passwords; }",
    "server { ssl_reject_handshake on; ssl_verify_client on; }",
};

START_TEST(test_good)
{
    struct tls_context *c;
    certificate_make(unit_dir(), "e", "");
    certificate_make(unit_dir(), "ca", "-subj /CN=authority");
    openssl(unit_dir(), "pkey -in e.key -aes128 -passout pass:secret -out locked.key");
    openssl(unit_dir(), "dhparam -out dh.pem -dsaparam 2048");
    unit_write("index.txt", "", 0);
    static const char crl[] = "[ca]\ndefault_ca=a\n[a]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=30\n";
    unit_write("crl.cnf", crl, sizeof crl - 1);
    openssl(unit_dir(), "ca -config crl.cnf -gencrl -keyfile ca.key -cert ca.crt -out crl.pem");
    unit_write("passwords", "one\r\nsecret\r\n", 13);
    const char *error = create(&c, good[_i]);
    ck_assert_msg(!error, "%s", error);
    ck_assert(_i == 8 || tls_context_covers(c, "localhost"));
    ck_assert(_i == 8 || !tls_context_covers(c, "other"));
    ck_assert(_i == 8 || !tls_context_covers(c, "127.0.0.1"));
    int64_t now = (int64_t)time(NULL), end = tls_context_not_after(c);
    ck_assert(_i == 8 ? end == 0 : end > now + 59 * 86400 && end <= now + 60 * 86400);
    tls_context_release(c);
}
END_TEST

/* ---- what is warned of ---- */

static const struct {
    const char *text, *warning; /* NULL: nothing */
} doubtful[] = {
    {PAIR " }", NULL},
    {"server { ssl_certificate soon.crt; ssl_certificate_key soon.key; }", "soon.crt\" expires within 14 days, on "},
    {"server { ssl_certificate e.crt; ssl_certificate_key open.key; }", "open.key\" is open to all users (mode 644)"},
    {"server { ssl_certificate chain.crt; ssl_certificate_key e.key; }",
     "chain.crt\" has not issued the one before it"},
    {PAIR " ssl_certificate other.crt; ssl_certificate_key other.key; }",
     "other.crt\" takes the place of the one before it"},
    {"ssl_certificate soon.crt; ssl_certificate_key soon.key; server { } server { }", "soon.crt\" expires within"},
    {"ssl_stapling off; server { ssl_stapling_verify off; }", NULL},
    {"ssl_stapling on; server { ssl_stapling_verify on; ssl_ocsp on; }", "\"ssl_stapling\" ignored: "},
    {"server { ssl_ocsp leaf; }", "\"ssl_ocsp\" ignored: OCSP is not asked; revoked client certificates are known by"},
    {"server { ssl_certificate_compression on; }", "\"ssl_certificate_compression\" ignored"},
    {"server { ssl_protocols SSLv3 TLSv1.2; }", "protocol \"SSLv3\" is not available, ignored"},
    {"server { ssl_protocols TLSv1.2 TLSv1.2; }", "duplicate value \"TLSv1.2\""},
};

static void make_doubtful(void)
{
    char command[1000];
    certificate_make(unit_dir(), "e", "");
    certificate_make(unit_dir(), "other", "");
    certificate_make(unit_dir(), "soon", "-days 3");
    snprintf(command, sizeof command,
             "cd %s && chmod 600 *.key && cp e.key open.key && chmod 644 open.key && cat e.crt soon.crt >chain.crt",
             unit_dir());
    ck_assert_int_eq(system(command), 0);
}

/* One line says it, and nothing else is said. */
START_TEST(test_doubtful)
{
    struct tls_context *c = NULL;
    struct log *log = NULL;
    make_doubtful();
    ck_assert_ptr_null(error_log_add(&arena, &log, unit_path("log"), LEVEL_WARN));
    log_main = log;
    ck_assert_msg(read_rows(doubtful[_i].text) == 0, "%s", result.error);
    if (values()->certificates)
        ck_assert_ptr_null(tls_context_create(&c, values(), &arena));
    tls_context_release(c);
    log_main = &silent;
    char *lines = unit_read(unit_path("log"), NULL);
    const char *first = strstr(lines, "[warn]");
    if (doubtful[_i].warning)
        ck_assert_msg(first && strstr(first, doubtful[_i].warning) && !strstr(first + 1, "[warn]"), "%s", lines);
    else
        ck_assert_str_eq(lines, "");
    free(lines);
}
END_TEST

/* A pair of each kind, and one with a chain. */
START_TEST(test_pairs)
{
    struct tls_context *c;
    certificate_make(unit_dir(), "e", "");
    certificate_make(unit_dir(), "r", "-newkey rsa:2048");
    const char *error = create(&c, "server { ssl_certificate e.crt; ssl_certificate_key e.key; ssl_certificate r.crt; "
                                   "ssl_certificate_key r.key; }");
    ck_assert_msg(!error, "%s", error);
    tls_context_acquire(c);
    tls_context_release(c);
    tls_context_release(c);
    char command[1000];
    snprintf(command, sizeof command, "cd %s && cat e.crt r.crt >chain.crt && echo text >>chain.crt", unit_dir());
    ck_assert_int_eq(system(command), 0);
    error = create(&c, "server { ssl_certificate chain.crt; ssl_certificate_key e.key; }");
    ck_assert_msg(!error, "%s", error);
    tls_context_release(c);
}
END_TEST

static const struct {
    const char *text, *error;
    unsigned line;
} broken[] = {
    {"server {\nssl_certificate e.crt;\n}", "no \"ssl_certificate_key\" is defined for certificate", 3},
    {"server {\nssl_certificate none.crt;\nssl_certificate_key e.key; }",
     "cannot load certificate \"@/none.crt\": open() failed (2: No such file or directory)", 3},
    {"server {\nssl_certificate e.crt;\nssl_certificate_key none.key; }",
     "cannot load certificate key \"@/none.key\": open() failed (2: No such file or directory)", 4},
    {"server {\nssl_certificate e.key;\nssl_certificate_key e.key; }",
     "cannot load certificate \"@/e.key\": PEM_read_bio_X509_AUX() failed (SSL: error:", 3},
    {"server {\nssl_certificate cut.crt;\nssl_certificate_key e.key; }",
     "cannot load certificate \"@/cut.crt\": PEM_read_bio_X509() failed (SSL: error:", 3},
    {"server {\nssl_certificate e.crt;\nssl_certificate_key e.crt; }",
     "cannot load certificate key \"@/e.crt\": PEM_read_bio_PrivateKey() failed (SSL: error:", 4},
    {"server {\nssl_certificate e.crt;\nssl_certificate_key other.key; }",
     "certificate key \"@/other.key\" does not belong to certificate \"@/e.crt\"", 4},
    {"server {\nssl_certificate e.crt;\nssl_certificate_key r.key; }",
     "certificate key \"@/r.key\" does not belong to certificate \"@/e.crt\"", 4},
    {"server {\nssl_certificate weak.crt;\nssl_certificate_key weak.key; }",
     "SSL_CTX_use_certificate(\"@/weak.crt\") failed (SSL: error:", 3},
    {"server {\nssl_certificate e.crt;\nssl_certificate_key locked.key; }",
     "certificate key \"@/locked.key\" needs a password, and there is no \"ssl_password_file\"", 4},
    {"server {\nssl_certificate e.crt;\nssl_certificate_key locked.key;\nssl_password_file wrong; }",
     "no password in \"@/wrong\" is that of certificate key \"@/locked.key\"", 4},
    {"server {\nssl_certificate e.crt;\nssl_certificate_key locked.key;\nssl_password_file none; }",
     "cannot load passwords \"@/none\": open() failed (2: No such file or directory)", 5},
    {PAIR "\nssl_ecdh_curve X25519:nonsense; }",
     "SSL_CTX_set1_curves_list(\"X25519:nonsense\") failed (SSL: error:", 3},
    {PAIR "\nssl_dhparam none; }", "cannot load parameters \"@/none\": open() failed (2: No such file or directory)",
     3},
    {PAIR "\nssl_dhparam e.crt; }",
     "cannot load parameters \"@/e.crt\": PEM_read_bio_Parameters() failed (SSL: error:", 3},
    {PAIR "\nssl_client_certificate e.key; }",
     "cannot load certificate \"@/e.key\": PEM_read_bio_X509_AUX() failed (SSL: error:", 3},
    {PAIR "\nssl_trusted_certificate none; }",
     "cannot load certificate \"@/none\": open() failed (2: No such file or directory)", 3},
    {PAIR "\nssl_crl e.crt; }",
     "cannot load certificate revocation list \"@/e.crt\": PEM_read_bio_X509_CRL() failed (SSL: error:", 3},
    {PAIR "\nssl_conf_command Nonsense x; }", "SSL_CONF_cmd(\"Nonsense\", \"x\") failed (SSL: error:", 3},
    {PAIR "\nssl_conf_command Options Nonsense; }", "SSL_CONF_cmd(\"Options\", \"Nonsense\") failed (SSL: error:", 3},
    {"ssl_ciphers\nx;\nserver { ssl_certificate e.crt; ssl_certificate_key e.key; }",
     "SSL_CTX_set_cipher_list(\"x\") failed (SSL: error:", 3},
};

/* In the words that stand for it, "@" is the folder. */
static void expect_error(const char *error, const char *words, unsigned line)
{
    char expected[1000], place[1000];
    const char *at = strchr(words, '@'), *rest = words;
    expected[0] = '\0';
    for (; at; rest = at + 1, at = strchr(rest, '@'))
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "%.*s%s", (int)(at - rest), rest,
                 unit_dir());
    snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "%s", rest);
    snprintf(place, sizeof place, " in %s:%u", unit_path("t.conf"), line);
    ck_assert_msg(error && strncmp(error, expected, strlen(expected)) == 0, "%s\n%s", error ? error : "no error",
                  expected);
    ck_assert_msg(strcmp(error + strlen(error) - strlen(place), place) == 0, "%s", error);
}

START_TEST(test_broken)
{
    struct tls_context *c;
    char command[1000];
    certificate_make(unit_dir(), "e", "");
    certificate_make(unit_dir(), "other", "");
    certificate_make(unit_dir(), "r", "-newkey rsa:2048");
    certificate_make(unit_dir(), "weak", "-newkey rsa:1024");
    openssl(unit_dir(), "pkey -in e.key -aes128 -passout pass:x -out locked.key");
    unit_write("wrong", "one\n\ntwo\n", 9);
    snprintf(command, sizeof command, "cd %s && (cat e.crt; head -n 5 other.crt) >cut.crt", unit_dir());
    ck_assert_int_eq(system(command), 0);
    const char *error = create(&c, broken[_i].text);
    ck_assert_ptr_null(c);
    expect_error(error, broken[_i].error, broken[_i].line);
}
END_TEST

/* Built without libssl: what needs it says so, where it stands. */
START_TEST(test_left_out)
{
    struct tls_context *c;
    expect_error(create(&c, "server {\nssl_certificate e.crt; }"),
                 "\"ssl_certificate\" needs libssl, which this sluice was built without", 3);
}
END_TEST

Suite *suite_net_tls_context(void);

Suite *suite_net_tls_context(void)
{
    Suite *s = suite_create("net_tls_context");
    TCase *t = tcase_create("contexts");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_values);
    tcase_add_loop_test(t, test_refused, 0, sizeof refused / sizeof *refused);
    if (tls_available()) {
        tcase_add_test(t, test_pairs);
        tcase_add_loop_test(t, test_good, 0, sizeof good / sizeof *good);
        tcase_add_loop_test(t, test_doubtful, 0, sizeof doubtful / sizeof *doubtful);
        tcase_add_loop_test(t, test_broken, 0, sizeof broken / sizeof *broken);
    } else {
        tcase_add_test(t, test_left_out);
    }
    suite_add_tcase(s, t);
    return s;
}
