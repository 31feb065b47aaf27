/* memoryapi.h: file mappings (shared memory) and their views, and a process's own pages.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Rules: docs/mapping.md
 * (M1 to M59).
 *
 * Life: CreateFileMapping or OpenFileMapping makes a handle (end: CloseHandle); MapViewOfFile
 * makes a view (end: UnmapViewOfFile), in any order with the handle's end. The name goes with
 * the last handle, the memory with the last handle or view; both also when processes are
 * killed. No call here waits for another process.
 */
#ifndef TRANSOM_MEMORYAPI_H
#define TRANSOM_MEMORYAPI_H

#include "minwindef.h"
#include "minwinbase.h"

#define FILE_MAP_COPY SECTION_QUERY
#define FILE_MAP_WRITE SECTION_MAP_WRITE
#define FILE_MAP_READ SECTION_MAP_READ
#define FILE_MAP_EXECUTE SECTION_MAP_EXECUTE_EXPLICIT
#define FILE_MAP_ALL_ACCESS SECTION_ALL_ACCESS
#define FILE_MAP_LARGE_PAGES 0x20000000
#define FILE_MAP_TARGETS_INVALID 0x40000000
#define FILE_MAP_RESERVE 0x80000000

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a section over a file, or over memory when hFile is INVALID_HANDLE_VALUE, and a
 * handle to it; when the name exists already, a handle to that section, whose size stays.
 * Success sets the last error to 0 (new) or ERROR_ALREADY_EXISTS. flProtect is one PAGE_
 * value with SEC_ bits; the size is high:low, in bytes, 0 = the file's length. NULL on
 * failure: ERROR_INVALID_PARAMETER (memory of size 0, bad protection), ERROR_FILE_INVALID
 * (empty file, size 0), ERROR_ACCESS_DENIED (the file handle's rights),
 * ERROR_NOT_ENOUGH_MEMORY (no memory, or read-only beyond the file's end), ERROR_DISK_FULL,
 * ERROR_INVALID_HANDLE (the name belongs to an event, mutex or semaphore; hFile is no file),
 * ERROR_PATH_NOT_FOUND (backslash in the name), ERROR_FILENAME_EXCED_RANGE (260 characters
 * or more, A form). SEC_RESERVE commits everything at once; SEC_NOCACHE and SEC_WRITECOMBINE
 * have no effect; SEC_IMAGE is ERROR_BAD_EXE_FORMAT. */
TRANSOM_API HANDLE WINAPI CreateFileMappingA(HANDLE hFile,
    LPSECURITY_ATTRIBUTES lpFileMappingAttributes, DWORD flProtect, DWORD dwMaximumSizeHigh,
    DWORD dwMaximumSizeLow, LPCSTR lpName);
TRANSOM_API HANDLE WINAPI CreateFileMappingW(HANDLE hFile,
    LPSECURITY_ATTRIBUTES lpFileMappingAttributes, DWORD flProtect, DWORD dwMaximumSizeHigh,
    DWORD dwMaximumSizeLow, LPCWSTR lpName);
#define CreateFileMapping TRANSOM_AW(CreateFileMapping)

/* Makes a handle to an existing named section; dwDesiredAccess is a set of FILE_MAP_ bits and
 * binds the handle. Never creates. NULL on failure: ERROR_FILE_NOT_FOUND,
 * ERROR_INVALID_PARAMETER (no name), ERROR_ACCESS_DENIED, and the errors of names above. */
TRANSOM_API HANDLE WINAPI OpenFileMappingA(DWORD dwDesiredAccess, BOOL bInheritHandle,
    LPCSTR lpName);
TRANSOM_API HANDLE WINAPI OpenFileMappingW(DWORD dwDesiredAccess, BOOL bInheritHandle,
    LPCWSTR lpName);
#define OpenFileMapping TRANSOM_AW(OpenFileMapping)

/* Maps a part of a section: from the offset high:low (a multiple of 65536) for the given
 * number of bytes, 0 = to the end. Returns an address that is a multiple of 65536. NULL on
 * failure: ERROR_ACCESS_DENIED (the handle or the section does not allow the access, or the
 * range leaves the section), ERROR_MAPPED_ALIGNMENT, ERROR_INVALID_HANDLE,
 * ERROR_NOT_ENOUGH_MEMORY. Writing to a read-only view is SIGSEGV. */
TRANSOM_API LPVOID WINAPI MapViewOfFile(HANDLE hFileMappingObject, DWORD dwDesiredAccess,
    DWORD dwFileOffsetHigh, DWORD dwFileOffsetLow, SIZE_T dwNumberOfBytesToMap);

/* The same, at exactly lpBaseAddress unless that is NULL. Also fails with
 * ERROR_INVALID_ADDRESS when the range is not free; it never maps anywhere else. */
TRANSOM_API LPVOID WINAPI MapViewOfFileEx(HANDLE hFileMappingObject, DWORD dwDesiredAccess,
    DWORD dwFileOffsetHigh, DWORD dwFileOffsetLow, SIZE_T dwNumberOfBytesToMap,
    LPVOID lpBaseAddress);

/* Ends a view; takes exactly the address that a Map call returned. FALSE with
 * ERROR_INVALID_ADDRESS for any other, also for an address inside a view. */
TRANSOM_API BOOL WINAPI UnmapViewOfFile(LPCVOID lpBaseAddress);

/* Starts writing a range of a view (0 bytes = to its end) to its file and does not wait for
 * the disk; FlushFileBuffers on the file does. TRUE without effect for views of memory. FALSE
 * with ERROR_INVALID_ADDRESS when the address is in no view. */
TRANSOM_API BOOL WINAPI FlushViewOfFile(LPCVOID lpBaseAddress, SIZE_T dwNumberOfBytesToFlush);

/* Reserves (MEM_RESERVE, in steps of 65536) or commits (MEM_COMMIT, in pages of 4096) private
 * memory, filled with 0; end: VirtualFree. Committing pages of a SEC_RESERVE view succeeds.
 * NULL on failure: ERROR_INVALID_PARAMETER, ERROR_INVALID_ADDRESS (range not free, or commit
 * of what is not reserved), ERROR_NOT_ENOUGH_MEMORY. */
TRANSOM_API LPVOID WINAPI VirtualAlloc(LPVOID lpAddress, SIZE_T dwSize, DWORD flAllocationType,
    DWORD flProtect);

/* MEM_RELEASE with size 0 and the address that VirtualAlloc returned ends a reservation;
 * MEM_DECOMMIT drops the contents of pages and keeps their addresses. FALSE with
 * ERROR_INVALID_PARAMETER, ERROR_INVALID_ADDRESS; also for pages of a view. */
TRANSOM_API BOOL WINAPI VirtualFree(LPVOID lpAddress, SIZE_T dwSize, DWORD dwFreeType);

/* Changes the protection of committed pages, of views too as far as the view's access allows;
 * the first page's old protection is stored. FALSE with ERROR_INVALID_ADDRESS,
 * ERROR_INVALID_PARAMETER, ERROR_NOACCESS (lpflOldProtect is NULL). */
TRANSOM_API BOOL WINAPI VirtualProtect(LPVOID lpAddress, SIZE_T dwSize, DWORD flNewProtect,
    PDWORD lpflOldProtect);

/* Describes the pages from an address on that have one state; AllocationBase is the start of
 * the reservation or view. Returns the bytes stored; 0 with ERROR_BAD_LENGTH or
 * ERROR_INVALID_PARAMETER. Memory that did not come from these headers is told as the kernel
 * lists it: MEM_IMAGE for files of code, else MEM_PRIVATE or MEM_MAPPED. */
TRANSOM_API SIZE_T WINAPI VirtualQuery(LPCVOID lpAddress, PMEMORY_BASIC_INFORMATION lpBuffer,
    SIZE_T dwLength);

/* The size of a large page in bytes, 0 if the system has none. */
TRANSOM_API SIZE_T WINAPI GetLargePageMinimum(void);

/* UnmapViewOfFile; the flags make no difference. */
static __inline__ BOOL WINAPI UnmapViewOfFileEx(PVOID BaseAddress, ULONG UnmapFlags)
{
    (void)UnmapFlags;
    return UnmapViewOfFile(BaseAddress);
}

/* CreateFileMapping, OpenFileMapping and MapViewOfFile with sizes and offsets of 64 bits. */
static __inline__ HANDLE WINAPI CreateFileMappingFromApp(HANDLE hFile,
    PSECURITY_ATTRIBUTES SecurityAttributes, ULONG PageProtection, ULONG64 MaximumSize, PCWSTR Name)
{
    return CreateFileMappingW(hFile, SecurityAttributes, PageProtection, (DWORD)(MaximumSize >> 32),
        (DWORD)MaximumSize, Name);
}

static __inline__ HANDLE WINAPI OpenFileMappingFromApp(ULONG DesiredAccess, BOOL InheritHandle,
    PCWSTR Name)
{
    return OpenFileMappingW(DesiredAccess, InheritHandle, Name);
}

static __inline__ PVOID WINAPI MapViewOfFileFromApp(HANDLE hFileMappingObject, ULONG DesiredAccess,
    ULONG64 FileOffset, SIZE_T NumberOfBytesToMap)
{
    return MapViewOfFile(hFileMappingObject, DesiredAccess, (DWORD)(FileOffset >> 32),
        (DWORD)FileOffset, NumberOfBytesToMap);
}

/* The calls above for the memory of a process. It has to be the calling one: FALSE, NULL or 0
 * with ERROR_NOT_SUPPORTED for another. */
TRANSOM_API LPVOID WINAPI VirtualAllocEx(HANDLE hProcess, LPVOID lpAddress, SIZE_T dwSize,
    DWORD flAllocationType, DWORD flProtect);
TRANSOM_API BOOL WINAPI VirtualFreeEx(HANDLE hProcess, LPVOID lpAddress, SIZE_T dwSize,
    DWORD dwFreeType);
TRANSOM_API BOOL WINAPI VirtualProtectEx(HANDLE hProcess, LPVOID lpAddress, SIZE_T dwSize,
    DWORD flNewProtect, PDWORD lpflOldProtect);
TRANSOM_API SIZE_T WINAPI VirtualQueryEx(HANDLE hProcess, LPCVOID lpAddress,
    PMEMORY_BASIC_INFORMATION lpBuffer, SIZE_T dwLength);

/* Keeps pages in memory, or no longer. FALSE with ERROR_WORKING_SET_QUOTA (RLIMIT_MEMLOCK),
 * ERROR_INVALID_ADDRESS. */
TRANSOM_API BOOL WINAPI VirtualLock(LPVOID lpAddress, SIZE_T dwSize);
TRANSOM_API BOOL WINAPI VirtualUnlock(LPVOID lpAddress, SIZE_T dwSize);

/* Copies from or to the memory of a process, this one or another of the same user that the system
 * lets us look at. FALSE with ERROR_PARTIAL_COPY when not all of it is there, ERROR_NOACCESS when
 * it cannot be written, ERROR_ACCESS_DENIED, ERROR_INVALID_HANDLE. */
TRANSOM_API BOOL WINAPI ReadProcessMemory(HANDLE hProcess, LPCVOID lpBaseAddress, LPVOID lpBuffer,
    SIZE_T nSize, SIZE_T *lpNumberOfBytesRead);
TRANSOM_API BOOL WINAPI WriteProcessMemory(HANDLE hProcess, LPVOID lpBaseAddress, LPCVOID lpBuffer,
    SIZE_T nSize, SIZE_T *lpNumberOfBytesWritten);

#ifdef __cplusplus
}
#endif

#endif
