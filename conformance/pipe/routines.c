/* Completion routines and alertable waits: ReadFileEx, WriteFileEx, SleepEx, the Ex forms of
 * the waits, QueueUserAPC. */
#include "../check.h"

static char name[80];
static DWORD calls, last_error, last_count;
static LPOVERLAPPED last;
static ULONG_PTR trace[8];
static int traced;

static void WINAPI note(DWORD error, DWORD count, LPOVERLAPPED overlapped)
{
    calls++;
    last_error = error;
    last_count = count;
    last = overlapped;
}

static void WINAPI user(ULONG_PTR data)
{
    if (traced < 8)
        trace[traced++] = data;
}

/* What the last routine was told. */
static void told(const char *check, OVERLAPPED *expected)
{
    char line[80];
    sprintf(line, "calls=%lu error=%lu count=%lu same=%d", (unsigned long)calls, (unsigned long)last_error,
        (unsigned long)last_count, last == expected);
    text(check, line);
}

/* A pipe instance of the server below, with its OVERLAPPED first. */
typedef struct {
    OVERLAPPED overlapped;
    HANDLE pipe;
    char request[64], reply[64];
    DWORD length;
} INSTANCE;

static DWORD echoed;
static void WINAPI written(DWORD error, DWORD count, LPOVERLAPPED overlapped);

static void end_of(INSTANCE *instance)
{
    DisconnectNamedPipe(instance->pipe);
    CloseHandle(instance->pipe);
    HeapFree(GetProcessHeap(), 0, instance);
}

static void WINAPI was_read(DWORD error, DWORD count, LPOVERLAPPED overlapped)
{
    INSTANCE *instance = (INSTANCE *)overlapped;
    BOOL goes_on = FALSE;
    if (error == 0 && count != 0) {
        memcpy(instance->reply, instance->request, count);
        instance->length = count;
        goes_on = WriteFileEx(instance->pipe, instance->reply, count, &instance->overlapped, written);
    }
    if (!goes_on)
        end_of(instance);
}

static void WINAPI written(DWORD error, DWORD count, LPOVERLAPPED overlapped)
{
    INSTANCE *instance = (INSTANCE *)overlapped;
    BOOL goes_on = FALSE;
    if (error == 0 && count == instance->length) {
        echoed++;
        goes_on = ReadFileEx(instance->pipe, instance->request, sizeof instance->request, &instance->overlapped, was_read);
    }
    if (!goes_on)
        end_of(instance);
}

static HANDLE instance_of(OVERLAPPED *connect)
{
    HANDLE pipe = CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
        PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE, PIPE_UNLIMITED_INSTANCES, 256, 256, 0, NULL);
    if (!ConnectNamedPipe(pipe, connect) && GetLastError() == ERROR_PIPE_CONNECTED)
        SetEvent(connect->hEvent);
    return pipe;
}

/* Serves clients until so many of them have come and everything was echoed. */
static void serve(DWORD clients, DWORD messages)
{
    OVERLAPPED connect;
    HANDLE pipe;
    memset(&connect, 0, sizeof connect);
    connect.hEvent = CreateEventA(NULL, TRUE, TRUE, NULL);
    pipe = instance_of(&connect);
    while (clients || echoed < messages) {
        DWORD count, waited = WaitForSingleObjectEx(connect.hEvent, 10000, TRUE);
        if (waited == WAIT_OBJECT_0 && clients) {
            INSTANCE *instance = (INSTANCE *)HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *instance);
            GetOverlappedResult(pipe, &connect, &count, FALSE);
            instance->pipe = pipe;
            if (!ReadFileEx(pipe, instance->request, sizeof instance->request, &instance->overlapped, was_read))
                end_of(instance);
            clients--;
            ResetEvent(connect.hEvent);
            if (clients)
                pipe = instance_of(&connect);
        } else if (waited != WAIT_IO_COMPLETION) {
            put("server_stopped", waited, GetLastError());
            return;
        }
    }
    CloseHandle(connect.hEvent);
}

static DWORD WINAPI ask(LPVOID number)
{
    char request[40], reply[64];
    DWORD count, mode = PIPE_READMODE_MESSAGE, right = 0, k;
    HANDLE pipe;
    while ((pipe = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL)) == INVALID_HANDLE_VALUE)
        WaitNamedPipeA(name, 2000);
    SetNamedPipeHandleState(pipe, &mode, NULL, NULL);
    for (k = 0; k < 5; k++) {
        sprintf(request, "client %u message %u", (unsigned)(ULONG_PTR)number, (unsigned)k);
        if (TransactNamedPipe(pipe, request, (DWORD)strlen(request), reply, sizeof reply, &count, NULL))
            right += count == strlen(request) && !memcmp(request, reply, count);
    }
    CloseHandle(pipe);
    return right;
}

static DWORD WINAPI sleeper(LPVOID ready)
{
    DWORD first;
    SetEvent((HANDLE)ready);
    first = SleepEx(10000, TRUE);
    return first == WAIT_IO_COMPLETION ? (DWORD)traced : 1000 + first;
}

int main(void)
{
    HANDLE s, c, event, events[2], threads[3], ready;
    OVERLAPPED r, w, connect;
    char buffer[32];
    DWORD count, code, i, good = 0;

    named(name, "\\\\.\\pipe\\transom-routines");
    memset(&r, 0, sizeof r);
    memset(&w, 0, sizeof w);
    memset(&connect, 0, sizeof connect);
    connect.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    event = CreateEventA(NULL, TRUE, FALSE, NULL);
    s = instance_of(&connect);
    c = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    TRUTH("connected", GetOverlappedResult(s, &connect, &count, TRUE));

    VALUE("nothing_to_run", SleepEx(0, TRUE));
    TRUTH("read", ReadFileEx(s, buffer, sizeof buffer, &r, note));
    VALUE("not_yet", SleepEx(10, TRUE));
    WriteFile(c, "hello", 5, &count, NULL);
    VALUE("not_alertable", SleepEx(20, FALSE));
    VALUE("no_call", calls);
    WAIT("not_alertable_wait", WaitForSingleObjectEx(event, 0, FALSE));
    VALUE("sleep", SleepEx(5000, TRUE));
    told("read", &r);
    VALUE("bytes", !memcmp(buffer, "hello", 5));
    VALUE("sleep_again", SleepEx(0, TRUE));

    /* What ends at once has its call nevertheless. */
    TRUTH("write", WriteFileEx(s, "answer", 6, &w, note));
    VALUE("no_call_before", calls);
    WAIT("write_wait", WaitForSingleObjectEx(event, 5000, TRUE));
    told("write", &w);
    ReadFile(c, buffer, sizeof buffer, &count, NULL);

    /* A message that is longer than the buffer. */
    WriteFile(c, "0123456789", 10, &count, NULL);
    ReadFileEx(s, buffer, 4, &r, note);
    VALUE("read_part_sleep", SleepEx(5000, TRUE));
    told("read_part", &r);
    TRUTH("read_rest", ReadFileEx(s, buffer, sizeof buffer, &r, note));
    events[0] = event;
    events[1] = connect.hEvent;
    ResetEvent(connect.hEvent);
    WAIT("read_rest_wait", WaitForMultipleObjectsEx(2, events, FALSE, 5000, TRUE));
    told("read_rest", &r);

    /* An object that is signalled comes first. */
    WriteFile(c, "abc", 3, &count, NULL);
    TRUTH("read_third", ReadFileEx(s, buffer, sizeof buffer, &r, note));
    SetEvent(event);
    WAIT("signalled_first", WaitForSingleObjectEx(event, 1000, TRUE));
    VALUE("calls_before", calls);
    ResetEvent(event);
    WAIT("all", WaitForMultipleObjectsEx(2, events, TRUE, 1000, TRUE));
    told("read_third", &r);

    /* Cancelled, and broken. */
    TRUTH("read_to_cancel", ReadFileEx(s, buffer, sizeof buffer, &r, note));
    TRUTH("cancel", CancelIo(s));
    VALUE("cancel_sleep", SleepEx(5000, TRUE));
    told("cancelled", &r);
    TRUTH("read_to_break", ReadFileEx(s, buffer, sizeof buffer, &r, note));
    CloseHandle(c);
    VALUE("break_sleep", SleepEx(5000, TRUE));
    told("broken", &r);
    TRUTH("broken_at_once", ReadFileEx(s, buffer, sizeof buffer, &r, note));
    VALUE("no_call_for_that", SleepEx(0, TRUE));
    CloseHandle(s);

    /* Calls of one's own, in their order, also those that come from another thread. */
    VALUE("queue_1", QueueUserAPC(user, GetCurrentThread(), 11) != 0);
    VALUE("queue_2", QueueUserAPC(user, GetCurrentThread(), 22) != 0);
    VALUE("run_both", SleepEx(1000, TRUE));
    VALUE("both", traced == 2 && trace[0] == 11 && trace[1] == 22);
    ready = CreateEventA(NULL, TRUE, FALSE, NULL);
    threads[0] = CreateThread(NULL, 0, sleeper, ready, 0, NULL);
    WaitForSingleObject(ready, 5000);
    VALUE("queue_other", QueueUserAPC(user, threads[0], 33) != 0);
    WAIT("other_woken", WaitForSingleObject(threads[0], 5000));
    GetExitCodeThread(threads[0], &code);
    VALUE("other_ran", code);
    VALUE("ended_thread", QueueUserAPC(user, threads[0], 44) != 0);
    CloseHandle(threads[0]);

    for (i = 0; i < 3; i++)
        threads[i] = CreateThread(NULL, 0, ask, (LPVOID)(ULONG_PTR)i, 0, NULL);
    serve(3, 15);
    for (i = 0; i < 3; i++) {
        /* Alertable, because the last reads break. */
        while (WaitForSingleObjectEx(threads[i], 10000, TRUE) == WAIT_IO_COMPLETION) {
        }
        GetExitCodeThread(threads[i], &code);
        good += code;
    }
    VALUE("right_answers", good);
    VALUE("echoed", echoed);
    return 0;
}
