/* SPDX-License-Identifier: Apache-2.0 */
/* All top-level keys as one table, from sections.def. */
#include "conf/section.h"

static const struct field_table *const sections[] = {
#define SECTION(name) &section_##name,
#include "conf/sections.def"
#undef SECTION
};

const struct field_table *section_at(size_t i)
{
    return i < ARRAY_LENGTH(sections) ? sections[i] : NULL;
}

struct field_table section_keys(struct field rows[FIELDS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LENGTH(sections); i++) {
        for (size_t j = 0; j < sections[i]->count; j++) {
            must(count < FIELDS_MAX);
            rows[count++] = sections[i]->fields[j];
        }
    }
    return (struct field_table){rows, count};
}
