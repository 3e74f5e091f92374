/* fuzz_proxy_protocol.c - the header that a load balancer sends first, versions 1 and 2. A verdict never changes when more
 * bytes come, comes in time, and the addresses that are found are those that were written. */
#include "fuzz.h"

#include "net/proxy_protocol.h"

#include <arpa/inet.h>

static ssize_t parse(const uint8_t *data, size_t len, struct proxy_header *header)
{
    char *copy = fuzz_copy(data, len);
    ssize_t result = proxy_protocol_parse(copy, len, header);

    free(copy);
    return result;
}

static bool same_header(const struct proxy_header *a, const struct proxy_header *b)
{
    return a->known == b->known &&
           (!a->known || (address_equal(&a->source, &b->source) && address_equal(&a->target, &b->target)));
}

/* The header written as a line of version 1 says the same. */
static void check_line(const struct proxy_header *h)
{
    char source[ADDRESS_TEXT_SIZE], target[ADDRESS_TEXT_SIZE], line[128];
    struct proxy_header again;

    FUZZ_CHECK(h->source.any.sa_family == h->target.any.sa_family, "addresses of two families");
    FUZZ_CHECK(h->source.any.sa_family == AF_INET || h->source.any.sa_family == AF_INET6, "an odd family");
    address_format(&h->source, false, source);
    address_format(&h->target, false, target);
    int len =
        snprintf(line, sizeof line, "PROXY %s %s %s %u %u\r\n", h->source.any.sa_family == AF_INET ? "TCP4" : "TCP6",
                 source, target, address_port(&h->source), address_port(&h->target));
    FUZZ_CHECK(len > 0 && parse((const uint8_t *)line, (size_t)len, &again) == len, "its own line is refused: %s",
               line);
    FUZZ_CHECK(same_header(h, &again), "its own line says something else: %s", line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proxy_header header, earlier = {0};
    ssize_t verdict = 0;
    size_t most = size < PROXY_PROTOCOL_MOST + 16 ? size : PROXY_PROTOCOL_MOST + 16;

    for (size_t len = 0; len <= most; len++) {
        ssize_t result = parse(data, len, &header);
        FUZZ_CHECK(verdict == 0 || result == verdict, "%zd after %zd at %zu bytes", result, verdict, len);
        FUZZ_CHECK(verdict <= 0 || same_header(&header, &earlier), "other addresses at %zu bytes", len);
        FUZZ_CHECK(result != 0 || len < PROXY_PROTOCOL_MOST, "no verdict after %zu bytes", len);
        FUZZ_CHECK(result <= 16 + 65535, "a header of %zd bytes", result);
        verdict = result;
        earlier = header;
    }
    FUZZ_CHECK(parse(data, size, &header) == verdict || size > most, "another verdict");
    if (verdict > 0 && earlier.known)
        check_line(&earlier);
    return 0;
}
