/* recode.c - text from one character set to another, by tables. See recode.h; called by charset.c
 * and content.c. */
#include "http/content/recode.h"

#include "base/number.h"

#include <errno.h>
#include <stdlib.h>

enum { ASCII = 128, UTF8_MOST = 4, ENTITY_MOST = sizeof "&#1114111;" };

int recode_pair_create(struct recode_pair *pair, bool to_utf8, struct arena *arena)
{
    struct recode *to = arena_zalloc(arena, sizeof *to), *from = arena_zalloc(arena, sizeof *from);
    unsigned char *page = arena_zalloc(arena, 256);
    if (!to || !from || !page)
        return -ENOMEM;
    to->kind = to_utf8 ? RECODE_TO_UTF8 : RECODE_BYTES;
    from->kind = to_utf8 ? RECODE_FROM_UTF8 : RECODE_BYTES;
    from->pages[0] = page;
    for (unsigned i = 0; i < 256; i++) {
        unsigned char c = i < ASCII ? (unsigned char)i : '?';
        to->bytes[i] = from->bytes[i] = c;
        to->utf8[i].len = 1;
        to->utf8[i].at[0] = (char)c;
        page[i] = i < ASCII ? c : 0;
    }
    *pair = (struct recode_pair){to, from};
    return 0;
}

/* Bytes of the sequence that `lead` begins; 0: it begins none. */
static unsigned sequence_len(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* A complete sequence to its code point; -1: it is none. */
static long decode(const unsigned char *at, unsigned len)
{
    static const long least[] = {0, 0, 0x80, 0x800, 0x10000};
    static const unsigned char lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    long point = at[0] & lead_bits[len];

    for (unsigned i = 1; i < len; i++)
        point = point << 6 | (at[i] & 0x3f);
    return point < least[len] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000) ? -1 : point;
}

static bool is_continuation(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

int recode_pair_add(struct recode_pair *pair, unsigned char from, struct text to, struct arena *arena)
{
    const unsigned char *at = (const unsigned char *)to.at;

    if (pair->to->kind == RECODE_BYTES) {
        if (to.len != 1)
            return -EINVAL;
        pair->to->bytes[from] = at[0];
        pair->from->bytes[at[0]] = from;
        return 0;
    }
    if (to.len == 0 || to.len > sizeof pair->to->utf8[0].at || sequence_len(at[0]) != to.len)
        return -EINVAL;
    for (size_t i = 1; i < to.len; i++)
        if (!is_continuation(at[i]))
            return -EINVAL;
    long point = decode(at, (unsigned)to.len);
    if (point < 0)
        return -EINVAL;
    unsigned char **page = &pair->from->pages[point >> 8];
    if (!*page && !(*page = arena_zalloc(arena, 256)))
        return -ENOMEM;
    (*page)[point & 0xff] = from;
    pair->to->utf8[from].len = (unsigned char)to.len;
    memcpy(pair->to->utf8[from].at, to.at, to.len);
    return 0;
}

static void run_bytes(const struct recode *t, struct codec_step *s)
{
    size_t n = s->in_len < s->out_cap ? s->in_len : s->out_cap;

    for (size_t i = 0; i < n; i++)
        s->out[i] = (char)t->bytes[(unsigned char)s->in[i]];
    s->taken = s->made = n;
}

static void run_to_utf8(const struct recode *t, struct codec_step *s)
{
    for (; s->taken < s->in_len; s->taken++) {
        unsigned char c = (unsigned char)s->in[s->taken];
        unsigned len = t->utf8[c].len;
        if (s->out_cap - s->made < len)
            return;
        memcpy(s->out + s->made, t->utf8[c].at, len);
        s->made += len;
    }
}

/* At most ENTITY_MOST bytes. */
static size_t put_point(const struct recode *t, long point, char *to)
{
    if (point < 0) {
        *to = '?';
        return 1;
    }
    const unsigned char *page = point < 0x10000 ? t->pages[point >> 8] : NULL;
    if (point == 0 || (page && page[point & 0xff])) {
        *to = (char)(point == 0 ? 0 : page[point & 0xff]);
        return 1;
    }
    memcpy(to, "&#", 2);
    size_t len = 2 + number_format(to + 2, (uint64_t)point);
    to[len++] = ';';
    return len;
}

/* The next byte of the input joins what is held; true: a code point (or -1) is complete. A byte
 * that does not fit is left for later. */
static bool take_byte(struct recoder *r, struct codec_step *s, long *point)
{
    unsigned char c = (unsigned char)s->in[s->taken];

    if (r->held_len > 0 && !is_continuation(c)) {
        r->held_len = 0;
        *point = -1;
        return true;
    }
    s->taken++;
    r->held[r->held_len++] = c;
    unsigned len = sequence_len(r->held[0]);
    if (len > r->held_len)
        return false;
    *point = len > 0 ? decode(r->held, len) : -1;
    r->held_len = 0;
    return true;
}

static void run_from_utf8(struct recoder *r, struct codec_step *s)
{
    long point;

    while (s->taken < s->in_len && s->out_cap - s->made >= ENTITY_MOST)
        if (take_byte(r, s, &point))
            s->made += put_point(r->table, point, s->out + s->made);
    if (s->last && s->taken == s->in_len && r->held_len > 0 && s->made < s->out_cap) {
        s->out[s->made++] = '?';
        r->held_len = 0;
    }
}

void recode_run(struct recoder *r, struct codec_step *s)
{
    switch (r->table->kind) {
    case RECODE_BYTES:
        run_bytes(r->table, s);
        break;
    case RECODE_TO_UTF8:
        run_to_utf8(r->table, s);
        break;
    case RECODE_FROM_UTF8:
        run_from_utf8(r, s);
        break;
    }
    s->ended = s->last && s->taken == s->in_len && r->held_len == 0;
}

/* ---- as a codec ---- */

struct recode_codec {
    struct codec codec;
    struct recoder recoder;
};

static int on_run(struct codec *c, struct codec_step *s)
{
    recode_run(&container_of(c, struct recode_codec, codec)->recoder, s);
    return 0;
}

static void on_free(struct codec *c)
{
    free(container_of(c, struct recode_codec, codec));
}

int codec_recode(struct codec **out, const struct recode *table)
{
    static const struct codec_ops ops = {on_run, on_free};
    struct recode_codec *k = calloc(1, sizeof *k);
    if (!k)
        return -ENOMEM;
    k->codec.ops = &ops;
    k->recoder.table = table;
    *out = &k->codec;
    return 0;
}
