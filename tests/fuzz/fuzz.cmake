# SPDX-License-Identifier: Apache-2.0
# fuzz_target(<name> [more sources]): tests/fuzz/fuzz_<name>.c.
# Always: a test that replays tests/fuzz/corpus/<name>, so that what a fuzzer once found stays found.
# With HEADGATE_FUZZ=ON (clang): the fuzzer itself, fuzz_<name>. The core's sources are compiled into
# it once more, because coverage must be measured inside the scanners. The seeds in the tree are only
# read; new finds go to a folder of your own:
#   mkdir /tmp/found && ./tests/fuzz_http1 -dict=<source>/tests/fuzz/http1.dict /tmp/found \
#     <source>/tests/fuzz/corpus/http1
function(fuzz_target name)
  set(here ${PROJECT_SOURCE_DIR}/tests/fuzz)
  add_executable(replay_${name} ${here}/fuzz_${name}.c ${here}/replay_main.c ${ARGN})
  target_link_libraries(replay_${name} PRIVATE core flags)
  add_test(NAME fuzz/${name} COMMAND replay_${name} ${here}/corpus/${name})
  set_tests_properties(fuzz/${name} PROPERTIES LABELS fuzz)
  test_limit(fuzz/${name} 60)
  if(HEADGATE_FUZZ)
    add_executable(fuzz_${name} ${here}/fuzz_${name}.c ${ARGN})
    target_link_libraries(fuzz_${name} PRIVATE core_fuzz)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer,address,undefined)
  endif()
endfunction()

if(HEADGATE_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "HEADGATE_FUZZ needs clang: cmake -DCMAKE_C_COMPILER=clang")
  endif()
  get_target_property(core_sources core SOURCES)
  get_target_property(core_folder core SOURCE_DIR)
  list(TRANSFORM core_sources PREPEND ${core_folder}/ REGEX "^[^/]")
  add_library(core_fuzz STATIC ${core_sources})
  target_link_libraries(core_fuzz PUBLIC flags PkgConfig::YAML prices)
  target_compile_options(core_fuzz PUBLIC -fsanitize=fuzzer-no-link,address,undefined
                                          -fno-sanitize-recover=all -fno-omit-frame-pointer)
endif()

foreach(scanner event_stream http1 json prices_import reports resume sse translate)
  if(EXISTS ${PROJECT_SOURCE_DIR}/tests/fuzz/fuzz_${scanner}.c)
    fuzz_target(${scanner})
  endif()
endforeach()
fuzz_target(bpe ${PROJECT_SOURCE_DIR}/tests/lib/toy_ranks.c)
