# SPDX-License-Identifier: Apache-2.0
unit_test(pricing guess)
unit_test(pricing price)
unit_test(pricing arithmetic)
unit_test(pricing book)
unit_test(pricing builtin)
# Ten million pairs where they take seconds, fewer where each costs more.
if(CMAKE_BUILD_TYPE MATCHES "Rel" AND NOT HEADGATE_SANITIZE)
  target_compile_definitions(unit_pricing_arithmetic PRIVATE PAIRS=10000000)
elseif(HEADGATE_SANITIZE)
  target_compile_definitions(unit_pricing_arithmetic PRIVATE PAIRS=100000)
else()
  target_compile_definitions(unit_pricing_arithmetic PRIVATE PAIRS=1000000)
endif()
