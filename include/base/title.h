/* title.h - what ps(1) shows of a process. */
#ifndef BASE_TITLE_H
#define BASE_TITLE_H

/* Moves the environment away and keeps the room of argv and environ for titles. Before any thread
 * or setenv(). Where there is no memory, titles stay as they are. `argv` itself stays valid. */
void title_init(int argc, char **argv);

void title_set(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The command line as it was given, for the master's title. */
const char *title_command(void);

#endif
