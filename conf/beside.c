/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/beside.h"

enum { SNIPPET = 160 };

void beside_path(const struct reader *reader, struct span name, struct buf *path)
{
    size_t folder = reader->file_name.len;

    while (folder > 0 && reader->file_name.at[folder - 1] != '/') {
        folder--;
    }
    if (name.at[0] != '/') {
        buf_put(path, span_make(reader->file_name.at, folder));
    }
    buf_put(path, name);
}

bool beside_read(struct reader *reader, const struct node *node, const struct buf *path,
                 const char *help, struct buf *text)
{
    struct why why = {""};
    enum err err = path->failed ? ERR_MEMORY
                                : reader->world->file(reader->world->to, buf_span(path), text, &why);

    if (err == ERR_MEMORY) {
        reader->has_no_memory = true;
    } else if (err != ERR_NONE) {
        complaint_help(reader_complain(reader, node->place, "cannot be read: %s", why.text), "%s",
                       help);
    }
    return err == ERR_NONE;
}

void beside_complain(struct reader *reader, const struct node *node,
                     const struct complaints *complaints, const char *command, struct span what)
{
    const struct complaint *first = &complaints->list[0];
    size_t more = complaints->count + complaints->more - 1;
    struct complaint *complaint = NULL;

    if (more == 0) {
        complaint =
            reader_complain(reader, node->place, "line %u, column %u: %.*s", (unsigned)first->line,
                            (unsigned)first->column, SNIPPET, first->text);
    } else {
        complaint = reader_complain(reader, node->place, "line %u, column %u: %.*s (and %zu more)",
                                    (unsigned)first->line, (unsigned)first->column, SNIPPET,
                                    first->text, more);
    }
    complaint_help(complaint, "%s%.*s shows all of it", command, SPAN_ARGS(what));
}
