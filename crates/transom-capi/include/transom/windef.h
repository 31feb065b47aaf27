/* windef.h: the basic types, under the name that older sources include.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. The types are in
 * minwindef.h and winnt.h.
 */
#ifndef TRANSOM_WINDEF_H
#define TRANSOM_WINDEF_H

#include "minwindef.h"
#include "winnt.h"

#endif
