/* message.h - what a request says, whatever protocol brought it: RFC 9110, sections 3, 6 and 9.
 * Texts point into what the carrier holds, or into the request's arena. */
#ifndef HTTP_SYNTAX_MESSAGE_H
#define HTTP_SYNTAX_MESSAGE_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct header {
    struct text name, value; /* as received; value trimmed of OWS */
};

/* Fields that the server itself looks at: found without searching. */
enum field {
    FIELD_HOST,
    FIELD_CONNECTION,
    FIELD_CONTENT_LENGTH,
    FIELD_TRANSFER_ENCODING,
    FIELD_EXPECT,
    FIELD_RANGE,
    FIELD_IF_RANGE,
    FIELD_IF_MATCH,
    FIELD_IF_NONE_MATCH,
    FIELD_IF_MODIFIED_SINCE,
    FIELD_IF_UNMODIFIED_SINCE,
    FIELD_ACCEPT_ENCODING,
    FIELD_USER_AGENT,
    FIELD_REFERER,
    FIELD_AUTHORIZATION,
    FIELD_PROXY_AUTHORIZATION, /* these two only so that they come once */
    FIELD_CONTENT_RANGE,
    FIELD_UPGRADE,
    FIELD_COUNT /* also "none of these" */
};

enum method {
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PUT,
    METHOD_DELETE,
    METHOD_OPTIONS,
    METHOD_CONNECT,
    METHOD_OTHER
};

/* In the order of their coming. */
enum protocol { PROTOCOL_1_0, PROTOCOL_1_1, PROTOCOL_2 };

struct message {
    enum method method;
    struct text method_name;
    struct text line;       /* the request line, without CRLF: $request */
    struct text target;     /* as sent: origin-form, absolute-form, authority-form or * */
    struct text version;    /* as sent: "HTTP/1.1" */
    enum protocol protocol; /* what that says; PROTOCOL_1_0 where it was not understood */
    struct header *headers; /* in order; in the arena */
    unsigned count;
    struct text fields[FIELD_COUNT]; /* first occurrence, .at NULL: absent */
    struct text host;                /* of Host, without its port; absent without Host */
    bool has_length;                 /* Content-Length present */
    uint64_t length;                 /* its value */
};

#endif
