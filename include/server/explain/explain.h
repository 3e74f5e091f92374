/* explain.h - `sluice explain URL`: what the server of a configuration would do with one request,
 * step by step. */
#ifndef SERVER_EXPLAIN_EXPLAIN_H
#define SERVER_EXPLAIN_EXPLAIN_H

/* argv[0] is "explain". The exit code: 0 when explained, whatever the status; 1 for an error of the
 * arguments or of the configuration. */
int explain_run(int argc, char **argv);

#endif
