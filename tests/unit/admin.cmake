# SPDX-License-Identifier: Apache-2.0
unit_test(admin order)
unit_test(admin guard)
unit_test(admin pages)
unit_test(admin sinks_out)
