/* available_dictionary.h - the field Available-Dictionary: the SHA-256 digest of the dictionary that a
 * client has. Pure. RFC 9842, 2.2; RFC 9651, 3.3.5. */
#ifndef HTTP_SYNTAX_AVAILABLE_DICTIONARY_H
#define HTTP_SYNTAX_AVAILABLE_DICTIONARY_H

#include "base/text.h"

enum { AVAILABLE_DIGEST_LEN = 32 };

/* `value`, of the one field of that name, to the digest. False: it is malformed, or of another
 * length. Parameters behind it say nothing. */
bool available_dictionary_parse(struct text value, unsigned char digest[AVAILABLE_DIGEST_LEN]);

#endif
