/* Named pipes as Wine has them.
 *
 *     pipe.exe rt|msg|bytes|connect BYTES blocking CPU PARTNER-CPU
 *     pipe.exe partner KIND BYTES NAME CPU REQUESTS DONE
 *
 * Answers as transom-bench's workers do. The second form is the server, which the worker starts: it reads the
 * number of operations from one handle, and tells through another that it listens and that it has received
 * all. Round trips and bytes go through a pipe of bytes, messages through one of messages. */
#include <windows.h>

#include <string.h>

#include "wine.h"

/* The quota in each direction, as for the other side of the comparison. */
enum { QUOTA = 256 * 1024, BUFFER = 64 * 1024 };

static const char *kind;
static char name[64];
static char *bytes, *buffer;
static DWORD size, room;
static HANDLE end_of_pipe, done;
static long left_to_send;

static int is(const char *word)
{
    return strcmp(kind, word) == 0;
}

static void put(HANDLE pipe)
{
    DWORD written;
    if (!WriteFile(pipe, bytes, size, &written, NULL) || written != size)
        fail("WriteFile", GetLastError());
}

static DWORD get(HANDLE pipe, DWORD most)
{
    DWORD received;
    if (!ReadFile(pipe, buffer, most, &received, NULL))
        fail("ReadFile", GetLastError());
    return received;
}

static void get_all(HANDLE pipe)
{
    DWORD left = size;
    while (left > 0)
        left -= get(pipe, left);
}

static void await_byte(void)
{
    char byte;
    DWORD received;
    if (!ReadFile(done, &byte, 1, &received, NULL))
        fail("ReadFile of the partner's word", GetLastError());
}

static void tell_byte(void)
{
    DWORD written;
    if (!WriteFile(done, "", 1, &written, NULL))
        fail("WriteFile of the partner's word", GetLastError());
}

static HANDLE instance(void)
{
    DWORD mode = is("msg") ? PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE : 0;
    HANDLE pipe = CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX, mode, PIPE_UNLIMITED_INSTANCES, QUOTA, QUOTA, 0, NULL);
    if (pipe == INVALID_HANDLE_VALUE)
        fail("CreateNamedPipe", GetLastError());
    return pipe;
}

/* The next instance is there before a client is served, so the name never is without a listener. */
static HANDLE accepted(HANDLE *listening)
{
    HANDLE pipe = *listening;
    if (!ConnectNamedPipe(pipe, NULL) && GetLastError() != ERROR_PIPE_CONNECTED)
        fail("ConnectNamedPipe", GetLastError());
    *listening = is("connect") ? instance() : NULL;
    return pipe;
}

static HANDLE opened(void)
{
    DWORD mode = PIPE_READMODE_MESSAGE;
    HANDLE pipe = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (pipe == INVALID_HANDLE_VALUE)
        fail("CreateFile", GetLastError());
    if (is("msg") && !SetNamedPipeHandleState(pipe, &mode, NULL, NULL))
        fail("SetNamedPipeHandleState", GetLastError());
    return pipe;
}

static void serve_client(HANDLE *listening)
{
    DWORD received;
    HANDLE pipe = accepted(listening);
    get_all(pipe);
    put(pipe);
    while (ReadFile(pipe, buffer, 1, &received, NULL)) {
    }
    CloseHandle(pipe);
}

static int partner(HANDLE requests)
{
    HANDLE listening = instance(), pipe = NULL;
    DWORD received;
    long count, i;
    tell_byte();
    while (ReadFile(requests, &count, sizeof count, &received, NULL) && received == sizeof count) {
        long long left = (long long)count * size;
        if (!is("connect") && !pipe)
            pipe = accepted(&listening);
        for (i = 0; i < count && !is("bytes"); i++) {
            if (is("connect")) {
                serve_client(&listening);
                continue;
            }
            get_all(pipe);
            if (is("rt"))
                put(pipe);
        }
        while (is("bytes") && left > 0)
            left -= get(pipe, room);
        if (is("msg") || is("bytes"))
            tell_byte();
    }
    return 0;
}

static void operation(void)
{
    if (is("connect"))
        end_of_pipe = opened();
    put(end_of_pipe);
    if (is("connect") || is("rt"))
        get_all(end_of_pipe);
    else if (--left_to_send == 0)
        await_byte();
    if (is("connect"))
        CloseHandle(end_of_pipe);
}

/* Starts the partner; what it is asked is written to the handle that is returned. */
static HANDLE start_partner(const char *program, const char *cpu)
{
    SECURITY_ATTRIBUTES inherited = { sizeof inherited, NULL, TRUE };
    STARTUPINFOA startup;
    PROCESS_INFORMATION process;
    HANDLE theirs[2], requests;
    char line[1024];
    memset(&startup, 0, sizeof startup);
    startup.cb = sizeof startup;
    if (!CreatePipe(&theirs[0], &requests, &inherited, 0) || !CreatePipe(&done, &theirs[1], &inherited, 0))
        fail("CreatePipe", GetLastError());
    SetHandleInformation(requests, HANDLE_FLAG_INHERIT, 0);
    SetHandleInformation(done, HANDLE_FLAG_INHERIT, 0);
    snprintf(line, sizeof line, "\"%s\" partner %s %lu %s %s %llu %llu", program, kind, (unsigned long)size, name,
             cpu, (unsigned long long)(ULONG_PTR)theirs[0], (unsigned long long)(ULONG_PTR)theirs[1]);
    if (!CreateProcessA(program, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process))
        fail("CreateProcess", GetLastError());
    CloseHandle(theirs[0]);
    CloseHandle(theirs[1]);
    await_byte();
    return requests;
}

static void prepare(const char *size_word, const char *cpu)
{
    size = strtoul(size_word, NULL, 10);
    room = size > BUFFER ? size : BUFFER;
    bytes = calloc(1, size);
    buffer = calloc(1, room);
    if (!bytes || !buffer)
        fail("calloc", 0);
    pin(cpu);
}

int main(int argc, char **argv)
{
    HANDLE requests;
    DWORD written;
    char line[64], program[MAX_PATH];

    if (argc == 8 && strcmp(argv[1], "partner") == 0) {
        kind = argv[2];
        strcpy(name, argv[4]);
        prepare(argv[3], argv[5]);
        done = (HANDLE)(ULONG_PTR)strtoull(argv[7], NULL, 10);
        return partner((HANDLE)(ULONG_PTR)strtoull(argv[6], NULL, 10));
    }
    if (argc != 6) {
        fprintf(stderr, "usage: pipe rt|msg|bytes|connect BYTES blocking CPU PARTNER-CPU\n");
        return 2;
    }
    kind = argv[1];
    sprintf(name, "\\\\.\\pipe\\transom-bench-wine-%lu", (unsigned long)GetCurrentProcessId());
    prepare(argv[2], argv[4]);
    GetModuleFileNameA(NULL, program, sizeof program);
    requests = start_partner(program, argv[5]);
    if (!is("connect"))
        end_of_pipe = opened();
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        long count = atol(line);
        left_to_send = count;
        if (!WriteFile(requests, &count, sizeof count, &written, NULL))
            fail("WriteFile of a request", GetLastError());
        if (is("msg") || is("bytes"))
            answer_rows(count, STRETCHES, 0);
        else
            answer_each(count);
    }
    return 0;
}
