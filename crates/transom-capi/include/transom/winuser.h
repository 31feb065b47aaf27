/* winuser.h: windows as mailboxes, and what the process calls need of the window header.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Rules: docs/messages.md.
 *
 * A window belongs to the thread that made it, has a class, a title and a procedure, and can
 * be found and written to from every process of the desktop: here, of the user. Nothing is
 * drawn, no display is needed, and what only a display could tell is not here. Messages,
 * their numbers and the calls that send, post and retrieve them are in winmessages.h, which
 * this header includes.
 *
 * A forms take and give UTF-8, W forms UTF-16. A window is narrow or wide as its class was
 * registered; text in messages is converted on the way between unlike callers and windows.
 * Any call that runs a procedure may be left by ExitThread in it.
 */
#ifndef TRANSOM_WINUSER_H
#define TRANSOM_WINUSER_H

#include <stdarg.h>
#include <stdio.h>
#include "windef.h"

/* What a window calls: window, message and its two parameters. The result goes to the sender. */
typedef LRESULT (CALLBACK *WNDPROC)(HWND, UINT, WPARAM, LPARAM);
/* What the Enum calls call: a window and the pointer given; FALSE ends the walk. */
typedef BOOL (CALLBACK *WNDENUMPROC)(HWND, LPARAM);

/* A small number where a name is expected: an atom, or a resource's number. */
#define MAKEINTATOM(number) ((LPTSTR)(ULONG_PTR)(WORD)(number))
#define MAKEINTRESOURCEA(number) ((LPSTR)(ULONG_PTR)(WORD)(number))
#define MAKEINTRESOURCEW(number) ((LPWSTR)(ULONG_PTR)(WORD)(number))
#define MAKEINTRESOURCE TRANSOM_AW(MAKEINTRESOURCE)
#define IS_INTRESOURCE(name) (((ULONG_PTR)(name) >> 16) == 0)

/* Windows that stand for more than one. */
#define HWND_BROADCAST ((HWND)(LONG_PTR)0xffff)
#define HWND_MESSAGE ((HWND)(LONG_PTR)-3)
#define HWND_DESKTOP ((HWND)(LONG_PTR)0)
#define HWND_TOP ((HWND)(LONG_PTR)0)
#define HWND_BOTTOM ((HWND)(LONG_PTR)1)
#define HWND_TOPMOST ((HWND)(LONG_PTR)-1)
#define HWND_NOTOPMOST ((HWND)(LONG_PTR)-2)

/* CreateWindowEx: place and size left to the system. */
#define CW_USEDEFAULT ((int)0x80000000)

/* Styles. WS_CHILD needs a parent; WS_VISIBLE, WS_DISABLED, WS_MINIMIZE and WS_MAXIMIZE can
 * be asked for; the others are kept as they are. */
#define WS_OVERLAPPED 0x00000000
#define WS_POPUP 0x80000000
#define WS_CHILD 0x40000000
#define WS_CHILDWINDOW WS_CHILD
#define WS_MINIMIZE 0x20000000
#define WS_ICONIC WS_MINIMIZE
#define WS_VISIBLE 0x10000000
#define WS_DISABLED 0x08000000
#define WS_CLIPSIBLINGS 0x04000000
#define WS_CLIPCHILDREN 0x02000000
#define WS_MAXIMIZE 0x01000000
#define WS_CAPTION 0x00C00000
#define WS_BORDER 0x00800000
#define WS_DLGFRAME 0x00400000
#define WS_VSCROLL 0x00200000
#define WS_HSCROLL 0x00100000
#define WS_SYSMENU 0x00080000
#define WS_THICKFRAME 0x00040000
#define WS_SIZEBOX WS_THICKFRAME
#define WS_GROUP 0x00020000
#define WS_MINIMIZEBOX 0x00020000
#define WS_TABSTOP 0x00010000
#define WS_MAXIMIZEBOX 0x00010000
#define WS_TILED WS_OVERLAPPED
#define WS_OVERLAPPEDWINDOW (WS_OVERLAPPED | WS_CAPTION | WS_SYSMENU | WS_THICKFRAME | \
    WS_MINIMIZEBOX | WS_MAXIMIZEBOX)
#define WS_TILEDWINDOW WS_OVERLAPPEDWINDOW
#define WS_POPUPWINDOW (WS_POPUP | WS_BORDER | WS_SYSMENU)

#define WS_EX_DLGMODALFRAME 0x00000001
#define WS_EX_NOPARENTNOTIFY 0x00000004
#define WS_EX_TOPMOST 0x00000008
#define WS_EX_ACCEPTFILES 0x00000010
#define WS_EX_TRANSPARENT 0x00000020
#define WS_EX_TOOLWINDOW 0x00000080
#define WS_EX_WINDOWEDGE 0x00000100
#define WS_EX_CLIENTEDGE 0x00000200
#define WS_EX_APPWINDOW 0x00040000
#define WS_EX_LAYERED 0x00080000
#define WS_EX_NOACTIVATE 0x08000000
#define WS_EX_OVERLAPPEDWINDOW (WS_EX_WINDOWEDGE | WS_EX_CLIENTEDGE)

/* Class styles; kept as they are. */
#define CS_VREDRAW 0x0001
#define CS_HREDRAW 0x0002
#define CS_DBLCLKS 0x0008
#define CS_OWNDC 0x0020
#define CS_CLASSDC 0x0040
#define CS_PARENTDC 0x0080
#define CS_NOCLOSE 0x0200
#define CS_SAVEBITS 0x0800
#define CS_BYTEALIGNCLIENT 0x1000
#define CS_BYTEALIGNWINDOW 0x2000
#define CS_GLOBALCLASS 0x4000

/* Get and SetWindowLongPtr. */
#define GWLP_WNDPROC (-4)
#define GWLP_HINSTANCE (-6)
#define GWLP_HWNDPARENT (-8)
#define GWLP_ID (-12)
#define GWL_STYLE (-16)
#define GWL_EXSTYLE (-20)
#define GWLP_USERDATA (-21)

/* GetWindow and GetAncestor. */
#define GW_HWNDFIRST 0
#define GW_HWNDLAST 1
#define GW_HWNDNEXT 2
#define GW_HWNDPREV 3
#define GW_OWNER 4
#define GW_CHILD 5
#define GA_PARENT 1
#define GA_ROOT 2
#define GA_ROOTOWNER 3

/* ShowWindow, and STARTUPINFO.wShowWindow. */
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

/* LoadIcon and LoadCursor: the system's own. */
#define IDI_APPLICATION MAKEINTRESOURCE(32512)
#define IDI_ERROR MAKEINTRESOURCE(32513)
#define IDI_QUESTION MAKEINTRESOURCE(32514)
#define IDI_WARNING MAKEINTRESOURCE(32515)
#define IDI_INFORMATION MAKEINTRESOURCE(32516)
#define IDC_ARROW MAKEINTRESOURCE(32512)
#define IDC_IBEAM MAKEINTRESOURCE(32513)
#define IDC_WAIT MAKEINTRESOURCE(32514)
#define IDC_CROSS MAKEINTRESOURCE(32515)
#define IDC_HAND MAKEINTRESOURCE(32649)

/* A class's background may be one of these plus 1. */
#define COLOR_BACKGROUND 1
#define COLOR_WINDOW 5
#define COLOR_WINDOWTEXT 8
#define COLOR_BTNFACE 15

/* AllowSetForegroundWindow: every process. */
#define ASFW_ANY ((DWORD)-1)

/* RegisterClass. lpszClassName: at most 255 characters. cbWndExtra: bytes that each window has
 * for its program, zero at first. lpszMenuName, hIcon, hCursor and hbrBackground are kept as
 * they are; in the Ex forms cbSize is the structure's size, exactly. */
typedef struct tagWNDCLASSA {
    UINT style;
    WNDPROC lpfnWndProc;
    int cbClsExtra;
    int cbWndExtra;
    HINSTANCE hInstance;
    HICON hIcon;
    HCURSOR hCursor;
    HBRUSH hbrBackground;
    LPCSTR lpszMenuName;
    LPCSTR lpszClassName;
} WNDCLASSA, *PWNDCLASSA, *NPWNDCLASSA, *LPWNDCLASSA;

typedef struct tagWNDCLASSW {
    UINT style;
    WNDPROC lpfnWndProc;
    int cbClsExtra;
    int cbWndExtra;
    HINSTANCE hInstance;
    HICON hIcon;
    HCURSOR hCursor;
    HBRUSH hbrBackground;
    LPCWSTR lpszMenuName;
    LPCWSTR lpszClassName;
} WNDCLASSW, *PWNDCLASSW, *NPWNDCLASSW, *LPWNDCLASSW;

typedef struct tagWNDCLASSEXA {
    UINT cbSize;
    UINT style;
    WNDPROC lpfnWndProc;
    int cbClsExtra;
    int cbWndExtra;
    HINSTANCE hInstance;
    HICON hIcon;
    HCURSOR hCursor;
    HBRUSH hbrBackground;
    LPCSTR lpszMenuName;
    LPCSTR lpszClassName;
    HICON hIconSm;
} WNDCLASSEXA, *PWNDCLASSEXA, *NPWNDCLASSEXA, *LPWNDCLASSEXA;

typedef struct tagWNDCLASSEXW {
    UINT cbSize;
    UINT style;
    WNDPROC lpfnWndProc;
    int cbClsExtra;
    int cbWndExtra;
    HINSTANCE hInstance;
    HICON hIcon;
    HCURSOR hCursor;
    HBRUSH hbrBackground;
    LPCWSTR lpszMenuName;
    LPCWSTR lpszClassName;
    HICON hIconSm;
} WNDCLASSEXW, *PWNDCLASSEXW, *NPWNDCLASSEXW, *LPWNDCLASSEXW;

/* Where lParam of WM_NCCREATE and WM_CREATE points: what CreateWindowEx was told. */
typedef struct tagCREATESTRUCTA {
    LPVOID lpCreateParams;
    HINSTANCE hInstance;
    HMENU hMenu;
    HWND hwndParent;
    int cy;
    int cx;
    int y;
    int x;
    LONG style;
    LPCSTR lpszName;
    LPCSTR lpszClass;
    DWORD dwExStyle;
} CREATESTRUCTA, *LPCREATESTRUCTA;

typedef struct tagCREATESTRUCTW {
    LPVOID lpCreateParams;
    HINSTANCE hInstance;
    HMENU hMenu;
    HWND hwndParent;
    int cy;
    int cx;
    int y;
    int x;
    LONG style;
    LPCWSTR lpszName;
    LPCWSTR lpszClass;
    DWORD dwExStyle;
} CREATESTRUCTW, *LPCREATESTRUCTW;

#ifdef UNICODE
typedef WNDCLASSW WNDCLASS, *PWNDCLASS, *NPWNDCLASS, *LPWNDCLASS;
typedef WNDCLASSEXW WNDCLASSEX, *PWNDCLASSEX, *NPWNDCLASSEX, *LPWNDCLASSEX;
typedef CREATESTRUCTW CREATESTRUCT, *LPCREATESTRUCT;
#else
typedef WNDCLASSA WNDCLASS, *PWNDCLASS, *NPWNDCLASS, *LPWNDCLASS;
typedef WNDCLASSEXA WNDCLASSEX, *PWNDCLASSEX, *NPWNDCLASSEX, *LPWNDCLASSEX;
typedef CREATESTRUCTA CREATESTRUCT, *LPCREATESTRUCT;
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a class known to this process; returns its number in the desktop's table of names, which
 * stands for the name wherever a class is named (MAKEINTATOM). 0 on failure:
 * ERROR_CLASS_ALREADY_EXISTS (this process has one of that name, in any case and of either
 * form), ERROR_INVALID_PARAMETER (no procedure, no name or too long a one, negative sizes, a
 * cbSize that is not the structure's). */
TRANSOM_API ATOM WINAPI RegisterClassA(const WNDCLASSA *lpWndClass);
TRANSOM_API ATOM WINAPI RegisterClassW(const WNDCLASSW *lpWndClass);
#define RegisterClass TRANSOM_AW(RegisterClass)
TRANSOM_API ATOM WINAPI RegisterClassExA(const WNDCLASSEXA *lpwcx);
TRANSOM_API ATOM WINAPI RegisterClassExW(const WNDCLASSEXW *lpwcx);
#define RegisterClassEx TRANSOM_AW(RegisterClassEx)

/* Forgets a class of this process. FALSE: ERROR_CLASS_DOES_NOT_EXIST,
 * ERROR_CLASS_HAS_WINDOWS. hInstance is not looked at. */
TRANSOM_API BOOL WINAPI UnregisterClassA(LPCSTR lpClassName, HINSTANCE hInstance);
TRANSOM_API BOOL WINAPI UnregisterClassW(LPCWSTR lpClassName, HINSTANCE hInstance);
#define UnregisterClass TRANSOM_AW(UnregisterClass)

/* Tells about a class of this process: the Ex forms answer with its number, which is TRUE enough.
 * lpszClassName is the pointer given. FALSE: ERROR_CLASS_DOES_NOT_EXIST. */
TRANSOM_API BOOL WINAPI GetClassInfoA(HINSTANCE hInstance, LPCSTR lpClassName,
    LPWNDCLASSA lpWndClass);
TRANSOM_API BOOL WINAPI GetClassInfoW(HINSTANCE hInstance, LPCWSTR lpClassName,
    LPWNDCLASSW lpWndClass);
#define GetClassInfo TRANSOM_AW(GetClassInfo)
TRANSOM_API BOOL WINAPI GetClassInfoExA(HINSTANCE hInstance, LPCSTR lpszClass,
    LPWNDCLASSEXA lpwcx);
TRANSOM_API BOOL WINAPI GetClassInfoExW(HINSTANCE hInstance, LPCWSTR lpszClass,
    LPWNDCLASSEXW lpwcx);
#define GetClassInfoEx TRANSOM_AW(GetClassInfoEx)

/* Makes a window of the calling thread. hWndParent HWND_MESSAGE: a message-only window, which
 * hears no broadcasts and is not enumerated; NULL: a top-level one. The procedure gets
 * WM_NCCREATE and WM_CREATE before the call returns; 0 to the first or -1 to the second refuses
 * the window. End: DestroyWindow, or the thread's end. NULL on failure:
 * ERROR_CANNOT_FIND_WND_CLASS, ERROR_TLW_WITH_WSCHILD (WS_CHILD without parent),
 * ERROR_INVALID_WINDOW_HANDLE (the parent). A refusal sets no error. */
TRANSOM_API HWND WINAPI CreateWindowExA(DWORD dwExStyle, LPCSTR lpClassName, LPCSTR lpWindowName,
    DWORD dwStyle, int X, int Y, int nWidth, int nHeight, HWND hWndParent, HMENU hMenu,
    HINSTANCE hInstance, LPVOID lpParam);
TRANSOM_API HWND WINAPI CreateWindowExW(DWORD dwExStyle, LPCWSTR lpClassName, LPCWSTR lpWindowName,
    DWORD dwStyle, int X, int Y, int nWidth, int nHeight, HWND hWndParent, HMENU hMenu,
    HINSTANCE hInstance, LPVOID lpParam);
#define CreateWindowEx TRANSOM_AW(CreateWindowEx)
#define CreateWindowA(class_name, name, style, x, y, width, height, parent, menu, instance, param) \
    CreateWindowExA(0, class_name, name, style, x, y, width, height, parent, menu, instance, param)
#define CreateWindowW(class_name, name, style, x, y, width, height, parent, menu, instance, param) \
    CreateWindowExW(0, class_name, name, style, x, y, width, height, parent, menu, instance, param)
#define CreateWindow TRANSOM_AW(CreateWindow)

/* Ends a window of the calling thread: WM_DESTROY, its children, WM_NCDESTROY; what was posted to
 * it is dropped. FALSE: ERROR_INVALID_WINDOW_HANDLE, ERROR_ACCESS_DENIED (another thread's). */
TRANSOM_API BOOL WINAPI DestroyWindow(HWND hWnd);

/* What a procedure leaves to the system: allows creation, keeps the title (WM_SETTEXT,
 * WM_GETTEXT, WM_GETTEXTLENGTH), destroys the window on WM_CLOSE; 0 for all else. */
TRANSOM_API LRESULT WINAPI DefWindowProcA(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam);
TRANSOM_API LRESULT WINAPI DefWindowProcW(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam);
#define DefWindowProc TRANSOM_AW(DefWindowProc)

/* Runs a procedure that SetWindowLongPtr replaced. */
TRANSOM_API LRESULT WINAPI CallWindowProcA(WNDPROC lpPrevWndFunc, HWND hWnd, UINT Msg,
    WPARAM wParam, LPARAM lParam);
TRANSOM_API LRESULT WINAPI CallWindowProcW(WNDPROC lpPrevWndFunc, HWND hWnd, UINT Msg,
    WPARAM wParam, LPARAM lParam);
#define CallWindowProc TRANSOM_AW(CallWindowProc)

/* Whether it is a window now. One of a process that was killed is none, at once. */
TRANSOM_API BOOL WINAPI IsWindow(HWND hWnd);

/* Whether it is a wide one. FALSE for what is no window. */
TRANSOM_API BOOL WINAPI IsWindowUnicode(HWND hWnd);

/* Copies the class's name, cut to nMaxCount - 1 characters, in the spelling of its first
 * registration; returns how many. 0: ERROR_INVALID_WINDOW_HANDLE, ERROR_INSUFFICIENT_BUFFER
 * (nMaxCount below 1). */
TRANSOM_API int WINAPI GetClassNameA(HWND hWnd, LPSTR lpClassName, int nMaxCount);
TRANSOM_API int WINAPI GetClassNameW(HWND hWnd, LPWSTR lpClassName, int nMaxCount);
#define GetClassName TRANSOM_AW(GetClassName)

/* The window's thread, and that one's process. 0: ERROR_INVALID_WINDOW_HANDLE. */
TRANSOM_API DWORD WINAPI GetWindowThreadProcessId(HWND hWnd, LPDWORD lpdwProcessId);

/* The title, cut to nMaxCount - 1 characters, and its length. A window of this process is asked
 * (WM_GETTEXT, WM_GETTEXTLENGTH); of another process's the stored title is read, without its
 * help. 0 for an empty one, and with ERROR_INVALID_WINDOW_HANDLE. */
TRANSOM_API int WINAPI GetWindowTextA(HWND hWnd, LPSTR lpString, int nMaxCount);
TRANSOM_API int WINAPI GetWindowTextW(HWND hWnd, LPWSTR lpString, int nMaxCount);
#define GetWindowText TRANSOM_AW(GetWindowText)
TRANSOM_API int WINAPI GetWindowTextLengthA(HWND hWnd);
TRANSOM_API int WINAPI GetWindowTextLengthW(HWND hWnd);
#define GetWindowTextLength TRANSOM_AW(GetWindowTextLength)

/* Sends WM_SETTEXT; TRUE if the procedure took it. Errors: as SendMessage. */
TRANSOM_API BOOL WINAPI SetWindowTextA(HWND hWnd, LPCSTR lpString);
TRANSOM_API BOOL WINAPI SetWindowTextW(HWND hWnd, LPCWSTR lpString);
#define SetWindowText TRANSOM_AW(SetWindowText)

/* Reads or replaces a GWLP_ value or, from nIndex 0 up, extra bytes of the window; returns the
 * value, or the one before. GWLP_USERDATA of any window can be read. 0 is a value too: clear the
 * last error before. Failures: ERROR_INVALID_WINDOW_HANDLE, ERROR_INVALID_INDEX,
 * ERROR_ACCESS_DENIED (the procedure of another process's window). The forms without Ptr have 32 bits, so that they
 * cannot take a procedure. */
TRANSOM_API LONG_PTR WINAPI GetWindowLongPtrA(HWND hWnd, int nIndex);
TRANSOM_API LONG_PTR WINAPI GetWindowLongPtrW(HWND hWnd, int nIndex);
#define GetWindowLongPtr TRANSOM_AW(GetWindowLongPtr)
TRANSOM_API LONG_PTR WINAPI SetWindowLongPtrA(HWND hWnd, int nIndex, LONG_PTR dwNewLong);
TRANSOM_API LONG_PTR WINAPI SetWindowLongPtrW(HWND hWnd, int nIndex, LONG_PTR dwNewLong);
#define SetWindowLongPtr TRANSOM_AW(SetWindowLongPtr)
TRANSOM_API LONG WINAPI GetWindowLongA(HWND hWnd, int nIndex);
TRANSOM_API LONG WINAPI GetWindowLongW(HWND hWnd, int nIndex);
#define GetWindowLong TRANSOM_AW(GetWindowLong)
TRANSOM_API LONG WINAPI SetWindowLongA(HWND hWnd, int nIndex, LONG dwNewLong);
TRANSOM_API LONG WINAPI SetWindowLongW(HWND hWnd, int nIndex, LONG dwNewLong);
#define SetWindowLong TRANSOM_AW(SetWindowLong)

/* A value under a name (or MAKEINTATOM) on a window, for every process to read; Remove returns
 * what it was. NULL when there is none, and with ERROR_INVALID_WINDOW_HANDLE. The value is
 * a number: a handle in it means something in this process only. */
TRANSOM_API BOOL WINAPI SetPropA(HWND hWnd, LPCSTR lpString, HANDLE hData);
TRANSOM_API BOOL WINAPI SetPropW(HWND hWnd, LPCWSTR lpString, HANDLE hData);
#define SetProp TRANSOM_AW(SetProp)
TRANSOM_API HANDLE WINAPI GetPropA(HWND hWnd, LPCSTR lpString);
TRANSOM_API HANDLE WINAPI GetPropW(HWND hWnd, LPCWSTR lpString);
#define GetProp TRANSOM_AW(GetProp)
TRANSOM_API HANDLE WINAPI RemovePropA(HWND hWnd, LPCSTR lpString);
TRANSOM_API HANDLE WINAPI RemovePropW(HWND hWnd, LPCWSTR lpString);
#define RemoveProp TRANSOM_AW(RemoveProp)

/* The parent of a child; NULL for others, and with ERROR_INVALID_WINDOW_HANDLE. */
TRANSOM_API HWND WINAPI GetParent(HWND hWnd);

/* Puts a window under another one, under HWND_MESSAGE, or (NULL) under the desktop; returns the
 * parent before. NULL: ERROR_INVALID_WINDOW_HANDLE, ERROR_INVALID_PARAMETER (it would be its
 * own ancestor). */
TRANSOM_API HWND WINAPI SetParent(HWND hWndChild, HWND hWndNewParent);

/* GA_PARENT: what the window lies under, the desktop included; GA_ROOT, GA_ROOTOWNER: the top of
 * its parents. NULL: ERROR_INVALID_WINDOW_HANDLE, ERROR_INVALID_PARAMETER. */
TRANSOM_API HWND WINAPI GetAncestor(HWND hwnd, UINT gaFlags);

/* GW_CHILD: the first child; the others: the window's neighbours in Z order. GW_OWNER: NULL, since
 * windows have no owners here. NULL where there is none, and with ERROR_INVALID_WINDOW_HANDLE,
 * ERROR_INVALID_GW_COMMAND. */
TRANSOM_API HWND WINAPI GetWindow(HWND hWnd, UINT uCmd);
#define GetNextWindow(window, direction) GetWindow(window, direction)
TRANSOM_API HWND WINAPI GetTopWindow(HWND hWnd);

/* Whether hWnd is below hWndParent, directly or not. */
TRANSOM_API BOOL WINAPI IsChild(HWND hWndParent, HWND hWnd);

/* The parent of all top-level windows. */
TRANSOM_API HWND WINAPI GetDesktopWindow(void);

/* The first window in Z order, behind hWndChildAfter if that is given, whose class and title match,
 * in full and without regard to case; NULL matches every class or title. hWndParent NULL:
 * top-level windows, then message-only ones; HWND_MESSAGE: only those; a window: its children.
 * FindWindow is the same with NULL, NULL. NULL if there is none, with no word about the error;
 * ERROR_INVALID_WINDOW_HANDLE for a hWndParent or hWndChildAfter that is none. */
TRANSOM_API HWND WINAPI FindWindowA(LPCSTR lpClassName, LPCSTR lpWindowName);
TRANSOM_API HWND WINAPI FindWindowW(LPCWSTR lpClassName, LPCWSTR lpWindowName);
#define FindWindow TRANSOM_AW(FindWindow)
TRANSOM_API HWND WINAPI FindWindowExA(HWND hWndParent, HWND hWndChildAfter, LPCSTR lpszClass,
    LPCSTR lpszWindow);
TRANSOM_API HWND WINAPI FindWindowExW(HWND hWndParent, HWND hWndChildAfter, LPCWSTR lpszClass,
    LPCWSTR lpszWindow);
#define FindWindowEx TRANSOM_AW(FindWindowEx)

/* Calls lpEnumFunc with each top-level window, a thread's top-level windows, or all windows below
 * another one (NULL: top-level windows and theirs), until it answers FALSE, which is then the
 * result. Windows that end meanwhile are left out. */
TRANSOM_API BOOL WINAPI EnumWindows(WNDENUMPROC lpEnumFunc, LPARAM lParam);
TRANSOM_API BOOL WINAPI EnumThreadWindows(DWORD dwThreadId, WNDENUMPROC lpfn, LPARAM lParam);
TRANSOM_API BOOL WINAPI EnumChildWindows(HWND hWndParent, WNDENUMPROC lpEnumFunc, LPARAM lParam);

/* What programs do with a window that they have found. There is nothing to see: the state is kept
 * in the style, and shown to whoever asks. ShowWindow returns whether the window was visible
 * before; it can only change windows whose style this process may change. */
TRANSOM_API BOOL WINAPI ShowWindow(HWND hWnd, int nCmdShow);
TRANSOM_API BOOL WINAPI ShowWindowAsync(HWND hWnd, int nCmdShow);
TRANSOM_API BOOL WINAPI IsWindowVisible(HWND hWnd);
TRANSOM_API BOOL WINAPI IsIconic(HWND hWnd);
TRANSOM_API BOOL WINAPI IsZoomed(HWND hWnd);
TRANSOM_API BOOL WINAPI IsWindowEnabled(HWND hWnd);
TRANSOM_API BOOL WINAPI EnableWindow(HWND hWnd, BOOL bEnable);
TRANSOM_API BOOL WINAPI UpdateWindow(HWND hWnd);

/* There is no foreground: these succeed for a window (FALSE: ERROR_INVALID_WINDOW_HANDLE) and do
 * nothing; GetForegroundWindow finds none; a window's last popup is itself. */
TRANSOM_API BOOL WINAPI AllowSetForegroundWindow(DWORD dwProcessId);
TRANSOM_API BOOL WINAPI SetForegroundWindow(HWND hWnd);
TRANSOM_API BOOL WINAPI BringWindowToTop(HWND hWnd);
TRANSOM_API HWND WINAPI GetForegroundWindow(void);
TRANSOM_API HWND WINAPI GetLastActivePopup(HWND hWnd);

/* The system's own icons and cursors are their numbers; no program has others. NULL:
 * ERROR_RESOURCE_NAME_NOT_FOUND. */
TRANSOM_API HICON WINAPI LoadIconA(HINSTANCE hInstance, LPCSTR lpIconName);
TRANSOM_API HICON WINAPI LoadIconW(HINSTANCE hInstance, LPCWSTR lpIconName);
#define LoadIcon TRANSOM_AW(LoadIcon)
TRANSOM_API HCURSOR WINAPI LoadCursorA(HINSTANCE hInstance, LPCSTR lpCursorName);
TRANSOM_API HCURSOR WINAPI LoadCursorW(HINSTANCE hInstance, LPCWSTR lpCursorName);
#define LoadCursor TRANSOM_AW(LoadCursor)

/* Whether the window's thread has not looked at its queue for 5 seconds. FALSE for what is no
 * window. */
TRANSOM_API BOOL WINAPI IsHungAppWindow(HWND hwnd);

/* Shows a text. There is nothing to show it on: caption and text go to standard error, and
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

/* Waits until a program waits for its user's input. Here no program does: WAIT_FAILED at once with
 * ERROR_NOT_GUI_PROCESS, as for a console program on Windows. ERROR_INVALID_HANDLE for what is no
 * process. */
TRANSOM_API DWORD WINAPI WaitForInputIdle(HANDLE hProcess, DWORD dwMilliseconds);

#ifdef __cplusplus
}
#endif

#include "winmessages.h"

#endif
