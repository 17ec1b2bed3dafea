# SPDX-License-Identifier: MIT
# cmake -DIR=file.ll -P UnwindTables.cmake: every function of the file gets an unwind table. Its name goes
# without its directory: the linker keeps it as a symbol.
file(READ ${IR} text)
string(REGEX REPLACE "\nattributes (#[0-9]+) = { " "\nattributes \\1 = { uwtable " text "${text}")
string(REGEX REPLACE "\nsource_filename = \"[^\"\n]*/" "\nsource_filename = \"" text "${text}")
file(WRITE ${IR} "${text}")
