/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/json_splice.h"

#include "base/must.h"

static size_t put_piece(struct span pieces[JSON_PIECES_MAX], size_t count, struct span piece)
{
    if (piece.len > 0) {
        pieces[count] = piece;
        count++;
    }
    return count;
}

size_t json_splice(struct span document, const struct json_edit *edits, size_t count,
                   struct span pieces[JSON_PIECES_MAX])
{
    size_t pieces_count = 0;
    size_t at = 0;

    must(count <= JSON_EDITS_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct json_edit *edit = &edits[i];

        must(edit->at >= at && edit->at <= document.len);
        must(edit->cut <= document.len - edit->at);
        pieces_count =
            put_piece(pieces, pieces_count, span_make(document.at + at, (size_t)edit->at - at));
        pieces_count = put_piece(pieces, pieces_count, edit->put);
        at = (size_t)(edit->at + edit->cut);
    }
    return put_piece(pieces, pieces_count, span_from(document, at));
}
