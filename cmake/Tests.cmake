# SPDX-License-Identifier: MIT
# The tests of ctest. Labels: suite (C programs), memcheck (the same under valgrind), example, package,
# model.

find_package(PkgConfig REQUIRED)
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
find_package(Threads REQUIRED)
if(IOASID_MEMCHECK)
	find_program(VALGRIND valgrind REQUIRED)
endif()

# Reports of a sanitizer end the program, so that a test cannot pass with one.
set(test_environment
	ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1
	TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
	UBSAN_OPTIONS=halt_on_error=1)
# Programs for another architecture, see docs/aarch64.md: a test that starts one itself needs to know.
if(CMAKE_CROSSCOMPILING_EMULATOR)
	list(APPEND test_environment IOASID_TEST_EMULATOR=${CMAKE_CROSSCOMPILING_EMULATOR})
endif()

# Links a test or consumer of the build tree.
function(link_test program)
	set_target_properties(${program} PROPERTIES
		C_STANDARD 11 RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/ctests)
	target_link_libraries(${program} PRIVATE
		ioasid_common ioasid PkgConfig::CMOCKA Threads::Threads)
	if(TARGET ioasid_sanitized_program)
		target_link_libraries(${program} PRIVATE ioasid_sanitized_program)
	endif()
endfunction()

# ctests/test_SUBJECT.c is one program and one test; support.c is common to all.
# plain_SUBJECT.c is one that has nothing of the kernel's helpers: any program.
file(GLOB suites CONFIGURE_DEPENDS ctests/test_*.c ctests/plain_*.c)
file(GLOB support CONFIGURE_DEPENDS ctests/support.c)
# It stands in for calloc() and mmap(), as the sanitizers do.
if(IOASID_SANITIZE)
	list(FILTER suites EXCLUDE REGEX "/test_faults\\.c$")
endif()
set(vtd_suites)	# objects of the suites of a library
set(kernel_suites)
foreach(suite IN LISTS suites)
	cmake_path(GET suite STEM name)
	add_executable(${name} ${suite})
	if(name MATCHES "^test_")
		target_sources(${name} PRIVATE ${support})
		target_link_libraries(${name} PRIVATE ioasid-kernel)
	endif()
	if(name MATCHES "^test_vtd")
		list(APPEND vtd_suites $<TARGET_OBJECTS:${name}>)
		target_link_libraries(${name} PRIVATE ioasid-vtd)
	else()
		list(APPEND kernel_suites $<TARGET_OBJECTS:${name}>)
	endif()
	link_test(${name})
	string(REGEX REPLACE "^test_" "" subject ${name})
	add_test(NAME ${subject} COMMAND ${name})
	set_tests_properties(${subject} PROPERTIES
		LABELS suite TIMEOUT 300 ENVIRONMENT "${test_environment}")
	# Most of their time goes to loops of one thread, in which ThreadSanitizer sees the same again and again.
	if(IOASID_SANITIZE STREQUAL "thread"
			AND subject MATCHES "^(api_505|bad_input|fork|handlers|notifier_registration|quota)$")
		set_property(TEST ${subject} APPEND PROPERTY ENVIRONMENT IOASID_TEST_SLOW=1)
	endif()
	# The one stands in for calloc(), too; a child of the other leaks what its parent's threads had in hand.
	if(IOASID_MEMCHECK AND NOT subject MATCHES "^(faults|compat_fork_locks)$")
		add_test(NAME memcheck.${subject} COMMAND ${VALGRIND} --quiet --error-exitcode=1
			--leak-check=full --errors-for-leak-kinds=definite,indirect
			--fair-sched=try $<TARGET_FILE:${name}>)
		# Long loops may shorten themselves: valgrind is 20 to 50 times slower. Those with hundreds of child
		# processes, which AddressSanitizer sees as well, are too long for each change all the same.
		set_tests_properties(memcheck.${subject} PROPERTIES
			LABELS memcheck TIMEOUT 600 ENVIRONMENT IOASID_TEST_SLOW=1)
		if(subject MATCHES "fork$|exit$")
			set_property(TEST memcheck.${subject} APPEND PROPERTY LABELS long)
		endif()
	endif()
endforeach()

# Every example runs to its end.
file(GLOB examples CONFIGURE_DEPENDS examples/*.c)
foreach(example IN LISTS examples)
	cmake_path(GET example STEM name)
	add_executable(example_${name} ${example})
	target_link_libraries(example_${name} PRIVATE ioasid-vtd)
	link_test(example_${name})
	add_test(NAME example.${name} COMMAND example_${name})
	set_tests_properties(example.${name} PROPERTIES
		LABELS example TIMEOUT 120 ENVIRONMENT "${test_environment}")
endforeach()

# The large example is a user of what is installed, so it has a Makefile of its own.
set(example_cflags -O1 -g)
set(example_ldflags)
if(IOASID_SANITIZE)
	list(APPEND example_cflags -fsanitize=${IOASID_SANITIZE} -fno-omit-frame-pointer)
	list(APPEND example_ldflags -fuse-ld=lld)
endif()
if(TARGET ioasid_sanitized_program)	# see EmbeddedLibrary.cmake
	list(APPEND example_ldflags
		-L${swift_runtime} -Wl,-rpath,${swift_runtime} -ldispatch -lBlocksRuntime)
endif()
list(JOIN example_cflags " " example_cflags)
list(JOIN example_ldflags " " example_ldflags)
add_test(NAME example.guest-sva COMMAND
	${PROJECT_SOURCE_DIR}/Tests/Package/guest-sva.sh ${PROJECT_SOURCE_DIR}
	${CMAKE_BINARY_DIR} ${CMAKE_C_COMPILER} "${example_cflags}" "${example_ldflags}"
	${CMAKE_CROSSCOMPILING_EMULATOR})
set_tests_properties(example.guest-sva PROPERTIES
	LABELS example TIMEOUT 300 RESOURCE_LOCK install_manifest ENVIRONMENT "${test_environment}")

include(Random)
include(Runtime)

# What takes longest is begun first, so that nothing runs alone at the end.
function(begin_with_the_longest)
	foreach(test IN ITEMS signals fork faults compat_fork model.refword example.guest-sva
			package.kernel package.clash package.origin package.compilers)
		if(TEST ${test})
			set_tests_properties(${test} PROPERTIES COST 100)
		endif()
	endforeach()
endfunction()
cmake_language(DEFER CALL begin_with_the_longest)

# What ships is looked at in plain builds only: sanitizers and coverage add symbols and libraries.
if(IOASID_SANITIZE OR IOASID_COVERAGE)
	return()
endif()

# A script of Tests/Package, or another one by its path.
function(package_test name script)
	cmake_path(ABSOLUTE_PATH script BASE_DIRECTORY ${PROJECT_SOURCE_DIR}/Tests/Package)
	add_test(NAME package.${name} COMMAND_EXPAND_LISTS COMMAND ${script} ${ARGN})
	set_tests_properties(package.${name} PROPERTIES
		LABELS package TIMEOUT 600 SKIP_RETURN_CODE 77)
endfunction()

set(symbols ${PROJECT_SOURCE_DIR}/abi/symbols.txt)
set(kernel_symbols ${PROJECT_SOURCE_DIR}/abi/kernel-symbols.txt)
set(vtd_symbols ${PROJECT_SOURCE_DIR}/abi/vtd-symbols.txt)
package_test(binary.ioasid binary.sh $<TARGET_FILE:ioasid>
	libioasid.so.${PROJECT_VERSION_MAJOR} ${symbols} libc.so.6)
package_test(called.ioasid called.sh ${symbols} ${kernel_suites})
package_test(binary.kernel binary.sh $<TARGET_FILE:ioasid-kernel>
	libioasid-kernel.so.${PROJECT_VERSION_MAJOR} ${kernel_symbols}
	libc.so.6 libioasid.so.${PROJECT_VERSION_MAJOR})
package_test(called.kernel called.sh ${kernel_symbols} ${kernel_suites})
package_test(binary.vtd binary.sh $<TARGET_FILE:ioasid-vtd>
	libioasid-vtd.so.${PROJECT_VERSION_MAJOR} ${vtd_symbols}
	libc.so.6 libioasid.so.${PROJECT_VERSION_MAJOR} libioasid-kernel.so.${PROJECT_VERSION_MAJOR})
package_test(called.vtd called.sh ${vtd_symbols} ${vtd_suites})

# All else is the same for every architecture, or needs its compilers, and is looked at in native builds.
if(CMAKE_CROSSCOMPILING)
	return()
endif()

# Not the code but a model of it: every order of steps in the life of an id.
add_test(NAME model.refword COMMAND ${PROJECT_SOURCE_DIR}/scripts/model)
# The order that each atomic operation makes, against Armv8's memory model.
add_test(NAME model.orderings COMMAND ${PROJECT_SOURCE_DIR}/scripts/orderings)
set_tests_properties(model.refword model.orderings PROPERTIES
	LABELS model TIMEOUT 1200 SKIP_RETURN_CODE 77)

set(clang ${IOASID_SWIFT_BIN}/clang)
set(include ${PROJECT_SOURCE_DIR}/include)
package_test(headers.gcc headers.sh gcc g++ ${include})
package_test(clash clash.sh gcc ${include})
package_test(clash.kernel clash-kernel.sh gcc ${include})
package_test(order order.sh ${clang} ${include})
package_test(headers.clang headers.sh ${clang} ${clang}++ ${include})

package_test(declared declared.sh ${include} ${symbols} ${kernel_symbols} ${vtd_symbols})
package_test(names ${PROJECT_SOURCE_DIR}/scripts/names)
set_tests_properties(package.names PROPERTIES ENVIRONMENT CLANG=${clang})
if(IOASID_PROBES)
	package_test(probes probes.sh $<TARGET_FILE:ioasid>
		alloc free reclaim get put bind unbind refuse)
else()	# counted as skipped
	package_test(probes /bin/sh -c "echo 'built without sys/sdt.h: apt-get install systemtap-sdt-dev' >&2; exit 77")
endif()

package_test(abi abi.sh ${PROJECT_SOURCE_DIR})
package_test(imports imports.sh ${PROJECT_SOURCE_DIR})
package_test(defects defects.sh ${PROJECT_SOURCE_DIR}/docs/defects.md ${PROJECT_SOURCE_DIR}/ctests)
package_test(refusals refusals.sh ${PROJECT_SOURCE_DIR})
package_test(refusals.program readme.sh ${PROJECT_SOURCE_DIR}/docs/refusals.md ${include}/ioasid
	$<TARGET_FILE_DIR:ioasid>)
package_test(readme readme.sh ${PROJECT_SOURCE_DIR}/README.md ${include}/ioasid
	$<TARGET_FILE_DIR:ioasid>)
package_test(events tutorial.sh ${PROJECT_SOURCE_DIR}/docs/events.md 2 ${include}/ioasid
	$<TARGET_FILE_DIR:ioasid>)
package_test(install install.sh ${PROJECT_SOURCE_DIR} ${CMAKE_BINARY_DIR} ${PROJECT_VERSION})
package_test(toolchain toolchain.sh ${PROJECT_SOURCE_DIR} ${IOASID_SWIFTC})
package_test(setup setup.sh ${PROJECT_SOURCE_DIR})
package_test(scripts scripts.sh ${PROJECT_SOURCE_DIR})
# Exact counts of what ships: other builds take more. Skipped without valgrind.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
	package_test(instructions ${PROJECT_SOURCE_DIR}/scripts/instructions
		--check $<TARGET_FILE_DIR:ioasid>)
endif()
# Needs Debian's kernel sources; skipped without.
package_test(kernel ${PROJECT_SOURCE_DIR}/scripts/check-kernel-sources ${CMAKE_BINARY_DIR})
package_test(kernel.vtd ${PROJECT_SOURCE_DIR}/scripts/check-kernel-vtd
	$<TARGET_FILE_DIR:ioasid-vtd>)
# Needs Debian's kernel sources as well.
package_test(arrives arrives.sh gcc ${include})
package_test(origin ${PROJECT_SOURCE_DIR}/scripts/check-origin)
package_test(kernel.api ${PROJECT_SOURCE_DIR}/scripts/check-kernel-api $<TARGET_FILE_DIR:ioasid>)
# One build directory has one install manifest.
set_tests_properties(package.install package.kernel PROPERTIES RESOURCE_LOCK install_manifest)

package_test(timeline timeline.py ${PROJECT_SOURCE_DIR}/scripts/timeline $<TARGET_FILE:example_leak>)
package_test(debugging debugging.py ${PROJECT_SOURCE_DIR} ${include} $<TARGET_FILE_DIR:ioasid>)
package_test(sanitized sanitized.sh ${include} $<TARGET_FILE_DIR:ioasid> gcc clang ${clang})
package_test(constructor constructor.sh gcc ${include} $<TARGET_FILE_DIR:ioasid>)
# The lists of docs/process.md; skipped where the kernel has no filters of system calls.
package_test(system-calls system-calls.py ${PROJECT_SOURCE_DIR}/docs/process.md ${include}
	$<TARGET_FILE_DIR:ioasid>)
package_test(lsan lsan.sh ${include} $<TARGET_FILE_DIR:ioasid> gcc ${clang})
package_test(unload unload.sh ${CMAKE_C_COMPILER} ${include}
	$<TARGET_FILE:ioasid-kernel>)

if(IOASID_MAN)
	package_test(man man.sh ${PROJECT_SOURCE_DIR} ${CMAKE_BINARY_DIR}/man
		${symbols} ${kernel_symbols} ${vtd_symbols})
endif()
package_test(kernel-doc kernel-doc.sh ${include})
# The documents as HTML, with no link that leads nowhere; skipped without mkdocs.
package_test(site ${PROJECT_SOURCE_DIR}/scripts/site ${CMAKE_BINARY_DIR}/html)

# docs/abi-policy.md
package_test(abi-baseline ${PROJECT_SOURCE_DIR}/scripts/abi)
set_tests_properties(package.abi-baseline PROPERTIES ENVIRONMENT CLANG=${clang})
package_test(versions versions.sh ${PROJECT_SOURCE_DIR} $<TARGET_FILE_DIR:ioasid> ${symbols})

package_test(debian debian.sh ${PROJECT_SOURCE_DIR})
# The Debian packages as users get them, where scripts/package has built them.
package_test(deb ${PROJECT_SOURCE_DIR}/scripts/check-package)
package_test(compilers compilers.sh ${include} ${clang})
package_test(iommufd iommufd.sh ${PROJECT_SOURCE_DIR} $<TARGET_FILE_DIR:ioasid>)
package_test(tutorial tutorial.sh ${PROJECT_SOURCE_DIR}/docs/tutorial.md 11 ${include}/ioasid
	$<TARGET_FILE_DIR:ioasid>)
