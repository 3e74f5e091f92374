/* version.h - the one place that says which version this is. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define SLUICE_VERSION "0.2.0"

#endif
