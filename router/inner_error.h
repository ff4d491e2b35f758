/* SPDX-License-Identifier: Apache-2.0 */
/* router/inner_error.h: an error that came under a good status (in a stream, or as a 200 body)
 * stands for the status it would have had. Pure. */
#ifndef ROUTER_INNER_ERROR_H
#define ROUTER_INNER_ERROR_H

#include "wire/dialect.h"

/* The HTTP status by the error's own number, type or code; 502 when nothing is known. */
unsigned inner_error_status(const struct provider_error *error);

#endif
