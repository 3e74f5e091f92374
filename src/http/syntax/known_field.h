/* known_field.h - the fields of enum field (message.h) by their names: for the carriers, which look at each
 * field of a request. RFC 9110, section 5.1. */
#ifndef HTTP_SYNTAX_KNOWN_FIELD_H
#define HTTP_SYNTAX_KNOWN_FIELD_H

#include "http/syntax/message.h"

#define KNOWN_FIELD_BIT(field) (1u << (field))

/* A second one makes the message ambiguous: nginx's choice of fields, and Proxy-Authorization as
 * Authorization. */
enum {
    KNOWN_FIELD_SINGULAR = KNOWN_FIELD_BIT(FIELD_HOST) | KNOWN_FIELD_BIT(FIELD_CONTENT_LENGTH) |
                           KNOWN_FIELD_BIT(FIELD_TRANSFER_ENCODING) | KNOWN_FIELD_BIT(FIELD_EXPECT) |
                           KNOWN_FIELD_BIT(FIELD_IF_RANGE) | KNOWN_FIELD_BIT(FIELD_IF_MATCH) |
                           KNOWN_FIELD_BIT(FIELD_IF_NONE_MATCH) | KNOWN_FIELD_BIT(FIELD_IF_MODIFIED_SINCE) |
                           KNOWN_FIELD_BIT(FIELD_IF_UNMODIFIED_SINCE) | KNOWN_FIELD_BIT(FIELD_AUTHORIZATION) |
                           KNOWN_FIELD_BIT(FIELD_PROXY_AUTHORIZATION) | KNOWN_FIELD_BIT(FIELD_CONTENT_RANGE)
};

static inline enum field known_field_when(enum field field, struct text name, struct text is)
{
    return text_equal_nocase(name, is) ? field : FIELD_COUNT;
}

/* FIELD_COUNT: none of them. Length and one letter leave at most one candidate. */
static inline enum field known_field(struct text name)
{
    char first = name.len > 0 ? (char)(name.at[0] | 0x20) : '\0';
    switch (name.len) {
    case 4:
        return first == 'h' ? known_field_when(FIELD_HOST, name, TEXT("host")) : FIELD_COUNT;
    case 5:
        return first == 'r' ? known_field_when(FIELD_RANGE, name, TEXT("range")) : FIELD_COUNT;
    case 6:
        return first == 'e' ? known_field_when(FIELD_EXPECT, name, TEXT("expect")) : FIELD_COUNT;
    case 7:
        return first == 'r' ? known_field_when(FIELD_REFERER, name, TEXT("referer"))
                            : known_field_when(FIELD_UPGRADE, name, TEXT("upgrade"));
    case 8:
        if (first != 'i')
            return FIELD_COUNT;
        return (name.at[3] | 0x20) == 'r' ? known_field_when(FIELD_IF_RANGE, name, TEXT("if-range"))
                                          : known_field_when(FIELD_IF_MATCH, name, TEXT("if-match"));
    case 10:
        return first == 'c' ? known_field_when(FIELD_CONNECTION, name, TEXT("connection"))
                            : known_field_when(FIELD_USER_AGENT, name, TEXT("user-agent"));
    case 13:
        if (first == 'c')
            return known_field_when(FIELD_CONTENT_RANGE, name, TEXT("content-range"));
        return first == 'i' ? known_field_when(FIELD_IF_NONE_MATCH, name, TEXT("if-none-match"))
                            : known_field_when(FIELD_AUTHORIZATION, name, TEXT("authorization"));
    case 14:
        return first == 'c' ? known_field_when(FIELD_CONTENT_LENGTH, name, TEXT("content-length")) : FIELD_COUNT;
    case 15:
        return first == 'a' ? known_field_when(FIELD_ACCEPT_ENCODING, name, TEXT("accept-encoding")) : FIELD_COUNT;
    case 17:
        return first == 'i' ? known_field_when(FIELD_IF_MODIFIED_SINCE, name, TEXT("if-modified-since"))
                            : known_field_when(FIELD_TRANSFER_ENCODING, name, TEXT("transfer-encoding"));
    case 19:
        return first == 'i' ? known_field_when(FIELD_IF_UNMODIFIED_SINCE, name, TEXT("if-unmodified-since"))
                            : known_field_when(FIELD_PROXY_AUTHORIZATION, name, TEXT("proxy-authorization"));
    default:
        return FIELD_COUNT;
    }
}

#endif
