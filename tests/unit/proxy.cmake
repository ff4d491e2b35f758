# SPDX-License-Identifier: Apache-2.0
unit_test(proxy loop)
target_link_libraries(unit_proxy_loop PRIVATE shell)
unit_test(proxy upstream_fixtures)
target_link_libraries(unit_proxy_upstream_fixtures PRIVATE shell)
unit_test(proxy peer)
target_link_libraries(unit_proxy_peer PRIVATE shell)
unit_test(proxy outbox)
target_link_libraries(unit_proxy_outbox PRIVATE shell)
