# SPDX-License-Identifier: MIT
# For scripts that install from a build directory: its manifests belong to whoever installed before.

# keep_manifests BUILD WORK: puts them aside.
keep_manifests() {
	mkdir -p "$2/manifests"
	find "$1" -maxdepth 1 -name 'install_*.txt' -exec mv {} "$2/manifests" \;
}

# restore_manifests BUILD WORK: the opposite.
restore_manifests() {
	rm -f "$1"/install_{manifest*,directories}.txt
	find "$2/manifests" -type f -exec mv {} "$1" \;
}
