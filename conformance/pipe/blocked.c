/* Calls that wait in one thread and what others do about it: CancelSynchronousIo, CancelIoEx,
 * closing the other end, disconnecting; one handle does one thing at a time (P56). */
#include "../check.h"

static char name[80];

struct job { HANDLE pipe; int kind; DWORD result; };

static DWORD WINAPI work(LPVOID p)
{
    struct job *job = (struct job *)p;
    static char big[100000];
    char buffer[16];
    DWORD count = 0;
    BOOL ok = FALSE;
    switch (job->kind) {
    case 'r':
        ok = ReadFile(job->pipe, buffer, sizeof buffer, &count, NULL);
        break;
    case 'w':
        ok = WriteFile(job->pipe, big, sizeof big, &count, NULL);
        break;
    case 'c':
        ok = ConnectNamedPipe(job->pipe, NULL);
        break;
    case 'f':
        ok = FlushFileBuffers(job->pipe);
        break;
    case 't':
        ok = TransactNamedPipe(job->pipe, "x", 1, buffer, sizeof buffer, &count, NULL);
        break;
    case 'p':
        ok = PeekNamedPipe(job->pipe, NULL, 0, NULL, &count, NULL);
        break;
    }
    job->result = ok ? count : 1000 + GetLastError();
    return 1;
}

/* Starts it and sees that it waits. */
static HANDLE start(const char *check, struct job *job, HANDLE pipe, int kind)
{
    HANDLE thread;
    job->pipe = pipe;
    job->kind = kind;
    thread = CreateThread(NULL, 0, work, job, 0, NULL);
    put(check, WaitForSingleObject(thread, 150), 0);
    return thread;
}

static void end_of(const char *check, HANDLE thread, struct job *job)
{
    DWORD waited = WaitForSingleObject(thread, 5000);
    put(check, waited == WAIT_OBJECT_0 ? job->result : 9999, 0);
    CloseHandle(thread);
}

int main(void)
{
    HANDLE s, c, thread, other;
    struct job job, second;
    DWORD count, mode;
    char buffer[16];

    named(name, "\\\\.\\pipe\\transom-blocked");
    s = CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE, 1, 256, 256, 0, NULL);

    thread = start("connect_waits", &job, s, 'c');
    TRUTH("cancel_connect", CancelSynchronousIo(thread));
    end_of("connect_cancelled", thread, &job);
    thread = start("connect_waits_again", &job, s, 'c');
    c = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    end_of("connected", thread, &job);

    thread = start("read_waits", &job, s, 'r');
    TRUTH("cancel_read", CancelSynchronousIo(thread));
    end_of("read_cancelled", thread, &job);
    thread = start("read_waits_again", &job, s, 'r');
    TRUTH("cancel_read_ex", CancelIoEx(s, NULL));
    end_of("read_cancelled_ex", thread, &job);
    TRUTH("nothing_waits", CancelIoEx(s, NULL));

    thread = start("write_waits", &job, s, 'w');
    TRUTH("cancel_write", CancelSynchronousIo(thread));
    end_of("write_cancelled", thread, &job);
    TRUTH("nothing_left", PeekNamedPipe(c, NULL, 0, NULL, &count, NULL));
    VALUE("nothing_left_count", count);
    thread = start("write_waits_again", &job, s, 'w');
    TRUTH("all_visible", PeekNamedPipe(c, NULL, 0, NULL, &count, NULL));
    VALUE("all_visible_count", count);
    CloseHandle(c);
    end_of("write_broken", thread, &job);
    DisconnectNamedPipe(s);

    thread = start("connect_waits_third", &job, s, 'c');
    c = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    end_of("connected_third", thread, &job);
    WriteFile(s, "unread", 6, &count, NULL);
    thread = start("flush_waits", &job, s, 'f');
    ReadFile(c, buffer, sizeof buffer, &count, NULL);
    end_of("flushed", thread, &job);

    mode = PIPE_READMODE_MESSAGE;
    SetNamedPipeHandleState(c, &mode, NULL, NULL);
    thread = start("transact_waits", &job, c, 't');
    WriteFile(s, "answer", 6, &count, NULL);
    end_of("transacted", thread, &job);
    ReadFile(s, buffer, sizeof buffer, &count, NULL);

    /* One thing at a time. */
    thread = start("client_reads", &job, c, 'r');
    other = start("peek_waits_for_it", &second, c, 'p');
    WriteFile(s, "abc", 3, &count, NULL);
    end_of("client_read", thread, &job);
    end_of("peeked", other, &second);

    thread = start("client_reads_again", &job, c, 'r');
    TRUTH("disconnect", DisconnectNamedPipe(s));
    end_of("client_cut_off", thread, &job);
    CloseHandle(c);
    CloseHandle(s);
    TRUTH("closed", CancelIoEx(s, NULL));
    thread = CreateEventA(NULL, TRUE, FALSE, NULL);
    TRUTH("no_thread", CancelSynchronousIo(thread));
    return 0;
}
