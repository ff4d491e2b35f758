# SPDX-License-Identifier: Apache-2.0
# The world and its laws, and what runs in it.
add_library(world STATIC EXCLUDE_FROM_ALL
  sim/agenda.c sim/script.c sim/world.c sim/world_target.c
  sim/laws.c sim/laws_app.c sim/laws_table.c sim/laws_places.c sim/laws_breaker.c
  lib/house.c)
target_link_libraries(world PUBLIC core PRIVATE flags)

add_executable(sim sim/sim_main.c sim/draw.c)
target_link_libraries(sim PRIVATE world flags)
# Under sanitizers, which slow it down fivefold, a quarter of the worlds: they look for what memory does, not for laws.
set(sim_worlds)
if(HEADGATE_SANITIZE)
  set(sim_worlds --worlds 5000)
endif()
add_test(NAME sim/worlds COMMAND sim ${sim_worlds} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
set_tests_properties(sim/worlds PROPERTIES LABELS sim)
test_limit(sim/worlds 120)

# The compound faults with their figures.
add_executable(sim_outages sim/test_outages.c)
target_link_libraries(sim_outages PRIVATE world flags PkgConfig::CMOCKA)
if(NOT HEADGATE_SANITIZE) # figures, not memory
  add_test(NAME sim/outages COMMAND sim_outages WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(sim/outages PROPERTIES LABELS sim)
  test_limit(sim/outages 120)
endif()

# The stories: one test per file.
add_executable(scenario sim/scenario_main.c sim/scenario.c sim/scenario_read.c
  sim/scenario_setting.c sim/words.c)
target_link_libraries(scenario PRIVATE world flags)
file(GLOB stories CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/scenarios/*.scn)
foreach(story ${stories})
  get_filename_component(name ${story} NAME_WE)
  add_test(NAME scenario/${name} COMMAND scenario ${story})
  set_tests_properties(scenario/${name} PROPERTIES LABELS sim)
  test_limit(scenario/${name} 30)
endforeach()
