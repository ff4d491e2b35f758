# SPDX-License-Identifier: Apache-2.0
# Warnings, hardening and sanitizers, for every target of ours.
add_library(flags INTERFACE)
target_include_directories(flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
target_compile_definitions(flags INTERFACE _POSIX_C_SOURCE=200809L)
target_compile_options(flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes
  -Wmissing-prototypes -Wformat=2 -Wundef -Wcast-align -Wimplicit-fallthrough -Wvla
  -Wnull-dereference -Wswitch -fno-common)
# To fetch a line of memory that will be written: without it gcc takes the instruction that only reads.
# Processors that do not know this one pass over it.
include(CheckCCompilerFlag)
check_c_compiler_flag(-mprfchw HEADGATE_HAS_PREFETCHW)
if(HEADGATE_HAS_PREFETCHW)
  target_compile_options(flags INTERFACE -mprfchw)
endif()
# A broken claim tells its place from the root of the repository: it says the same wherever it was built, and
# a long path there does not make the program larger.
check_c_compiler_flag(-fmacro-prefix-map=a=b HEADGATE_HAS_MACRO_PREFIX_MAP)
if(HEADGATE_HAS_MACRO_PREFIX_MAP)
  target_compile_options(flags INTERFACE -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)
endif()
if(HEADGATE_WERROR)
  target_compile_options(flags INTERFACE -Werror)
endif()
if(HEADGATE_SANITIZE)
  target_compile_options(flags INTERFACE -fsanitize=${HEADGATE_SANITIZE} -fno-omit-frame-pointer
                                         -fno-sanitize-recover=all)
  target_link_options(flags INTERFACE -fsanitize=${HEADGATE_SANITIZE})
else()
  target_compile_options(flags INTERFACE -fstack-protector-strong)
  if(CMAKE_BUILD_TYPE MATCHES "Rel")
    # What is not called is left out: the program stays under its 1 MiB.
    target_compile_options(flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
                                           -ffunction-sections -fdata-sections)
    target_link_options(flags INTERFACE $<IF:$<PLATFORM_ID:Darwin>,-Wl$<COMMA>-dead_strip,-Wl$<COMMA>--gc-sections>)
  endif()
  if(NOT APPLE)
    target_link_options(flags INTERFACE -pie -Wl,-z,relro,-z,now)
    # Each pointer of a table is a relocation: 24 bytes the plain way, a bit or two packed (glibc 2.36,
    # musl 1.2.4). That is 100 KB of the program.
    include(CheckLinkerFlag)
    check_linker_flag(C -Wl,-z,pack-relative-relocs HEADGATE_PACKS_RELOCATIONS)
    if(HEADGATE_PACKS_RELOCATIONS)
      target_link_options(flags INTERFACE -Wl,-z,pack-relative-relocs)
    endif()
    # Headers, code and constants in one mapping: what is only read would else fill up three pages more.
    check_linker_flag(C -Wl,-z,noseparate-code HEADGATE_ONE_SEGMENT)
    if(HEADGATE_ONE_SEGMENT)
      target_link_options(flags INTERFACE -Wl,-z,noseparate-code)
    endif()
  endif()
endif()
# Nothing unwinds a stack here, and what debuggers need of it is in the symbols (-g): a tenth of the shipped
# program.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT HEADGATE_SANITIZE)
  target_compile_definitions(flags INTERFACE MUST_TELLS_PLACES)
  target_compile_options(flags INTERFACE -fno-asynchronous-unwind-tables)
  target_link_options(flags INTERFACE -fno-asynchronous-unwind-tables)
  # Libraries' functions are called by their address: they are all bound at the start anyhow (-z now).
  target_compile_options(flags INTERFACE -fno-plt)
  target_link_options(flags INTERFACE -fno-plt)
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU") # copies of functions for each constant argument: 4 KB
    target_compile_options(flags INTERFACE -fno-ipa-cp-clone)
    target_link_options(flags INTERFACE -fno-ipa-cp-clone)
    # Where all is put together (-Os there is for constants alone: each function keeps the level it was compiled with)
    # texts and tables begin where the one before ends, and all in one go is 4 KB less than in parts.
    target_link_options(flags INTERFACE -Os -flto-partition=one)
    check_c_compiler_flag(-malign-data=abi HEADGATE_HAS_ALIGN_DATA) # x86
    if(HEADGATE_HAS_ALIGN_DATA)
      target_compile_options(flags INTERFACE -malign-data=abi)
      target_link_options(flags INTERFACE -malign-data=abi)
    endif()
  endif()
endif()
# What was learned lies beside the objects; functions that no call of the training went through are
# compiled for size (but see unlearned), those that were changed since then as usual
# (scripts/build-release).
if(HEADGATE_PROFILE AND NOT CMAKE_C_COMPILER_ID STREQUAL "GNU")
  message(FATAL_ERROR "HEADGATE_PROFILE is for gcc; leave it empty with ${CMAKE_C_COMPILER_ID}")
elseif(HEADGATE_PROFILE STREQUAL "train")
  target_compile_options(flags INTERFACE -fprofile-generate -fprofile-update=atomic)
  target_link_options(flags INTERFACE -fprofile-generate)
elseif(HEADGATE_PROFILE STREQUAL "use")
  # Less is laid out for speed than gcc would by itself: 8 KB less, and no slower (docs/decisions/0021).
  set(everything_trained --param=hot-bb-count-ws-permille=970)
  # With a profile gcc copies the ends of ways and the bodies of loops, and -O3 more functions than -O2 does: 50 KB of
  # what each call passes, and no faster, since what does not fit into the first-level cache is waited for.
  list(APPEND everything_trained -fno-tracer -fno-unroll-loops -fno-peel-loops -fno-align-loops -fno-align-jumps
                                 --param=max-inline-insns-single=70 --param=max-inline-insns-auto=15)
  target_compile_options(flags INTERFACE -fprofile-use -Wno-missing-profile
                                         -Wno-coverage-mismatch ${everything_trained})
  target_link_options(flags INTERFACE -fprofile-use -Wno-missing-profile ${everything_trained})
endif()
# The shipped program is optimised as a whole: a call takes about a tenth fewer instructions.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT HEADGATE_SANITIZE)
  include(CheckIPOSupported)
  check_ipo_supported(RESULT HEADGATE_WHOLE_PROGRAM OUTPUT ignored LANGUAGES C)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ${HEADGATE_WHOLE_PROGRAM})
endif()

# unlearned(<target> <pattern>...): these files of the calling folder are to be fast though no call of the
# training goes through them: what they did in it counts for nothing.
function(unlearned target)
  if(HEADGATE_PROFILE STREQUAL "use")
    file(GLOB files CONFIGURE_DEPENDS ${ARGN})
    set_source_files_properties(${files} TARGET_DIRECTORY ${target} PROPERTIES COMPILE_OPTIONS -fprofile-partial-training)
  endif()
endfunction()

check_c_compiler_flag(-Oz HEADGATE_HAS_OZ) # gcc 12
set(HEADGATE_SMALL -Os)
if(HEADGATE_HAS_OZ)
  set(HEADGATE_SMALL -Oz)
endif()

# cold(<target> <pattern>...): these files of the calling folder run once, or when somebody asks; the shipped
# program has them small rather than fast, and so keeps its 1 MiB for what every call passes.
#
# Their guards of the stack are for functions with arrays of characters: nothing else on these stacks is filled by
# counting what came (docs/performance.md), but in the files that are guarded().
function(cold target)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    file(GLOB files CONFIGURE_DEPENDS ${ARGN})
    set_source_files_properties(${files} TARGET_DIRECTORY ${target} PROPERTIES COMPILE_OPTIONS
                                "${HEADGATE_SMALL};-fstack-protector")
  endif()
endfunction()

# guarded(<target> <pattern>...): of the cold files these count what came into arrays of their own on the stack, and
# keep the guards of all others.
function(guarded target)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    file(GLOB files CONFIGURE_DEPENDS ${ARGN})
    set_property(SOURCE ${files} TARGET_DIRECTORY ${target} APPEND PROPERTY COMPILE_OPTIONS -fstack-protector-strong)
  endif()
endfunction()
