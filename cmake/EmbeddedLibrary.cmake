# SPDX-License-Identifier: MIT
# embedded_module(): one Embedded-Swift module. embedded_library(): a shared library out of several.

# Flags of everything built here, C tests included.
add_library(ioasid_common INTERFACE)
target_compile_options(ioasid_common INTERFACE
	-Wall -Wextra $<$<CONFIG:Debug>:-DIOASID_CHECKS>)
if(IOASID_SANITIZE)
	target_compile_options(ioasid_common INTERFACE
		-fsanitize=${IOASID_SANITIZE} -fno-omit-frame-pointer)
	target_link_options(ioasid_common INTERFACE -fsanitize=${IOASID_SANITIZE} -fuse-ld=lld)
endif()
if(IOASID_FUZZ)
	target_compile_options(ioasid_common INTERFACE -fsanitize=fuzzer-no-link)
endif()

# The sanitizer under the name that the sources ask for.
set(IOASID_SANITIZER_DEFINES)
if(IOASID_SANITIZE STREQUAL "address")
	set(IOASID_SANITIZER_DEFINES IOASID_ASAN)
elseif(IOASID_SANITIZE STREQUAL "thread")
	set(IOASID_SANITIZER_DEFINES IOASID_TSAN)
	# The toolchain's TSan runtime intercepts libdispatch, so programs must have one.
	set(swift_runtime ${IOASID_SWIFT_BIN}/../lib/swift/linux)
	add_library(ioasid_sanitized_program INTERFACE)
	target_link_options(ioasid_sanitized_program INTERFACE
		-L${swift_runtime} -Wl,-rpath,${swift_runtime})
	target_link_libraries(ioasid_sanitized_program INTERFACE dispatch BlocksRuntime)
endif()

# Probe points for tracers, a nop each, where the header that makes them is there: Debian's
# systemtap-sdt-dev. Nothing is linked.
include(CheckIncludeFile)
check_include_file(sys/sdt.h IOASID_HAVE_SDT)
option(IOASID_PROBES "Static probe points on allocations, references, bindings and refusals"
	${IOASID_HAVE_SDT})
set(IOASID_DEFINES ${IOASID_SANITIZER_DEFINES})
if(IOASID_PROBES)
	list(APPEND IOASID_DEFINES IOASID_PROBES)
endif()

# What ships is the same, bit by bit, wherever it was built: no path of this machine, and no hash of the
# modules, which is there for incremental builds. Debuggers find the sources from the top of the tree
# (gdb: "directory"). Other builds keep full paths: coverage reports and sanitizers print them.
option(IOASID_REPRODUCIBLE "Leave the directories of the build out of the libraries" ON)
set(ioasid_prefix_map)
if(IOASID_REPRODUCIBLE AND CMAKE_BUILD_TYPE STREQUAL "Release"
		AND NOT IOASID_SANITIZE AND NOT IOASID_COVERAGE)
	# The build directory may lie in the source's, and the longer one is to count. Of those that fit, C compilers
	# take the last one, and swiftc the first.
	set(ioasid_prefix_map ${PROJECT_SOURCE_DIR}=. ${CMAKE_BINARY_DIR}=./build)
	list(APPEND IOASID_SWIFT_FLAGS -Xfrontend -disable-incremental-llvm-codegen
		-file-prefix-map ${CMAKE_BINARY_DIR}=./build -file-prefix-map ${PROJECT_SOURCE_DIR}=.)
endif()

set(IOASID_MODULES ${CMAKE_BINARY_DIR}/swift)
file(MAKE_DIRECTORY ${IOASID_MODULES})

# The folders of public headers that a module of a library sees: its own before those below it.
function(header_folders result module)
	set(folders ioasid)
	if(module MATCHES "^IOASID(Kernel|VTD)")
		list(PREPEND folders ioasid-kernel)
	endif()
	if(module MATCHES "^IOASIDVTD")
		list(PREPEND folders ioasid-vtd)
	endif()
	list(TRANSFORM folders PREPEND ${PROJECT_SOURCE_DIR}/include/)
	set(${result} ${folders} PARENT_SCOPE)
endfunction()

# embedded_module(MODULE C c_modules... SWIFT modules...): compiles Sources/MODULE into one object.
#
# What a module may import is what is listed here, and what that imports: the compiler finds no
# other. The C modules are folders of Sources/ with a modulemap.
#
# swiftc cannot emit unwind tables in Embedded mode, so it stops at LLVM's IR, where every function
# is told to have them, and the toolchain's clang makes the object: a backtrace goes through.
function(embedded_module module)
	cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "C;SWIFT")
	file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/Sources/${module}/*.swift)

	set(c_modules ${arg_C})
	set(imports ${arg_SWIFT})
	foreach(import IN LISTS arg_SWIFT)
		get_property(their_c_modules GLOBAL PROPERTY ${import}_c_modules)
		get_property(its_imports GLOBAL PROPERTY ${import}_imports)
		list(APPEND c_modules ${their_c_modules})
		list(APPEND imports ${its_imports})
	endforeach()
	list(REMOVE_DUPLICATES c_modules)
	list(REMOVE_DUPLICATES imports)
	set_property(GLOBAL PROPERTY ${module}_c_modules ${c_modules})
	set_property(GLOBAL PROPERTY ${module}_imports ${imports})

	set(search)
	set(needed)
	foreach(import IN LISTS imports)
		list(APPEND search -I ${IOASID_MODULES}/${import})
		list(APPEND needed ${IOASID_MODULES}/${import}/${import}.swiftmodule)
	endforeach()
	foreach(c_module IN LISTS c_modules)
		list(APPEND search -I ${PROJECT_SOURCE_DIR}/Sources/${c_module})
		file(GLOB its_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/Sources/${c_module}/*.h
			${PROJECT_SOURCE_DIR}/Sources/${c_module}/module.modulemap)
		list(APPEND headers ${its_headers})
	endforeach()
	file(GLOB_RECURSE public CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/*.h)
	header_folders(public_search ${module})
	list(TRANSFORM public_search REPLACE "(.+)" "-Xcc;-I\\1")

	set(defines ${IOASID_DEFINES} IOASID_LIBRARY $<$<CONFIG:Debug>:IOASID_CHECKS>)
	set(flags ${IOASID_SWIFT_FLAGS}
		-module-name ${module}
		# With it the modules of a library are optimised as one.
		-package-name ioasid
		-module-cache-path ${CMAKE_BINARY_DIR}/swift-modules
		# Also in Debug: only the optimizer turns globals into static data, and Embedded Swift
		# initialises the others at first use without any lock.
		-O -g
		-enforce-exclusivity=unchecked
		${search} ${public_search})
	if(IOASID_SANITIZE)
		list(APPEND flags -sanitize=${IOASID_SANITIZE})
	endif()
	if(IOASID_FUZZ)
		list(APPEND flags -sanitize=fuzzer)
	endif()

	file(MAKE_DIRECTORY ${IOASID_MODULES}/${module})
	set(ir ${IOASID_MODULES}/${module}.ll)
	set(object ${IOASID_MODULES}/${module}.o)
	set(interface ${IOASID_MODULES}/${module}/${module}.swiftmodule)
	add_custom_command(OUTPUT ${object} ${interface}
		COMMAND ${IOASID_SWIFTC} ${flags} "$<$<BOOL:${defines}>:-D$<JOIN:${defines},;-D>>"
			"$<$<BOOL:${defines}>:-Xcc;-D$<JOIN:${defines},;-Xcc;-D>>"
			-emit-module -emit-module-path ${interface}
			-emit-ir ${sources} -o ${ir}
		COMMAND ${CMAKE_COMMAND} -DIR=${ir} -P ${PROJECT_SOURCE_DIR}/cmake/UnwindTables.cmake
		COMMAND ${IOASID_SWIFT_BIN}/clang ${IOASID_SWIFT_CLANG_FLAGS}
			-c ${ir} -o ${object} -O2 -g -fPIC
			-Xclang -disable-llvm-passes -Wno-override-module
			# Unused parts of the Embedded runtime then fall to --gc-sections.
			-ffunction-sections
		DEPENDS ${sources} ${headers} ${public} ${needed}
			${PROJECT_SOURCE_DIR}/cmake/UnwindTables.cmake
		COMMENT "Compiling Swift module ${module}"
		# Debug information names the directory that this one and the source's have in common.
		WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
		COMMAND_EXPAND_LISTS VERBATIM)
	set_property(SOURCE ${object} PROPERTY EXTERNAL_OBJECT TRUE)
endfunction()

# version_script(RESULT TARGET SYMBOLS): a linker script that exports exactly the names listed, each in
# the node of the release that brought it: LIBIOASID_0.2.
#
# abi/released.txt has name and release of what was released; all else is of the version being made.
function(version_script result target symbols)
	set(released ${PROJECT_SOURCE_DIR}/abi/released.txt)
	set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${symbols} ${released})
	file(STRINGS ${symbols} names)
	file(STRINGS ${released} released)
	set(releases)
	foreach(line IN LISTS released)
		if(NOT line MATCHES "^([a-z_0-9]+) ([0-9]+[.][0-9]+)$")
			message(FATAL_ERROR "abi/released.txt: not a name and a release: ${line}")
		endif()
		set(release_of_${CMAKE_MATCH_1} ${CMAKE_MATCH_2})
	endforeach()
	foreach(name IN LISTS names)
		if(NOT DEFINED release_of_${name})
			set(release_of_${name} ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
		endif()
		list(APPEND releases ${release_of_${name}})
		string(APPEND names_of_${release_of_${name}} "\t\t${name};\n")
	endforeach()
	list(REMOVE_DUPLICATES releases)
	list(SORT releases COMPARE NATURAL)

	string(TOUPPER "lib${target}" node)
	string(REPLACE - _ node ${node})
	set(script "")
	set(below "")
	set(local "\tlocal:\n\t\t*;\n")
	foreach(release IN LISTS releases)
		string(APPEND script
			"${node}_${release} {\n\tglobal:\n${names_of_${release}}${local}}${below};\n")
		set(below " ${node}_${release}")
		set(local "")
	endforeach()
	set(file ${CMAKE_CURRENT_BINARY_DIR}/${target}.map)
	file(CONFIGURE OUTPUT ${file} CONTENT "${script}")
	set(${result} ${file} PARENT_SCOPE)
endfunction()

# private_names(RESULT SYMBOLS): the linker's options for the second names in a list of symbols: where it has
# ioasid_X, ioasid_api_X is the same function. No program has a function of such a name, so that whoever
# calls by it finds ours, also where a program has an ioasid_X of its own.
function(private_names result symbols)
	file(STRINGS ${symbols} names)
	set(options)
	foreach(name IN LISTS names)
		string(REGEX REPLACE "^ioasid_api_" "ioasid_" function ${name})
		if(NOT function STREQUAL name AND function IN_LIST names)
			list(APPEND options LINKER:--defsym=${name}=${function})
		endif()
	endforeach()
	set(${result} ${options} PARENT_SCOPE)
endfunction()

# embedded_library(TARGET MODULES m... C c_modules... SYMBOLS file HEADERS folder LINK libraries...)
#
# Its users see its folder of include/ before those of the libraries it links.
function(embedded_library target)
	cmake_parse_arguments(PARSE_ARGV 1 arg "" "SYMBOLS;HEADERS" "MODULES;C;LINK")
	list(TRANSFORM arg_MODULES REPLACE "(.+)" "${IOASID_MODULES}/\\1.o" OUTPUT_VARIABLE objects)
	list(TRANSFORM arg_C PREPEND ${PROJECT_SOURCE_DIR}/Sources/ OUTPUT_VARIABLE c_modules)
	list(TRANSFORM c_modules APPEND /*.c OUTPUT_VARIABLE patterns)
	file(GLOB c_sources CONFIGURE_DEPENDS ${patterns})
	version_script(script ${target} ${arg_SYMBOLS})
	private_names(aliases ${arg_SYMBOLS})

	add_library(${target} SHARED ${objects} ${c_sources})
	add_library(ioasid::${target} ALIAS ${target})
	# What people read is written in its own time: small rather than fast.
	set(cold ${c_sources})
	list(FILTER cold INCLUDE REGEX "/(dump|history|report|symbol|refusal|trace)\\.c$")
	set_source_files_properties(${cold} PROPERTIES
		COMPILE_OPTIONS $<$<CONFIG:Release,RelWithDebInfo>:-Os>)
	set_source_files_properties(${objects} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
	set_target_properties(${target} PROPERTIES
		VERSION ${PROJECT_VERSION}
		SOVERSION ${PROJECT_VERSION_MAJOR}
		C_STANDARD 11
		LINKER_LANGUAGE C
		LINK_DEPENDS ${script}
		# What is tested is what is installed, in the build tree as well.
		BUILD_WITH_INSTALL_RPATH TRUE)
	if(arg_LINK)
		# The libraries below lie beside it, and a program need not link those.
		set_target_properties(${target} PROPERTIES INSTALL_RPATH $ORIGIN)
	endif()
	target_include_directories(${target}
		PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include/${arg_HEADERS}>
			$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/${arg_HEADERS}>
		PRIVATE ${c_modules})
	target_compile_definitions(${target} PRIVATE ${IOASID_DEFINES} IOASID_LIBRARY)
	target_compile_options(${target} PRIVATE
		-ffunction-sections -fdata-sections)
	foreach(map IN LISTS ioasid_prefix_map)
		target_compile_options(${target} PRIVATE -ffile-prefix-map=${map})
	endforeach()
	target_link_options(${target} PRIVATE
		LINKER:--version-script=${script} LINKER:--gc-sections LINKER:--as-needed
		LINKER:-z,relro LINKER:-z,now LINKER:-z,noseparate-code ${aliases}
		# Threads, fork handlers and what waits for readers outlive any dlclose().
		LINKER:-z,nodelete)
	if(NOT IOASID_SANITIZE)	# the sanitizer's runtime comes with the program
		target_link_options(${target} PRIVATE LINKER:-z,defs)
	endif()
	target_link_libraries(${target} ${arg_LINK} PRIVATE $<BUILD_INTERFACE:ioasid_common>)
endfunction()
