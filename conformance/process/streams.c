/* What a process is told at its start: standard handles, replaced (SetStdHandle) or given to a
 * child (R24, H22), title, flags and the state of its first window. */
#include "../check.h"

static int child(const char *mode)
{
    HANDLE in = GetStdHandle(STD_INPUT_HANDLE), out = GetStdHandle(STD_OUTPUT_HANDLE);
    char buffer[32];
    DWORD count = 0;
    if (!strcmp(mode, "echo")) {
        if (!ReadFile(in, buffer, sizeof buffer, &count, NULL))
            return 40;
        WriteFile(out, "<", 1, &count, NULL);
        return WriteFile(out, buffer, 4, &count, NULL) && WriteFile(GetStdHandle(STD_ERROR_HANDLE), ">", 1, &count, NULL)
            ? 41 : 42;
    }
    if (!strcmp(mode, "without"))
        return (in == NULL) + 2 * (out == NULL) + 4 * !WriteFile(out, "x", 1, &count, NULL);
    if (!strcmp(mode, "told") || !strcmp(mode, "untold")) {
        STARTUPINFOA startup;
        STARTUPINFOW wide;
        GetStartupInfoA(&startup);
        GetStartupInfoW(&wide);
        VALUE("told_size", startup.cb == sizeof startup && wide.cb == sizeof wide);
        VALUE("told_flags", startup.dwFlags & (STARTF_USESHOWWINDOW | STARTF_USESTDHANDLES | STARTF_FORCEONFEEDBACK));
        if (!strcmp(mode, "untold"))
            return 45;
        VALUE("told_window", startup.wShowWindow);
        text("told_title", startup.lpTitle);
        text("told_title_wide", shown(wide.lpTitle));
        VALUE("told_output", startup.hStdOutput == out);
        return 44;
    }
    /* By the C library's streams, which are the same ones. */
    printf("printed");
    fflush(stdout);
    return 43;
}

static void reading(const char *label, HANDLE from)
{
    char buffer[64];
    DWORD count = 0;
    BOOL ok;
    memset(buffer, 0, sizeof buffer);
    SetLastError(0xBEEF);
    ok = ReadFile(from, buffer, sizeof buffer - 1, &count, NULL);
    put(label, count, ok ? 0 : GetLastError());
    text(label, buffer);
}

static HANDLE inheritable_copy(HANDLE of)
{
    HANDLE copy = NULL;
    DuplicateHandle(GetCurrentProcess(), of, GetCurrentProcess(), &copy, 0, TRUE, DUPLICATE_SAME_ACCESS);
    return copy;
}

int main(int argc, char **argv)
{
    SECURITY_ATTRIBUTES inheritable = { sizeof inheritable, NULL, TRUE };
    HANDLE to_child, child_in, child_out, from_child, out, made_up;
    STARTUPINFOA startup;
    PROCESS_INFORMATION made;
    unsigned long code;
    DWORD count;
    BOOL ok;

    if (argc > 1)
        return child(argv[1]);

    VALUE("bad_number", GetStdHandle(7) == INVALID_HANDLE_VALUE);
    VALUE("bad_number_error", GetLastError());
    TRUTH("set_bad_number", SetStdHandle(7, NULL));
    out = GetStdHandle(STD_OUTPUT_HANDLE);
    VALUE("there_is_output", out != NULL && out != INVALID_HANDLE_VALUE);
    VALUE("same_each_time", out == GetStdHandle(STD_OUTPUT_HANDLE));

    CreatePipe(&child_in, &to_child, &inheritable, 0);
    CreatePipe(&from_child, &child_out, &inheritable, 0);
    SetHandleInformation(to_child, HANDLE_FLAG_INHERIT, 0);
    SetHandleInformation(from_child, HANDLE_FLAG_INHERIT, 0);
    memset(&startup, 0, sizeof startup);
    startup.cb = sizeof startup;
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = child_in;
    startup.hStdOutput = child_out;
    startup.hStdError = child_out;
    WriteFile(to_child, "ping", 4, &count, NULL);
    TRUTH("echo_started", again("echo", TRUE, 0, &startup, NULL, &made));
    VALUE("echo_code", ended(&made));
    reading("echoed", from_child);
    TRUTH("print_started", again("print", TRUE, 0, &startup, NULL, &made));
    VALUE("print_code", ended(&made));
    reading("printed_by_child", from_child);

    /* What SetStdHandle put there is a child's default. */
    made_up = out;
    TRUTH("replace", SetStdHandle(STD_OUTPUT_HANDLE, child_out));
    VALUE("replaced", GetStdHandle(STD_OUTPUT_HANDLE) == child_out);
    TRUTH("default_started", again("print", TRUE, 0, NULL, NULL, &made));
    VALUE("default_code", ended(&made));
    TRUTH("put_back", SetStdHandle(STD_OUTPUT_HANDLE, made_up));
    VALUE("is_back", GetStdHandle(STD_OUTPUT_HANDLE) == out);
    reading("printed_by_default", from_child);
    CloseHandle(child_out);
    reading("nobody_writes", from_child);

    /* Whatever is put there comes back, no handle at all included. */
    made_up = GetStdHandle(STD_INPUT_HANDLE);
    TRUTH("set_none", SetStdHandle(STD_INPUT_HANDLE, NULL));
    VALUE("none", GetStdHandle(STD_INPUT_HANDLE) == NULL);
    TRUTH("set_invalid", SetStdHandle(STD_INPUT_HANDLE, INVALID_HANDLE_VALUE));
    VALUE("invalid", GetStdHandle(STD_INPUT_HANDLE) == INVALID_HANDLE_VALUE);
    TRUTH("set_again", SetStdHandle(STD_INPUT_HANDLE, made_up));
    VALUE("again", GetStdHandle(STD_INPUT_HANDLE) == made_up);
    memset(&startup, 0, sizeof startup);
    startup.cb = sizeof startup;
    startup.dwFlags = STARTF_USESTDHANDLES;
    TRUTH("without_started", again("without", TRUE, 0, &startup, NULL, &made));
    VALUE("without_code", ended(&made));

    memset(&startup, 0, sizeof startup);
    startup.cb = sizeof startup;
    startup.dwFlags = STARTF_USESHOWWINDOW | STARTF_FORCEONFEEDBACK | STARTF_USESTDHANDLES;
    startup.wShowWindow = SW_MINIMIZE;
    startup.lpTitle = (char *)"A title";
    startup.hStdInput = INVALID_HANDLE_VALUE;
    startup.hStdOutput = startup.hStdError = inheritable_copy(out);
    ok = again("told", TRUE, 0, &startup, NULL, &made);
    code = ended(&made);
    VALUE("told_started", ok);
    VALUE("told_code", code);
    ok = again("untold", TRUE, 0, NULL, NULL, &made);
    code = ended(&made);
    VALUE("untold_started", ok);
    VALUE("untold_code", code);
    return 0;
}
