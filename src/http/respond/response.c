/* response.c - the fields of a response: added, and asked for by name. See response.h. */
#include "http/respond/response.h"

#include "base/clock.h"
#include "base/number.h"
#include "base/version.h"
#include "http/syntax/field.h"
#include "http/variable/variable.h"
#include "http/variable/variable_text.h"

bool response_add(struct request *r, struct text name, struct text value)
{
    struct field_line *f = arena_alloc(&r->arena, sizeof *f);
    if (f && field_is_broken(value)) /* never: but should it be, the client gets one field, not two */
        value = field_encode(value, &r->arena);
    if (!f || !value.at)
        return false;
    *f = (struct field_line){NULL, name, value};
    *r->out.fields_end = f;
    r->out.fields_end = &f->next;
    return true;
}

struct text response_server(struct request *r)
{
    const struct server_tokens *tokens = r->location ? &r->location->http->server_tokens : NULL;

    if (!tokens || tokens->kind == TOKENS_ON || tokens->kind == TOKENS_BUILD)
        return TEXT("sluice/" SLUICE_VERSION);
    if (tokens->kind == TOKENS_OFF)
        return TEXT("sluice");
    if (!r->out.server.at) /* once: it is measured, then written */
        r->out.server = template_field(tokens->text, r);
    return r->out.server;
}

struct text response_vary(const struct response *o)
{
    if (o->vary_dictionary)
        return TEXT("Accept-Encoding, Available-Dictionary");
    return o->vary ? TEXT("Accept-Encoding") : TEXT_NONE;
}

struct text response_content_range(const struct request *r)
{
    return r->out.status == 416 ? r->unsatisfied : r->out.content_range;
}

static struct text length_text(struct request *r)
{
    char *digits = arena_alloc(&r->arena, 20);
    if (!digits || r->out.no_length || r->out.unsized || r->carrier->ops->field(r, TEXT("transfer_encoding")).at)
        return TEXT_NONE;
    return (struct text){digits, number_format(digits, r->out.length)};
}

/* The value of a field that has a place of its own in the head; absent: it is not sent. */
static struct text own_field(struct request *r, struct text name)
{
    const struct response *o = &r->out;

    if (text_equal(name, TEXT("content_length")))
        return length_text(r);
    if (text_equal(name, TEXT("date")))
        return (struct text){clock_now.http, CLOCK_HTTP_LEN};
    if (text_equal(name, TEXT("server")))
        return response_server(r);

    const struct {
        struct text name, value;
    } known[] = {
        /* Also where none is sent (304): what is decided by it (expires) stays the same. */
        {TEXT("content_type"), o->type},
        {TEXT("last_modified"), o->last_modified},
        {TEXT("location"), o->location},
        {TEXT("etag"), o->etag},
        {TEXT("www_authenticate"), r->challenge},
        {TEXT("vary"), response_vary(o)},
        {TEXT("allow"), o->allow},
        {TEXT("content_range"), response_content_range(r)},
        {TEXT("accept_ranges"), o->accept_ranges ? TEXT("bytes") : TEXT_NONE},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (text_equal(known[i].name, name))
            return known[i].value.len > 0 ? known[i].value : TEXT_NONE;
    return r->carrier->ops->field(r, name);
}

struct text response_field(struct request *r, struct text name)
{
    struct text all = own_field(r, name);

    for (const struct field_line *f = r->out.fields; f; f = f->next)
        if (variable_names_field(name, f->name))
            variable_join(r, ", ", f->value, &all);
    return all;
}

static void get_sent_http(struct request *r, const void *data, struct text *out)
{
    *out = response_field(r, *(const struct text *)data);
}

/* What add_trailer made, once it has. */
static void get_sent_trailer(struct request *r, const void *data, struct text *out)
{
    *out = TEXT_NONE;
    for (const struct field_line *f = r->out.trailers; f; f = f->next)
        if (variable_names_field(*(const struct text *)data, f->name))
            variable_join(r, ", ", f->value, out);
}

const struct variable_row response_variables[] = {
    {"sent_http_", .get = get_sent_http, .flags = VARIABLE_FAMILY},
    {"sent_http_cache_control", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_connection", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_content_length", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_content_type", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_keep_alive", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_last_modified", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_link", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_location", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_transfer_encoding", .flags = VARIABLE_OF_FAMILY},
    {"sent_trailer_", .get = get_sent_trailer, .flags = VARIABLE_FAMILY},
    {.name = NULL},
};
