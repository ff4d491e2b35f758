/* SPDX-License-Identifier: Apache-2.0 */
/* base/list.h: an intrusive ring. The owner embeds a `struct link`; a link that stands nowhere
 * points at itself. LIST_OWNER gets the owner back from its link. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct link {
    struct link *next;
    struct link *prev;
};

#define LIST_OWNER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline void list_init(struct link *link)
{
    link->next = link;
    link->prev = link;
}

static inline bool list_is_empty(const struct link *head)
{
    return head->next == head;
}

static inline void list_remove(struct link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

static inline void list_push_back(struct link *head, struct link *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

static inline void list_push_front(struct link *head, struct link *link)
{
    list_push_back(head->next, link);
}

#endif
