/* parse_known.c - what can be read of a head that is refused or was cut off: see parse_known() in
 * parse.h. Pure, and for the log alone; called by request_head.c. The rules are those of the
 * pre-scan in parse.c. */
#include "http/h1/parse.h"
#include "http/h1/parse_class.h"
#include "http/syntax/known_field.h"
#include "http/syntax/uri.h"

/* Takes the next line off `rest`, without its end. False: it does not end with CR LF, and is what
 * there is of it. */
static bool take_line(struct text *rest, struct text *line)
{
    size_t end = text_find(*rest, '\n');
    bool ended = end < rest->len;

    *line = (struct text){rest->at, end};
    *rest = text_from(*rest, ended ? end + 1 : end);
    if (!text_ends(*line, TEXT("\r")))
        return false;
    line->len--;
    return ended;
}

/* Whether all three parts are there. A part is known when what follows it is, too. */
static bool take_parts(struct message *m, bool complete)
{
    struct text line = m->line;
    size_t method = parse_run(line, 0, CLASS_TOKEN);

    if (method == 0 || method == line.len || line.at[method] != ' ')
        return false;
    m->method_name = (struct text){line.at, method};
    size_t target = parse_run(line, method + 1, CLASS_TARGET);
    if (target == method + 1 || (target == line.len ? !complete : line.at[target] != ' '))
        return false;
    m->target = text_span(line.at + method + 1, line.at + target);
    if (target == line.len || !complete || !parse_is_version(text_from(line, target + 1)))
        return false;
    m->version = text_from(line, target + 1);
    m->protocol =
        text_starts(m->version, TEXT("HTTP/1.")) && !text_ends(m->version, TEXT("0")) ? PROTOCOL_1_1 : PROTOCOL_1_0;
    return true;
}

static bool is_value(struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.at[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

/* False: malformed. */
static bool take_field(struct message *m, struct text line)
{
    size_t name = parse_run(line, 0, CLASS_TOKEN);

    if (name == 0 || name == line.len || line.at[name] != ':' || !is_value(line))
        return false;
    struct header *h = &m->headers[m->count++];
    *h = (struct header){(struct text){line.at, name}, text_trim(text_from(line, name + 1))};
    enum field field = known_field(h->name);
    if (field != FIELD_COUNT && !m->fields[field].at)
        m->fields[field] = h->value;
    return true;
}

static unsigned count_lines(struct text bytes, unsigned most)
{
    unsigned lines = 0;

    for (; lines < most && text_find(bytes, '\n') < bytes.len; lines++)
        bytes = text_from(bytes, text_find(bytes, '\n') + 1);
    return lines;
}

size_t parse_known(struct message *m, struct text bytes, unsigned most, struct arena *arena)
{
    struct text rest = bytes, line;

    memset(m, 0, sizeof *m);
    bool complete = take_line(&rest, &m->line);
    if (!take_parts(m, complete))
        return 0;
    size_t known = bytes.len - rest.len;
    unsigned room = count_lines(rest, most);
    m->headers = room > 0 ? arena_alloc(arena, room * sizeof *m->headers) : NULL;
    while (m->headers && take_line(&rest, &line)) {
        if (line.len > 0 && (m->count == room || !take_field(m, line)))
            break;
        known = bytes.len - rest.len;
        if (line.len == 0)
            break;
    }
    struct text host = m->fields[FIELD_HOST];
    if (!host.at || !uri_authority(host, &m->host))
        m->host = TEXT_NONE;
    return known;
}
