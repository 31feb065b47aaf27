/* One instance of a program, the way most do it: a named mutex says who is first, FindWindow leads to the first one's
 * window, WM_COPYDATA hands it the command line and brings its answer (W6, W24 to W26). When the first one dies, the
 * next is first (W16, W41). */
#include "../check.h"

#define TAG 0x41

static char class_name[64], mutex_name[64];
static char received[256];
static int calls;
static unsigned long quit;

static LRESULT CALLBACK first(HWND window, UINT message, WPARAM wparam, LPARAM lparam)
{
    const COPYDATASTRUCT *data;
    switch (message) {
    case WM_COPYDATA:
        data = (const COPYDATASTRUCT *)lparam;
        if (data->dwData != TAG || data->cbData > sizeof received)
            return -1;
        memcpy(received, data->lpData, data->cbData);
        /* The copy is this window's own: writing into it harms nobody. */
        memset(data->lpData, '#', data->cbData);
        calls++;
        return 1000 + (LRESULT)strlen(received);
    case WM_CLOSE:
        DestroyWindow(window);
        return 0;
    case WM_DESTROY:
        PostQuitMessage(7);
        return 0;
    default:
        return DefWindowProcA(window, message, wparam, lparam);
    }
}

static void names(const char *id)
{
    sprintf(class_name, "tc-single-%s", id);
    sprintf(mutex_name, "tc-single-mutex-%s", id);
}

/* What a program does at its start: 1000 and more is the first one's answer, 1 means that this is the first. */
static unsigned long start(const char *words, HANDLE *mutex)
{
    COPYDATASTRUCT data;
    DWORD_PTR answer = 0;
    HWND window;
    char copy[256];
    *mutex = CreateMutexA(NULL, FALSE, mutex_name);
    if (GetLastError() != ERROR_ALREADY_EXISTS)
        return 1;
    window = FindWindowA(class_name, NULL);
    if (window == NULL)
        return 2;
    AllowSetForegroundWindow(ASFW_ANY);
    SetForegroundWindow(window);
    strcpy(copy, words);
    data.dwData = TAG;
    data.cbData = (DWORD)strlen(copy) + 1;
    data.lpData = copy;
    if (!SendMessageTimeoutA(window, WM_COPYDATA, 0, (LPARAM)&data, SMTO_ABORTIFHUNG, 20000, &answer))
        return 3;
    return strcmp(copy, words) == 0 ? (unsigned long)answer : 4;
}

static HWND make(void)
{
    WNDCLASSA class;
    memset(&class, 0, sizeof class);
    class.lpfnWndProc = first;
    class.hInstance = GetModuleHandleA(NULL);
    class.lpszClassName = class_name;
    RegisterClassA(&class);
    return CreateWindowExA(0, class_name, "single", WS_OVERLAPPEDWINDOW, 0, 0, 0, 0, HWND_MESSAGE, NULL,
        class.hInstance, NULL);
}

/* Runs the program again while this one looks at its queue, as a first instance does. */
static unsigned long served(const char *arguments)
{
    PROCESS_INFORMATION made;
    MSG message;
    if (!again(arguments, FALSE, 0, NULL, NULL, &made))
        return 0xBADBAD;
    while (MsgWaitForMultipleObjects(1, &made.hProcess, FALSE, 30000, QS_ALLINPUT) == WAIT_OBJECT_0 + 1)
        while (PeekMessageA(&message, NULL, 0, 0, PM_REMOVE))
            if (message.message == WM_QUIT)
                quit = (unsigned long)message.wParam;
            else
                DispatchMessageA(&message);
    return ended(&made);
}

static int child(int count, char **words)
{
    HANDLE mutex, ready;
    HWND window;
    MSG message;
    names(words[2]);
    if (strcmp(words[1], "start") == 0)
        return (int)start(words[3], &mutex);
    if (strcmp(words[1], "close") == 0)
        return (int)PostMessageA(FindWindowA(class_name, NULL), WM_CLOSE, 0, 0);
    /* "first": until it is killed */
    (void)count;
    if (start("", &mutex) != 1)
        return 50;
    window = make();
    ready = OpenEventA(EVENT_MODIFY_STATE, FALSE, words[3]);
    if (window == NULL || !SetEvent(ready))
        return 51;
    while (GetMessageA(&message, NULL, 0, 0) > 0)
        DispatchMessageA(&message);
    return 52;
}

int main(int argc, char **argv)
{
    char id[32], line[128], event[64];
    HANDLE mutex, ready;
    HWND window;
    MSG message;
    PROCESS_INFORMATION made;

    if (argc > 1)
        return child(argc, argv);
    sprintf(id, "%lu", (unsigned long)GetCurrentProcessId());
    names(id);
    VALUE("first", start("", &mutex));
    window = make();
    VALUE("window", window != NULL);
    VALUE("found", FindWindowA(class_name, "single") == window);

    sprintf(line, "start %s \"open a file.txt\"", id);
    VALUE("second", served(line));
    text("second_said", received);
    sprintf(line, "start %s \"\"", id);
    VALUE("third", served(line));
    text("third_said", received);
    VALUE("calls", calls);
    sprintf(line, "close %s", id);
    VALUE("closing", served(line));
    while (quit == 0) {
        if (GetMessageA(&message, NULL, 0, 0) == 0)
            quit = (unsigned long)message.wParam;
        DispatchMessageA(&message);
    }
    VALUE("quit", quit);
    VALUE("closed", FindWindowA(class_name, NULL) == NULL);
    CloseHandle(mutex);

    /* the first one is killed: its name and its window go with it, and the next is first */
    sprintf(event, "tc-single-ready-%s", id);
    ready = CreateEventA(NULL, FALSE, FALSE, event);
    sprintf(line, "first %s %s", id, event);
    VALUE("other_starts", again(line, FALSE, 0, NULL, NULL, &made));
    WAIT("other_is_ready", WaitForSingleObject(ready, 20000));
    window = FindWindowA(class_name, NULL);
    VALUE("other_window", window != NULL);
    VALUE("other_answers", start("to the other", &mutex));
    CloseHandle(mutex);
    TerminateProcess(made.hProcess, 9);
    VALUE("other_ended", ended(&made));
    TRUTH("window_of_the_dead", IsWindow(window) || PostMessageA(window, WM_APP, 0, 0));
    VALUE("not_found", FindWindowA(class_name, NULL) == NULL);
    VALUE("first_again", start("", &mutex));
    return 0;
}
