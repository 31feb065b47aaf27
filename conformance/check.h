/* What the programs of this folder have in common. Each prints a line per check,
 *
 *     name: result=<number> err=<last error of a call that failed, else 0>
 *     name: text=<text>
 *
 * and nothing that changes from run to run: no addresses, ids or times. The same source is
 * built against Windows' headers and against transom's; expected/<program>.txt beside it is
 * what Windows prints. A program that needs another process starts itself. */
#ifndef CHECK_H
#define CHECK_H

#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GNUC__)
#define MAYBE_UNUSED __attribute__((__unused__))
#else
#define MAYBE_UNUSED
#endif

MAYBE_UNUSED static void put(const char *name, unsigned long result, unsigned long err)
{
    printf("%s: result=%lu err=%lu\n", name, result, err);
    fflush(stdout);
}

MAYBE_UNUSED static void text(const char *name, const char *value)
{
    printf("%s: text=%s\n", name, value);
    fflush(stdout);
}

/* A BOOL. */
#define TRUTH(name, call) do { BOOL ok_; SetLastError(0xBEEF); ok_ = (call); \
    put(name, ok_ != 0, ok_ ? 0 : GetLastError()); } while (0)
/* A number that needs no error. */
#define VALUE(name, number) put(name, (unsigned long)(number), 0)
/* A number where 0 means failure. */
#define COUNT(name, call) do { unsigned long n_; SetLastError(0xBEEF); n_ = (unsigned long)(call); \
    put(name, n_, n_ ? 0 : GetLastError()); } while (0)
/* A handle or pointer where NULL means failure. */
#define MADE(name, variable, call) do { SetLastError(0xBEEF); (variable) = (call); \
    put(name, (variable) != NULL, (variable) != NULL ? 0 : GetLastError()); } while (0)
/* The same for a Create call of a named object: the error of a success matters too. */
#define CREATED(name, variable, call) do { SetLastError(0xBEEF); (variable) = (call); \
    put(name, (variable) != NULL, GetLastError()); } while (0)
/* A handle where INVALID_HANDLE_VALUE means failure. */
#define OPENED(name, variable, call) do { SetLastError(0xBEEF); (variable) = (call); \
    put(name, (variable) != INVALID_HANDLE_VALUE, \
        (variable) != INVALID_HANDLE_VALUE ? 0 : GetLastError()); } while (0)
/* A wait. */
#define WAIT(name, call) do { DWORD w_; SetLastError(0xBEEF); w_ = (call); \
    put(name, w_, w_ == WAIT_FAILED ? GetLastError() : 0); } while (0)

/* ASCII to 16-bit characters. */
MAYBE_UNUSED static WCHAR *widen(const char *from, WCHAR *to)
{
    WCHAR *at = to;
    while ((*at++ = (WCHAR)(unsigned char)*from++) != 0) {
    }
    return to;
}

/* 16-bit characters to something printable: ASCII as it is, others as <hexadecimal>. */
MAYBE_UNUSED static char *shown(const WCHAR *from)
{
    static char to[4][1024];
    static int next;
    char *start = to[next = (next + 1) & 3], *at = start;
    for (; *from && at < start + 1000; from++) {
        if (*from >= ' ' && *from < 127)
            *at++ = (char)*from;
        else
            at += sprintf(at, "<%X>", (unsigned)*from);
    }
    *at = 0;
    return start;
}

/* This process's id at the end of a name, so that two runs do not meet. */
MAYBE_UNUSED static char *named(char *to, const char *name)
{
    sprintf(to, "%s-%lu", name, (unsigned long)GetCurrentProcessId());
    return to;
}

/* Handles on a command line. */
MAYBE_UNUSED static unsigned long number(HANDLE handle)
{
    return (unsigned long)(ULONG_PTR)handle;
}

MAYBE_UNUSED static HANDLE handle(const char *word)
{
    return (HANDLE)(ULONG_PTR)strtoul(word, NULL, 10);
}

/* Starts this program again with other arguments; FALSE as CreateProcess says. */
MAYBE_UNUSED static BOOL again(const char *arguments, BOOL inherit, DWORD flags, STARTUPINFOA *startup,
    void *environment, PROCESS_INFORMATION *made)
{
    char program[MAX_PATH], line[MAX_PATH + 1024];
    STARTUPINFOA plain;
    memset(&plain, 0, sizeof plain);
    plain.cb = sizeof plain;
    GetModuleFileNameA(NULL, program, sizeof program);
    sprintf(line, "\"%s\" %s", program, arguments);
    return CreateProcessA(program, line, NULL, NULL, inherit, flags, environment, NULL,
        startup ? startup : &plain, made);
}

/* Waits for a process and gives its exit code. */
MAYBE_UNUSED static unsigned long ended(PROCESS_INFORMATION *made)
{
    DWORD code = 0xBAD;
    if (WaitForSingleObject(made->hProcess, 30000) == WAIT_OBJECT_0)
        GetExitCodeProcess(made->hProcess, &code);
    else
        TerminateProcess(made->hProcess, 0xDEAD);
    CloseHandle(made->hThread);
    CloseHandle(made->hProcess);
    return code;
}

/* Starts this program again and waits for it. */
MAYBE_UNUSED static unsigned long run(const char *arguments, BOOL inherit)
{
    PROCESS_INFORMATION made;
    return again(arguments, inherit, 0, NULL, NULL, &made) ? ended(&made) : 0xBADBAD;
}

#endif
