/* processenv.h: standard handles, command line, environment and current folder of a process.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Rules: docs/process.md,
 * sections 4 to 6.
 *
 * Sizes of buffers count characters, with the terminator when a size is asked for or is too
 * small, and without it when the text was stored.
 */
#ifndef TRANSOM_PROCESSENV_H
#define TRANSOM_PROCESSENV_H

#include "minwindef.h"

#define STD_INPUT_HANDLE ((DWORD)-10)
#define STD_OUTPUT_HANDLE ((DWORD)-11)
#define STD_ERROR_HANDLE ((DWORD)-12)

#ifdef __cplusplus
extern "C" {
#endif

/* The handle of a standard stream: what the creator gave with STARTF_USESTDHANDLES, else
 * descriptor 0, 1 or 2. INVALID_HANDLE_VALUE with ERROR_INVALID_HANDLE for another number;
 * NULL where there is no such stream. C's stdin and stdout use the same descriptors. */
TRANSOM_API HANDLE WINAPI GetStdHandle(DWORD nStdHandle);

/* Replaces what GetStdHandle answers, in this process and as the default for its children.
 * C's streams stay as they are. FALSE with ERROR_INVALID_HANDLE. */
TRANSOM_API BOOL WINAPI SetStdHandle(DWORD nStdHandle, HANDLE hHandle);

/* The whole command line, as the creator wrote it; for a program not started through transom
 * a line that cuts into the same arguments. Belongs to the library. */
TRANSOM_API LPSTR WINAPI GetCommandLineA(void);
TRANSOM_API LPWSTR WINAPI GetCommandLineW(void);
#define GetCommandLine TRANSOM_AW(GetCommandLine)

/* Reads a variable; names match without regard to case. Returns the length, or the size
 * needed when the buffer is too small, or 0 with ERROR_ENVVAR_NOT_FOUND. An empty value: 0
 * and no error. */
TRANSOM_API DWORD WINAPI GetEnvironmentVariableA(LPCSTR lpName, LPSTR lpBuffer, DWORD nSize);
TRANSOM_API DWORD WINAPI GetEnvironmentVariableW(LPCWSTR lpName, LPWSTR lpBuffer, DWORD nSize);
#define GetEnvironmentVariable TRANSOM_AW(GetEnvironmentVariable)

/* Sets a variable, NULL removes it; also for C's getenv and for children. FALSE with
 * ERROR_INVALID_PARAMETER for a name that is empty or has an equals sign. */
TRANSOM_API BOOL WINAPI SetEnvironmentVariableA(LPCSTR lpName, LPCSTR lpValue);
TRANSOM_API BOOL WINAPI SetEnvironmentVariableW(LPCWSTR lpName, LPCWSTR lpValue);
#define SetEnvironmentVariable TRANSOM_AW(SetEnvironmentVariable)

/* A copy of all variables: NAME=value, terminator, ..., one more terminator. The plain name is
 * the A form. Its end is FreeEnvironmentStrings of the same width, which returns TRUE. NULL
 * with ERROR_NOT_ENOUGH_MEMORY. */
TRANSOM_API LPCH WINAPI GetEnvironmentStrings(void);
TRANSOM_API LPWCH WINAPI GetEnvironmentStringsW(void);
TRANSOM_API BOOL WINAPI FreeEnvironmentStringsA(LPCH penv);
TRANSOM_API BOOL WINAPI FreeEnvironmentStringsW(LPWCH penv);
#define FreeEnvironmentStrings TRANSOM_AW(FreeEnvironmentStrings)
#ifdef UNICODE
#define GetEnvironmentStrings GetEnvironmentStringsW
#else
#define GetEnvironmentStringsA GetEnvironmentStrings
#endif

/* Replaces each %NAME% by its value, leaves unknown ones as they are. Returns the size of the
 * result with terminator, also when the buffer is too small; 0 on failure. */
TRANSOM_API DWORD WINAPI ExpandEnvironmentStringsA(LPCSTR lpSrc, LPSTR lpDst, DWORD nSize);
TRANSOM_API DWORD WINAPI ExpandEnvironmentStringsW(LPCWSTR lpSrc, LPWSTR lpDst, DWORD nSize);
#define ExpandEnvironmentStrings TRANSOM_AW(ExpandEnvironmentStrings)

/* The current folder. Get returns the length, or the size needed; 0 on failure. Set is FALSE
 * with ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_DIRECTORY, ERROR_ACCESS_DENIED. */
TRANSOM_API DWORD WINAPI GetCurrentDirectoryA(DWORD nBufferLength, LPSTR lpBuffer);
TRANSOM_API DWORD WINAPI GetCurrentDirectoryW(DWORD nBufferLength, LPWSTR lpBuffer);
#define GetCurrentDirectory TRANSOM_AW(GetCurrentDirectory)
TRANSOM_API BOOL WINAPI SetCurrentDirectoryA(LPCSTR lpPathName);
TRANSOM_API BOOL WINAPI SetCurrentDirectoryW(LPCWSTR lpPathName);
#define SetCurrentDirectory TRANSOM_AW(SetCurrentDirectory)

#ifdef __cplusplus
}
#endif

#endif
