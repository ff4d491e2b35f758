# SPDX-License-Identifier: Apache-2.0
# The public vocabularies, which scripts/install-ranks brings; without them these tests fail.
set(HEADGATE_TEST_RANKS ${PROJECT_SOURCE_DIR}/build/ranks CACHE PATH "folder of the rank files for the tests")

unit_test(pricing guess)
unit_test(pricing price)
unit_test(pricing arithmetic)
unit_test(pricing book)
unit_test(pricing builtin)
unit_test(pricing import)
# Ten million pairs where they take seconds, fewer where each costs more.
if(CMAKE_BUILD_TYPE MATCHES "Rel" AND NOT HEADGATE_SANITIZE)
  target_compile_definitions(unit_pricing_arithmetic PRIVATE PAIRS=10000000)
elseif(HEADGATE_SANITIZE)
  target_compile_definitions(unit_pricing_arithmetic PRIVATE PAIRS=100000)
else()
  target_compile_definitions(unit_pricing_arithmetic PRIVATE PAIRS=1000000)
endif()
unit_test(pricing family)
unit_test(pricing split)
unit_test(pricing ranks lib/toy_ranks.c)
unit_test(pricing merge lib/toy_ranks.c)
unit_test(pricing bpe lib/vocabulary.c)
target_compile_definitions(unit_pricing_bpe PRIVATE HEADGATE_TEST_RANKS="${HEADGATE_TEST_RANKS}")
