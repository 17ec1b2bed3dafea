# SPDX-License-Identifier: MIT
# Finds swiftc, refuses one that cannot build the library, and picks clang when sanitizers need it.
#
# CMake's own Swift language is not used: its rules of 3.25 build and link Swift modules against the
# Swift runtime, and the library has none. Here swiftc makes an object, and C's linker the rest.

set(IOASID_SWIFT_MINIMUM 6.3)
set(IOASID_SWIFT_TARGET "" CACHE STRING "Target triple for swiftc; empty for its default")
find_program(IOASID_SWIFTC swiftc DOC "Swift compiler")

if(NOT IOASID_SWIFTC)
	message(FATAL_ERROR "No Swift compiler: swiftc is not on PATH.\n"
		"libioasid needs Swift ${IOASID_SWIFT_MINIMUM} or later (https://swift.org/install). "
		"Put its usr/bin on PATH or configure with -DIOASID_SWIFTC=/path/to/swiftc.")
endif()

set(IOASID_SWIFT_FLAGS -swift-version 6 -wmo -parse-as-library -enable-experimental-feature Embedded)
# Whoever cross compiles says so to CMake; swiftc is told from here.
set(swift_target "${IOASID_SWIFT_TARGET}")
if(CMAKE_CROSSCOMPILING AND NOT swift_target)
	set(swift_target ${CMAKE_SYSTEM_PROCESSOR}-unknown-linux-gnu)
endif()

function(check_swift_version)
	execute_process(COMMAND ${IOASID_SWIFTC} --version
		OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE status)
	if(NOT status EQUAL 0 OR NOT output MATCHES "Swift version ([0-9]+[.][0-9]+([.][0-9]+)?)")
		message(FATAL_ERROR "${IOASID_SWIFTC} is not a Swift compiler that runs here. "
			"'${IOASID_SWIFTC} --version' said:\n${output}")
	endif()
	set(version ${CMAKE_MATCH_1})
	if(version VERSION_LESS IOASID_SWIFT_MINIMUM)
		message(FATAL_ERROR "Swift ${version} is too old: libioasid needs "
			"${IOASID_SWIFT_MINIMUM} or later. Found ${IOASID_SWIFTC}; "
			"choose another with -DIOASID_SWIFTC=/path/to/swiftc.")
	endif()
	message(STATUS "Swift compiler: ${IOASID_SWIFTC} (${version})")
endfunction()

# The toolchain brings its Embedded library for some targets only: compiling says it best. That of bare
# metal will do where the system's own is missing, as in a toolchain of another architecture: it has no
# code of any system, and headers are read for the right one.
function(check_embedded_swift)
	set(probe ${CMAKE_BINARY_DIR}/CMakeFiles/embedded-probe)
	file(WRITE ${probe}.swift "import Synchronization\nlet probe = Atomic<UInt32>(0)\n")
	set(targets default)
	if(swift_target)
		string(REGEX REPLACE "-.*" "-none-none-elf" bare ${swift_target})
		set(targets own bare)
		set(flags_own -target ${swift_target})
		set(flags_bare -target ${bare} -Xfrontend -clang-target -Xfrontend ${swift_target})
	endif()
	foreach(target IN LISTS targets)
		execute_process(
			COMMAND ${IOASID_SWIFTC} ${IOASID_SWIFT_FLAGS} ${flags_${target}}
				-c ${probe}.swift -o ${probe}.o
			OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE status)
		if(status EQUAL 0)
			list(APPEND IOASID_SWIFT_FLAGS ${flags_${target}})
			set(IOASID_SWIFT_FLAGS ${IOASID_SWIFT_FLAGS} PARENT_SCOPE)
			break()
		endif()
	endforeach()
	if(NOT status EQUAL 0)
		set(target "${swift_target}")
		if(NOT target)
			set(target "its default target")
		endif()
		message(FATAL_ERROR "The Swift toolchain has no Embedded Swift standard library for "
			"${target}. Choose another toolchain with -DIOASID_SWIFTC=/path/to/swiftc, or another "
			"target with -DIOASID_SWIFT_TARGET=triple. ${IOASID_SWIFTC} said:\n${output}")
	endif()
endfunction()

function(check_swift_target)
	if(NOT swift_target)
		return()
	endif()
	string(REGEX REPLACE "-.*" "" swift_processor ${swift_target})
	set(c_processor ${CMAKE_SYSTEM_PROCESSOR})
	foreach(processor swift_processor c_processor)
		string(REGEX REPLACE "^arm64$" "aarch64" ${processor} ${${processor}})
		string(REGEX REPLACE "^(amd64|AMD64)$" "x86_64" ${processor} ${${processor}})
	endforeach()
	if(NOT swift_processor STREQUAL c_processor)
		message(FATAL_ERROR "Swift would be compiled for ${swift_processor} and C for ${c_processor}. To cross "
			"compile give CMake a toolchain file, as the preset aarch64 does; without, the C compiler is "
			"this machine's.")
	endif()
endfunction()

check_swift_version()
check_embedded_swift()
check_swift_target()
# For the compiler that makes objects of swiftc's output.
set(IOASID_SWIFT_CLANG_FLAGS)
if(swift_target)
	set(IOASID_SWIFT_CLANG_FLAGS -target ${swift_target})
endif()

# Objects of swiftc call the sanitizer or profile runtime of swiftc's own clang: use that for C and
# for linking.
file(REAL_PATH ${IOASID_SWIFTC} real_swiftc)
cmake_path(GET real_swiftc PARENT_PATH IOASID_SWIFT_BIN)
if(IOASID_SANITIZE)
	if(NOT IOASID_SANITIZE MATCHES "^(address|thread)$")
		message(FATAL_ERROR "IOASID_SANITIZE is '${IOASID_SANITIZE}': address, thread or empty")
	endif()
endif()
if((IOASID_SANITIZE OR IOASID_COVERAGE) AND NOT CMAKE_C_COMPILER)
	set(CMAKE_C_COMPILER ${IOASID_SWIFT_BIN}/clang)
endif()
