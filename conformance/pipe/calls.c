/* CallNamedPipe and TransactNamedPipe: from wide names, through overlapped handles, one
 * transaction that answers another, what is refused (P63 to P67, P73). */
#include "../check.h"

static char name[80];

static void outcome(const char *check, HANDLE h, OVERLAPPED *o)
{
    DWORD moved = 0xBAD;
    BOOL ok = GetOverlappedResult(h, o, &moved, TRUE);
    put(check, ok ? moved : 1000 + moved, ok ? 0 : GetLastError());
}

/* Answers so many calls, each with its request twice. */
static DWORD WINAPI twice(LPVOID p)
{
    HANDLE s = (HANDLE)p;
    char buffer[64];
    DWORD count, k, served = 0;
    for (k = 0; k < 4; k++) {
        if (!ConnectNamedPipe(s, NULL) && GetLastError() != ERROR_PIPE_CONNECTED)
            return 1000 + GetLastError();
        if (ReadFile(s, buffer, 32, &count, NULL)) {
            memcpy(buffer + count, buffer, count);
            WriteFile(s, buffer, 2 * count, &count, NULL);
            FlushFileBuffers(s);
            served++;
        }
        DisconnectNamedPipe(s);
    }
    return served;
}

/* The server's side of a transaction is one as well. */
static DWORD WINAPI answer_by_transaction(LPVOID p)
{
    char buffer[32];
    DWORD count = 0;
    if (!ReadFile((HANDLE)p, buffer, sizeof buffer, &count, NULL))
        return 1000 + GetLastError();
    if (!TransactNamedPipe((HANDLE)p, "counter", 7, buffer, sizeof buffer, &count, NULL))
        return 2000 + GetLastError();
    return count;
}

static HANDLE serve(DWORD flags, DWORD type)
{
    return CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX | flags, type, PIPE_UNLIMITED_INSTANCES, 64, 64, 100, NULL);
}

static HANDLE dial(DWORD flags)
{
    HANDLE c = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, flags, NULL);
    DWORD mode = PIPE_READMODE_MESSAGE;
    SetNamedPipeHandleState(c, &mode, NULL, NULL);
    return c;
}

int main(void)
{
    static char big[5000], room[6000];
    WCHAR wide[80];
    HANDLE s, c, thread;
    OVERLAPPED o, w, r;
    DWORD count = 0, code, mode;
    char buffer[64];

    memset(&o, 0, sizeof o);
    memset(&w, 0, sizeof w);
    memset(&r, 0, sizeof r);
    o.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    w.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    r.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    named(name, "\\\\.\\pipe\\transom-calls");
    widen(name, wide);

    TRUTH("missing", CallNamedPipeA(name, "x", 1, buffer, 64, &count, NMPWAIT_USE_DEFAULT_WAIT));
    TRUTH("missing_wide", CallNamedPipeW(wide, "x", 1, buffer, 64, &count, NMPWAIT_WAIT_FOREVER));
    s = serve(0, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE);
    thread = CreateThread(NULL, 0, twice, s, 0, NULL);
    TRUTH("call", CallNamedPipeA(name, "abc", 3, buffer, 64, &count, NMPWAIT_WAIT_FOREVER));
    VALUE("call_count", count);
    VALUE("call_bytes", !memcmp(buffer, "abcabc", 6));
    TRUTH("call_wide", CallNamedPipeW(wide, "defg", 4, buffer, 64, &count, 5000));
    VALUE("call_wide_count", count);
    TRUTH("call_empty", CallNamedPipeA(name, NULL, 0, buffer, 64, &count, 5000));
    VALUE("call_empty_count", count);
    TRUTH("call_short", CallNamedPipeA(name, "hijk", 4, buffer, 5, &count, 5000));
    VALUE("call_short_count", count);
    WaitForSingleObject(thread, 20000);
    GetExitCodeThread(thread, &code);
    VALUE("served", code);
    CloseHandle(thread);
    CloseHandle(s);

    s = serve(FILE_FLAG_OVERLAPPED, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE);
    c = dial(FILE_FLAG_OVERLAPPED);
    TRUTH("transact", TransactNamedPipe(c, "ask", 3, buffer, 64, &count, &o));
    TRUTH("request", ReadFile(s, buffer + 32, 32, &count, &r));
    VALUE("request_count", count);
    WriteFile(s, "reply", 5, NULL, &w);
    WAIT("reply_event", WaitForSingleObject(o.hEvent, 5000));
    outcome("reply", c, &o);
    VALUE("reply_bytes", !memcmp(buffer, "reply", 5));

    /* The whole request goes out, whatever the quota. */
    TRUTH("transact_big", TransactNamedPipe(c, big, sizeof big, buffer, 2, NULL, &o));
    TRUTH("request_big", ReadFile(s, room, sizeof room, &count, &r));
    VALUE("request_big_count", count);
    WriteFile(s, "long", 4, NULL, &w);
    outcome("reply_part", c, &o);
    TRUTH("reply_rest", ReadFile(c, buffer, 64, &count, &r));
    VALUE("reply_rest_count", count);

    /* Unread data: nothing is sent. */
    WriteFile(s, "early", 5, NULL, &w);
    TRUTH("busy", TransactNamedPipe(c, "x", 1, buffer, 64, &count, &o));
    TRUTH("nothing_sent", PeekNamedPipe(s, NULL, 0, NULL, &count, NULL));
    VALUE("nothing_sent_count", count);
    TRUTH("early", ReadFile(c, buffer, 64, &count, &r));

    /* Cancelled, the request stays sent. */
    TRUTH("transact_to_cancel", TransactNamedPipe(c, "stays", 5, buffer, 64, NULL, &o));
    TRUTH("cancel", CancelIoEx(c, &o));
    outcome("cancelled", c, &o);
    TRUTH("stays", ReadFile(s, buffer, 64, &count, &r));
    VALUE("stays_count", count);

    /* Empty both ways. */
    TRUTH("transact_empty", TransactNamedPipe(c, NULL, 0, buffer, 64, NULL, &o));
    TRUTH("empty_request", ReadFile(s, buffer, 64, &count, &r));
    VALUE("empty_request_count", count);
    WriteFile(s, "", 0, NULL, &w);
    outcome("empty_reply", c, &o);

    /* The server goes away. */
    TRUTH("transact_to_break", TransactNamedPipe(c, "x", 1, buffer, 64, NULL, &o));
    TRUTH("disconnect", DisconnectNamedPipe(s));
    outcome("broken", c, &o);
    TRUTH("transact_disconnected", TransactNamedPipe(c, "x", 1, buffer, 64, &count, &o));
    TRUTH("transact_disconnected_server", TransactNamedPipe(s, "x", 1, buffer, 64, &count, &o));
    CloseHandle(c);
    CloseHandle(s);

    s = serve(0, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE);
    c = dial(0);
    thread = CreateThread(NULL, 0, answer_by_transaction, s, 0, NULL);
    TRUTH("outer", TransactNamedPipe(c, "outer", 5, buffer, 64, &count, NULL));
    VALUE("outer_count", count);
    WriteFile(c, "last", 4, &count, NULL);
    WaitForSingleObject(thread, 20000);
    GetExitCodeThread(thread, &code);
    VALUE("inner_count", code);
    CloseHandle(thread);
    mode = PIPE_READMODE_BYTE;
    TRUTH("byte_mode", SetNamedPipeHandleState(c, &mode, NULL, NULL));
    TRUTH("transact_in_byte_mode", TransactNamedPipe(c, "x", 1, buffer, 64, &count, NULL));
    CloseHandle(s);
    mode = PIPE_READMODE_MESSAGE;
    TRUTH("message_mode", SetNamedPipeHandleState(c, &mode, NULL, NULL));
    TRUTH("transact_closing", TransactNamedPipe(c, "x", 1, buffer, 64, &count, NULL));
    CloseHandle(c);

    s = serve(0, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE);
    c = dial(0);
    VALUE("all_busy", CallNamedPipeA(name, "x", 1, buffer, 64, &count, NMPWAIT_USE_DEFAULT_WAIT));
    CloseHandle(c);
    CloseHandle(s);
    TRUTH("not_a_pipe", TransactNamedPipe(o.hEvent, "x", 1, buffer, 64, &count, NULL));
    return 0;
}
