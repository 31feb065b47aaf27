/* Sends inside sends, between threads and processes: what a procedure can tell about its sender, early replies, call
 * backs, and that a thread in a send serves others (W10 to W15, W17, W18, W28). */
#include "../check.h"

enum { DEEPER = WM_APP, WHAT, EARLY, SLOW, COUNT, LEAVE, BACK, HALF };

static HWND here, there;
static HANDLE go;
static DWORD what;
static unsigned long calls, deepest, depth, heard;
static LRESULT called;

static void CALLBACK answered(HWND window, UINT message, ULONG_PTR data, LRESULT result)
{
    called += window == there && message == WHAT ? (LRESULT)data + result : 0;
}

static LRESULT CALLBACK procedure(HWND window, UINT message, WPARAM wparam, LPARAM lparam)
{
    LRESULT result;
    switch (message) {
    case DEEPER:
        /* to the other side and back, down to 0 */
        calls++;
        if (++depth > deepest)
            deepest = depth;
        result = wparam == 0 ? 0 : 1 + SendMessageA((HWND)lparam, DEEPER, wparam - 1, (LPARAM)window);
        depth--;
        return result;
    case WHAT:
        what = InSendMessageEx(NULL);
        return (LRESULT)what + 10;
    case EARLY:
        result = ReplyMessage(77);
        what = InSendMessageEx(NULL);
        /* Who sent this has gone on, and can be sent to in turn. */
        SendMessageA((HWND)lparam, COUNT, (WPARAM)result, 0);
        return 78;
    case SLOW:
        WaitForSingleObject(go, 20000);
        return 5;
    case COUNT:
        heard += (unsigned long)wparam;
        return (LRESULT)heard;
    case BACK:
        /* what the last WHAT or EARLY saw there */
        return (LRESULT)what;
    case HALF:
        return (LRESULT)((ULONG_PTR)wparam << 32 | 0x89ABCDEF);
    case LEAVE:
        PostQuitMessage((int)wparam);
        return 1;
    default:
        return DefWindowProcA(window, message, wparam, lparam);
    }
}

static HWND make(const char *class_name)
{
    WNDCLASSEXA class;
    memset(&class, 0, sizeof class);
    class.cbSize = sizeof class;
    class.lpfnWndProc = procedure;
    class.hInstance = GetModuleHandleA(NULL);
    class.lpszClassName = class_name;
    RegisterClassExA(&class);
    return CreateWindowExA(0, class_name, class_name, 0, 0, 0, 0, 0, HWND_MESSAGE, NULL, class.hInstance, NULL);
}

static DWORD loop(void)
{
    MSG message;
    while (GetMessageA(&message, NULL, 0, 0) > 0)
        DispatchMessageA(&message);
    return (DWORD)message.wParam;
}

static HANDLE made;

static DWORD WINAPI thread(LPVOID name)
{
    there = make((const char *)name);
    SetEvent(made);
    return loop();
}

static void both(const char *side)
{
    char name[64];
    DWORD_PTR result = 1;
    MSG message;
#define NAMED(what_) (sprintf(name, "%s_%s", side, what_), name)
    calls = deepest = heard = 0, called = 0;
    VALUE(NAMED("deep"), SendMessageA(there, DEEPER, 12, (LPARAM)here));
    VALUE(NAMED("sent"), SendMessageA(there, WHAT, 0, 0));
    VALUE(NAMED("notified"), SendNotifyMessageA(there, WHAT, 0, 0));
    VALUE(NAMED("saw_notify"), SendMessageA(there, BACK, 0, 0));
    VALUE(NAMED("with_timeout"), SendMessageTimeoutA(there, WHAT, 0, 0, SMTO_NORMAL, 20000, &result));
    VALUE(NAMED("timeout_result"), result);
    TRUTH(NAMED("with_callback"), SendMessageCallbackA(there, WHAT, 0, 0, answered, 100));
    VALUE(NAMED("saw_callback"), SendMessageA(there, BACK, 0, 0));
    while (called == 0) {
        MsgWaitForMultipleObjects(0, NULL, FALSE, 10, QS_ALLINPUT);
        PeekMessageA(&message, NULL, 0, 0, PM_NOREMOVE);
    }
    VALUE(NAMED("called_back"), called);
    VALUE(NAMED("early"), SendMessageA(there, EARLY, 0, (LPARAM)here));
    /* the early one goes on: it sends to this thread while this thread sends to it */
    while (heard == 0) {
        MsgWaitForMultipleObjects(0, NULL, FALSE, 10, QS_ALLINPUT);
        PeekMessageA(&message, NULL, 0, 0, PM_NOREMOVE);
    }
    VALUE(NAMED("after_early"), SendMessageA(there, WM_NULL, 0, 0));
    VALUE(NAMED("heard"), heard);
    VALUE(NAMED("saw_replied"), SendMessageA(there, BACK, 0, 0));
    VALUE(NAMED("full_width"), (ULONG_PTR)SendMessageA(there, HALF, 0x1234567, 0) >> 32);
    TRUTH(NAMED("busy_notify"), SendNotifyMessageA(there, SLOW, 0, 0));
    TRUTH(NAMED("busy"), SendMessageTimeoutA(there, WHAT, 0, 0, SMTO_NORMAL, 50, NULL) != 0);
    SetEvent(go);
    VALUE(NAMED("free_again"), SendMessageA(there, WM_NULL, 0, 0));
}

static int child(char **words)
{
    HANDLE ready = OpenEventA(EVENT_MODIFY_STATE, FALSE, words[2]);
    go = OpenEventA(SYNCHRONIZE, FALSE, words[3]);
    here = make(words[1]);
    if (ready == NULL || go == NULL || here == NULL || !SetEvent(ready))
        return 99;
    return (int)loop();
}

int main(int argc, char **argv)
{
    char class_name[64], ready[64], start[64], line[256];
    HANDLE other;
    DWORD code = 0;
    PROCESS_INFORMATION process;

    if (argc > 3)
        return child(argv);
    named(class_name, "tc-nested");
    here = make(class_name);

    /* this thread: procedures are called, timeouts do not count */
    VALUE("own_sent", SendMessageA(here, WHAT, 0, 0));
    VALUE("own_timeout", SendMessageTimeoutA(here, WHAT, 0, 0, SMTO_NORMAL, 1, NULL) != 0);
    VALUE("own_reply", ReplyMessage(1));
    there = here;
    called = 0;
    TRUTH("own_callback", SendMessageCallbackA(here, WHAT, 0, 0, answered, 20));
    VALUE("own_called_back", called);

    named(start, "tc-nested-go");
    go = CreateEventA(NULL, FALSE, FALSE, start);
    made = CreateEventA(NULL, FALSE, FALSE, NULL);
    other = CreateThread(NULL, 0, thread, "tc-nested-thread", 0, NULL);
    WaitForSingleObject(made, 20000);
    both("thread");
    VALUE("thread_calls", calls);
    VALUE("thread_deepest", deepest);
    SendMessageA(there, LEAVE, 4, 0);
    WaitForSingleObject(other, 20000);
    GetExitCodeThread(other, &code);
    VALUE("thread_ended", code);

    named(ready, "tc-nested-ready");
    made = CreateEventA(NULL, FALSE, FALSE, ready);
    sprintf(line, "tc-nested-child-%lu %s %s", (unsigned long)GetCurrentProcessId(), ready, start);
    again(line, FALSE, 0, NULL, NULL, &process);
    WAIT("process_ready", WaitForSingleObject(made, 20000));
    sprintf(line, "tc-nested-child-%lu", (unsigned long)GetCurrentProcessId());
    there = FindWindowExA(HWND_MESSAGE, NULL, line, line);
    VALUE("process_found", there != NULL);
    VALUE("process_id", GetWindowThreadProcessId(there, &code) == process.dwThreadId && code == process.dwProcessId);
    both("process");
    VALUE("process_calls", calls);
    VALUE("process_deepest", deepest);
    SendMessageA(there, LEAVE, 6, 0);
    VALUE("process_ended", ended(&process));
    return 0;
}
