#!/bin/bash
# SPDX-License-Identifier: MIT
# imports SOURCE: the modules import what docs/architecture.md draws, no more and no less; there is no
# circle; both build systems allow no other way; and users' code is called where the page says.
set -euo pipefail
cd "$1"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
wrong() {
	echo "$*" >&2
	status=1
}

# Swift without its comments, as FILE:LINE:TEXT.
code() {
	grep -rnE '.' --include='*.swift' "$@" | sed -E 's,//.*,,' | grep -vE ':[0-9]+: *$'
}

# ---- what is drawn: "MODULE IMPORT..."; "(MODULE)" is linked and not imported ----
sed -n '/^```imports$/,/^```$/{/^```/d;p}' docs/architecture.md > "$work/drawing"
[ -s "$work/drawing" ] || { echo "No drawing of imports in docs/architecture.md" >&2; exit 1; }
awk '{ for (i = 2; i <= NF; i++) if ($i !~ /^\(/) print $1, $i }' "$work/drawing" | sort > "$work/drawn"
awk '{ for (i = 2; i <= NF; i++) if ($i ~ /^\(/) print $1, substr($i, 2, length($i) - 2) }' \
	"$work/drawing" | sort > "$work/linked"

# ---- what is there ----
modules=$(find Sources -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort)
diff <(awk '{ print $1 }' "$work/drawing" | sort) <(echo "$modules") > "$work/differ" ||
	wrong "Drawn (<) are not the modules that are there (>):" "$(grep '^[<>]' "$work/differ")"
# Swift imports a module; C includes a header of another folder.
for module in $modules; do
	{
		find "Sources/$module" -name '*.swift' -exec \
			sed -nE 's/^ *(@[a-z]+ )*((public|package|internal) )?import +([A-Za-z]+).*/\4/p' {} +
		find "Sources/$module" -name '*.[ch]' -exec \
			sed -nE 's/^ *# *include +[<"]([a-z_]+\.h)[>"].*/\1/p' {} + | sort -u |
			while read -r header; do
				find Sources -mindepth 2 -maxdepth 2 -name "$header" -printf '%h\n'
			done | sed 's,.*/,,'
	} | sort -u | grep -xF "$modules" | grep -vx "$module" | sed "s/^/$module /" || true
done | sort > "$work/there"
diff "$work/drawn" "$work/there" > "$work/differ" ||
	wrong "Drawn (<) are not the imports that are there (>):" "$(grep '^[<>]' "$work/differ")"

# ---- no circle ----
tsort "$work/drawn" > /dev/null 2> "$work/circle" || wrong "A circle:" "$(cat "$work/circle")"

# ---- the lists of the build systems: they allow what is drawn, or what comes with that ----
sed -nE 's/^embedded_module\(([A-Za-z]+) (.*)\)$/\1 \2/p' CMakeLists.txt |
	awk '{ for (i = 2; i <= NF; i++) if ($i ~ /^C?IOASID/) print $1, $i }' | sort > "$work/cmake"
tr '\n' ' ' < Package.swift |
	grep -oE '(layer|c)\( *"C?IOASID[A-Za-z]*"(, *\[[^]]*\])?' |
	awk -F '"' '{ for (i = 4; i <= NF; i += 2) print $2, $i }' | sort > "$work/package"
# below NAME: "MODULE OTHER" for all that can be reached by the pairs of a file.
below() {
	awk '
	{ to[$1] = to[$1] " " $2; all[$1] }
	function walk(from, at,    i, next_, list, n) {
		n = split(to[at], list, " ")
		for (i = 1; i <= n; i++) {
			next_ = list[i]
			if ((from, next_) in seen)
				continue
			seen[from, next_]
			print from, next_
			walk(from, next_)
		}
	}
	END { for (module in all) walk(module, module) }' "$1" | sort
}
below "$work/drawn" > "$work/reachable"
for system in cmake package; do
	# What C includes is not listed in CMake: every folder finds every other one of its library.
	grep -v '^C' "$work/$system" > "$work/listed"
	extra=$(comm -23 "$work/listed" <(sort -u "$work/reachable" "$work/linked"))
	[ -z "$extra" ] || wrong "Listed for $system but not drawn:" $extra
	cat "$work/listed" <(grep '^C' "$work/drawn") > "$work/with-c"
	missing=$(comm -23 <(grep -v '^C' "$work/there") <(below "$work/with-c"))
	[ -z "$missing" ] || wrong "Imported but not listed for $system:" $missing
done

# ---- who calls users' code ----
outside=$(code Sources | grep -w CallOut |
	grep -vE '^Sources/(IOASIDCore/Life|IOASIDABI)/' || true)
[ -z "$outside" ] || wrong "CallOut outside Life and the boundary: $outside"
# The users' functions are fields: what reads them calls them, but for who registers or compares.
calls=$(code Sources/IOASIDCore |
	grep -E '(subscriber|block|group|ops|\$[0-9])\.pointee\.(call|alloc|free|notifier_call)\b' |
	grep -vE '^Sources/IOASIDCore/Life/CallOut.swift:' |
	grep -vE 'guard let .* = (ops|block)\.pointee\.(alloc|notifier_call)' || true)
[ -z "$calls" ] || wrong "Users' functions outside CallOut.swift: $calls"
types=$(code Sources/IOASIDCore | grep -E '(notifier|alloc|free)_fn_t' |
	grep -vE '^Sources/IOASIDCore/(IDs/Allocators|Events/Subscriber)\.swift:' || true)
[ -z "$types" ] || wrong "Users' functions kept elsewhere: $types"

exit $status
