# SPDX-License-Identifier: Apache-2.0
unit_test(proxy loop)
target_link_libraries(unit_proxy_loop PRIVATE shell)
unit_test(proxy upstream_fixtures)
target_link_libraries(unit_proxy_upstream_fixtures PRIVATE shell)
