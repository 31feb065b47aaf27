/* windowsx.h: message crackers, which take a message apart into a function's parameters.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Only the messages that
 * reach windows here are cracked.
 *
 *     static BOOL on_copydata(HWND hwnd, HWND from, PCOPYDATASTRUCT data);
 *
 *     switch (message) {
 *     HANDLE_MSG(hwnd, WM_COPYDATA, on_copydata);
 *     }
 */
#ifndef TRANSOM_WINDOWSX_H
#define TRANSOM_WINDOWSX_H

#include "winuser.h"

#ifndef _INC_WINDOWSX
#define _INC_WINDOWSX
#endif

#define HANDLE_MSG(hwnd, message, fn) \
    case (message): return HANDLE_##message((hwnd), (wParam), (lParam), (fn))

/* BOOL fn(HWND hwnd, LPCREATESTRUCT create) */
#define HANDLE_WM_CREATE(hwnd, wParam, lParam, fn) \
    ((fn)((hwnd), (LPCREATESTRUCT)(lParam)) ? 0L : (LRESULT)-1L)
#define FORWARD_WM_CREATE(hwnd, create, fn) \
    (BOOL)(DWORD)(fn)((hwnd), WM_CREATE, 0L, (LPARAM)(LPCREATESTRUCT)(create))

/* BOOL fn(HWND hwnd, LPCREATESTRUCT create) */
#define HANDLE_WM_NCCREATE(hwnd, wParam, lParam, fn) \
    (LRESULT)(DWORD)(BOOL)(fn)((hwnd), (LPCREATESTRUCT)(lParam))
#define FORWARD_WM_NCCREATE(hwnd, create, fn) \
    (BOOL)(DWORD)(fn)((hwnd), WM_NCCREATE, 0L, (LPARAM)(LPCREATESTRUCT)(create))

/* void fn(HWND hwnd) */
#define HANDLE_WM_DESTROY(hwnd, wParam, lParam, fn) ((fn)(hwnd), 0L)
#define FORWARD_WM_DESTROY(hwnd, fn) (void)(fn)((hwnd), WM_DESTROY, 0L, 0L)
#define HANDLE_WM_NCDESTROY(hwnd, wParam, lParam, fn) ((fn)(hwnd), 0L)
#define FORWARD_WM_NCDESTROY(hwnd, fn) (void)(fn)((hwnd), WM_NCDESTROY, 0L, 0L)
#define HANDLE_WM_CLOSE(hwnd, wParam, lParam, fn) ((fn)(hwnd), 0L)
#define FORWARD_WM_CLOSE(hwnd, fn) (void)(fn)((hwnd), WM_CLOSE, 0L, 0L)

/* void fn(HWND hwnd, int exitCode) */
#define HANDLE_WM_QUIT(hwnd, wParam, lParam, fn) ((fn)((hwnd), (int)(wParam)), 0L)
#define FORWARD_WM_QUIT(hwnd, exitCode, fn) (void)(fn)((hwnd), WM_QUIT, (WPARAM)(exitCode), 0L)

/* void fn(HWND hwnd, UINT id) */
#define HANDLE_WM_TIMER(hwnd, wParam, lParam, fn) ((fn)((hwnd), (UINT)(wParam)), 0L)
#define FORWARD_WM_TIMER(hwnd, id, fn) (void)(fn)((hwnd), WM_TIMER, (WPARAM)(UINT)(id), 0L)

/* void fn(HWND hwnd, int id, HWND control, UINT notification) */
#define HANDLE_WM_COMMAND(hwnd, wParam, lParam, fn) \
    ((fn)((hwnd), (int)(LOWORD(wParam)), (HWND)(lParam), (UINT)HIWORD(wParam)), 0L)
#define FORWARD_WM_COMMAND(hwnd, id, control, notification, fn) \
    (void)(fn)((hwnd), WM_COMMAND, MAKEWPARAM((UINT)(id), (UINT)(notification)), (LPARAM)(HWND)(control))

/* BOOL fn(HWND hwnd, HWND from, PCOPYDATASTRUCT data) */
#define HANDLE_WM_COPYDATA(hwnd, wParam, lParam, fn) \
    ((fn)((hwnd), (HWND)(wParam), (PCOPYDATASTRUCT)(lParam)) ? 1L : 0L)
#define FORWARD_WM_COPYDATA(hwnd, from, data, fn) \
    (BOOL)(UINT)(DWORD)(fn)((hwnd), WM_COPYDATA, (WPARAM)(from), (LPARAM)(data))

/* void fn(HWND hwnd, LPCTSTR text) */
#define HANDLE_WM_SETTEXT(hwnd, wParam, lParam, fn) ((fn)((hwnd), (LPCTSTR)(lParam)), 0L)
#define FORWARD_WM_SETTEXT(hwnd, text, fn) (void)(fn)((hwnd), WM_SETTEXT, 0L, (LPARAM)(LPCTSTR)(text))

/* INT fn(HWND hwnd, int size, LPTSTR text) */
#define HANDLE_WM_GETTEXT(hwnd, wParam, lParam, fn) \
    (LRESULT)(DWORD)(int)(fn)((hwnd), (int)(wParam), (LPTSTR)(lParam))
#define FORWARD_WM_GETTEXT(hwnd, size, text, fn) \
    (int)(DWORD)(fn)((hwnd), WM_GETTEXT, (WPARAM)(int)(size), (LPARAM)(LPTSTR)(text))

/* INT fn(HWND hwnd) */
#define HANDLE_WM_GETTEXTLENGTH(hwnd, wParam, lParam, fn) (LRESULT)(DWORD)(int)(fn)(hwnd)
#define FORWARD_WM_GETTEXTLENGTH(hwnd, fn) (int)(DWORD)(fn)((hwnd), WM_GETTEXTLENGTH, 0L, 0L)

/* Replaces a window's procedure, and gives back the one before. */
#define SubclassWindow(hwnd, procedure) \
    ((WNDPROC)SetWindowLongPtr((hwnd), GWLP_WNDPROC, (LPARAM)(WNDPROC)(procedure)))
#define GetWindowStyle(hwnd) ((DWORD)GetWindowLong((hwnd), GWL_STYLE))
#define GetWindowExStyle(hwnd) ((DWORD)GetWindowLong((hwnd), GWL_EXSTYLE))
#define GetWindowInstance(hwnd) ((HMODULE)GetWindowLongPtr((hwnd), GWLP_HINSTANCE))
#define GetWindowID(hwnd) ((int)GetWindowLongPtr((hwnd), GWLP_ID))
#define IsMinimized(hwnd) IsIconic(hwnd)
#define IsMaximized(hwnd) IsZoomed(hwnd)

#endif
