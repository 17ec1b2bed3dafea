// SPDX-License-Identifier: MIT
// The core: every request, by subject, in extensions of this name.

import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// Functions that change anything run with the core lock held, unless they say otherwise. State is
/// in the tables; a table's own functions never call out. What calls out (handlers, allocators)
/// does so in a consistent state and looks everything up again afterwards.
package enum Core {}
