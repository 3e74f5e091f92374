/* notify.h - tells a service manager how far we are (sd_notify(3), Type=notify). Nothing happens without one. */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);

#endif
