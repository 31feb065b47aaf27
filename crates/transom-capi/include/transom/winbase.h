/* winbase.h: global and local memory, plain string calls, texts of errors, mailslots; and all
 * the headers of the kernel's nouns, as older sources expect of it.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface.
 */
#ifndef TRANSOM_WINBASE_H
#define TRANSOM_WINBASE_H

#include <stdarg.h>
#include "minwindef.h"
#include "minwinbase.h"
#include "winerror.h"
#include "consoleapi.h"
#include "debugapi.h"
#include "errhandlingapi.h"
#include "fileapi.h"
#include "handleapi.h"
#include "heapapi.h"
#include "ioapiset.h"
#include "libloaderapi.h"
#include "memoryapi.h"
#include "namedpipeapi.h"
#include "processenv.h"
#include "processthreadsapi.h"
#include "profileapi.h"
#include "securitybaseapi.h"
#include "stringapiset.h"
#include "synchapi.h"
#include "sysinfoapi.h"
#include "timezoneapi.h"

#define GMEM_FIXED 0x0000
#define GMEM_MOVEABLE 0x0002
#define GMEM_NOCOMPACT 0x0010
#define GMEM_NODISCARD 0x0020
#define GMEM_ZEROINIT 0x0040
#define GMEM_MODIFY 0x0080
#define GMEM_DISCARDABLE 0x0100
#define GMEM_NOT_BANKED 0x1000
#define GMEM_LOWER GMEM_NOT_BANKED
#define GMEM_SHARE 0x2000
#define GMEM_DDESHARE 0x2000
#define GMEM_NOTIFY 0x4000
#define GMEM_VALID_FLAGS 0x7F72
#define GMEM_INVALID_HANDLE 0x8000
#define GHND (GMEM_MOVEABLE | GMEM_ZEROINIT)
#define GPTR (GMEM_FIXED | GMEM_ZEROINIT)

/* FormatMessage: where the text comes from, and what becomes of it. */
#define FORMAT_MESSAGE_ALLOCATE_BUFFER 0x00000100
#define FORMAT_MESSAGE_IGNORE_INSERTS 0x00000200
#define FORMAT_MESSAGE_FROM_STRING 0x00000400
#define FORMAT_MESSAGE_FROM_HMODULE 0x00000800
#define FORMAT_MESSAGE_FROM_SYSTEM 0x00001000
#define FORMAT_MESSAGE_ARGUMENT_ARRAY 0x00002000
#define FORMAT_MESSAGE_MAX_WIDTH_MASK 0x000000FF

/* MoveFileEx; DELAY_UNTIL_REBOOT and WRITE_THROUGH have no effect. */
#define MOVEFILE_REPLACE_EXISTING 0x00000001
#define MOVEFILE_COPY_ALLOWED 0x00000002
#define MOVEFILE_DELAY_UNTIL_REBOOT 0x00000004
#define MOVEFILE_WRITE_THROUGH 0x00000008

#define THREAD_PRIORITY_LOWEST (-2)
#define THREAD_PRIORITY_BELOW_NORMAL (-1)
#define THREAD_PRIORITY_NORMAL 0
#define THREAD_PRIORITY_ABOVE_NORMAL 1
#define THREAD_PRIORITY_HIGHEST 2
#define THREAD_PRIORITY_ERROR_RETURN MAXLONG
#define THREAD_PRIORITY_TIME_CRITICAL 15
#define THREAD_PRIORITY_IDLE (-15)

#define MAX_COMPUTERNAME_LENGTH 15
#define UNLEN 256

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a block of memory on C's heap. GMEM_FIXED: the result is the address; GMEM_MOVEABLE:
 * it is a handle, and GlobalLock gives the address. End: GlobalFree. NULL on failure:
 * ERROR_NOT_ENOUGH_MEMORY. Blocks never move, and GMEM_SHARE shares nothing. */
TRANSOM_API HGLOBAL WINAPI GlobalAlloc(UINT uFlags, SIZE_T dwBytes);

/* Changes a block's size, keeping what fits; NULL and the old block stays when it fails. */
TRANSOM_API HGLOBAL WINAPI GlobalReAlloc(HGLOBAL hMem, SIZE_T dwBytes, UINT uFlags);

/* Ends a block; NULL when done, the handle itself with ERROR_INVALID_HANDLE when not. */
TRANSOM_API HGLOBAL WINAPI GlobalFree(HGLOBAL hMem);

/* The address of a block, and one lock more on it. NULL with ERROR_INVALID_HANDLE. */
TRANSOM_API LPVOID WINAPI GlobalLock(HGLOBAL hMem);

/* One lock less; TRUE while locks are left, else FALSE with a last error of 0 (NO_ERROR), or
 * ERROR_NOT_LOCKED when there was none. A fixed block: TRUE. */
TRANSOM_API BOOL WINAPI GlobalUnlock(HGLOBAL hMem);

/* The size asked for; 0 with ERROR_INVALID_HANDLE. */
TRANSOM_API SIZE_T WINAPI GlobalSize(HGLOBAL hMem);

/* A block as from GlobalAlloc; its end is LocalFree, which also frees what other calls hand
 * out with that advice. Results as for the Global calls. */
TRANSOM_API HLOCAL WINAPI LocalAlloc(UINT uFlags, SIZE_T uBytes);
TRANSOM_API HLOCAL WINAPI LocalReAlloc(HLOCAL hMem, SIZE_T uBytes, UINT uFlags);
TRANSOM_API HLOCAL WINAPI LocalFree(HLOCAL hMem);
TRANSOM_API LPVOID WINAPI LocalLock(HLOCAL hMem);
TRANSOM_API BOOL WINAPI LocalUnlock(HLOCAL hMem);
TRANSOM_API SIZE_T WINAPI LocalSize(HLOCAL hMem);

/* Length, copy, bounded copy (with terminator, at most iMaxLength characters), append, compare
 * (by number of the character; the i forms without regard to case for letters A to Z). NULL
 * is length 0 and an empty string for comparing; a copy from or to NULL returns NULL. */
TRANSOM_API int WINAPI lstrlenA(LPCSTR lpString);
TRANSOM_API int WINAPI lstrlenW(LPCWSTR lpString);
#define lstrlen TRANSOM_AW(lstrlen)
TRANSOM_API LPSTR WINAPI lstrcpyA(LPSTR lpString1, LPCSTR lpString2);
TRANSOM_API LPWSTR WINAPI lstrcpyW(LPWSTR lpString1, LPCWSTR lpString2);
#define lstrcpy TRANSOM_AW(lstrcpy)
TRANSOM_API LPSTR WINAPI lstrcpynA(LPSTR lpString1, LPCSTR lpString2, int iMaxLength);
TRANSOM_API LPWSTR WINAPI lstrcpynW(LPWSTR lpString1, LPCWSTR lpString2, int iMaxLength);
#define lstrcpyn TRANSOM_AW(lstrcpyn)
TRANSOM_API LPSTR WINAPI lstrcatA(LPSTR lpString1, LPCSTR lpString2);
TRANSOM_API LPWSTR WINAPI lstrcatW(LPWSTR lpString1, LPCWSTR lpString2);
#define lstrcat TRANSOM_AW(lstrcat)
TRANSOM_API int WINAPI lstrcmpA(LPCSTR lpString1, LPCSTR lpString2);
TRANSOM_API int WINAPI lstrcmpW(LPCWSTR lpString1, LPCWSTR lpString2);
#define lstrcmp TRANSOM_AW(lstrcmp)
TRANSOM_API int WINAPI lstrcmpiA(LPCSTR lpString1, LPCSTR lpString2);
TRANSOM_API int WINAPI lstrcmpiW(LPCWSTR lpString1, LPCWSTR lpString2);
#define lstrcmpi TRANSOM_AW(lstrcmpi)

/* The English text of an error code (FORMAT_MESSAGE_FROM_SYSTEM), ending in a line break, or
 * lpSource as it is (FROM_STRING). With ALLOCATE_BUFFER lpBuffer is the address of a pointer
 * that gets a block (end: LocalFree). Inserts such as %1 are never replaced, as with
 * IGNORE_INSERTS; languages are ignored. Returns the length; 0 on failure:
 * ERROR_MR_MID_NOT_FOUND (no text for the number), ERROR_INSUFFICIENT_BUFFER,
 * ERROR_INVALID_PARAMETER. */
TRANSOM_API DWORD WINAPI FormatMessageA(DWORD dwFlags, LPCVOID lpSource, DWORD dwMessageId,
    DWORD dwLanguageId, LPSTR lpBuffer, DWORD nSize, va_list *Arguments);
TRANSOM_API DWORD WINAPI FormatMessageW(DWORD dwFlags, LPCVOID lpSource, DWORD dwMessageId,
    DWORD dwLanguageId, LPWSTR lpBuffer, DWORD nSize, va_list *Arguments);
#define FormatMessage TRANSOM_AW(FormatMessage)

/* Makes the reading end of a mailslot, \\.\mailslot\NAME. Messages of at most nMaxMessageSize
 * bytes, 0 for any size; a read waits lReadTimeout milliseconds, 0 for not at all or
 * MAILSLOT_WAIT_FOREVER. CreateFile opens the writing end, ReadFile and WriteFile move one
 * message each. ReadFile: FALSE with ERROR_SEM_TIMEOUT when none came in time, with
 * ERROR_INSUFFICIENT_BUFFER when it is longer than the buffer (it stays); with lpOverlapped it
 * does not wait. WriteFile: never waits; ERROR_INVALID_PARAMETER beyond nMaxMessageSize,
 * ERROR_HANDLE_EOF when the reading end is gone, ERROR_NOT_ENOUGH_MEMORY when a gibibyte is
 * unread. INVALID_HANDLE_VALUE on failure: ERROR_ALREADY_EXISTS (no handle then),
 * ERROR_INVALID_NAME, ERROR_PATH_NOT_FOUND. */
TRANSOM_API HANDLE WINAPI CreateMailslotA(LPCSTR lpName, DWORD nMaxMessageSize, DWORD lReadTimeout,
    LPSECURITY_ATTRIBUTES lpSecurityAttributes);
TRANSOM_API HANDLE WINAPI CreateMailslotW(LPCWSTR lpName, DWORD nMaxMessageSize, DWORD lReadTimeout,
    LPSECURITY_ATTRIBUTES lpSecurityAttributes);
#define CreateMailslot TRANSOM_AW(CreateMailslot)

/* Tells what waits in a mailslot: the size of the next message, 0 for an empty one and
 * MAILSLOT_NO_MESSAGE for none, and how many there are. Each pointer may be NULL. FALSE with
 * ERROR_INVALID_HANDLE for anything but a reading end. */
TRANSOM_API BOOL WINAPI GetMailslotInfo(HANDLE hMailslot, LPDWORD lpMaxMessageSize,
    LPDWORD lpNextSize, LPDWORD lpMessageCount, LPDWORD lpReadTimeout);

/* Sets how long reads that begin later wait, through any handle to the mailslot. FALSE with
 * ERROR_INVALID_HANDLE for anything but a reading end. */
TRANSOM_API BOOL WINAPI SetMailslotInfo(HANDLE hMailslot, DWORD lReadTimeout);
/* Copies a file with its mode. FALSE with ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND,
 * ERROR_FILE_EXISTS (bFailIfExists), ERROR_ACCESS_DENIED (a folder; a target that a mapping made
 * through transom covers), ERROR_SHARING_VIOLATION (onto itself), ERROR_DISK_FULL. */
TRANSOM_API BOOL WINAPI CopyFileA(LPCSTR lpExistingFileName, LPCSTR lpNewFileName,
    BOOL bFailIfExists);
TRANSOM_API BOOL WINAPI CopyFileW(LPCWSTR lpExistingFileName, LPCWSTR lpNewFileName,
    BOOL bFailIfExists);
#define CopyFile TRANSOM_AW(CopyFile)

/* Gives a file or folder another name, in one step on one file system; a file may go to another
 * one by copying (MoveFile, or MOVEFILE_COPY_ALLOWED; else ERROR_NOT_SAME_DEVICE). FALSE with
 * ERROR_ALREADY_EXISTS unless MOVEFILE_REPLACE_EXISTING, and the errors of CopyFile. */
TRANSOM_API BOOL WINAPI MoveFileA(LPCSTR lpExistingFileName, LPCSTR lpNewFileName);
TRANSOM_API BOOL WINAPI MoveFileW(LPCWSTR lpExistingFileName, LPCWSTR lpNewFileName);
#define MoveFile TRANSOM_AW(MoveFile)
TRANSOM_API BOOL WINAPI MoveFileExA(LPCSTR lpExistingFileName, LPCSTR lpNewFileName, DWORD dwFlags);
TRANSOM_API BOOL WINAPI MoveFileExW(LPCWSTR lpExistingFileName, LPCWSTR lpNewFileName,
    DWORD dwFlags);
#define MoveFileEx TRANSOM_AW(MoveFileEx)

/* The path of the program that a process runs; dwFlags 0 or 1 make no difference. *lpdwSize is
 * the buffer's size, then the length. FALSE with ERROR_INSUFFICIENT_BUFFER,
 * ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED (another user's), ERROR_FILE_NOT_FOUND (ended). */
TRANSOM_API BOOL WINAPI QueryFullProcessImageNameA(HANDLE hProcess, DWORD dwFlags, LPSTR lpExeName,
    PDWORD lpdwSize);
TRANSOM_API BOOL WINAPI QueryFullProcessImageNameW(HANDLE hProcess, DWORD dwFlags, LPWSTR lpExeName,
    PDWORD lpdwSize);
#define QueryFullProcessImageName TRANSOM_AW(QueryFullProcessImageName)

/* The computer's and the user's name. *nSize is the buffer's size, then the length: without the
 * terminator for the computer, with it for the user. FALSE with ERROR_BUFFER_OVERFLOW for the
 * computer and ERROR_INSUFFICIENT_BUFFER for the user. */
TRANSOM_API BOOL WINAPI GetComputerNameA(LPSTR lpBuffer, LPDWORD nSize);
TRANSOM_API BOOL WINAPI GetComputerNameW(LPWSTR lpBuffer, LPDWORD nSize);
#define GetComputerName TRANSOM_AW(GetComputerName)
TRANSOM_API BOOL WINAPI GetUserNameA(LPSTR lpBuffer, LPDWORD pcbBuffer);
TRANSOM_API BOOL WINAPI GetUserNameW(LPWSTR lpBuffer, LPDWORD pcbBuffer);
#define GetUserName TRANSOM_AW(GetUserName)

/* The section as CreateFileMapping makes it, the view as MapViewOfFileEx maps it: there is no
 * choosing of memory near a processor. */
static __inline__ HANDLE WINAPI CreateFileMappingNumaA(HANDLE hFile, LPSECURITY_ATTRIBUTES attributes,
    DWORD flProtect, DWORD sizeHigh, DWORD sizeLow, LPCSTR lpName, DWORD nndPreferred)
{
    (void)nndPreferred;
    return CreateFileMappingA(hFile, attributes, flProtect, sizeHigh, sizeLow, lpName);
}

static __inline__ HANDLE WINAPI CreateFileMappingNumaW(HANDLE hFile, LPSECURITY_ATTRIBUTES attributes,
    DWORD flProtect, DWORD sizeHigh, DWORD sizeLow, LPCWSTR lpName, DWORD nndPreferred)
{
    (void)nndPreferred;
    return CreateFileMappingW(hFile, attributes, flProtect, sizeHigh, sizeLow, lpName);
}
#define CreateFileMappingNuma TRANSOM_AW(CreateFileMappingNuma)

static __inline__ LPVOID WINAPI MapViewOfFileExNuma(HANDLE hFileMappingObject, DWORD dwDesiredAccess,
    DWORD offsetHigh, DWORD offsetLow, SIZE_T bytes, LPVOID lpBaseAddress, DWORD nndPreferred)
{
    (void)nndPreferred;
    return MapViewOfFileEx(hFileMappingObject, dwDesiredAccess, offsetHigh, offsetLow, bytes,
        lpBaseAddress);
}

#ifdef __cplusplus
}
#endif

#endif
