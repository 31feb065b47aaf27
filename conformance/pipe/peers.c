/* Overlapped operations and processes: a peer that is killed under them, one that has left before
 * the server looks, a server end that is inherited with its flag. */
#include "../check.h"

static char name[80];

static void prepare(OVERLAPPED *o)
{
    memset(o, 0, sizeof *o);
    o->hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
}

static void outcome(const char *check, HANDLE h, OVERLAPPED *o)
{
    DWORD moved = 0xBAD;
    BOOL ok;
    if (WaitForSingleObject(o->hEvent, 10000) != WAIT_OBJECT_0) {
        put(check, 9999, 0);
        return;
    }
    ok = GetOverlappedResult(h, o, &moved, FALSE);
    put(check, ok ? moved : 1000 + moved, ok ? 0 : GetLastError());
}

static HANDLE serve(DWORD instances)
{
    SECURITY_ATTRIBUTES sa;
    memset(&sa, 0, sizeof sa);
    sa.nLength = sizeof sa;
    sa.bInheritHandle = TRUE;
    return CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE,
        instances, 100, 100, 0, &sa);
}

static HANDLE dial(void)
{
    DWORD mode = PIPE_READMODE_MESSAGE;
    HANDLE c = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
    SetNamedPipeHandleState(c, &mode, NULL, NULL);
    return c;
}

/* Tells that it is ready and waits to be killed. */
static int linger(const char *event)
{
    HANDLE ready = OpenEventA(EVENT_MODIFY_STATE, FALSE, event);
    SetEvent(ready);
    Sleep(30000);
    return 1;
}

static int child(char **words)
{
    HANDLE pipe;
    OVERLAPPED o, w;
    DWORD count;
    char buffer[16];
    strcpy(name, words[2]);
    prepare(&o);
    prepare(&w);
    if (!strcmp(words[1], "server")) {
        pipe = serve(1);
        return pipe == INVALID_HANDLE_VALUE ? 2 : linger(words[3]);
    }
    if (!strcmp(words[1], "client")) {
        pipe = dial();
        return pipe == INVALID_HANDLE_VALUE ? 2 : linger(words[3]);
    }
    if (!strcmp(words[1], "hasty")) {
        pipe = dial();
        return WriteFile(pipe, "hasty", 5, &count, &o) && count == 5 ? 33 : 3;
    }
    /* An inherited server end: waits for a client, reads and answers. */
    pipe = handle(words[3]);
    if (ConnectNamedPipe(pipe, &o) || GetLastError() != ERROR_IO_PENDING)
        return 4;
    if (ReadFile(pipe, buffer, 16, NULL, &w) || GetLastError() != ERROR_PIPE_LISTENING)
        return 5;
    SetEvent(OpenEventA(EVENT_MODIFY_STATE, FALSE, words[4]));
    if (!GetOverlappedResult(pipe, &o, &count, TRUE))
        return 6;
    if (!ReadFile(pipe, buffer, 16, NULL, &w) && GetLastError() != ERROR_IO_PENDING)
        return 7;
    if (!GetOverlappedResult(pipe, &w, &count, TRUE) || count != 4)
        return 8;
    if (!WriteFile(pipe, buffer, count, &count, &w))
        return 9;
    return FlushFileBuffers(pipe) ? 44 : 10;
}

static HANDLE ready;
static char event[80];

/* Starts a child and waits until it says that it is ready. */
static BOOL start(const char *what, const char *more, BOOL inherit, PROCESS_INFORMATION *made)
{
    char arguments[300];
    ResetEvent(ready);
    sprintf(arguments, "%s \"%s\" %s \"%s\"", what, name, more, event);
    return again(arguments, inherit, 0, NULL, NULL, made) && WaitForSingleObject(ready, 20000) == WAIT_OBJECT_0;
}

static void killed(PROCESS_INFORMATION *made)
{
    TerminateProcess(made->hProcess, 9);
    WaitForSingleObject(made->hProcess, 10000);
    CloseHandle(made->hProcess);
    CloseHandle(made->hThread);
}

int main(int argc, char **words)
{
    HANDLE s, c;
    OVERLAPPED r, w, t;
    PROCESS_INFORMATION made;
    DWORD count;
    char buffer[16], reply[16], number_text[100];
    static char big[200000];

    if (argc > 2)
        return child(words);
    prepare(&r);
    prepare(&w);
    prepare(&t);
    named(name, "\\\\.\\pipe\\transom-peers");
    named(event, "transom-peers");
    ready = CreateEventA(NULL, TRUE, FALSE, event);

    /* A server is killed. */
    VALUE("server", start("server", event, FALSE, &made));
    c = dial();
    TRUTH("read", ReadFile(c, buffer, 16, NULL, &r));
    TRUTH("write", WriteFile(c, big, 150, NULL, &w));
    TRUTH("large_write", WriteFile(c, big, sizeof big, NULL, &t));
    killed(&made);
    outcome("read_broken", c, &r);
    outcome("write_broken", c, &w);
    outcome("large_write_broken", c, &t);
    TRUTH("read_more", ReadFile(c, buffer, 16, NULL, &r));
    TRUTH("write_more", WriteFile(c, buffer, 1, NULL, &w));
    CloseHandle(c);
    TRUTH("name_gone", WaitNamedPipeA(name, 1000));

    VALUE("server_again", start("server", event, FALSE, &made));
    c = dial();
    TRUTH("transact", TransactNamedPipe(c, "x", 1, reply, 16, NULL, &t));
    killed(&made);
    outcome("transact_broken", c, &t);
    CloseHandle(c);

    /* A client is killed, and the instance goes on. */
    s = serve(1);
    TRUTH("listen", ConnectNamedPipe(s, &r));
    VALUE("client", start("client", event, FALSE, &made));
    outcome("connected", s, &r);
    TRUTH("read_from_client", ReadFile(s, buffer, 16, NULL, &r));
    killed(&made);
    outcome("read_from_client_broken", s, &r);
    TRUTH("disconnect", DisconnectNamedPipe(s));

    /* One that comes, writes and leaves. */
    TRUTH("listen_again", ConnectNamedPipe(s, &r));
    sprintf(number_text, "hasty \"%s\"", name);
    VALUE("hasty", run(number_text, FALSE));
    outcome("came", s, &r);
    count = 0;
    TRUTH("what_it_left", ReadFile(s, buffer, 16, &count, &r));
    VALUE("what_it_left_count", count);
    TRUTH("nothing_more", ReadFile(s, buffer, 16, &count, &r));
    TRUTH("disconnect_again", DisconnectNamedPipe(s));
    CloseHandle(s);

    /* The server end of another process. */
    s = serve(1);
    sprintf(number_text, "%lu", number(s));
    VALUE("heir", start("heir", number_text, TRUE, &made));
    CloseHandle(s);
    c = dial();
    TRUTH("to_heir", WriteFile(c, "four", 4, &count, &w));
    VALUE("from_heir", ReadFile(c, buffer, 16, NULL, &r) || GetLastError() == ERROR_IO_PENDING);
    outcome("from_heir_count", c, &r);
    VALUE("heir_ended", ended(&made));
    TRUTH("heir_gone", ReadFile(c, buffer, 16, &count, &r));
    CloseHandle(c);
    return 0;
}
