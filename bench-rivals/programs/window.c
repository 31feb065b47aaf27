/* Messages to a window of another process, as Wine has them.
 *
 *     window.exe call BYTES blocking CPU PARTNER-CPU
 *     window.exe partner CLASS CPU READY
 *
 * Answers as transom-bench's workers do. The second form has the window, which the worker starts and which sets an
 * event when it is there. A call without bytes is SendMessage with two numbers, one with bytes WM_COPYDATA. */
#include <windows.h>

#include <string.h>

#include "wine.h"

/* Answers its parameter, plus one. */
enum { PLUS_ONE = WM_APP };

static HWND window;
static COPYDATASTRUCT data;
static WPARAM number;

static void operation(void)
{
    if (data.cbData > 0) {
        LRESULT answer = SendMessageA(window, WM_COPYDATA, 0, (LPARAM)&data);
        if (answer != (LRESULT)data.cbData + 1)
            fail("WM_COPYDATA", answer);
    } else {
        LRESULT answer = SendMessageA(window, PLUS_ONE, ++number, 0);
        if (answer != (LRESULT)number + 1)
            fail("SendMessage", answer);
    }
}

static LRESULT CALLBACK procedure(HWND self, UINT message, WPARAM wparam, LPARAM lparam)
{
    switch (message) {
    case PLUS_ONE:
        return (LRESULT)wparam + 1;
    case WM_COPYDATA:
        return (LRESULT)((COPYDATASTRUCT *)lparam)->cbData + 1;
    case WM_DESTROY:
        PostQuitMessage(0);
        return 0;
    }
    return DefWindowProcA(self, message, wparam, lparam);
}

static int partner(const char *name, const char *cpu, const char *ready)
{
    WNDCLASSA class = {0};
    MSG message;
    class.lpfnWndProc = procedure;
    class.lpszClassName = name;
    class.hInstance = GetModuleHandleA(NULL);
    pin(cpu);
    if (!RegisterClassA(&class) || !CreateWindowA(name, "", 0, 0, 0, 0, 0, HWND_MESSAGE, NULL, class.hInstance, NULL))
        return 1;
    SetEvent((HANDLE)(ULONG_PTR)strtoull(ready, NULL, 10));
    while (GetMessageA(&message, NULL, 0, 0) > 0)
        DispatchMessageA(&message);
    return 0;
}

/* Starts the partner and waits until its window is there, or it has ended. */
static void start_partner(const char *name, const char *cpu)
{
    SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
    STARTUPINFOA start = {sizeof start};
    PROCESS_INFORMATION child;
    HANDLE either[2];
    char program[MAX_PATH], line[1024];
    GetModuleFileNameA(NULL, program, sizeof program);
    either[0] = CreateEventA(&inherit, FALSE, FALSE, NULL);
    sprintf(line, "\"%s\" partner %s %s %llu", program, name, cpu, (unsigned long long)(ULONG_PTR)either[0]);
    if (!CreateProcessA(program, line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &child))
        fail("CreateProcess", GetLastError());
    either[1] = child.hProcess;
    if (WaitForMultipleObjects(2, either, FALSE, INFINITE) != WAIT_OBJECT_0)
        fail("the partner's window", 0);
}

int main(int argc, char **argv)
{
    char name[64], line[64];

    if (argc == 5 && strcmp(argv[1], "partner") == 0)
        return partner(argv[2], argv[3], argv[4]);
    if (argc != 6) {
        fprintf(stderr, "usage: window call BYTES blocking CPU PARTNER-CPU\n");
        return 2;
    }
    data.cbData = strtoul(argv[2], NULL, 10);
    data.lpData = calloc(data.cbData + 1, 1);
    if (!data.lpData)
        fail("calloc", 0);
    pin(argv[4]);
    sprintf(name, "transom-bench-wine-%lu", (unsigned long)GetCurrentProcessId());
    start_partner(name, argv[5]);
    window = FindWindowExA(HWND_MESSAGE, NULL, name, NULL);
    if (!window)
        fail("FindWindowEx", GetLastError());
    (void)answer_rows;
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin))
        answer_each(atol(line));
    PostMessageA(window, WM_CLOSE, 0, 0);
    return 0;
}
