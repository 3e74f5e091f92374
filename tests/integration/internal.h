/* internal.h - what the files of the harness need of each other. */
#ifndef INTERNAL_H
#define INTERNAL_H

/* The folder of the sockets, where the transport has some. */
#define SITE_SOCKETS "sockets"

void files_setup(void);
void files_remove(void);

#endif
