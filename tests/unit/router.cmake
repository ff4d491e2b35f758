# SPDX-License-Identifier: Apache-2.0
unit_test(router outcome)
unit_test(router dispatch)
unit_test(router route)
unit_test(router inner_error)
unit_test(router share)
unit_test(router sticky)
unit_test(router storm)
unit_test(router score)
