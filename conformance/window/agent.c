/* A question and a long answer through shared memory: the client names a mapping in WM_COPYDATA, the agent opens it,
 * reads the question there and leaves the answer in its place before it returns. SSH agents on Windows are asked this
 * way (W6, W24, W25). */
#include "../check.h"

#define ASK 0x804E50BAu
#define ROOM 8192

static char agent_class[64];
static unsigned long questions;

/* Turns the question around. Lengths are big-endian, as agents have them. */
static LRESULT answer(const char *name)
{
    LRESULT done = 0;
    unsigned char *memory;
    unsigned long length, i;
    HANDLE mapping = OpenFileMappingA(FILE_MAP_WRITE, FALSE, name);
    if (mapping == NULL)
        return 0;
    memory = (unsigned char *)MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, 0);
    if (memory != NULL) {
        length = (unsigned long)memory[0] << 24 | memory[1] << 16 | memory[2] << 8 | memory[3];
        if (length <= ROOM - 4) {
            for (i = 0; i < length / 2; i++) {
                unsigned char byte = memory[4 + i];
                memory[4 + i] = memory[3 + length - i];
                memory[3 + length - i] = byte;
            }
            questions++;
            done = 1;
        }
        UnmapViewOfFile(memory);
    }
    CloseHandle(mapping);
    return done;
}

static LRESULT CALLBACK agent(HWND window, UINT message, WPARAM wparam, LPARAM lparam)
{
    const COPYDATASTRUCT *data = (const COPYDATASTRUCT *)lparam;
    switch (message) {
    case WM_COPYDATA:
        /* the name with its terminator, from whoever sends */
        if (data->dwData != ASK || data->cbData == 0 || ((const char *)data->lpData)[data->cbData - 1] != 0)
            return 0;
        return answer((const char *)data->lpData);
    case WM_APP:
        PostQuitMessage((int)questions);
        return 0;
    default:
        return DefWindowProcA(window, message, wparam, lparam);
    }
}

static int serve(const char *class_name, const char *ready)
{
    MSG message;
    HANDLE event = OpenEventA(EVENT_MODIFY_STATE, FALSE, ready);
    WNDCLASSEXA class;
    memset(&class, 0, sizeof class);
    class.cbSize = sizeof class;
    class.lpfnWndProc = agent;
    class.hInstance = GetModuleHandleA(NULL);
    class.hIcon = LoadIcon(NULL, IDI_APPLICATION);
    class.lpszClassName = class_name;
    if (!RegisterClassExA(&class) || !CreateWindowA(class_name, "agent", WS_OVERLAPPEDWINDOW | WS_VSCROLL, CW_USEDEFAULT,
            CW_USEDEFAULT, 100, 100, HWND_MESSAGE, NULL, class.hInstance, NULL) || !SetEvent(event))
        return 250;
    while (GetMessageA(&message, NULL, 0, 0) == 1) {
        TranslateMessage(&message);
        DispatchMessageA(&message);
    }
    return (int)message.wParam;
}

/* One question: how many bytes of the answer are right, or why there is none. */
static unsigned long ask(unsigned long length)
{
    char name[64];
    COPYDATASTRUCT data;
    unsigned char *memory;
    unsigned long i, right = 0;
    HANDLE mapping;
    LRESULT done;
    HWND window = FindWindowA(agent_class, "agent");
    if (window == NULL)
        return 100001;
    sprintf(name, "tc-agent-request-%08lx", (unsigned long)GetCurrentThreadId());
    mapping = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, ROOM, name);
    memory = (unsigned char *)MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, 0);
    if (memory == NULL)
        return 100002;
    memory[0] = (unsigned char)(length >> 24), memory[1] = (unsigned char)(length >> 16);
    memory[2] = (unsigned char)(length >> 8), memory[3] = (unsigned char)length;
    for (i = 0; i < length && i < ROOM - 4; i++)
        memory[4 + i] = (unsigned char)(i * 7);
    data.dwData = ASK;
    data.cbData = (DWORD)strlen(name) + 1;
    data.lpData = name;
    done = SendMessageA(window, WM_COPYDATA, 0, (LPARAM)&data);
    for (i = 0; done > 0 && i < length; i++)
        right += memory[4 + i] == (unsigned char)((length - 1 - i) * 7);
    UnmapViewOfFile(memory);
    CloseHandle(mapping);
    return done > 0 ? right : 100003;
}

static DWORD WINAPI asker(LPVOID length)
{
    DWORD i, right = 0;
    for (i = 0; i < 20; i++)
        right += ask((unsigned long)(ULONG_PTR)length) == (unsigned long)(ULONG_PTR)length;
    return right;
}

int main(int argc, char **argv)
{
    char ready[64], line[160];
    COPYDATASTRUCT data;
    PROCESS_INFORMATION process;
    HANDLE event, threads[3];
    DWORD code, right = 0;
    int i;

    if (argc > 2)
        return serve(argv[1], argv[2]);
    named(agent_class, "tc-agent");
    named(ready, "tc-agent-ready");
    event = CreateEventA(NULL, FALSE, FALSE, ready);
    VALUE("nobody", ask(5));
    sprintf(line, "%s %s", agent_class, ready);
    again(line, FALSE, 0, NULL, NULL, &process);
    WAIT("agent_is_ready", WaitForSingleObject(event, 20000));
    VALUE("short", ask(5));
    VALUE("nothing", ask(0));
    VALUE("long", ask(ROOM - 4));
    VALUE("too_long", ask(ROOM));
    data.dwData = ASK;
    data.cbData = 3;
    data.lpData = "abc";
    VALUE("no_terminator", SendMessageA(FindWindowA(agent_class, NULL), WM_COPYDATA, 0, (LPARAM)&data));
    data.cbData = 4;
    VALUE("no_such_mapping", SendMessageA(FindWindowA(agent_class, NULL), WM_COPYDATA, 0, (LPARAM)&data));
    data.dwData = 7;
    VALUE("another_number", SendMessageA(FindWindowA(agent_class, NULL), WM_COPYDATA, 0, (LPARAM)&data));
    for (i = 0; i < 3; i++)
        threads[i] = CreateThread(NULL, 0, asker, (LPVOID)(ULONG_PTR)(100 + 1000 * i), 0, NULL);
    WAIT("threads", WaitForMultipleObjects(3, threads, TRUE, 30000));
    for (i = 0; i < 3; i++) {
        GetExitCodeThread(threads[i], &code);
        right += code;
    }
    VALUE("right", right);
    TRUTH("end", PostMessageA(FindWindowA(agent_class, NULL), WM_APP, 0, 0));
    VALUE("questions", ended(&process));
    VALUE("nobody_again", ask(5));
    return 0;
}
