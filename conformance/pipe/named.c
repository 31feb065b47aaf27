/* Named pipes: spellings of a name (P1), numbers that are kept (P11, P33), modes of both ends
 * (P21, P32), state in wide form, places and lengths that a pipe does not have (P75), rights of
 * duplicates, and ends that pass to another process (P71). */
#include "../check.h"

static HANDLE dial(const char *name, DWORD access)
{
    return CreateFileA(name, access, 0, NULL, OPEN_EXISTING, 0, NULL);
}

/* Writes through a handle that was inherited. */
static int child(HANDLE pipe)
{
    DWORD count;
    ULONG id = 0;
    char buffer[16];
    if (!GetNamedPipeClientProcessId(pipe, &id) || id == GetCurrentProcessId())
        return 1;
    if (!WriteFile(pipe, "from child", 10, &count, NULL) || count != 10)
        return 2;
    if (!ReadFile(pipe, buffer, sizeof buffer, &count, NULL) || count != 4)
        return 3;
    return 44;
}

int main(int argc, char **words)
{
    char base[60], name[80], other[80], arguments[40];
    WCHAR wide[80];
    HANDLE s, s2, c, copy;
    SECURITY_ATTRIBUTES sa;
    PROCESS_INFORMATION made;
    DWORD flags, out, in, most, mode, instances, count, left, all;
    ULONG id;
    LARGE_INTEGER size;
    char buffer[32];

    if (argc == 2)
        return child(handle(words[1]));
    memset(&sa, 0, sizeof sa);
    sa.nLength = sizeof sa;
    sa.bInheritHandle = TRUE;
    named(base, "Transom Named");
    sprintf(name, "\\\\.\\pipe\\%s", base);

    OPENED("create", s, CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE,
        PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, PIPE_UNLIMITED_INSTANCES,
        1234, 4321, 700, &sa));
    OPENED("second_is_first", s2, CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE,
        PIPE_TYPE_MESSAGE, PIPE_UNLIMITED_INSTANCES, 0, 0, 0, NULL));
    if (s2 != INVALID_HANDLE_VALUE)
        CloseHandle(s2);
    OPENED("other_direction", s2, CreateNamedPipeA(name, PIPE_ACCESS_INBOUND, PIPE_TYPE_MESSAGE,
        PIPE_UNLIMITED_INSTANCES, 0, 0, 0, NULL));
    widen(name, wide);
    OPENED("second", s2, CreateNamedPipeW(wide, PIPE_ACCESS_DUPLEX, PIPE_TYPE_MESSAGE, PIPE_UNLIMITED_INSTANCES,
        100, 200, 0, NULL));
    TRUTH("info", GetNamedPipeInfo(s, &flags, &out, &in, &most));
    VALUE("info_flags", flags);
    VALUE("info_out", out);
    VALUE("info_in", in);
    VALUE("info_most", most);
    TRUTH("state_wide", GetNamedPipeHandleStateW(s, &mode, &instances, NULL, NULL, NULL, 0));
    VALUE("state_mode", mode);
    VALUE("state_instances", instances);
    CloseHandle(s2);

    sprintf(other, "//./PIPE/%s", base);
    for (count = 0; other[count]; count++)
        if (other[count] >= 'a' && other[count] <= 'z')
            other[count] -= 32;
    OPENED("capitals", c, dial(other, GENERIC_READ | GENERIC_WRITE));
    TRUTH("client_info", GetNamedPipeInfo(c, &flags, &out, &in, NULL));
    VALUE("client_flags", flags);
    VALUE("client_out", out);
    VALUE("client_in", in);
    TRUTH("client_state", GetNamedPipeHandleStateA(c, &mode, &instances, NULL, NULL, NULL, 0));
    VALUE("client_mode", mode);
    VALUE("client_instances", instances);
    mode = PIPE_READMODE_MESSAGE | PIPE_NOWAIT;
    TRUTH("client_set", SetNamedPipeHandleState(c, &mode, NULL, NULL));
    TRUTH("server_kept", GetNamedPipeHandleStateA(s, &mode, NULL, NULL, NULL, NULL, 0));
    VALUE("server_kept_mode", mode);
    TRUTH("nothing_there", ReadFile(c, buffer, 4, &count, NULL));
    TRUTH("state_nothing", GetNamedPipeHandleStateA(s, NULL, NULL, NULL, NULL, NULL, 0));
    TRUTH("impersonate", ImpersonateNamedPipeClient(s));
    TRUTH("revert", RevertToSelf());

    SetLastError(0xBEEF);
    put("type", GetFileType(c), 0);
    SetLastError(0xBEEF);
    count = SetFilePointer(c, 0, NULL, FILE_BEGIN);
    put("seek", count == INVALID_SET_FILE_POINTER && GetLastError() != 0xBEEF, 0);
    SetLastError(0xBEEF);
    count = GetFileSize(c, NULL);
    put("size", count == INVALID_FILE_SIZE && GetLastError() != 0xBEEF, 0);
    size.QuadPart = 0;
    VALUE("size_ex", GetFileSizeEx(c, &size) != 0 && size.QuadPart > 0);
    VALUE("cut", SetEndOfFile(c) != 0);

    /* Peek on messages, also of a handle in byte mode (P58, P59). */
    mode = PIPE_READMODE_BYTE | PIPE_WAIT;
    TRUTH("client_bytes", SetNamedPipeHandleState(c, &mode, NULL, NULL));
    WriteFile(s, "first", 5, &count, NULL);
    WriteFile(s, "second", 6, &count, NULL);
    TRUTH("peek", PeekNamedPipe(c, buffer, 3, &count, &all, &left));
    VALUE("peek_count", count);
    VALUE("peek_all", all);
    VALUE("peek_left", left);
    TRUTH("peek_more", PeekNamedPipe(c, buffer, 32, &count, &all, &left));
    VALUE("peek_more_count", count);
    TRUTH("read_across", ReadFile(c, buffer, 8, &count, NULL));
    VALUE("read_across_count", count);
    mode = PIPE_READMODE_MESSAGE;
    SetNamedPipeHandleState(c, &mode, NULL, NULL);
    TRUTH("read_rest_of_message", ReadFile(c, buffer, 32, &count, NULL));
    VALUE("read_rest_count", count);

    DuplicateHandle(GetCurrentProcess(), c, GetCurrentProcess(), &copy, GENERIC_READ, FALSE, 0);
    TRUTH("copy_cannot_write", WriteFile(copy, "x", 1, &count, NULL));
    WriteFile(s, "via copy", 8, &count, NULL);
    TRUTH("copy_reads", ReadFile(copy, buffer, 32, &count, NULL));
    VALUE("copy_count", count);
    CloseHandle(c);
    TRUTH("copy_keeps", WriteFile(s, "y", 1, &count, NULL));
    CloseHandle(copy);
    TRUTH("client_gone", WriteFile(s, "z", 1, &count, NULL));
    TRUTH("disconnect", DisconnectNamedPipe(s));

    /* The server's end in another process: the client is the one that opened. */
    TRUTH("not_connected_read", ReadFile(s, buffer, 1, &count, NULL));
    CloseHandle(s);
    s = CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 1, 512, 512, 0, NULL);
    c = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, &sa, OPEN_EXISTING, 0, NULL);
    sprintf(arguments, "%lu", number(c));
    VALUE("child_starts", again(arguments, TRUE, 0, NULL, NULL, &made));
    CloseHandle(c);
    memset(buffer, 0, sizeof buffer);
    TRUTH("read_child", ReadFile(s, buffer, 32, &count, NULL));
    text("read_child", buffer);
    TRUTH("client_id", GetNamedPipeClientProcessId(s, &id));
    VALUE("client_is_me", id == GetCurrentProcessId());
    WriteFile(s, "done", 4, &count, NULL);
    VALUE("child", ended(&made));
    TRUTH("child_gone", ReadFile(s, buffer, 32, &count, NULL));
    TRUTH("no_pipe_id", GetNamedPipeClientProcessId(made.hProcess, &id));
    CloseHandle(s);

    OPENED("not_there", c, dial(name, GENERIC_READ));
    TRUTH("wait_not_there", WaitNamedPipeA(name, 1));
    TRUTH("wait_no_pipe", WaitNamedPipeW(wide + 2, 1));
    return 0;
}
