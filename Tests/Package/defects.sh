#!/bin/bash
# SPDX-License-Identifier: MIT
# Does every test that docs/defects.md names exist, and does every defect D1 to D85 have its row?
# Usage: defects.sh DOCUMENT CTESTS
set -euo pipefail
document=$1 ctests=$2
status=0

while read -r suite name; do
	if ! grep -q "^static void $name(void \*\*state)" "$ctests/$suite"; then
		echo "no test $name in $suite"
		status=1
	fi
done < <(grep -oE '`test_[a-z_]+\.c` `[a-z0-9_]+`' "$document" | tr -d '`')

for number in $(seq 85); do
	if [ "$(grep -c "^| D$number |" "$document")" != 1 ]; then
		echo "D$number has no row, or several"
		status=1
	fi
done
exit $status
