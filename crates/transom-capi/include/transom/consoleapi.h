/* consoleapi.h: the terminal.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. A console is the terminal
 * of this process, if it has one; handles come from GetStdHandle, or CreateFile of CONOUT$.
 */
#ifndef TRANSOM_CONSOLEAPI_H
#define TRANSOM_CONSOLEAPI_H

#include "minwindef.h"

#define CTRL_C_EVENT 0
#define CTRL_BREAK_EVENT 1
#define CTRL_CLOSE_EVENT 2
#define CTRL_LOGOFF_EVENT 5
#define CTRL_SHUTDOWN_EVENT 6

/* Modes of input and output. */
#define ENABLE_PROCESSED_INPUT 0x0001
#define ENABLE_LINE_INPUT 0x0002
#define ENABLE_ECHO_INPUT 0x0004
#define ENABLE_PROCESSED_OUTPUT 0x0001
#define ENABLE_WRAP_AT_EOL_OUTPUT 0x0002
#define ENABLE_VIRTUAL_TERMINAL_PROCESSING 0x0004

/* Is told an event; TRUE: dealt with, FALSE: the next one is asked. */
typedef BOOL(WINAPI *PHANDLER_ROUTINE)(DWORD CtrlType);

#ifdef __cplusplus
extern "C" {
#endif

/* Registers a function, or takes one away, that is called in a thread of its own for
 * CTRL_C_EVENT (SIGINT) and CTRL_BREAK_EVENT (SIGTERM), the latest first; if none deals with it
 * the process ends with STATUS_CONTROL_C_EXIT. NULL: Ctrl+C is ignored, or no longer. FALSE with
 * ERROR_INVALID_PARAMETER for a function that was not registered. */
TRANSOM_API BOOL WINAPI SetConsoleCtrlHandler(PHANDLER_ROUTINE HandlerRoutine, BOOL Add);

/* Sends such an event to a process group: one that began with CREATE_NEW_PROCESS_GROUP, by its
 * process id; 0 is the caller's own. FALSE with ERROR_INVALID_PARAMETER. */
TRANSOM_API BOOL WINAPI GenerateConsoleCtrlEvent(DWORD dwCtrlEvent, DWORD dwProcessGroupId);

/* The mode of a terminal, which is always the usual one, and setting it, without effect. FALSE
 * with ERROR_INVALID_HANDLE for what is no terminal: that is how programs find out. */
TRANSOM_API BOOL WINAPI GetConsoleMode(HANDLE hConsoleHandle, LPDWORD lpMode);
TRANSOM_API BOOL WINAPI SetConsoleMode(HANDLE hConsoleHandle, DWORD dwMode);

/* Writes characters to a terminal. FALSE with ERROR_INVALID_HANDLE for a file or pipe. */
TRANSOM_API BOOL WINAPI WriteConsoleA(HANDLE hConsoleOutput, const VOID *lpBuffer,
    DWORD nNumberOfCharsToWrite, LPDWORD lpNumberOfCharsWritten, LPVOID lpReserved);
TRANSOM_API BOOL WINAPI WriteConsoleW(HANDLE hConsoleOutput, const VOID *lpBuffer,
    DWORD nNumberOfCharsToWrite, LPDWORD lpNumberOfCharsWritten, LPVOID lpReserved);
#define WriteConsole TRANSOM_AW(WriteConsole)

/* The code page of a terminal is UTF-8 (65001); another is ERROR_INVALID_PARAMETER. */
TRANSOM_API UINT WINAPI GetConsoleCP(void);
TRANSOM_API UINT WINAPI GetConsoleOutputCP(void);
TRANSOM_API BOOL WINAPI SetConsoleCP(UINT wCodePageID);
TRANSOM_API BOOL WINAPI SetConsoleOutputCP(UINT wCodePageID);

/* There is one terminal or none: AllocConsole fails with ERROR_ACCESS_DENIED, the others do
 * nothing. */
TRANSOM_API BOOL WINAPI AllocConsole(void);
TRANSOM_API BOOL WINAPI FreeConsole(void);
TRANSOM_API BOOL WINAPI SetConsoleTitleA(LPCSTR lpConsoleTitle);
TRANSOM_API BOOL WINAPI SetConsoleTitleW(LPCWSTR lpConsoleTitle);
#define SetConsoleTitle TRANSOM_AW(SetConsoleTitle)

#ifdef __cplusplus
}
#endif

#endif
