/* synchapi.h: events, mutexes, semaphores, the wait calls, critical sections.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Rules: docs/sync.md
 * (Y1 to Y40).
 *
 * Events, mutexes, semaphores and mappings share one space of names, case sensitive; Local\
 * is the default, Global\ another place, a backslash elsewhere is ERROR_PATH_NOT_FOUND. Each
 * Create or Open call makes a handle, CloseHandle ends it; the object goes with its last
 * handle in any process. Create on an existing name opens it, ignores the other arguments and
 * sets ERROR_ALREADY_EXISTS; a new object sets 0. A wait that succeeds sees everything that
 * was stored before the signal.
 */
#ifndef TRANSOM_SYNCHAPI_H
#define TRANSOM_SYNCHAPI_H

#include "minwindef.h"
#include "minwinbase.h"

#define INFINITE 0xFFFFFFFF

/* Results of the wait calls. With several handles the index is added to WAIT_OBJECT_0 or
 * WAIT_ABANDONED_0. Only WAIT_FAILED sets the last error. */
#define WAIT_OBJECT_0 ((STATUS_WAIT_0) + 0)
#define WAIT_ABANDONED ((STATUS_ABANDONED_WAIT_0) + 0)
#define WAIT_ABANDONED_0 ((STATUS_ABANDONED_WAIT_0) + 0)
#define WAIT_IO_COMPLETION STATUS_USER_APC
#define WAIT_FAILED ((DWORD)0xFFFFFFFF)
#ifndef WAIT_TIMEOUT
#define WAIT_TIMEOUT 258
#endif

#define MUTEX_MODIFY_STATE MUTANT_QUERY_STATE
#define MUTEX_ALL_ACCESS MUTANT_ALL_ACCESS

#define CREATE_EVENT_MANUAL_RESET 0x00000001
#define CREATE_EVENT_INITIAL_SET 0x00000002
#define CREATE_MUTEX_INITIAL_OWNER 0x00000001

/* Locks of one word, for the threads of one process; a static one starts as its INIT value. */
typedef struct _RTL_SRWLOCK {
    PVOID Ptr;
} RTL_SRWLOCK, *PRTL_SRWLOCK;
typedef RTL_SRWLOCK SRWLOCK, *PSRWLOCK;
typedef struct _RTL_CONDITION_VARIABLE {
    PVOID Ptr;
} RTL_CONDITION_VARIABLE, *PRTL_CONDITION_VARIABLE;
typedef RTL_CONDITION_VARIABLE CONDITION_VARIABLE, *PCONDITION_VARIABLE;
typedef union _RTL_RUN_ONCE {
    PVOID Ptr;
} RTL_RUN_ONCE, *PRTL_RUN_ONCE;
typedef RTL_RUN_ONCE INIT_ONCE, *PINIT_ONCE, *LPINIT_ONCE;
#define SRWLOCK_INIT { 0 }
#define CONDITION_VARIABLE_INIT { 0 }
#define INIT_ONCE_STATIC_INIT { 0 }
#define CONDITION_VARIABLE_LOCKMODE_SHARED 0x1

/* Does what is to be done once; FALSE: it failed, and the next caller tries again. */
typedef BOOL(WINAPI *PINIT_ONCE_FN)(PINIT_ONCE InitOnce, PVOID Parameter, PVOID *Context);

#ifdef __cplusplus
extern "C" {
#endif

/* Makes or opens an event. A manual-reset event stays set for all until ResetEvent; an
 * auto-reset one lets exactly one waiter through. NULL on failure: ERROR_INVALID_HANDLE (the
 * name belongs to another kind), ERROR_PATH_NOT_FOUND, ERROR_FILENAME_EXCED_RANGE (A forms),
 * ERROR_ACCESS_DENIED. The Ex forms take CREATE_EVENT_ flags and the handle's rights, and
 * fail with ERROR_INVALID_PARAMETER for other flags. */
TRANSOM_API HANDLE WINAPI CreateEventA(LPSECURITY_ATTRIBUTES lpEventAttributes, BOOL bManualReset,
    BOOL bInitialState, LPCSTR lpName);
TRANSOM_API HANDLE WINAPI CreateEventW(LPSECURITY_ATTRIBUTES lpEventAttributes, BOOL bManualReset,
    BOOL bInitialState, LPCWSTR lpName);
#define CreateEvent TRANSOM_AW(CreateEvent)
TRANSOM_API HANDLE WINAPI CreateEventExA(LPSECURITY_ATTRIBUTES lpEventAttributes, LPCSTR lpName,
    DWORD dwFlags, DWORD dwDesiredAccess);
TRANSOM_API HANDLE WINAPI CreateEventExW(LPSECURITY_ATTRIBUTES lpEventAttributes, LPCWSTR lpName,
    DWORD dwFlags, DWORD dwDesiredAccess);
#define CreateEventEx TRANSOM_AW(CreateEventEx)

/* Opens an existing event with the given rights: SYNCHRONIZE to wait, EVENT_MODIFY_STATE to
 * set. NULL on failure: ERROR_FILE_NOT_FOUND, ERROR_INVALID_PARAMETER (no name), and as
 * above. */
TRANSOM_API HANDLE WINAPI OpenEventA(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName);
TRANSOM_API HANDLE WINAPI OpenEventW(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCWSTR lpName);
#define OpenEvent TRANSOM_AW(OpenEvent)

/* Sets or resets an event; PulseEvent sets it, lets those through who wait this moment, and
 * resets it (waiters may miss it: do not build on it). FALSE with ERROR_INVALID_HANDLE, or
 * ERROR_ACCESS_DENIED without EVENT_MODIFY_STATE. */
TRANSOM_API BOOL WINAPI SetEvent(HANDLE hEvent);
TRANSOM_API BOOL WINAPI ResetEvent(HANDLE hEvent);
TRANSOM_API BOOL WINAPI PulseEvent(HANDLE hEvent);

/* Makes or opens a mutex; bInitialOwner makes the calling thread its owner only if the mutex
 * is new. Owned by a thread, taken by a wait, given back by ReleaseMutex as often as taken.
 * When the owner ends without that, the next wait returns WAIT_ABANDONED and owns it. NULL
 * and errors as for events. */
TRANSOM_API HANDLE WINAPI CreateMutexA(LPSECURITY_ATTRIBUTES lpMutexAttributes, BOOL bInitialOwner,
    LPCSTR lpName);
TRANSOM_API HANDLE WINAPI CreateMutexW(LPSECURITY_ATTRIBUTES lpMutexAttributes, BOOL bInitialOwner,
    LPCWSTR lpName);
#define CreateMutex TRANSOM_AW(CreateMutex)
TRANSOM_API HANDLE WINAPI CreateMutexExA(LPSECURITY_ATTRIBUTES lpMutexAttributes, LPCSTR lpName,
    DWORD dwFlags, DWORD dwDesiredAccess);
TRANSOM_API HANDLE WINAPI CreateMutexExW(LPSECURITY_ATTRIBUTES lpMutexAttributes, LPCWSTR lpName,
    DWORD dwFlags, DWORD dwDesiredAccess);
#define CreateMutexEx TRANSOM_AW(CreateMutexEx)

/* Opens an existing mutex; SYNCHRONIZE is what waiting needs, releasing needs no right. */
TRANSOM_API HANDLE WINAPI OpenMutexA(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName);
TRANSOM_API HANDLE WINAPI OpenMutexW(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCWSTR lpName);
#define OpenMutex TRANSOM_AW(OpenMutex)

/* Gives a mutex back once. FALSE with ERROR_NOT_OWNER when the calling thread does not own it,
 * ERROR_INVALID_HANDLE. */
TRANSOM_API BOOL WINAPI ReleaseMutex(HANDLE hMutex);

/* Makes or opens a semaphore with a count from 0 to lMaximumCount; a wait takes one. NULL on
 * failure, with ERROR_INVALID_PARAMETER for impossible counts (also when the name exists),
 * otherwise as for events. dwFlags is 0. */
TRANSOM_API HANDLE WINAPI CreateSemaphoreA(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes,
    LONG lInitialCount, LONG lMaximumCount, LPCSTR lpName);
TRANSOM_API HANDLE WINAPI CreateSemaphoreW(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes,
    LONG lInitialCount, LONG lMaximumCount, LPCWSTR lpName);
#define CreateSemaphore TRANSOM_AW(CreateSemaphore)
TRANSOM_API HANDLE WINAPI CreateSemaphoreExA(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes,
    LONG lInitialCount, LONG lMaximumCount, LPCSTR lpName, DWORD dwFlags, DWORD dwDesiredAccess);
TRANSOM_API HANDLE WINAPI CreateSemaphoreExW(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes,
    LONG lInitialCount, LONG lMaximumCount, LPCWSTR lpName, DWORD dwFlags, DWORD dwDesiredAccess);
#define CreateSemaphoreEx TRANSOM_AW(CreateSemaphoreEx)

/* Opens an existing semaphore: SYNCHRONIZE to wait, SEMAPHORE_MODIFY_STATE to release. */
TRANSOM_API HANDLE WINAPI OpenSemaphoreA(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName);
TRANSOM_API HANDLE WINAPI OpenSemaphoreW(DWORD dwDesiredAccess, BOOL bInheritHandle,
    LPCWSTR lpName);
#define OpenSemaphore TRANSOM_AW(OpenSemaphore)

/* Adds lReleaseCount to the count and stores the previous one unless the pointer is NULL.
 * FALSE, and nothing changes: ERROR_TOO_MANY_POSTS (over the maximum),
 * ERROR_INVALID_PARAMETER (less than 1), ERROR_ACCESS_DENIED, ERROR_INVALID_HANDLE. */
TRANSOM_API BOOL WINAPI ReleaseSemaphore(HANDLE hSemaphore, LONG lReleaseCount,
    LPLONG lpPreviousCount);

/* Waits until an event, mutex, semaphore, process or thread is signalled, and takes it where
 * that means something. Milliseconds: 0 only looks, INFINITE waits for ever. Returns
 * WAIT_OBJECT_0, WAIT_ABANDONED, WAIT_TIMEOUT, or WAIT_FAILED with ERROR_INVALID_HANDLE or
 * ERROR_ACCESS_DENIED (no SYNCHRONIZE). The handle of a pipe is signalled unless an overlapped
 * operation without an event goes on there. The Ex form, if bAlertable, also runs what
 * ReadFileEx, WriteFileEx and QueueUserAPC have left for this thread, and returns
 * WAIT_IO_COMPLETION then. */
TRANSOM_API DWORD WINAPI WaitForSingleObject(HANDLE hHandle, DWORD dwMilliseconds);
TRANSOM_API DWORD WINAPI WaitForSingleObjectEx(HANDLE hHandle, DWORD dwMilliseconds,
    BOOL bAlertable);

/* Waits for one of up to 64 objects, or for all of them at the same moment; "all" takes them
 * in one step and holds none before. Returns as above, with the lowest index for "any".
 * WAIT_FAILED with ERROR_INVALID_PARAMETER for 0 or more than 64 handles, and for a handle
 * given twice to "all". */
TRANSOM_API DWORD WINAPI WaitForMultipleObjects(DWORD nCount, const HANDLE *lpHandles,
    BOOL bWaitAll, DWORD dwMilliseconds);
TRANSOM_API DWORD WINAPI WaitForMultipleObjectsEx(DWORD nCount, const HANDLE *lpHandles,
    BOOL bWaitAll, DWORD dwMilliseconds, BOOL bAlertable);

/* Signals an event, mutex or semaphore and waits for another object. Both handles are checked
 * first; when signalling fails (ERROR_NOT_OWNER, ERROR_TOO_MANY_POSTS) nothing is waited
 * for; a time-out does not take the signal back. Returns as WaitForSingleObject. */
TRANSOM_API DWORD WINAPI SignalObjectAndWait(HANDLE hObjectToSignal, HANDLE hObjectToWaitOn,
    DWORD dwMilliseconds, BOOL bAlertable);

/* Pauses the calling thread for that many milliseconds; 0 only offers the processor to others.
 * The Ex form returns 0 when the time is over, and WAIT_IO_COMPLETION as WaitForSingleObjectEx. */
TRANSOM_API void WINAPI Sleep(DWORD dwMilliseconds);
TRANSOM_API DWORD WINAPI SleepEx(DWORD dwMilliseconds, BOOL bAlertable);

/* Critical sections: locks among the threads of one process, entered again by their owner as
 * often as it likes. The program owns the storage; Delete ends what Initialize began. The spin
 * count and the flags are hints. The BOOL forms return TRUE; Enter blocks until the section is
 * free; TryEnter returns FALSE when another thread is inside; Leave by another thread than the
 * owner is a mistake without a report. */
TRANSOM_API void WINAPI InitializeCriticalSection(LPCRITICAL_SECTION lpCriticalSection);
TRANSOM_API BOOL WINAPI InitializeCriticalSectionAndSpinCount(LPCRITICAL_SECTION lpCriticalSection,
    DWORD dwSpinCount);
TRANSOM_API BOOL WINAPI InitializeCriticalSectionEx(LPCRITICAL_SECTION lpCriticalSection,
    DWORD dwSpinCount, DWORD Flags);
TRANSOM_API void WINAPI EnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection);
TRANSOM_API BOOL WINAPI TryEnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection);
TRANSOM_API void WINAPI LeaveCriticalSection(LPCRITICAL_SECTION lpCriticalSection);
TRANSOM_API void WINAPI DeleteCriticalSection(LPCRITICAL_SECTION lpCriticalSection);

/* Slim locks: one writer or many readers, not to be entered again by who is inside. The Try forms
 * tell whether they took it; the release has to fit the way it was taken. */
TRANSOM_API void WINAPI InitializeSRWLock(PSRWLOCK SRWLock);
TRANSOM_API void WINAPI AcquireSRWLockExclusive(PSRWLOCK SRWLock);
TRANSOM_API void WINAPI AcquireSRWLockShared(PSRWLOCK SRWLock);
TRANSOM_API BOOLEAN WINAPI TryAcquireSRWLockExclusive(PSRWLOCK SRWLock);
TRANSOM_API BOOLEAN WINAPI TryAcquireSRWLockShared(PSRWLOCK SRWLock);
TRANSOM_API void WINAPI ReleaseSRWLockExclusive(PSRWLOCK SRWLock);
TRANSOM_API void WINAPI ReleaseSRWLockShared(PSRWLOCK SRWLock);

/* Condition variables: Sleep lets the lock go, waits to be woken and takes it again; it may also
 * return without a reason. FALSE with ERROR_TIMEOUT when the time ran out. */
TRANSOM_API void WINAPI InitializeConditionVariable(PCONDITION_VARIABLE ConditionVariable);
TRANSOM_API BOOL WINAPI SleepConditionVariableCS(PCONDITION_VARIABLE ConditionVariable,
    PCRITICAL_SECTION CriticalSection, DWORD dwMilliseconds);
TRANSOM_API BOOL WINAPI SleepConditionVariableSRW(PCONDITION_VARIABLE ConditionVariable,
    PSRWLOCK SRWLock, DWORD dwMilliseconds, ULONG Flags);
TRANSOM_API void WINAPI WakeConditionVariable(PCONDITION_VARIABLE ConditionVariable);
TRANSOM_API void WINAPI WakeAllConditionVariable(PCONDITION_VARIABLE ConditionVariable);

/* Calls the function if nobody has yet, and waits while somebody does; TRUE when it is done, with
 * what the function left in *Context, a multiple of 4. */
TRANSOM_API void WINAPI InitOnceInitialize(PINIT_ONCE InitOnce);
TRANSOM_API BOOL WINAPI InitOnceExecuteOnce(PINIT_ONCE InitOnce, PINIT_ONCE_FN InitFn,
    PVOID Parameter, LPVOID *Context);

#ifdef __cplusplus
}
#endif

#endif
