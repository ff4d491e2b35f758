/* SPDX-License-Identifier: Apache-2.0 */
/* conf/sink_file.h: settings of a sink of kind file. */
#ifndef CONF_SINK_FILE_H
#define CONF_SINK_FILE_H

#include "conf/sink.h"

enum sink_file_sync { SINK_FILE_SYNC_BATCH, SINK_FILE_SYNC_OFF };

struct sink_file_settings {
    struct sink_settings common;
    struct span path;
    uint64_t rotate; /* bytes; 0: never */
    uint32_t keep;   /* rotated files beside the one that is written */
    enum sink_file_sync sync;
};

#endif
