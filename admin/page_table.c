/* SPDX-License-Identifier: Apache-2.0 */
/* /admin/v1/status.txt: the same for people, as `headgate status` prints it: one line about the
 * process, then a table of the targets. */
#include "admin/health.h"
#include "admin/target_out.h"
#include "base/text.h"

enum {
    NAME_WIDTH_MAX = 48, /* a longer name pushes its own line only */
    STATE_WIDTH = 10,
    SCORE_WIDTH = 6,
    IN_FLIGHT_WIDTH = 9
};

static void pad(struct buf *out, size_t from, size_t width)
{
    for (size_t len = out->len - from; len < width; len++) {
        buf_put_char(out, ' ');
    }
}

static void left(struct buf *out, const char *text, size_t width)
{
    size_t from = out->len;

    buf_put_text(out, text);
    pad(out, from, width);
    buf_put_text(out, "  ");
}

/* Blanks in front of a number, so that it and `more` further characters end at the width. */
static void lead(struct buf *out, uint64_t number, size_t more, size_t width)
{
    size_t taken = more + 1;

    for (; number >= 10; number /= 10) {
        taken++;
    }
    pad(out, out->len, taken < width ? width - taken : 0);
}

static void put_score(struct buf *out, uint32_t permille)
{
    if (permille == 0) {
        buf_put_text(out, "     -  ");
        return;
    }
    lead(out, permille / 10, sizeof ".0%" - 1, SCORE_WIDTH);
    buf_put_u64(out, permille / 10);
    buf_put_char(out, '.');
    buf_put_u64(out, permille % 10);
    buf_put_text(out, "%  ");
}

static size_t name_width(const struct view *view)
{
    size_t width = sizeof "TARGET" - 1;

    for (size_t i = 0; i < view->targets_count; i++) {
        size_t len = view->targets[i].provider.len + 1 + view->targets[i].model.len;
        width = len > width ? len : width;
    }
    return width < NAME_WIDTH_MAX ? width : NAME_WIDTH_MAX;
}

static void put_target(struct buf *out, const struct target_view *target, size_t width)
{
    size_t from = out->len;
    size_t why = 0;

    target_put_name(out, target);
    pad(out, from, width);
    buf_put_text(out, "  ");
    left(out, target_state(target), STATE_WIDTH);
    put_score(out, target->score_permille);
    lead(out, target->in_flight, 0, IN_FLIGHT_WIDTH);
    buf_put_u64(out, target->in_flight);
    buf_put_text(out, "  ");
    why = out->len;
    target_put_why(out, target);
    if (out->len == why && !out->failed) {
        out->len -= 2; /* no blanks at the end of a line */
    }
    buf_put_char(out, '\n');
}

static unsigned write_page(const struct view *view, struct span query, struct buf *out)
{
    struct health health = health_of(view);
    size_t width = name_width(view);

    (void)query;
    buf_put_text(out, "headgate ");
    buf_put(out, view->version);
    buf_put_text(out, ": ");
    buf_put_text(out, health_word(health.state));
    buf_put_text(out, ", up ");
    text_put_duration(out, view->uptime_ms / 1000 * 1000);
    buf_put_format(out, ", %u calls in flight; ", (unsigned)view->calls);
    health_put_text(out, &health);
    buf_put_char(out, '\n');
    if (view->targets_count > 0) {
        buf_put_char(out, '\n');
        left(out, "TARGET", width);
        left(out, "STATE", STATE_WIDTH);
        buf_put_text(out, " SCORE  IN FLIGHT  WHY\n");
    }
    for (size_t i = 0; i < view->targets_count; i++) {
        put_target(out, &view->targets[i], width);
    }
    return 200;
}

const struct page page_table = {
    .name = "table",
    .path = SPAN("/admin/v1/status.txt"),
    .wants_targets = true,
    .content_type = "text/plain; charset=utf-8",
    .write = write_page,
};
