/* Overlapped operations and threads: what a thread began ends with it; reads of several threads
 * are served in their order; many threads use one handle at a time. */
#include "../check.h"

#define WORKERS 8
#define ROUNDS 200

static char name[80];
static HANDLE server, client;
static OVERLAPPED shared;
static char place[32];
static volatile LONG wrong;

/* Begins a read for others and ends. */
static DWORD WINAPI begins(LPVOID nothing)
{
    (void)nothing;
    return ReadFile(server, place, sizeof place, NULL, &shared) ? 1 : GetLastError();
}

/* Reads what another thread echoes, each message of its own worker. */
static DWORD WINAPI echo(LPVOID nothing)
{
    OVERLAPPED o;
    DWORD count, served = 0;
    char buffer[64];
    (void)nothing;
    memset(&o, 0, sizeof o);
    o.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    for (;;) {
        BOOL ok = ReadFile(server, buffer, sizeof buffer, NULL, &o);
        if (!ok && GetLastError() != ERROR_IO_PENDING)
            break;
        if (!GetOverlappedResult(server, &o, &count, TRUE))
            break;
        ok = WriteFile(server, buffer, count, NULL, &o);
        if (!ok && GetLastError() != ERROR_IO_PENDING)
            break;
        if (!GetOverlappedResult(server, &o, &count, TRUE))
            break;
        served++;
    }
    CloseHandle(o.hEvent);
    return served;
}

/* Sends messages and counts those that come back, whoever sent them. */
static DWORD WINAPI ask(LPVOID number)
{
    OVERLAPPED o;
    DWORD count, k, back = 0;
    char buffer[64];
    memset(&o, 0, sizeof o);
    o.hEvent = CreateEventA(NULL, FALSE, FALSE, NULL);
    for (k = 0; k < ROUNDS; k++) {
        sprintf(buffer, "worker %u round %u", (unsigned)(ULONG_PTR)number, (unsigned)k);
        if (!WriteFile(client, buffer, (DWORD)strlen(buffer), NULL, &o) && GetLastError() != ERROR_IO_PENDING)
            break;
        if (!GetOverlappedResult(client, &o, &count, TRUE) || count != strlen(buffer))
            break;
        if (!ReadFile(client, buffer, sizeof buffer, NULL, &o) && GetLastError() != ERROR_IO_PENDING)
            break;
        if (!GetOverlappedResult(client, &o, &count, TRUE) || count < 16 || memcmp(buffer, "worker ", 7))
            InterlockedIncrement(&wrong);
        else
            back++;
    }
    CloseHandle(o.hEvent);
    return back;
}

int main(void)
{
    HANDLE threads[2 * WORKERS], thread;
    DWORD count, code, mode = PIPE_READMODE_MESSAGE, k, back = 0, served = 0;

    named(name, "\\\\.\\pipe\\transom-many-threads");
    server = CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE,
        1, 100, 100, 0, NULL);
    client = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
    SetNamedPipeHandleState(client, &mode, NULL, NULL);

    memset(&shared, 0, sizeof shared);
    shared.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    thread = CreateThread(NULL, 0, begins, NULL, 0, NULL);
    WaitForSingleObject(thread, 5000);
    GetExitCodeThread(thread, &code);
    VALUE("began", code);
    CloseHandle(thread);
    WAIT("ends_with_its_thread", WaitForSingleObject(shared.hEvent, 5000));
    TRUTH("its_result", GetOverlappedResult(server, &shared, &count, FALSE));

    for (k = 0; k < WORKERS; k++) {
        threads[k] = CreateThread(NULL, 0, echo, NULL, 0, NULL);
        threads[WORKERS + k] = CreateThread(NULL, 0, ask, (LPVOID)(ULONG_PTR)k, 0, NULL);
    }
    WAIT("asked", WaitForMultipleObjects(WORKERS, threads + WORKERS, TRUE, 30000));
    for (k = 0; k < WORKERS; k++) {
        GetExitCodeThread(threads[WORKERS + k], &code);
        back += code;
    }
    VALUE("came_back", back);
    VALUE("wrong", wrong);
    TRUTH("close_client", CloseHandle(client));
    WAIT("echoed", WaitForMultipleObjects(WORKERS, threads, TRUE, 10000));
    for (k = 0; k < WORKERS; k++) {
        GetExitCodeThread(threads[k], &code);
        served += code;
    }
    VALUE("served", served);
    TRUTH("close_server", CloseHandle(server));
    return 0;
}
