// SPDX-License-Identifier: MIT
// The address of a place that does not move.

/// The address of a field in C memory or of a global variable, which stays the same: the place
/// where a link of a list is kept, say.
@inline(__always)
package func stable<Pointee: ~Copyable>(_ place: UnsafeMutablePointer<Pointee>)
    -> UnsafeMutablePointer<Pointee>
{
    place
}
