/* fileapi.h: disk files, as far as mappings and pipes need them, and reading and writing
 * through any handle.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Rules:
 * docs/mapping.md, section 8 (files below mappings), docs/pipes.md (ReadFile and WriteFile on
 * pipes), docs/handles.md, section 8 (rights).
 *
 * Paths: A functions take UTF-8, W functions UTF-16. A backslash separates as a slash does;
 * there are no drive letters, a path beginning with a slash is absolute. NUL, CONIN$ and
 * CONOUT$ are the null device and the terminal. Share modes are accepted and not enforced:
 * on Linux nobody can keep others from opening or deleting a file.
 */
#ifndef TRANSOM_FILEAPI_H
#define TRANSOM_FILEAPI_H

#include "minwindef.h"
#include "minwinbase.h"

/* CreateFile: what to do about an existing or a missing file. */
#define CREATE_NEW 1
#define CREATE_ALWAYS 2
#define OPEN_EXISTING 3
#define OPEN_ALWAYS 4
#define TRUNCATE_EXISTING 5

/* CreateFile: flags beside the FILE_ATTRIBUTE_ bits. WRITE_THROUGH, NO_BUFFERING and
 * DELETE_ON_CLOSE are obeyed; BACKUP_SEMANTICS is needed to open a folder; RANDOM_ACCESS and
 * SEQUENTIAL_SCAN are hints; the others have no effect on files. */
#define FILE_FLAG_WRITE_THROUGH 0x80000000
#define FILE_FLAG_OVERLAPPED 0x40000000
#define FILE_FLAG_NO_BUFFERING 0x20000000
#define FILE_FLAG_RANDOM_ACCESS 0x10000000
#define FILE_FLAG_SEQUENTIAL_SCAN 0x08000000
#define FILE_FLAG_DELETE_ON_CLOSE 0x04000000
#define FILE_FLAG_BACKUP_SEMANTICS 0x02000000
#define FILE_FLAG_POSIX_SEMANTICS 0x01000000
#define FILE_FLAG_SESSION_AWARE 0x00800000
#define FILE_FLAG_OPEN_REPARSE_POINT 0x00200000
#define FILE_FLAG_OPEN_NO_RECALL 0x00100000
#define FILE_FLAG_FIRST_PIPE_INSTANCE 0x00080000

/* CreateFile on a pipe: how far the server may act for the client. Accepted, no effect. */
#define SECURITY_ANONYMOUS 0x00000000
#define SECURITY_IDENTIFICATION 0x00010000
#define SECURITY_IMPERSONATION 0x00020000
#define SECURITY_DELEGATION 0x00030000
#define SECURITY_CONTEXT_TRACKING 0x00040000
#define SECURITY_EFFECTIVE_ONLY 0x00080000
#define SECURITY_SQOS_PRESENT 0x00100000
#define SECURITY_VALID_SQOS_FLAGS 0x001F0000

/* SetFilePointer: where the distance starts. */
#define FILE_BEGIN 0
#define FILE_CURRENT 1
#define FILE_END 2

/* GetFileType. */
#define FILE_TYPE_UNKNOWN 0x0000
#define FILE_TYPE_DISK 0x0001
#define FILE_TYPE_CHAR 0x0002
#define FILE_TYPE_PIPE 0x0003
#define FILE_TYPE_REMOTE 0x8000

#define INVALID_FILE_SIZE ((DWORD)0xFFFFFFFF)
#define INVALID_SET_FILE_POINTER ((DWORD)-1)
#define INVALID_FILE_ATTRIBUTES ((DWORD)-1)

#ifdef __cplusplus
extern "C" {
#endif

/* Opens or creates a file; CloseHandle ends the handle. INVALID_HANDLE_VALUE on failure, with
 * ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_FILE_EXISTS (CREATE_NEW),
 * ERROR_ACCESS_DENIED, ERROR_INVALID_NAME, ERROR_INVALID_PARAMETER. CREATE_ALWAYS and
 * OPEN_ALWAYS succeed on an existing file with ERROR_ALREADY_EXISTS. dwDesiredAccess is a set
 * of GENERIC_ or FILE_ rights and binds the handle. With FILE_FLAG_OVERLAPPED operations on a
 * file still finish before the call returns. hTemplateFile is ignored.
 * The name of a pipe (\\.\pipe\NAME) connects to the instance that has listened longest; share
 * mode and disposition do not matter. ERROR_PIPE_BUSY when none listens (WaitNamedPipe),
 * ERROR_ACCESS_DENIED when the pipe does not go that way. The handle is in byte read mode;
 * FILE_FLAG_OVERLAPPED counts.
 * The name of a mailslot (\\.\mailslot\NAME) opens its writing end, with GENERIC_WRITE;
 * ERROR_FILE_NOT_FOUND when it has no server, ERROR_REMOTE_MAILSLOTS_DEPRECATED for a name on
 * other computers. Share mode and disposition do not matter there either. */
TRANSOM_API HANDLE WINAPI CreateFileA(LPCSTR lpFileName, DWORD dwDesiredAccess, DWORD dwShareMode,
    LPSECURITY_ATTRIBUTES lpSecurityAttributes, DWORD dwCreationDisposition,
    DWORD dwFlagsAndAttributes, HANDLE hTemplateFile);
TRANSOM_API HANDLE WINAPI CreateFileW(LPCWSTR lpFileName, DWORD dwDesiredAccess, DWORD dwShareMode,
    LPSECURITY_ATTRIBUTES lpSecurityAttributes, DWORD dwCreationDisposition,
    DWORD dwFlagsAndAttributes, HANDLE hTemplateFile);
#define CreateFile TRANSOM_AW(CreateFile)

/* Reads up to nNumberOfBytesToRead bytes. File: at its position, or at the offset in
 * lpOverlapped; at the end TRUE with 0 bytes (with lpOverlapped: FALSE, ERROR_HANDLE_EOF).
 * Pipe: waits for at least one byte, then takes what is there; FALSE with ERROR_BROKEN_PIPE
 * once the writers are gone and the data is used up, ERROR_NO_DATA when empty in PIPE_NOWAIT
 * mode, ERROR_MORE_DATA when the buffer is full and the message is not (the rest comes with the
 * next read), ERROR_PIPE_LISTENING, ERROR_PIPE_NOT_CONNECTED. On an overlapped handle it does not
 * wait: FALSE with ERROR_IO_PENDING, and lpOverlapped tells the end. Also ERROR_ACCESS_DENIED
 * without read access, ERROR_INVALID_HANDLE for other kinds. lpNumberOfBytesRead may be NULL
 * only with lpOverlapped, and is set to 0 first. */
TRANSOM_API BOOL WINAPI ReadFile(HANDLE hFile, LPVOID lpBuffer, DWORD nNumberOfBytesToRead,
    LPDWORD lpNumberOfBytesRead, LPOVERLAPPED lpOverlapped);

/* Writes nNumberOfBytesToWrite bytes. File: at its position, or at the offset in lpOverlapped.
 * Pipe: one message on a pipe of messages; waits until all of it is queued or read (P34); 0
 * bytes are an empty message, and nothing on a pipe of bytes (P23); FALSE with ERROR_NO_DATA
 * once the readers are gone, and in PIPE_NOWAIT mode 0 bytes with TRUE when it does not fit;
 * ERROR_IO_PENDING on an overlapped handle. Also ERROR_PIPE_LISTENING, ERROR_PIPE_NOT_CONNECTED,
 * ERROR_ACCESS_DENIED, ERROR_INVALID_HANDLE, ERROR_DISK_FULL. No SIGPIPE is raised. */
TRANSOM_API BOOL WINAPI WriteFile(HANDLE hFile, LPCVOID lpBuffer, DWORD nNumberOfBytesToWrite,
    LPDWORD lpNumberOfBytesWritten, LPOVERLAPPED lpOverlapped);

/* The same on an overlapped handle, with a function that the calling thread runs in an alertable
 * wait (SleepEx, WaitForSingleObjectEx) after the end. TRUE: it will be called, also if the
 * operation has ended already. hEvent is not used. ERROR_INVALID_PARAMETER for a pipe's handle
 * that is not overlapped; otherwise as above. */
TRANSOM_API BOOL WINAPI ReadFileEx(HANDLE hFile, LPVOID lpBuffer, DWORD nNumberOfBytesToRead,
    LPOVERLAPPED lpOverlapped, LPOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);
TRANSOM_API BOOL WINAPI WriteFileEx(HANDLE hFile, LPCVOID lpBuffer, DWORD nNumberOfBytesToWrite,
    LPOVERLAPPED lpOverlapped, LPOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);

/* File: hands data and metadata to the disk and waits for it; what views changed goes with it
 * only after FlushViewOfFile (M49). Pipe: waits until the other end has read everything.
 * Needs write access: FALSE with ERROR_ACCESS_DENIED; ERROR_INVALID_HANDLE. */
TRANSOM_API BOOL WINAPI FlushFileBuffers(HANDLE hFile);

/* Moves a file's position by a signed distance (32 bits, or 64 with the high part in and out)
 * from FILE_BEGIN, FILE_CURRENT or FILE_END; returns the low part of the new position.
 * INVALID_SET_FILE_POINTER with a last error other than 0 is failure: ERROR_NEGATIVE_SEEK,
 * ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_INVALID_FUNCTION (a pipe). Duplicated
 * handles share the position. */
TRANSOM_API DWORD WINAPI SetFilePointer(HANDLE hFile, LONG lDistanceToMove,
    PLONG lpDistanceToMoveHigh, DWORD dwMoveMethod);

/* The same with 64-bit numbers; lpNewFilePointer may be NULL. */
TRANSOM_API BOOL WINAPI SetFilePointerEx(HANDLE hFile, LARGE_INTEGER liDistanceToMove,
    PLARGE_INTEGER lpNewFilePointer, DWORD dwMoveMethod);

/* Cuts or extends the file at its position; new bytes are 0. FALSE with
 * ERROR_USER_MAPPED_FILE when it would shrink below a mapping made through transom (M50);
 * ERROR_ACCESS_DENIED, ERROR_DISK_FULL. */
TRANSOM_API BOOL WINAPI SetEndOfFile(HANDLE hFile);

/* The length in bytes: low part returned, high part stored if the pointer is not NULL.
 * INVALID_FILE_SIZE with a last error other than 0 is failure. */
TRANSOM_API DWORD WINAPI GetFileSize(HANDLE hFile, LPDWORD lpFileSizeHigh);

/* The same as one 64-bit number. FALSE with ERROR_INVALID_HANDLE. */
TRANSOM_API BOOL WINAPI GetFileSizeEx(HANDLE hFile, PLARGE_INTEGER lpFileSize);

/* FILE_TYPE_DISK, FILE_TYPE_PIPE or FILE_TYPE_CHAR (a terminal). FILE_TYPE_UNKNOWN with a
 * last error other than 0 when the handle is bad. */
TRANSOM_API DWORD WINAPI GetFileType(HANDLE hFile);

/* Removes a file's name. FALSE with ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND,
 * ERROR_ACCESS_DENIED (also for a folder, and while a mapping made through transom exists for
 * the file: M51). Open handles keep the data until they are closed, where Windows may refuse. */
TRANSOM_API BOOL WINAPI DeleteFileA(LPCSTR lpFileName);
TRANSOM_API BOOL WINAPI DeleteFileW(LPCWSTR lpFileName);
#define DeleteFile TRANSOM_AW(DeleteFile)

/* FILE_ATTRIBUTE_ bits: DIRECTORY, READONLY (nobody may write), HIDDEN (the name begins with
 * a dot), NORMAL if none. INVALID_FILE_ATTRIBUTES with ERROR_FILE_NOT_FOUND or
 * ERROR_PATH_NOT_FOUND. */
TRANSOM_API DWORD WINAPI GetFileAttributesA(LPCSTR lpFileName);
TRANSOM_API DWORD WINAPI GetFileAttributesW(LPCWSTR lpFileName);
#define GetFileAttributes TRANSOM_AW(GetFileAttributes)

/* Makes a folder; RemoveDirectory removes an empty one. FALSE with ERROR_ALREADY_EXISTS,
 * ERROR_PATH_NOT_FOUND, ERROR_ACCESS_DENIED; with ERROR_DIR_NOT_EMPTY, ERROR_FILE_NOT_FOUND,
 * ERROR_DIRECTORY. Of the attributes only the descriptor counts. */
TRANSOM_API BOOL WINAPI CreateDirectoryA(LPCSTR lpPathName,
    LPSECURITY_ATTRIBUTES lpSecurityAttributes);
TRANSOM_API BOOL WINAPI CreateDirectoryW(LPCWSTR lpPathName,
    LPSECURITY_ATTRIBUTES lpSecurityAttributes);
#define CreateDirectory TRANSOM_AW(CreateDirectory)
TRANSOM_API BOOL WINAPI RemoveDirectoryA(LPCSTR lpPathName);
TRANSOM_API BOOL WINAPI RemoveDirectoryW(LPCWSTR lpPathName);
#define RemoveDirectory TRANSOM_AW(RemoveDirectory)

/* The folder for temporary files, ending in a separator: TMP, TEMP, TMPDIR, else /tmp/.
 * Returns the length without terminator; when the buffer is too small the size needed with
 * it, and nothing is written. */
TRANSOM_API DWORD WINAPI GetTempPathA(DWORD nBufferLength, LPSTR lpBuffer);
TRANSOM_API DWORD WINAPI GetTempPathW(DWORD nBufferLength, LPWSTR lpBuffer);
#define GetTempPath TRANSOM_AW(GetTempPath)

/* Makes a name folder/PREnnnn.tmp of up to three characters of the prefix and a number in
 * hexadecimal; the buffer holds MAX_PATH characters. uUnique 0: a free number is found and
 * the empty file is created. Returns the number; 0 with ERROR_DIRECTORY, ERROR_ACCESS_DENIED,
 * ERROR_BUFFER_OVERFLOW. */
TRANSOM_API UINT WINAPI GetTempFileNameA(LPCSTR lpPathName, LPCSTR lpPrefixString, UINT uUnique,
    LPSTR lpTempFileName);
TRANSOM_API UINT WINAPI GetTempFileNameW(LPCWSTR lpPathName, LPCWSTR lpPrefixString, UINT uUnique,
    LPWSTR lpTempFileName);
#define GetTempFileName TRANSOM_AW(GetTempFileName)

/* Sets a file's READONLY attribute: nobody may write, or its owner may. The others have no place
 * here. FALSE with ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_ACCESS_DENIED. */
TRANSOM_API BOOL WINAPI SetFileAttributesA(LPCSTR lpFileName, DWORD dwFileAttributes);
TRANSOM_API BOOL WINAPI SetFileAttributesW(LPCWSTR lpFileName, DWORD dwFileAttributes);
#define SetFileAttributes TRANSOM_AW(SetFileAttributes)

/* The path from the root, without . and ..; nothing on disk is looked at. Returns the length, or
 * the size needed; *lpFilePart, unless NULL, becomes the address of the last part, NULL if the
 * path ends with a separator. 0 with ERROR_PATH_NOT_FOUND. */
TRANSOM_API DWORD WINAPI GetFullPathNameA(LPCSTR lpFileName, DWORD nBufferLength, LPSTR lpBuffer,
    LPSTR *lpFilePart);
TRANSOM_API DWORD WINAPI GetFullPathNameW(LPCWSTR lpFileName, DWORD nBufferLength, LPWSTR lpBuffer,
    LPWSTR *lpFilePart);
#define GetFullPathName TRANSOM_AW(GetFullPathName)

/* Locks bytes of a file against other locks: LockFile for oneself at once; LockFileEx, by its
 * flags, shared or for oneself, and waiting or not, from the offset in lpOverlapped. A lock is the
 * open file's: handles that were duplicated or inherited share it, and it ends with the last of
 * them. FALSE with ERROR_LOCK_VIOLATION when somebody has the range; ERROR_ACCESS_DENIED without
 * read or write access. On Windows reading and writing a locked range fails as well, and so does
 * locking a range twice through one handle; here neither does. */
TRANSOM_API BOOL WINAPI LockFile(HANDLE hFile, DWORD dwFileOffsetLow, DWORD dwFileOffsetHigh,
    DWORD nNumberOfBytesToLockLow, DWORD nNumberOfBytesToLockHigh);
TRANSOM_API BOOL WINAPI LockFileEx(HANDLE hFile, DWORD dwFlags, DWORD dwReserved,
    DWORD nNumberOfBytesToLockLow, DWORD nNumberOfBytesToLockHigh, LPOVERLAPPED lpOverlapped);

/* Ends locks; TRUE also if there were none. */
TRANSOM_API BOOL WINAPI UnlockFile(HANDLE hFile, DWORD dwFileOffsetLow, DWORD dwFileOffsetHigh,
    DWORD nNumberOfBytesToUnlockLow, DWORD nNumberOfBytesToUnlockHigh);
TRANSOM_API BOOL WINAPI UnlockFileEx(HANDLE hFile, DWORD dwReserved, DWORD nNumberOfBytesToUnlockLow,
    DWORD nNumberOfBytesToUnlockHigh, LPOVERLAPPED lpOverlapped);

/* -1, 0 or 1: the first time is before, at, after the second. */
TRANSOM_API LONG WINAPI CompareFileTime(const FILETIME *lpFileTime1, const FILETIME *lpFileTime2);

/* A moment at Greenwich as one here, and back, by the offset of that moment. FALSE with
 * ERROR_INVALID_PARAMETER. */
TRANSOM_API BOOL WINAPI FileTimeToLocalFileTime(const FILETIME *lpFileTime,
    LPFILETIME lpLocalFileTime);
TRANSOM_API BOOL WINAPI LocalFileTimeToFileTime(const FILETIME *lpLocalFileTime,
    LPFILETIME lpFileTime);

#ifdef __cplusplus
}
#endif

#endif
