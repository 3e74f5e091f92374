/* field.c - texts that become values of response fields. Pure; called by variable.c when templates
 * are made and evaluated, and by setters of constant values. See field.h. RFC 9110, 5.5. */
#include "http/syntax/field.h"

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

static bool is_line_end(char c)
{
    return c == '\r' || c == '\n';
}

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || is_line_end(c);
}

bool field_has_controls(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if (is_control(t.at[i]))
            return true;
    return false;
}

bool field_is_broken(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if (is_control(t.at[i]) && t.at[i] != '\t')
            return true;
    return false;
}

static char *put_encoded(char *to, char c)
{
    static const char digits[] = "0123456789ABCDEF";

    *to++ = '%';
    *to++ = digits[(unsigned char)c >> 4];
    *to++ = digits[c & 15];
    return to;
}

/* Behind the white space that begins at `at`; *folds: it has a line end. */
static size_t skip_white(struct text t, size_t at, bool *folds)
{
    *folds = false;
    for (; at < t.len && is_white(t.at[at]); at++)
        *folds = *folds || is_line_end(t.at[at]);
    return at;
}

struct text field_fold(struct text t, struct arena *arena)
{
    if (!field_has_controls(t))
        return t;
    char *out = arena_alloc(arena, 3 * t.len + 1), *to = out;
    for (size_t i = 0; out && i < t.len;) {
        bool folds;
        size_t next = skip_white(t, i, &folds);
        if (folds && i > 0 && next < t.len)
            *to++ = ' ';
        while (!folds && i < next)
            *to++ = t.at[i++];
        i = next;
        for (; i < t.len && !is_white(t.at[i]); i++)
            if (is_control(t.at[i]))
                to = put_encoded(to, t.at[i]);
            else
                *to++ = t.at[i];
    }
    if (!out)
        return TEXT_NONE;
    *to = '\0';
    return text_span(out, to);
}

struct text field_encode(struct text t, struct arena *arena)
{
    if (!field_has_controls(t))
        return t;
    char *out = arena_alloc(arena, 3 * t.len + 1), *to = out;
    for (size_t i = 0; out && i < t.len; i++)
        if (is_control(t.at[i]))
            to = put_encoded(to, t.at[i]);
        else
            *to++ = t.at[i];
    if (!out)
        return TEXT_NONE;
    *to = '\0';
    return text_span(out, to);
}

const char *field_set_text(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct text *value = slot;

    (void)row;
    *value = field_fold(cf->args[1], cf->arena);
    return value->at ? NULL : conf_error(cf, "no memory");
}
