/* The queue: filters, order, timers and their procedures, waiting for messages together with events and processes
 * (W12, W29 to W36). */
#include "../check.h"

static HWND one, two, under;
static unsigned long ticks, sent;
static HANDLE event;
static DWORD id;

static LRESULT CALLBACK procedure(HWND window, UINT message, WPARAM wparam, LPARAM lparam)
{
    if (message == WM_APP + 50)
        return (LRESULT)++sent;
    if (message >= WM_APP && message < WM_APP + 50)
        return (LRESULT)(message - WM_APP + wparam);
    return DefWindowProcA(window, message, wparam, lparam);
}

static void CALLBACK tick(HWND window, UINT message, UINT_PTR timer, DWORD time)
{
    (void)time;
    if (window == one && message == WM_TIMER && timer == 9)
        ticks++;
}

static HWND make(const char *title, DWORD style, HWND parent)
{
    WNDCLASSA class;
    memset(&class, 0, sizeof class);
    class.lpfnWndProc = procedure;
    class.hInstance = GetModuleHandleA(NULL);
    class.lpszClassName = "tc-queue";
    RegisterClassA(&class);
    return CreateWindowExA(0, "tc-queue", title, style, 0, 0, 0, 0, parent, NULL, class.hInstance, NULL);
}

/* The messages that a filter lets through, as letters: WM_APP is a. */
static const char *taken(HWND window, UINT first, UINT last)
{
    static char letters[64];
    MSG message;
    size_t n = 0;
    while (n + 1 < sizeof letters && PeekMessageA(&message, window, first, last, PM_REMOVE))
        letters[n++] = (char)(message.message >= WM_APP && message.message < WM_APP + 26 ? 'a' + message.message - WM_APP
            : message.message == WM_QUIT ? '!' : '?');
    letters[n] = 0;
    return letters;
}

static DWORD WINAPI later(LPVOID what)
{
    switch ((int)(LONG_PTR)what) {
    case 0: return PostMessageA(one, WM_APP + 3, 0, 0);
    case 1: return PostThreadMessageA(id, WM_APP + 4, 5, 6);
    case 2: return SetEvent(event);
    case 3: return (DWORD)SendMessageA(one, WM_APP + 50, 0, 0);
    default: return 0;
    }
}

static HANDLE start(int what)
{
    return CreateThread(NULL, 0, later, (LPVOID)(LONG_PTR)what, 0, NULL);
}

static void finish(HANDLE thread)
{
    WaitForSingleObject(thread, 20000);
    CloseHandle(thread);
}

static void APIENTRY called(ULONG_PTR data)
{
    sent += (unsigned long)data;
}

static DWORD WINAPI without_queue(LPVOID unused)
{
    (void)unused;
    WaitForSingleObject(event, 20000);
    return 0;
}

int main(int argc, char **argv)
{
    MSG message;
    HANDLE thread, handles[2], mutex;
    PROCESS_INFORMATION process;
    DWORD other = 0;
    unsigned long n;

    if (argc > 1)
        return atoi(argv[1]);
    id = GetCurrentThreadId();
    event = CreateEventA(NULL, FALSE, FALSE, NULL);
    one = make("one", 0, HWND_MESSAGE);
    two = make("two", 0, HWND_MESSAGE);
    under = make("under", WS_CHILD, one);
    VALUE("made", one != NULL && two != NULL && under != NULL);

    PostMessageA(one, WM_APP, 0, 0);
    PostMessageA(two, WM_APP + 1, 0, 0);
    PostMessageA(under, WM_APP + 2, 0, 0);
    PostMessageA(NULL, WM_APP + 3, 0, 0);
    PostThreadMessageA(id, WM_APP + 4, 0, 0);
    PostMessageA(one, WM_APP + 5, 0, 0);
    text("range", taken(NULL, WM_APP + 3, WM_APP + 3));
    text("window_and_children", taken(one, 0, 0));
    text("of_the_thread", taken((HWND)(LONG_PTR)-1, 0, 0));
    text("rest", taken(NULL, 0, 0));

    PostMessageA(one, WM_APP + 7, 8, 9);
    VALUE("look", PeekMessageA(&message, NULL, 0, 0, PM_NOREMOVE));
    VALUE("still_there", GetMessageA(&message, NULL, 0, 0));
    VALUE("message", message.hwnd == one && message.message == WM_APP + 7 && message.wParam == 8 && message.lParam == 9);
    VALUE("time", message.time == (DWORD)GetMessageTime() && GetTickCount() - message.time < 30000);
    VALUE("translated", TranslateMessage(&message));
    VALUE("dispatched", DispatchMessageA(&message));

    /* what is posted comes before WM_QUIT, timers after it */
    SetTimer(one, 3, 10, NULL);
    PostQuitMessage(11);
    PostMessageA(one, WM_APP, 0, 0);
    while (GetMessageA(&message, one, WM_APP, WM_APP) <= 0) {
    }
    VALUE("posted_first", message.message == WM_APP);
    VALUE("quit", GetMessageA(&message, NULL, 0, 0));
    VALUE("quit_code", message.wParam);
    VALUE("timer", GetMessageA(&message, one, WM_TIMER, WM_TIMER));
    VALUE("timer_id", message.wParam);
    TRUTH("kill_timer", KillTimer(one, 3));

    /* a timer's procedure runs in DispatchMessage */
    VALUE("timer_with_procedure", SetTimer(one, 9, 10, tick));
    for (n = 0; n < 2; n++) {
        GetMessageA(&message, one, WM_TIMER, WM_TIMER);
        DispatchMessageA(&message);
    }
    VALUE("ticks", ticks);
    TRUTH("kill_it", KillTimer(one, 9));
    VALUE("timer_of_nobody", SetTimer(NULL, 0, 10, NULL) != 0);
    VALUE("comes_without_window", GetMessageA(&message, NULL, WM_TIMER, WM_TIMER) == 1 && message.hwnd == NULL);
    TRUTH("kill_that", KillTimer(NULL, message.wParam));
    SetLastError(0xBEEF);
    VALUE("kill_none", KillTimer(one, 1234));
    TRUTH("timer_of_a_bad_window", SetTimer((HWND)(ULONG_PTR)0x7654321, 1, 10, NULL));
    text("nothing_left", taken(NULL, 0, 0));

    /* waiting: objects, input, both */
    WAIT("nothing", MsgWaitForMultipleObjects(0, NULL, FALSE, 0, QS_ALLINPUT));
    thread = start(0);
    WAIT("posted", MsgWaitForMultipleObjects(0, NULL, FALSE, 20000, QS_POSTMESSAGE));
    finish(thread);
    text("was_d", taken(NULL, 0, 0));
    thread = start(1);
    WAIT("to_the_thread", MsgWaitForMultipleObjects(1, &event, FALSE, 20000, QS_ALLINPUT));
    finish(thread);
    text("was_e", taken(NULL, 0, 0));
    thread = start(2);
    WAIT("event", MsgWaitForMultipleObjects(1, &event, FALSE, 20000, QS_ALLINPUT));
    finish(thread);
    thread = start(3);
    WAIT("sent", MsgWaitForMultipleObjects(1, &event, FALSE, 20000, QS_SENDMESSAGE));
    VALUE("not_served_yet", sent);
    VALUE("serving_is_no_message", PeekMessageA(&message, NULL, 0, 0, PM_REMOVE));
    finish(thread);
    VALUE("served", sent);

    /* what was looked at is not new */
    PostMessageA(one, WM_APP, 0, 0);
    PeekMessageA(&message, NULL, 0, 0, PM_NOREMOVE);
    WAIT("not_new", MsgWaitForMultipleObjects(0, NULL, FALSE, 0, QS_ALLINPUT));
    WAIT("but_available", MsgWaitForMultipleObjectsEx(0, NULL, 0, QS_ALLINPUT, MWMO_INPUTAVAILABLE));
    VALUE("status_there", HIWORD(GetQueueStatus(QS_POSTMESSAGE)));
    text("was_a", taken(NULL, 0, 0));
    VALUE("status_empty", GetQueueStatus(QS_POSTMESSAGE | QS_SENDMESSAGE));
    PostMessageA(one, WM_APP, 0, 0);
    VALUE("status_new", LOWORD(GetQueueStatus(QS_POSTMESSAGE)));
    text("was_a_too", taken(NULL, 0, 0));

    /* all of it: the objects and input */
    handles[0] = event;
    handles[1] = mutex = CreateMutexA(NULL, FALSE, NULL);
    SetEvent(event);
    WAIT("all_without_input", MsgWaitForMultipleObjectsEx(2, handles, 30, QS_ALLINPUT, MWMO_WAITALL));
    PostMessageA(one, WM_APP, 0, 0);
    n = MsgWaitForMultipleObjects(2, handles, TRUE, 20000, QS_ALLINPUT);
    VALUE("all", n <= WAIT_OBJECT_0 + 2);
    WAIT("event_is_taken", WaitForSingleObject(event, 0));
    TRUTH("mutex_is_owned", ReleaseMutex(mutex));
    text("was_a_again", taken(NULL, 0, 0));

    /* a process, and calls to this thread */
    again("21", FALSE, 0, NULL, NULL, &process);
    WAIT("process", MsgWaitForMultipleObjects(1, &process.hProcess, FALSE, 20000, QS_ALLINPUT));
    VALUE("exit_code", ended(&process));
    sent = 0;
    QueueUserAPC(called, GetCurrentThread(), 5);
    WAIT("alertable", MsgWaitForMultipleObjectsEx(1, &event, 20000, QS_ALLINPUT, MWMO_ALERTABLE));
    VALUE("called", sent);

    /* a thread without a queue */
    thread = CreateThread(NULL, 0, without_queue, NULL, 0, &other);
    TRUTH("post_without_queue", PostThreadMessageA(other, WM_APP, 0, 0));
    SetEvent(event);
    finish(thread);
    TRUTH("quota_of_a_bad_window", PostMessageA((HWND)(ULONG_PTR)0x7654321, WM_APP, 0, 0));
    TRUTH("status_of_bad_bits", GetQueueStatus(0x4000));
    SetLastError(0xBEEF);
    n = (unsigned long)GetMessageA(&message, (HWND)(ULONG_PTR)0x7654321, 0, 0);
    put("get_for_a_bad_window", n == (unsigned long)-1, GetLastError());
    return 0;
}
