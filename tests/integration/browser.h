/* browser.h - a headless Chromium that a test talks to over the DevTools protocol, through a pair
 * of pipes. https://chromedevtools.github.io/devtools-protocol/ */
#ifndef BROWSER_H
#define BROWSER_H

#include <stdbool.h>

/* Starts it with a blank page. False, with a line that says so: there is no Chromium here. It ends
 * with the test. */
bool browser_open(void);
void browser_close(void);

/* Of the page: CSS pixels. A phone also has a touch screen. */
void browser_size(int width, int height, bool phone);
void browser_dark(bool dark);
void browser_without_script(bool without);

/* Loads and waits until all is there. */
void browser_go(const char *url);

/* Runs it in the page; fails the test unless it, or the promise that it is, comes to true. */
void browser_expect(const char *expression);

/* The same, asked again and again until it does, for at most some seconds. */
void browser_await(const char *expression);

void browser_run(const char *expression);

/* Nothing was said on the console, no script failed, no policy was violated; and every request
 * since the start went to `origin`, or nowhere (data:). */
void browser_expect_peace(const char *origin);

/* What screen readers are told of the page has such a node: its ARIA role, and its whole name. */
void browser_expect_accessible(const char *role, const char *name);

/* A picture for people, named NAME.png, in the folder that BROWSER_SHOTS names; without it,
 * none. */
void browser_shoot(const char *name);

#endif
