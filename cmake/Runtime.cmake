# SPDX-License-Identifier: MIT
# Tests/Runtime: threads' records, the read side and the lock by themselves, also as they are where something is
# scarce or refused: records, thread keys, membarrier(), the kernel's word on who a thread is.

set(runtime_folder ${PROJECT_SOURCE_DIR}/Tests/Runtime)
set(runtime_sources ${PROJECT_SOURCE_DIR}/Sources/CIOASIDRuntime)

# runtime_test(NAME SUBJECT FLAG...): test_SUBJECT.c, built with these flags.
function(runtime_test name subject)
	set(program runtime_${name})
	add_executable(${program} ${runtime_folder}/test_${subject}.c
		${runtime_sources}/lock.c ${runtime_sources}/thread.c ${runtime_sources}/readside.c)
	target_include_directories(${program} PRIVATE ${runtime_sources} ${runtime_folder}
		${PROJECT_SOURCE_DIR}/Sources/CIOASID ${PROJECT_SOURCE_DIR}/include/ioasid)
	target_compile_definitions(${program} PRIVATE ${IOASID_SANITIZER_DEFINES})
	target_compile_options(${program} PRIVATE ${ARGN})
	set_target_properties(${program} PROPERTIES
		C_STANDARD 11 RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/ctests)
	target_link_libraries(${program} PRIVATE ioasid_common PkgConfig::CMOCKA Threads::Threads)
	if(TARGET ioasid_sanitized_program)
		target_link_libraries(${program} PRIVATE ioasid_sanitized_program)
	endif()
	add_test(NAME runtime.${name} COMMAND ${program})
	set_tests_properties(runtime.${name} PROPERTIES
		LABELS suite TIMEOUT 300 ENVIRONMENT "${test_environment}")
endfunction()

runtime_test(lock lock)
# What ThreadSanitizer knows of a thread is gone when the last destructors of its keys run, which these use. qemu-user
# does nothing at MADV_WIPEONFORK: a child then learns from pthread_atfork() alone that it is one, and that is the
# library's, not in these programs. The suites pass there.
if(NOT IOASID_SANITIZE STREQUAL "thread" AND NOT CMAKE_CROSSCOMPILING)
	runtime_test(readside readside)
	runtime_test(thread thread -DCIO_THREADS=512)
endif()
# One plain build shows the rest.
if(NOT IOASID_SANITIZE AND NOT IOASID_COVERAGE AND NOT CMAKE_CROSSCOMPILING)
	runtime_test(readside.few readside -DCIO_THREADS=4)
	runtime_test(readside.no_tid readside -DCIO_TEST_NO_TID)
	runtime_test(readside.refused readside -DREFUSED=0 -include refuse.h)
	runtime_test(readside.refused_later readside -DREFUSED=1 -include refuse.h)
	runtime_test(thread.few thread -DCIO_THREADS=4)
	runtime_test(thread.no_tid thread -DCIO_THREADS=512 -DCIO_TEST_NO_TID)
	runtime_test(thread.no_keys thread -DCIO_THREADS=512 -DEXHAUST_KEYS)
endif()
