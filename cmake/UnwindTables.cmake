# SPDX-License-Identifier: MIT
# cmake -DIR=file.ll -P UnwindTables.cmake: every function of the file gets an unwind table. Its name goes
# without its directory: the linker keeps it as a symbol.
file(READ ${IR} text)
string(REGEX REPLACE "\nattributes (#[0-9]+) = { " "\nattributes \\1 = { uwtable " text "${text}")
string(REGEX REPLACE "\nsource_filename = \"[^\"\n]*/" "\nsource_filename = \"" text "${text}")
# The module cache's files are named by hashes of the directory, and where they lie relative to the source's;
# nobody who debugs what is installed has that cache.
string(REGEX REPLACE "\"[^\"\n]*/swift-modules/([A-Z0-9]+/)?([A-Za-z_]+)(-[A-Z0-9]+)?[.]pcm\"" "\"\\2.pcm\"" text "${text}")
string(REGEX REPLACE "([.]pcm\", [^\n]*dwoId: )[0-9]+" "\\11" text "${text}")
# Modules of ours are named relative to the directory that theirs and the source's have in common.
string(REGEX REPLACE "DIFile.filename: \"[^\"\n]*/([A-Za-z]+[.]swiftmodule)\", directory: \"[^\"\n]*\""
	"DIFile(filename: \"\\1\", directory: \".\"" text "${text}")
file(WRITE ${IR} "${text}")
