/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/contract/index_world.h"

#define NOW (SEED_T0 + INT64_C(6000) * STEP_MS)

char folder[64];
char journal_folder[96];
static const struct journal_rules rules = {.retention_ms = INT64_C(400) * 86400000};
struct seeded *all;

int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/headgate-index-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    (void)snprintf(journal_folder, sizeof journal_folder, "%s/journal", folder);
    all = calloc(RECORDS, sizeof *all);
    for (uint64_t i = 0; i < RECORDS; i++) {
        seed_record(&all[i], i, STEP_MS);
    }
    return 0;
}

void shell(const char *command)
{
    (void)setenv("D", folder, 1);
    assert_int_equal(system(command), 0);
}

int tear_down(void **state)
{
    (void)state;
    shell("rm -rf \"$D\"");
    free(all);
    return 0;
}

void append(uint64_t first, uint64_t count)
{
    struct journal *journal = NULL;
    struct journal_place at;
    struct why why;
    struct buf lines;

    buf_init(&lines, 64 << 20);
    assert_int_equal(journal_open(span_of(journal_folder), &rules, NULL, &journal, &why), ERR_NONE);
    for (uint64_t i = first; i < first + count; i++) {
        record_put_line(&lines, &all[i].record);
        if (lines.len > 100000 || i + 1 == first + count) {
            assert_true(journal_append(journal, buf_span(&lines), SEED_T0, &at, &why));
            buf_clear(&lines);
        }
    }
    journal_close(journal);
    buf_fini(&lines);
}

struct index *open_index(struct why *why)
{
    struct index_options options = {
        .folder = span_of(folder), .journal = span_of(journal_folder), .seed = {1, 2}};
    struct index *index = NULL;
    enum err err = index_open(&options, &index, why);

    if (err != ERR_NONE) {
        fail_msg("%s", why->text);
    }
    return index;
}

void catch_up(struct index *index)
{
    struct why why;

    while (index_step(index, (struct journal_place){UINT64_MAX, UINT64_MAX})) {
    }
    if (index_trouble(index, &why)) {
        fail_msg("%s", why.text);
    }
}

struct index *followed(void)
{
    struct why why;
    struct index *index = open_index(&why);

    assert_string_equal(why.text, "");
    catch_up(index);
    return index;
}

enum err ask(struct index *index, enum query_kind kind, const char *url, struct buf *out,
             struct why *why)
{
    struct query query;
    struct buf decoded;
    enum err err = ERR_NONE;

    buf_init(&decoded, 4096);
    query_init(&query, kind);
    err = query_read_url(&query, span_of(url), &decoded, why);
    if (err == ERR_NONE) {
        err = usage_answer(index, &query, NOW, out, why);
    }
    buf_fini(&decoded);
    return err;
}

bool contains(struct buf *out, const char *text)
{
    return span_find(buf_span(out), span_of(text)) != NULL;
}
