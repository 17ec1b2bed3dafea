# SPDX-License-Identifier: MIT
# Before an installation into these directories: notes which of them, and of those above, it will make.
# uninstall.cmake removes no others.

foreach(directory IN LISTS directories)
	cmake_path(ABSOLUTE_PATH directory BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}" NORMALIZE)
	set(directory "$ENV{DESTDIR}${directory}")
	cmake_path(ABSOLUTE_PATH directory NORMALIZE)
	while(NOT EXISTS "${directory}")
		file(APPEND "${list}" "${directory}\n")
		cmake_path(GET directory PARENT_PATH directory)
	endwhile()
endforeach()
