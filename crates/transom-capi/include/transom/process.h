/* process.h: threads by the names of the C runtime.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface.
 */
#ifndef TRANSOM_PROCESS_H
#define TRANSOM_PROCESS_H


#include <stdint.h>
#include "winbase.h"

#define _getpid() ((int)GetCurrentProcessId())

#ifdef __cplusplus
extern "C" {
#endif

/* CreateThread with other types: 0 on failure. The handle's end is CloseHandle. */
static __inline__ uintptr_t _beginthreadex(void *security, unsigned stack_size,
    unsigned(WINAPI *start_address)(void *), void *arglist, unsigned initflag, unsigned *thrdaddr)
{
    return (uintptr_t)CreateThread((LPSECURITY_ATTRIBUTES)security, stack_size,
        (LPTHREAD_START_ROUTINE)start_address, arglist, initflag, (LPDWORD)thrdaddr);
}

static __inline__ void _endthreadex(unsigned retval)
{
    ExitThread(retval);
}

/* What _beginthread starts: a function without a result. */
struct transom_thread {
    void (*start)(void *);
    void *argument;
};

static __inline__ DWORD WINAPI transom_thread_start(LPVOID given)
{
    struct transom_thread thread = *(struct transom_thread *)given;
    LocalFree((HLOCAL)given);
    thread.start(thread.argument);
    return 0;
}

/* Starts a thread whose handle ends with it: -1 on failure. The handle may be gone when it is
 * first used; _beginthreadex gives one to keep. */
static __inline__ uintptr_t _beginthread(void (*start_address)(void *), unsigned stack_size, void *arglist)
{
    struct transom_thread *thread = (struct transom_thread *)LocalAlloc(0, sizeof *thread);
    HANDLE handle;
    if (!thread)
        return (uintptr_t)-1;
    thread->start = start_address;
    thread->argument = arglist;
    handle = CreateThread(NULL, stack_size, transom_thread_start, thread, 0, NULL);
    if (!handle) {
        LocalFree((HLOCAL)thread);
        return (uintptr_t)-1;
    }
    CloseHandle(handle);
    return (uintptr_t)handle;
}

static __inline__ void _endthread(void)
{
    ExitThread(0);
}

#ifdef __cplusplus
}
#endif

#endif
