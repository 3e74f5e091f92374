/* qr.c - a QR code by libqrencode, drawn with half blocks. */
#include "server/command/qr.h"

#include <errno.h>
#include <qrencode.h>

enum { QUIET = 2 }; /* modules; the standard wants four, what reads them from screens is content with two */

static bool is_dark(const QRcode *code, int row, int column)
{
    bool inside = row >= 0 && row < code->width && column >= 0 && column < code->width;

    return inside && (code->data[row * code->width + column] & 1);
}

static const char *block(bool upper_is_dark, bool lower_is_dark)
{
    if (upper_is_dark)
        return lower_is_dark ? " " : "\u2584";
    return lower_is_dark ? "\u2580" : "\u2588";
}

static void draw(struct buffer *out, const QRcode *code, bool colours)
{
    for (int row = -QUIET; row < code->width + QUIET; row += 2) {
        buffer_add_str(out, colours ? "\033[97;40m" : "");
        for (int column = -QUIET; column < code->width + QUIET; column++)
            buffer_add_str(out, block(is_dark(code, row, column), is_dark(code, row + 1, column)));
        buffer_add_str(out, colours ? "\033[0m\n" : "\n");
    }
}

int qr_draw(struct buffer *out, const char *text, bool colours)
{
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);

    if (!code)
        return errno == ENOMEM ? -ENOMEM : -EINVAL;
    draw(out, code, colours);
    QRcode_free(code);
    return out->failed ? -ENOMEM : 0;
}
