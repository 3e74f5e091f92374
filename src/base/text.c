/* text.c - the parts of text.h that are too long to be inline. */
#include "base/text.h"

bool text_equal_nocase(struct text a, struct text b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (a.at[i] != b.at[i] && text_lower(a.at[i]) != text_lower(b.at[i]))
            return false;
    }
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct text text_trim(struct text t)
{
    while (t.len > 0 && is_blank(t.at[t.len - 1]))
        t.len--;
    size_t skip = 0;
    while (skip < t.len && is_blank(t.at[skip]))
        skip++;
    return text_from(t, skip);
}

/* Length up to the next comma that is outside quoted strings; an unfinished string reaches to the
 * end. */
static size_t element_length(struct text t)
{
    bool quoted = false;
    size_t i = 0;
    for (; i < t.len; i++) {
        char c = t.at[i];
        if (c == '"')
            quoted = !quoted;
        else if (quoted && c == '\\' && i + 1 < t.len)
            i++;
        else if (c == ',' && !quoted)
            break;
    }
    return i;
}

bool text_list_next(struct text *rest, struct text *element)
{
    while (rest->len > 0) {
        size_t len = element_length(*rest);
        *element = text_trim((struct text){rest->at, len});
        *rest = text_from(*rest, len < rest->len ? len + 1 : len);
        if (element->len > 0)
            return true;
    }
    return false;
}

char *text_put(char **to, struct text t)
{
    char *at = *to;
    if (t.len > 0)
        memcpy(at, t.at, t.len);
    at[t.len] = '\0';
    *to += t.len + 1;
    return at;
}
