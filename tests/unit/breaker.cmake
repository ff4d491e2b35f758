# SPDX-License-Identifier: Apache-2.0
unit_test(breaker tally)
unit_test(breaker trip)
unit_test(breaker breaker)
unit_test(breaker half_open)
unit_test(breaker ramp)
unit_test(breaker silence)
unit_test(breaker park)
