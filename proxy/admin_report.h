/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/admin_report.h: records that apps report on the operators' listener. They are the store thread's
 * business (admin_ask.h). Called by admin_mount.c. */
#ifndef PROXY_ADMIN_REPORT_H
#define PROXY_ADMIN_REPORT_H

#include <stdbool.h>

#include "wire/http1.h"

struct call;

/* Whether records are reported at this path. */
bool admin_report_is(struct span path);
/* Judges the head of a report; the body is looked at when the request is whole. False: it was answered
 * (a no), the call is closed. */
bool admin_report_open(struct call *call, const struct http1_head *head, const char *base);

#endif
