/* fuzz_htpasswd.c - files of users and passwords: the search, in pieces of any size, beside one
 * that takes whole lines; and stored passwords of any form.
 *
 * Input: a byte that seeds the cuts, a line with the user, a line with the password, then the
 * file. */
#include "fuzz.h"

#include "http/access/htpasswd.h"

#include <errno.h>

/* The stored password of the first line of `user`, absent: there is none that could be right. */
static struct text find_whole(struct text file, struct text user)
{
    while (file.len > 0) {
        struct text line = {file.at, text_find(file, '\n')};
        bool ended = line.len < file.len;
        file = text_from(file, ended ? line.len + 1 : line.len);
        bool mine = text_starts(line, user) && line.len > user.len && line.at[user.len] == ':';
        if (!mine || line.at[0] == '#')
            continue;
        struct text stored = text_from(line, user.len + 1);
        size_t end = 0;
        while (end < stored.len && stored.at[end] != ':' && stored.at[end] != '\r')
            end++;
        stored.len = end;
        if (stored.len < HTPASSWD_STORED_MOST && !memchr(stored.at ? stored.at : "", '\0', stored.len))
            return stored;
    }
    return TEXT_NONE;
}

static bool search(struct htpasswd_search *s, struct text file, struct text user, uint32_t seed, bool cut)
{
    htpasswd_begin(s, user);
    while (file.len > 0) {
        seed = seed * 1664525u + 1013904223u;
        size_t n = cut ? 1 + (seed >> 27) : file.len;
        n = n < file.len ? n : file.len;
        char *piece = fuzz_copy(file.at, n);
        bool found = htpasswd_feed(s, piece, n);
        free(piece);
        if (found)
            return true;
        file = text_from(file, n);
    }
    return htpasswd_end(s);
}

/* Schemes of crypt(3) are the system's, and may take minutes by design. */
static bool is_ours(const char *stored)
{
    return stored[0] == '{' || strncmp(stored, "$apr1$", 6) == 0;
}

static void check_stored(const char *stored, const char *password)
{
    int answer = htpasswd_check(stored, password);

    FUZZ_CHECK(answer == 0 || answer == 1 || (answer < 0 && answer > -4096), "answer %d", answer);
    if (strncmp(stored, "{PLAIN}", 7) == 0)
        FUZZ_CHECK(answer == (strcmp(stored + 7, password) == 0), "a plain password");
    if (strncmp(stored, "{PLAIN}", 7) != 0 && strcmp(stored, password) == 0)
        FUZZ_CHECK(answer != 1, "what is stored is taken for the password");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    uint32_t seed = fuzz_byte(&in);
    struct text user = fuzz_line(&in), password = fuzz_line(&in), file = {(const char *)in.at, in.left};
    struct htpasswd_search whole, cut;
    char *name = fuzz_copy(user.at, user.len);

    if (!user.at || memchr(user.at, ':', user.len)) /* no user has a colon in its name */
        user.len = 0;
    user.at = name;
    bool found = search(&whole, file, user, seed, false);
    FUZZ_CHECK(search(&cut, file, user, seed, true) == found, "cut into pieces: another answer");
    struct text expected = find_whole(file, user);
    FUZZ_CHECK(found == (expected.at != NULL), "found: %d", found);
    if (found) {
        FUZZ_CHECK(strcmp(whole.stored, cut.stored) == 0, "cut into pieces: another password");
        FUZZ_CHECK(text_equal(expected, text_of(whole.stored)), "\"%s\" is not \"%.*s\"", whole.stored,
                   TEXT_ARG(expected));
        char *given = strndup(password.at ? password.at : "", password.len);
        if (!given)
            abort();
        if (is_ours(whole.stored))
            check_stored(whole.stored, given);
        free(given);
    }
    free(name);
    return 0;
}
