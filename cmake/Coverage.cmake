# SPDX-License-Identifier: MIT
# IOASID_COVERAGE: everything built counts what it executes. scripts/coverage reads the counts.
if(NOT IOASID_COVERAGE)
	return()
endif()

# The counts can be a mapped file (%c of LLVM_PROFILE_FILE), so that those of a child that crashes or
# leaves by _exit() are there too.
set(relocation -runtime-counter-relocation)
list(APPEND IOASID_SWIFT_FLAGS
	-profile-generate -profile-coverage-mapping -Xllvm ${relocation})
add_compile_options(-fprofile-instr-generate -fcoverage-mapping "SHELL:-mllvm ${relocation}")
add_link_options(-fprofile-instr-generate -fuse-ld=lld)
