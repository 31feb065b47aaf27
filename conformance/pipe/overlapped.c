/* Overlapped operations: what is pending and what events say (P47, P48), their order (P52), what a connect
 * gives (P51), cancelling them (P53), closing under them (P57),
 * handles that are signalled themselves (P54), what an operation that fails at once leaves
 * alone (P49), overlapped and other handles with and without an OVERLAPPED (P55). */
#include "../check.h"

static char name[80];

/* An OVERLAPPED with a manual-reset event, or none. */
static void prepare(OVERLAPPED *o, BOOL event)
{
    memset(o, 0, sizeof *o);
    if (event)
        o->hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
}

static void outcome(const char *check, HANDLE h, OVERLAPPED *o, BOOL wait)
{
    DWORD moved = 0xBAD;
    BOOL ok = GetOverlappedResult(h, o, &moved, wait);
    put(check, ok ? moved : 1000 + moved, ok ? 0 : GetLastError());
}

static HANDLE serve(DWORD access, DWORD type, DWORD quota)
{
    return CreateNamedPipeA(name, access | FILE_FLAG_OVERLAPPED, type, 4, quota, quota, 0, NULL);
}

static HANDLE dial(DWORD flags)
{
    return CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, flags, NULL);
}

/* Cancels nothing of the other thread's. */
static DWORD WINAPI cancel_own(LPVOID p)
{
    return CancelIo((HANDLE)p) ? 1 : 1000 + GetLastError();
}

static DWORD WINAPI cancel_all(LPVOID p)
{
    return CancelIoEx((HANDLE)p, NULL) ? 1 : 1000 + GetLastError();
}

static unsigned long in_thread(LPTHREAD_START_ROUTINE what, LPVOID with)
{
    DWORD code = 0xBAD;
    HANDLE thread = CreateThread(NULL, 0, what, with, 0, NULL);
    WaitForSingleObject(thread, 20000);
    GetExitCodeThread(thread, &code);
    CloseHandle(thread);
    return code;
}

static DWORD WINAPI read_without(LPVOID p)
{
    char buffer[16];
    DWORD count = 0;
    return ReadFile((HANDLE)p, buffer, sizeof buffer, &count, NULL) ? count : 1000 + GetLastError();
}

static void order_and_cancelling(void)
{
    HANDLE s = serve(PIPE_ACCESS_DUPLEX, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE, 100), c = dial(FILE_FLAG_OVERLAPPED);
    OVERLAPPED o[4], w[3];
    static char buffers[4][20], big[1000];
    DWORD count, i;

    for (i = 0; i < 4; i++)
        prepare(&o[i], TRUE);
    for (i = 0; i < 3; i++)
        prepare(&w[i], TRUE);
    for (i = 0; i < 4; i++) {
        char check[20];
        sprintf(check, "read_%lu", (unsigned long)i);
        TRUTH(check, ReadFile(s, buffers[i], 20, NULL, &o[i]));
    }
    VALUE("pending_status", o[2].Internal);
    VALUE("not_completed", HasOverlappedIoCompleted(&o[0]) != 0);
    TRUTH("cancel_third", CancelIoEx(s, &o[2]));
    VALUE("third_completed", HasOverlappedIoCompleted(&o[2]) != 0);
    WAIT("third_event", WaitForSingleObject(o[2].hEvent, 0));
    outcome("third", s, &o[2], FALSE);
    outcome("first_still_waits", s, &o[0], FALSE);
    TRUTH("cancel_third_again", CancelIoEx(s, &o[2]));
    VALUE("cancel_own_elsewhere", in_thread(cancel_own, s));
    outcome("first_waits_on", s, &o[0], FALSE);
    TRUTH("write_one", WriteFile(c, "first", 5, &count, &w[0]));
    VALUE("write_one_count", count);
    WAIT("first_event", WaitForSingleObject(o[0].hEvent, 5000));
    outcome("first", s, &o[0], FALSE);
    VALUE("first_bytes", !memcmp(buffers[0], "first", 5));
    outcome("second_waits", s, &o[1], FALSE);
    TRUTH("cancel_mine", CancelIo(s));
    WAIT("second_event", WaitForSingleObject(o[1].hEvent, 5000));
    outcome("second", s, &o[1], TRUE);
    outcome("fourth", s, &o[3], TRUE);
    TRUTH("nothing_to_cancel", CancelIo(s));
    TRUTH("nothing_to_cancel_ex", CancelIoEx(s, NULL));
    TRUTH("read_again", ReadFile(s, buffers[0], 20, NULL, &o[0]));
    VALUE("cancel_all_elsewhere", in_thread(cancel_all, s));
    outcome("cancelled_elsewhere", s, &o[0], TRUE);

    /* Waiting writes: the data can be read at once, and is gone when they are cancelled (P38). */
    TRUTH("big_write", WriteFile(c, big, 150, NULL, &w[0]));
    TRUTH("second_write", WriteFile(c, "b", 1, NULL, &w[1]));
    TRUTH("empty_write", WriteFile(c, "", 0, NULL, &w[2]));
    TRUTH("peek", PeekNamedPipe(s, NULL, 0, NULL, &count, NULL));
    VALUE("peek_count", count);
    TRUTH("cancel_big", CancelIoEx(c, &w[0]));
    outcome("big", c, &w[0], TRUE);
    outcome("second_write_done", c, &w[1], TRUE);
    TRUTH("read_b", ReadFile(s, buffers[0], 20, &count, &o[0]));
    VALUE("read_b_count", count);
    TRUTH("read_empty", ReadFile(s, buffers[0], 20, &count, &o[0]));
    VALUE("read_empty_count", count);
    VALUE("read_empty_moved", o[0].InternalHigh);

    /* 234 (P50). */
    TRUTH("write_ten", WriteFile(c, "0123456789", 10, NULL, &w[0]));
    count = 77;
    TRUTH("read_four", ReadFile(s, buffers[0], 4, &count, &o[0]));
    VALUE("read_four_count", count);
    VALUE("read_four_moved", o[0].InternalHigh);
    WAIT("read_four_event", WaitForSingleObject(o[0].hEvent, 0));
    outcome("read_four_result", s, &o[0], TRUE);
    TRUTH("read_six", ReadFile(s, buffers[0], 20, &count, &o[0]));
    VALUE("read_six_count", count);

    /* The peer's handle is closed under a waiting read; then everything fails at once (P49). */
    TRUTH("read_to_break", ReadFile(s, buffers[0], 20, NULL, &o[0]));
    TRUTH("close_client", CloseHandle(c));
    WAIT("broken_event", WaitForSingleObject(o[0].hEvent, 5000));
    outcome("broken", s, &o[0], TRUE);
    o[0].InternalHigh = 123;
    SetEvent(o[0].hEvent);
    TRUTH("fails_at_once", ReadFile(s, buffers[0], 20, NULL, &o[0]));
    VALUE("still_pending", o[0].Internal == STATUS_PENDING);
    VALUE("moved_untouched", o[0].InternalHigh);
    WAIT("event_reset", WaitForSingleObject(o[0].hEvent, 0));
    CloseHandle(s);
}

static void closing(void)
{
    HANDLE s, c;
    OVERLAPPED o, r;
    char buffer[8];

    prepare(&o, TRUE);
    prepare(&r, TRUE);
    s = serve(PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 100);
    TRUTH("listen", ConnectNamedPipe(s, &o));
    TRUTH("close_listening", CloseHandle(s));
    WAIT("listen_event", WaitForSingleObject(o.hEvent, 5000));
    VALUE("listen_ended", HasOverlappedIoCompleted(&o) != 0);

    s = serve(PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 100);
    TRUTH("listen_to_cancel", ConnectNamedPipe(s, &o));
    TRUTH("cancel_listening", CancelIoEx(s, &o));
    outcome("listening_cancelled", s, &o, TRUE);
    c = dial(0);
    VALUE("still_opens", c != INVALID_HANDLE_VALUE);
    TRUTH("already_connected", ConnectNamedPipe(s, &o));
    TRUTH("read_to_disconnect", ReadFile(s, buffer, 8, NULL, &r));
    TRUTH("disconnect", DisconnectNamedPipe(s));
    WAIT("disconnect_event", WaitForSingleObject(r.hEvent, 5000));
    outcome("disconnected", s, &r, TRUE);
    TRUTH("listen_again", ConnectNamedPipe(s, &o));
    CloseHandle(c);
    c = dial(0);
    outcome("connected_again", s, &o, TRUE);

    TRUTH("read_to_close", ReadFile(s, buffer, 8, NULL, &r));
    TRUTH("close_server", CloseHandle(s));
    WAIT("close_event", WaitForSingleObject(r.hEvent, 5000));
    VALUE("close_ended", HasOverlappedIoCompleted(&r) != 0);
    CloseHandle(c);
}

static void signalled_handles(void)
{
    HANDLE s = serve(PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 100), c, both[2];
    OVERLAPPED o;
    DWORD count;
    char buffer[8];

    prepare(&o, FALSE);
    TRUTH("no_event_listen", ConnectNamedPipe(s, &o));
    WAIT("handle_busy", WaitForSingleObject(s, 0));
    c = dial(0);
    WAIT("handle_signalled", WaitForSingleObject(s, 5000));
    outcome("no_event_result", s, &o, FALSE);
    memset(&o, 0, sizeof o);
    TRUTH("no_event_read", ReadFile(s, buffer, 8, NULL, &o));
    both[0] = s;
    both[1] = c;
    WAIT("busy_and_idle", WaitForMultipleObjects(2, both, FALSE, 1000));
    WAIT("busy_all", WaitForMultipleObjects(2, both, TRUE, 0));
    WriteFile(c, "xyz", 3, &count, NULL);
    outcome("no_event_wait", s, &o, TRUE);
    WAIT("idle_again", WaitForSingleObject(s, 0));
    CloseHandle(c);
    CloseHandle(s);
}

static void other_ways(void)
{
    HANDLE s = serve(PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 100), c = dial(0), thread;
    OVERLAPPED o;
    DWORD count = 9, code;
    char buffer[16];

    /* An overlapped handle without an OVERLAPPED blocks. */
    thread = CreateThread(NULL, 0, read_without, s, 0, NULL);
    WAIT("blocks", WaitForSingleObject(thread, 200));
    WriteFile(c, "four", 4, &count, NULL);
    WAIT("unblocked", WaitForSingleObject(thread, 5000));
    GetExitCodeThread(thread, &code);
    VALUE("read_without", code);
    CloseHandle(thread);
    count = 0;
    TRUTH("write_without", WriteFile(s, "seven77", 7, &count, NULL));
    VALUE("write_without_count", count);

    /* Another handle with an OVERLAPPED blocks as well, and stores the results. */
    prepare(&o, TRUE);
    TRUTH("plain_with", ReadFile(c, buffer, 16, &count, &o));
    VALUE("plain_with_count", count);
    VALUE("plain_with_status", o.Internal);
    VALUE("plain_with_moved", o.InternalHigh);
    WAIT("plain_with_event", WaitForSingleObject(o.hEvent, 0));
    outcome("plain_result", c, &o, FALSE);

    /* Both directions of one handle at the same time. */
    memset(&o, 0, sizeof o);
    o.hEvent = CreateEventA(NULL, FALSE, FALSE, NULL);
    TRUTH("read_waits", ReadFile(s, buffer, 16, NULL, &o));
    TRUTH("write_meanwhile", WriteFile(s, "abc", 3, &count, NULL));
    TRUTH("flags", GetNamedPipeInfo(s, &code, NULL, NULL, NULL));
    VALUE("flags_value", code);
    outcome("read_waits_on", s, &o, FALSE);
    WriteFile(c, "now", 3, &count, NULL);
    WAIT("auto_event", WaitForSingleObject(o.hEvent, 5000));
    WAIT("auto_event_once", WaitForSingleObject(o.hEvent, 0));
    outcome("read_done", s, &o, FALSE);

    /* PIPE_NOWAIT is stronger (P46). */
    code = PIPE_READMODE_BYTE | PIPE_NOWAIT;
    TRUTH("nowait", SetNamedPipeHandleState(s, &code, NULL, NULL));
    TRUTH("nowait_read", ReadFile(s, buffer, 16, NULL, &o));
    TRUTH("bad_handle", CancelIoEx(NULL, NULL));
    TRUTH("bad_handle_own", CancelIo(NULL));
    CloseHandle(c);
    CloseHandle(s);
}

int main(void)
{
    named(name, "\\\\.\\pipe\\transom-overlapped");
    order_and_cancelling();
    closing();
    signalled_handles();
    other_ways();
    return 0;
}
