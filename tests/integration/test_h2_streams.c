/* test_h2_streams.c - RFC 9113, sections 5.1, 6.10 and 8.1: numbers and states of streams, header
 * blocks in several frames, messages whose parts do not fit. Rows as in h2_client.h. */
#include "h2_client.h"

#define FIELDS "{:method: GET | :scheme: http | :authority: a | :path: /content}"
/* Half-closed by the client, its answer waits for room. */
#define HELD "stall; SETTINGS 0 INITIAL_WINDOW_SIZE=0; GET 1 /content; head 1;"
/* libnghttp2 takes the number of any closed stream for one that was reset a moment ago, and lets such frames pass. */
#define UNHEARD " or goes on"
#define WAKE    "SETTINGS 0 INITIAL_WINDOW_SIZE=1000;"

static const struct h2_row states[] = {
    {"5.1", "DATA of an idle stream", "DATA 1 'x'", "GOAWAY PROTOCOL_ERROR"},
    {"5.1", "DATA of a stream that was passed over", "GET 5 /content; await 5; DATA 3 'x'",
     "GOAWAY PROTOCOL_ERROR|STREAM_CLOSED" UNHEARD},
    {"5.1", "DATA of a half-closed stream", HELD "DATA 1 'x'", "1: RST STREAM_CLOSED or GOAWAY STREAM_CLOSED"},
    {"5.1", "empty DATA of a half-closed stream", HELD "DATA 1 END_STREAM",
     "1: RST STREAM_CLOSED or GOAWAY STREAM_CLOSED"},
    {"5.1", "HEADERS of a half-closed stream", HELD "HEADERS 1 END_STREAM END_HEADERS {a: b}",
     "1: RST STREAM_CLOSED or GOAWAY STREAM_CLOSED"},
    {"5.1", "a second request on a half-closed stream", HELD "GET 1 /content",
     "1: RST STREAM_CLOSED or GOAWAY STREAM_CLOSED"},
    {"5.1", "WINDOW_UPDATE of a half-closed stream", HELD "WINDOW_UPDATE 1 =3", "1: open 3"},
    {"5.1", "DATA of an answered stream", "GET 1 /content; await 1; DATA 1 'x'",
     "GOAWAY STREAM_CLOSED|PROTOCOL_ERROR or 1: RST STREAM_CLOSED" UNHEARD},
    {"5.1", "HEADERS of an answered stream", "GET 1 /content; await 1; GET 1 /content",
     "GOAWAY STREAM_CLOSED|PROTOCOL_ERROR or 1: RST STREAM_CLOSED" UNHEARD},
    {"5.1", "CONTINUATION of an answered stream", "GET 1 /content; await 1; CONTINUATION 1 END_HEADERS " FIELDS,
     "GOAWAY STREAM_CLOSED|PROTOCOL_ERROR"},
    {"5.1", "DATA after RST_STREAM of the client", "POST 1 /content; RST_STREAM 1 =8; DATA 1 'x'",
     "GOAWAY STREAM_CLOSED|PROTOCOL_ERROR or goes on"},
    {"5.1", "HEADERS after RST_STREAM of the client", HELD "RST_STREAM 1 =8; GET 1 /content; " WAKE,
     "GOAWAY STREAM_CLOSED|PROTOCOL_ERROR or goes on"},
    {"5.1", "DATA on its way to a stream that the server reset",
     "POST 1 /content {content-length: 1}; DATA 1 'xx'; DATA 1 'x'; DATA 1 'x'", "1: RST PROTOCOL_ERROR"},
    {"5.1", "WINDOW_UPDATE and RST_STREAM on their way to it",
     "POST 1 /content {content-length: 1}; DATA 1 'xx'; WINDOW_UPDATE 1 =5; RST_STREAM 1 =8", "goes on"},
    {"5.1", "trailers on their way to it",
     "POST 1 /content {content-length: 1}; DATA 1 'xx'; HEADERS 1 END_STREAM END_HEADERS {+a: b}; GET 3 /content be",
     "1: RST PROTOCOL_ERROR; 3: 200"},

    {"5.1.1", "an even number", "GET 2 /content", "GOAWAY PROTOCOL_ERROR"},
    {"5.1.1", "a number below the last one", "GET 5 /content; await 5; GET 3 /content",
     "GOAWAY PROTOCOL_ERROR|STREAM_CLOSED" UNHEARD},
    {"5.1.1", "a number below one that is open",
     "SETTINGS 0 INITIAL_WINDOW_SIZE=0; GET 5 /content; head 5; GET 3 /content",
     "GOAWAY PROTOCOL_ERROR|STREAM_CLOSED" UNHEARD},
    {"5.1.1", "numbers left out", "GET 7 /content; GET 101 /content", "7: 200 'content'; 101: 200 'content'"},

    {"6.10", "a block in two frames",
     "HEADERS 1 END_STREAM {:method: GET | :scheme: http}; CONTINUATION 1 END_HEADERS {:authority: a | :path: "
     "/content}",
     "1: 200 'content'"},
    {"6.10", "a field in two frames",
     "HEADERS 1 END_STREAM {:method: GET | :scheme: http | :authority: a} 00 05 '"
     ":pa'; CONTINUATION 1 'th' 08; CONTINUATION 1 END_HEADERS '/content'",
     "1: 200 'content'"},
    {"6.10", "an empty CONTINUATION at the end", "HEADERS 1 END_STREAM " FIELDS "; CONTINUATION 1 END_HEADERS",
     "1: 200 'content'"},
    {"6.10", "empty frames all along",
     "HEADERS 1 END_STREAM; CONTINUATION 1; CONTINUATION 1 " FIELDS "; CONTINUATION 1; CONTINUATION 1 END_HEADERS",
     "1: 200 'content'"},
    {"6.10", "a padded HEADERS, then CONTINUATION",
     "HEADERS 1 END_STREAM PADDED 05 {:method: GET} 5*00; CONTINUATION 1 END_HEADERS "
     "{:scheme: http | :authority: a | :path: /content}",
     "1: 200 'content'"},
    {"6.10", "END_STREAM of CONTINUATION means nothing",
     "HEADERS 1 " FIELDS "; CONTINUATION 1 END_STREAM END_HEADERS; DATA 1 END_STREAM", "1: 200 'content' or 1: 405"},
    {"6.10", "CONTINUATION first", "CONTINUATION 1 END_HEADERS " FIELDS, "GOAWAY PROTOCOL_ERROR"},
    {"6.10", "CONTINUATION on stream 0", "HEADERS 1 END_STREAM " FIELDS "; CONTINUATION 0 END_HEADERS",
     "GOAWAY PROTOCOL_ERROR"},
    {"6.10", "CONTINUATION of another stream", "HEADERS 1 END_STREAM " FIELDS "; CONTINUATION 3 END_HEADERS",
     "GOAWAY PROTOCOL_ERROR"},
    {"6.10", "CONTINUATION after END_HEADERS", "POST 1 /content; CONTINUATION 1 END_HEADERS {a: b}",
     "GOAWAY PROTOCOL_ERROR"},
    {"6.10", "HEADERS between", "HEADERS 1 END_STREAM {:method: GET}; GET 3 /content", "GOAWAY PROTOCOL_ERROR"},
    {"6.10", "HEADERS of the same stream between", "HEADERS 1 END_STREAM {:method: GET}; GET 1 /content",
     "GOAWAY PROTOCOL_ERROR"},
    {"6.10", "DATA between", "HEADERS 1 {:method: GET}; DATA 1 'x'", "GOAWAY PROTOCOL_ERROR"},
    {"6.10", "PING between", "HEADERS 1 END_STREAM {:method: GET}; PING 0 8*00", "GOAWAY PROTOCOL_ERROR"},
    {"6.10", "SETTINGS between", "HEADERS 1 END_STREAM {:method: GET}; SETTINGS 0", "GOAWAY PROTOCOL_ERROR"},
    {"6.10", "PRIORITY between", "HEADERS 1 END_STREAM {:method: GET}; PRIORITY 1 =0 10", "GOAWAY PROTOCOL_ERROR"},
    {"6.10", "RST_STREAM between", "HEADERS 1 END_STREAM {:method: GET}; RST_STREAM 1 =8", "GOAWAY PROTOCOL_ERROR"},
    {"6.10", "WINDOW_UPDATE between", "HEADERS 1 END_STREAM {:method: GET}; WINDOW_UPDATE 0 =1",
     "GOAWAY PROTOCOL_ERROR"},
    {"6.10", "no known type between", "HEADERS 1 END_STREAM {:method: GET}; 0x17 1 'x'", "GOAWAY PROTOCOL_ERROR"},
    {"6.10", "GOAWAY between", "HEADERS 1 END_STREAM {:method: GET}; GOAWAY 0 =0 =0", "GOAWAY PROTOCOL_ERROR"},

    {"8.1", "trailers", "POST 1 /content; DATA 1 'x'; HEADERS 1 END_STREAM END_HEADERS {x-sum: 5}", "1: 405"},
    {"8.1", "trailers without DATA", "POST 1 /content; HEADERS 1 END_STREAM END_HEADERS {x-sum: 5}", "1: 405"},
    {"8.1", "trailers in two frames",
     "POST 1 /content; DATA 1 'x'; HEADERS 1 END_STREAM {x-sum: 5}; CONTINUATION 1 END_HEADERS {b: c}", "1: 405"},
    {"8.1", "empty trailers", "POST 1 /content; DATA 1 'x'; HEADERS 1 END_STREAM END_HEADERS", "1: 405"},
    {"8.1", "trailers of a GET", "HEADERS 1 END_HEADERS " FIELDS "; HEADERS 1 END_STREAM END_HEADERS {x-sum: 5}",
     "1: 200 'content'"},
    {"8.1", "trailers that do not end the stream", "POST 1 /content; DATA 1 'x'; HEADERS 1 END_HEADERS {x-sum: 5}",
     "1: RST PROTOCOL_ERROR or GOAWAY PROTOCOL_ERROR"},
    {"8.1", "a pseudo-header field in trailers", "POST 1 /content; HEADERS 1 END_STREAM END_HEADERS {:path: /content}",
     "1: RST PROTOCOL_ERROR"},
    {"8.1", "upper case in trailers", "POST 1 /content; HEADERS 1 END_STREAM END_HEADERS {X-Sum: 5}",
     "1: RST PROTOCOL_ERROR"},
    {"8.1", "connection in trailers", "POST 1 /content; HEADERS 1 END_STREAM END_HEADERS {connection: close}",
     "1: RST PROTOCOL_ERROR"},

    {"8.1.1", "content-length that fits", "POST 1 /content {content-length: 3}; DATA 1 'ab'; DATA 1 END_STREAM 'c'",
     "1: 405"},
    {"8.1.1", "content-length counts no padding",
     "POST 1 /content {content-length: 3}; DATA 1 PADDED END_STREAM 02 'abc' 0000", "1: 405"},
    {"8.1.1", "content-length of 0", "GET 1 /content {content-length: 0}", "1: 200 'content'"},
    {"8.1.1", "less DATA than content-length", "POST 1 /content {content-length: 3}; DATA 1 END_STREAM 'ab'",
     "1: RST PROTOCOL_ERROR"},
    {"8.1.1", "more DATA than content-length", "POST 1 /content {content-length: 3}; DATA 1 END_STREAM 'abcd'",
     "1: RST PROTOCOL_ERROR"},
    {"8.1.1", "no DATA in spite of content-length", "GET 1 /content {content-length: 3}", "1: RST PROTOCOL_ERROR"},
    {"8.1.1", "trailers before content-length is reached",
     "POST 1 /content {content-length: 3}; DATA 1 'ab'; HEADERS 1 END_STREAM END_HEADERS {a: b}",
     "1: RST PROTOCOL_ERROR"},
    {"8.1.1", "content-length twice, alike",
     "POST 1 /content {content-length: 3 | content-length: 3}; DATA 1 END_STREAM 'abc'",
     "1: RST PROTOCOL_ERROR or 1: 400 or 1: 405"},
    {"8.1.1", "content-length twice, different",
     "POST 1 /content {content-length: 3 | content-length: 4}; DATA 1 END_STREAM 'abc'",
     "1: RST PROTOCOL_ERROR or 1: 400"},
    {"8.1.1", "content-length that is no number", "POST 1 /content {content-length: 3x}; DATA 1 END_STREAM 'abc'",
     "1: RST PROTOCOL_ERROR or 1: 400"},
    {"8.1.1", "content-length below 0", "POST 1 /content {content-length: -1}; DATA 1 END_STREAM 'abc'",
     "1: RST PROTOCOL_ERROR or 1: 400"},
    {"8.1.1", "content-length past 64 bits",
     "POST 1 /content {content-length: 18446744073709551619}; DATA 1 END_STREAM 'abc'",
     "1: RST PROTOCOL_ERROR or 1: 400 or 1: 413"},

    {"8.1", "an answer before the whole request", "POST 1 /content {content-length: 2000000}; DATA 1 'x'; await 1",
     "1: 413 or 1: 405"},
};

START_TEST(state)
{
    h2_serve("");
    h2_try(&states[_i], false);
}
END_TEST

/* ---- with two streams at most ---- */

#define THREE                                                                                                          \
    "stall; SETTINGS 0 INITIAL_WINDOW_SIZE=0; GET 1 /content; GET 3 /content; head 1; head 3; GET 5 /content {+a: b};"

static const struct h2_row limited[] = {
    {"5.1.2", "one stream too many", THREE, "5: RST REFUSED_STREAM|PROTOCOL_ERROR"},
    {"5.1.2", "the others are not disturbed", THREE "await 5;" WAKE,
     "1: 200 'content'; 3: 200 'content'; 5: RST REFUSED_STREAM|PROTOCOL_ERROR"},
    {"5.1.2", "HPACK goes on after it", THREE "await 5;" WAKE "await 1; await 3; GET 7 /content be",
     "7: 200 'content'"},
    {"5.1.2", "room comes back by RST_STREAM", THREE "await 5; RST_STREAM 1 =8; GET 7 /content; head 7;" WAKE,
     "3: 200; 7: 200 'content'"},
    {"5.1.2", "room comes back by an answer", THREE "await 5;" WAKE "await 1; await 3; GET 7 /content; GET 9 /content",
     "7: 200 'content'; 9: 200 'content'"},
    {"5.1.2", "idle streams of PRIORITY do not count",
     "PRIORITY 9 =0 10; PRIORITY 11 =0 10; PRIORITY 13 =0 10; GET 1 /content", "1: 200 'content'"},
};

START_TEST(two_streams)
{
    h2_serve("http2_max_concurrent_streams 2;");
    h2_try(&limited[_i], false);
}
END_TEST

Suite *suite_h2_streams(void)
{
    Suite *s = suite_create("h2_streams");
    if (!needs_plain("h2_streams", "its client does not agree on h2 in a handshake"))
        return s;
    TCase *tc = site_case_with(s, "streams", 20, h2_pages);
    tcase_add_loop_test(tc, state, 0, sizeof states / sizeof *states);
    tcase_add_loop_test(tc, two_streams, 0, sizeof limited / sizeof *limited);
    return s;
}
