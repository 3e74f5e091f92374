/* internal.h - what the files of the harness need of each other. */
#ifndef INTERNAL_H
#define INTERNAL_H

void files_setup(void);
void files_remove(void);

#endif
