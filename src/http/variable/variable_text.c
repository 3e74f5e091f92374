/* variable_text.c - the texts that variables are made of: numbers, addresses, fields. See
 * variable_text.h. */
#include "http/variable/variable_text.h"

#include "base/number.h"
#include "http/request/request.h"

void variable_number(struct request *r, uint64_t value, struct text *out)
{
    char *digits = arena_alloc(&r->arena, 20);
    *out = digits ? (struct text){digits, number_format(digits, value)} : TEXT_NONE;
}

void variable_msec(struct request *r, int64_t msec, struct text *out)
{
    if (msec < 0)
        msec = 0;
    char *s = arena_printf(&r->arena, "%lld.%03d", (long long)(msec / 1000), (int)(msec % 1000));
    *out = text_of(s);
}

void variable_peer(struct request *r, const union peer *peer, bool port, struct text *out)
{
    *out = TEXT("");
    if (port) {
        if (peer_port(peer) > 0) /* a client that a header names may have none */
            variable_number(r, peer_port(peer), out);
        return;
    }
    char *text = arena_alloc(&r->arena, ADDRESS_TEXT_SIZE);
    *out = text ? (struct text){text, peer_format(peer, text)} : TEXT_NONE;
}

/* $http_user_agent names User-Agent: - and _ are one. */
bool variable_names_field(struct text variable, struct text field)
{
    if (variable.len != field.len)
        return false;
    for (size_t i = 0; i < field.len; i++) {
        char c = text_lower(field.at[i]);
        if ((c == '-' ? '_' : c) != variable.at[i])
            return false;
    }
    return true;
}

void variable_join(struct request *r, const char *between, struct text value, struct text *all)
{
    *all = all->at ? text_of(arena_printf(&r->arena, "%.*s%s%.*s", TEXT_ARG(*all), between, TEXT_ARG(value))) : value;
}

struct text variable_cookie(const struct request *r, struct text name)
{
    for (unsigned i = 0; i < r->msg.count; i++) {
        if (!text_equal_nocase(r->msg.headers[i].name, TEXT("cookie")))
            continue;
        struct text rest = r->msg.headers[i].value;
        while (rest.len > 0) {
            struct text pair = {rest.at, text_find(rest, ';')};
            rest = text_from(rest, pair.len < rest.len ? pair.len + 1 : rest.len);
            pair = text_trim(pair);
            size_t eq = text_find(pair, '=');
            if (eq < pair.len && text_equal_nocase(text_trim((struct text){pair.at, eq}), name))
                return text_trim(text_from(pair, eq + 1));
        }
    }
    return TEXT_NONE;
}

struct text variable_forwarded_for(struct request *r)
{
    struct text all = TEXT_NONE;

    for (unsigned i = 0; i < r->msg.count; i++) {
        const struct header *h = &r->msg.headers[i];
        if (text_equal_nocase(h->name, TEXT("X-Forwarded-For")))
            variable_join(r, ", ", h->value, &all);
    }
    return all;
}
