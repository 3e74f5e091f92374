/* proxy_tlv.c - the TLVs of a PROXY protocol header. Pure; called for $proxy_protocol_tlv_*. See
 * proxy_tlv.h. */
#include "net/proxy_tlv.h"

enum {
    HEAD_SIZE = 3,     /* type, and length in two bytes */
    SSL_HEAD_SIZE = 5, /* before the TLVs inside of that one: flags of the client, and verify in four bytes */
    TYPE_SSL = 0x20
};

struct named {
    struct text name;
    unsigned type;
};

static const struct named names[] = {
    {{"alpn", 4}, 0x01},    {{"authority", 9}, 0x02}, {{"unique_id", 9}, 0x05},
    {{"ssl", 3}, TYPE_SSL}, {{"netns", 5}, 0x30},
};

static const struct named ssl_names[] = {
    {{"version", 7}, 0x21}, {{"cn", 2}, 0x22}, {{"cipher", 6}, 0x23}, {{"sig_alg", 7}, 0x24}, {{"key_alg", 7}, 0x25},
};

static struct text find(struct text tlvs, unsigned type)
{
    while (tlvs.len >= HEAD_SIZE) {
        const unsigned char *at = (const unsigned char *)tlvs.at;
        size_t len = (size_t)at[1] << 8 | at[2];
        tlvs = text_from(tlvs, HEAD_SIZE);
        if (len > tlvs.len)
            return TEXT_NONE;
        if (at[0] == type)
            return (struct text){tlvs.at, len};
        tlvs = text_from(tlvs, len);
    }
    return TEXT_NONE;
}

/* 1 to 255, by a name or as 0xNN; 0: there is no such type. */
static unsigned type_of(struct text name, const struct named *known, size_t count)
{
    unsigned type = 0;

    for (size_t i = 0; i < count; i++)
        if (text_equal(known[i].name, name))
            return known[i].type;
    if (!text_starts(name, TEXT("0x")) || name.len > 4)
        return 0;
    for (size_t i = 2; i < name.len; i++) {
        char c = text_lower(name.at[i]);
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
            return 0;
        type = type << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return type;
}

struct text proxy_tlv_find(struct text tlvs, struct text name)
{
    const struct named *known = names;
    size_t count = sizeof names / sizeof *names;

    if (text_starts(name, TEXT("ssl_"))) {
        struct text ssl = find(tlvs, TYPE_SSL);
        tlvs = ssl.len > SSL_HEAD_SIZE ? text_from(ssl, SSL_HEAD_SIZE) : TEXT_NONE;
        name = text_from(name, 4);
        known = ssl_names;
        count = sizeof ssl_names / sizeof *ssl_names;
    }
    unsigned type = type_of(name, known, count);
    return type > 0 ? find(tlvs, type) : TEXT_NONE;
}

bool proxy_tlv_ssl_verify(struct text tlvs, uint32_t *verify)
{
    struct text ssl = find(tlvs, TYPE_SSL);
    const unsigned char *at = (const unsigned char *)ssl.at;

    if (ssl.len < SSL_HEAD_SIZE)
        return false;
    *verify = (uint32_t)at[1] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 8 | at[4];
    return true;
}
