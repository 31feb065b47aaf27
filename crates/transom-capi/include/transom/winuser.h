/* winuser.h: what the process calls need of the window header.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Windows and messages
 * are not in this version.
 */
#ifndef TRANSOM_WINUSER_H
#define TRANSOM_WINUSER_H

#include "minwindef.h"

/* STARTUPINFO.wShowWindow. */
#define SW_HIDE 0
#define SW_SHOWNORMAL 1
#define SW_NORMAL 1
#define SW_SHOWMINIMIZED 2
#define SW_SHOWMAXIMIZED 3
#define SW_MAXIMIZE 3
#define SW_SHOWNOACTIVATE 4
#define SW_SHOW 5
#define SW_MINIMIZE 6
#define SW_SHOWMINNOACTIVE 7
#define SW_SHOWNA 8
#define SW_RESTORE 9
#define SW_SHOWDEFAULT 10
#define SW_FORCEMINIMIZE 11

#ifdef __cplusplus
extern "C" {
#endif

/* Waits until a program with windows waits for input. A program without a message queue, and
 * in this version there is no other: WAIT_FAILED at once. ERROR_INVALID_HANDLE for what is no
 * process. */
TRANSOM_API DWORD WINAPI WaitForInputIdle(HANDLE hProcess, DWORD dwMilliseconds);

#ifdef __cplusplus
}
#endif

#endif
