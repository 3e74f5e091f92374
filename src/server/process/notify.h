/* notify.h - tells a service manager how far we are (sd_notify(3), Type=notify). Nothing happens
 * without one. */
#ifndef SERVER_PROCESS_NOTIFY_H
#define SERVER_PROCESS_NOTIFY_H

#include <sys/types.h>

void notify_ready(void);     /* and this process is the main one */
void notify_main(pid_t pid); /* that one is */
void notify_reloading(void);
void notify_stopping(void); /* the service ends: not for a process that another one takes the place of */

#endif
