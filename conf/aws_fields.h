/* SPDX-License-Identifier: Apache-2.0 */
/* conf/aws_fields.h: what only providers at Amazon have under providers.<name>: which interface is asked, and access
 * keys, by which requests are signed. */
#ifndef CONF_AWS_FIELDS_H
#define CONF_AWS_FIELDS_H

#include "conf/reader.h"

/* Field readers; the object is the provider, whose kind has been read. */
void aws_read_api(struct reader *reader, const struct node *node, void *object);
void aws_read_access_key_id(struct reader *reader, const struct node *node, void *object);
void aws_read_secret_access_key(struct reader *reader, const struct node *node, void *object);
void aws_read_session_token(struct reader *reader, const struct node *node, void *object);

/* Which interface it is, where nobody wrote it: by the credential that is there. Before the address is read, which
 * follows from it. Without effect on other kinds, and the second time. */
void aws_settle_api(struct reader *reader, struct provider *provider);
/* Without a written credential: whether access keys are it, written or in the environment, which are then taken. */
bool aws_takes_keys(struct reader *reader, const struct node *node, struct provider *provider);
/* Whether access keys could be written: no api is, or one that takes them. After aws_settle_api. */
bool aws_may_sign(const struct node *node, const struct provider *provider);
/* All is read: whether it goes together. */
void aws_check(struct reader *reader, const struct node *node, const struct provider *provider);

#endif
