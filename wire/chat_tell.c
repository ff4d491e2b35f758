/* SPDX-License-Identifier: Apache-2.0 */
/* What a reader of streams tells, on its way to a writer: the rules that hold for all of them (wire/chat.h). */
#include "wire/chat.h"

static void pass(struct chat_pipe *pipe, const struct chat_event *event)
{
    pipe->writer_row->write_event(pipe->writer, event, pipe);
}

void chat_note_unknown(struct chat_pipe *pipe, struct span word)
{
    size_t len = word.len < sizeof pipe->unknown_room ? word.len : sizeof pipe->unknown_room;

    if (len > 0) {
        memcpy(pipe->unknown_room, word.at, len);
    }
    pipe->unknown = span_make(pipe->unknown_room, len);
}

enum chat_finish chat_settle_finish(enum chat_finish told, bool has_calls)
{
    bool is_stop = told == CHAT_FINISH_STOP || told == CHAT_FINISH_UNKNOWN || told == CHAT_FINISH_NONE;

    if (has_calls && is_stop) {
        return CHAT_FINISH_CALLS;
    }
    return !has_calls && told == CHAT_FINISH_CALLS ? CHAT_FINISH_STOP : told;
}

static void note_finish(struct chat_pipe *pipe, const struct chat_event *event)
{
    if (pipe->finish != CHAT_FINISH_NONE) {
        return; /* some servers repeat it: the first one counts */
    }
    pipe->finish = event->finish;
    if (event->finish == CHAT_FINISH_UNKNOWN) {
        chat_note_unknown(pipe, event->text);
    }
}

/* The end is told in one piece: its reason, then END. */
static void end(struct chat_pipe *pipe, const struct chat_event *event)
{
    enum chat_finish finish = chat_settle_finish(pipe->finish, pipe->calls > 0);

    pass(pipe, &(struct chat_event){.kind = CHAT_EVENT_FINISH, .finish = finish, .text = pipe->unknown});
    pass(pipe, event);
    pipe->has_ended = true;
}

void chat_tell(struct chat_pipe *pipe, const struct chat_event *event)
{
    if (pipe->has_ended || pipe->has_failed) {
        return;
    }
    if (event->kind == CHAT_EVENT_FAIL ||
        (event->kind == CHAT_EVENT_FINISH && event->finish == CHAT_FINISH_FAULT)) {
        pipe->has_failed = true;
        return;
    }
    if (event->kind == CHAT_EVENT_START && pipe->has_started) {
        return;
    }
    if (event->kind != CHAT_EVENT_START && !pipe->has_started) {
        pass(pipe, &(struct chat_event){.kind = CHAT_EVENT_START});
    }
    pipe->has_started = true;
    switch (event->kind) {
    case CHAT_EVENT_FINISH: note_finish(pipe, event); return;
    case CHAT_EVENT_END: end(pipe, event); return;
    case CHAT_EVENT_CALL: pipe->calls++; break;
    default: break;
    }
    pass(pipe, event);
}
