/* certificate.h - certificates that the tests make for themselves, by openssl(1). */
#ifndef CERTIFICATE_H
#define CERTIFICATE_H

/* Writes DIR/NAME.crt and DIR/NAME.key: by itself signed, for localhost, P-256, 60 days; `options` of
 * openssl-req(1) change that ("-newkey rsa:2048", "-days 3", "-subj /CN=x"), and may be "". */
void certificate_make(const char *dir, const char *name, const char *options);

/* Runs `openssl` with the arguments in `dir`; ends the test where that fails. */
void openssl(const char *dir, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
