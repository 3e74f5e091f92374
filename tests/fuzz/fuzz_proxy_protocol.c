/* fuzz_proxy_protocol.c - the header that a load balancer sends first, versions 1 and 2. A verdict
 * never changes when more bytes come, comes in time, and the addresses that are found are those
 * that were written; TLVs are found inside. */
#include "fuzz.h"

#include "net/proxy_protocol.h"
#include "net/proxy_tlv.h"

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

/* What is found lies inside, whatever the bytes are. */
static void check_tlvs(const uint8_t *data, size_t len)
{
    static const char *const names[] = {"alpn", "authority", "0xe0", "ssl", "ssl_cn", "ssl_0x21", "unique_id"};
    char *copy = fuzz_copy(data, len);
    struct text tlvs = {copy, len};
    uint32_t verify;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct text value = proxy_tlv_find(tlvs, text_of(names[i]));
        FUZZ_CHECK(!value.at || (value.at >= copy + 3 && value.at + value.len <= copy + len), "%s lies outside",
                   names[i]);
    }
    FUZZ_CHECK(!proxy_tlv_ssl_verify(tlvs, &verify) || proxy_tlv_find(tlvs, TEXT("ssl")).len >= 5, "a short ssl");
    free(copy);
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
    check_tlvs(data, size);
    if (verdict > 0 && earlier.known)
        check_line(&earlier);
    return 0;
}
