/* tls_error.c - texts of errors, with what libssl has to say. See tls_private.h.
 * ERR_get_error_all(3) */
#include "base/buffer.h"
#include "net/tls/tls_private.h"

#include <openssl/err.h>

void tls_error_add(struct buffer *b)
{
    const char *data, *separator = " (SSL: ", *end = "";
    char text[256];
    int flags;

    for (unsigned long code; (code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0;) {
        ERR_error_string_n(code, text, sizeof text);
        buffer_printf(b, "%s%s%s%s", separator, text, flags & ERR_TXT_STRING && *data ? ":" : "",
                      flags & ERR_TXT_STRING ? data : "");
        separator = " ";
        end = ")";
    }
    buffer_add_str(b, end);
}

const char *tls_error(struct arena *arena, const struct tls_word *where, const char *format, ...)
{
    struct buffer b;
    va_list args;

    va_start(args, format);
    const char *text = arena_vprintf(arena, format, args);
    va_end(args);
    buffer_init(&b);
    buffer_add_str(&b, text ? text : "no memory");
    tls_error_add(&b);
    if (where)
        buffer_printf(&b, " in %s:%u", where->file, where->line);
    text = b.failed ? NULL : arena_copy(arena, b.data, b.len);
    buffer_fini(&b);
    return text ? text : "no memory";
}
