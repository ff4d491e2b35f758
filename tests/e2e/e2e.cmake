# SPDX-License-Identifier: Apache-2.0
# End-to-end tests: the real program over real sockets. The label e2e needs a plain Node (18 or
# newer) and openssl; the label clients needs the SDKs that tests/e2e/install brings.
find_program(HEADGATE_NODE NAMES node nodejs REQUIRED)
set(e2e_dir ${CMAKE_CURRENT_SOURCE_DIR}/e2e)

# Under valgrind, or whatever else runs the programs of this build, HEADGATE_BIN is a script.
set(headgate_bin $<TARGET_FILE:headgate>)
if(CMAKE_CROSSCOMPILING_EMULATOR)
  list(JOIN CMAKE_CROSSCOMPILING_EMULATOR " " emulator)
  set(headgate_bin ${CMAKE_CURRENT_BINARY_DIR}/headgate)
  file(GENERATE OUTPUT ${headgate_bin}
       CONTENT "#!/bin/sh\nexec ${emulator} '$<TARGET_FILE:headgate>' \"$@\"\n"
       FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
endif()

# What a program under test asks for names: see resolver.c.
add_library(resolver MODULE e2e/resolver.c)
target_link_libraries(resolver PRIVATE flags)

# The disk of a program under test: see disk.c.
add_library(disk MODULE e2e/disk.c)
target_link_libraries(disk PRIVATE flags)

# The sinks over a journal that a test writes.
add_executable(sinks_rig e2e/sinks_rig.c)
target_link_libraries(sinks_rig PRIVATE shell core flags)

# e2e_test(<file> <label> <seconds> <node>): tests/e2e/<file>.test.mjs against the program.
function(e2e_test file label seconds node)
  add_test(NAME ${label}/${file} COMMAND ${node} ${e2e_dir}/${file}.test.mjs
           WORKING_DIRECTORY ${PROJECT_BINARY_DIR})
  set_tests_properties(${label}/${file} PROPERTIES
    LABELS ${label}
    ENVIRONMENT "HEADGATE_BIN=${headgate_bin};HEADGATE_SINKS_RIG=$<TARGET_FILE:sinks_rig>;HEADGATE_TEST_RESOLVER=$<TARGET_FILE:resolver>;HEADGATE_TEST_DISK_LIBRARY=$<TARGET_FILE:disk>;HEADGATE_TEST_PATIENCE=${HEADGATE_TEST_PATIENCE}")
  test_limit(${label}/${file} ${seconds})
endfunction()

if(HEADGATE_SANITIZE AND NOT HEADGATE_TEST_PATIENCE)
  set(HEADGATE_TEST_PATIENCE 3)
endif()

# What measures how long an outage is noticed says nothing about memory that the other faults do not say,
# and under sanitizers everything takes another time: these two run without them only. So do those that look for money
# or records after kills, in many calls, and not for what memory does: they would take six minutes.
set(e2e_timed outage silence)
set(e2e_money scorecard spend spend_crash power stale)
if(HEADGATE_SANITIZE)
  set(e2e_timed)
  set(e2e_money)
endif()

foreach(file harness bytes bad_http bad_fronts bad_json bad_time bad_time_slow bad_upstream
        reach_faults answer_faults stream_faults failover resume demo process azure admin
        admin_targets examples prices ${e2e_timed} ${e2e_money}
        records crash usage usage_command sinks sinks_live sinks_redis estimate reported top budgets budgets_restart budget_command idempotency rates keys gemini bedrock translate translate_budgets translate_calls)
  e2e_test(${file} e2e 300 ${HEADGATE_NODE})
endforeach()
set_property(TEST e2e/estimate APPEND PROPERTY ENVIRONMENT "HEADGATE_TEST_RANKS=${HEADGATE_TEST_RANKS}")
# The longest ones begin first, so that nothing waits for them at the end; the very longest before those with a
# Redis, of which one at a time leaves it a place.
if(NOT HEADGATE_SANITIZE)
  set_tests_properties(e2e/scorecard PROPERTIES COST 3000)
endif()
set_tests_properties(e2e/bad_time_slow PROPERTIES COST 700)
set_tests_properties(e2e/stream_faults PROPERTIES COST 500)
# With a Redis that must answer in time: beside one other at most, and first, while two places are free.
if(NOT HEADGATE_SANITIZE)
  set_tests_properties(e2e/spend e2e/spend_crash PROPERTIES PROCESSORS 2 COST 2000)
endif()
# These measure time or fill the machine's queues: not beside others.
set_tests_properties(e2e/bad_time e2e/demo e2e/process PROPERTIES RUN_SERIAL TRUE)
# These mostly wait until the traffic is back: they begin all others, side by side and, on two processors, alone.
foreach(file ${e2e_timed})
  set_tests_properties(e2e/${file} PROPERTIES PROCESSORS 2 COST 4000)
endforeach()
if(e2e_timed)
  set_tests_properties(e2e/silence PROPERTIES PROCESSORS 1)
endif()

add_test(NAME clients/install COMMAND ${e2e_dir}/install)
set_tests_properties(clients/install PROPERTIES LABELS clients TIMEOUT 600 FIXTURES_SETUP clients)
e2e_test(sdk clients 300 ${e2e_dir}/node_modules/.bin/node)
e2e_test(sdk_gemini clients 300 ${e2e_dir}/node_modules/.bin/node)
e2e_test(sdk_failover clients 300 ${e2e_dir}/node_modules/.bin/node)
e2e_test(sdk_repeats clients 300 ${e2e_dir}/node_modules/.bin/node)
e2e_test(sdk_budgets clients 300 ${e2e_dir}/node_modules/.bin/node)
e2e_test(sdk_rates clients 300 ${e2e_dir}/node_modules/.bin/node)
e2e_test(sdk_translate clients 300 ${e2e_dir}/node_modules/.bin/node)
add_executable(encode tools/encode.c lib/vocabulary.c)
target_link_libraries(encode PRIVATE core flags)
e2e_test(tokens clients 300 ${e2e_dir}/node_modules/.bin/node)
set_property(TEST clients/tokens APPEND PROPERTY
  ENVIRONMENT "HEADGATE_ENCODE=$<TARGET_FILE:encode>;HEADGATE_TEST_RANKS=${HEADGATE_TEST_RANKS}")
set_tests_properties(clients/sdk clients/sdk_failover clients/sdk_budgets clients/sdk_rates clients/sdk_repeats clients/sdk_translate clients/sdk_gemini clients/tokens PROPERTIES FIXTURES_REQUIRED clients)
