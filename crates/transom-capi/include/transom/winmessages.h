/* winmessages.h: messages, their numbers, and the calls that send, post and retrieve them.
 *
 * Part of transom's C interface, and no header of Windows: winuser.h includes it, programs
 * include windows.h. Rules: docs/messages.md.
 *
 * A thread gets a queue with the first of these calls that it makes. A message that is sent
 * runs the window's procedure, in the window's thread, while that thread looks at its queue
 * or waits in a send of its own; the sender waits for the result. A message that is posted
 * waits in the queue until it is taken out and dispatched.
 */
#ifndef TRANSOM_WINMESSAGES_H
#define TRANSOM_WINMESSAGES_H

#include "windef.h"

/* Numbers of messages. From WM_USER on they are the program's own, from 0xC000 on
 * RegisterWindowMessage gives them. Parameters that are pointers reach another process only
 * in WM_COPYDATA, WM_SETTEXT, WM_GETTEXT, WM_NCCREATE and WM_CREATE; these cannot be posted.
 * The others below WM_USER are for programs that send them to themselves: nothing here does. */
#define WM_NULL 0x0000
#define WM_CREATE 0x0001
#define WM_DESTROY 0x0002
#define WM_MOVE 0x0003
#define WM_SIZE 0x0005
#define WM_ACTIVATE 0x0006
#define WM_SETFOCUS 0x0007
#define WM_KILLFOCUS 0x0008
#define WM_ENABLE 0x000A
#define WM_SETREDRAW 0x000B
#define WM_SETTEXT 0x000C
#define WM_GETTEXT 0x000D
#define WM_GETTEXTLENGTH 0x000E
#define WM_PAINT 0x000F
#define WM_CLOSE 0x0010
#define WM_QUERYENDSESSION 0x0011
#define WM_QUIT 0x0012
#define WM_QUERYOPEN 0x0013
#define WM_ERASEBKGND 0x0014
#define WM_SYSCOLORCHANGE 0x0015
#define WM_ENDSESSION 0x0016
#define WM_SHOWWINDOW 0x0018
#define WM_WININICHANGE 0x001A
#define WM_SETTINGCHANGE WM_WININICHANGE
#define WM_ACTIVATEAPP 0x001C
#define WM_TIMECHANGE 0x001E
#define WM_CANCELMODE 0x001F
#define WM_SETCURSOR 0x0020
#define WM_GETMINMAXINFO 0x0024
#define WM_SETFONT 0x0030
#define WM_GETFONT 0x0031
#define WM_WINDOWPOSCHANGING 0x0046
#define WM_WINDOWPOSCHANGED 0x0047
#define WM_POWER 0x0048
#define WM_COPYDATA 0x004A
#define WM_NOTIFY 0x004E
#define WM_INPUTLANGCHANGE 0x0051
#define WM_HELP 0x0053
#define WM_USERCHANGED 0x0054
#define WM_STYLECHANGING 0x007C
#define WM_STYLECHANGED 0x007D
#define WM_DISPLAYCHANGE 0x007E
#define WM_GETICON 0x007F
#define WM_SETICON 0x0080
#define WM_NCCREATE 0x0081
#define WM_NCDESTROY 0x0082
#define WM_NCCALCSIZE 0x0083
#define WM_NCHITTEST 0x0084
#define WM_NCPAINT 0x0085
#define WM_NCACTIVATE 0x0086
#define WM_GETDLGCODE 0x0087
#define WM_INPUT 0x00FF
#define WM_KEYFIRST 0x0100
#define WM_KEYDOWN 0x0100
#define WM_KEYUP 0x0101
#define WM_CHAR 0x0102
#define WM_SYSKEYDOWN 0x0104
#define WM_SYSKEYUP 0x0105
#define WM_SYSCHAR 0x0106
#define WM_UNICHAR 0x0109
#define WM_KEYLAST 0x0109
#define WM_INITDIALOG 0x0110
#define WM_COMMAND 0x0111
#define WM_SYSCOMMAND 0x0112
#define WM_TIMER 0x0113
#define WM_HSCROLL 0x0114
#define WM_VSCROLL 0x0115
#define WM_ENTERIDLE 0x0121
#define WM_MOUSEFIRST 0x0200
#define WM_MOUSEMOVE 0x0200
#define WM_LBUTTONDOWN 0x0201
#define WM_LBUTTONUP 0x0202
#define WM_LBUTTONDBLCLK 0x0203
#define WM_RBUTTONDOWN 0x0204
#define WM_RBUTTONUP 0x0205
#define WM_MOUSEWHEEL 0x020A
#define WM_MOUSELAST 0x020E
#define WM_PARENTNOTIFY 0x0210
#define WM_POWERBROADCAST 0x0218
#define WM_DEVICECHANGE 0x0219
#define WM_DROPFILES 0x0233
#define WM_CUT 0x0300
#define WM_COPY 0x0301
#define WM_PASTE 0x0302
#define WM_CLEAR 0x0303
#define WM_UNDO 0x0304
#define WM_HOTKEY 0x0312
#define WM_PRINT 0x0317
#define WM_APPCOMMAND 0x0319
#define WM_THEMECHANGED 0x031A
#define WM_APP 0x8000
#define WM_USER 0x0400

/* What WM_COPYDATA's lParam points to; wParam is the sender's window. The receiver gets a copy
 * of the bytes, valid during its call only. Any length; lpData may be NULL if cbData is 0. */
typedef struct tagCOPYDATASTRUCT {
    ULONG_PTR dwData;
    DWORD cbData;
    PVOID lpData;
} COPYDATASTRUCT, *PCOPYDATASTRUCT;

/* A message as it is retrieved. hwnd is NULL if it was posted to the thread; time is that of
 * posting, in milliseconds as GetTickCount counts them; pt is 0, 0. */
typedef struct tagMSG {
    HWND hwnd;
    UINT message;
    WPARAM wParam;
    LPARAM lParam;
    DWORD time;
    POINT pt;
} MSG, *PMSG, *NPMSG, *LPMSG;

/* SendMessageTimeout. BLOCK: what is sent to this thread meanwhile waits too. ABORTIFHUNG: fails
 * at once if the receiver has not looked at its queue for 5 seconds. NOTIMEOUTIFNOTHUNG: waits
 * on as long as it does look. ERRORONEXIT: fails when the receiver ends meanwhile. */
#define SMTO_NORMAL 0x0000
#define SMTO_BLOCK 0x0001
#define SMTO_ABORTIFHUNG 0x0002
#define SMTO_NOTIMEOUTIFNOTHUNG 0x0008
#define SMTO_ERRORONEXIT 0x0020

/* InSendMessageEx. */
#define ISMEX_NOSEND 0x00000000
#define ISMEX_SEND 0x00000001
#define ISMEX_NOTIFY 0x00000002
#define ISMEX_CALLBACK 0x00000004
#define ISMEX_REPLIED 0x00000008

/* GetQueueStatus and MsgWaitForMultipleObjects: of these, messages posted and sent and timers
 * come here. */
#define QS_KEY 0x0001
#define QS_MOUSEMOVE 0x0002
#define QS_MOUSEBUTTON 0x0004
#define QS_MOUSE (QS_MOUSEMOVE | QS_MOUSEBUTTON)
#define QS_POSTMESSAGE 0x0008
#define QS_TIMER 0x0010
#define QS_PAINT 0x0020
#define QS_SENDMESSAGE 0x0040
#define QS_HOTKEY 0x0080
#define QS_ALLPOSTMESSAGE 0x0100
#define QS_RAWINPUT 0x0400
#define QS_INPUT (QS_MOUSE | QS_KEY | QS_RAWINPUT)
#define QS_ALLEVENTS (QS_INPUT | QS_POSTMESSAGE | QS_TIMER | QS_PAINT | QS_HOTKEY)
#define QS_ALLINPUT (QS_INPUT | QS_POSTMESSAGE | QS_TIMER | QS_PAINT | QS_HOTKEY | QS_SENDMESSAGE)

/* PeekMessage. */
#define PM_NOREMOVE 0x0000
#define PM_REMOVE 0x0001
#define PM_NOYIELD 0x0002
#define PM_QS_INPUT (QS_INPUT << 16)
#define PM_QS_POSTMESSAGE ((QS_POSTMESSAGE | QS_HOTKEY | QS_TIMER) << 16)
#define PM_QS_PAINT (QS_PAINT << 16)
#define PM_QS_SENDMESSAGE (QS_SENDMESSAGE << 16)

/* MsgWaitForMultipleObjectsEx. */
#define MWMO_WAITALL 0x0001
#define MWMO_ALERTABLE 0x0002
#define MWMO_INPUTAVAILABLE 0x0004

/* SetTimer: the shortest and longest time. */
#define USER_TIMER_MAXIMUM 0x7FFFFFFF
#define USER_TIMER_MINIMUM 0x0000000A

/* ChangeWindowMessageFilter. */
#define MSGFLT_RESET 0
#define MSGFLT_ALLOW 1
#define MSGFLT_DISALLOW 2
#define MSGFLT_ADD 1
#define MSGFLT_REMOVE 2
#define MSGFLTINFO_NONE 0
#define MSGFLTINFO_ALREADYALLOWED_FORWND 1
#define MSGFLTINFO_ALREADYDISALLOWED_FORWND 2
#define MSGFLTINFO_ALLOWED_HIGHER 3
typedef struct tagCHANGEFILTERSTRUCT {
    DWORD cbSize;
    DWORD ExtStatus;
} CHANGEFILTERSTRUCT, *PCHANGEFILTERSTRUCT;

/* What SendMessageCallback calls: window, message, the value given, the result. */
typedef void (CALLBACK *SENDASYNCPROC)(HWND, UINT, ULONG_PTR, LRESULT);
/* What a timer calls: window, WM_TIMER, the timer, milliseconds as GetTickCount counts. */
typedef void (CALLBACK *TIMERPROC)(HWND, UINT, UINT_PTR, DWORD);

#ifdef __cplusplus
extern "C" {
#endif

/* Sends, and waits for the result, without limit; meanwhile this thread serves what is sent to its
 * own windows. HWND_BROADCAST: to each top-level window in turn. 0 if the receiver is gone before
 * it has answered, and with ERROR_INVALID_WINDOW_HANDLE. */
TRANSOM_API LRESULT WINAPI SendMessageA(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam);
TRANSOM_API LRESULT WINAPI SendMessageW(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam);
#define SendMessage TRANSOM_AW(SendMessage)

/* The same with SMTO_ flags and a time in milliseconds; the result goes to lpdwResult, which may be
 * NULL. 0: not answered, with ERROR_TIMEOUT or ERROR_INVALID_WINDOW_HANDLE. Within one thread it
 * always completes. */
TRANSOM_API LRESULT WINAPI SendMessageTimeoutA(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam,
    UINT fuFlags, UINT uTimeout, PDWORD_PTR lpdwResult);
TRANSOM_API LRESULT WINAPI SendMessageTimeoutW(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam,
    UINT fuFlags, UINT uTimeout, PDWORD_PTR lpdwResult);
#define SendMessageTimeout TRANSOM_AW(SendMessageTimeout)

/* Sends without waiting for windows of other threads. FALSE: ERROR_INVALID_WINDOW_HANDLE,
 * ERROR_MESSAGE_SYNC_ONLY (parameters are pointers). */
TRANSOM_API BOOL WINAPI SendNotifyMessageA(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam);
TRANSOM_API BOOL WINAPI SendNotifyMessageW(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam);
#define SendNotifyMessage TRANSOM_AW(SendNotifyMessage)

/* The same; lpResultCallBack gets the result, in this thread, when it looks at its queue or waits
 * in a send (own windows: before the call returns). ERROR_INVALID_PARAMETER for a NULL there. */
TRANSOM_API BOOL WINAPI SendMessageCallbackA(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam,
    SENDASYNCPROC lpResultCallBack, ULONG_PTR dwData);
TRANSOM_API BOOL WINAPI SendMessageCallbackW(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam,
    SENDASYNCPROC lpResultCallBack, ULONG_PTR dwData);
#define SendMessageCallback TRANSOM_AW(SendMessageCallback)

/* Lets the sender of the message being handled go on with this result; what the procedure returns
 * later is ignored. TRUE if another thread sent it. */
TRANSOM_API BOOL WINAPI ReplyMessage(LRESULT lResult);

/* Whether a message of another thread's is being handled, and (ISMEX_ bits) of which sort. */
TRANSOM_API BOOL WINAPI InSendMessage(void);
TRANSOM_API DWORD WINAPI InSendMessageEx(LPVOID lpReserved);

/* Puts a message into the queue of the window's thread; NULL: into the calling thread's;
 * HWND_BROADCAST: for every top-level window. FALSE: ERROR_INVALID_WINDOW_HANDLE,
 * ERROR_MESSAGE_SYNC_ONLY, ERROR_NOT_ENOUGH_QUOTA (10000 are waiting there). */
TRANSOM_API BOOL WINAPI PostMessageA(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam);
TRANSOM_API BOOL WINAPI PostMessageW(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam);
#define PostMessage TRANSOM_AW(PostMessage)

/* The same for a thread, which must have a queue already: ERROR_INVALID_THREAD_ID. */
TRANSOM_API BOOL WINAPI PostThreadMessageA(DWORD idThread, UINT Msg, WPARAM wParam, LPARAM lParam);
TRANSOM_API BOOL WINAPI PostThreadMessageW(DWORD idThread, UINT Msg, WPARAM wParam, LPARAM lParam);
#define PostThreadMessage TRANSOM_AW(PostThreadMessage)
#define PostAppMessage(thread, message, first, second) \
    PostThreadMessage((DWORD)(thread), message, first, second)

/* WM_QUIT for this thread, once no posted message is left. */
TRANSOM_API void WINAPI PostQuitMessage(int nExitCode);

/* Waits for a message for hWnd and its children (NULL: any; (HWND)-1: those for no window) with a
 * number from wMsgFilterMin to wMsgFilterMax (0, 0: any), and takes it; serves what is sent
 * meanwhile. 0 for WM_QUIT, whose wParam is the code; -1 on failure: ERROR_INVALID_WINDOW_HANDLE,
 * ERROR_NOACCESS (lpMsg is NULL); else 1. */
TRANSOM_API BOOL WINAPI GetMessageA(LPMSG lpMsg, HWND hWnd, UINT wMsgFilterMin, UINT wMsgFilterMax);
TRANSOM_API BOOL WINAPI GetMessageW(LPMSG lpMsg, HWND hWnd, UINT wMsgFilterMin, UINT wMsgFilterMax);
#define GetMessage TRANSOM_AW(GetMessage)

/* The same without waiting; PM_NOREMOVE leaves the message. FALSE if there is none, and on
 * failure. */
TRANSOM_API BOOL WINAPI PeekMessageA(LPMSG lpMsg, HWND hWnd, UINT wMsgFilterMin,
    UINT wMsgFilterMax, UINT wRemoveMsg);
TRANSOM_API BOOL WINAPI PeekMessageW(LPMSG lpMsg, HWND hWnd, UINT wMsgFilterMin,
    UINT wMsgFilterMax, UINT wRemoveMsg);
#define PeekMessage TRANSOM_AW(PeekMessage)

/* Runs the window's procedure, or a timer's; its result. 0 for a message to the thread. */
TRANSOM_API LRESULT WINAPI DispatchMessageA(const MSG *lpMsg);
TRANSOM_API LRESULT WINAPI DispatchMessageW(const MSG *lpMsg);
#define DispatchMessage TRANSOM_AW(DispatchMessage)

/* Makes characters of keys. There are no keys: FALSE. */
TRANSOM_API BOOL WINAPI TranslateMessage(const MSG *lpMsg);

/* Waits until there is something new in the queue; serves what is sent meanwhile. */
TRANSOM_API BOOL WINAPI WaitMessage(void);

/* When the message that GetMessage gave last was posted; where the mouse was then: 0, 0. */
TRANSOM_API LONG WINAPI GetMessageTime(void);
TRANSOM_API DWORD WINAPI GetMessagePos(void);

/* High word: which of these QS_ kinds are in the queue; low word: which came since the last such
 * call, or look. 0 and ERROR_INVALID_FLAGS for bits that mean nothing. */
TRANSOM_API DWORD WINAPI GetQueueStatus(UINT flags);

/* Waits for objects as WaitForMultipleObjects does, at most 63, or for something new of dwWakeMask
 * in the queue, which is WAIT_OBJECT_0 + nCount. Nothing is served here: look at the queue then.
 * What was there at the last look is not new, unless MWMO_INPUTAVAILABLE is given; with
 * fWaitAll or MWMO_WAITALL all objects and input must be there. WAIT_FAILED:
 * ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_INVALID_FLAGS. */
TRANSOM_API DWORD WINAPI MsgWaitForMultipleObjects(DWORD nCount, const HANDLE *pHandles,
    BOOL fWaitAll, DWORD dwMilliseconds, DWORD dwWakeMask);
TRANSOM_API DWORD WINAPI MsgWaitForMultipleObjectsEx(DWORD nCount, const HANDLE *pHandles,
    DWORD dwMilliseconds, DWORD dwWakeMask, DWORD dwFlags);

/* WM_TIMER every uElapse milliseconds, at least 10: wParam is the timer's number, lParam its
 * procedure. With a window nIDEvent is that number; with NULL the system gives one, and that is
 * the result; 0 on failure: ERROR_INVALID_WINDOW_HANDLE, ERROR_ACCESS_DENIED (another thread's).
 * Timers do not pile up, and come when the queue is empty else. */
TRANSOM_API UINT_PTR WINAPI SetTimer(HWND hWnd, UINT_PTR nIDEvent, UINT uElapse,
    TIMERPROC lpTimerFunc);

/* FALSE: ERROR_INVALID_WINDOW_HANDLE, ERROR_INVALID_PARAMETER (no such timer). */
TRANSOM_API BOOL WINAPI KillTimer(HWND hWnd, UINT_PTR uIDEvent);

/* A number from 0xC000 to 0xFFFF for a text, the same for the same text (in any case) in every
 * process, for messages and clipboard formats alike. 0: ERROR_INVALID_PARAMETER (nothing, or more
 * than 255 characters). GetClipboardFormatName copies the text, cut to cchMaxCount - 1
 * characters; 0: ERROR_INVALID_PARAMETER for a number that stands for none. */
TRANSOM_API UINT WINAPI RegisterWindowMessageA(LPCSTR lpString);
TRANSOM_API UINT WINAPI RegisterWindowMessageW(LPCWSTR lpString);
#define RegisterWindowMessage TRANSOM_AW(RegisterWindowMessage)
TRANSOM_API UINT WINAPI RegisterClipboardFormatA(LPCSTR lpszFormat);
TRANSOM_API UINT WINAPI RegisterClipboardFormatW(LPCWSTR lpszFormat);
#define RegisterClipboardFormat TRANSOM_AW(RegisterClipboardFormat)
TRANSOM_API int WINAPI GetClipboardFormatNameA(UINT format, LPSTR lpszFormatName, int cchMaxCount);
TRANSOM_API int WINAPI GetClipboardFormatNameW(UINT format, LPWSTR lpszFormatName, int cchMaxCount);
#define GetClipboardFormatName TRANSOM_AW(GetClipboardFormatName)

/* Which messages less trusted processes may send. Here all who reach the desktop are the same
 * user: both succeed and change nothing. FALSE: ERROR_INVALID_PARAMETER (an action that is none),
 * ERROR_INVALID_WINDOW_HANDLE. */
TRANSOM_API BOOL WINAPI ChangeWindowMessageFilter(UINT message, DWORD dwFlag);
TRANSOM_API BOOL WINAPI ChangeWindowMessageFilterEx(HWND hwnd, UINT message, DWORD action,
    PCHANGEFILTERSTRUCT pChangeFilterStruct);

#ifdef __cplusplus
}
#endif

#endif
