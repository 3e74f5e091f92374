/* test_h2_frames.c - RFC 9113, sections 3, 4 and 6: the preface, sizes of frames, flags, and each type
 * of frame where it may not be or with what it may not hold. A row is a script (h2_client.h) and what
 * the server must make of it; after all that leave the connection open, it must still work. */
#include "h2_client.h"

#include <stdlib.h>
#include <string.h>

/* ---- the preface ---- */

#define PREFACE  "bytes 'PRI * HTTP/2.0' 0d0a0d0a 'SM' 0d0a0d0a;"
#define SETTINGS "SETTINGS 0;"

static const struct h2_row prefaces[] = {
    {"3.4", "requests with the preface, before the server's SETTINGS", PREFACE SETTINGS "GET 1 /content",
     "1: 200 'content'"},
    {"3.4", "rows of SETTINGS in the preface", PREFACE "SETTINGS 0 INITIAL_WINDOW_SIZE=3; stall; GET 1 /content",
     "1: open 3"},
    {"3.4", "PING in the place of SETTINGS", PREFACE "PING 0 8*00", "GOAWAY PROTOCOL_ERROR"},
    {"3.4", "HEADERS in the place of SETTINGS", PREFACE "GET 1 /content", "GOAWAY PROTOCOL_ERROR"},
    {"3.4", "WINDOW_UPDATE in the place of SETTINGS", PREFACE "WINDOW_UPDATE 0 =1", "GOAWAY PROTOCOL_ERROR"},
    {"3.4", "an acknowledgement in the place of SETTINGS", PREFACE "bytes 000000 04 01 =0", "GOAWAY PROTOCOL_ERROR"},
    {"3.4", "a frame of no known type in the place of SETTINGS", PREFACE "0x17 0 'x'", "GOAWAY PROTOCOL_ERROR"},
    {"3.4", "the preface twice", PREFACE SETTINGS PREFACE, "GOAWAY PROTOCOL_ERROR|FRAME_SIZE_ERROR"},
    {"3.4", "too long a frame at once", PREFACE "bytes 004001 04 00 =0", "GOAWAY FRAME_SIZE_ERROR|PROTOCOL_ERROR"},
};

START_TEST(preface)
{
    h2_serve("");
    h2_try(&prefaces[_i], true);
}
END_TEST

/* Whatever else begins like one is no request that could be answered with 200. */
START_TEST(no_preface)
{
    static const char *const texts[] = {
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\rx",   "PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n", "PRI * HTTP/2.0\r\nHost: a\r\n\r\n",
        "PRI * HTTP/1.1\r\nHost: a\r\n\r\n", "PRI / HTTP/2.0\r\n\r\nSM\r\n\r\n",
    };
    h2_serve("");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct site_client c;
        client_open(&c, site_port(0));
        client_say(&c, "%s", texts[i]);
        client_end_sending(&c);
        while (client_fill(&c))
            ;
        ck_assert_msg(c.len == 0 || !memcmp(c.in, "HTTP/1.1 4", 10) || !memcmp(c.in, "HTTP/1.1 5", 10) ||
                          (c.len >= H2_FRAME_HEAD && (c.in[3] == H2_SETTINGS || c.in[3] == H2_GOAWAY)),
                      "%s: \"%.*s\"", texts[i], (int)c.len, c.in);
        client_close(&c);
    }
}
END_TEST

/* Each byte is seen by the server before the next one comes; the last one of all answers. */
START_TEST(byte_by_byte)
{
    struct h2_client k;
    h2_serve("");
    h2_open(&k, site_port(0));
    h2_begin(&k.h);
    h2_get(&k, "/content", "");
    struct h2_bytes all = k.h.out;
    k.h.out = (struct h2_bytes){0};
    for (size_t i = 0; i < all.len; i++) {
        ck_assert_uint_eq(client_send(&k.c, all.at + i, 1), 1);
        h2_pump_within(&k, 0);
    }
    free(all.at);
    const char *said = h2_check(&k, "1: 200 'content'");
    ck_assert_msg(!said, "%s", said);
    h2_close(&k);
}
END_TEST

/* ---- frames ---- */

#define HELD                                                                                                           \
    "stall; SETTINGS 0 INITIAL_WINDOW_SIZE=0; GET 1 /content; head 1;" /* half-closed, the answer waits for room */

static const struct h2_row frames[] = {
    {"4.1", "no known type, on stream 0", "0x17 0 'anything'; GET 1 /content", "1: 200 'content'"},
    {"4.1", "no known type, on an idle stream", "0x17 7 'anything'; GET 1 /content", "1: 200 'content'"},
    {"4.1", "no known type, on an open stream", "POST 1 /content; 0xff 1 'x'; DATA 1 END_STREAM 'x'", "1: 405"},
    {"4.1", "no known type, all flags", "0x17 0 ALL_OTHERS ACK END_HEADERS PADDED PRIORITIZED 'x'", "goes on"},
    {"4.1", "flags without a meaning for HEADERS",
     "HEADERS 1 ALL_OTHERS END_STREAM END_HEADERS "
     "{:method: GET | :scheme: http | :authority: a | :path: /content}",
     "1: 200 'content'"},
    {"4.1", "flags without a meaning for PING", "PING 0 ALL_OTHERS END_HEADERS PADDED 8*00", "goes on"},
    {"4.1", "flags without a meaning for DATA", "POST 1 /content; DATA 1 ALL_OTHERS END_HEADERS END_STREAM 'x'",
     "1: 405"},
    {"4.1", "flags without a meaning for WINDOW_UPDATE", "WINDOW_UPDATE 0 ALL_OTHERS ACK =1", "goes on"},
    {"4.1", "the reserved bit of a stream's number",
     "HEADERS 0x80000001 END_STREAM END_HEADERS "
     "{:method: GET | :scheme: http | :authority: a | :path: /content}",
     "1: 200 'content'"},

    {"4.2", "DATA as long as it may be", "POST 1 /content; DATA 1 END_STREAM 16384*61", "1: 405"},
    {"4.2", "DATA one byte longer", "POST 1 /content; DATA 1 16385*61",
     "GOAWAY FRAME_SIZE_ERROR or 1: RST FRAME_SIZE_ERROR"},
    {"4.2", "HEADERS one byte longer", "HEADERS 1 END_STREAM END_HEADERS 16385*00", "GOAWAY FRAME_SIZE_ERROR"},
    {"4.2", "SETTINGS of 16,386 bytes", "SETTINGS 0 16386*00", "GOAWAY FRAME_SIZE_ERROR"},
    {"4.2", "no known type, one byte longer", "0x17 0 16385*00", "GOAWAY FRAME_SIZE_ERROR"},
    {"4.2", "a head that promises 16 MiB", "0x17 0 length=0xffffff", "GOAWAY FRAME_SIZE_ERROR"},

    {"6.1", "DATA on stream 0", "DATA 0 'x'", "GOAWAY PROTOCOL_ERROR"},
    {"6.1", "DATA of padding alone", "POST 1 /content; DATA 1 PADDED 05 5*00; DATA 1 END_STREAM", "1: 405"},
    {"6.1", "padding of 255", "POST 1 /content; DATA 1 PADDED END_STREAM ff 'x' 255*00", "1: 405"},
    {"6.1", "padding of 0", "POST 1 /content; DATA 1 PADDED END_STREAM 00 'x'", "1: 405"},
    {"6.1", "padding longer than the payload", "POST 1 /content; DATA 1 PADDED 06 5*00", "GOAWAY PROTOCOL_ERROR"},
    {"6.1", "padding as long as the frame", "POST 1 /content; DATA 1 PADDED 01", "GOAWAY PROTOCOL_ERROR"},
    {"6.1", "PADDED without its length", "POST 1 /content; DATA 1 PADDED", "GOAWAY PROTOCOL_ERROR|FRAME_SIZE_ERROR"},

    {"6.2", "HEADERS on stream 0", "HEADERS 0 END_STREAM END_HEADERS {:method: GET}", "GOAWAY PROTOCOL_ERROR"},
    {"6.2", "HEADERS with padding",
     "HEADERS 1 PADDED END_STREAM END_HEADERS 03 "
     "{:method: GET | :scheme: http | :authority: a | :path: /content} 3*00",
     "1: 200 'content'"},
    {"6.2", "HEADERS with padding longer than the payload", "HEADERS 1 PADDED END_STREAM END_HEADERS 40 82",
     "GOAWAY PROTOCOL_ERROR"},
    {"6.2", "HEADERS with PADDED and nothing", "HEADERS 1 PADDED END_STREAM END_HEADERS",
     "GOAWAY PROTOCOL_ERROR|FRAME_SIZE_ERROR"},
    {"6.2", "HEADERS with a priority",
     "HEADERS 1 PRIORITIZED END_STREAM END_HEADERS =0 10 "
     "{:method: GET | :scheme: http | :authority: a | :path: /content}",
     "1: 200 'content'"},
    {"6.2", "HEADERS with padding and a priority",
     "HEADERS 1 PADDED PRIORITIZED END_STREAM END_HEADERS 02 =0x80000000 ff "
     "{:method: GET | :scheme: http | :authority: a | :path: /content} 2*00",
     "1: 200 'content'"},
    {"6.2", "half a priority", "HEADERS 1 PRIORITIZED END_STREAM END_HEADERS 000000",
     "GOAWAY FRAME_SIZE_ERROR|PROTOCOL_ERROR"},

    {"6.3", "PRIORITY of an idle stream", "PRIORITY 3 =1 10; GET 1 /content; GET 3 /content",
     "1: 200; 3: 200 'content'"},
    {"6.3", "PRIORITY of a closed stream", "GET 1 /content; await 1; PRIORITY 1 =0 10", "1: 200"},
    {"6.3", "PRIORITY between two frames of DATA",
     "POST 1 /content; DATA 1 'x'; PRIORITY 1 =0 10; DATA 1 END_STREAM 'x'", "1: 405"},
    {"6.3", "PRIORITY on stream 0", "PRIORITY 0 =1 10", "GOAWAY PROTOCOL_ERROR"},
    {"6.3", "PRIORITY of 4 bytes", HELD "PRIORITY 1 =0", "1: RST FRAME_SIZE_ERROR or GOAWAY FRAME_SIZE_ERROR"},
    {"6.3", "PRIORITY of 6 bytes", HELD "PRIORITY 1 =0 1000", "1: RST FRAME_SIZE_ERROR or GOAWAY FRAME_SIZE_ERROR"},

    {"6.4", "RST_STREAM ends an answer", HELD "RST_STREAM 1 =8; SETTINGS 0 INITIAL_WINDOW_SIZE=100", "goes on"},
    {"6.4", "RST_STREAM with a code that nobody knows",
     HELD "RST_STREAM 1 =0xfffffff0; SETTINGS 0 INITIAL_WINDOW_SIZE=100", "goes on"},
    {"6.4", "RST_STREAM of an answered stream", "GET 1 /content; await 1; RST_STREAM 1 =8", "1: 200"},
    {"6.4", "RST_STREAM on stream 0", "RST_STREAM 0 =8", "GOAWAY PROTOCOL_ERROR"},
    {"6.4", "RST_STREAM of an idle stream", "RST_STREAM 1 =8", "GOAWAY PROTOCOL_ERROR"},
    {"6.4", "RST_STREAM of 3 bytes", HELD "RST_STREAM 1 000000", "GOAWAY FRAME_SIZE_ERROR"},
    {"6.4", "RST_STREAM of 5 bytes", HELD "RST_STREAM 1 =0 00", "GOAWAY FRAME_SIZE_ERROR"},

    {"6.5", "SETTINGS on a stream", "SETTINGS 1", "GOAWAY PROTOCOL_ERROR"},
    {"6.5", "SETTINGS of 5 bytes", "SETTINGS 0 5*00", "GOAWAY FRAME_SIZE_ERROR"},
    {"6.5", "an acknowledgement with a row", "SETTINGS 0 ACK MAX_FRAME_SIZE=16384", "GOAWAY FRAME_SIZE_ERROR"},
    {"6.5.2", "a setting that nobody knows", "SETTINGS 0 UNKNOWN=7", "goes on"},
    {"6.5.2", "ENABLE_PUSH of 1", "SETTINGS 0 ENABLE_PUSH=1", "goes on"},
    {"6.5.2", "ENABLE_PUSH of 2", "SETTINGS 0 ENABLE_PUSH=2", "GOAWAY PROTOCOL_ERROR"},
    {"6.5.2", "INITIAL_WINDOW_SIZE of 2^31-1", "SETTINGS 0 INITIAL_WINDOW_SIZE=0x7fffffff; GET 1 /content", "1: 200"},
    {"6.5.2", "INITIAL_WINDOW_SIZE of 2^31", "SETTINGS 0 INITIAL_WINDOW_SIZE=0x80000000", "GOAWAY FLOW_CONTROL_ERROR"},
    {"6.5.2", "MAX_FRAME_SIZE of 16,383", "SETTINGS 0 MAX_FRAME_SIZE=16383", "GOAWAY PROTOCOL_ERROR"},
    {"6.5.2", "MAX_FRAME_SIZE of 2^24", "SETTINGS 0 MAX_FRAME_SIZE=0x1000000", "GOAWAY PROTOCOL_ERROR"},
    {"6.5.2", "MAX_CONCURRENT_STREAMS of 0 is of pushed ones", "SETTINGS 0 MAX_CONCURRENT_STREAMS=0; GET 1 /content",
     "1: 200"},
    {"6.5.2", "MAX_HEADER_LIST_SIZE is advice", "SETTINGS 0 MAX_HEADER_LIST_SIZE=1; GET 1 /content", "1: 200"},
    {"6.5.3", "rows are taken in their order",
     "SETTINGS 0 INITIAL_WINDOW_SIZE=9 INITIAL_WINDOW_SIZE=3; stall; GET 1 /content", "1: open 3"},
    {"6.5.3", "an error after a good row", "SETTINGS 0 INITIAL_WINDOW_SIZE=9 ENABLE_PUSH=2", "GOAWAY PROTOCOL_ERROR"},

    {"6.6", "PUSH_PROMISE of a client", "GET 1 /content; PUSH_PROMISE 1 END_HEADERS =2 82", "GOAWAY PROTOCOL_ERROR"},
    {"6.6", "PUSH_PROMISE on stream 0", "PUSH_PROMISE 0 END_HEADERS =2 82", "GOAWAY PROTOCOL_ERROR"},

    {"6.7", "PING on a stream", "PING 1 8*00", "GOAWAY PROTOCOL_ERROR"},
    {"6.7", "PING of 7 bytes", "PING 0 7*00", "GOAWAY FRAME_SIZE_ERROR"},
    {"6.7", "PING of 9 bytes", "PING 0 9*00", "GOAWAY FRAME_SIZE_ERROR"},
    {"6.7", "an answer to no PING", "PING 0 ACK 8*00", "goes on"},

    {"6.8", "GOAWAY on a stream", "GOAWAY 1 =0 =0", "GOAWAY PROTOCOL_ERROR"},
    {"6.8", "GOAWAY of 7 bytes", "GOAWAY 0 7*00", "GOAWAY FRAME_SIZE_ERROR"},

    {"6.9", "WINDOW_UPDATE of 0 for the connection", "WINDOW_UPDATE 0 =0", "GOAWAY PROTOCOL_ERROR"},
    {"6.9", "WINDOW_UPDATE of 0 for a stream", HELD "WINDOW_UPDATE 1 =0",
     "1: RST PROTOCOL_ERROR or GOAWAY PROTOCOL_ERROR"},
    {"6.9", "WINDOW_UPDATE of 0 with the reserved bit", "WINDOW_UPDATE 0 =0x80000000", "GOAWAY PROTOCOL_ERROR"},
    {"6.9", "WINDOW_UPDATE of 1 with the reserved bit", HELD "WINDOW_UPDATE 1 =0x80000001", "1: open 1"},
    {"6.9", "WINDOW_UPDATE of an idle stream", "WINDOW_UPDATE 1 =1", "GOAWAY PROTOCOL_ERROR"},
    {"6.9", "WINDOW_UPDATE of an answered stream", "GET 1 /content; await 1; WINDOW_UPDATE 1 =1", "1: 200"},
    {"6.9", "WINDOW_UPDATE of a stream that was reset",
     HELD "RST_STREAM 1 =8; WINDOW_UPDATE 1 =1; SETTINGS 0 INITIAL_WINDOW_SIZE=100", "goes on"},
    {"6.9", "WINDOW_UPDATE of 3 bytes", "WINDOW_UPDATE 0 000001", "GOAWAY FRAME_SIZE_ERROR"},
    {"6.9", "WINDOW_UPDATE of 5 bytes", "WINDOW_UPDATE 0 =1 00", "GOAWAY FRAME_SIZE_ERROR"},

    {"RFC 9218, 7.1", "PRIORITY_UPDATE", "PRIORITY_UPDATE 0 =1 'u=1, i'; GET 1 /content", "1: 200 'content'"},
    {"RFC 9218, 7.1", "PRIORITY_UPDATE that cannot be parsed", "PRIORITY_UPDATE 0 =1 'u='; GET 1 /content",
     "1: 200 'content' or GOAWAY PROTOCOL_ERROR"},
    {"RFC 9218, 7.1", "PRIORITY_UPDATE on a stream", "GET 1 /content; PRIORITY_UPDATE 1 =1 'u=1'",
     "GOAWAY PROTOCOL_ERROR"},
    {"RFC 9218, 7.1", "PRIORITY_UPDATE of stream 0", "PRIORITY_UPDATE 0 =0 'u=1'", "GOAWAY PROTOCOL_ERROR"},
    {"RFC 9218, 7.1", "PRIORITY_UPDATE of 3 bytes", "PRIORITY_UPDATE 0 000001",
     "GOAWAY FRAME_SIZE_ERROR|PROTOCOL_ERROR"},
    {"RFC 9218, 7.1", "PRIORITY_UPDATE of an answered stream", "GET 1 /content; await 1; PRIORITY_UPDATE 0 =1 'u=1'",
     "1: 200"},
    {"RFC 9218, 2.1", "NO_RFC7540_PRIORITIES of 2", "SETTINGS 0 NO_RFC7540_PRIORITIES=2", "GOAWAY PROTOCOL_ERROR"},
};

START_TEST(frame)
{
    h2_serve("");
    h2_try(&frames[_i], false);
}
END_TEST

/* Sixteen at once, each answered with its own bytes (6.7). */
START_TEST(pings_are_echoed)
{
    struct h2_client k;
    h2_serve("");
    h2_start(&k, site_port(0));
    for (unsigned i = 0; i < 16; i++)
        h2_frame(&k.h, H2_PING, 0, 0, (char[]){'p', 'i', 'n', 'g', 0, 1, 2, (char)i}, 8);
    h2_flush(&k);
    k.h.answers = false;
    for (unsigned i = 0; i < 16; i++) {
        while (k.c.len < 17)
            ck_assert(client_fill(&k.c));
        ck_assert_mem_eq(k.c.in, "\0\0\10\6\1\0\0\0\0ping\0\1\2", 16);
        ck_assert_int_eq(k.c.in[16], (int)i);
        k.c.len -= 17;
        memmove(k.c.in, k.c.in + 17, k.c.len);
    }
    h2_close(&k);
}
END_TEST

/* A client that says GOAWAY gets what it asked for before (6.8). */
START_TEST(goaway_of_a_client)
{
    struct h2_client k;
    h2_serve("");
    h2_start(&k, site_port(0));
    h2_run(&k, "stall; GET 1 /big; head 1; GOAWAY 0 =0 =0; settle; drain; await 1");
    struct h2_stream *s = h2_stream(&k.h, 1);
    ck_assert(s->ended && s->len == H2_BIG);
    assert_pattern(s->body, s->len, 0);
    h2_close(&k);
}
END_TEST

Suite *suite_h2_frames(void)
{
    Suite *s = suite_create("h2_frames");
    if (!needs_plain("h2_frames", "its client does not agree on h2 in a handshake"))
        return s;
    TCase *tc = site_case_with(s, "preface", 20, h2_pages);
    tcase_add_loop_test(tc, preface, 0, sizeof prefaces / sizeof *prefaces);
    tcase_add_plain_test(tc, no_preface, "HTTP/1 on the same port");
    tcase_add_test(tc, byte_by_byte);
    tc = site_case_with(s, "frames", 20, h2_pages);
    tcase_add_loop_test(tc, frame, 0, sizeof frames / sizeof *frames);
    tcase_add_test(tc, pings_are_echoed);
    tcase_add_test(tc, goaway_of_a_client);
    return s;
}
