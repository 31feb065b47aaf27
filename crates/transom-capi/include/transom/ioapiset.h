/* ioapiset.h: the result of an operation that was given an OVERLAPPED.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Rules: docs/pipes.md,
 * section 10.
 */
#ifndef TRANSOM_IOAPISET_H
#define TRANSOM_IOAPISET_H

#include "minwindef.h"
#include "minwinbase.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Gives the bytes moved by the operation that lpOverlapped was passed to, and its outcome:
 * TRUE, or FALSE with the operation's error. Files and anonymous pipes finish before their
 * call returns, so there is never anything to wait for and ERROR_IO_INCOMPLETE is not seen. */
TRANSOM_API BOOL WINAPI GetOverlappedResult(HANDLE hFile, LPOVERLAPPED lpOverlapped,
    LPDWORD lpNumberOfBytesTransferred, BOOL bWait);

#ifdef __cplusplus
}
#endif

#endif
