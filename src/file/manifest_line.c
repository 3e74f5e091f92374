/* manifest_line.c - the lines of lists of digests. See manifest.h; read by manifest.c and `sluice
 * hash`. Pure but for manifest_read_lines(). */
#include "file/manifest.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool digest_from_hex(struct text hex, unsigned char digest[DIGEST_LEN])
{
    if (hex.len != DIGEST_HEX)
        return false;
    for (size_t i = 0; i < DIGEST_LEN; i++) {
        int high = hex_value(hex.at[2 * i]), low = hex_value(hex.at[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        digest[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

void digest_to_hex(const unsigned char digest[DIGEST_LEN], char hex[DIGEST_HEX])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < DIGEST_LEN; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
}

/* ---- names ---- */

/* \n, \r and \\ of an escaped name. False: something else is behind a backslash. */
static bool unescape(struct text *name, char *space)
{
    size_t len = 0;

    for (size_t i = 0; i < name->len; i++) {
        char c = name->at[i];
        if (c == '\\') {
            if (++i == name->len)
                return false;
            c = name->at[i] == 'n' ? '\n' : name->at[i] == 'r' ? '\r' : name->at[i];
            if (c != '\n' && c != '\r' && c != '\\')
                return false;
        }
        space[len++] = c;
    }
    *name = (struct text){space, len};
    return true;
}

/* "DIGEST  NAME" */
static bool parse_usual(struct text line, struct manifest_line *out)
{
    if (line.len < DIGEST_HEX + 3 || line.at[DIGEST_HEX] != ' ' ||
        (line.at[DIGEST_HEX + 1] != ' ' && line.at[DIGEST_HEX + 1] != '*'))
        return false;
    out->name = text_from(line, DIGEST_HEX + 2);
    return digest_from_hex((struct text){line.at, DIGEST_HEX}, out->digest);
}

/* "SHA256 (NAME) = DIGEST" */
static bool parse_tagged(struct text line, struct manifest_line *out)
{
    struct text begin = TEXT("SHA256 ("), middle = TEXT(") = ");
    size_t around = begin.len + middle.len + DIGEST_HEX;

    if (line.len <= around || !text_starts(line, begin))
        return false;
    out->name = (struct text){line.at + begin.len, line.len - around};
    struct text rest = text_from(line, begin.len + out->name.len);
    return text_starts(rest, middle) && digest_from_hex(text_from(rest, middle.len), out->digest);
}

/* ---- facts ---- */

/* Digits at the beginning of *t, which are taken off it. */
static bool take_number(struct text *t, uint64_t most, uint64_t *out)
{
    uint64_t value = 0;
    size_t n = 0;

    for (; n < t->len && t->at[n] >= '0' && t->at[n] <= '9'; n++) {
        uint64_t digit = (uint64_t)(t->at[n] - '0');
        if (value > (most - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *t = text_from(*t, n);
    *out = value;
    return n > 0;
}

static bool take_word(struct text *t, struct text word)
{
    if (!text_starts(*t, word))
        return false;
    *t = text_from(*t, word.len);
    return true;
}

static bool parse_facts(struct text line, struct manifest_line *out)
{
    uint64_t size, sec, nsec;

    if (!take_word(&line, TEXT("# size=")) || !take_number(&line, INT64_MAX, &size) ||
        !take_word(&line, TEXT(" mtime=")))
        return false;
    bool before = take_word(&line, TEXT("-"));
    if (!take_number(&line, INT64_MAX, &sec) || !take_word(&line, TEXT(".")) || line.len < 9 ||
        !take_number(&line, 999999999, &nsec) || !take_word(&line, TEXT(" inode=")) ||
        !take_number(&line, UINT64_MAX, &out->inode) || line.len > 0)
        return false;
    out->size = (int64_t)size;
    out->mtime_sec = before ? -(int64_t)sec : (int64_t)sec;
    out->mtime_nsec = (uint32_t)nsec;
    return true;
}

/* ---- lines ---- */

void manifest_parse_line(struct text line, struct manifest_line *out, char space[MANIFEST_LINE_MOST])
{
    if (text_ends(line, TEXT("\r"))) /* of a list that was written elsewhere */
        line.len--;
    out->kind = MANIFEST_COMMENT;
    if (line.len == 0)
        return;
    if (line.at[0] == '#') {
        if (parse_facts(line, out))
            out->kind = MANIFEST_FACTS;
        return;
    }
    out->kind = MANIFEST_OTHER;
    bool escaped = line.at[0] == '\\';
    if (escaped)
        line = text_from(line, 1);
    if ((!parse_usual(line, out) && !parse_tagged(line, out)) || (escaped && !unescape(&out->name, space)))
        return;
    while (take_word(&out->name, TEXT("./"))) /* as find(1) writes them */
        ;
    if (out->name.len > 0)
        out->kind = MANIFEST_ENTRY;
}

struct reading {
    manifest_line_fn *each;
    void *arg;
    uint32_t number;
    bool skipping; /* of a line that was too long, the rest is to come */
    struct manifest_line line;
    char space[MANIFEST_LINE_MOST];
};

static int take_line(struct reading *r, struct text line)
{
    if (r->number == UINT32_MAX)
        return -E2BIG;
    r->number++;
    manifest_parse_line(line, &r->line, r->space);
    return r->each(r->arg, r->number, &r->line);
}

/* All whole lines of [*from, end); what is left begins at *from. */
static int take_lines(struct reading *r, const char **from, const char *end)
{
    const char *newline;
    int rc = 0;

    while (rc == 0 && (newline = memchr(*from, '\n', (size_t)(end - *from)))) {
        if (!r->skipping)
            rc = take_line(r, text_span(*from, newline));
        r->skipping = false;
        *from = newline + 1;
    }
    if (rc == 0 && end - *from >= MANIFEST_LINE_MOST) {
        if (!r->skipping) {
            r->number++;
            rc = r->each(r->arg, r->number, NULL);
        }
        r->skipping = true;
        *from = end;
    }
    return rc;
}

static int read_all(int fd, struct reading *r, char *buffer, size_t room)
{
    size_t held = 0;
    int rc = 0;

    while (rc == 0) {
        ssize_t n = read(fd, buffer + held, room - held);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        const char *from = buffer, *end = buffer + held + n;
        rc = take_lines(r, &from, end);
        held = (size_t)(end - from);
        if (n == 0)
            return rc == 0 && held > 0 && !r->skipping ? take_line(r, text_span(from, end)) : rc;
        memmove(buffer, from, held);
    }
    return rc;
}

int manifest_read_lines(int fd, manifest_line_fn *each, void *arg)
{
    enum { ROOM = 256 * 1024 };
    struct reading *r = calloc(1, sizeof *r);
    char *buffer = malloc(ROOM);
    int rc = -ENOMEM;

    if (r && buffer) {
        r->each = each;
        r->arg = arg;
        rc = read_all(fd, r, buffer, ROOM);
    }
    free(buffer);
    free(r);
    return rc;
}
