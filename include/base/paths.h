/* paths.h - where an installed sluice looks for things; `make install` and the build decide. */
#ifndef BASE_PATHS_H
#define BASE_PATHS_H

#ifndef SLUICE_PREFIX
#define SLUICE_PREFIX "/usr/local/share/sluice/"
#endif
#ifndef SLUICE_CONF_PATH
#define SLUICE_CONF_PATH "/usr/local/etc/sluice/sluice.conf"
#endif
#ifndef SLUICE_LOG_DIR
#define SLUICE_LOG_DIR "/usr/local/var/log/sluice/"
#endif
#ifndef SLUICE_PID_PATH
#define SLUICE_PID_PATH "/run/sluice.pid"
#endif

#define SLUICE_ACCESS_LOG_PATH SLUICE_LOG_DIR "access.log"
#define SLUICE_ERROR_LOG_PATH  SLUICE_LOG_DIR "error.log"

#endif
