/* errhandlingapi.h: the last error of a thread, and what becomes of others.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Values: winerror.h;
 * when a succeeding call sets one, too: docs/handles.md, section 1.
 */
#ifndef TRANSOM_ERRHANDLINGAPI_H
#define TRANSOM_ERRHANDLINGAPI_H

#include "minwindef.h"

#define SEM_FAILCRITICALERRORS 0x0001
#define SEM_NOGPFAULTERRORBOX 0x0002
#define SEM_NOALIGNMENTFAULTEXCEPT 0x0004
#define SEM_NOOPENFILEERRORBOX 0x8000

struct _EXCEPTION_POINTERS;

#ifdef __cplusplus
extern "C" {
#endif

/* The code that the calling thread's last failing call left; 0 in a new thread. Ask before
 * the next call. errno is another variable, and calls of this interface may change it. */
TRANSOM_API DWORD WINAPI GetLastError(void);

/* Sets that code. Never fails. */
TRANSOM_API void WINAPI SetLastError(DWORD dwErrCode);

/* Which boxes the system shows. There are none here: the number is kept, and the one before it
 * returned. */
TRANSOM_API UINT WINAPI SetErrorMode(UINT uMode);
TRANSOM_API UINT WINAPI GetErrorMode(void);

/* A filter for exceptions that nobody handles. Exceptions are signals here and the filter is never
 * called; NULL, as there was none before. */
typedef LONG(WINAPI *PTOP_LEVEL_EXCEPTION_FILTER)(struct _EXCEPTION_POINTERS *ExceptionInfo);
typedef PTOP_LEVEL_EXCEPTION_FILTER LPTOP_LEVEL_EXCEPTION_FILTER;
TRANSOM_API LPTOP_LEVEL_EXCEPTION_FILTER WINAPI SetUnhandledExceptionFilter(
    LPTOP_LEVEL_EXCEPTION_FILTER lpTopLevelExceptionFilter);

#ifdef __cplusplus
}
#endif

#endif
