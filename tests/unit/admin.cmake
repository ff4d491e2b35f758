# SPDX-License-Identifier: Apache-2.0
unit_test(admin order)
unit_test(admin guard)
unit_test(admin pages)
unit_test(admin reports)
unit_test(admin sinks_out)
unit_test(admin quoting lib/vocabulary.c)
target_compile_definitions(unit_admin_quoting PRIVATE HEADGATE_TEST_RANKS="${HEADGATE_TEST_RANKS}")
