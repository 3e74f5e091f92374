/* pid_file.h - the file that says which process is the master. */
#ifndef SERVER_PID_FILE_H
#define SERVER_PID_FILE_H

#include <sys/types.h>

int pid_file_write(const char *path, pid_t pid); /* whole or not at all; logs; 0 or -errno */
int pid_file_check(const char *path);            /* could it be written? for -t; logs; 0 or -errno */
void pid_file_remove(const char *path);          /* logs */

int pid_file_read(const char *path, pid_t *pid); /* logs nothing; -EINVAL: no number of a process */

/* sluice -s: reads the file and sends `signal`; logs. 0 or -errno. */
int pid_file_signal(const char *path, int signal);

#endif
