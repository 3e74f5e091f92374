/* certificate.c - runs openssl(1). See certificate.h. */
#include "certificate.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void openssl(const char *dir, const char *format, ...)
{
    char arguments[2000], command[6200];
    va_list args;

    va_start(args, format);
    vsnprintf(arguments, sizeof arguments, format, args);
    va_end(args);
    snprintf(command, sizeof command, "cd '%.4000s' && openssl %s >openssl.out 2>&1 || { cat openssl.out; exit 1; }",
             dir, arguments);
    ck_assert_msg(system(command) == 0, "%s", command);
}

void certificate_make(const char *dir, const char *name, const char *options)
{
    openssl(dir, "req -x509 -nodes -keyout %s.key -out %s.crt%s%s%s %s", name, name,
            strstr(options, "-newkey") ? "" : " -newkey ec -pkeyopt ec_paramgen_curve:P-256",
            strstr(options, "-days") ? "" : " -days 60",
            strstr(options, "-subj") ? "" : " -subj /CN=localhost -addext subjectAltName=DNS:localhost", options);
}
