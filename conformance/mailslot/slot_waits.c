/* Mailslots: reads that end later (S25), cancelling them, the time-out (S20 to S24), what a handle can do (S30,
 * S36), names of other computers (S4, S7), two clients at once (S31). */
#include "../check.h"

static char name[80];

static void prepare(OVERLAPPED *o)
{
    memset(o, 0, sizeof *o);
    o->hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
}

static void outcome(const char *check, HANDLE h, OVERLAPPED *o, BOOL wait)
{
    DWORD moved = 0xBAD;
    BOOL ok = GetOverlappedResult(h, o, &moved, wait);
    put(check, ok ? moved : 1000, ok ? 0 : GetLastError());
}

static HANDLE dial(void)
{
    return CreateFileA(name, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
}

static HANDLE slot;

static DWORD WINAPI cancel_all(LPVOID p)
{
    (void)p;
    return CancelIoEx(slot, NULL) ? 1 : 1000 + GetLastError();
}

static DWORD in_thread(LPTHREAD_START_ROUTINE routine)
{
    DWORD code = 0;
    HANDLE thread = CreateThread(NULL, 0, routine, NULL, 0, NULL);
    if (WaitForSingleObject(thread, 20000) != WAIT_OBJECT_0)
        return 4444;
    GetExitCodeThread(thread, &code);
    CloseHandle(thread);
    return code;
}

int main(void)
{
    HANDLE c, d, h;
    OVERLAPPED o, p;
    char a[32], b[32];
    DWORD n = 0, next, count, timeout;

    sprintf(name, "\\\\.\\mailslot\\tc-slot-ovl-%lu", (unsigned long)GetCurrentProcessId());
    OPENED("server", slot, CreateMailslotA(name, 0, 2000, NULL));
    OPENED("second_server", h, CreateMailslotA(name, 0, 0, NULL));
    OPENED("client", c, dial());
    OPENED("second_client", d, dial());

    /* a read that waits gets the message that comes */
    prepare(&o);
    TRUTH("read_begins", ReadFile(slot, a, sizeof a, NULL, &o));
    if (GetLastError() != ERROR_IO_PENDING)
        return 0; /* nothing below can work where reads with an OVERLAPPED block */
    WAIT("nothing_yet", WaitForSingleObject(o.hEvent, 50));
    outcome("incomplete", slot, &o, FALSE);
    TRUTH("write", WriteFile(c, "abc", 3, &n, NULL));
    outcome("read_got", slot, &o, TRUE);
    WAIT("event_set", WaitForSingleObject(o.hEvent, 0));
    VALUE("is_abc", !memcmp(a, "abc", 3));

    /* one that finds a message */
    TRUTH("write_2", WriteFile(d, "de", 2, &n, NULL));
    TRUTH("read_at_once", ReadFile(slot, a, sizeof a, &n, &o));
    VALUE("of_bytes", n);
    outcome("told_as_well", slot, &o, FALSE);

    /* two that wait: first come, first served */
    prepare(&p);
    TRUTH("first_waits", ReadFile(slot, a, sizeof a, NULL, &o));
    TRUTH("second_waits", ReadFile(slot, b, sizeof b, NULL, &p));
    TRUTH("write_3", WriteFile(c, "1", 1, &n, NULL));
    outcome("first_got", slot, &o, TRUE);
    outcome("second_incomplete", slot, &p, FALSE);
    TRUTH("write_4", WriteFile(c, "22", 2, &n, NULL));
    outcome("second_got", slot, &p, TRUE);

    /* cancelling */
    TRUTH("waits_again", ReadFile(slot, a, sizeof a, NULL, &o));
    TRUTH("cancel", CancelIo(slot));
    outcome("cancelled", slot, &o, TRUE);
    TRUTH("waits_once_more", ReadFile(slot, a, sizeof a, NULL, &o));
    VALUE("cancel_from_thread", in_thread(cancel_all));
    outcome("cancelled_too", slot, &o, TRUE);

    /* the time-out is that of the mailslot when the read began */
    TRUTH("set_60", SetMailslotInfo(slot, 60));
    TRUTH("waits_60", ReadFile(slot, a, sizeof a, NULL, &o));
    TRUTH("set_forever", SetMailslotInfo(slot, MAILSLOT_WAIT_FOREVER));
    outcome("timed_out", slot, &o, TRUE);
    TRUTH("info", GetMailslotInfo(slot, NULL, &next, &count, &timeout));
    VALUE("no_message", next == MAILSLOT_NO_MESSAGE);
    VALUE("none", count);
    VALUE("for_ever", timeout == MAILSLOT_WAIT_FOREVER);

    /* a buffer that is too small for what comes */
    TRUTH("short_waits", ReadFile(slot, a, 2, NULL, &o));
    TRUTH("write_long", WriteFile(c, "long", 4, &n, NULL));
    outcome("short_got", slot, &o, TRUE);
    TRUTH("info_2", GetMailslotInfo(slot, NULL, &next, &count, NULL));
    VALUE("it_stays", next == 4 && count == 1);
    TRUTH("read_it", ReadFile(slot, a, sizeof a, &n, NULL));

    /* what handles cannot do */
    TRUTH("server_writes", WriteFile(slot, "x", 1, &n, NULL));
    TRUTH("client_reads", ReadFile(c, a, 1, &n, NULL));
    TRUTH("info_of_null", GetMailslotInfo(NULL, NULL, NULL, NULL, NULL));
    OPENED("missing", h, CreateFileA("\\\\.\\mailslot\\tc-slot-none", GENERIC_WRITE, FILE_SHARE_READ, NULL,
                                     OPEN_EXISTING, 0, NULL));
    OPENED("server_elsewhere", h, CreateMailslotA("\\\\tc-nowhere\\mailslot\\x", 0, 0, NULL));
    OPENED("no_name", h, CreateMailslotA("\\\\.\\mailslot\\", 0, 0, NULL));

    /* calls of pipes */
    TRUTH("peek", PeekNamedPipe(slot, a, sizeof a, &n, NULL, NULL));
    TRUTH("peek_client", PeekNamedPipe(c, NULL, 0, NULL, &n, NULL));
    TRUTH("connect", ConnectNamedPipe(slot, NULL));
    TRUTH("pipe_info", GetNamedPipeInfo(slot, NULL, NULL, NULL, NULL));

    /* closing while a read waits */
    TRUTH("last_waits", ReadFile(slot, a, sizeof a, NULL, &o));
    TRUTH("close", CloseHandle(slot));
    WAIT("ends_with_it", WaitForSingleObject(o.hEvent, 10000));
    TRUTH("write_after", WriteFile(c, "x", 1, &n, NULL));
    return 0;
}
