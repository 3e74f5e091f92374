/* library.h - the library that HTTP/2 is made with. */
#ifndef HTTP_H2_LIBRARY_H
#define HTTP_H2_LIBRARY_H

/* "nghttp2 1.52.0", for -V; NULL: built without. */
const char *h2_library(void);

#endif
