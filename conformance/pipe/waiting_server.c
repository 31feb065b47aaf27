/* The well-known server that serves several instances from one thread by waiting for their
 * events, with clients in other processes and threads. Each client sends three requests and
 * gets each one back in capitals. */
#include "../check.h"
#include <tchar.h>
#include <strsafe.h>

#define INSTANCES 4
#define CLIENTS 10
#define BUFSIZE 512
#define PIPE_TIMEOUT 5000

enum { CONNECTING_STATE, READING_STATE, WRITING_STATE };

typedef struct {
    OVERLAPPED oOverlap;
    HANDLE hPipeInst;
    TCHAR chRequest[BUFSIZE];
    DWORD cbRead;
    TCHAR chReply[BUFSIZE];
    DWORD cbToWrite;
    DWORD dwState;
    BOOL fPendingIO;
} PIPEINST, *LPPIPEINST;

static PIPEINST Pipe[INSTANCES];
static HANDLE hEvents[INSTANCES + 1];
static DWORD served, failures;

static BOOL ConnectToNewClient(HANDLE hPipe, LPOVERLAPPED lpo)
{
    BOOL fPendingIO = FALSE;
    if (ConnectNamedPipe(hPipe, lpo)) {
        failures++;
        return 0;
    }
    switch (GetLastError()) {
    case ERROR_IO_PENDING:
        fPendingIO = TRUE;
        break;
    case ERROR_PIPE_CONNECTED:
        if (SetEvent(lpo->hEvent))
            break;
        /* fall through */
    default:
        failures++;
    }
    return fPendingIO;
}

static void DisconnectAndReconnect(DWORD i)
{
    if (!DisconnectNamedPipe(Pipe[i].hPipeInst))
        failures++;
    Pipe[i].fPendingIO = ConnectToNewClient(Pipe[i].hPipeInst, &Pipe[i].oOverlap);
    Pipe[i].dwState = Pipe[i].fPendingIO ? CONNECTING_STATE : READING_STATE;
}

static void answer(LPPIPEINST pipe)
{
    size_t length, k;
    StringCchCopyA(pipe->chReply, BUFSIZE, pipe->chRequest);
    StringCchLengthA(pipe->chReply, BUFSIZE, &length);
    for (k = 0; k < length; k++)
        if (pipe->chReply[k] >= 'a' && pipe->chReply[k] <= 'z')
            pipe->chReply[k] -= 32;
    pipe->cbToWrite = (DWORD)(length + 1) * sizeof(TCHAR);
    served++;
}

/* Serves until the last event is set. */
static DWORD WINAPI serve(LPVOID nothing)
{
    DWORD i, dwWait, cbRet;
    (void)nothing;
    for (;;) {
        BOOL fSuccess;
        dwWait = WaitForMultipleObjects(INSTANCES + 1, hEvents, FALSE, INFINITE);
        i = dwWait - WAIT_OBJECT_0;
        if (i == INSTANCES)
            return 1;
        if (i > INSTANCES)
            return 1000 + GetLastError();
        if (Pipe[i].fPendingIO) {
            fSuccess = GetOverlappedResult(Pipe[i].hPipeInst, &Pipe[i].oOverlap, &cbRet, FALSE);
            switch (Pipe[i].dwState) {
            case CONNECTING_STATE:
                if (!fSuccess)
                    failures++;
                Pipe[i].dwState = READING_STATE;
                break;
            case READING_STATE:
                if (!fSuccess || cbRet == 0) {
                    DisconnectAndReconnect(i);
                    continue;
                }
                Pipe[i].cbRead = cbRet;
                Pipe[i].dwState = WRITING_STATE;
                break;
            case WRITING_STATE:
                if (!fSuccess || cbRet != Pipe[i].cbToWrite) {
                    DisconnectAndReconnect(i);
                    continue;
                }
                Pipe[i].dwState = READING_STATE;
                break;
            }
        }
        if (Pipe[i].dwState == READING_STATE) {
            fSuccess = ReadFile(Pipe[i].hPipeInst, Pipe[i].chRequest, BUFSIZE * sizeof(TCHAR), &Pipe[i].cbRead,
                &Pipe[i].oOverlap);
            if (fSuccess && Pipe[i].cbRead != 0) {
                Pipe[i].fPendingIO = FALSE;
                Pipe[i].dwState = WRITING_STATE;
                continue;
            }
            if (!fSuccess && GetLastError() == ERROR_IO_PENDING) {
                Pipe[i].fPendingIO = TRUE;
                continue;
            }
            DisconnectAndReconnect(i);
        } else {
            answer(&Pipe[i]);
            fSuccess = WriteFile(Pipe[i].hPipeInst, Pipe[i].chReply, Pipe[i].cbToWrite, &cbRet, &Pipe[i].oOverlap);
            if (fSuccess && cbRet == Pipe[i].cbToWrite) {
                Pipe[i].fPendingIO = FALSE;
                Pipe[i].dwState = READING_STATE;
                continue;
            }
            if (!fSuccess && GetLastError() == ERROR_IO_PENDING) {
                Pipe[i].fPendingIO = TRUE;
                continue;
            }
            DisconnectAndReconnect(i);
        }
    }
}

/* Three requests; the number of right answers, or more than 100. */
static int client(LPCTSTR name)
{
    HANDLE pipe;
    DWORD mode = PIPE_READMODE_MESSAGE, count, k;
    int right = 0;
    TCHAR reply[BUFSIZE], request[40], wanted[40];
    for (;;) {
        pipe = CreateFile(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
        if (pipe != INVALID_HANDLE_VALUE)
            break;
        if (GetLastError() != ERROR_PIPE_BUSY)
            return 101;
        WaitNamedPipe(name, 20000);
    }
    if (!SetNamedPipeHandleState(pipe, &mode, NULL, NULL))
        return 102;
    for (k = 0; k < 3; k++) {
        StringCchPrintf(request, 40, TEXT("question %lu"), (unsigned long)k);
        StringCchPrintf(wanted, 40, TEXT("QUESTION %lu"), (unsigned long)k);
        if (!WriteFile(pipe, request, (lstrlen(request) + 1) * sizeof(TCHAR), &count, NULL))
            return 103;
        if (!ReadFile(pipe, reply, BUFSIZE * sizeof(TCHAR), &count, NULL))
            return 104;
        right += lstrcmp(reply, wanted) == 0;
    }
    CloseHandle(pipe);
    return right;
}

static DWORD WINAPI client_thread(LPVOID name)
{
    return client((LPCTSTR)name);
}

int main(int count, char **words)
{
    char name[80], arguments[200];
    HANDLE thread, clients[CLIENTS];
    DWORD i, code, good = 0;

    if (count == 2)
        return client(words[1]);
    named(name, "\\\\.\\pipe\\transom-waiting-server");
    for (i = 0; i < INSTANCES; i++) {
        hEvents[i] = CreateEvent(NULL, TRUE, TRUE, NULL);
        Pipe[i].oOverlap.hEvent = hEvents[i];
        Pipe[i].oOverlap.Offset = 0;
        Pipe[i].oOverlap.OffsetHigh = 0;
        Pipe[i].hPipeInst = CreateNamedPipe(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
            PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_WAIT, INSTANCES, BUFSIZE * sizeof(TCHAR),
            BUFSIZE * sizeof(TCHAR), PIPE_TIMEOUT, NULL);
        if (Pipe[i].hPipeInst == INVALID_HANDLE_VALUE)
            return 1;
        Pipe[i].fPendingIO = ConnectToNewClient(Pipe[i].hPipeInst, &Pipe[i].oOverlap);
        Pipe[i].dwState = Pipe[i].fPendingIO ? CONNECTING_STATE : READING_STATE;
    }
    hEvents[INSTANCES] = CreateEvent(NULL, TRUE, FALSE, NULL);
    VALUE("all_wait", Pipe[0].fPendingIO && Pipe[INSTANCES - 1].fPendingIO);
    thread = CreateThread(NULL, 0, serve, NULL, 0, NULL);
    StringCbPrintfA(arguments, sizeof arguments, "\"%s\"", name);
    for (i = 0; i < CLIENTS; i++) {
        PROCESS_INFORMATION made;
        if (i & 1) {
            clients[i] = CreateThread(NULL, 0, client_thread, name, 0, NULL);
        } else if (again(arguments, FALSE, 0, NULL, NULL, &made)) {
            CloseHandle(made.hThread);
            clients[i] = made.hProcess;
        }
    }
    WAIT("clients", WaitForMultipleObjects(CLIENTS, clients, TRUE, 30000));
    for (i = 0; i < CLIENTS; i++) {
        code = 0xBAD;
        if (i & 1)
            GetExitCodeThread(clients[i], &code);
        else
            GetExitCodeProcess(clients[i], &code);
        good += code == 3;
        CloseHandle(clients[i]);
    }
    VALUE("clients_content", good);
    SetEvent(hEvents[INSTANCES]);
    WAIT("server", WaitForSingleObject(thread, 5000));
    GetExitCodeThread(thread, &code);
    VALUE("server_code", code);
    VALUE("served", served);
    VALUE("failures", failures);
    for (i = 0; i < INSTANCES; i++)
        CloseHandle(Pipe[i].hPipeInst);
    TRUTH("name_is_gone", WaitNamedPipe(name, NMPWAIT_WAIT_FOREVER));
    return 0;
}
