/* Mappings as Wine has them: create or open 64 KiB, map, unmap, close.
 *
 *     mapping.exe create|open CPU
 *
 * Answers as transom-bench's workers do: "ready" first; then for each line with a number N on the
 * standard input, "each" and the nanoseconds of N operations. Ends with its input. */
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES = 65536 };

static char name[64];

static void fail(const char *what)
{
    printf("error %s failed with %lu\n", what, (unsigned long)GetLastError());
    fflush(stdout);
    exit(1);
}

static HANDLE made(void)
{
    HANDLE mapping = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, BYTES, name);
    if (!mapping || GetLastError() == ERROR_ALREADY_EXISTS)
        fail("CreateFileMapping");
    return mapping;
}

static HANDLE opened(void)
{
    HANDLE mapping = OpenFileMappingA(FILE_MAP_ALL_ACCESS, FALSE, name);
    if (!mapping)
        fail("OpenFileMapping");
    return mapping;
}

int main(int argc, char **argv)
{
    HANDLE (*work)(void);
    LARGE_INTEGER frequency, start, end;
    char line[64];

    if (argc != 3) {
        fprintf(stderr, "usage: mapping create|open CPU\n");
        return 2;
    }
    sprintf(name, "transom-bench-wine-%lu", (unsigned long)GetCurrentProcessId());
    SetProcessAffinityMask(GetCurrentProcess(), (DWORD_PTR)1 << atoi(argv[2]));
    QueryPerformanceFrequency(&frequency);
    if (strcmp(argv[1], "open") == 0) {
        /* Held until the end of the process. */
        made();
        work = opened;
    } else {
        work = made;
    }
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        long i, count = atol(line);
        double *times = calloc(count > 0 ? count : 1, sizeof *times);
        if (!times)
            fail("calloc");
        for (i = 0; i < count; i++) {
            HANDLE mapping;
            void *view;
            QueryPerformanceCounter(&start);
            mapping = work();
            view = MapViewOfFile(mapping, FILE_MAP_ALL_ACCESS, 0, 0, 0);
            if (!view)
                fail("MapViewOfFile");
            UnmapViewOfFile(view);
            CloseHandle(mapping);
            QueryPerformanceCounter(&end);
            times[i] = (double)(end.QuadPart - start.QuadPart) * 1e9 / (double)frequency.QuadPart;
        }
        printf("each");
        for (i = 0; i < count; i++)
            printf(" %.0f", times[i]);
        printf("\n");
        fflush(stdout);
        free(times);
    }
    return 0;
}
