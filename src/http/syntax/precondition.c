/* precondition.c - If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since, If-Range. Pure;
 * called by file_response.c. RFC 9110, section 13. */
#include "http/syntax/precondition.h"

#include "base/clock.h"

enum comparison { WEAK, STRONG };

/* Takes an entity tag off the start of `t`: W/ and the quotes included. False: there is none. */
static bool take_tag(struct text *t, struct text *tag)
{
    size_t quote = t->len >= 2 && t->at[0] == 'W' && t->at[1] == '/' ? 2 : 0;
    if (quote == t->len || t->at[quote] != '"')
        return false;
    /* No escapes inside: RFC 9110, 8.8.3. */
    struct text inside = text_from(*t, quote + 1);
    size_t end = text_find(inside, '"');
    if (end == inside.len)
        return false;
    *tag = (struct text){t->at, quote + 1 + end + 1};
    *t = text_from(*t, tag->len);
    return true;
}

static bool is_weak(struct text tag)
{
    return tag.len >= 2 && tag.at[0] == 'W' && tag.at[1] == '/';
}

/* RFC 9110, 8.8.3.2. */
static bool tags_match(struct text a, struct text b, enum comparison how)
{
    if (!is_weak(a) && !is_weak(b))
        return text_equal(a, b);
    if (how == STRONG)
        return false;
    return text_equal(is_weak(a) ? text_from(a, 2) : a, is_weak(b) ? text_from(b, 2) : b);
}

/* `list`: "*" or entity tags. What follows a malformed element is not looked at. */
static bool list_matches(struct text list, struct text etag, enum comparison how)
{
    if (list.len == 1 && list.at[0] == '*')
        return true;
    if (!etag.at)
        return false;
    while (list.len > 0) {
        if (list.at[0] == ' ' || list.at[0] == '\t' || list.at[0] == ',') {
            list = text_from(list, 1);
            continue;
        }
        struct text tag;
        if (!take_tag(&list, &tag))
            return false;
        struct text after = text_trim(list);
        if (after.len > 0 && after.at[0] != ',')
            return false;
        if (tags_match(tag, etag, how))
            return true;
    }
    return false;
}

/* A field that is absent or no date, or a file without a date: the condition does not count. */
static bool date_of(struct text field, const struct validators *v, time_t *date)
{
    return field.at && v->dated && clock_parse_http(field, date) == 0;
}

/* Whether it was sent with this date as it is now. */
static bool has_date(const struct validators *v, time_t date)
{
    return date == v->modified || (date >= v->sent_first && date <= v->sent_last);
}

static bool changed_since(const struct validators *v, time_t date)
{
    return v->modified > date && !has_date(v, date);
}

static bool match_fails(const struct message *m, const struct validators *v)
{
    struct text tags = m->fields[FIELD_IF_MATCH];
    time_t date;
    if (tags.at)
        return !list_matches(tags, v->etag, STRONG);
    return date_of(m->fields[FIELD_IF_UNMODIFIED_SINCE], v, &date) && changed_since(v, date);
}

static bool unchanged_since(const struct message *m, const struct validators *v, int mode)
{
    time_t date;
    if (mode == IF_MODIFIED_SINCE_OFF || !date_of(m->fields[FIELD_IF_MODIFIED_SINCE], v, &date))
        return false;
    return mode == IF_MODIFIED_SINCE_EXACT ? has_date(v, date) : !changed_since(v, date);
}

bool precondition_asked(const struct message *m)
{
    return m->fields[FIELD_IF_NONE_MATCH].at || m->fields[FIELD_IF_MODIFIED_SINCE].at || m->fields[FIELD_IF_MATCH].at ||
           m->fields[FIELD_IF_UNMODIFIED_SINCE].at;
}

enum precondition precondition_check(const struct message *m, const struct validators *v, int mode)
{
    bool reads = m->method == METHOD_GET || m->method == METHOD_HEAD;
    struct text none = m->fields[FIELD_IF_NONE_MATCH];
    if (match_fails(m, v))
        return PRECONDITION_FAILED;
    if (none.at) {
        if (!list_matches(none, v->etag, WEAK))
            return PRECONDITION_PROCEED;
        return reads ? PRECONDITION_NOT_MODIFIED : PRECONDITION_FAILED;
    }
    return reads && unchanged_since(m, v, mode) ? PRECONDITION_NOT_MODIFIED : PRECONDITION_PROCEED;
}

bool precondition_if_range(const struct message *m, const struct validators *v)
{
    struct text field = m->fields[FIELD_IF_RANGE], tag, rest = field;
    time_t date;
    if (!field.at)
        return true;
    if (field.len > 0 && field.at[field.len - 1] == '"')
        return v->etag.at && take_tag(&rest, &tag) && rest.len == 0 && tags_match(tag, v->etag, STRONG);
    return date_of(field, v, &date) && has_date(v, date);
}
