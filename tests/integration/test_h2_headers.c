/* test_h2_headers.c - RFC 9113, sections 8.2 and 8.3, and RFC 7541: requests that are malformed, and
 * header blocks that cannot be decoded. A malformed request costs its own stream and nothing else: what
 * its block added to the table is used by the next request of the same connection. */
#include "h2_client.h"

#include <stdio.h>
#include <stdlib.h>

#define MALFORMED "RST PROTOCOL_ERROR"
#define REFUSED   "RST PROTOCOL_ERROR or 1: 400" /* HTTP's own rules */

#define GET_  ":method: GET | :scheme: http | :path: /content"
#define GET_A GET_ " | :authority: localhost"

/* Of stream 1. */
static const struct {
    const char *rule, *what, *fields, *expected;
} requests[] = {
    {"8.2.1", "a request as it should be", GET_A " | accept: */*", "200 'content'"},
    {"8.2.1", "upper case in a name", GET_A " | Accept: x", MALFORMED},
    {"8.2.1", "upper case at a name's end", GET_A " | accepT: x", MALFORMED},
    {"8.2.1", "a blank in a name", GET_A " | a b: x", MALFORMED},
    {"8.2.1", "a control character in a name", GET_A " | a\001b: x", MALFORMED},
    {"8.2.1", "a tab in a name", GET_A " | a\tb: x", MALFORMED},
    {"8.2.1", "DEL in a name", GET_A " | a\177b: x", MALFORMED},
    {"8.2.1", "a name above seven bits", GET_A " | a\200b: x", MALFORMED},
    {"8.2.1", "UTF-8 in a name", GET_A " | \303\244: x", MALFORMED},
    {"8.2.1", "LF in a name", GET_A " | a\nb: x", MALFORMED},
    {"8.2.1", "CR in a value", GET_A " | a: x\ry", MALFORMED},
    {"8.2.1", "LF in a value", GET_A " | a: x\ny", MALFORMED},
    {"8.2.1", "CR LF and a field in a value", GET_A " | a: x\r\nhost: y", MALFORMED},
    {"8.2.1", "a blank before a value", GET_A " | a:  x", MALFORMED},
    {"8.2.1", "a blank behind a value", GET_A " | a: x  ", MALFORMED},
    {"8.2.1", "a tab behind a value", GET_A " | a: x\t", MALFORMED},
    {"8.2.1", "a value above seven bits", GET_A " | a: \303\244", "200"},
    {"8.2.1", "a tab inside a value", GET_A " | a: x\ty", "200"},
    {"8.2.1", "an empty value", GET_A " | a: ", "200"},

    {"8.2.2", "connection", GET_A " | connection: keep-alive", MALFORMED},
    {"8.2.2", "connection: close", GET_A " | connection: close", MALFORMED},
    {"8.2.2", "proxy-connection", GET_A " | proxy-connection: keep-alive", MALFORMED},
    {"8.2.2", "keep-alive", GET_A " | keep-alive: timeout=5", MALFORMED},
    {"8.2.2", "transfer-encoding", GET_A " | transfer-encoding: chunked", MALFORMED},
    {"8.2.2", "transfer-encoding: identity", GET_A " | transfer-encoding: identity", MALFORMED},
    {"8.2.2", "upgrade", GET_A " | upgrade: h2c", MALFORMED},
    {"8.2.2", "te: trailers", GET_A " | te: trailers", "200"},
    {"8.2.2", "te: gzip", GET_A " | te: gzip", MALFORMED},
    {"8.2.2", "te: trailers, gzip", GET_A " | te: trailers, gzip", MALFORMED},

    {"8.3", "a pseudo-header field that nobody knows", GET_A " | :what: x", MALFORMED},
    {"8.3", "a pseudo-header field of responses", GET_A " | :status: 200", MALFORMED},
    {"8.3", "a pseudo-header field behind others",
     ":method: GET | :scheme: http | accept: x | :path: /content | :authority: a", MALFORMED},
    {"8.3", ":protocol, which nobody offered",
     ":method: CONNECT | :protocol: websocket | :scheme: http | :path: / | :authority: a", MALFORMED},
    {"8.3", "a colon alone for a name", GET_A " | :: x", MALFORMED},

    {"8.3.1", "without :method", ":scheme: http | :path: /content | :authority: a", MALFORMED},
    {"8.3.1", "without :scheme", ":method: GET | :path: /content | :authority: a", MALFORMED},
    {"8.3.1", "without :path", ":method: GET | :scheme: http | :authority: a", MALFORMED},
    {"8.3.1", "without any", "accept: x", MALFORMED},
    {"8.3.1", ":method twice", ":method: GET | " GET_A, MALFORMED},
    {"8.3.1", ":scheme twice", ":scheme: http | " GET_A, MALFORMED},
    {"8.3.1", ":path twice", ":path: /content | " GET_A, MALFORMED},
    {"8.3.1", ":authority twice", ":authority: a | " GET_A, MALFORMED},
    {"8.3.1", "an empty :path", ":method: GET | :scheme: http | :path:  | :authority: a", MALFORMED},
    {"8.3.1", ":path without a slash", ":method: GET | :scheme: http | :path: content | :authority: a", REFUSED},
    {"8.3.1", ":path in absolute form", ":method: GET | :scheme: http | :path: http://a/content | :authority: a",
     REFUSED},
    {"8.3.1", ":path of * with GET", ":method: GET | :scheme: http | :path: * | :authority: a", REFUSED},
    {"8.3.1", "a blank in :path", ":method: GET | :scheme: http | :path: /con tent | :authority: a", REFUSED},
    {"8.3.1", "LF in :path", ":method: GET | :scheme: http | :path: /content\nx | :authority: a", MALFORMED},
    {"8.3.1", "an empty :method", ":method:  | :scheme: http | :path: /content | :authority: a", REFUSED},
    {"8.3.1", "a blank in :method", ":method: GE T | :scheme: http | :path: /content | :authority: a", REFUSED},
    {"8.3.1", "a method that nobody knows", ":method: BREW | :scheme: http | :path: /content | :authority: a",
     "405 or 1: 501"},
    {"8.3.1", "host in place of :authority", GET_ " | host: localhost", "200 'content'"},
    {"8.3.1", "host beside the same :authority", GET_A " | host: localhost", "200 'content'"},
    {"8.3.1", "host beside another :authority", GET_A " | host: else", REFUSED},
    {"8.3.1", "host twice", GET_ " | host: a | host: b", REFUSED},
    {"8.3.1", "neither host nor :authority", GET_, REFUSED},
    {"8.3.1", "an empty :authority", GET_ " | :authority: ", REFUSED " or 1: 200"},
    {"8.3.1", "userinfo in :authority", GET_ " | :authority: user@localhost", REFUSED},
    {"8.3.1", "userinfo and a password in :authority", GET_ " | :authority: user:word@localhost", REFUSED},
    {"8.3.1", "a slash in :authority", GET_ " | :authority: local/host", REFUSED},
    {"8.3.1", "a blank in :authority", GET_ " | :authority: local host", REFUSED},
    {"8.3.1", "a port in :authority", GET_ " | :authority: localhost:80", "200"},
    {"8.3.1", "IPv6 in :authority", GET_ " | :authority: [::1]:80", "200"},
    {"8.3.1", "an IPv6 address that does not end", GET_ " | :authority: [::1", REFUSED},

    {"8.5", "CONNECT", ":method: CONNECT | :authority: a:443",
     "400 or 1: 405 or 1: 501 or 1: RST CONNECT_ERROR|PROTOCOL_ERROR"},
    {"8.5", "CONNECT with :scheme and :path", ":method: CONNECT | :scheme: http | :path: /content | :authority: a:443",
     REFUSED " or 1: 405"},
    {"8.5", "CONNECT without :authority", ":method: CONNECT", REFUSED},
};

/* The block adds `range` to the table; the next request has it from there. */
START_TEST(request)
{
    char script[2000], expected[200];
    const struct h2_row row = {requests[_i].rule, requests[_i].what, script, expected};
    snprintf(script, sizeof script,
             "HEADERS 1 END_STREAM END_HEADERS {%s | +x-added: to the table}; GET 3 /content {+range: bytes=1-2}; "
             "GET 5 /content be; GET 7 /content bf",
             requests[_i].fields);
    snprintf(expected, sizeof expected, "1: %s", requests[_i].expected);
    h2_serve("");
    h2_try(&row, false);
    snprintf(expected, sizeof expected, "3: 206 'on'; 5: 206 'on'; 7: 200 'content'");
    h2_try(&row, false);
}
END_TEST

/* ---- header compression ---- */

#define HEADERS "HEADERS 1 END_STREAM END_HEADERS "
#define FIELDS  "{" GET_A "}"

static const struct h2_row blocks[] = {
    {"RFC 7541, 2.3.3", "the index 0", HEADERS "80", "GOAWAY COMPRESSION_ERROR"},
    {"RFC 7541, 2.3.3", "an index behind the table", HEADERS FIELDS "be", "GOAWAY COMPRESSION_ERROR"},
    {"RFC 7541, 2.3.3", "a name's index behind the table", HEADERS FIELDS "7e 01 'x'", "GOAWAY COMPRESSION_ERROR"},
    {"RFC 7541, 2.3.2", "the static table alone", HEADERS "82 86 84 41 09 'localhost' 04 08 '/content'",
     "1: RST PROTOCOL_ERROR"},
    {"RFC 7541, 2.3.2", "names of the static table", HEADERS "82 86 41 09 'localhost' 04 08 '/content'",
     "1: 200 'content'"},
    {"RFC 7541, 4.2", "the table's size, at its most", HEADERS "3f e1 1f" FIELDS, "1: 200 'content'"},
    {"RFC 7541, 4.2", "the table's size, one above", HEADERS "3f e2 1f" FIELDS, "GOAWAY COMPRESSION_ERROR"},
    {"RFC 7541, 4.2", "the table's size, down and up", HEADERS "20 3f e1 1f" FIELDS, "1: 200 'content'"},
    {"RFC 7541, 4.2", "the table's size behind a field", HEADERS FIELDS "20", "GOAWAY COMPRESSION_ERROR"},
    {"RFC 7541, 4.2", "a table of size 0 keeps nothing",
     HEADERS "20"
             "{" GET_A " | +a: b}; await 1; GET 3 /content be",
     "GOAWAY COMPRESSION_ERROR"},
    {"RFC 7541, 4.4", "an entry larger than the table empties the table",
     HEADERS "{" GET_A " | +a: b} 40 01 'c' 7f a1 1f 4128*64; await 1; GET 3 /content be", "GOAWAY COMPRESSION_ERROR"},
    {"RFC 7541, 5.1", "an integer without an end", HEADERS FIELDS "00 7f ff ff ff ff ff ff ff ff ff ff",
     "GOAWAY COMPRESSION_ERROR"},
    {"RFC 7541, 5.1", "an integer past 32 bits", HEADERS FIELDS "ff ff ff ff ff ff 7f", "GOAWAY COMPRESSION_ERROR"},
    {"RFC 7541, 5.1", "zeros behind an integer", HEADERS FIELDS "00 01 'a' 7f 80 80 00 127*62",
     "1: 200 'content' or GOAWAY COMPRESSION_ERROR"},
    {"RFC 7541, 5.2", "a string past the block", HEADERS FIELDS "00 05 'abc'", "GOAWAY COMPRESSION_ERROR"},
    {"RFC 7541, 5.2", "a value is missing", HEADERS FIELDS "00 01 'a'", "GOAWAY COMPRESSION_ERROR"},
    {"RFC 7541, 5.2", "half of a field at the end of CONTINUATION",
     "HEADERS 1 END_STREAM " FIELDS "; CONTINUATION 1 END_HEADERS 00 02 'a'", "GOAWAY COMPRESSION_ERROR"},
    {"RFC 7541, 5.2", "Huffman coding", HEADERS FIELDS "00 01 'x' 81 1f", "1: 200 'content'"},
    {"RFC 7541, 5.2", "Huffman padding of eight bits", HEADERS FIELDS "00 01 'x' 82 1f ff", "GOAWAY COMPRESSION_ERROR"},
    {"RFC 7541, 5.2", "Huffman padding of zeros", HEADERS FIELDS "00 01 'x' 81 18", "GOAWAY COMPRESSION_ERROR"},
    {"RFC 7541, 5.2", "the end of string within Huffman coding", HEADERS FIELDS "00 01 'x' 84 ff ff ff fc",
     "GOAWAY COMPRESSION_ERROR"},
    {"RFC 7541, 5.2", "an empty string in Huffman coding", HEADERS FIELDS "00 01 'x' 80", "1: 200 'content'"},
    {"RFC 7541, 6.2.3", "a field that is never indexed", HEADERS FIELDS "10 01 'x' 01 'y'", "1: 200 'content'"},
    {"8.2.1", "a name of no length", HEADERS FIELDS "00 00 01 'y'", "1: RST PROTOCOL_ERROR"},
    {"8.2.1", "NUL in a name", HEADERS FIELDS "00 03 'a' 00 'b' 01 'y'", "1: RST PROTOCOL_ERROR"},
    {"8.2.1", "NUL in a value", HEADERS FIELDS "00 01 'a' 03 'a' 00 'b'", "1: RST PROTOCOL_ERROR"},
    {"4.3", "an error of compression in trailers", "POST 1 /content; HEADERS 1 END_STREAM END_HEADERS 80",
     "GOAWAY COMPRESSION_ERROR"},
    {"4.3", "an error of compression behind a malformed field", HEADERS "{" GET_A " | Upper: x} 80",
     "GOAWAY COMPRESSION_ERROR or GOAWAY PROTOCOL_ERROR"},
    {"4.3", "an empty block", HEADERS, "1: RST PROTOCOL_ERROR"},
    {"RFC 7541, 4.2", "our table may be empty",
     "SETTINGS 0 HEADER_TABLE_SIZE=0; settle; GET 1 /content; GET 3 /content", "1: 200; 3: 200 'content'"},
    {"RFC 7541, 4.2", "our table may be small",
     "SETTINGS 0 HEADER_TABLE_SIZE=60; settle; GET 1 /content; GET 3 /content", "1: 200; 3: 200 'content'"},
    {"RFC 7541, 4.2", "our table may become small and large again",
     "GET 1 /content; await 1; SETTINGS 0 HEADER_TABLE_SIZE=0; SETTINGS 0 HEADER_TABLE_SIZE=8192; settle; GET 3 "
     "/content; GET 5 /content",
     "3: 200; 5: 200 'content'"},
    {"RFC 7541, 4.2", "our table may be huge",
     "SETTINGS 0 HEADER_TABLE_SIZE=0xffffffff; settle; GET 1 /content; GET 3 /content", "1: 200; 3: 200 'content'"},
};

START_TEST(block)
{
    h2_serve("");
    h2_try(&blocks[_i], false);
}
END_TEST

/* ---- sizes ---- */

static const struct h2_row sizes[] = {
    {"10.5.1", "as many fields as there may be", HEADERS "{" GET_A " | a: b | c: d | e: f | g: h}", "1: 200 'content'"},
    {"10.5.1", "too many fields",
     HEADERS
     "{" GET_A
     " | a: b | c: d | e: f | g: h | i: j | k: l | m: n | o: p | +range: bytes=1-2}; await 1; GET 3 /content be",
     "1: 431; 3: 206 'on' or 1: 400; 3: 206 'on'"},
    {"10.5.1", "too many crumbs of a cookie",
     HEADERS "{" GET_A " | cookie: a=b | cookie: a=b | cookie: a=b | cookie: a=b | cookie: a=b | cookie: a=b | cookie: "
             "a=b | cookie: a=b | cookie: a=b | +range: bytes=1-2}; await 1; GET 3 /content be",
     "1: 431; 3: 206 'on' or 1: 400; 3: 206 'on'"},
    {"10.5.1", "too long a field", HEADERS "{" GET_A "} 40 01 'a' 7f d1 0e 2000*61", "1: 431 or 1: 400"},
    {"10.5.1", "too long a :path", HEADERS "{:method: GET | :scheme: http | :authority: a} 04 7f d1 0e 2000*2f",
     "1: 414 or 1: 431 or 1: 400"},
};

START_TEST(size)
{
    h2_serve("max_headers 8; large_client_header_buffers 2 1k;");
    h2_try(&sizes[_i], false);
}
END_TEST

/* Crumbs are one field again for who reads it (8.2.3). */
START_TEST(crumbs)
{
    h2_serve("location /content/v { return 200 $http_cookie|$cookie_c;  } location = /content { return 200 content; }");
    struct h2_client k;
    h2_start(&k, site_port(0));
    h2_run(&k, HEADERS "{:method: GET | :scheme: http | :path: /content/v | :authority: a | cookie: a=b | x: y | "
                       "cookie: c=d | cookie: e=f}");
    const char *said = h2_check(&k, "1: 200");
    ck_assert_msg(!said, "%s", said);
    ck_assert_str_eq(h2_stream(&k.h, 1)->body, "a=b; c=d; e=f|d");
    h2_close(&k);
}
END_TEST

Suite *suite_h2_headers(void)
{
    Suite *s = suite_create("h2_headers");
    if (!needs_plain("h2_headers", "its client does not agree on h2 in a handshake"))
        return s;
    TCase *tc = site_case_with(s, "requests", 20, h2_pages);
    tcase_add_loop_test(tc, request, 0, sizeof requests / sizeof *requests);
    tcase_add_test(tc, crumbs);
    tc = site_case_with(s, "blocks", 20, h2_pages);
    tcase_add_loop_test(tc, block, 0, sizeof blocks / sizeof *blocks);
    tcase_add_loop_test(tc, size, 0, sizeof sizes / sizeof *sizes);
    return s;
}
