/* SPDX-License-Identifier: Apache-2.0 */
/* Each variable is read by the code that reads its key, so both obey the same rules. */
#include "conf/override.h"

#include "base/suggest.h"
#include "conf/section.h"

enum { OVERRIDE_LISTENS_MAX = 16 };

static const struct place nowhere = {0, 0, 1};

static struct span variable(const struct reader *reader, struct span name)
{
    return reader->world->variable(reader->world->to, name);
}

static void apply_word(struct reader *reader, struct span name, struct span key)
{
    const struct field *field = field_find(&log_fields, key);
    struct span value = variable(reader, name);
    struct complaint *complaint = NULL;
    struct why why = {""};
    int near = -1;

    if (value.len == 0 || field_read(field, value, reader->snapshot, &why) == ERR_NONE) {
        return;
    }
    complaint = reader_complain(reader, nowhere, "%s", why.text);
    near = suggest_nearest(value, field->words, field->words_count);
    if (near >= 0) {
        complaint_help(complaint, "did you mean \"%.*s\"?", SPAN_ARGS(field->words[near]));
    }
}

static void apply_listen(struct reader *reader, struct span text)
{
    struct snapshot *snapshot = reader->snapshot;
    struct listen_address *addresses = NULL;
    struct place *places = NULL;
    size_t count = 0;

    if (text.len == 0) {
        return;
    }
    addresses = reader_take(reader, OVERRIDE_LISTENS_MAX * sizeof *addresses);
    places = reader_take(reader, OVERRIDE_LISTENS_MAX * sizeof *places);
    text = arena_copy(&snapshot->arena, text);
    if (addresses == NULL || places == NULL || snapshot->arena.failed) {
        reader->has_no_memory = true;
        return;
    }
    for (struct span rest = text; rest.at != NULL;) {
        struct span one = span_trim(span_cut(&rest, ','));

        if (count == OVERRIDE_LISTENS_MAX) {
            reader_complain(reader, nowhere, "must have 1 to 16 addresses");
            break;
        }
        places[count] = nowhere;
        if (listen_read_address(reader, nowhere, one, &addresses[count])) {
            count++;
        }
    }
    snapshot->listens = addresses;
    snapshot->listens_count = count;
    reader->places.listens = places;
}

static void apply_secret(struct reader *reader, struct span path_name, const char *name,
                         struct span *secret)
{
    struct span value = {NULL, 0};
    struct path path;

    reader_enter(reader, &path, path_name, 0);
    if (reader_variable_secret(reader, nowhere, name, &value) && value.len > 0) {
        *secret = value;
    }
    reader_leave(reader);
}

void override_apply(struct reader *reader)
{
    struct path path;

    reader_enter(reader, &path, SPAN_OF("HEADGATE_LISTEN"), 0);
    apply_listen(reader, variable(reader, SPAN_OF("HEADGATE_LISTEN")));
    reader_leave(reader);
    reader_enter(reader, &path, SPAN_OF("HEADGATE_LOG_LEVEL"), 0);
    apply_word(reader, SPAN_OF("HEADGATE_LOG_LEVEL"), SPAN_OF("level"));
    reader_leave(reader);
    reader_enter(reader, &path, SPAN_OF("HEADGATE_LOG_FORMAT"), 0);
    apply_word(reader, SPAN_OF("HEADGATE_LOG_FORMAT"), SPAN_OF("format"));
    reader_leave(reader);
    apply_secret(reader, SPAN_OF("admin.token"), "HEADGATE_ADMIN_TOKEN",
                 &reader->snapshot->admin_token);
    apply_secret(reader, SPAN_OF("key_secret"), "HEADGATE_KEY_SECRET",
                 &reader->snapshot->keys.secret);
}
