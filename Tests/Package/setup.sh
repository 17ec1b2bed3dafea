#!/bin/bash
# SPDX-License-Identifier: MIT
# setup.sh SOURCE: scripts/setup with a Debian that is made up: it installs what is missing, and nothing else.
set -euo pipefail

setup=$1/scripts/setup
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
status=0

# fake NAME: a command whose text is standard input.
fake() {
	{ echo '#!/bin/bash'; cat; } > "$work/bin/$1"
	chmod +x "$work/bin/$1"
}

# The made-up Debian: $work/installed has NAME ARCHITECTURE, $work/available has names.
fake dpkg <<< '[ "$1" != --print-architecture ] || echo amd64'
fake dpkg-query << END
# dpkg-query -W -f FORMAT NAME...
format=\$3
shift 3
for name; do
	while read -r package architecture; do
		[ "\$package" = "\${name%:*}" ] || continue
		[[ \$name != *:* || \$architecture = "\${name##*:}" ]] || continue
		text=\${format//'\${Architecture}'/\$architecture}
		printf "\${text//'\${db:Status-Status}'/installed}"
	done < "$work/installed"
done
END
# Goes on after the line that is looked for, as long as anybody reads.
fake apt-cache << END
grep -qx "\${3%:*}" "$work/available" || exit 100
echo "Package: \${3%:*}"
for ((i = 0; i < 20000; i++)); do echo "Description: a line of many"; done
END
fake apt-get << END
[ "\$1" != install ] || echo "\$*" >> "$work/asked"
END
fake id <<< 'echo 0'
swift() {
	fake swiftc <<< "echo 'Swift version $1 (swift-RELEASE)'"
}

# run NAME [ARGUMENT]: scripts/setup; what it asked apt-get for is in asked.
run() {
	name=$1
	shift
	: > "$work/asked"
	PATH=$work/bin:/usr/bin:/bin "$setup" "$@" > "$work/log" 2>&1 && result=0 || result=$?
}

# says WHAT FILE, silent WHAT FILE: WHAT is in it, or is not.
says() {
	grep -qE -- "$1" "$work/$2" && return
	echo "FAIL: $name: no '$1' in $2:" >&2
	cat "$work/log" "$work/asked" >&2
	status=1
}
silent() {
	! grep -qE -- "$1" "$work/$2" && return
	echo "FAIL: $name: '$1' in $2:" >&2
	cat "$work/log" "$work/asked" >&2
	status=1
}

for package in binutils cmake gcc g++ libncurses6 make ninja-build pkg-config python3 clang-format libcmocka-dev \
	libjudy-dev liburcu-dev mandoc systemtap-sdt-dev valgrind; do
	echo "$package amd64"
done > "$work/installed"
printf '%s\n' spin linux-source-6.1 mkdocs lintian liburcu-dev liburcu8 > "$work/available"
swift 6.3.1

run "all is there" build
silent . asked

echo "cmake arm64" >> "$work/installed"
run "a package of two architectures" build
silent . asked

sed -i 's/^cmake amd64$/cmake all/; /^cmake arm64$/d' "$work/installed"
run "a package for any architecture" build
silent . asked

sed -i 's/^cmake all$/cmake arm64/' "$work/installed"
run "a package of another architecture only" build
says ' cmake$' asked

run "what is wanted and available" test
says ' spin linux-source-6.1 mkdocs$' asked
silent 'No package' log

sed -i '/^mkdocs$/d' "$work/available"
run "what is wanted and not available" test
says 'No package mkdocs' log
silent mkdocs asked

run "Debian 12 for Arm" aarch64
says ' liburcu8:arm64 ' asked
sed -i '/^cmake/d; /^ninja-build/d; /^python3/d' "$work/installed"
sed -i 's/^liburcu8$/liburcu8t64/' "$work/available"
run "Debian 13 for Arm, with nothing there" aarch64
says ' liburcu8t64:arm64 ' asked
says ' cmake ninja-build python3 ' asked
echo "libcmocka-dev arm64" >> "$work/installed"
run "a package of the other architecture that is there" aarch64
silent libcmocka asked

run "for Debian packages" package
says ' debhelper ' asked

swift 6.2.4
run "an old Swift" build
silent . asked
says 'is not Swift 6.3' log
says 'apt-get install .* cmake' log
rm "$work/bin/swiftc"
run "no Swift" build
silent . asked
says 'no swiftc on PATH' log

fake swiftc << END
[ -s "$work/asked" ] && exec echo "Swift version 6.3.1"
echo "error while loading shared libraries: libncurses.so.6" >&2
exit 127
END
sed -i '/^libncurses6/d' "$work/installed"
run "a Swift without its libraries" build
says libncurses6 asked
[ $result = 0 ] || { echo "FAIL: $name: $(cat "$work/log")" >&2; status=1; }

run "what it does not know" everything
[ $result = 2 ] || { echo "FAIL: $name: exit status $result" >&2; status=1; }

exit $status
