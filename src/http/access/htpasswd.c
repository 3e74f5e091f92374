/* htpasswd.c - users, and their passwords in every scheme that nginx takes. See htpasswd.h; called
 * by auth.c on a pool thread. */
#include "http/access/htpasswd.h"

#include "base/base64.h"
#include "base/hash.h"
#include "http/access/crypt_libc.h"

#include <errno.h>
#include <stdlib.h>

/* ---- finding the user ---- */

void htpasswd_begin(struct htpasswd_search *s, struct text user)
{
    *s = (struct htpasswd_search){.user = user, .state = HTPASSWD_NAME};
}

/* The user's name and its colon are compared as they come; anything else, comments too, skips the
 * line. */
static void take_name(struct htpasswd_search *s, char c)
{
    if (c == '\n' && s->matched == 0)
        return;
    if (s->matched == 0 && c == '#')
        s->state = HTPASSWD_SKIP;
    else if (s->matched == s->user.len && c == ':')
        s->state = HTPASSWD_PASSWORD;
    else if (s->matched < s->user.len && c == s->user.at[s->matched])
        s->matched++;
    else if (c == '\n')
        s->matched = 0;
    else
        s->state = HTPASSWD_SKIP;
}

static void found(struct htpasswd_search *s)
{
    s->stored[s->len] = '\0';
    s->state = HTPASSWD_FOUND;
}

/* A password that is too long for any scheme is nobody's. */
static void take_password(struct htpasswd_search *s, char c)
{
    if (c == '\n' || c == '\r' || c == ':')
        found(s);
    else if (s->len + 1 < sizeof s->stored && c != '\0')
        s->stored[s->len++] = c;
    else
        s->state = HTPASSWD_SKIP;
}

bool htpasswd_feed(struct htpasswd_search *s, const char *bytes, size_t len)
{
    const char *end = bytes + len;

    while (bytes < end && s->state != HTPASSWD_FOUND) {
        if (s->state == HTPASSWD_SKIP) {
            const char *line = memchr(bytes, '\n', (size_t)(end - bytes));
            if (!line)
                return false;
            bytes = line + 1;
            s->state = HTPASSWD_NAME;
            s->matched = s->len = 0;
        } else if (s->state == HTPASSWD_NAME) {
            take_name(s, *bytes++);
        } else {
            take_password(s, *bytes++);
        }
    }
    return s->state == HTPASSWD_FOUND;
}

bool htpasswd_end(struct htpasswd_search *s)
{
    if (s->state == HTPASSWD_PASSWORD)
        found(s); /* a last line without an end */
    return s->state == HTPASSWD_FOUND;
}

/* ---- comparing ---- */

/* Takes the same time wherever they differ. */
static bool same(struct text a, struct text b)
{
    unsigned char differs = 0;

    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        differs |= (unsigned char)(a.at[i] ^ b.at[i]);
    return differs == 0;
}

/* ---- {SHA}, {SSHA} ---- */

/* {SHA}base64(SHA-1(password)) */
static int check_sha(struct text stored, struct text password)
{
    unsigned char digest[HASH_SHA1_LEN];
    char text[BASE64_LEN(HASH_SHA1_LEN)];
    int rc = hash_of(HASH_SHA1, &password, 1, digest);

    if (rc < 0)
        return rc;
    size_t len = base64_encode(digest, sizeof digest, text);
    return same((struct text){text, len}, stored);
}

/* {SSHA}base64(SHA-1(password salt) salt) */
static int check_ssha(struct text stored, struct text password)
{
    unsigned char made[HASH_SHA1_LEN];
    char bytes[BASE64_DECODED(HTPASSWD_STORED_MOST)];
    ssize_t len = stored.len < HTPASSWD_STORED_MOST ? base64_decode(stored, BASE64_USUAL, bytes) : -EINVAL;

    if (len < HASH_SHA1_LEN)
        return 0;
    struct text digest = {bytes, HASH_SHA1_LEN};
    struct text parts[] = {password, {bytes + HASH_SHA1_LEN, (size_t)len - HASH_SHA1_LEN}};
    int rc = hash_of(HASH_SHA1, parts, 2, made);
    return rc < 0 ? rc : same(digest, (struct text){(const char *)made, sizeof made});
}

/* ---- $apr1$: Apache's variant of the MD5 crypt of FreeBSD ---- */

enum { APR1_ROUNDS = 1000, APR1_SALT = 8, APR1_LEN = 22 };

static const struct text apr1_mark = {"$apr1$", 6};

static char *put(char *to, struct text t)
{
    memcpy(to, t.at, t.len);
    return to + t.len;
}

/* password $apr1$ salt, `digest` as often as the password is long, and a byte for each bit of its
 * length. */
static int apr1_first(struct text password, struct text salt, unsigned char digest[HASH_MD5_LEN])
{
    struct text parts[] = {password, salt, password};
    int rc = hash_of(HASH_MD5, parts, 3, digest);
    char *bytes = malloc(2 * password.len + apr1_mark.len + salt.len + sizeof(size_t) * 8), *to = bytes;

    if (!bytes || rc < 0) {
        free(bytes);
        return rc < 0 ? rc : -ENOMEM;
    }
    to = put(to, password);
    to = put(to, apr1_mark);
    to = put(to, salt);
    for (size_t left = password.len; left > 0;) {
        size_t n = left < HASH_MD5_LEN ? left : HASH_MD5_LEN;
        to = put(to, (struct text){(const char *)digest, n});
        left -= n;
    }
    for (size_t bits = password.len; bits > 0; bits >>= 1)
        *to++ = bits & 1 ? '\0' : password.at[0];
    struct text all = text_span(bytes, to);
    rc = hash_of(HASH_MD5, &all, 1, digest);
    explicit_bzero(bytes, all.len);
    free(bytes);
    return rc;
}

static int apr1_rounds(struct text password, struct text salt, unsigned char digest[HASH_MD5_LEN])
{
    int rc = 0;

    for (unsigned i = 0; i < APR1_ROUNDS && rc == 0; i++) {
        struct text last = {(const char *)digest, HASH_MD5_LEN}, parts[4];
        unsigned n = 0;
        parts[n++] = i & 1 ? password : last;
        if (i % 3)
            parts[n++] = salt;
        if (i % 7)
            parts[n++] = password;
        parts[n++] = i & 1 ? last : password;
        rc = hash_of(HASH_MD5, parts, n, digest);
    }
    return rc;
}

/* The bytes in the order of crypt(3), six bits a digit, the lowest first. */
static void apr1_write(const unsigned char digest[HASH_MD5_LEN], char out[APR1_LEN])
{
    static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    static const unsigned char order[][3] = {{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}};
    char *to = out;

    for (unsigned i = 0; i < 5; i++) {
        unsigned three = (unsigned)digest[order[i][0]] << 16 | (unsigned)digest[order[i][1]] << 8 | digest[order[i][2]];
        for (unsigned k = 0; k < 4; k++, three >>= 6)
            *to++ = digits[three & 63];
    }
    *to++ = digits[digest[11] & 63];
    *to = digits[digest[11] >> 6];
}

/* `stored` is behind the mark: salt$digest */
static int check_apr1(struct text stored, struct text password)
{
    unsigned char digest[HASH_MD5_LEN];
    char text[APR1_LEN];
    struct text salt = {stored.at, text_find(stored, '$')};

    if (salt.len > APR1_SALT)
        salt.len = APR1_SALT;
    if (salt.len == stored.len || stored.at[salt.len] != '$')
        return 0;
    int rc = apr1_first(password, salt, digest);
    if (rc == 0)
        rc = apr1_rounds(password, salt, digest);
    if (rc < 0)
        return rc;
    apr1_write(digest, text);
    return same((struct text){text, sizeof text}, text_from(stored, salt.len + 1));
}

/* ---- all of them ---- */

static int check_crypt(const char *stored, const char *password)
{
    char made[CRYPT_LIBC_SIZE];
    int rc = crypt_libc(password, stored, made);

    if (rc == -ERANGE) /* longer than the library takes: nobody has set it */
        return 0;
    return rc < 0 ? rc : same(text_of(made), text_of(stored));
}

bool htpasswd_is_slow(const char *stored)
{
    return stored[0] != '{';
}

int htpasswd_check(const char *stored, const char *password)
{
    static const struct {
        struct text mark;
        int (*check)(struct text stored, struct text password);
    } schemes[] = {
        {{"$apr1$", 6}, check_apr1},
        {{"{SHA}", 5}, check_sha},
        {{"{SSHA}", 6}, check_ssha},
    };
    struct text t = text_of(stored), p = text_of(password);

    if (text_starts(t, TEXT("{PLAIN}")))
        return same(text_from(t, 7), p);
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (text_starts(t, schemes[i].mark))
            return schemes[i].check(text_from(t, schemes[i].mark.len), p);
    return check_crypt(stored, password);
}
