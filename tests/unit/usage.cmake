# SPDX-License-Identifier: Apache-2.0
unit_test(usage charge)
unit_test(usage record)
unit_test(usage record_glance lib/usage_seed.c)
unit_test(usage inflight)
unit_test(usage query)
unit_test(usage answer)
