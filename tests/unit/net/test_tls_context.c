/* test_tls_context.c - the directives ssl_* to contexts: what is read, checked, refused, and where
 * the error is said to be. */
#include "unit.h"

#include "../../certificate.h"
#include "base/log.h"
#include "conf/parse.h"
#include "net/tls_context.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
}
END_TEST

static const struct {
    const char *text, *error;
} refused[] = {
    {"ssl_protocols TLSv1.4;", "invalid value \"TLSv1.4\" in"},
    {"ssl_protocols SSLv3;", "names no protocol that is available"},
    {"ssl_certificate \"\";", "needs the path of a file"},
    {"ssl_certificate_key engine:pkcs11:x;", "\"engine:\" keys are not supported"},
    {"ssl_ciphers a; ssl_ciphers b;", "\"ssl_ciphers\" directive is duplicate"},
};

START_TEST(test_refused)
{
    ck_assert_int_eq(read_rows(refused[_i].text), -EINVAL);
    ck_assert_msg(strstr(result.error, refused[_i].error) != NULL, "\"%s\" gives: %s", refused[_i].text, result.error);
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
     "cannot load certificate key \"@/locked.key\": PEM_read_bio_PrivateKey() failed (SSL: error:", 4},
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
    Suite *s = suite_create("net/tls_context");
    TCase *t = tcase_create("contexts");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_values);
    tcase_add_loop_test(t, test_refused, 0, sizeof refused / sizeof *refused);
    if (tls_available()) {
        tcase_add_test(t, test_pairs);
        tcase_add_loop_test(t, test_broken, 0, sizeof broken / sizeof *broken);
    } else {
        tcase_add_test(t, test_left_out);
    }
    suite_add_tcase(s, t);
    return s;
}
