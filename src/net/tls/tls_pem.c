/* tls_pem.c - opens what directives name as PEM. See tls_private.h. PEM_read_bio(3) */
#include "net/tls/tls_private.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#define DATA "data:"

BIO *tls_pem_open(const struct tls_word *w, const char *what, struct arena *arena, const char **error)
{
    struct text word = text_of(w->word);
    bool is_data = text_starts(word, TEXT(DATA));

    errno = 0;
    BIO *file =
        is_data ? BIO_new_mem_buf(word.at + strlen(DATA), (int)(word.len - strlen(DATA))) : BIO_new_file(word.at, "re");
    if (file)
        return file;
    int err = errno;
    ERR_clear_error(); /* it says the same, at length */
    *error = tls_error(arena, w, "cannot load %s \"%s\": open() failed (%d: %s)", what, w->word, err, strerror(err));
    return NULL;
}

bool tls_pem_ended(void)
{
    unsigned long e = ERR_peek_last_error();

    if (ERR_GET_LIB(e) != ERR_LIB_PEM || ERR_GET_REASON(e) != PEM_R_NO_START_LINE)
        return false;
    ERR_clear_error();
    return true;
}
