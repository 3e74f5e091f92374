/* proxy_protocol.h - the header that a load balancer puts before a connection's first byte: who the
 * client is. Versions 1 and 2. https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt */
#ifndef NET_PROXY_PROTOCOL_H
#define NET_PROXY_PROTOCOL_H

#include "base/text.h"
#include "net/address.h"

#include <stddef.h>
#include <sys/types.h>

enum {
    PROXY_PROTOCOL_MOST = 256,     /* bytes that the parser needs to see at most */
    PROXY_PROTOCOL_TLV_MOST = 4096 /* of TLVs that are kept; those behind are thrown away */
};

struct proxy_header {
    bool known;                    /* it names addresses: not UNKNOWN, not LOCAL, over TCP */
    struct address source, target; /* of the client's connection to the balancer */
    size_t tlv_len;                /* bytes of TLVs (net/proxy_tlv.h) at its end */
    struct text tlvs;              /* those that are kept: the parser leaves that to its caller */
};

/* Looks at the bytes so far. 0: more are needed; -EINVAL: no such header; -EPROTONOSUPPORT: of a
 * version or command nobody knows; else the length of the header, of which the end (TLVs of version
 * 2) may still be to come. Pure. */
ssize_t proxy_protocol_parse(const char *bytes, size_t len, struct proxy_header *header);

#endif
