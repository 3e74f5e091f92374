/* test_tls_pair.c - certificates with their keys out of texts: what is taken, and what is said of what
 * is not. */
#include "unit.h"

#include "../../../certificate.h"
#include "net/tls/tls_pair.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct text read_file(const char *name)
{
    char *bytes = calloc(1, 65536);
    FILE *f = fopen(unit_path(name), "r");

    ck_assert_msg(f && bytes, "%s", name);
    size_t len = fread(bytes, 1, 65535, f);
    fclose(f);
    return (struct text){bytes, len};
}

static void drop(struct text t)
{
    free((char *)(uintptr_t)t.at);
}

/* "": it is taken; else what is wrong with it. */
static const char *read_pair(const char *certificate, const char *key, struct text passwords, bool *of_key)
{
    static char why[1000];
    struct text texts[] = {read_file(certificate), read_file(key)};
    struct tls_pair *pair = NULL;
    struct buffer b;

    buffer_init(&b);
    int rc = tls_pair_read(&pair, texts[0], texts[1], passwords, &b, of_key);
    snprintf(why, sizeof why, "%.*s", (int)b.len, b.data ? b.data : "");
    ck_assert_int_eq(rc, *why ? -EINVAL : 0);
    ck_assert(!pair == (rc < 0));
    if (pair)
        tls_pair_acquire(pair);
    tls_pair_release(pair);
    tls_pair_release(pair);
    drop(texts[0]);
    drop(texts[1]);
    buffer_fini(&b);
    return why;
}

static void make_files(void)
{
    certificate_make(unit_dir(), "e", "");
    certificate_make(unit_dir(), "r", "-newkey rsa:2048");
    openssl(unit_dir(), "pkcs8 -topk8 -in e.key -out locked.key -passout pass:two");
    char all[200];
    snprintf(all, sizeof all,
             "cd %s && cat e.crt r.crt >chain.crt && (cat e.crt; echo '-----BEGIN CERTIFICATE-----') "
             ">cut.crt && : >none",
             unit_dir());
    ck_assert_int_eq(system(all), 0);
}

static const struct {
    const char *certificate, *key, *passwords;
    const char *why; /* "": it is taken */
    bool of_key;
} pairs[] = {
    {"e.crt", "e.key", NULL, "", true},
    {"r.crt", "r.key", NULL, "", true},
    {"chain.crt", "e.key", NULL, "", true},
    {"e.crt", "locked.key", "one\ntwo\n", "", true},
    {"e.crt", "locked.key", "one\r\ntwo\r\nthree", "", true},
    {"e.crt", "locked.key", "one\n", "no password in \"ssl_password_file\" is that of the key", true},
    {"e.crt", "locked.key", NULL, "it needs a password, and there is no \"ssl_password_file\"", true},
    {"e.crt", "r.key", NULL, "it does not belong to the certificate (SSL: error:", true},
    {"e.crt", "none", NULL, "PEM_read_bio_PrivateKey() failed (SSL: error:", true},
    {"none", "e.key", NULL, "PEM_read_bio_X509_AUX() failed (SSL: error:", false},
    {"cut.crt", "e.key", NULL, "PEM_read_bio_X509() failed (SSL: error:", false},
};

START_TEST(test_pairs)
{
    make_files();
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        bool of_key = false;
        const char *why = read_pair(pairs[i].certificate, pairs[i].key, text_of(pairs[i].passwords), &of_key);
        ck_assert_msg(*pairs[i].why ? strncmp(why, pairs[i].why, strlen(pairs[i].why)) == 0 : !*why, "row %zu: %s", i,
                      why);
        ck_assert_msg(of_key == pairs[i].of_key, "row %zu", i);
    }
}
END_TEST

Suite *suite_net_tls_pair(void)
{
    Suite *s = suite_create("net_tls_pair");
    TCase *t = tcase_create("pairs");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_pairs);
    suite_add_tcase(s, t);
    return s;
}
