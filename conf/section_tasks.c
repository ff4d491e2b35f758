/* SPDX-License-Identifier: Apache-2.0 */
/* tasks: names of what a call is for, each with the route that serves it. Routes have been read
 * before. */
#include "conf/section.h"

#include "conf/names.h"

static void read_task(struct reader *reader, const struct node *node, struct task *task)
{
    struct span name = {NULL, 0};
    struct path path;

    task->name = arena_copy(&reader->snapshot->arena, node->key);
    reader_enter(reader, &path, node->key, 0);
    if (!name_is_model(node->key)) {
        reader_complain(reader, node->key_place, "%s", name_model_rule);
    }
    if (reader_text(reader, node, &name)) {
        task->route = route_named(reader, node, name);
    }
    reader_leave(reader);
}

static void read_tasks(struct reader *reader, const struct node *node, void *object)
{
    struct snapshot *snapshot = object;
    struct task *tasks = NULL;
    size_t index = 0;

    if (!reader_expects(reader, node, NODE_MAP) || node->count == 0) {
        return;
    }
    tasks = reader_take(reader, node->count * sizeof *tasks);
    if (tasks == NULL) {
        return;
    }
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        read_task(reader, child, &tasks[index]);
        index++;
    }
    snapshot->routing.tasks = tasks;
    snapshot->routing.tasks_count = index;
}

static const struct field fields[] = {
    {.name = "tasks",
     .type = FIELD_CUSTOM,
     .read = read_tasks,
     .help = "what calls are for, and which route serves that: { draft: cheap, repair: smart }"},
};

const struct field_table section_tasks = FIELD_TABLE(fields);
