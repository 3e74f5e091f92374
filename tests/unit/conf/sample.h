/* sample.h - a small server's tables, for the tests of this folder: main, events, http, server,
 * location, types. */
#ifndef UNIT_CONF_SAMPLE_H
#define UNIT_CONF_SAMPLE_H

#include "conf/parse.h"

struct sample_main {
    int64_t processes, connections;
    struct text user;
};

struct sample_http {
    bool sendfile;
    int64_t chunk, directio, alignment, timeout, expires, requests;
    struct conf_bufs bufs;
    struct text type;
    const char *root;
    bool is_alias;
    int tokens;
    int finished; /* how many finish() calls this block saw */
    unsigned repeats;
};

extern struct conf_module sample_main_module, sample_http_module;
extern struct conf_module *const sample_modules[];
extern char sample_types[1024]; /* "word word;" of every line of types { } */
extern char sample_finishes[256];

/* Reads `bytes` (as the file "t.conf" in prefix "/p/") into a fresh arena; the previous one is
 * freed. */
struct conf_result *sample_read(const char *bytes);
struct conf_result *sample_read_file(const char *path, const char *globals);
void sample_done(void);

/* The n-th block of that context, in the order of the file. */
struct conf_block *sample_block(struct conf_block *from, enum conf_context context, unsigned n);
struct sample_http *sample_values(enum conf_context context, unsigned n);

#endif
