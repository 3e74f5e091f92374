/* healthcheck.h - `sluice healthcheck [URL]`: asks a server whether it is well, without a shell. */
#ifndef SERVER_COMMAND_HEALTHCHECK_H
#define SERVER_COMMAND_HEALTHCHECK_H

int healthcheck_run(int argc, char **argv); /* argv[0] is "healthcheck"; 0: well, 1: not, or misused */

#endif
