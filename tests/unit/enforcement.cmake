# SPDX-License-Identifier: Apache-2.0
unit_test(enforcement ledger_memory)
unit_test(enforcement scope)
unit_test(enforcement egress)
unit_test(enforcement exposure)
unit_test(enforcement silent)
unit_test(enforcement lockout)
unit_test(enforcement gcra)
unit_test(enforcement window)
