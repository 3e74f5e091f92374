/* test_proxy_protocol.c - net/proxy_protocol: both versions, whole and in every part. */
#include "unit.h"

#include "net/proxy_protocol.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define V2(command, family, len) "\r\n\r\n\0\r\nQUIT\n" command family len
#define IN4                      "\x0a\x00\x00\x01\xc0\x00\x02\x05\xdc\x04\x00\x50"
#define IN6                      "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\xdc\x04\x01\xbb"

static const struct sample {
    const char *bytes;
    size_t len;
    ssize_t result;
    const char *source, *target; /* NULL: none */
} samples[] = {
#define SAMPLE(text, result, source, target)                                                                           \
    {                                                                                                                  \
        text, sizeof(text) - 1, result, source, target                                                                 \
    }
    SAMPLE("PROXY TCP4 10.0.0.1 192.0.2.5 56324 80\r\n", 40, "10.0.0.1:56324", "192.0.2.5:80"),
    SAMPLE("PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\nGET", 46, "[2001:db8::1]:56324", "[2001:db8::2]:443"),
    SAMPLE("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n", 44, "0.0.0.0:0", "255.255.255.255:65535"),
    SAMPLE("PROXY UNKNOWN\r\n", 15, NULL, NULL),
    SAMPLE("PROXY UNKNOWN what ever 1 2 3\r\n", 31, NULL, NULL),
    SAMPLE("PROXY UNKNOWNS\r\n", -EINVAL, NULL, NULL),
    SAMPLE("PROXY \r\n", -EINVAL, NULL, NULL),
    SAMPLE("PROXY TCP5 10.0.0.1 192.0.2.5 1 2\r\n", -EINVAL, NULL, NULL),
    SAMPLE("PROXY TCP4 10.0.0.1 192.0.2.5 1\r\n", -EINVAL, NULL, NULL),
    SAMPLE("PROXY TCP4 10.0.0.1 192.0.2.5 1 2 3\r\n", -EINVAL, NULL, NULL),
    SAMPLE("PROXY TCP4 10.0.0.1  192.0.2.5 1 2\r\n", -EINVAL, NULL, NULL),
    SAMPLE("PROXY  TCP4 10.0.0.1 192.0.2.5 1 2\r\n", -EINVAL, NULL, NULL),
    SAMPLE("PROXY TCP4 10.0.0.1 192.0.2.5 1 2 \r\n", -EINVAL, NULL, NULL),
    SAMPLE("PROXY TCP4 10.0.0.1 192.0.2.5 1 65536\r\n", -EINVAL, NULL, NULL),
    SAMPLE("PROXY TCP4 10.0.0.1 192.0.2.5 -1 2\r\n", -EINVAL, NULL, NULL),
    SAMPLE("PROXY TCP4 10.0.0.1 192.0.2.5 01 2\r\n", -EINVAL, NULL, NULL),
    SAMPLE("PROXY TCP4 10.0.0.1 192.0.2.5 1 2\rX", -EINVAL, NULL, NULL),
    SAMPLE("PROXY TCP4 10.0.0.256 192.0.2.5 1 2\r\n", -EINVAL, NULL, NULL),
    SAMPLE("PROXY TCP4 ::1 ::2 1 2\r\n", -EINVAL, NULL, NULL),
    SAMPLE("PROXY TCP6 10.0.0.1 192.0.2.5 1 2\r\n", -EINVAL, NULL, NULL),
    SAMPLE("PROXY TCP4 10.0.0.1\0 192.0.2.5 1 2\r\n", -EINVAL, NULL, NULL),
    SAMPLE("GET / HTTP/1.1\r\n", -EINVAL, NULL, NULL),
    SAMPLE("proxy TCP4 10.0.0.1 192.0.2.5 1 2\r\n", -EINVAL, NULL, NULL),
    SAMPLE("\r\n\r\nGET", -EINVAL, NULL, NULL),
    SAMPLE(V2("\x21", "\x11", "\0\x0c") IN4, 28, "10.0.0.1:56324", "192.0.2.5:80"),
    SAMPLE(V2("\x21", "\x21", "\0\x24") IN6, 52, "[2001:db8::1]:56324", "[2001:db8::2]:443"),
    SAMPLE(V2("\x21", "\x11", "\xff\xff") IN4, 16 + 65535, "10.0.0.1:56324", "192.0.2.5:80"), /* TLVs follow */
    SAMPLE(V2("\x20", "\x00", "\0\0"), 16, NULL, NULL),                                       /* LOCAL */
    SAMPLE(V2("\x20", "\x11", "\0\x0c") IN4, 28, NULL, NULL),
    SAMPLE(V2("\x21", "\x00", "\0\x05") "12345", 21, NULL, NULL), /* UNSPEC */
    SAMPLE(V2("\x21", "\x12", "\0\x0c") IN4, 28, NULL, NULL),     /* UDP */
    SAMPLE(V2("\x21", "\x31", "\0\xd8"), 16 + 0xd8, NULL, NULL),  /* unix: */
    SAMPLE(V2("\x21", "\x11", "\0\x0b") IN4, -EINVAL, NULL, NULL),
    SAMPLE(V2("\x21", "\x21", "\0\x0c") IN4, -EINVAL, NULL, NULL),
    SAMPLE(V2("\x22", "\x11", "\0\x0c") IN4, -EPROTONOSUPPORT, NULL, NULL),
    SAMPLE(V2("\x11", "\x11", "\0\x0c") IN4, -EPROTONOSUPPORT, NULL, NULL),
    SAMPLE(V2("\x31", "\x11", "\0\x0c") IN4, -EPROTONOSUPPORT, NULL, NULL),
};

/* Whole, and in no part anything but "more" or the same answer; what is behind the end is poison to
 * ASan. */
START_TEST(test_samples)
{
    const struct sample *s = &samples[_i];
    char text[ADDRESS_TEXT_SIZE];

    for (size_t len = 0; len <= s->len; len++) {
        struct proxy_header h;
        char *part = malloc(len ? len : 1);
        memcpy(part, s->bytes, len);
        ssize_t n = proxy_protocol_parse(part, len, &h);
        free(part);
        ck_assert_msg(n == s->result || (n == 0 && len < s->len), "%d, %zu bytes: %zd", _i, len, n);
        if (n <= 0)
            continue;
        ck_assert_int_eq(h.known, s->source != NULL);
        if (!s->source)
            continue;
        address_format(&h.source, true, text);
        ck_assert_str_eq(text, s->source);
        address_format(&h.target, true, text);
        ck_assert_str_eq(text, s->target);
    }
}
END_TEST

START_TEST(test_line_without_end)
{
    char line[200];
    struct proxy_header h;

    memset(line, 'x', sizeof line);
    memcpy(line, "PROXY UNKNOWN ", 14);
    ck_assert_int_eq(proxy_protocol_parse(line, 106, &h), 0);
    ck_assert_int_eq(proxy_protocol_parse(line, 107, &h), -EINVAL);
    memcpy(line + 105, "\r\n", 2);
    ck_assert_int_eq(proxy_protocol_parse(line, 200, &h), 107);
    memcpy(line + 105, "x\r\n", 3);
    ck_assert_int_eq(proxy_protocol_parse(line, 200, &h), -EINVAL);
}
END_TEST

Suite *suite_net_proxy_protocol(void)
{
    Suite *s = suite_create("net/proxy_protocol");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, test_samples, 0, sizeof samples / sizeof *samples);
    tcase_add_test(t, test_line_without_end);
    suite_add_tcase(s, t);
    return s;
}
