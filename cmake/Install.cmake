# SPDX-License-Identifier: MIT
# What is installed where. Components: runtime and development for libioasid, kernel and vtd for all of
# the other two libraries.
include(CMakePackageConfigHelpers)

foreach(directory LIBDIR INCLUDEDIR)
	if(IS_ABSOLUTE "${CMAKE_INSTALL_${directory}}")
		message(FATAL_ERROR "CMAKE_INSTALL_${directory} must be relative to the prefix: "
			"the installation can be moved as a whole")
	endif()
endforeach()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ioasid)
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH pc_to_prefix /${pkgconfig_dir} /)

# note_directories(COMPONENT DIRECTORY...): comes before what is installed there. Those that are not there yet may go
# with the target uninstall.
function(note_directories component)
	install(CODE "set(directories \"${ARGN}\")
		set(list \"${CMAKE_BINARY_DIR}/install_directories.txt\")
		include(\"${PROJECT_SOURCE_DIR}/cmake/note-directories.cmake\")" COMPONENT ${component})
endfunction()

note_directories(runtime ${CMAKE_INSTALL_LIBDIR})
foreach(component development kernel vtd)
	note_directories(${component} ${CMAKE_INSTALL_LIBDIR}/cmake ${pkgconfig_dir} ${CMAKE_INSTALL_INCLUDEDIR})
endforeach()

# install_library(TARGET PC RUNTIME_COMPONENT DEVELOPMENT_COMPONENT)
function(install_library target pc runtime development)
	install(TARGETS ${target} EXPORT ${target}Targets
		LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
			COMPONENT ${runtime} NAMELINK_COMPONENT ${development})
	install(EXPORT ${target}Targets NAMESPACE ioasid:: DESTINATION ${package_dir}
		COMPONENT ${development})
	configure_file(pkgconfig/${pc}.in ${pc} @ONLY)
	install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${pc} DESTINATION ${pkgconfig_dir}
		COMPONENT ${development})
endfunction()

install_library(ioasid ioasid.pc runtime development)
set_target_properties(ioasid-kernel PROPERTIES EXPORT_NAME kernel)
target_compile_definitions(ioasid-kernel INTERFACE IOASID_KERNEL)
install_library(ioasid-kernel ioasid-kernel.pc kernel kernel)
set_target_properties(ioasid-vtd PROPERTIES EXPORT_NAME vtd)
install_library(ioasid-vtd ioasid-vtd.pc vtd vtd)
foreach(folder_component ioasid:development ioasid-kernel:kernel ioasid-vtd:vtd)
	string(REPLACE ":" ";" pair ${folder_component})
	list(GET pair 0 folder)
	list(GET pair 1 component)
	install(DIRECTORY include/${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
		COMPONENT ${component})
endforeach()

configure_package_config_file(cmake/ioasidConfig.cmake.in ioasidConfig.cmake
	INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
# docs/abi-policy.md: within a major version everything stays.
write_basic_package_version_file(ioasidConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ioasidConfig.cmake
	${CMAKE_CURRENT_BINARY_DIR}/ioasidConfigVersion.cmake
	DESTINATION ${package_dir} COMPONENT development)

add_custom_target(uninstall
	COMMAND ${CMAKE_COMMAND} -P ${PROJECT_SOURCE_DIR}/cmake/uninstall.cmake
	WORKING_DIRECTORY ${CMAKE_BINARY_DIR}
	COMMENT "Removing what the last installation wrote" VERBATIM)
