/* registry_name.c - see registry_name.h. */
#include "http/registry/registry_name.h"

static bool is_small(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_word(char c)
{
    return is_small(text_lower(c));
}

/* ---- names ---- */

/* Between letters: one of . _ __, or any number of dashes. */
static size_t separator(struct text t)
{
    size_t len = 0;

    if (text_starts(t, TEXT("__")))
        return 2;
    if (text_starts(t, TEXT(".")) || text_starts(t, TEXT("_")))
        return 1;
    while (len < t.len && t.at[len] == '-')
        len++;
    return len;
}

static bool is_component(struct text t)
{
    size_t at = 0;

    for (;;) {
        size_t from = at;
        while (at < t.len && is_small(t.at[at]))
            at++;
        if (at == from)
            return false;
        if (at == t.len)
            return true;
        at += separator(text_from(t, at));
    }
}

bool registry_is_name(struct text name)
{
    if (name.len > REGISTRY_NAME_MOST)
        return false;
    for (;;) {
        size_t slash = text_find(name, '/');
        if (!is_component((struct text){name.at, slash}))
            return false;
        if (slash == name.len)
            return true;
        name = text_from(name, slash + 1);
    }
}

bool registry_is_tag(struct text tag)
{
    if (tag.len == 0 || tag.len > REGISTRY_TAG_MOST || tag.at[0] == '.' || tag.at[0] == '-')
        return false;
    for (size_t i = 0; i < tag.len; i++) {
        char c = tag.at[i];
        if (!is_word(c) && c != '.' && c != '_' && c != '-')
            return false;
    }
    return true;
}

bool registry_is_digest(struct text digest)
{
    static const struct {
        struct text name;
        size_t digits;
    } algorithms[] = {{{"sha256:", 7}, 64}, {{"sha512:", 7}, 128}};

    for (size_t a = 0; a < sizeof algorithms / sizeof *algorithms; a++) {
        if (!text_starts(digest, algorithms[a].name))
            continue;
        struct text hex = text_from(digest, algorithms[a].name.len);
        for (size_t i = 0; i < hex.len; i++) {
            if (!is_small(hex.at[i]) || hex.at[i] > 'f')
                return false;
        }
        return hex.len == algorithms[a].digits;
    }
    return false;
}

static bool is_type_name(struct text t)
{
    enum { TYPE_NAME_MOST = 127 };

    if (t.len == 0 || t.len > TYPE_NAME_MOST || !is_word(t.at[0]))
        return false;
    for (size_t i = 0; i < t.len; i++) {
        char c = t.at[i];
        if (!is_word(c) && (c == '\0' || !strchr("!#$&-^_.+", c)))
            return false;
    }
    return true;
}

bool registry_is_media_type(struct text type)
{
    size_t slash = text_find(type, '/');

    return slash < type.len && is_type_name((struct text){type.at, slash}) && is_type_name(text_from(type, slash + 1));
}

/* ---- paths ---- */

/* Takes what stands behind the last slash off `t`. */
static struct text take_last(struct text *t)
{
    size_t at = t->len;

    while (at > 0 && t->at[at - 1] != '/')
        at--;
    struct text last = text_from(*t, at);
    t->len = at > 0 ? at - 1 : 0;
    return last;
}

static enum registry_kind kind_of(struct text word, struct text last)
{
    if (text_equal(word, TEXT("manifests")))
        return REGISTRY_MANIFEST;
    if (text_equal(word, TEXT("blobs")))
        return REGISTRY_BLOB;
    if (text_equal(word, TEXT("referrers")))
        return REGISTRY_REFERRERS;
    return text_equal(word, TEXT("tags")) && text_equal(last, TEXT("list")) ? REGISTRY_TAGS : REGISTRY_UNKNOWN;
}

struct registry_path registry_path_parse(struct text path)
{
    static const struct text base = {"/v2/", 4};

    if (!text_starts(path, base))
        return (struct registry_path){.kind = REGISTRY_UNKNOWN};
    struct text name = text_from(path, base.len);
    if (name.len == 0)
        return (struct registry_path){.kind = REGISTRY_BASE};
    struct text last = take_last(&name), word = take_last(&name);
    return (struct registry_path){kind_of(word, last), name, last};
}

/* ---- queries ---- */

static int digit(char c)
{
    char l = text_lower(c);

    return c >= '0' && c <= '9' ? c - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

static struct text decode(struct text t, char *to)
{
    size_t len = 0;

    for (size_t i = 0; i < t.len; i++) {
        char c = t.at[i];
        if (c == '%') {
            int high = t.len - i > 2 ? digit(t.at[i + 1]) : -1, low = t.len - i > 2 ? digit(t.at[i + 2]) : -1;
            if (high < 0 || low < 0)
                return TEXT_NONE;
            c = (char)(high << 4 | low);
            i += 2;
        }
        to[len++] = c;
    }
    return (struct text){to, len};
}

struct text registry_argument(struct text args, struct text name, char *space)
{
    while (args.len > 0) {
        struct text pair = {args.at, text_find(args, '&')};
        size_t equals = text_find(pair, '=');
        if (equals < pair.len && text_equal((struct text){pair.at, equals}, name))
            return decode(text_from(pair, equals + 1), space);
        args = text_from(args, pair.len < args.len ? pair.len + 1 : args.len);
    }
    return TEXT_NONE;
}
