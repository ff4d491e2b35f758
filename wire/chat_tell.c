/* SPDX-License-Identifier: Apache-2.0 */
/* What a reader of streams tells, on its way to a writer: the rules that hold for all of them (wire/chat.h). */
#include "wire/chat.h"

static void pass(struct chat_pipe *pipe, const struct chat_event *event)
{
    pipe->writer_row->write_event(pipe->writer, event, pipe);
}

/* A word that nobody knows is told as a normal end, and besides as it is. */
static void note_finish(struct chat_pipe *pipe, const struct chat_event *event)
{
    if (pipe->finish != CHAT_FINISH_NONE) {
        return; /* some servers repeat it: the first one counts */
    }
    pipe->finish = event->finish;
    if (event->finish == CHAT_FINISH_UNKNOWN) {
        size_t len = event->text.len < sizeof pipe->unknown_room ? event->text.len : sizeof pipe->unknown_room;

        memcpy(pipe->unknown_room, event->text.at, len);
        pipe->unknown = span_make(pipe->unknown_room, len);
    }
}

/* The end is told in one piece: its reason, then END. With calls in the answer the reason is them, whatever the
 * server says: some say "stop" (translation.md 10). */
static void end(struct chat_pipe *pipe, const struct chat_event *event)
{
    enum chat_finish finish = pipe->finish;
    bool is_stop = finish == CHAT_FINISH_STOP || finish == CHAT_FINISH_UNKNOWN || finish == CHAT_FINISH_CALLS;

    if (is_stop && pipe->calls > 0) {
        finish = CHAT_FINISH_CALLS;
    } else if (finish == CHAT_FINISH_CALLS) { /* and the other way round */
        finish = CHAT_FINISH_STOP;
    }
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
