/* test_htpasswd.c - finding a user in bytes that come in any pieces, and the schemes of stored
 * passwords. */
#include "unit.h"

#include "base/hash.h"
#include "http/access/htpasswd.h"

#include <errno.h>

static const char file[] = "# comment: no user\n"
                           "\n"
                           "ann:first:a comment\n"
                           "ann:second\n"
                           "ann2:two\r\n"
                           "an:short\n"
                           " bob:spaced\n"
                           "colonless\n"
                           "carl:\n"
                           "dora:{PLAIN}with space\n"
                           "last:end";

/* What is stored for `user`, `piece` bytes at a time; NULL: not there. */
static const char *stored(const char *user, size_t piece)
{
    static struct htpasswd_search s;
    size_t len = sizeof file - 1;

    htpasswd_begin(&s, text_of(user));
    for (size_t at = 0; at < len; at += piece)
        if (htpasswd_feed(&s, file + at, len - at < piece ? len - at : piece))
            return s.stored;
    return htpasswd_end(&s) ? s.stored : NULL;
}

START_TEST(users)
{
    size_t piece = (size_t)_i + 1;
    ck_assert_str_eq(stored("ann", piece), "first");
    ck_assert_str_eq(stored("ann2", piece), "two");
    ck_assert_str_eq(stored("an", piece), "short");
    ck_assert_str_eq(stored(" bob", piece), "spaced");
    ck_assert_str_eq(stored("carl", piece), "");
    ck_assert_str_eq(stored("dora", piece), "{PLAIN}with space");
    ck_assert_str_eq(stored("last", piece), "end");
    ck_assert_ptr_null(stored("bob", piece));
    ck_assert_ptr_null(stored("# comment", piece));
    ck_assert_ptr_null(stored("colonless", piece));
    ck_assert_ptr_null(stored("a", piece));
    ck_assert_ptr_null(stored("lastly", piece));
}
END_TEST

START_TEST(what_is_too_long_is_nobodys)
{
    struct htpasswd_search s;
    char line[2 * HTPASSWD_STORED_MOST];
    memset(line, 'x', sizeof line);
    memcpy(line, "a:", 2);
    htpasswd_begin(&s, TEXT("a"));
    ck_assert(!htpasswd_feed(&s, line, sizeof line));
    ck_assert(htpasswd_feed(&s, "\na:short\n", 9));
    ck_assert_str_eq(s.stored, "short");
    htpasswd_begin(&s, TEXT("a"));
    ck_assert(!htpasswd_feed(&s, "a:nul\0x\n", 8));
    ck_assert(!htpasswd_end(&s));
}
END_TEST

static const struct {
    const char *stored, *password;
    int answer;
} checks[] = {
    {"{PLAIN}secret", "secret", 1},
    {"{PLAIN}secret", "Secret", 0},
    {"{PLAIN}", "", 1},
    {"{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "secret", 1},
    {"{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "secret2", 0},
    {"{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ", "secret", 0},
    {"{SSHA}1G904nLkTkGWjKNnQuB/hpWXC/hzYWx0c2FsdA==", "secret", 1},
    {"{SSHA}1G904nLkTkGWjKNnQuB/hpWXC/hzYWx0c2FsdB==", "secret", 1}, /* bits that no byte has */
    {"{SSHA}1G904nLkTkGWjKNnQuB/hpWXC/hzYWx0c2FsdA==", "secre", 0},
    {"{SSHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "secret", 1}, /* no salt */
    {"{SSHA}", "", 0},
    {"{SSHA}!!!!", "secret", 0},
    {"$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0", "secret", 1},
    {"$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0", "Secret", 0},
    {"$apr1$abc$YxuSLQ../mPGvmBaW.NX41", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1},
    {"$apr1$$jYtXyIcDHukcQfHjblNhq/", "x", 1},
    {"$apr1$saltsalt", "secret", 0},
    {"$apr1$", "secret", 0},
    {"$apr1$saltsalt9$LrttParrLPdxvgutaSXWJ0", "secret", 0},
    {"$1$saltsalt$9xy1btjgzLYfb7hivXtC//", "secret", 1},
    {"$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", "secret", 1},
    {"$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", "secret ", 0},
    {"$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA", "secret", 1},
    {"$99$x$y", "secret", -ENOSYS},
    {"", "", -ENOSYS},
    {"*0", "secret", -ENOSYS},
    {"*1", "secret", -ENOSYS},
    {"{SHA512}x", "secret", -ENOSYS},
};

START_TEST(passwords)
{
    const char *kept = checks[_i].stored;
    bool digest = strncmp(kept, "{S", 2) == 0 || strncmp(kept, "$apr1$", 6) == 0;
    bool crypt = kept[0] == '$' && !digest;
    if (digest && !hash_available())
        return;
    if (crypt && htpasswd_check("$1$saltsalt$9xy1btjgzLYfb7hivXtC//", "secret") == -ENOSYS)
        return; /* built without libcrypt */
    ck_assert_int_eq(htpasswd_check(kept, checks[_i].password), checks[_i].answer);
}
END_TEST

Suite *suite_http_htpasswd(void)
{
    Suite *s = suite_create("http_htpasswd");
    TCase *tc = tcase_create("htpasswd");

    tcase_add_loop_test(tc, users, 0, 20);
    tcase_add_test(tc, what_is_too_long_is_nobodys);
    tcase_add_loop_test(tc, passwords, 0, sizeof checks / sizeof *checks);
    suite_add_tcase(s, tc);
    return s;
}
