/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of pages, from pages.def. */
#include "admin/page.h"

#include "base/must.h"

static const struct page *const pages[] = {
#define PAGE(name) &page_##name,
#include "admin/pages.def"
#undef PAGE
};

const struct page *page_find(struct span path)
{
    for (size_t i = 0; i < ARRAY_LENGTH(pages); i++) {
        if (span_equal(path, pages[i]->path) ||
            (pages[i]->alias.len > 0 && span_equal(path, pages[i]->alias))) {
            return pages[i];
        }
    }
    return NULL;
}
