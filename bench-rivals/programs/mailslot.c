/* A mailslot as Wine has it.
 *
 *     mailslot.exe to-one PROCESSES BYTES WINDOW CPU CPU-OF-THE-MANY
 *     mailslot.exe writer BYTES NAME CPU COUNT-MAPPING GO
 *
 * Answers as transom-bench's workers do. The second form writes: the worker starts as many. Each has an event of its
 * own, behind which it finds the number of its messages in shared memory. */
#include <windows.h>

#include <string.h>

#include "wine.h"

static void operation(void)
{
}

static HANDLE handle(const char *number)
{
    return (HANDLE)(ULONG_PTR)strtoull(number, NULL, 10);
}

static int writer(char **argv)
{
    DWORD size = atoi(argv[2]), written;
    char *bytes = calloc(size + 1, 1);
    volatile LONG *count = MapViewOfFile(handle(argv[5]), FILE_MAP_READ, 0, 0, 0);
    HANDLE go = handle(argv[6]);
    /* Wine asks for the second share. */
    HANDLE slot =
        CreateFileA(argv[3], GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    if (slot == INVALID_HANDLE_VALUE || !count || !bytes)
        return 1;
    pin(argv[4]);
    while (WaitForSingleObject(go, INFINITE) == WAIT_OBJECT_0) {
        LONG left;
        for (left = *count; left > 0; left--)
            if (!WriteFile(slot, bytes, size, &written, NULL))
                return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
    char name[64], program[MAX_PATH], line[1024], *buffer;
    HANDLE slot, mapping, job, *go;
    volatile LONG *count;
    long many, i;
    DWORD size;

    if (argc == 7 && strcmp(argv[1], "writer") == 0)
        return writer(argv);
    if (argc != 7) {
        fprintf(stderr, "usage: mailslot to-one PROCESSES BYTES WINDOW CPU CPU-OF-THE-MANY\n");
        return 2;
    }
    many = atol(argv[2]);
    size = atoi(argv[3]);
    buffer = malloc(size + 1);
    go = calloc(many, sizeof *go);
    sprintf(name, "\\\\.\\mailslot\\transom-bench-%lu", GetCurrentProcessId());
    slot = CreateMailslotA(name, 0, MAILSLOT_WAIT_FOREVER, NULL);
    mapping = CreateFileMappingA(INVALID_HANDLE_VALUE, &inherit, PAGE_READWRITE, 0, 4096, NULL);
    count = MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, 0);
    job = CreateJobObjectA(NULL, NULL);
    if (slot == INVALID_HANDLE_VALUE || !count || !buffer || !go)
        fail("set-up", GetLastError());
    GetModuleFileNameA(NULL, program, sizeof program);
    for (i = 0; i < many; i++) {
        STARTUPINFOA start = {sizeof start};
        PROCESS_INFORMATION child;
        go[i] = CreateEventA(&inherit, FALSE, FALSE, NULL);
        sprintf(line, "\"%s\" writer %lu %s %s %llu %llu", program, size, name, argv[6],
                (unsigned long long)(ULONG_PTR)mapping, (unsigned long long)(ULONG_PTR)go[i]);
        if (!CreateProcessA(program, line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &child))
            fail("CreateProcess", GetLastError());
        AssignProcessToJobObject(job, child.hProcess);
        CloseHandle(child.hThread);
    }
    pin(argv[5]);
    (void)answer_each, (void)answer_rows, (void)operation;
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        long each = atol(line) / many, left;
        double start;
        if (each < 100)
            each = 100;
        *count = each;
        start = now();
        for (i = 0; i < many; i++)
            SetEvent(go[i]);
        for (left = each * many; left > 0; left--) {
            DWORD received;
            if (!ReadFile(slot, buffer, size, &received, NULL) || received != size)
                fail("ReadFile", GetLastError());
        }
        printf("row %ld %.0f\n", each * many, now() - start);
        fflush(stdout);
    }
    TerminateJobObject(job, 0);
    return 0;
}
