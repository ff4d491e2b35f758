# SPDX-License-Identifier: Apache-2.0
# One suite per port, run over real loopback sockets. contract_test(<name> <sources...>).
function(contract_test name)
  add_executable(contract_${name} contract/test_${name}.c contract/rig.c contract/peer.c
                 contract/patience.c ${ARGN})
  target_link_libraries(contract_${name} PRIVATE shell core flags PkgConfig::CMOCKA)
  add_test(NAME contract/${name} COMMAND contract_${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(contract/${name} PROPERTIES LABELS contract
    ENVIRONMENT "HEADGATE_TEST_PATIENCE=${HEADGATE_TEST_PATIENCE}")
  test_limit(contract/${name} 120)
endfunction()

contract_test(upstream contract/peer_no_tls.c contract/upstream_cases.c)
contract_test(upstream_answer contract/peer_no_tls.c contract/upstream_cases.c)
contract_test(upstream_kept contract/peer_no_tls.c contract/upstream_cases.c)
contract_test(upstream_stream contract/peer_no_tls.c)
contract_test(upstream_ahead contract/peer_no_tls.c)
contract_test(journal contract/peer_no_tls.c)
contract_test(store contract/peer_no_tls.c)
contract_test(store_sync contract/peer_no_tls.c)
contract_test(index contract/peer_no_tls.c contract/index_world.c lib/usage_seed.c)
contract_test(index_file contract/peer_no_tls.c contract/index_world.c lib/usage_seed.c)
contract_test(index_take contract/peer_no_tls.c lib/usage_seed.c)
contract_test(dial contract/peer_no_tls.c contract/names.c)

# Of the ledgers, with a real Redis.
foreach(name ledger ledger_model ledger_faults ledger_change ledger_topology)
  contract_test(${name} contract/peer_no_tls.c contract/redis_server.c contract/ledger_world.c
                contract/clock.c contract/fake_redis.c)
  target_link_libraries(contract_${name} PRIVATE PkgConfig::HIREDIS)
  set_tests_properties(contract/${name} PROPERTIES PROCESSORS 2 COST 2000) # the server must answer in time
endforeach()
test_limit(contract/ledger_model 400)
set_tests_properties(contract/ledger_model PROPERTIES COST 600 PROCESSORS 1) # the longest begins first

# The TLS suite brings its own server and certificates: docs/decisions/0005-openssl-in-one-test.md.
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET libssl libcrypto)
contract_test(upstream_tls contract/peer_tls.c contract/upstream_cases.c)
target_link_libraries(contract_upstream_tls PRIVATE PkgConfig::OPENSSL)

# What the Redis ledger costs: prints, tests nothing.
add_executable(ledger_figures contract/ledger_figures.c contract/redis_server.c
               contract/ledger_world.c contract/clock.c contract/patience.c)
target_link_libraries(ledger_figures PRIVATE shell core flags PkgConfig::CMOCKA PkgConfig::HIREDIS)
