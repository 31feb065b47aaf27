/* namedpipeapi.h: anonymous pipes, and the calls that look at a pipe or set its mode.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Rules: docs/pipes.md.
 * Named pipes themselves are not in this version; their constants are, because the calls
 * below answer with them. ReadFile, WriteFile and FlushFileBuffers are in fileapi.h.
 */
#ifndef TRANSOM_NAMEDPIPEAPI_H
#define TRANSOM_NAMEDPIPEAPI_H

#include "minwindef.h"
#include "minwinbase.h"

#define PIPE_ACCESS_INBOUND 0x00000001
#define PIPE_ACCESS_OUTBOUND 0x00000002
#define PIPE_ACCESS_DUPLEX 0x00000003
#define PIPE_WAIT 0x00000000
#define PIPE_NOWAIT 0x00000001
#define PIPE_READMODE_BYTE 0x00000000
#define PIPE_READMODE_MESSAGE 0x00000002
#define PIPE_TYPE_BYTE 0x00000000
#define PIPE_TYPE_MESSAGE 0x00000004
#define PIPE_ACCEPT_REMOTE_CLIENTS 0x00000000
#define PIPE_REJECT_REMOTE_CLIENTS 0x00000008
#define PIPE_CLIENT_END 0x00000000
#define PIPE_SERVER_END 0x00000001
#define PIPE_UNLIMITED_INSTANCES 255
#define NMPWAIT_WAIT_FOREVER 0xFFFFFFFF
#define NMPWAIT_NOWAIT 0x00000001
#define NMPWAIT_USE_DEFAULT_WAIT 0x00000000

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a one-way pipe of bytes and a handle to each end (end of each: CloseHandle); nSize is
 * the number of unread bytes after which writers wait, 0 = 4096. The reader sees the end when
 * every write handle in every process is closed. Both handles are inheritable or neither.
 * FALSE on failure: ERROR_NOT_ENOUGH_MEMORY, ERROR_TOO_MANY_OPEN_FILES. */
TRANSOM_API BOOL WINAPI CreatePipe(PHANDLE hReadPipe, PHANDLE hWritePipe,
    LPSECURITY_ATTRIBUTES lpPipeAttributes, DWORD nSize);

/* Copies unread bytes without taking them and tells how many there are; any pointer may be
 * NULL. Never waits, in either mode. lpBytesLeftThisMessage is 0 on a pipe of bytes. FALSE:
 * ERROR_BROKEN_PIPE (writers gone, nothing left), ERROR_ACCESS_DENIED (write end),
 * ERROR_INVALID_HANDLE (no pipe). */
TRANSOM_API BOOL WINAPI PeekNamedPipe(HANDLE hNamedPipe, LPVOID lpBuffer, DWORD nBufferSize,
    LPDWORD lpBytesRead, LPDWORD lpTotalBytesAvail, LPDWORD lpBytesLeftThisMessage);

/* Tells type and end (PIPE_TYPE_, PIPE_SERVER_END), the sizes given at creation and the limit
 * of instances; any pointer may be NULL. An anonymous pipe has byte type and one instance; its
 * read end is the server end. FALSE with ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED. */
TRANSOM_API BOOL WINAPI GetNamedPipeInfo(HANDLE hNamedPipe, LPDWORD lpFlags,
    LPDWORD lpOutBufferSize, LPDWORD lpInBufferSize, LPDWORD lpMaxInstances);

/* Tells the handle's mode (PIPE_NOWAIT, PIPE_READMODE_MESSAGE) and the number of open
 * instances; any pointer may be NULL. Collection count, collection time-out and user name
 * belong to remote and named pipes and must be NULL here: FALSE with ERROR_INVALID_PARAMETER.
 * Also ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED. */
TRANSOM_API BOOL WINAPI GetNamedPipeHandleStateA(HANDLE hNamedPipe, LPDWORD lpState,
    LPDWORD lpCurInstances, LPDWORD lpMaxCollectionCount, LPDWORD lpCollectDataTimeout,
    LPSTR lpUserName, DWORD nMaxUserNameSize);
TRANSOM_API BOOL WINAPI GetNamedPipeHandleStateW(HANDLE hNamedPipe, LPDWORD lpState,
    LPDWORD lpCurInstances, LPDWORD lpMaxCollectionCount, LPDWORD lpCollectDataTimeout,
    LPWSTR lpUserName, DWORD nMaxUserNameSize);
#define GetNamedPipeHandleState TRANSOM_AW(GetNamedPipeHandleState)

/* Sets wait mode and read mode together (P45); the other pointers are NULL. In PIPE_NOWAIT
 * mode reads and writes of this end never wait. FALSE: ERROR_INVALID_PARAMETER (message mode
 * on a pipe of bytes, unknown bits), ERROR_ACCESS_DENIED, ERROR_INVALID_HANDLE. */
TRANSOM_API BOOL WINAPI SetNamedPipeHandleState(HANDLE hNamedPipe, LPDWORD lpMode,
    LPDWORD lpMaxCollectionCount, LPDWORD lpCollectDataTimeout);

/* Writes a request and waits for one message in return; needs a pipe with both directions and
 * messages, so on the ends of an anonymous pipe it is FALSE with ERROR_ACCESS_DENIED. */
TRANSOM_API BOOL WINAPI TransactNamedPipe(HANDLE hNamedPipe, LPVOID lpInBuffer, DWORD nInBufferSize,
    LPVOID lpOutBuffer, DWORD nOutBufferSize, LPDWORD lpBytesRead, LPOVERLAPPED lpOverlapped);

/* Waits for the client of a named pipe. An anonymous pipe has its client from the start: FALSE
 * with ERROR_PIPE_CONNECTED on the read end, ERROR_INVALID_FUNCTION on the write end, which
 * is a client; ERROR_INVALID_HANDLE for what is no pipe. */
TRANSOM_API BOOL WINAPI ConnectNamedPipe(HANDLE hNamedPipe, LPOVERLAPPED lpOverlapped);

#ifdef __cplusplus
}
#endif

#endif
