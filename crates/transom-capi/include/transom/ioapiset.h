/* ioapiset.h: operations that were given an OVERLAPPED: their results, and how to cancel them.
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

/* Gives the bytes moved by the operation that lpOverlapped was passed to, and its outcome: TRUE,
 * or FALSE with the operation's error. While it goes on: FALSE with ERROR_IO_INCOMPLETE, or, with
 * bWait, waits for its event (without one, for the handle). Operations on files finish before
 * their call returns. The Ex form waits so many milliseconds (0 = does not), fails with
 * WAIT_TIMEOUT after them, and with WAIT_IO_COMPLETION when bAlertable and calls were made. */
TRANSOM_API BOOL WINAPI GetOverlappedResult(HANDLE hFile, LPOVERLAPPED lpOverlapped,
    LPDWORD lpNumberOfBytesTransferred, BOOL bWait);
TRANSOM_API BOOL WINAPI GetOverlappedResultEx(HANDLE hFile, LPOVERLAPPED lpOverlapped,
    LPDWORD lpNumberOfBytesTransferred, DWORD dwMilliseconds, BOOL bAlertable);

/* Ends operations that go on with ERROR_OPERATION_ABORTED (995), their events set: all that the
 * calling thread began on the handle; the one with lpOverlapped, or all with NULL, of any thread;
 * the call that another thread is waiting in. A write's unread bytes leave the pipe. CancelIo
 * succeeds in any case; the others are FALSE with ERROR_NOT_FOUND when there is nothing to
 * cancel, ERROR_INVALID_HANDLE. */
TRANSOM_API BOOL WINAPI CancelIo(HANDLE hFile);
TRANSOM_API BOOL WINAPI CancelIoEx(HANDLE hFile, LPOVERLAPPED lpOverlapped);
TRANSOM_API BOOL WINAPI CancelSynchronousIo(HANDLE hThread);

#ifdef __cplusplus
}
#endif

#endif
