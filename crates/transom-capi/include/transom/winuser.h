/* winuser.h: what the process calls need of the window header.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Windows and messages
 * are not in this version.
 */
#ifndef TRANSOM_WINUSER_H
#define TRANSOM_WINUSER_H

#include <stdarg.h>
#include <stdio.h>
#include "minwindef.h"

#ifndef TRANSOM_HWND
#define TRANSOM_HWND
DECLARE_HANDLE(HWND);
#endif

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

/* MessageBox: buttons, pictures, and what was chosen. */
#define MB_OK 0x00000000
#define MB_OKCANCEL 0x00000001
#define MB_ABORTRETRYIGNORE 0x00000002
#define MB_YESNOCANCEL 0x00000003
#define MB_YESNO 0x00000004
#define MB_RETRYCANCEL 0x00000005
#define MB_ICONHAND 0x00000010
#define MB_ICONQUESTION 0x00000020
#define MB_ICONEXCLAMATION 0x00000030
#define MB_ICONASTERISK 0x00000040
#define MB_ICONERROR MB_ICONHAND
#define MB_ICONSTOP MB_ICONHAND
#define MB_ICONWARNING MB_ICONEXCLAMATION
#define MB_ICONINFORMATION MB_ICONASTERISK
#define IDOK 1
#define IDCANCEL 2
#define IDABORT 3
#define IDRETRY 4
#define IDIGNORE 5
#define IDYES 6
#define IDNO 7

#ifdef __cplusplus
extern "C" {
#endif

/* Shows a text. There is no desktop in this version: caption and text go to standard error, and
 * the first button is the answer. */
TRANSOM_API int WINAPI MessageBoxA(HWND hWnd, LPCSTR lpText, LPCSTR lpCaption, UINT uType);
TRANSOM_API int WINAPI MessageBoxW(HWND hWnd, LPCWSTR lpText, LPCWSTR lpCaption, UINT uType);
#define MessageBox TRANSOM_AW(MessageBox)

/* Formats as printf does, at most 1024 characters with the terminator; returns the length. %s is a
 * string of char, %S of wchar_t. */
static __inline__ int WINAPI wvsprintfA(LPSTR lpOut, LPCSTR lpFmt, va_list arglist)
{
    int length = vsnprintf(lpOut, 1024, lpFmt, arglist);
    return length > 1023 ? 1023 : length;
}

static __inline__ int WINAPIV wsprintfA(LPSTR lpOut, LPCSTR lpFmt, ...)
{
    int length;
    va_list arguments;
    va_start(arguments, lpFmt);
    length = wvsprintfA(lpOut, lpFmt, arguments);
    va_end(arguments);
    return length;
}
#ifndef UNICODE
#define wvsprintf wvsprintfA
#define wsprintf wsprintfA
#endif

/* Waits until a program with windows waits for input. A program without a message queue, and
 * in this version there is no other: WAIT_FAILED at once. ERROR_INVALID_HANDLE for what is no
 * process. */
TRANSOM_API DWORD WINAPI WaitForInputIdle(HANDLE hProcess, DWORD dwMilliseconds);

#ifdef __cplusplus
}
#endif

#endif
