/* windows.h: everything a program that shares data between processes includes from Windows.
 *
 * Part of transom's C interface: the names of the Win32 headers, for programs on Linux. What
 * is in none of these headers is not part of the interface: it may be missing, or there by
 * accident. What each call does is told beside its declaration, the rules behind it in docs/.
 *
 *     cc $(pkg-config --cflags --libs transom) program.c
 *
 * Installed as Windows.h and WINDOWS.H, too, because sources spell it so: copies, the same to
 * the byte, so that file systems which do not tell the names apart lose nothing.
 */
#ifndef TRANSOM_WINDOWS_H
#define TRANSOM_WINDOWS_H

/* Other sources ask for these to know whether the header was included. */
#ifndef _WINDOWS_
#define _WINDOWS_
#endif
#ifndef _INC_WINDOWS
#define _INC_WINDOWS
#endif

#include <stdarg.h>
#include "windef.h"
#include "winerror.h"
#include "winbase.h"
#include "winuser.h"

#ifndef WIN32_LEAN_AND_MEAN
#include "shellapi.h"
#endif

#endif
