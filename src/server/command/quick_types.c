/* quick_types.c - media types of common files, for `sluice DIR` where conf/mime.types is not
 * installed. */
#include "server/command/quick.h"

static const struct {
    const char *type, *extensions;
} types[] = {
    {"text/html", "html htm"},
    {"text/css", "css"},
    {"text/javascript", "js mjs"},
    {"text/plain", "txt text log conf"},
    {"text/markdown", "md"},
    {"text/csv", "csv"},
    {"text/xml", "xml xsl"},
    {"text/vtt", "vtt"},
    {"application/json", "json map"},
    {"application/manifest+json", "webmanifest"},
    {"application/xhtml+xml", "xhtml"},
    {"application/atom+xml", "atom"},
    {"application/rss+xml", "rss"},
    {"application/wasm", "wasm"},
    {"application/pdf", "pdf"},
    {"application/zip", "zip"},
    {"application/gzip", "gz tgz"},
    {"application/x-tar", "tar"},
    {"application/x-bzip2", "bz2"},
    {"application/x-xz", "xz"},
    {"application/zstd", "zst"},
    {"application/x-7z-compressed", "7z"},
    {"application/epub+zip", "epub"},
    {"application/octet-stream", "bin iso img dmg deb rpm exe"},
    {"image/png", "png"},
    {"image/jpeg", "jpg jpeg"},
    {"image/gif", "gif"},
    {"image/webp", "webp"},
    {"image/avif", "avif"},
    {"image/svg+xml", "svg svgz"},
    {"image/x-icon", "ico"},
    {"image/bmp", "bmp"},
    {"image/tiff", "tif tiff"},
    {"font/woff", "woff"},
    {"font/woff2", "woff2"},
    {"font/ttf", "ttf"},
    {"font/otf", "otf"},
    {"audio/mpeg", "mp3"},
    {"audio/ogg", "ogg oga opus"},
    {"audio/mp4", "m4a"},
    {"audio/flac", "flac"},
    {"audio/wav", "wav"},
    {"video/mp4", "mp4 m4v"},
    {"video/webm", "webm"},
    {"video/x-matroska", "mkv"},
    {"video/quicktime", "mov"},
    {"video/mpeg", "mpeg mpg"},
    {"video/mp2t", "ts"},
    {"application/vnd.apple.mpegurl", "m3u8"},
    {"application/dash+xml", "mpd"},
};

void quick_types(struct buffer *out)
{
    buffer_add_str(out, "    types {\n");
    for (unsigned i = 0; i < sizeof types / sizeof types[0]; i++)
        buffer_printf(out, "        %s %s;\n", types[i].type, types[i].extensions);
    buffer_add_str(out, "    }\n");
}
