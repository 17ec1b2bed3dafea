# SPDX-License-Identifier: MIT
# Tests/Random: the library beside a model of its documents, driven by a seed (random) or, in builds for
# that (IOASID_FUZZ), by libFuzzer (fuzz-api).

if(CMAKE_CROSSCOMPILING)	# it needs all of Swift's runtime
	return()
endif()
set(random_folder ${PROJECT_SOURCE_DIR}/Tests/Random)
file(GLOB random_sources CONFIGURE_DEPENDS ${random_folder}/*.swift)
list(FILTER random_sources EXCLUDE REGEX "/(Main|Fuzz)\\.swift$")

# random_program(NAME MAIN SANITIZERS): ordinary Swift, outside the library and on its public headers only.
function(random_program name main sanitizers)
	set(program ${CMAKE_BINARY_DIR}/ctests/${name})
	set(flags -O -g -swift-version 6 -parse-as-library -module-name Random
		-module-cache-path ${CMAKE_BINARY_DIR}/swift-modules
		-I ${random_folder}/Headers -Xcc -I${PROJECT_SOURCE_DIR}/include/ioasid
		-L ${CMAKE_BINARY_DIR} -lioasid -Xlinker -rpath -Xlinker ${CMAKE_BINARY_DIR})
	if(sanitizers)
		list(APPEND flags -sanitize=${sanitizers})
	endif()
	add_custom_command(OUTPUT ${program}
		COMMAND ${IOASID_SWIFTC} ${flags} ${random_sources} ${random_folder}/${main} -o ${program}
		DEPENDS ${random_sources} ${random_folder}/${main} ${random_folder}/Headers/headers.h ioasid
		COMMENT "Building ${name}"
		VERBATIM)
	add_custom_target(${name}_program ALL DEPENDS ${program})
endfunction()

random_program(random Main.swift "${IOASID_SANITIZE}")
if(IOASID_FUZZ)
	random_program(fuzz-api Fuzz.swift "${IOASID_SANITIZE},fuzzer")
	add_executable(fuzz-vtd ${PROJECT_SOURCE_DIR}/Tests/Fuzz/vtd.c)
	target_link_options(fuzz-vtd PRIVATE -fsanitize=fuzzer)
	target_link_libraries(fuzz-vtd PRIVATE ioasid-vtd)
	link_test(fuzz-vtd)
	add_custom_target(fuzzers DEPENDS fuzz-api_program fuzz-vtd)
endif()

# A difference says the seed that shows it again.
foreach(threads IN ITEMS 1 3)
	add_test(NAME model.random.${threads} COMMAND
		${CMAKE_BINARY_DIR}/ctests/random --seconds 8 --threads ${threads})
	set_tests_properties(model.random.${threads} PROPERTIES
		LABELS model TIMEOUT 120 ENVIRONMENT "${test_environment};SWIFT_BACKTRACE=enable=no")
endforeach()
