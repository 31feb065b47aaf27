/* Anonymous pipes: what the calls for named pipes say of them (P31, P60, P72, P73), rights of
 * duplicates, operations with an OVERLAPPED (P48, P49). */
#include "../check.h"

int main(void)
{
    HANDLE reader, writer, copy;
    DWORD flags = 9, out = 9, in = 9, most = 9, mode, instances = 9, left = 9, got = 9, all = 9, count;
    OVERLAPPED overlapped;
    HANDLE event;
    char buffer[16];

    TRUTH("made", CreatePipe(&reader, &writer, NULL, 0));
    TRUTH("reader_info", GetNamedPipeInfo(reader, &flags, &out, &in, &most));
    VALUE("reader_flags", flags);
    VALUE("reader_out", out);
    VALUE("reader_in", in);
    VALUE("reader_most", most);
    TRUTH("writer_info", GetNamedPipeInfo(writer, &flags, NULL, NULL, NULL));
    VALUE("writer_flags", flags);
    TRUTH("reader_state", GetNamedPipeHandleStateA(reader, &mode, &instances, NULL, NULL, NULL, 0));
    VALUE("reader_mode", mode);
    VALUE("reader_instances", instances);
    TRUTH("writer_state_wide", GetNamedPipeHandleStateW(writer, &mode, NULL, NULL, NULL, NULL, 0));
    VALUE("file_type", GetFileType(reader));

    TRUTH("write_to_reader", WriteFile(reader, "x", 1, &count, NULL));
    TRUTH("read_from_writer", ReadFile(writer, buffer, 1, &count, NULL));
    TRUTH("peek_writer", PeekNamedPipe(writer, NULL, 0, NULL, NULL, NULL));
    TRUTH("flush_reader", FlushFileBuffers(reader));
    TRUTH("flush_empty", FlushFileBuffers(writer));
    TRUTH("connect_reader", ConnectNamedPipe(reader, NULL));
    TRUTH("connect_writer", ConnectNamedPipe(writer, NULL));
    TRUTH("transact", TransactNamedPipe(reader, "x", 1, buffer, 1, &count, NULL));

    TRUTH("write", WriteFile(writer, "hello", 5, &count, NULL));
    memset(buffer, 0, sizeof buffer);
    TRUTH("peek", PeekNamedPipe(reader, buffer, 3, &got, &all, NULL));
    VALUE("peek_got", got);
    VALUE("peek_all", all);
    text("peek", buffer);
    TRUTH("peek_rest", PeekNamedPipe(reader, NULL, 0, NULL, &all, &left));
    VALUE("peek_rest_of_message", left);
    TRUTH("peek_nothing", PeekNamedPipe(reader, NULL, 0, NULL, NULL, NULL));

    DuplicateHandle(GetCurrentProcess(), reader, GetCurrentProcess(), &copy, SYNCHRONIZE, FALSE, 0);
    TRUTH("copy_without_read", ReadFile(copy, buffer, 1, &count, NULL));
    CloseHandle(copy);
    copy = NULL;
    TRUTH("copy_with_more", DuplicateHandle(GetCurrentProcess(), reader, GetCurrentProcess(), &copy,
        GENERIC_READ | GENERIC_WRITE, FALSE, 0));
    if (copy)
        CloseHandle(copy);
    mode = PIPE_READMODE_BYTE | 0x40;
    TRUTH("unknown_mode", SetNamedPipeHandleState(reader, &mode, NULL, NULL));
    TRUTH("leave_mode", SetNamedPipeHandleState(reader, NULL, NULL, NULL));

    memset(buffer, 0, sizeof buffer);
    TRUTH("read", ReadFile(reader, buffer, sizeof buffer, &count, NULL));
    text("read", buffer);
    event = CreateEventA(NULL, TRUE, FALSE, NULL);
    memset(&overlapped, 0, sizeof overlapped);
    overlapped.hEvent = event;
    TRUTH("overlapped", WriteFile(writer, "xy", 2, &count, &overlapped));
    WAIT("overlapped_event", WaitForSingleObject(event, 0));
    VALUE("overlapped_moved", overlapped.InternalHigh);
    CloseHandle(reader);
    TRUTH("nobody_reads", WriteFile(writer, "x", 1, &count, NULL));
    TRUTH("overlapped_fails", WriteFile(writer, "x", 1, &count, &overlapped));
    WAIT("overlapped_event_reset", WaitForSingleObject(event, 0));
    CloseHandle(writer);
    TRUTH("closed", ReadFile(reader, buffer, 1, &count, NULL));
    return 0;
}
