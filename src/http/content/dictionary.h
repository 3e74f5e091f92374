/* dictionary.h - compression dictionaries: files that clients are told to keep as a dictionary, and
 * what may be sent to those that have one. The side files themselves are variant.c's. RFC 9842. */
#ifndef HTTP_CONTENT_DICTIONARY_H
#define HTTP_CONTENT_DICTIONARY_H

#include "file/identity.h"
#include "http/request/request.h"

/* Values of dictionary_module, http, server and location. */
struct dictionary_conf {
    bool assume_secure; /* whatever the connection is */
    struct dictionary_use {
        struct template *match; /* NULL: off */
        struct text options;    /* ", match-dest=..." and so on, as the field has them */
    } use;
};

extern struct conf_module dictionary_module; /* rows: compression_dictionary, assume_secure_transport */

/* The client came by a transport that others cannot read (RFC 9842, 9.1). The location has a
 * dictionary_conf, as for the following. */
bool dictionary_is_secure(const struct request *r);

/* The digest of the dictionary that the client has, where its answer may be compressed with it: one
 * field that is well-formed, a secure transport, and no page of another origin that may not read the
 * answer (9.3.3). */
bool dictionary_available(struct request *r, unsigned char digest[DIGEST_LEN]);

/* Adds Use-As-Dictionary to a response that is decided, where it is a whole file's. */
void dictionary_offer(struct request *r);

#endif
