/* profileapi.h: the high-resolution clock.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface.
 */
#ifndef TRANSOM_PROFILEAPI_H
#define TRANSOM_PROFILEAPI_H

#include "minwindef.h"
#include "winnt.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A monotonic count, the same for all processes, and its steps per second, which are fixed.
 * Both return TRUE; FALSE with ERROR_NOACCESS for NULL. */
TRANSOM_API BOOL WINAPI QueryPerformanceCounter(LARGE_INTEGER *lpPerformanceCount);
TRANSOM_API BOOL WINAPI QueryPerformanceFrequency(LARGE_INTEGER *lpFrequency);

#ifdef __cplusplus
}
#endif

#endif
