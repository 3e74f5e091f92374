/* proxy_tlv.h - what a PROXY protocol header of version 2 says besides addresses: types, lengths,
 * values. https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt, 2.2 */
#ifndef NET_PROXY_TLV_H
#define NET_PROXY_TLV_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* The value by the name that nginx's $proxy_protocol_tlv_ uses: alpn, authority, unique_id, ssl,
 * netns, 0xE0; of what stands in ssl: ssl_version, ssl_cn, ssl_cipher, ssl_sig_alg, ssl_key_alg,
 * ssl_0x21. In lower case. A view of `tlvs`; absent: it is not there. Pure. */
struct text proxy_tlv_find(struct text tlvs, struct text name);

/* The number that tells whether the client's certificate was verified (0: it was). False: it is not
 * there. */
bool proxy_tlv_ssl_verify(struct text tlvs, uint32_t *verify);

#endif
