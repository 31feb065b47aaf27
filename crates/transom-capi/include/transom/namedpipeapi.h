/* namedpipeapi.h: named and anonymous pipes.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Rules: docs/pipes.md
 * (P1 to P75). CreateFile, ReadFile, WriteFile and FlushFileBuffers are in fileapi.h,
 * GetOverlappedResult and CancelIo in ioapiset.h.
 *
 * A named pipe is \\.\pipe\NAME, in any case, with slashes or backslashes. Each
 * CreateNamedPipe makes one instance; each client that opens the name is connected to the
 * instance that has listened longest. The name goes with the last server handle. Numbers
 * behind "FALSE" are the last error.
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

/* Makes an instance of a named pipe, which listens at once (P5), and the server's handle to it
 * (end: CloseHandle). dwOpenMode: PIPE_ACCESS_INBOUND, _OUTBOUND or _DUPLEX, with
 * FILE_FLAG_FIRST_PIPE_INSTANCE (fails if the name exists) and FILE_FLAG_OVERLAPPED. dwPipeMode:
 * PIPE_TYPE_MESSAGE, PIPE_READMODE_MESSAGE, PIPE_NOWAIT. nMaxInstances: 1 to 254, or
 * PIPE_UNLIMITED_INSTANCES; it, the type, the direction and the default time-out (milliseconds, 0
 * = 50) are those of the first instance. The sizes are the unread bytes after which writes wait,
 * server to client and client to server. INVALID_HANDLE_VALUE on failure: ERROR_INVALID_NAME (not
 * \\.\pipe\...), ERROR_PATH_NOT_FOUND (NULL), ERROR_INVALID_PARAMETER, ERROR_PIPE_BUSY (all
 * instances exist), ERROR_ACCESS_DENIED (first instance asked for, other direction, other user's
 * name), ERROR_FILENAME_EXCED_RANGE. The security descriptor of the first instance lets other
 * users open it (P14); they make no instances of it. */
TRANSOM_API HANDLE WINAPI CreateNamedPipeA(LPCSTR lpName, DWORD dwOpenMode, DWORD dwPipeMode,
    DWORD nMaxInstances, DWORD nOutBufferSize, DWORD nInBufferSize, DWORD nDefaultTimeOut,
    LPSECURITY_ATTRIBUTES lpSecurityAttributes);
TRANSOM_API HANDLE WINAPI CreateNamedPipeW(LPCWSTR lpName, DWORD dwOpenMode, DWORD dwPipeMode,
    DWORD nMaxInstances, DWORD nOutBufferSize, DWORD nInBufferSize, DWORD nDefaultTimeOut,
    LPSECURITY_ATTRIBUTES lpSecurityAttributes);
#define CreateNamedPipe TRANSOM_AW(CreateNamedPipe)

/* Waits for a client; a disconnected instance listens again. TRUE when one came during the call.
 * FALSE with ERROR_PIPE_CONNECTED when it had come before, which is as good (P5, P15);
 * ERROR_NO_DATA when it has come and left; ERROR_PIPE_LISTENING in PIPE_NOWAIT mode;
 * ERROR_IO_PENDING when the handle is overlapped: the event in lpOverlapped is set when a client
 * comes. Also ERROR_INVALID_FUNCTION for a client's handle, ERROR_INVALID_HANDLE. The read end of
 * an anonymous pipe has its client from the start. */
TRANSOM_API BOOL WINAPI ConnectNamedPipe(HANDLE hNamedPipe, LPOVERLAPPED lpOverlapped);

/* Cuts the client off and discards what either side has not read (FlushFileBuffers first, or
 * CloseHandle instead, lets the client read it: P17). FALSE: ERROR_PIPE_NOT_CONNECTED (done
 * already), ERROR_INVALID_FUNCTION (a client's handle), ERROR_INVALID_HANDLE. */
TRANSOM_API BOOL WINAPI DisconnectNamedPipe(HANDLE hNamedPipe);

/* Waits until an instance of the pipe listens; nTimeOut in milliseconds, or NMPWAIT_NOWAIT,
 * NMPWAIT_USE_DEFAULT_WAIT (the creator's), NMPWAIT_WAIT_FOREVER. TRUE reserves nothing: CreateFile
 * may still find all busy (P68). FALSE: ERROR_FILE_NOT_FOUND (no such pipe; at once),
 * ERROR_SEM_TIMEOUT, ERROR_BAD_PATHNAME (not a pipe's name). */
TRANSOM_API BOOL WINAPI WaitNamedPipeA(LPCSTR lpNamedPipeName, DWORD nTimeOut);
TRANSOM_API BOOL WINAPI WaitNamedPipeW(LPCWSTR lpNamedPipeName, DWORD nTimeOut);
#define WaitNamedPipe TRANSOM_AW(WaitNamedPipe)

/* Opens a pipe of messages, sends one, waits for one in return and closes (P66); nTimeOut, as for
 * WaitNamedPipe, limits the wait for an instance only. FALSE: ERROR_FILE_NOT_FOUND,
 * ERROR_SEM_TIMEOUT or ERROR_PIPE_BUSY (no instance in time), ERROR_INVALID_PARAMETER (a pipe of
 * bytes), ERROR_ACCESS_DENIED, ERROR_MORE_DATA (the buffer is full, the rest is lost),
 * ERROR_BROKEN_PIPE. */
TRANSOM_API BOOL WINAPI CallNamedPipeA(LPCSTR lpNamedPipeName, LPVOID lpInBuffer, DWORD nInBufferSize,
    LPVOID lpOutBuffer, DWORD nOutBufferSize, LPDWORD lpBytesRead, DWORD nTimeOut);
TRANSOM_API BOOL WINAPI CallNamedPipeW(LPCWSTR lpNamedPipeName, LPVOID lpInBuffer,
    DWORD nInBufferSize, LPVOID lpOutBuffer, DWORD nOutBufferSize, LPDWORD lpBytesRead,
    DWORD nTimeOut);
#define CallNamedPipe TRANSOM_AW(CallNamedPipe)

/* Writes a request and waits for one message in return, in one step; the handle reads and writes
 * and is in PIPE_READMODE_MESSAGE. FALSE: ERROR_BAD_PIPE (bytes, or not connected),
 * ERROR_PIPE_BUSY (something unread is there; nothing was sent), ERROR_MORE_DATA (the rest of the
 * reply is to be read), ERROR_IO_PENDING, ERROR_ACCESS_DENIED (one direction only, as the ends of
 * an anonymous pipe), and as ReadFile. */
TRANSOM_API BOOL WINAPI TransactNamedPipe(HANDLE hNamedPipe, LPVOID lpInBuffer, DWORD nInBufferSize,
    LPVOID lpOutBuffer, DWORD nOutBufferSize, LPDWORD lpBytesRead, LPOVERLAPPED lpOverlapped);

/* Makes a one-way pipe of bytes and a handle to each end (end of each: CloseHandle); nSize is
 * the number of unread bytes after which writers wait, 0 = 4096. The reader sees the end when
 * every write handle in every process is closed. Both handles are inheritable or neither.
 * FALSE on failure: ERROR_NOT_ENOUGH_MEMORY, ERROR_TOO_MANY_OPEN_FILES. */
TRANSOM_API BOOL WINAPI CreatePipe(PHANDLE hReadPipe, PHANDLE hWritePipe,
    LPSECURITY_ATTRIBUTES lpPipeAttributes, DWORD nSize);

/* Copies unread bytes without taking them and tells how many there are; any pointer may be
 * NULL. Never waits for data, in either mode. On a pipe of messages it stops at the end of the
 * first one, of which lpBytesLeftThisMessage tells what was not copied; 0 on a pipe of bytes.
 * FALSE: ERROR_BROKEN_PIPE (writers gone, nothing left), ERROR_BAD_PIPE (a server without client),
 * ERROR_PIPE_NOT_CONNECTED, ERROR_ACCESS_DENIED (the handle cannot read), ERROR_INVALID_HANDLE. */
TRANSOM_API BOOL WINAPI PeekNamedPipe(HANDLE hNamedPipe, LPVOID lpBuffer, DWORD nBufferSize,
    LPDWORD lpBytesRead, LPDWORD lpTotalBytesAvail, LPDWORD lpBytesLeftThisMessage);

/* Tells type and end (PIPE_TYPE_, PIPE_SERVER_END), the sizes given at creation and the limit
 * of instances; any pointer may be NULL. An anonymous pipe has byte type and one instance; its
 * read end is the server end. FALSE with ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED,
 * ERROR_PIPE_NOT_CONNECTED (a client that was disconnected). */
TRANSOM_API BOOL WINAPI GetNamedPipeInfo(HANDLE hNamedPipe, LPDWORD lpFlags,
    LPDWORD lpOutBufferSize, LPDWORD lpInBufferSize, LPDWORD lpMaxInstances);

/* Tells the handle's mode (PIPE_NOWAIT, PIPE_READMODE_MESSAGE), the number of open instances and,
 * on a server's handle, the client's user; any pointer may be NULL. Collection count and
 * time-out belong to pipes of other computers and must be NULL: FALSE with
 * ERROR_INVALID_PARAMETER. Also ERROR_INSUFFICIENT_BUFFER (user name), ERROR_INVALID_HANDLE,
 * ERROR_ACCESS_DENIED. */
TRANSOM_API BOOL WINAPI GetNamedPipeHandleStateA(HANDLE hNamedPipe, LPDWORD lpState,
    LPDWORD lpCurInstances, LPDWORD lpMaxCollectionCount, LPDWORD lpCollectDataTimeout,
    LPSTR lpUserName, DWORD nMaxUserNameSize);
TRANSOM_API BOOL WINAPI GetNamedPipeHandleStateW(HANDLE hNamedPipe, LPDWORD lpState,
    LPDWORD lpCurInstances, LPDWORD lpMaxCollectionCount, LPDWORD lpCollectDataTimeout,
    LPWSTR lpUserName, DWORD nMaxUserNameSize);
#define GetNamedPipeHandleState TRANSOM_AW(GetNamedPipeHandleState)

/* Sets wait mode and read mode together (P45); the other pointers are NULL. In PIPE_NOWAIT
 * mode reads and writes of this end never wait. FALSE: ERROR_INVALID_PARAMETER (message mode
 * on a pipe of bytes, unknown bits), ERROR_ACCESS_DENIED (the handle lacks
 * FILE_WRITE_ATTRIBUTES, as one opened with GENERIC_READ alone), ERROR_INVALID_HANDLE. */
TRANSOM_API BOOL WINAPI SetNamedPipeHandleState(HANDLE hNamedPipe, LPDWORD lpMode,
    LPDWORD lpMaxCollectionCount, LPDWORD lpCollectDataTimeout);

/* The process that opened the client's end, and the one that made the instance; from either end
 * (P71). Of a client of another user the kernel says which it is. All processes are in session
 * 0. FALSE: ERROR_NOT_FOUND (no client, or the peer is in another PID namespace and has no number
 * in this one), ERROR_PIPE_NOT_CONNECTED, ERROR_INVALID_HANDLE. */
TRANSOM_API BOOL WINAPI GetNamedPipeClientProcessId(HANDLE Pipe, PULONG ClientProcessId);
TRANSOM_API BOOL WINAPI GetNamedPipeServerProcessId(HANDLE Pipe, PULONG ServerProcessId);
TRANSOM_API BOOL WINAPI GetNamedPipeClientSessionId(HANDLE Pipe, PULONG ClientSessionId);
TRANSOM_API BOOL WINAPI GetNamedPipeServerSessionId(HANDLE Pipe, PULONG ServerSessionId);

/* The name of the client's computer, which is always this one: FALSE with ERROR_PIPE_LOCAL. */
TRANSOM_API BOOL WINAPI GetNamedPipeClientComputerNameA(HANDLE Pipe, LPSTR ClientComputerName,
    ULONG ClientComputerNameLength);
TRANSOM_API BOOL WINAPI GetNamedPipeClientComputerNameW(HANDLE Pipe, LPWSTR ClientComputerName,
    ULONG ClientComputerNameLength);
#define GetNamedPipeClientComputerName TRANSOM_AW(GetNamedPipeClientComputerName)

/* Lets the calling thread act for the client of a server's handle. A client of the same user is
 * that already: TRUE. FALSE with ERROR_CANNOT_IMPERSONATE for another user's, ERROR_NOT_FOUND
 * without a client. RevertToSelf (securitybaseapi.h) ends it. */
TRANSOM_API BOOL WINAPI ImpersonateNamedPipeClient(HANDLE hNamedPipe);

#ifdef __cplusplus
}
#endif

#endif
