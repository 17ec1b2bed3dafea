# SPDX-License-Identifier: MIT
# Run in the build directory: removes the files that its install manifests name, and the directories that
# the installations made, if they are empty then. Honours DESTDIR.

file(GLOB manifests install_manifest*.txt)
if(NOT manifests)
	message(FATAL_ERROR "Nothing to uninstall: no install_manifest*.txt in this build directory")
endif()

# Fails for one that is not empty.
macro(remove_directory directory)
	execute_process(COMMAND rmdir -- "${directory}" RESULT_VARIABLE failed ERROR_QUIET)
endmacro()

foreach(manifest IN LISTS manifests)
	file(STRINGS ${manifest} files)
	foreach(file IN LISTS files)
		set(path "$ENV{DESTDIR}${file}")
		if(EXISTS "${path}" OR IS_SYMLINK "${path}")
			file(REMOVE "${path}")
			message(STATUS "Removed ${path}")
		endif()
		# Directories of our own go whoever made them.
		cmake_path(GET path PARENT_PATH directory)
		while(directory MATCHES "/ioasid(-kernel|-vtd)?(/|$)")
			remove_directory("${directory}")
			if(failed)
				break()
			endif()
			cmake_path(GET directory PARENT_PATH directory)
		endwhile()
	endforeach()
	file(REMOVE ${manifest})
endforeach()

if(EXISTS install_directories.txt)
	file(STRINGS install_directories.txt directories)
	list(REMOVE_DUPLICATES directories)
	list(SORT directories ORDER DESCENDING) # what is inside comes first
	foreach(directory IN LISTS directories)
		remove_directory("${directory}")
	endforeach()
	file(REMOVE install_directories.txt)
endif()
