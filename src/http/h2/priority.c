/* priority.c - see priority.h. Called by stream.c. The grammar is that of RFC 8941, section 4.2. */
#include "http/h2/priority.h"

#include <stdint.h>

/* What is left to be read; `bad` once it is malformed. */
struct reader {
    const char *at, *end;
    bool bad;
};

enum item_type { ITEM_OTHER, ITEM_INTEGER, ITEM_BOOLEAN };

struct item {
    enum item_type type;
    int64_t number; /* of an integer, or 0 and 1 */
};

static char look(const struct reader *r)
{
    return r->at < r->end ? *r->at : '\0';
}

static bool take(struct reader *r, char c)
{
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_alpha(char c)
{
    return is_lower(text_lower(c));
}

static void skip_spaces(struct reader *r)
{
    while (take(r, ' '))
        ;
}

static void skip_blanks(struct reader *r)
{
    while (take(r, ' ') || take(r, '\t'))
        ;
}

static struct text take_key(struct reader *r)
{
    const char *from = r->at;

    if (!is_lower(look(r)) && look(r) != '*') {
        r->bad = true;
        return TEXT("");
    }
    while (is_lower(look(r)) || is_digit(look(r)) || (look(r) && strchr("_-.*", look(r))))
        r->at++;
    return text_span(from, r->at);
}

/* An integer, or a decimal, which is none that counts here. */
static struct item take_number(struct reader *r)
{
    enum { DIGITS_MOST = 15 };
    bool negative = take(r, '-'), decimal = false;
    struct item i = {ITEM_INTEGER, 0};
    int digits = 0;

    for (; is_digit(look(r)); r->at++, digits++)
        if (digits < DIGITS_MOST)
            i.number = 10 * i.number + (look(r) - '0');
    r->bad |= digits == 0 || digits > DIGITS_MOST;
    if (take(r, '.')) {
        decimal = true;
        r->bad |= digits > 12;
        for (digits = 0; is_digit(look(r)); digits++)
            r->at++;
        r->bad |= digits == 0 || digits > 3;
    }
    i.number = negative ? -i.number : i.number;
    i.type = decimal ? ITEM_OTHER : ITEM_INTEGER;
    return i;
}

static void skip_string(struct reader *r)
{
    for (r->at++; !r->bad; r->at++) {
        char c = look(r);
        if (c == '"') {
            r->at++;
            return;
        }
        if (c == '\\') {
            r->at++;
            r->bad = look(r) != '"' && look(r) != '\\';
        } else {
            r->bad = c < ' ' || c > '~';
        }
    }
}

static void skip_bytes(struct reader *r)
{
    for (r->at++; is_alpha(look(r)) || is_digit(look(r)) || (look(r) && strchr("+/=", look(r)));)
        r->at++;
    r->bad |= !take(r, ':');
}

static void skip_token(struct reader *r)
{
    while (is_alpha(look(r)) || is_digit(look(r)) || (look(r) && strchr("!#$%&'*+-.^_`|~:/", look(r))))
        r->at++;
}

static struct item take_bare(struct reader *r)
{
    char c = look(r);
    struct item i = {ITEM_OTHER, 0};

    if (c == '-' || is_digit(c))
        return take_number(r);
    if (c == '"') {
        skip_string(r);
    } else if (c == ':') {
        skip_bytes(r);
    } else if (c == '*' || is_alpha(c)) {
        skip_token(r);
    } else if (take(r, '?')) {
        i = (struct item){ITEM_BOOLEAN, look(r) == '1'};
        r->bad |= !take(r, '0') && !take(r, '1');
    } else {
        r->bad = true;
    }
    return i;
}

static void skip_parameters(struct reader *r)
{
    while (!r->bad && take(r, ';')) {
        skip_spaces(r);
        take_key(r);
        if (!r->bad && take(r, '='))
            take_bare(r);
    }
}

static void skip_inner_list(struct reader *r)
{
    r->at++;
    for (;;) {
        skip_spaces(r);
        if (r->bad || take(r, ')'))
            return;
        take_bare(r);
        skip_parameters(r);
        r->bad |= look(r) != ' ' && look(r) != ')';
    }
}

static struct item take_member(struct reader *r)
{
    struct item i = {ITEM_BOOLEAN, 1};

    if (take(r, '=')) {
        if (look(r) == '(') {
            skip_inner_list(r);
            i.type = ITEM_OTHER;
        } else {
            i = take_bare(r);
        }
    }
    skip_parameters(r);
    return i;
}

static void use(struct priority *p, struct text key, struct item i)
{
    if (text_equal(key, TEXT("u")) && i.type == ITEM_INTEGER && i.number >= 0 && i.number <= 7)
        p->urgency = (unsigned)i.number;
    else if (text_equal(key, TEXT("i")) && i.type == ITEM_BOOLEAN)
        p->incremental = i.number != 0;
}

bool priority_parse(struct text value, struct priority *p)
{
    struct reader r = {value.at, value.at + value.len, false};
    struct priority out = *p;

    skip_spaces(&r);
    while (r.at < r.end && !r.bad) {
        struct text key = take_key(&r);
        struct item i = r.bad ? (struct item){ITEM_OTHER, 0} : take_member(&r);
        use(&out, key, i);
        skip_blanks(&r);
        if (r.at == r.end)
            break;
        r.bad |= !take(&r, ',');
        skip_blanks(&r);
        r.bad |= r.at == r.end; /* a comma with nothing behind it */
    }
    if (!r.bad)
        *p = out;
    return !r.bad;
}
