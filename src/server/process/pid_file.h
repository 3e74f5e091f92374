/* pid_file.h - the file that says which process is the master.
 * https://nginx.org/en/docs/ngx_core_module.html#pid
 *
 * Where a path is NULL (`pid off`), there is no file: nothing is written, removed or read. */
#ifndef SERVER_PROCESS_PID_FILE_H
#define SERVER_PROCESS_PID_FILE_H

#include <stdbool.h>
#include <sys/types.h>

/* Links, devices and FIFOs are written through and stay; where the folder may not be written, so is
 * the file in it. What cannot be removed is emptied. */
int pid_file_write(const char *path, pid_t pid); /* whole or not at all; logs; 0 or -errno */
int pid_file_check(const char *path);            /* could it be written? for -t; logs; 0 or -errno */
void pid_file_remove(const char *path);          /* logs */

/* Renames the file, which names `pid`; where a rename is impossible, `to` is written and `from`
 * removed. Logs; 0 or -errno. */
int pid_file_move(const char *from, const char *to, pid_t pid);

bool pid_file_is_same(const char *a, const char *b); /* two names of one file */

int pid_file_read(const char *path, pid_t *pid); /* logs nothing; -EINVAL: no number of a process */

/* sluice -s: reads the file and sends `signal`; logs. 0 or -errno. */
int pid_file_signal(const char *path, int signal);

#endif
