# SPDX-License-Identifier: Apache-2.0
unit_test(cli top ${PROJECT_SOURCE_DIR}/cli/top_table.c ${PROJECT_SOURCE_DIR}/cli/top_draw.c)
unit_test(cli key_edit ${PROJECT_SOURCE_DIR}/cli/key_edit.c)
unit_test(cli key_file ${PROJECT_SOURCE_DIR}/cli/key_file.c)
target_link_libraries(unit_cli_key_file PRIVATE shell)
