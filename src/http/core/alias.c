/* alias.c - warns of an `alias` behind which a request can bring a ".." of its own; such a path is
 * answered with 404 (files/place.c). Called by location.c, when the configuration has been read. */
#include "http/core/core.h"
#include "http/variable/variable.h"

/* ---- location /img { alias /srv/img/; } ---- */

/* With `location /img` and `alias /srv/img/`, /img../x is /srv/img/../x. A variable may end with a
 * slash, too. */
static void check_prefix(struct conf *cf, const struct location *l)
{
    const struct template *t = l->http->root.path;
    const struct template_part *last = template_is_constant(t) ? NULL : &t->parts[t->count - 1];
    bool varies = last && last->variable;
    const char *how = varies ? "may end" : "ends";

    if (l->kind == LOCATION_EXACT || text_ends(l->name, TEXT("/")))
        return;
    if (!varies && !text_ends(t->text, TEXT("/")))
        return;
    conf_warn(cf,
              "\"alias\" \"%.*s\" %s with \"/\" but location \"%.*s\" does not: \"%.*s../\" would leave the directory, "
              "and gets 404",
              TEXT_ARG(t->text), how, TEXT_ARG(l->name), TEXT_ARG(l->name));
}

/* ---- location ~ ^/img(.*)$ { alias /srv/img/$1; } ---- */

/* What stands behind the parenthesis at `at`; absent: it captures nothing. *name: of the group, or
 * empty. */
static struct text group_at(struct text pattern, size_t at, struct text *name)
{
    struct text rest = text_from(pattern, at + 1);

    *name = TEXT("");
    if (!text_starts(rest, TEXT("?")) && !text_starts(rest, TEXT("*")))
        return rest;
    size_t open = text_starts(rest, TEXT("?P<")) ? 3 : 2;
    char mark = rest.len > open ? rest.at[open - 1] : '\0';
    if (rest.at[0] == '*' || (mark != '<' && mark != '\'') || rest.at[open] == '=' || rest.at[open] == '!')
        return TEXT_NONE;
    rest = text_from(rest, open);
    size_t end = text_find(rest, mark == '<' ? '>' : '\'');
    if (end == rest.len)
        return TEXT_NONE;
    *name = (struct text){rest.at, end};
    return text_from(rest, end + 1);
}

/* Whether the group that `variable` ("1", or a name) stands for can begin in the middle of a name,
 * and with any bytes. */
static bool takes_any(struct text pattern, struct text variable)
{
    unsigned number = 0, wanted = variable.len == 1 ? (unsigned)(variable.at[0] - '0') : 0;
    bool in_class = false;

    for (size_t i = 0; i < pattern.len; i++) {
        struct text name, body;
        if (pattern.at[i] == '\\') {
            i++;
            continue;
        }
        if (pattern.at[i] == '[' || pattern.at[i] == ']')
            in_class = pattern.at[i] == '[';
        if (in_class || pattern.at[i] != '(')
            continue;
        body = group_at(pattern, i, &name);
        if (!body.at)
            continue;
        number++;
        if (number == wanted || (name.len > 0 && text_equal(name, variable)))
            return (i == 0 || pattern.at[i - 1] != '/') &&
                   (text_starts(body, TEXT(".")) || text_starts(body, TEXT("[^")));
    }
    return false;
}

static void check_regex(struct conf *cf, const struct location *l)
{
    const struct template *t = l->http->root.path;

    for (unsigned i = 1; !template_is_constant(t) && i < t->count; i++) {
        const struct variable *v = t->parts[i].variable;
        if (!v || t->parts[i - 1].variable || !text_ends(t->parts[i - 1].text, TEXT("/")) ||
            !takes_any(l->name, v->name))
            continue;
        conf_warn(
            cf,
            "$%.*s in \"alias\" \"%.*s\" can begin with \"../\", as location \"%.*s\" has no \"/\" before its group: "
            "what would leave the directory gets 404",
            TEXT_ARG(v->name), TEXT_ARG(t->text), TEXT_ARG(l->name));
    }
}

void location_check_alias(struct conf *cf, const struct location *l)
{
    const struct root *root = &l->http->root;
    bool inherited = l->parent && l->parent->http->root.path == root->path;

    if (!root->alias || inherited)
        return;
    if (root->strip == SIZE_MAX)
        check_regex(cf, l);
    else
        check_prefix(cf, l);
}
