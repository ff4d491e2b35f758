# SPDX-License-Identifier: Apache-2.0
# What the house promises of additions, tried on a copy of the sources.
add_test(NAME check/adding_strategy
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/adding/strategy $<TARGET_FILE:headgate> ${PROJECT_SOURCE_DIR}
          ${CMAKE_C_COMPILER_LAUNCHER})
set_tests_properties(check/adding_strategy PROPERTIES LABELS check
  ENVIRONMENT "CC=${CMAKE_C_COMPILER};NODE=${HEADGATE_NODE}")
test_limit(check/adding_strategy 300)
