# SPDX-License-Identifier: Apache-2.0
# registry(<target> <file.def> <MACRO> <folder> [prefix]): compiles <folder>/<prefix><name>.c for
# each row MACRO(name...) of the .def file, so that a row is the only edit for a new variant.
function(registry target def macro folder)
  set(prefix "${ARGV4}")
  # One spelling for a table that two folders read: ninja takes two for two files with one name.
  get_filename_component(table ${def} ABSOLUTE)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${table})
  file(STRINGS ${table} rows REGEX "^${macro}\\([a-z0-9_]+")
  foreach(row IN LISTS rows)
    string(REGEX REPLACE "^${macro}\\(([a-z0-9_]+).*" "\\1" name "${row}")
    target_sources(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/${folder}${prefix}${name}.c)
  endforeach()
endfunction()
