/* internal.h - what the files of the harness need of each other. */
#ifndef INTERNAL_H
#define INTERNAL_H

/* The folder of the sockets, where the transport has some. */
#define SITE_SOCKETS "sockets"

/* Of the files of the certificate and its key, where the transport needs them. */
#define SITE_CERTIFICATE "certificate"

#include <sys/types.h>

unsigned processes_in(pid_t group);

void conf_setup(void);
void conf_move(void); /* the written configuration, to other ports */
void conf_forget(void);

void files_setup(void);
void files_remove(void);

#endif
