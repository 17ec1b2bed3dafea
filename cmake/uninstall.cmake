# SPDX-License-Identifier: MIT
# Run in the build directory: removes the files that its install manifests name. Honours DESTDIR.

file(GLOB manifests install_manifest*.txt)
if(NOT manifests)
	message(FATAL_ERROR "Nothing to uninstall: no install_manifest*.txt in this build directory")
endif()

foreach(manifest IN LISTS manifests)
	file(STRINGS ${manifest} files)
	foreach(file IN LISTS files)
		set(path "$ENV{DESTDIR}${file}")
		if(EXISTS "${path}" OR IS_SYMLINK "${path}")
			file(REMOVE "${path}")
			message(STATUS "Removed ${path}")
		endif()
		# Directories of our own go when empty; shared ones such as lib/ stay.
		cmake_path(GET path PARENT_PATH directory)
		while(directory MATCHES "/ioasid(-kernel|-vtd)?(/|$)")
			file(GLOB left LIST_DIRECTORIES TRUE "${directory}/*")
			if(left)
				break()
			endif()
			file(REMOVE_RECURSE "${directory}")
			cmake_path(GET directory PARENT_PATH directory)
		endwhile()
	endforeach()
	file(REMOVE ${manifest})
endforeach()
