/* SPDX-License-Identifier: Apache-2.0 */
/* POST /responses as one of the grammars that conversations are told in. */
#include "wire/dialects/openai.h"
#include "wire/dialects/openai_responses.h"

const struct translator openai_responses_translator = {
    .read_request = openai_responses_read_chat,
    .write_request = openai_responses_write_chat,
    .read_answer = openai_responses_read_whole,
    .write_answer = openai_responses_write_whole,
    .reader_size = sizeof(struct openai_responses_reader),
    .read_event = openai_responses_read_stream,
    .read_end = openai_responses_read_end,
    .writer_size = sizeof(struct openai_responses_writer),
    .write_event = openai_responses_write_stream,
    .end_writer = openai_responses_end_writer,
    .tell_stream = openai_responses_tell_stream,
};
