/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/ledger_redis_scripts.h: the scripts of the Redis ledger (enforcement/redis/) as texts. */
#ifndef PROXY_LEDGER_REDIS_SCRIPTS_H
#define PROXY_LEDGER_REDIS_SCRIPTS_H

enum redis_script {
#define SCRIPT(NAME, file) SCRIPT_##NAME,
#include "enforcement/redis/scripts.def"
#undef SCRIPT
    REDIS_SCRIPTS
};

extern const char redis_script_common[];
#define SCRIPT(NAME, file) extern const char redis_script_##file[];
#include "enforcement/redis/scripts.def"
#undef SCRIPT

#endif
