/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/curl_loop.h: one multi of libcurl on our loop: its sockets, its timer, and who is told when
 * one of its transfers or dials is done. */
#ifndef PROXY_CURL_LOOP_H
#define PROXY_CURL_LOOP_H

#define CURL_DISABLE_DEPRECATION
#include <curl/curl.h>

#include "base/err.h"
#include "proxy/loop.h"

struct curl_loop;

/* Told once for each handle that is done, outside of libcurl: it may remove and clean handles. */
typedef void curl_loop_done(void *to, CURL *easy, CURLcode code);

/* NULL when it cannot be made. */
struct curl_loop *curl_loop_new(struct loop *loop, curl_loop_done *on_done, void *to);
/* All its handles have been removed before. */
void curl_loop_free(struct curl_loop *curl_loop);
/* The handle's work begins in the next turn. ERR_MEMORY. */
MUST_CHECK enum err curl_loop_add(struct curl_loop *curl_loop, CURL *easy);
/* Never from inside a callback of libcurl. */
void curl_loop_remove(struct curl_loop *curl_loop, CURL *easy);
/* Lets libcurl look at all its sockets and clocks, whatever it asked for. */
void curl_loop_poke(struct curl_loop *curl_loop);

#endif
