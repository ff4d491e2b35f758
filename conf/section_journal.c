/* SPDX-License-Identifier: Apache-2.0 */
/* state_dir and journal: where usage records are kept, and for how long. */
#include "conf/section.h"

static const struct span durabilities[] = {SPAN("process"), SPAN("power")}; /* enum durability */
static const struct span on_full_words[] = {SPAN("reject"), SPAN("degrade")};

static const struct field rows[] = {
    {.name = "durability",
     .type = FIELD_WORD,
     .place = offsetof(struct snapshot, journal.durability),
     .initial = "process",
     .words = durabilities,
     .words_count = ARRAY_LENGTH(durabilities),
     .help =
         "process: a crash of headgate loses no record, a power cut at most 100 ms of them; power: "
         "neither does, and a call waits for the disk before it is sent and before its last byte"},
    {.name = "retention",
     .type = FIELD_DURATION,
     .place = offsetof(struct snapshot, journal.retention_ms),
     .initial = "7d",
     .min = "1m",
     .max = "45d",
     .help = "how long records stay in the journal at least"},
    {.name = "max",
     .type = FIELD_SIZE,
     .place = offsetof(struct snapshot, journal.max),
     .initial = "4GiB",
     .min = "16MiB",
     .max = "1024GiB",
     .help = "size of the journal at half of which an alarm is given"},
    {.name = "on_full",
     .type = FIELD_SWITCH,
     .place = offsetof(struct snapshot, journal.degrades),
     .initial = "reject",
     .words = on_full_words,
     .words_count = ARRAY_LENGTH(on_full_words),
     .help = "when the disk fails: reject calls, or degrade, which serves them while there is room "
             "in memory and counts the records that are lost after that"},
};

const struct field_table journal_fields = FIELD_TABLE(rows);

static void read_state_dir(struct reader *reader, const struct node *node, void *object)
{
    struct snapshot *snapshot = object;
    struct span text = {NULL, 0};

    if (!reader_text(reader, node, &text)) {
        return;
    }
    if (text.len == 0 || text.len > STATE_DIR_MAX || memchr(text.at, '\0', text.len) != NULL) {
        reader_complain(reader, node->place, "must be the path of a folder");
        return;
    }
    snapshot->state_dir = arena_copy(&snapshot->arena, text);
}

static const struct field fields[] = {
    {.name = "state_dir",
     .type = FIELD_CUSTOM,
     .read = read_state_dir,
     .help = "folder for usage records; one process each"},
    {.name = "journal",
     .type = FIELD_MAP,
     .inner = &journal_fields,
     .help = "how usage records are kept"},
};

const struct field_table section_journal = FIELD_TABLE(fields);
