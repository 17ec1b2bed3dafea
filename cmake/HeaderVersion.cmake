# SPDX-License-Identifier: MIT
# Reads the version out of a public header, so that no second file can disagree with it.

# header_version(HEADER PREFIX RESULT): RESULT = the three PREFIX_VERSION_* macros, dotted.
function(header_version header prefix result)
	set(parts)
	foreach(part MAJOR MINOR PATCH)
		set(pattern "^#define[ \t]+${prefix}_VERSION_${part}[ \t]+([0-9]+)$")
		file(STRINGS ${header} line REGEX "${pattern}")
		if(NOT line MATCHES "${pattern}")
			message(FATAL_ERROR "${header} has no ${prefix}_VERSION_${part}")
		endif()
		list(APPEND parts ${CMAKE_MATCH_1})
	endforeach()
	set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${header})
	list(JOIN parts . version)
	set(${result} ${version} PARENT_SCOPE)
endfunction()
