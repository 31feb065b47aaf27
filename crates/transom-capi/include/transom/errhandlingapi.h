/* errhandlingapi.h: the last error of a thread.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Values: winerror.h;
 * when a succeeding call sets one, too: docs/handles.md, section 1.
 */
#ifndef TRANSOM_ERRHANDLINGAPI_H
#define TRANSOM_ERRHANDLINGAPI_H

#include "minwindef.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The code that the calling thread's last failing call left; 0 in a new thread. Ask before
 * the next call. errno is another variable, and calls of this interface may change it. */
TRANSOM_API DWORD WINAPI GetLastError(void);

/* Sets that code. Never fails. */
TRANSOM_API void WINAPI SetLastError(DWORD dwErrCode);

#ifdef __cplusplus
}
#endif

#endif
