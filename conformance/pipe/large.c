/* Writes that are larger than any buffer: overlapped, from several handles, cancelled, to a
 * reader in another process; messages that stay whole (P30, P34, P35, P38). */
#include "../check.h"

#define SIZE (3 * 1024 * 1024 + 17)

static char name[80];
static unsigned char *data, *back;

static unsigned char pattern(DWORD at)
{
    return (unsigned char)(at * 7 + at / 251);
}

static void outcome(const char *check, HANDLE h, OVERLAPPED *o, BOOL wait)
{
    DWORD moved = 0xBAD;
    BOOL ok = GetOverlappedResult(h, o, &moved, wait);
    put(check, ok ? moved : 1000 + moved, ok ? 0 : GetLastError());
}

/* Reads until nothing comes; the number of right bytes in units of 1024, and what is left over. */
static int child(const char *pipe)
{
    static unsigned char part[5000];
    HANDLE c = CreateFileA(pipe, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    DWORD at = 0, count, k;
    while (ReadFile(c, part, sizeof part, &count, NULL))
        for (k = 0; k < count; k++, at++)
            if (part[k] != pattern(at))
                return 1;
    if (GetLastError() != ERROR_BROKEN_PIPE)
        return 2;
    return at == SIZE ? 55 : 3;
}

/* Reads SIZE bytes through a blocking handle. */
static DWORD WINAPI reader(LPVOID p)
{
    DWORD at = 0, count;
    while (at < SIZE && ReadFile((HANDLE)p, back + at, SIZE - at, &count, NULL))
        at += count;
    return at;
}

static HANDLE serve(DWORD type, DWORD out)
{
    return CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, type, 1, out, 256, 0, NULL);
}

int main(int argc, char **words)
{
    HANDLE s, c, thread;
    OVERLAPPED o, o2, o3;
    PROCESS_INFORMATION made;
    DWORD count, code, k, mode, left, total, pieces;
    char arguments[120];

    if (argc == 2)
        return child(words[1]);
    memset(&o, 0, sizeof o);
    memset(&o2, 0, sizeof o2);
    memset(&o3, 0, sizeof o3);
    o.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    o2.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    o3.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    data = (unsigned char *)HeapAlloc(GetProcessHeap(), 0, SIZE);
    back = (unsigned char *)HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, SIZE);
    for (k = 0; k < SIZE; k++)
        data[k] = pattern(k);
    named(name, "\\\\.\\pipe\\transom-large");

    /* Bytes, overlapped, to a thread. */
    s = serve(PIPE_TYPE_BYTE, 4096);
    c = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    TRUTH("write", WriteFile(s, data, SIZE, NULL, &o));
    TRUTH("write_behind", WriteFile(s, "end", 3, NULL, &o2));
    outcome("waits", s, &o, FALSE);
    TRUTH("peek", PeekNamedPipe(c, NULL, 0, NULL, &count, NULL));
    VALUE("peek_some", count > 0);
    thread = CreateThread(NULL, 0, reader, c, 0, NULL);
    outcome("written", s, &o, TRUE);
    WaitForSingleObject(thread, 20000);
    GetExitCodeThread(thread, &code);
    CloseHandle(thread);
    VALUE("read", code);
    VALUE("same", !memcmp(data, back, SIZE));
    outcome("written_behind", s, &o2, TRUE);
    TRUTH("read_behind", ReadFile(c, back, 10, &count, NULL));
    VALUE("read_behind_count", count);

    /* Cancelled, all that was not read goes. */
    TRUTH("write_to_cancel", WriteFile(s, data, SIZE, NULL, &o));
    TRUTH("write_second", WriteFile(s, "after", 5, NULL, &o2));
    TRUTH("read_a_bit", ReadFile(c, back, 1000, &count, NULL));
    VALUE("a_bit", count == 1000 && !memcmp(data, back, 1000));
    TRUTH("cancel", CancelIoEx(s, &o));
    outcome("cancelled", s, &o, TRUE);
    outcome("second_written", s, &o2, TRUE);
    TRUTH("read_after", ReadFile(c, back, 1000, &count, NULL));
    VALUE("after", count == 5 && !memcmp(back, "after", 5));

    /* The reader closes. */
    TRUTH("write_to_break", WriteFile(s, data, SIZE, NULL, &o));
    CloseHandle(c);
    outcome("broken", s, &o, TRUE);
    CloseHandle(s);

    /* A large message stays whole and can be read in pieces while its writer waits. */
    s = serve(PIPE_TYPE_MESSAGE, 4096);
    c = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    mode = PIPE_READMODE_MESSAGE;
    SetNamedPipeHandleState(c, &mode, NULL, NULL);
    TRUTH("message", WriteFile(s, data, SIZE, NULL, &o));
    memset(back, 0, SIZE);
    for (total = pieces = 0;; pieces++) {
        BOOL ok = ReadFile(c, back + total, 100000, &count, NULL);
        total += count;
        if (ok || GetLastError() != ERROR_MORE_DATA)
            break;
    }
    VALUE("message_read", total);
    VALUE("message_pieces", pieces);
    VALUE("message_same", !memcmp(data, back, SIZE));
    outcome("message_written", s, &o, TRUE);
    TRUTH("next_message", WriteFile(s, "next", 4, NULL, &o2));
    TRUTH("read_next", ReadFile(c, back, 100, &count, NULL));
    VALUE("read_next_count", count);

    /* Three waiting messages, in their order. */
    WriteFile(s, data, 3000, NULL, &o);
    WriteFile(s, data, 3001, NULL, &o2);
    WriteFile(s, data, 3002, NULL, &o3);
    TRUTH("peek_three", PeekNamedPipe(c, back, 10, &count, &total, &left));
    VALUE("peek_total", total);
    VALUE("peek_left", left);
    for (k = 0; k < 3; k++) {
        char check[20];
        ReadFile(c, back, SIZE, &count, NULL);
        sprintf(check, "message_%lu", (unsigned long)k);
        VALUE(check, count);
    }
    outcome("third_written", s, &o3, TRUE);
    CloseHandle(c);
    CloseHandle(s);

    /* To another process. */
    s = serve(PIPE_TYPE_BYTE, 10000);
    TRUTH("listen", ConnectNamedPipe(s, &o));
    sprintf(arguments, "\"%s\"", name);
    VALUE("child_starts", again(arguments, FALSE, 0, NULL, NULL, &made));
    outcome("connected", s, &o, TRUE);
    WriteFile(s, data, SIZE, NULL, &o);
    outcome("sent", s, &o, TRUE);
    TRUTH("flush", FlushFileBuffers(s));
    CloseHandle(s);
    VALUE("child", ended(&made));
    return 0;
}
