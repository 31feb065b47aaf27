/* Receivers that end: a process that is killed while it handles a message, threads that end inside procedures, at any
 * depth, inside whatever runs a procedure (W3, W4, W16, W34). */
#include "../check.h"

enum { HANG = WM_APP, END, END_DEEPER, QUIT };

static HANDLE made, inside;
static HWND window;
static const char *class_name = "tc-gone";
static int how;

static LRESULT CALLBACK procedure(HWND self, UINT message, WPARAM wparam, LPARAM lparam)
{
    switch (message) {
    case WM_CREATE:
        if (how == 1)
            ExitThread(31);
        return 0;
    case WM_SETTEXT:
        if (how == 2)
            ExitThread(32);
        break;
    case WM_DESTROY:
        if (how == 3)
            ExitThread(33);
        break;
    case HANG:
        SetEvent(inside);
        WaitForSingleObject(made, 60000);
        return 1;
    case END:
        ExitThread(34);
    case END_DEEPER:
        /* procedures within procedures of one thread */
        if (wparam > 0)
            return 1 + SendMessageA(self, END_DEEPER, wparam - 1, 0);
        ExitThread(35);
    case QUIT:
        PostQuitMessage(0);
        return 0;
    }
    return DefWindowProcA(self, message, wparam, lparam);
}

static HWND make(const char *title)
{
    WNDCLASSA class;
    memset(&class, 0, sizeof class);
    class.lpfnWndProc = procedure;
    class.hInstance = GetModuleHandleA(NULL);
    class.lpszClassName = class_name;
    RegisterClassA(&class);
    return CreateWindowExA(0, class_name, title, 0, 0, 0, 0, 0, HWND_MESSAGE, NULL, class.hInstance, NULL);
}

static BOOL CALLBACK each(HWND self, LPARAM unused)
{
    (void)self, (void)unused;
    ExitThread(36);
    return FALSE;
}

static void CALLBACK tick(HWND self, UINT message, UINT_PTR timer, DWORD time)
{
    (void)self, (void)message, (void)timer, (void)time;
    ExitThread(37);
}

static DWORD WINAPI thread(LPVOID what)
{
    MSG message;
    how = (int)(LONG_PTR)what;
    window = make("thread");
    if (how == 2)
        SetWindowTextA(window, "text");
    if (how == 3)
        DestroyWindow(window);
    if (how == 5)
        EnumChildWindows(CreateWindowExA(0, class_name, "", WS_CHILD, 0, 0, 0, 0, window, NULL, NULL, NULL) ? window : NULL,
            each, 0);
    if (how == 6)
        SetTimer(window, 1, 10, tick);
    if (how == 7)
        PostMessageA(window, END, 0, 0);
    SetEvent(made);
    while (GetMessageA(&message, NULL, 0, 0) > 0)
        DispatchMessageA(&message);
    return 1;
}

/* Runs a thread to its end: its exit code, and whether its window outlived it. */
static void ends(const char *name, int what)
{
    HANDLE handle;
    DWORD code = 0;
    window = NULL;
    handle = CreateThread(NULL, 0, thread, (LPVOID)(LONG_PTR)what, 0, NULL);
    if (what == 0 || what == 4) {
        WaitForSingleObject(made, 20000);
        VALUE("sent", SendMessageA(window, what == 0 ? END : END_DEEPER, 5, 0));
    }
    WaitForSingleObject(handle, 20000);
    ResetEvent(made);
    GetExitCodeThread(handle, &code);
    CloseHandle(handle);
    VALUE(name, code);
    VALUE("window_left", IsWindow(window) || FindWindowExA(HWND_MESSAGE, NULL, class_name, "thread") != NULL);
}

static DWORD WINAPI killer(LPVOID process)
{
    WaitForSingleObject(inside, 20000);
    return TerminateProcess((HANDLE)process, 9);
}

static int child(char **words)
{
    MSG message;
    HANDLE ready = OpenEventA(EVENT_MODIFY_STATE, FALSE, words[1]);
    inside = OpenEventA(EVENT_MODIFY_STATE, FALSE, words[2]);
    made = CreateEventA(NULL, FALSE, FALSE, NULL);
    if (make(words[1]) == NULL || inside == NULL || !SetEvent(ready))
        return 99;
    while (GetMessageA(&message, NULL, 0, 0) > 0)
        DispatchMessageA(&message);
    return 98;
}

int main(int argc, char **argv)
{
    char ready[64], entered[64], line[160];
    PROCESS_INFORMATION process;
    HANDLE handle;
    DWORD_PTR result = 77;
    int i;
    static const char *const names[] = { "in_send", "in_create", "in_settext", "in_destroy", "deep_in_send", "in_enum",
        "in_timer", "in_dispatch" };

    if (argc > 2)
        return child(argv);
    made = CreateEventA(NULL, FALSE, FALSE, NULL);
    for (i = 0; i < 8; i++)
        ends(names[i], i);
    how = 0;

    /* killed in the middle of a message */
    named(ready, "tc-gone-ready");
    named(entered, "tc-gone-entered");
    made = CreateEventA(NULL, FALSE, FALSE, ready);
    inside = CreateEventA(NULL, FALSE, FALSE, entered);
    sprintf(line, "%s %s", ready, entered);
    for (i = 0; i < 2; i++) {
        again(line, FALSE, 0, NULL, NULL, &process);
        WAIT("other_ready", WaitForSingleObject(made, 20000));
        window = FindWindowExA(HWND_MESSAGE, NULL, class_name, ready);
        VALUE("other_found", window != NULL);
        handle = CreateThread(NULL, 0, killer, process.hProcess, 0, NULL);
        if (i == 0)
            VALUE("send_to_the_killed", SendMessageA(window, HANG, 0, 0));
        else
            VALUE("send_with_flag", SendMessageTimeoutA(window, HANG, 0, 0, SMTO_ERRORONEXIT, 60000, &result));
        WaitForSingleObject(handle, 20000);
        CloseHandle(handle);
        VALUE("killed", ended(&process));
        VALUE("is_window", IsWindow(window));
        TRUTH("post_to_the_dead", PostMessageA(window, HANG, 0, 0));
        TRUTH("send_to_the_dead", SendMessageA(window, HANG, 0, 0) != 0);
        TRUTH("text_of_the_dead", GetWindowTextA(window, line, sizeof line) != 0);
        TRUTH("owner_of_the_dead", GetWindowThreadProcessId(window, NULL) != 0);
        sprintf(line, "%s %s", ready, entered);
    }
    return 0;
}
