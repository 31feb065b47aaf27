/* minwinbase.h: records that many calls take: SECURITY_ATTRIBUTES, OVERLAPPED, thread entry.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Inheritance is told in
 * docs/handles.md, sections 5 and 6.
 */
#ifndef TRANSOM_MINWINBASE_H
#define TRANSOM_MINWINBASE_H

#include "minwindef.h"
#include "winnt.h"

/* Taken by every Create call. NULL in its place: not inheritable, default security.
 * nLength is sizeof(SECURITY_ATTRIBUTES); lpSecurityDescriptor may be NULL. bInheritHandle
 * decides about the handle of this call alone, not about the object (H10). */
typedef struct _SECURITY_ATTRIBUTES {
    DWORD nLength;
    LPVOID lpSecurityDescriptor;
    BOOL bInheritHandle;
} SECURITY_ATTRIBUTES, *PSECURITY_ATTRIBUTES, *LPSECURITY_ATTRIBUTES;

/* A moment taken apart: by the clock of Greenwich or of this place, as the call says. */
typedef struct _SYSTEMTIME {
    WORD wYear;
    WORD wMonth;
    WORD wDayOfWeek;
    WORD wDay;
    WORD wHour;
    WORD wMinute;
    WORD wSecond;
    WORD wMilliseconds;
} SYSTEMTIME, *PSYSTEMTIME, *LPSYSTEMTIME;

/* Where an operation starts and what came of it. Zero it before use; Offset and OffsetHigh
 * are the position in a file (0 for pipes). Internal and InternalHigh are for the library:
 * state (STATUS_PENDING while it goes on), and bytes moved. hEvent, if not NULL, is reset when
 * the operation begins and set when it has ended. The record and the buffer belong to the
 * operation until then. */
__extension__ typedef struct _OVERLAPPED {
    ULONG_PTR Internal;
    ULONG_PTR InternalHigh;
    __extension__ union {
        __extension__ struct {
            DWORD Offset;
            DWORD OffsetHigh;
        } DUMMYSTRUCTNAME;
        PVOID Pointer;
    } DUMMYUNIONNAME;
    HANDLE hEvent;
} OVERLAPPED, *LPOVERLAPPED;

#define HasOverlappedIoCompleted(overlapped) \
    (((DWORD)*(volatile ULONG_PTR *)&(overlapped)->Internal) != STATUS_PENDING)

/* What ReadFileEx and WriteFileEx call at the end: its error (0 = none), the bytes moved. */
typedef VOID(WINAPI *LPOVERLAPPED_COMPLETION_ROUTINE)(DWORD dwErrorCode,
    DWORD dwNumberOfBytesTransfered, LPOVERLAPPED lpOverlapped);

typedef RTL_CRITICAL_SECTION CRITICAL_SECTION;
typedef PRTL_CRITICAL_SECTION PCRITICAL_SECTION;
typedef PRTL_CRITICAL_SECTION LPCRITICAL_SECTION;

/* What CreateThread starts; its result is the thread's exit code. */
typedef DWORD(WINAPI *PTHREAD_START_ROUTINE)(LPVOID lpThreadParameter);
typedef PTHREAD_START_ROUTINE LPTHREAD_START_ROUTINE;

/* The exit code of whatever still runs. A process may return 259 itself: wait, do not poll
 * (Y34). */
#define STILL_ACTIVE STATUS_PENDING

#define EXCEPTION_ACCESS_VIOLATION STATUS_ACCESS_VIOLATION
#define EXCEPTION_IN_PAGE_ERROR STATUS_IN_PAGE_ERROR
#define EXCEPTION_STACK_OVERFLOW STATUS_STACK_OVERFLOW
#define CONTROL_C_EXIT STATUS_CONTROL_C_EXIT

/* LocalAlloc and GlobalAlloc. */
#define LMEM_FIXED 0x0000
#define LMEM_MOVEABLE 0x0002
#define LMEM_NOCOMPACT 0x0010
#define LMEM_NODISCARD 0x0020
#define LMEM_ZEROINIT 0x0040
#define LMEM_MODIFY 0x0080
#define LMEM_DISCARDABLE 0x0F00
#define LMEM_VALID_FLAGS 0x0F72
#define LMEM_INVALID_HANDLE 0x8000
#define LHND (LMEM_MOVEABLE | LMEM_ZEROINIT)
#define LPTR (LMEM_FIXED | LMEM_ZEROINIT)
#define NONZEROLHND LMEM_MOVEABLE
#define NONZEROLPTR LMEM_FIXED

/* LockFileEx. */
#define LOCKFILE_FAIL_IMMEDIATELY 0x00000001
#define LOCKFILE_EXCLUSIVE_LOCK 0x00000002

#define MoveMemory RtlMoveMemory
#define CopyMemory RtlCopyMemory
#define FillMemory RtlFillMemory
#define ZeroMemory RtlZeroMemory
#define SecureZeroMemory RtlSecureZeroMemory

#endif
