# SPDX-License-Identifier: MIT
# cmake -DIR=file.ll -P UnwindTables.cmake: every function of the file gets an unwind table.
file(READ ${IR} text)
string(REGEX REPLACE "\nattributes (#[0-9]+) = { " "\nattributes \\1 = { uwtable " text "${text}")
file(WRITE ${IR} "${text}")
