# SPDX-License-Identifier: MIT
# The manual pages: scripts/man makes them, each folder of them goes with the headers it describes.
option(IOASID_MAN "Make and install the manual pages; needs python3" ON)
if(NOT IOASID_MAN)
	return()
endif()
find_package(Python3 COMPONENTS Interpreter)
if(NOT Python3_FOUND)
	message(FATAL_ERROR "No python3, which makes the manual pages. Install it (Debian: apt-get install "
		"python3), or configure with -DIOASID_MAN=OFF.")
endif()

set(man ${CMAKE_BINARY_DIR}/man)
file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/*.h
	${PROJECT_SOURCE_DIR}/man/*.7)
add_custom_command(OUTPUT ${man}/stamp
	COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/scripts/man ${man}
	COMMAND ${CMAKE_COMMAND} -E touch ${man}/stamp
	DEPENDS ${sources} ${PROJECT_SOURCE_DIR}/scripts/man
	COMMENT "Making the manual pages" VERBATIM)
add_custom_target(man ALL DEPENDS ${man}/stamp)

foreach(folder_component ioasid:development ioasid-kernel:kernel ioasid-vtd:vtd)
	string(REPLACE ":" ";" pair ${folder_component})
	list(GET pair 0 folder)
	list(GET pair 1 component)
	note_directories(${component} ${CMAKE_INSTALL_MANDIR}/man3 ${CMAKE_INSTALL_MANDIR}/man7)
	install(DIRECTORY ${man}/${folder}/ DESTINATION ${CMAKE_INSTALL_MANDIR} COMPONENT ${component})
endforeach()
