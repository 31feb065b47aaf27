/* debugapi.h: what a program tells a debugger.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface.
 */
#ifndef TRANSOM_DEBUGAPI_H
#define TRANSOM_DEBUGAPI_H

#include "minwindef.h"

#define DebugBreak() __builtin_trap()

#ifdef __cplusplus
extern "C" {
#endif

/* Whether somebody traces this process. */
TRANSOM_API BOOL WINAPI IsDebuggerPresent(void);

/* A text for a debugger; none listens here, so it is lost. */
TRANSOM_API void WINAPI OutputDebugStringA(LPCSTR lpOutputString);
TRANSOM_API void WINAPI OutputDebugStringW(LPCWSTR lpOutputString);
#define OutputDebugString TRANSOM_AW(OutputDebugString)

#ifdef __cplusplus
}
#endif

#endif
